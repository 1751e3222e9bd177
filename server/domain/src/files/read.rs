//! Reads a file into what is found, cited and given to models: a job for each file, which may be run
//! again at any time and changes nothing where nothing changed.

use super::by_model::{AskModel, Recalled, queue_asking};
use super::open::Facts;
use super::passages;
use super::row::{Row, columns, settled, tell};
use crate::blobs::Blobs;
use crate::jobs::{Job, Kind, queue};
use crate::{Domain, Error, Result};
use extract::{Document, Extractor, Failure, Front, Measure, Progress, ai_markdown};
use serde::{Deserialize, Serialize};
use shared::file::{FileState, FileSummary};
use shared::{FileId, UserId};
use sqlx::PgConnection;
use sqlx::types::Json;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::io::StreamReader;

/// Of how files are read: one more, and all are read again when they are asked to.
pub(super) const READER: i32 = 2;
/// How often open browsers are told of pages that were read.
const PACE: Duration = Duration::from_millis(700);

/// What a file's folder in the store holds.
pub(super) const TEXT: &str = "ai/ai.md";
pub(super) const DOCUMENT: &str = "document.json";
pub(super) const THUMBNAIL: &str = "thumbnail";

/// What the job is told.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct ReadFile {
    pub file_id: FileId,
}

/// What is to come once a document is kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum After {
    Nothing,
    /// A model is asked what the reader could not read.
    Model,
}

/// Of the job: one file is read once at a time.
pub(super) fn reading_key(file: FileId) -> String {
    format!("read_file {file}")
}

pub(super) async fn queue_reading(tx: &mut PgConnection, owner: UserId, read: ReadFile) -> Result<()> {
    let job = Job {
        kind: Kind::ReadFile,
        user_id: Some(owner),
        payload: serde_json::to_value(read).map_err(Error::internal)?,
        dedupe_key: Some(reading_key(read.file_id)),
    };
    queue(tx, job).await
}

impl Domain {
    /// Reads one file. What is wrong with the file is its state; an error is what may go away by itself.
    pub(crate) async fn read_file(&self, owner: UserId, ReadFile { file_id }: ReadFile) -> Result<()> {
        let Some(row) = self.begin_reading(owner, file_id).await? else { return Ok(()) };
        let hash = row.hash()?;
        let file = FileSummary::from(row);
        match self.extract(&self.inner.extractor, owner, &file, &hash).await? {
            Ok(mut document) => {
                let Recalled { sections, after } =
                    self.recall_reading(owner, &file, &hash, &document).await?;
                if let Some(sections) = sections {
                    document.hold(sections);
                }
                self.keep_document(owner, &file, document, after, None).await
            }
            Err(Failure::Unavailable { reason }) => Err(Error::internal(anyhow::anyhow!(reason))),
            Err(failure) => self.keep_refusal(owner, file_id, &refused(&file, &failure)).await,
        }
    }

    /// The store is away: the file waits, and says so. What was begun is begun again by the same job.
    pub(crate) async fn let_file_wait(&self, owner: UserId, ReadFile { file_id }: ReadFile) -> Result<()> {
        self.set_state(owner, file_id, "waiting", None).await.map(drop)
    }

    /// After the last try: the file says so.
    pub(crate) async fn give_file_up(&self, owner: UserId, ReadFile { file_id }: ReadFile) -> Result<()> {
        let reason = "The server could not get at the file, five times in a row. Try again.";
        self.set_state(owner, file_id, "failed", Some(reason)).await.map(drop)
    }

