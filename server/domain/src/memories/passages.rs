//! Memories as passages of the one search index. A memory that was replaced has none.

use crate::Result;
use crate::conversations::passages::numbered;
use crate::passages::CUTTER;
use shared::{MemoryId, UserId};
use sqlx::PgConnection;
use uuid::Uuid;

/// A text's vector, as Postgres reads it, and the model that made it.
pub(super) struct Vector {
    pub numbers: String,
    pub model: String,
}

/// Makes the memory's passages be those of this text. With its vector at hand it is near to others at once, and
/// not only after the queue came to it.
pub(super) async fn index(
    tx: &mut PgConnection,
    owner: UserId,
    id: MemoryId,
    text: &str,
    vector: Option<&Vector>,
) -> Result<()> {
    remove(tx, &[id.0]).await?;
    let (ordinals, passages) = numbered(text);
    let ids: Vec<i64> = sqlx::query_scalar(
        "INSERT INTO chunks (owner_id, source_kind, source_id, part_id, ordinal, text, cut_by, created_at)
         SELECT $1, 'memory', $2, $2, p.ordinal, p.text, $5, m.created_at
         FROM unnest($3::int[], $4::text[]) AS p (ordinal, text), memories m WHERE m.id = $2
         RETURNING id",
    )
    .bind(owner.0)
    .bind(id.0)
    .bind(ordinals)
    .bind(passages)
    .bind(CUTTER)
    .fetch_all(&mut *tx)
    .await?;
    let (Some(vector), [only]) = (vector, ids.as_slice()) else { return Ok(()) };
    sqlx::query(
        "INSERT INTO chunk_vectors (owner_id, chunk_id, source_kind, source_id, created_at, model, embedding)
         SELECT k.owner_id, k.id, k.source_kind, k.source_id, k.created_at, $2, $3::text::halfvec
         FROM chunks k WHERE k.id = $1",
    )
    .bind(only)
    .bind(&vector.model)
    .bind(&vector.numbers)
    .execute(&mut *tx)
    .await?;
    sqlx::query("DELETE FROM chunk_queue WHERE chunk_id = $1").bind(only).execute(tx).await?;
    Ok(())
}

/// Vectors and what is queued go with the passages.
pub(super) async fn remove(tx: &mut PgConnection, ids: &[Uuid]) -> Result<()> {
    sqlx::query("DELETE FROM chunks WHERE source_kind = 'memory' AND source_id = ANY ($1)")
        .bind(ids)
        .execute(tx)
        .await?;
    Ok(())
}
