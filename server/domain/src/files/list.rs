//! Lists of files, newest first.

use super::row::{Row, columns};
use crate::conversations::Cursor;
use crate::text::without_nul;
use crate::{Caller, Domain, Error, Result};
use shared::file::{FileSummary, StorageUse};
use shared::page::Page;
use time::OffsetDateTime;
use time::macros::datetime;
use uuid::Uuid;

/// The longest page.
const MOST: u32 = 200;
/// Later than any file.
const END_OF_TIME: OffsetDateTime = datetime!(9999-01-01 00:00 UTC);

#[derive(Clone, Debug, Default)]
pub struct ListFiles {
    /// Only those in whose name or folder this stands.
    pub query: Option<String>,
    /// Only those right in it.
    pub folder: Option<String>,
    /// The bin instead of the list.
    pub deleted: bool,
    pub cursor: Option<String>,
    pub limit: Option<u32>,
}

impl Domain {
    pub async fn files(&self, caller: &Caller, list: ListFiles) -> Result<Page<FileSummary>> {
        let after = match &list.cursor {
            Some(text) => Cursor::read(text)
                .ok_or_else(|| Error::invalid("cursor", "This is not a cursor of this list."))?,
            None => Cursor { pinned: false, at: END_OF_TIME, id: Uuid::max() },
        };
        let limit = list.limit.unwrap_or(50).clamp(1, MOST);
        let query = list.query.map(|words| without_nul(words).to_lowercase());
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        let mut rows: Vec<Row> = sqlx::query_as(concat!(
            "SELECT ",
            columns!(),
            " FROM files
             WHERE (deleted_at IS NOT NULL) = $1 AND ($2::text IS NULL OR folder = $2)
               AND ($3::text IS NULL OR strpos(lower(name || '/' || folder), $3) > 0)
               AND (created_at, id) < ($4, $5)
             ORDER BY created_at DESC, id DESC LIMIT $6"
        ))
        .bind(list.deleted)
        .bind(list.folder.map(without_nul))
        .bind(query)
        .bind(after.at)
        .bind(after.id)
        .bind(i64::from(limit) + 1)
        .fetch_all(&mut *tx)
        .await?;
        tx.commit().await?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let items: Vec<FileSummary> = rows.into_iter().map(Into::into).collect();
        let last = items.last().filter(|_| more);
        let next_cursor =
            last.map(|last| Cursor { pinned: false, at: last.created_at, id: last.id.0 }.write());
        Ok(Page { items, next_cursor })
    }

    /// What the person's files and attachments take up.
    pub async fn storage_use(&self, caller: &Caller) -> Result<StorageUse> {
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        let used = super::change::used(&mut tx, caller.user_id).await?;
        tx.commit().await?;
        let limits = self.inner.file_limits;
        Ok(StorageUse { used, limit: limits.per_person, largest_file: limits.largest })
    }
}
