//! Brings passages that were cut by older rules to the rules of now, a source at a time. What is cut the same as
//! before is not touched, so nothing is embedded twice. A source that cannot be cut keeps its passages as they are,
//! so that it does not keep the others from being cut.

use crate::passages::CUTTER;
use crate::{Domain, Result};
use shared::{ConversationId, FileId, MemoryId, NoteId, PageId, UserId};
use uuid::Uuid;

/// Sources looked up at once.
const PORTION: i32 = 50;

impl Domain {
    pub(crate) async fn cut_passages(&self) -> Result<()> {
        loop {
            let mut tx = self.inner.db.as_system().await?;
            let old: Vec<(Uuid, String, Uuid)> =
                sqlx::query_as("SELECT owner_id, source_kind, source_id FROM cut_before($1, $2)")
                    .bind(CUTTER)
                    .bind(PORTION)
                    .fetch_all(&mut *tx)
                    .await?;
            tx.commit().await?;
            if old.is_empty() {
                return Ok(());
            }
            for (owner, kind, source) in old {
                self.cut_source(UserId(owner), &kind, source).await?;
            }
        }
    }

    async fn cut_source(&self, owner: UserId, kind: &str, source: Uuid) -> Result<()> {
        let cut = match kind {
            "note" => self.cut_note(NoteId(source)).await,
            "file" => self.cut_file(owner, FileId(source)).await,
            "page" => self.cut_page(owner, PageId(source)).await,
            "memory" => self.cut_memory(owner, MemoryId(source)).await,
            _ => self.cut_conversation(owner, ConversationId(source)).await,
        };
        match cut {
            Err(error) if !error.is_database_away() && !error.is_storage_away() => {
                let cause = format!("{:#}", anyhow::Error::from(error));
                tracing::warn!(kind, %source, cause, "passages could not be cut anew");
                self.leave_as_cut(owner, kind, source).await
            }
            cut => cut,
        }
    }

    /// Its passages count as cut by the rules of now: else it would be the first of what is left again.
    async fn leave_as_cut(&self, owner: UserId, kind: &str, source: Uuid) -> Result<()> {
        let mut tx = self.inner.db.as_user(owner).await?;
        sqlx::query("UPDATE chunks SET cut_by = $3 WHERE source_id = $1 AND source_kind = $2")
            .bind(source)
            .bind(kind)
            .bind(CUTTER)
            .execute(&mut *tx)
            .await?;
        Ok(tx.commit().await?)
    }
}
