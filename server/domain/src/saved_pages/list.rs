//! Lists of pages, pinned ones first, then the newest.

use super::row::{Row, columns};
use crate::conversations::Cursor;
use crate::text::without_nul;
use crate::{Caller, Domain, Error, Result};
use shared::page::Page;
use shared::saved_page::PageSummary;
use time::OffsetDateTime;
use time::macros::datetime;
use uuid::Uuid;

/// The longest page of a list.
const MOST: u32 = 200;
/// Later than any page.
const END_OF_TIME: OffsetDateTime = datetime!(9999-01-01 00:00 UTC);

#[derive(Clone, Debug, Default)]
pub struct ListPages {
    /// Only those in whose title, address, site or tags this stands.
    pub query: Option<String>,
    /// Only those with this tag.
    pub tag: Option<String>,
    /// Those put away instead of the others.
    pub archived: bool,
    /// The bin instead of the list.
    pub deleted: bool,
    pub cursor: Option<String>,
    pub limit: Option<u32>,
}

impl Domain {
    pub async fn pages(&self, caller: &Caller, list: ListPages) -> Result<Page<PageSummary>> {
        let after = match &list.cursor {
            Some(text) => Cursor::read(text)
                .ok_or_else(|| Error::invalid("cursor", "This is not a cursor of this list."))?,
            None => Cursor { pinned: true, at: END_OF_TIME, id: Uuid::max() },
        };
        let limit = list.limit.unwrap_or(50).clamp(1, MOST);
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        let mut rows: Vec<Row> = sqlx::query_as(concat!(
            "SELECT ",
            columns!(),
            " FROM pages
             WHERE (deleted_at IS NOT NULL) = $1 AND ($1 OR archived = $2)
               AND ($3::text IS NULL OR EXISTS (SELECT FROM unnest(tags) AS tag WHERE lower(tag) = $3))
               AND ($4::text IS NULL
                    OR strpos(lower(concat_ws(' ', title, url, facts ->> 'site', array_to_string(tags, ' '))), $4) > 0)
               AND (pinned, created_at, id) < ($5, $6, $7)
             ORDER BY pinned DESC, created_at DESC, id DESC LIMIT $8"
        ))
        .bind(list.deleted)
        .bind(list.archived)
        .bind(list.tag.map(|tag| without_nul(tag).to_lowercase()))
        .bind(list.query.map(|words| without_nul(words).trim().to_lowercase()))
        .bind(after.pinned)
        .bind(after.at)
        .bind(after.id)
        .bind(i64::from(limit) + 1)
        .fetch_all(&mut *tx)
        .await?;
        tx.commit().await?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let last = rows.last().filter(|_| more);
        let next_cursor =
            last.map(|last| Cursor { pinned: last.pinned, at: last.created_at, id: last.id }.write());
        Ok(Page { items: rows.iter().map(Row::summary).collect(), next_cursor })
    }
}