    /// None where nothing is to be done: it was deleted, or is read already.
    async fn begin_reading(&self, owner: UserId, id: FileId) -> Result<Option<Row>> {
        let mut tx = self.inner.db.as_user(owner).await?;
        let row: Option<Row> = sqlx::query_as(concat!(
            "UPDATE files SET state = 'reading', done = 0, of = 0, failure = NULL
             WHERE id = $1 AND deleted_at IS NULL
               AND (read_by IS DISTINCT FROM $2 OR state IN ('waiting', 'reading')) RETURNING ",
            columns!()
        ))
        .bind(id.0)
        .bind(READER)
        .fetch_optional(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(row)
    }

    pub(super) async fn extract(
        &self,
        extractor: &Extractor,
        owner: UserId,
        file: &FileSummary,
        hash: &[u8; 32],
    ) -> Result<std::result::Result<Document, Failure>> {
        let whole = self.inner.blobs.read(owner, hash, None).await?;
        let whole = whole.ok_or_else(|| Error::internal(anyhow::anyhow!("a blob without bytes")))?;
        let bytes = StreamReader::new(whole.bytes);
        let (said, heard) = watch::channel(Progress { done: 0, of: 0 });
        let progress = move |progress| {
            said.send_replace(progress);
        };
        let reading = extractor.extract(&file.name, None, bytes, progress);
        let telling = self.tell_progress(owner, file.id, heard);
        let (read, told) = tokio::join!(reading, telling);
        told?;
        Ok(read)
    }

    /// Until the reader is done.
    async fn tell_progress(
        &self,
        owner: UserId,
        id: FileId,
        mut heard: watch::Receiver<Progress>,
    ) -> Result<()> {
        while heard.changed().await.is_ok() {
            let Progress { done, of } = *heard.borrow_and_update();
            let count = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
            let mut tx = self.inner.db.as_user(owner).await?;
            let row: Option<Row> = sqlx::query_as(concat!(
                "UPDATE files SET done = $2, of = $3 WHERE id = $1 AND state = 'reading' RETURNING ",
                columns!()
            ))
            .bind(id.0)
            .bind(count(done))
            .bind(count(of))
            .fetch_optional(&mut *tx)
            .await?;
            if let Some(row) = row {
                tell(&mut tx, owner, &row.into()).await?;
            }
            tx.commit().await?;
            tokio::time::sleep(PACE).await;
        }
        Ok(())
    }

    /// `note` says why a model did not read it.
    pub(super) async fn keep_document(
        &self,
        owner: UserId,
        file: &FileSummary,
        mut document: Document,
        after: After,
        note: Option<&str>,
    ) -> Result<()> {
        let thumbnail = document.thumbnail.take();
        keep_derivatives(&self.inner.blobs, owner, file, &document, thumbnail.as_deref()).await?;
        let passages = passages::passages(&document);
        let facts = Facts::of(&document);
        let pages = pages(&document);
        let mut tx = self.inner.db.as_user(owner).await?;
        // Whoever renames it meanwhile waits, and is not overwritten.
        let there: Option<bool> =
            sqlx::query_scalar("SELECT deleted_at IS NULL FROM files WHERE id = $1 FOR UPDATE")
                .bind(file.id.0)
                .fetch_optional(&mut *tx)
                .await?;
        if there != Some(true) {
            return Ok(());
        }
        passages::write(&mut tx, owner, file.id, &passages).await?;
        let row: Row = sqlx::query_as(concat!(
            "UPDATE files SET failure = $7, pages = $2, facts = $3, thumbnail = $4, read_by = $5, updated_at = now(),
                    state = CASE WHEN $8 THEN 'waiting' ELSE ",
            settled!("$6"),
            " END WHERE id = $1 RETURNING ",
            columns!()
        ))
        .bind(file.id.0)
        .bind(pages)
        .bind(Json(facts))
        .bind(thumbnail.is_some())
        .bind(READER)
        .bind(self.inner.embedder.is_some())
        .bind(note)
        .bind(after == After::Model)
        .fetch_one(&mut *tx)
        .await?;
        if after == After::Model {
            queue_asking(&mut tx, owner, AskModel { file_id: file.id }).await?;
        }
        tell(&mut tx, owner, &row.into()).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Kept and not read, or failed.
    pub(super) async fn keep_refusal(&self, owner: UserId, id: FileId, state: &FileState) -> Result<()> {
        match state {
            FileState::Failed { reason } => self.set_state(owner, id, "failed", Some(reason)).await.map(drop),
            _ => self.set_state(owner, id, "kept", None).await.map(drop),
        }
    }

    /// The row as it is then; none where the file was deleted.
    pub(super) async fn set_state(
        &self,
        owner: UserId,
        id: FileId,
        state: &'static str,
        failure: Option<&str>,
    ) -> Result<Option<Row>> {
        let mut tx = self.inner.db.as_user(owner).await?;
        let row: Option<Row> = sqlx::query_as(concat!(
            "UPDATE files SET state = $2, failure = $3 WHERE id = $1 AND deleted_at IS NULL RETURNING ",
            columns!()
        ))
        .bind(id.0)
        .bind(state)
        .bind(failure)
        .fetch_optional(&mut *tx)
        .await?;
        if let Some(row) = row.clone() {
            tell(&mut tx, owner, &row.into()).await?;
        }
        tx.commit().await?;
        Ok(row)
    }
}

/// Whoever waited only for the vectors of these passages is ready.
pub(crate) async fn settle(tx: &mut PgConnection, owner: UserId, chunks: &[i64]) -> Result<()> {
    let rows: Vec<Row> = sqlx::query_as(concat!(
        "UPDATE files SET state = 'ready', updated_at = now()
         WHERE state = 'indexing' AND id IN (SELECT source_id FROM chunks WHERE id = ANY ($1) AND source_kind = 'file')
           AND NOT EXISTS (SELECT FROM chunk_queue q JOIN chunks k ON k.id = q.chunk_id WHERE k.source_id = files.id)
         RETURNING ",
        columns!()
    ))
    .bind(chunks)
    .fetch_all(&mut *tx)
    .await?;
    for row in rows {
        tell(tx, owner, &row.into()).await?;
    }
    Ok(())
}

/// Before the rows say that it was read: what they name is there.
async fn keep_derivatives(
    blobs: &Blobs,
    owner: UserId,
    file: &FileSummary,
    document: &Document,
    thumbnail: Option<&[u8]>,
) -> Result<()> {
    let json = serde_json::to_vec(document).map_err(Error::internal)?;
    blobs.keep_derivative(owner, file.id, DOCUMENT, json).await?;
    blobs.keep_derivative(owner, file.id, TEXT, ai_text(file, document, thumbnail.is_some())).await?;
    if let Some(thumbnail) = thumbnail {
        blobs.keep_derivative(owner, file.id, THUMBNAIL, thumbnail.to_vec()).await?;
    }
    Ok(())
}

pub(super) fn pages(document: &Document) -> Option<i32> {
    document.properties.get("pages").and_then(|pages| pages.parse().ok())
}

/// Where a file stands that was not read. Films, archives and the like hold no text for anybody: they are kept, and
/// that is all that was wanted.
pub(super) fn refused(file: &FileSummary, failure: &Failure) -> FileState {
    let unread =
        matches!(failure, Failure::Unsupported { .. } | Failure::TooLarge { what: Measure::File, .. });
    match unread && holds_no_text(&file.media_type) {
        true => FileState::Kept,
        false => FileState::Failed { reason: failure.to_string() },
    }
}

/// By its type: nothing would be read in it if it were small.
fn holds_no_text(media_type: &str) -> bool {
    let (kind, form) = media_type.split_once('/').unwrap_or((media_type, ""));
    let packed =
        ["zip", "gzip", "x-tar", "x-7z", "x-rar", "vnd.rar", "x-bzip", "x-xz", "zstd", "octet-stream"];
    let images = ["iso9660", "diskimage", "vnd.debian", "java-archive", "vnd.android", "x-msdownload"];
    matches!(kind, "video" | "audio" | "font")
        || packed.iter().chain(&images).any(|known| form.contains(known))
}

/// What a model is given of a file.
pub(super) fn ai_text(file: &FileSummary, document: &Document, thumbnail: bool) -> Vec<u8> {
    let front = Front {
        file_id: file.id.to_string(),
        name: file.name.clone(),
        r#type: file.media_type.clone(),
        size_bytes: file.size,
        sha256: file.sha256.clone(),
        source: Some(format!("/f/{}", file.id)),
        derivatives: thumbnail.then(|| THUMBNAIL.to_owned()).into_iter().collect(),
    };
    ai_markdown(document, &front).into_bytes()
}
