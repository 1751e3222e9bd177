//! Cuts a note's text anew, as the role of the rooms.

use super::markup::passages;
use super::passages::write_passages;
use super::projection::take_turn;
use crate::passages::CUTTER;
use crate::{Domain, Result};
use shared::NoteId;
use time::OffsetDateTime;
use uuid::Uuid;

impl Domain {
    /// Passages that stay keep their rows, and with them their vectors.
    pub(crate) async fn cut_note(&self, note: NoteId) -> Result<()> {
        let mut tx = self.inner.db.as_sync().await?;
        take_turn(&mut tx, note).await?;
        let row: Option<(Uuid, String, OffsetDateTime)> =
            sqlx::query_as("SELECT owner_id, markdown, updated_at FROM notes WHERE id = $1")
                .bind(note.0)
                .fetch_optional(&mut *tx)
                .await?;
        if let Some((owner, markdown, changed)) = row {
            write_passages(&mut tx, note, owner, &passages(&markdown), changed).await?;
        }
        sqlx::query("UPDATE chunks SET cut_by = $2 WHERE part_id = $1 AND source_kind = 'note'")
            .bind(note.0)
            .bind(CUTTER)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(())
    }
}
