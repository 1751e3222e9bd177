//! Requests a day that save or search memories. Seeing, changing, forgetting and taking away what is kept never
//! counts: a quota must not stand between people and their memories. Neither does what a tool or a suggestion keeps.

use crate::{Caller, Domain, Error, Result};
use serde_json::json;
use shared::account::{Role, Tier};
use shared::memory::MemoryQuota;
use shared::{ErrorCode, UserId};
use sqlx::PgConnection;
use std::time::Duration;
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, Time};

pub(crate) fn parse_tier(text: &str) -> Result<Tier> {
    text.parse().map_err(|e: String| Error::internal(anyhow::anyhow!(e)))
}

/// Counts one request with the transaction, or refuses it. What is refused or fails later is not counted.
pub(super) async fn count(tx: &mut PgConnection, owner: UserId) -> Result<()> {
    let used: i32 = sqlx::query_scalar(
        "INSERT INTO memory_use AS u (owner_id, day, used) VALUES ($1, (now() AT TIME ZONE 'UTC')::date, 1)
         ON CONFLICT (owner_id) DO UPDATE
             SET used = CASE WHEN u.day = excluded.day THEN u.used + 1 ELSE 1 END, day = excluded.day
         RETURNING used",
    )
    .bind(owner.0)
    .fetch_one(&mut *tx)
    .await?;
    let tier = tier_of(tx, owner).await?;
    if u32::try_from(used).unwrap_or(u32::MAX) <= tier.daily_requests() {
        return Ok(());
    }
    Err(refused(tier, OffsetDateTime::now_utc()))
}

fn refused(tier: Tier, now: OffsetDateTime) -> Error {
    let (limit, resets_at) = (tier.daily_requests(), next_midnight(now));
    let wait = Duration::try_from(resets_at - now).unwrap_or_default();
    let at = resets_at.format(&Rfc3339).unwrap_or_default();
    Error::Problem {
        code: ErrorCode::QuotaExceeded,
        message: format!(
            "Your {limit} requests to memories for today are used up. They begin anew at {at}, midnight by UTC; an admin can give you more."
        ),
        details: Some(json!({ "tier": tier, "limit": limit, "used": limit, "resets_at": at })),
        // up to the second after midnight, never before
        retry_after: Some(Duration::from_secs(wait.as_secs() + 1)),
    }
}

fn next_midnight(now: OffsetDateTime) -> OffsetDateTime {
    let now = now.to_offset(time::UtcOffset::UTC);
    now.date().next_day().unwrap_or(now.date()).with_time(Time::MIDNIGHT).assume_utc()
}

async fn tier_of(tx: &mut PgConnection, owner: UserId) -> Result<Tier> {
    let tier: String =
        sqlx::query_scalar("SELECT tier FROM users WHERE id = $1").bind(owner.0).fetch_one(tx).await?;
    parse_tier(&tier)
}

impl Domain {
    pub async fn memory_quota(&self, caller: &Caller) -> Result<MemoryQuota> {
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        let tier = tier_of(&mut tx, caller.user_id).await?;
        let used: Option<i32> = sqlx::query_scalar(
            "SELECT used FROM memory_use WHERE day = (now() AT TIME ZONE 'UTC')::date AND owner_id = $1",
        )
        .bind(caller.user_id.0)
        .fetch_optional(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(MemoryQuota {
            tier,
            used: u32::try_from(used.unwrap_or(0)).unwrap_or(0),
            limit: tier.daily_requests(),
            resets_at: next_midnight(OffsetDateTime::now_utc()),
        })
    }

    /// Sets how much an account may use; for admins.
    pub async fn set_tier(&self, caller: &Caller, user: UserId, tier: Tier) -> Result<()> {
        caller.require(Role::Admin)?;
        let mut tx = self.inner.db.as_system().await?;
        let set = sqlx::query("UPDATE users SET tier = $2 WHERE id = $1")
            .bind(user.0)
            .bind(tier.as_str())
            .execute(&mut *tx)
            .await?;
        if set.rows_affected() == 0 {
            return Err(Error::not_found("account"));
        }
        tx.commit().await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn the_day_ends_at_midnight_by_utc() {
        assert_eq!(next_midnight(datetime!(2026-12-31 23:59:59 UTC)), datetime!(2027-01-01 00:00 UTC));
        assert_eq!(next_midnight(datetime!(2026-05-01 00:00 UTC)), datetime!(2026-05-02 00:00 UTC));
        assert_eq!(next_midnight(datetime!(2026-05-01 01:00 +3)), datetime!(2026-05-01 00:00 UTC));
    }

    #[test]
    fn the_refusal_says_the_limit_and_when_to_come_back() {
        let error = refused(Tier::Free, datetime!(2026-05-01 23:00 UTC));
        let Error::Problem { code, details: Some(details), retry_after: Some(wait), message } = error else {
            panic!("a problem with details");
        };
        assert_eq!(code, ErrorCode::QuotaExceeded);
        assert_eq!(
            (details["limit"].as_u64(), details["resets_at"].as_str()),
            (Some(100), Some("2026-05-02T00:00:00Z"))
        );
        assert!((3600..=3601).contains(&wait.as_secs()), "{wait:?}");
        assert!(message.contains("100") && message.contains("2026-05-02"));
    }
}
