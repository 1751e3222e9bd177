//! Files read once more: because somebody asks for everything anew, or because what was made of one is missing.
//! Unlike the first reading it is not shown, and where nothing changed it writes nothing.

use super::by_model::Recalled;
use super::open::Facts;
use super::passages;
use super::read::{After, DOCUMENT, READER, ReadFile, TEXT, THUMBNAIL, ai_text, queue_reading};
use super::row::{Row, columns};
use crate::database::Database;
use crate::{Domain, Error, Result};
use extract::{Document, Failure};
use shared::file::{FileState, FileSummary};
use shared::{FileId, UserId};
use sqlx::types::Json;

/// A file that waits for a job that is not there.
pub(crate) struct Stuck {
    pub id: FileId,
    pub name: String,
}

/// What is in the store of a file that was read.
pub(crate) fn derivatives(thumbnail: bool) -> Vec<&'static str> {
    let mut names = vec![DOCUMENT, TEXT];
    names.extend(thumbnail.then_some(THUMBNAIL));
    names
}

/// Has a file read as if it never had been; whether there is such a file.
pub(crate) async fn requeue(db: &Database, owner: UserId, id: FileId) -> Result<bool> {
    let mut tx = db.as_user(owner).await?;
    let there = sqlx::query(
        "UPDATE files SET state = 'waiting', done = 0, of = 0, failure = NULL, read_by = NULL
         WHERE id = $1 AND deleted_at IS NULL",
    )
    .bind(id.0)
    .execute(&mut *tx)
    .await?;
    if there.rows_affected() == 0 {
        return Ok(false);
    }
    queue_reading(&mut tx, owner, ReadFile { file_id: id }).await?;
    tx.commit().await?;
    Ok(true)
}

/// Files that say they wait or are read, or wait for vectors, while nothing is going to happen to them.
pub(crate) async fn stuck(db: &Database, owner: UserId) -> Result<Vec<Stuck>> {
    let mut tx = db.as_user(owner).await?;
    let rows: Vec<(uuid::Uuid, String)> = sqlx::query_as(
        "SELECT id, name FROM files f
         WHERE owner_id = $1 AND deleted_at IS NULL AND (
             state IN ('waiting', 'reading') AND NOT EXISTS (
                 SELECT FROM jobs j WHERE j.dedupe_key IN ('read_file ' || f.id, 'ask_model ' || f.id) AND j.status IN ('queued', 'running'))
             OR state = 'indexing' AND NOT EXISTS (
                 SELECT FROM chunk_queue q JOIN chunks k ON k.id = q.chunk_id WHERE k.source_id = f.id))
         ORDER BY id",
    )
    .bind(owner.0)
    .fetch_all(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(rows.into_iter().map(|(id, name)| Stuck { id: FileId(id), name }).collect())
}

impl Domain {
    /// Reads a file that was read, or could not be, once more; whether anything changed. One that is on its way is
    /// left to its job, and one that was read and cannot be now keeps what it had.
    pub(crate) async fn read_file_anew(&self, owner: UserId, id: FileId) -> Result<bool> {
        let mut tx = self.inner.db.as_user(owner).await?;
        let row: Option<Row> = sqlx::query_as(concat!(
            "SELECT ",
            columns!(),
            " FROM files WHERE id = $1 AND deleted_at IS NULL AND state NOT IN ('waiting', 'reading')"
        ))
        .bind(id.0)
        .fetch_optional(&mut *tx)
        .await?;
        tx.commit().await?;
        let Some(row) = row else { return Ok(false) };
        let hash = row.hash()?;
        let file = FileSummary::from(row);
        let mut tx = self.inner.db.as_user(owner).await?;
        let renamed = passages::write_name(&mut tx, owner, id, &file.name).await?;
        tx.commit().await?;
        Ok(self.read_text_anew(owner, &file, &hash).await? || renamed)
    }

    async fn read_text_anew(&self, owner: UserId, file: &FileSummary, hash: &[u8; 32]) -> Result<bool> {
        match self.extract(&self.inner.extractor, owner, file, hash).await? {
            Ok(mut document) => {
                let Recalled { sections, after } = self.recall_reading(owner, file, hash, &document).await?;
                if let Some(sections) = sections {
                    document.hold(sections);
                }
                self.keep_what_changed(owner, file, document, after).await
            }
            Err(Failure::Unavailable { reason }) => Err(Error::internal(anyhow::anyhow!(reason))),
            Err(failure) => {
                let now = super::read::refused(file, &failure);
                let was_read = matches!(file.state, FileState::Ready | FileState::Indexing);
                if was_read || now == file.state {
                    return Ok(false);
                }
                self.keep_refusal(owner, file.id, &now).await?;
                Ok(true)
            }
        }
    }

    async fn keep_what_changed(
        &self,
        owner: UserId,
        file: &FileSummary,
        document: Document,
        after: After,
    ) -> Result<bool> {
        let same = after == After::Nothing
            && self.is_kept(owner, file, &document).await?
            && self.is_indexed(owner, file, &document).await?;
        if !same {
            self.keep_document(owner, file, document, after, None).await?;
        }
        Ok(!same)
    }

    /// Whether the store has just this.
    async fn is_kept(&self, owner: UserId, file: &FileSummary, document: &Document) -> Result<bool> {
        let stored = async |name| self.inner.blobs.derivative(owner, file.id, name).await;
        let mut bare = document.clone();
        let thumbnail = bare.thumbnail.take();
        let json = serde_json::to_vec(&bare).map_err(Error::internal)?;
        let text = ai_text(file, &bare, thumbnail.is_some());
        Ok(stored(DOCUMENT).await?.is_some_and(|there| there == json)
            && stored(TEXT).await?.is_some_and(|there| there == text)
            && stored(THUMBNAIL).await?.as_deref() == thumbnail.as_deref())
    }

    /// Whether the rows say just this.
    async fn is_indexed(&self, owner: UserId, file: &FileSummary, document: &Document) -> Result<bool> {
        let mut tx = self.inner.db.as_user(owner).await?;
        let same: Option<bool> = sqlx::query_scalar(
            "SELECT facts = $2 AND pages IS NOT DISTINCT FROM $3 AND thumbnail = $4
                    AND read_by IS NOT DISTINCT FROM $5 AND state IN ('ready', 'indexing')
             FROM files WHERE id = $1",
        )
        .bind(file.id.0)
        .bind(Json(Facts::of(document)))
        .bind(super::read::pages(document))
        .bind(document.thumbnail.is_some())
        .bind(READER)
        .fetch_optional(&mut *tx)
        .await?;
        let cut = passages::passages(document);
        let indexed = passages::are_written(&mut tx, file.id, &cut).await?;
        tx.commit().await?;
        Ok(same == Some(true) && indexed)
    }
}
