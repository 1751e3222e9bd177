//! Invitations: a link that an admin makes, by which one person joins this server.

use crate::accounts::{Account, checked_email, checked_name, insert_user, new_session, parse_role};
use crate::secrets::{random_token, token_hash};
use crate::{Caller, Domain, Error, NewSession, Result, Visitor};
use shared::account::{Join, Role};
use shared::note::{CreateInvite, Invite};
use shared::{ErrorCode, InviteId};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// Hours that an invitation holds unless told, and at most.
const HOURS: u32 = 72;
const MOST_HOURS: u32 = 24 * 30;
/// Invitations that may wait at once.
const MOST: i64 = 500;

impl Domain {
    /// Makes an invitation; its address is told once.
    pub async fn create_invite(&self, caller: &Caller, request: CreateInvite) -> Result<Invite> {
        caller.require(Role::Admin)?;
        let hours = request.hours.unwrap_or(HOURS);
        if hours == 0 || hours > MOST_HOURS {
            return Err(Error::invalid("hours", format!("An invitation holds 1 to {MOST_HOURS} hours.")));
        }
        let token = random_token();
        let id = InviteId::new();
        let expires_at = OffsetDateTime::now_utc() + Duration::hours(hours.into());
        let mut tx = self.inner.db.as_system().await?;
        let waiting: i64 =
            sqlx::query_scalar("SELECT count(id) FROM invites WHERE used_at IS NULL AND expires_at > now()")
                .fetch_one(&mut *tx)
                .await?;
        if waiting >= MOST {
            return Err(Error::problem(
                ErrorCode::Conflict,
                format!("{MOST} invitations wait already. Delete some first."),
            ));
        }
        sqlx::query(
            "INSERT INTO invites (id, token_hash, role, created_by, expires_at) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(id.0)
        .bind(token_hash(&token))
        .bind(request.role.as_str())
        .bind(caller.user_id.0)
        .bind(expires_at)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        let url = Some(format!("/join/{token}"));
        Ok(Invite { id, role: request.role, url, expires_at, used: false })
    }

    /// Those that wait, and those that were used or ended in the last month; the newest first.
    pub async fn invites(&self, caller: &Caller) -> Result<Vec<Invite>> {
        caller.require(Role::Admin)?;
        let mut tx = self.inner.db.as_system().await?;
        let rows: Vec<(Uuid, String, OffsetDateTime, bool)> = sqlx::query_as(
            "SELECT id, role, expires_at, used_at IS NOT NULL FROM invites
             WHERE expires_at > now() - interval '30 days' ORDER BY id DESC",
        )
        .fetch_all(&mut *tx)
        .await?;
        rows.into_iter()
            .map(|(id, role, expires_at, used)| {
                Ok(Invite { id: InviteId(id), role: parse_role(&role)?, url: None, expires_at, used })
            })
            .collect()
    }

    /// Takes an invitation back.
    pub async fn delete_invite(&self, caller: &Caller, id: InviteId) -> Result<()> {
        caller.require(Role::Admin)?;
        let mut tx = self.inner.db.as_system().await?;
        let gone = sqlx::query("DELETE FROM invites WHERE id = $1").bind(id.0).execute(&mut *tx).await?;
        if gone.rows_affected() == 0 {
            return Err(Error::not_found("invitation"));
        }
        tx.commit().await?;
        Ok(())
    }

    /// Whether somebody can still join by this token.
    pub async fn invitation_holds(&self, token: &str) -> Result<bool> {
        let mut tx = self.inner.db.as_system().await?;
        Ok(sqlx::query_scalar(
            "SELECT EXISTS (SELECT FROM invites WHERE token_hash = $1 AND used_at IS NULL AND expires_at > now())",
        )
        .bind(token_hash(token))
        .fetch_one(&mut *tx)
        .await?)
    }

    /// Makes the account that an invitation is for, and signs in.
    pub async fn join(&self, request: Join, visitor: &Visitor) -> Result<NewSession> {
        if !self.invitation_holds(&request.token).await? {
            return Err(ended());
        }
        let email = checked_email(&request.email)?;
        let display_name = checked_name(&request.display_name)?;
        let password_hash = self.inner.passwords.hash(request.password).await?;
        let mut tx = self.inner.db.as_system().await?;
        // Two at once: the second waits for this row and finds it used.
        let invite: Option<(Uuid, String)> = sqlx::query_as(
            "SELECT id, role FROM invites
             WHERE token_hash = $1 AND used_at IS NULL AND expires_at > now() FOR UPDATE",
        )
        .bind(token_hash(&request.token))
        .fetch_optional(&mut *tx)
        .await?;
        let (invite, role) = invite.ok_or_else(ended)?;
        let account = Account {
            email: &email,
            display_name: &display_name,
            role: parse_role(&role)?,
            password_hash: &password_hash,
        };
        let user = insert_user(&mut tx, account).await?;
        sqlx::query("UPDATE invites SET used_by = $2, used_at = now() WHERE id = $1")
            .bind(invite)
            .bind(user.0)
            .execute(&mut *tx)
            .await?;
        let session = new_session(&mut tx, user, visitor).await?;
        tx.commit().await?;
        Ok(session)
    }
}

fn ended() -> Error {
    Error::problem(
        ErrorCode::NotFound,
        "This invitation was used already, has ended, or never was. Ask whoever sent it for another.",
    )
}
