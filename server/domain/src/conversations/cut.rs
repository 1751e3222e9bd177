//! Cuts the messages of a conversation anew.

use super::passages::{index, numbered};
use crate::passages::CUTTER;
use crate::{Domain, Result};
use shared::conversation::Message;
use shared::{ConversationId, UserId};
use sqlx::types::Json;

impl Domain {
    /// A message whose passages are what they were keeps their rows, and with them their vectors.
    pub(crate) async fn cut_conversation(&self, owner: UserId, id: ConversationId) -> Result<()> {
        let mut tx = self.inner.db.as_user(owner).await?;
        let messages: Option<Json<Vec<Message>>> =
            sqlx::query_scalar("SELECT messages FROM conversations WHERE id = $1 FOR UPDATE")
                .bind(id.0)
                .fetch_optional(&mut *tx)
                .await?;
        for message in messages.map(|messages| messages.0).unwrap_or_default() {
            let stored: Vec<String> = sqlx::query_scalar(
                "SELECT text FROM chunks WHERE part_id = $1 AND source_kind = 'message' ORDER BY ordinal",
            )
            .bind(message.id.0)
            .fetch_all(&mut *tx)
            .await?;
            if numbered(&message.content).1 != stored {
                sqlx::query("DELETE FROM chunks WHERE part_id = $1 AND source_kind = 'message'")
                    .bind(message.id.0)
                    .execute(&mut *tx)
                    .await?;
                index(&mut tx, owner, id, &message).await?;
            }
        }
        sqlx::query("UPDATE chunks SET cut_by = $2 WHERE source_id = $1 AND source_kind = 'message'")
            .bind(id.0)
            .bind(CUTTER)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(())
    }
}
