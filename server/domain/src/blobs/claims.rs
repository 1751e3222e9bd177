//! Claims on blobs. Whoever is about to give bytes a name writes their row first, or writes its time anew; the
//! collector deletes a row before it deletes the bytes, in one transaction. So either the claim comes first and
//! the collector passes the blob over, or the claim waits and then finds the bytes gone, and brings them.

use super::{Blob, Blobs, Listed};
use crate::{Error, Result};
use shared::UserId;
use std::time::Duration;

/// How long a claim holds. What is about to be named is named within it, also where the bytes go to a slow bucket.
pub(crate) const CLAIM: Duration = Duration::from_secs(2 * 60 * 60);

impl Blobs {
    pub(super) async fn claim(&self, owner: UserId, blob: &Blob) -> Result<()> {
        let Some(database) = &self.claims else { return Ok(()) };
        let mut tx = database.as_system().await?;
        sqlx::query(
            "INSERT INTO blobs (owner_id, sha256, size) VALUES ($1, $2, $3)
             ON CONFLICT (owner_id, sha256) DO UPDATE SET claimed_at = now()",
        )
        .bind(owner.0)
        .bind(blob.sha256.as_slice())
        .bind(i64::try_from(blob.size).map_err(Error::internal)?)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Claims bytes that may be here already; whether they are.
    pub async fn claim_known(&self, owner: UserId, blob: &Blob) -> Result<bool> {
        self.claim(owner, blob).await?;
        self.has(&self.place(owner, &blob.sha256), blob.size).await
    }

    /// Removes bytes that nothing names and nobody claimed lately; whether it did.
    pub async fn collect(&self, owner: UserId, sha256: &[u8; 32]) -> Result<bool> {
        let Some(database) = &self.claims else { return Ok(false) };
        let mut tx = database.as_system().await?;
        let forgotten: bool =
            sqlx::query_scalar("SELECT forget_blob($1, $2, now() - make_interval(secs => $3))")
                .bind(owner.0)
                .bind(sha256.as_slice())
                .bind(CLAIM.as_secs_f64())
                .fetch_one(&mut *tx)
                .await?;
        if forgotten {
            self.discard(&self.place(owner, sha256)).await?;
            tx.commit().await?;
        }
        Ok(forgotten)
    }

    /// Removes bytes that have no row, as of an account that is gone; whether it did. Where the account is there,
    /// they get a row first, and go as all others do.
    pub async fn collect_rowless(&self, owner: UserId, sha256: &[u8; 32], listed: &Listed) -> Result<bool> {
        let Some(database) = &self.claims else { return Ok(false) };
        if listed.age < CLAIM {
            return Ok(false);
        }
        let mut tx = database.as_system().await?;
        let account = sqlx::query("SELECT FROM users WHERE id = $1").bind(owner.0);
        let account = account.fetch_optional(&mut *tx).await?.is_some();
        if account {
            sqlx::query(
                "INSERT INTO blobs (owner_id, sha256, size, claimed_at) VALUES ($1, $2, $3, '-infinity')
                 ON CONFLICT DO NOTHING",
            )
            .bind(owner.0)
            .bind(sha256.as_slice())
            .bind(i64::try_from(listed.size).map_err(Error::internal)?)
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;
        if account {
            return self.collect(owner, sha256).await;
        }
        self.discard(&self.place(owner, sha256)).await?;
        Ok(true)
    }
}
