//! The log of notes in Postgres, and how servers hear of each other through it.

use super::compact::keep_snapshot;
use crate::database::Database;
use crate::notices::Signal;
use crate::{Error, Result};
use async_trait::async_trait;
use shared::{NoteId, RunId, UserId};
use sync::{Entry, Loaded, Log, LogError, Record, Transport};
use uuid::Uuid;

pub(crate) struct PostgresLog {
    pub db: Database,
    /// What this server wrote need not be told to it.
    pub server_id: Uuid,
}

impl From<Error> for LogError {
    fn from(error: Error) -> Self {
        match error {
            Error::DatabaseUnavailable(cause) => Self::Away(cause.to_string()),
            other => Self::Failed(format!("{:#}", anyhow::Error::from(other))),
        }
    }
}

#[async_trait]
impl Log for PostgresLog {
    async fn load(&self, note: NoteId) -> Result<Loaded, LogError> {
        self.read_all(note).await?.ok_or(LogError::NotFound)
    }

    async fn since(&self, note: NoteId, seq: i64) -> Result<(Vec<Record>, i64), LogError> {
        self.read_since(note, seq).await?.ok_or(LogError::NotFound)
    }

    async fn append(&self, entries: &[Entry]) -> Result<Vec<Option<i64>>, LogError> {
        Ok(self.write(entries).await?)
    }

    async fn keep(&self, note: NoteId, seq: i64, snapshot: Vec<u8>) -> Result<(), LogError> {
        Ok(keep_snapshot(&self.db, note, seq, snapshot).await?)
    }

    async fn heads(&self, notes: &[NoteId]) -> Result<Vec<(NoteId, i64)>, LogError> {
        Ok(self.read_heads(notes).await?)
    }
}

