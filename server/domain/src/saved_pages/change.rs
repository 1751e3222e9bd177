//! Pages are renamed, tagged, pinned, archived, read on, deleted and restored.

use super::read::{FetchPage, queue_fetching};
use super::row::{LONGEST_TITLE, Row, columns, tell};
use crate::error::violated_unique;
use crate::files::passages::write_name;
use crate::text::{first_words, without_nul};
use crate::{Caller, Domain, Error, Result};
use shared::saved_page::{PageSummary, UpdatePage};
use shared::{ErrorCode, PageId};

const MOST_TAGS: usize = 20;
/// In characters.
const LONGEST_TAG: usize = 32;

impl Domain {
    pub async fn update_page(&self, caller: &Caller, id: PageId, change: UpdatePage) -> Result<PageSummary> {
        let owner = caller.user_id;
        if change.position.is_some_and(|position| !(0.0..=1.0).contains(&position)) {
            return Err(Error::invalid("position", "How far a page was read is a number from 0 to 1."));
        }
        let title = change.title.map(|title| first_words(&without_nul(title), LONGEST_TITLE));
        if title.as_ref().is_some_and(String::is_empty) {
            return Err(Error::invalid("title", "A page has a title."));
        }
        let mut tx = self.inner.db.as_user(owner).await?;
        let row: Option<Row> = sqlx::query_as(concat!(
            "UPDATE pages SET title = coalesce($2, title), titled = titled OR $2 IS NOT NULL, tags = coalesce($3, tags),
                    pinned = coalesce($4, pinned), archived = coalesce($5, archived), position = coalesce($6, position),
                    updated_at = now()
             WHERE id = $1 AND deleted_at IS NULL RETURNING ",
            columns!()
        ))
        .bind(id.0)
        .bind(&title)
        .bind(change.tags.as_deref().map(tidied))
        .bind(change.pinned)
        .bind(change.archived)
        .bind(change.position)
        .fetch_optional(&mut *tx)
        .await?;
        let row = row.ok_or_else(|| Error::not_found("page"))?;
        if let Some(title) = &title {
            write_name(&mut tx, owner, id, title).await?;
        }
        tell(&mut tx, owner, &row).await?;
        tx.commit().await?;
        Ok(row.summary())
    }

    /// Puts the page into the bin.
    pub async fn delete_page(&self, caller: &Caller, id: PageId) -> Result<()> {
        self.set_page_deleted(caller, id, true).await.map(drop)
    }

    pub async fn restore_page(&self, caller: &Caller, id: PageId) -> Result<PageSummary> {
        self.set_page_deleted(caller, id, false).await
    }

    async fn set_page_deleted(&self, caller: &Caller, id: PageId, deleted: bool) -> Result<PageSummary> {
        let owner = caller.user_id;
        let mut tx = self.inner.db.as_user(owner).await?;
        let updated: std::result::Result<Option<Row>, sqlx::Error> = sqlx::query_as(concat!(
            "UPDATE pages SET deleted_at = CASE WHEN $2 THEN coalesce(deleted_at, now()) END
             WHERE id = $1 RETURNING ",
            columns!()
        ))
        .bind(id.0)
        .bind(deleted)
        .fetch_optional(&mut *tx)
        .await;
        let row = updated.map_err(already_there)?.ok_or_else(|| Error::not_found("page"))?;
        if !deleted && !row.is_settled() {
            queue_fetching(&mut tx, owner, FetchPage { page_id: id, asking: row.asked }).await?;
        }
        tell(&mut tx, owner, &row).await?;
        tx.commit().await?;
        Ok(row.summary())
    }
}

fn already_there(error: sqlx::Error) -> Error {
    if violated_unique(&error).is_some() {
        return Error::problem(
            ErrorCode::Conflict,
            "This page was saved again meanwhile. Delete that one first to have this one back.",
        );
    }
    error.into()
}

/// Tags as they are kept: without `#`, short, each once whatever its letters' case.
pub(super) fn tidied(tags: &[String]) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for tag in tags {
        let tag = without_nul(tag.trim().trim_start_matches('#').to_owned());
        let tag: String =
            tag.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(LONGEST_TAG).collect();
        let tag = tag.trim_end().to_owned();
        let is_there = kept.iter().any(|known| known.to_lowercase() == tag.to_lowercase());
        if !tag.is_empty() && !is_there && kept.len() < MOST_TAGS {
            kept.push(tag);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_kept_once_and_short() {
        let tags =
            ["#Garden", " garden ", "old  roses", "", "#", "x".repeat(100).as_str()].map(str::to_owned);
        assert_eq!(tidied(&tags), ["Garden", "old roses", "x".repeat(LONGEST_TAG).as_str()]);
    }
}
