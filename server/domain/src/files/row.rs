//! A file's row, and the summary that it is shown by.

use crate::notices::Signal;
use crate::{Error, Result};
use shared::file::{FileState, FileSummary};
use shared::socket::{Channel, ServerBody, ServerFrame};
use shared::{FileId, UserId};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

/// The columns of [`Row`].
macro_rules! columns {
    () => {
        "id, name, folder, media_type, size, sha256, state, done, of, failure, pages, thumbnail, created_at, updated_at, deleted_at"
    };
}
pub(super) use columns;

/// The state of a file of whom nothing more is to be read; `$near` says whether passages get vectors.
macro_rules! settled {
    ($near:literal) => {
        concat!(
            "CASE WHEN ",
            $near,
            " AND EXISTS (SELECT FROM chunk_queue q JOIN chunks k ON k.id = q.chunk_id WHERE k.source_id = $1)
                  THEN 'indexing' ELSE 'ready' END"
        )
    };
}
pub(super) use settled;

#[derive(Clone, sqlx::FromRow)]
pub(super) struct Row {
    id: Uuid,
    name: String,
    folder: String,
    media_type: String,
    size: i64,
    sha256: Vec<u8>,
    state: String,
    done: i32,
    of: i32,
    /// Why it failed, or why a model did not read it.
    pub failure: Option<String>,
    pages: Option<i32>,
    thumbnail: bool,
    pub created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
    deleted_at: Option<OffsetDateTime>,
}

impl Row {
    /// Of the bytes, as the store names them.
    pub fn hash(&self) -> Result<[u8; 32]> {
        let hash = self.sha256.as_slice().try_into();
        hash.map_err(|_| Error::internal(anyhow::anyhow!("a hash of {} bytes", self.sha256.len())))
    }
}

impl From<Row> for FileSummary {
    fn from(row: Row) -> Self {
        let count = |number: i32| u32::try_from(number).unwrap_or(0);
        let state = match row.state.as_str() {
            "reading" => FileState::Reading { done: count(row.done), of: count(row.of) },
            "indexing" => FileState::Indexing,
            "ready" => FileState::Ready,
            "kept" => FileState::Kept,
            "failed" => FileState::Failed { reason: row.failure.unwrap_or_default() },
            _ => FileState::Waiting,
        };
        Self {
            id: FileId(row.id),
            name: row.name,
            folder: row.folder,
            media_type: row.media_type,
            size: u64::try_from(row.size).unwrap_or(0),
            sha256: row.sha256.iter().map(|byte| format!("{byte:02x}")).collect(),
            state,
            pages: row.pages.map(count),
            thumbnail: row.thumbnail,
            created_at: row.created_at,
            updated_at: row.updated_at,
            deleted_at: row.deleted_at,
        }
    }
}

/// The file's row, also when it is in the bin.
pub(super) async fn find(tx: &mut PgConnection, id: FileId) -> Result<Row> {
    let row = sqlx::query_as(concat!("SELECT ", columns!(), " FROM files WHERE id = $1")).bind(id.0);
    row.fetch_optional(tx).await?.ok_or_else(|| Error::not_found("file"))
}

/// Tells the person's open browsers, with the transaction.
pub(super) async fn tell(tx: &mut PgConnection, owner: UserId, file: &FileSummary) -> Result<()> {
    let body = match file.deleted_at {
        Some(_) => ServerBody::FileGone { id: file.id },
        None => ServerBody::FileChanged(file.clone()),
    };
    let frame = ServerFrame { channel: Channel::Files, body };
    Signal::Frame { user_id: owner, frame }.send(tx).await
}
