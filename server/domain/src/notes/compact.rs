//! Keeps logs short, also of notes that nobody has open: what a note's updates say together becomes
//! one snapshot, and updates that neither loading nor a version needs any more are deleted. Rooms
//! need not know: they load a snapshot and what came after it.

use super::projection;
use crate::database::Database;
use crate::{Domain, Error, Result};
use shared::{NoteId, UserId};
use uuid::Uuid;

/// Updates since the snapshot from which on a new one is worth it.
const MANY: i64 = 200;
/// Notes that one run takes on, in each of its two parts.
const MOST_NOTES: i64 = 2000;
/// Updates merged at a time: memory stays bounded, however long the log is.
const BATCH: i64 = 20_000;
/// Minutes for which an update stays in the log whatever happens, for servers that lag behind.
const KEPT_MINUTES: f64 = 10.0;

/// Stores a snapshot, unless there is a later one.
pub(crate) async fn keep_snapshot(db: &Database, note: NoteId, seq: i64, state: Vec<u8>) -> Result<()> {
    let mut tx = db.as_sync().await?;
    sqlx::query(
        "INSERT INTO note_snapshots AS s (note_id, seq, state) SELECT id, $2, $3 FROM notes WHERE id = $1
         ON CONFLICT (note_id) DO UPDATE SET seq = $2, state = $3, created_at = now() WHERE s.seq < $2",
    )
    .bind(note.0)
    .bind(seq)
    .bind(state)
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(())
}

impl Domain {
    pub(crate) async fn compact_notes(&self) -> Result<()> {
        self.project_stale_notes(None).await?;
        let mut tx = self.inner.db.as_sync().await?;
        let notes: Vec<Uuid> = sqlx::query_scalar(
            "SELECT n.id FROM notes n LEFT JOIN note_snapshots s ON s.note_id = n.id
             WHERE n.seq - coalesce(s.seq, 0) > $1 ORDER BY n.seq - coalesce(s.seq, 0) DESC LIMIT $2",
        )
        .bind(MANY)
        .bind(MOST_NOTES)
        .fetch_all(&mut *tx)
        .await?;
        tx.commit().await?;
        for note in notes {
            if let Err(error) = self.compact_note(NoteId(note)).await {
                if error.is_database_away() {
                    return Err(error);
                }
                tracing::error!(%note, error = &error as &dyn std::error::Error, "a note's log could not be merged");
            }
        }
        self.prune_note_updates().await
    }

    /// Projects what is committed and not projected: of everybody, what a crash left behind; of one
    /// person, what they typed just now as well.
    pub(crate) async fn project_stale_notes(&self, owner: Option<UserId>) -> Result<()> {
        let mut tx = self.inner.db.as_sync().await?;
        let stale: Vec<Uuid> = sqlx::query_scalar(
            "SELECT id FROM notes WHERE markdown_seq < seq AND deleted_at IS NULL
             AND ($2::uuid IS NULL OR owner_id = $2) ORDER BY id LIMIT $1",
        )
        .bind(MOST_NOTES)
        .bind(owner.map(|owner| owner.0))
        .fetch_all(&mut *tx)
        .await?;
        tx.commit().await?;
        for id in stale.into_iter().map(NoteId) {
            let projected = match self.inner.rooms.read(id).await {
                Ok(reading) => projection::project(&self.inner.db, id, reading.seq, &reading.text).await,
                Err(error) => Err(error.into()),
            };
            match projected {
                Err(error) if error.is_database_away() => return Err(error),
                Err(error) => {
                    tracing::warn!(note = %id, error = &error as &dyn std::error::Error, "a note could not be projected");
                }
                Ok(()) => {}
            }
        }
        Ok(())
    }

    /// One snapshot of everything committed by now.
    pub(crate) async fn compact_note(&self, note: NoteId) -> Result<()> {
        loop {
            let mut tx = self.inner.db.as_sync().await?;
            let before: Option<(i64, Vec<u8>)> =
                sqlx::query_as("SELECT seq, state FROM note_snapshots WHERE note_id = $1")
                    .bind(note.0)
                    .fetch_optional(&mut *tx)
                    .await?;
            let from = before.as_ref().map_or(0, |(seq, _)| *seq);
            let updates: Vec<(i64, Vec<u8>)> = sqlx::query_as(
                "SELECT seq, update FROM note_updates WHERE note_id = $1 AND seq > $2 ORDER BY seq LIMIT $3",
            )
            .bind(note.0)
            .bind(from)
            .bind(BATCH)
            .fetch_all(&mut *tx)
            .await?;
            tx.commit().await?;
            let Some(seq) = updates.last().map(|(seq, _)| *seq) else { return Ok(()) };
            let last = updates.len() < usize::try_from(BATCH).unwrap_or(usize::MAX);
            let all = before.map(|(_, state)| state).into_iter().chain(updates.into_iter().map(|(_, u)| u));
            let all: Vec<Vec<u8>> = all.collect();
            let state = tokio::task::spawn_blocking(move || sync::merge(&all))
                .await
                .map_err(Error::internal)?
                .ok_or_else(|| Error::internal(anyhow::anyhow!("the log of note {note} cannot be merged")))?;
            keep_snapshot(&self.inner.db, note, seq, state).await?;
            if last {
                return Ok(());
            }
        }
    }

    /// Deletes updates that a snapshot holds and of whose authors a version tells.
    async fn prune_note_updates(&self) -> Result<()> {
        let mut tx = self.inner.db.as_sync().await?;
        sqlx::query(
            "DELETE FROM note_updates u
             USING (SELECT s.note_id, least(s.seq, (SELECT max(v.seq) FROM note_versions v WHERE v.note_id = s.note_id)) AS upto
                    FROM note_snapshots s) told
             WHERE u.note_id = told.note_id AND u.seq <= told.upto
               AND u.created_at < now() - make_interval(secs => $1 * 60)",
        )
        .bind(KEPT_MINUTES)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }
}
