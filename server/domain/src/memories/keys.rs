//! `Idempotency-Key`: a request that is sent again, because its answer did not arrive, does nothing twice.

use crate::{Error, Result};
use serde::Serialize;
use sha2::{Digest, Sha256};
use shared::memory::MemoryOutcome;
use shared::{ErrorCode, MemoryId, UserId};
use sqlx::PgConnection;
use uuid::Uuid;

/// The longest key, in bytes.
const LONGEST: usize = 200;

/// A key with a hash of what it came with.
pub(super) struct Keyed {
    key: String,
    request: Vec<u8>,
}

/// What the same request made before.
pub(super) struct Before {
    pub id: MemoryId,
    pub outcome: MemoryOutcome,
}

impl Keyed {
    /// `action` keeps one key from meaning two kinds of request.
    pub fn new(key: Option<String>, action: &str, request: &impl Serialize) -> Result<Option<Self>> {
        let Some(key) = key else { return Ok(None) };
        if key.is_empty() || key.len() > LONGEST || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Error::invalid(
                "Idempotency-Key",
                "An Idempotency-Key has 1 to 200 visible ASCII characters.",
            ));
        }
        let mut hash = Sha256::new();
        hash.update(action.as_bytes());
        hash.update([0]);
        hash.update(serde_json::to_vec(request).map_err(Error::internal)?);
        Ok(Some(Self { key, request: hash.finalize().to_vec() }))
    }

    /// What it made, if it came before. Whoever asks holds the owner's lock.
    pub async fn before(&self, tx: &mut PgConnection) -> Result<Option<Before>> {
        type Row = (Option<Vec<u8>>, Option<Uuid>, String);
        let row: Option<Row> =
            sqlx::query_as("SELECT request, memory_id, outcome FROM memory_keys WHERE key = $1")
                .bind(&self.key)
                .fetch_optional(tx)
                .await?;
        let Some((request, memory, outcome)) = row else { return Ok(None) };
        let (Some(request), Some(id)) = (request, memory) else {
            return Err(Error::problem(
                ErrorCode::Conflict,
                "What this Idempotency-Key made was forgotten since. To keep it anew, send a new key.",
            ));
        };
        if request != self.request {
            return Err(Error::problem(
                ErrorCode::Conflict,
                "This Idempotency-Key came with another request. Make a new key for a new request.",
            ));
        }
        Ok(Some(Before { id: MemoryId(id), outcome: outcome_named(&outcome) }))
    }

    /// Remembers it for a week.
    pub async fn keep(
        &self,
        tx: &mut PgConnection,
        owner: UserId,
        memory: MemoryId,
        outcome: MemoryOutcome,
    ) -> Result<()> {
        sqlx::query("DELETE FROM memory_keys WHERE created_at < now() - interval '7 days'")
            .execute(&mut *tx)
            .await?;
        sqlx::query(
            "INSERT INTO memory_keys (owner_id, key, request, outcome, memory_id) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(owner.0)
        .bind(&self.key)
        .bind(&self.request)
        .bind(name_of(outcome))
        .bind(memory.0)
        .execute(tx)
        .await?;
        Ok(())
    }
}

fn name_of(outcome: MemoryOutcome) -> &'static str {
    match outcome {
        MemoryOutcome::Kept => "kept",
        MemoryOutcome::Merged => "merged",
        MemoryOutcome::Superseded => "superseded",
    }
}

fn outcome_named(name: &str) -> MemoryOutcome {
    let all = [MemoryOutcome::Merged, MemoryOutcome::Superseded];
    all.into_iter().find(|outcome| name_of(*outcome) == name).unwrap_or(MemoryOutcome::Kept)
}
