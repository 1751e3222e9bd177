//! Cuts a conversation's passages anew from its messages. A passage that is there as it should be keeps its row.

use crate::conversations::passages::numbered;
use crate::{Domain, Result};
use shared::conversation::Message;
use shared::{ConversationId, UserId};
use sqlx::PgConnection;
use sqlx::types::Json;
use std::collections::HashMap;
use time::OffsetDateTime;
use uuid::Uuid;

/// A passage as it should be.
struct Due {
    kind: &'static str,
    created_at: OffsetDateTime,
    text: String,
}

#[derive(sqlx::FromRow)]
struct Stored {
    id: i64,
    source_kind: String,
    part_id: Uuid,
    ordinal: i32,
    text: String,
}

impl Domain {
    /// Whether anything changed. One that is gone, or in the bin, is left alone.
    pub(super) async fn recut_conversation(&self, owner: UserId, id: ConversationId) -> Result<bool> {
        let mut tx = self.inner.db.as_user_holding(owner, id).await?;
        let row: Option<(Json<Vec<Message>>, String, OffsetDateTime)> = sqlx::query_as(
            "SELECT messages, title, created_at FROM conversations WHERE id = $1 AND deleted_at IS NULL",
        )
        .bind(id.0)
        .fetch_optional(&mut *tx)
        .await?;
        let Some((messages, title, created_at)) = row else { return Ok(false) };
        let mut due: HashMap<(Uuid, i32), Due> = HashMap::new();
        if !title.is_empty() {
            due.insert((id.0, 0), Due { kind: "conversation", created_at, text: title });
        }
        for message in &messages.0 {
            let (ordinals, passages) = numbered(&message.content);
            for (ordinal, text) in ordinals.into_iter().zip(passages) {
                let text = text.to_owned();
                due.insert(
                    (message.id.0, ordinal),
                    Due { kind: "message", created_at: message.created_at, text },
                );
            }
        }
        let changed = write(&mut tx, owner, id, due).await?;
        tx.commit().await?;
        Ok(changed)
    }
}

async fn write(
    tx: &mut PgConnection,
    owner: UserId,
    id: ConversationId,
    mut due: HashMap<(Uuid, i32), Due>,
) -> Result<bool> {
    let stored: Vec<Stored> = sqlx::query_as(
        "SELECT id, source_kind, part_id, ordinal, text FROM chunks
         WHERE source_id = $1 AND source_kind IN ('message', 'conversation')",
    )
    .bind(id.0)
    .fetch_all(&mut *tx)
    .await?;
    let mut gone = Vec::new();
    for row in stored {
        let place = (row.part_id, row.ordinal);
        let stays = due.get(&place).is_some_and(|due| due.kind == row.source_kind && due.text == row.text);
        match stays {
            true => drop(due.remove(&place)),
            false => gone.push(row.id),
        }
    }
    let changed = !gone.is_empty() || !due.is_empty();
    if !gone.is_empty() {
        sqlx::query("DELETE FROM chunks WHERE id = ANY ($1)").bind(gone).execute(&mut *tx).await?;
    }
    for ((part, ordinal), Due { kind, created_at, text }) in due {
        sqlx::query(
            "INSERT INTO chunks (owner_id, source_kind, source_id, part_id, ordinal, text, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(owner.0)
        .bind(kind)
        .bind(id.0)
        .bind(part)
        .bind(ordinal)
        .bind(text)
        .bind(created_at)
        .execute(&mut *tx)
        .await?;
    }
    Ok(changed)
}
