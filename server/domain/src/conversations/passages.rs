//! Messages as passages of the one search index.

use crate::Result;
use crate::passages::{CUTTER, passages};
use shared::conversation::Message;
use shared::{ConversationId, UserId};
use sqlx::PgConnection;

/// Passages that one message yields at most.
const MOST: usize = 2000;

/// Indexes a message, as of when it was written, in the transaction that stores it.
pub(crate) async fn index(
    tx: &mut PgConnection,
    owner: UserId,
    conversation: ConversationId,
    message: &Message,
) -> Result<()> {
    let (ordinals, passages) = numbered(&message.content);
    if passages.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO chunks (owner_id, source_kind, source_id, part_id, ordinal, text, cut_by, created_at)
         SELECT $1, 'message', $2, $3, ordinal, text, $6, $7
         FROM unnest($4::int[], $5::text[]) AS p (ordinal, text)",
    )
    .bind(owner.0)
    .bind(conversation.0)
    .bind(message.id.0)
    .bind(ordinals)
    .bind(passages)
    .bind(CUTTER)
    .bind(message.created_at)
    .execute(tx)
    .await?;
    Ok(())
}

/// The passages of a text to be indexed, and their numbers.
pub(crate) fn numbered(text: &str) -> (Vec<i32>, Vec<&str>) {
    (0..).zip(passages(text)).take(MOST).unzip()
}
