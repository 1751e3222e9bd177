//! Brings what follows from a note's text to what it would be made of it now. Where nothing changed, no row does.

use super::markup::{Markup, passages};
use super::passages::{write_passages, write_title};
use super::projection::{project, take_turn, write_links};
use crate::{Domain, Error, Result};
use shared::NoteId;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

impl Domain {
    /// Whether anything changed.
    pub(crate) async fn recut_note(&self, note: NoteId) -> Result<bool> {
        let reading = self.inner.rooms.read(note).await?;
        let markup = {
            let text = reading.text.clone();
            tokio::task::spawn_blocking(move || Markup::of(&text)).await.map_err(Error::internal)?
        };
        let mut tx = self.inner.db.as_sync().await?;
        take_turn(&mut tx, note).await?;
        let row: Option<(Uuid, String, i64, OffsetDateTime)> =
            sqlx::query_as("SELECT owner_id, title, markdown_seq, updated_at FROM notes WHERE id = $1")
                .bind(note.0)
                .fetch_optional(&mut *tx)
                .await?;
        let Some((owner, title, projected, last_change)) = row else { return Ok(false) };
        if projected < reading.seq {
            // Not ours to write while we hold its turn.
            drop(tx);
            project(&self.inner.db, note, reading.seq, &reading.text).await?;
            return Ok(true);
        }
        if projected > reading.seq {
            return Ok(false);
        }
        let before = rows(&mut tx, note).await?;
        write_links(&mut tx, note, owner, &reading.text, &markup).await?;
        write_title(&mut tx, note, owner, &title, last_change).await?;
        write_passages(&mut tx, note, owner, &passages(&reading.text), last_change).await?;
        let updated = sqlx::query(
            "UPDATE notes SET markdown = $2, excerpt = $3, words = $4, tags = $5, aliases = $6
             WHERE id = $1 AND (markdown, excerpt, words, tags, aliases) IS DISTINCT FROM ($2, $3, $4, $5, $6)",
        )
        .bind(note.0)
        .bind(&reading.text)
        .bind(&markup.excerpt)
        .bind(markup.words)
        .bind(&markup.tags)
        .bind(&markup.aliases)
        .execute(&mut *tx)
        .await?;
        let changed = updated.rows_affected() > 0 || rows(&mut tx, note).await? != before;
        tx.commit().await?;
        Ok(changed)
    }
}

/// The passages' rows and their places.
async fn rows(tx: &mut PgConnection, note: NoteId) -> Result<Vec<(i64, i32)>> {
    Ok(sqlx::query_as(
        "SELECT id, ordinal FROM chunks WHERE source_id = $1 AND source_kind = 'note' ORDER BY id",
    )
    .bind(note.0)
    .fetch_all(tx)
    .await?)
}
