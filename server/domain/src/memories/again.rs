//! Memories looked after: their passages made anew from what they say, and what is wrong with them told.

use super::passages::index;
use super::row::{Row, columns};
use super::save::hold;
use crate::conversations::passages::numbered;
use crate::database::Database;
use crate::passages::CUTTER;
use crate::{Domain, Result};
use shared::{MemoryId, UserId};
use uuid::Uuid;

/// Memories that cannot be found, and what is found of memories that hold no more or are forgotten.
pub(crate) async fn ill_indexed(db: &Database, owner: UserId) -> Result<(Vec<MemoryId>, Vec<i64>)> {
    let mut tx = db.as_user(owner).await?;
    let hidden: Vec<Uuid> = sqlx::query_scalar(
        "SELECT id FROM memories m WHERE owner_id = $1 AND superseded_by IS NULL AND btrim(content) <> ''
         AND NOT EXISTS (SELECT FROM chunks k WHERE k.source_kind = 'memory' AND k.source_id = m.id) ORDER BY id",
    )
    .bind(owner.0)
    .fetch_all(&mut *tx)
    .await?;
    let left = sqlx::query_scalar(
        "SELECT id FROM chunks k WHERE owner_id = $1 AND source_kind = 'memory'
         AND NOT EXISTS (SELECT FROM memories m WHERE m.id = k.source_id AND m.superseded_by IS NULL) ORDER BY id",
    )
    .bind(owner.0)
    .fetch_all(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok((hidden.into_iter().map(MemoryId).collect(), left))
}

/// Removes passages of memories that hold no more or are forgotten. None comes to be so between: whoever forgets
/// or replaces takes the passages along.
pub(crate) async fn remove_left(db: &Database, owner: UserId, left: &[i64]) -> Result<()> {
    let mut tx = db.as_user(owner).await?;
    sqlx::query("DELETE FROM chunks WHERE id = ANY ($1)").bind(left).execute(&mut *tx).await?;
    Ok(tx.commit().await?)
}

impl Domain {
    /// Makes a memory's passages be those of what it says; whether anything changed.
    pub(crate) async fn read_memory_anew(&self, owner: UserId, id: MemoryId) -> Result<bool> {
        let mut tx = self.inner.db.as_user(owner).await?;
        hold(&mut tx, owner).await?;
        let row =
            sqlx::query_as(concat!("SELECT ", columns!(), " FROM memories m WHERE m.id = $1")).bind(id.0);
        let row: Option<Row> = row.fetch_optional(&mut *tx).await?;
        let Some(row) = row else { return Ok(false) };
        let text = if row.superseded_by.is_some() { String::new() } else { row.text() };
        let stored: Vec<(i32, String)> = sqlx::query_as(
            "SELECT ordinal, text FROM chunks WHERE source_kind = 'memory' AND source_id = $1 ORDER BY ordinal",
        )
        .bind(id.0)
        .fetch_all(&mut *tx)
        .await?;
        let (ordinals, passages) = numbered(&text);
        let is_written = stored
            .iter()
            .map(|(ordinal, text)| (*ordinal, text.as_str()))
            .eq(ordinals.into_iter().zip(passages));
        if !is_written {
            index(&mut tx, owner, id, &text, None).await?;
        }
        tx.commit().await?;
        Ok(!is_written)
    }

    /// The same after the rules have changed by which texts are cut.
    pub(crate) async fn cut_memory(&self, owner: UserId, id: MemoryId) -> Result<()> {
        self.read_memory_anew(owner, id).await?;
        let mut tx = self.inner.db.as_user(owner).await?;
        sqlx::query("UPDATE chunks SET cut_by = $2 WHERE source_kind = 'memory' AND source_id = $1")
            .bind(id.0)
            .bind(CUTTER)
            .execute(&mut *tx)
            .await?;
        Ok(tx.commit().await?)
    }
}