impl PostgresLog {
    async fn read_all(&self, note: NoteId) -> Result<Option<Loaded>> {
        let mut tx = self.db.as_sync().await?;
        // One statement sees one state: a compaction in between cannot leave a gap.
        let rows: Vec<(i64, Option<i64>, Option<Vec<u8>>)> = sqlx::query_as(
            "SELECT n.seq, u.snapshot, u.update FROM notes n LEFT JOIN LATERAL (
                 SELECT s.seq, s.seq AS snapshot, s.state AS update FROM note_snapshots s WHERE s.note_id = n.id
                 UNION ALL
                 SELECT u.seq, 0, u.update FROM note_updates u WHERE u.note_id = n.id
                     AND u.seq > coalesce((SELECT s.seq FROM note_snapshots s WHERE s.note_id = n.id), 0)
             ) u ON true
             WHERE n.id = $1 ORDER BY u.seq",
        )
        .bind(note.0)
        .fetch_all(&mut *tx)
        .await?;
        tx.commit().await?;
        let Some(&(seq, snapshot, _)) = rows.first() else { return Ok(None) };
        let updates = rows.into_iter().filter_map(|(_, _, update)| update).collect();
        Ok(Some(Loaded { seq, snapshot: snapshot.unwrap_or(0), updates }))
    }

    async fn read_since(&self, note: NoteId, seq: i64) -> Result<Option<(Vec<Record>, i64)>> {
        let mut tx = self.db.as_sync().await?;
        let last: Option<i64> = sqlx::query_scalar("SELECT seq FROM notes WHERE id = $1")
            .bind(note.0)
            .fetch_optional(&mut *tx)
            .await?;
        let Some(last) = last else { return Ok(None) };
        // A snapshot that swallowed some of them holds them still.
        let rows: Vec<(i64, Vec<u8>)> = sqlx::query_as(
            "SELECT seq, state FROM note_snapshots s WHERE s.note_id = $1
                 AND NOT EXISTS (SELECT FROM note_updates WHERE note_id = $1 AND seq = $2 + 1) AND s.seq > $2
             UNION ALL
             SELECT seq, update FROM note_updates
             WHERE note_id = $1 AND seq > $2 AND seq <= $3 AND server_id <> $4
             ORDER BY 1",
        )
        .bind(note.0)
        .bind(seq)
        .bind(last)
        .bind(self.server_id)
        .fetch_all(&mut *tx)
        .await?;
        tx.commit().await?;
        let records = rows.into_iter().map(|(seq, update)| Record { seq, update }).collect();
        Ok(Some((records, last)))
    }

    async fn write(&self, entries: &[Entry]) -> Result<Vec<Option<i64>>> {
        let notes: Vec<Uuid> = entries.iter().map(|entry| entry.note.0).collect();
        let mut tx = self.db.as_sync().await?;
        // In one order everywhere, so that two servers never wait for each other.
        sqlx::query("SELECT FROM notes WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE")
            .bind(&notes)
            .execute(&mut *tx)
            .await?;
        let authors: Vec<Option<Uuid>> =
            entries.iter().map(|entry| entry.author.user_id.map(|UserId(id)| id)).collect();
        let runs: Vec<Option<Uuid>> =
            entries.iter().map(|entry| entry.author.run_id.map(|RunId(id)| id)).collect();
        let updates: Vec<&[u8]> = entries.iter().map(|entry| entry.update.as_slice()).collect();
        let written: Vec<(i64, i64)> = sqlx::query_as(
            "WITH given AS (
                 SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bytea[])
                     WITH ORDINALITY AS g (note_id, author_id, run_id, update, n)
             ),
             moved AS (
                 UPDATE notes SET seq = notes.seq + c.count
                 FROM (SELECT note_id, count(*) AS count FROM given GROUP BY note_id) c
                 WHERE notes.id = c.note_id
                 RETURNING notes.id, notes.seq - c.count AS before
             ),
             numbered AS (
                 SELECT g.*, m.before + row_number() OVER (PARTITION BY g.note_id ORDER BY g.n) AS seq
                 FROM given g JOIN moved m ON m.id = g.note_id
             ),
             put AS (
                 INSERT INTO note_updates (note_id, seq, update, author_id, run_id, server_id)
                 SELECT note_id, seq, update,
                        -- an account may be gone by now
                        (SELECT id FROM users WHERE id = author_id), run_id, $5 FROM numbered
             )
             SELECT n, seq FROM numbered",
        )
        .bind(&notes)
        .bind(authors)
        .bind(runs)
        .bind(updates)
        .bind(self.server_id)
        .fetch_all(&mut *tx)
        .await?;
        tx.commit().await?;
        let mut seqs = vec![None; entries.len()];
        for (n, seq) in written {
            if let Some(slot) = usize::try_from(n - 1).ok().and_then(|n| seqs.get_mut(n)) {
                *slot = Some(seq);
            }
        }
        Ok(seqs)
    }

    async fn read_heads(&self, notes: &[NoteId]) -> Result<Vec<(NoteId, i64)>> {
        let ids: Vec<Uuid> = notes.iter().map(|note| note.0).collect();
        let mut tx = self.db.as_sync().await?;
        let heads: Vec<(Uuid, i64)> = sqlx::query_as("SELECT id, seq FROM notes WHERE id = ANY($1)")
            .bind(ids)
            .fetch_all(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(heads.into_iter().map(|(id, seq)| (NoteId(id), seq)).collect())
    }
}

impl PostgresTransport {
    async fn send(&self, signals: &[Signal]) -> Result<()> {
        let mut tx = self.db.as_sync().await?;
        Signal::send_all(signals, &mut tx).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// Servers hear of each other by NOTIFY, through Postgres.
pub(crate) struct PostgresTransport {
    pub db: Database,
    pub server_id: Uuid,
}

#[async_trait]
impl Transport for PostgresTransport {
    async fn announce(&self, moved: &[(NoteId, i64)]) {
        let signals: Vec<Signal> = moved
            .iter()
            .map(|(note_id, seq)| Signal::NoteMoved {
                note_id: *note_id,
                seq: *seq,
                server_id: self.server_id,
            })
            .collect();
        if let Err(error) = self.send(&signals).await {
            // Others look at the log by themselves every few seconds.
            tracing::debug!(error = &error as &dyn std::error::Error, "other servers could not be told");
        }
    }
}
