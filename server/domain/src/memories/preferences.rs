//! What a person wants of their memories. Who said nothing is suggested some, and models are told of them.

use crate::{Caller, Domain, Result};
use shared::memory::{MemorySettings, UpdateMemorySettings};
use sqlx::PgConnection;

pub(super) async fn read(tx: &mut PgConnection) -> Result<MemorySettings> {
    let row: Option<(bool, bool)> =
        sqlx::query_as("SELECT suggest, use_in_answers FROM memory_settings").fetch_optional(tx).await?;
    let (suggest, use_in_answers) = row.unwrap_or((true, true));
    Ok(MemorySettings { suggest, use_in_answers })
}

impl Domain {
    pub async fn memory_settings(&self, caller: &Caller) -> Result<MemorySettings> {
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        let settings = read(&mut tx).await?;
        tx.commit().await?;
        Ok(settings)
    }

    pub async fn update_memory_settings(
        &self,
        caller: &Caller,
        change: UpdateMemorySettings,
    ) -> Result<MemorySettings> {
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        sqlx::query(
            "INSERT INTO memory_settings AS s (owner_id, suggest, use_in_answers)
             VALUES ($1, coalesce($2, true), coalesce($3, true))
             ON CONFLICT (owner_id) DO UPDATE
                 SET suggest = coalesce($2, s.suggest), use_in_answers = coalesce($3, s.use_in_answers)",
        )
        .bind(caller.user_id.0)
        .bind(change.suggest)
        .bind(change.use_in_answers)
        .execute(&mut *tx)
        .await?;
        let settings = read(&mut tx).await?;
        tx.commit().await?;
        Ok(settings)
    }
}
