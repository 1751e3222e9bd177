//! Opening a note: its row, and its text as it is in the room.

use super::list::{SummaryRow, summaries};
use crate::{Domain, Error, Result, Viewer};
use shared::note::{Note, Person};
use shared::{NoteId, UserId};
use sqlx::PgConnection;
use uuid::Uuid;

#[derive(sqlx::FromRow)]
pub(crate) struct Row {
    #[sqlx(flatten)]
    pub summary: SummaryRow,
    pub seq: i64,
    pub model_edits: bool,
    pub owner_id: Uuid,
    pub owner_name: Option<String>,
    /// Of a note in the bin, which has no room.
    pub kept: Option<String>,
}

const ROW: &str = summaries!(
    "",
    ", n.seq, n.model_edits, n.owner_id, person_name(n.owner_id) AS owner_name,
       CASE WHEN n.deleted_at IS NOT NULL THEN n.markdown END AS kept",
    "WHERE n.id = $1"
);

/// The note as whoever asks sees it; not found where they do not.
pub(crate) async fn read(tx: &mut PgConnection, id: NoteId) -> Result<Row> {
    let row: Option<Row> = sqlx::query_as(ROW).bind(id.0).fetch_optional(tx).await?;
    row.ok_or_else(|| Error::not_found("note"))
}

impl Row {
    pub fn opened(self, content: String, seq: i64) -> Note {
        Note {
            summary: self.summary.into(),
            content,
            seq,
            model_edits: self.model_edits,
            owner: Person { id: UserId(self.owner_id), name: self.owner_name.unwrap_or_default() },
        }
    }
}

impl Domain {
    /// The note with its text as it is now. Its owner can also look at it in the bin.
    pub async fn note(&self, viewer: &Viewer, id: NoteId) -> Result<Note> {
        let mut tx = self.inner.db.as_viewer(viewer).await?;
        let mut row = read(&mut tx, id).await?;
        tx.commit().await?;
        if let Some(kept) = row.kept.take() {
            let seq = row.seq;
            return Ok(row.opened(kept, seq));
        }
        let reading = self.inner.rooms.read(id).await?;
        Ok(row.opened(reading.text, reading.seq))
    }
}
