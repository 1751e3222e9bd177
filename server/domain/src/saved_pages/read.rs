//! Makes a page readable and lets the search find it: a job for each asking, which may be run again at any
//! time. One that was overtaken by another asking keeps nothing.

use super::making::{Made, Unreadable, make};
use super::row::{Facts, LONGEST_TITLE, Row, columns, tell};
use super::save::{SENT, named_after};
use crate::files::passages;
use crate::jobs::{Job, Kind, queue};
use crate::text::{first_words, without_nul};
use crate::{Domain, Error, Result};
use pages::{Content, Error as Unfetched};
use serde::{Deserialize, Serialize};
use shared::{PageId, UserId};
use sqlx::PgConnection;
use sqlx::types::Json;
use std::io::Cursor;
use url::Url;

/// What a page's folder in the store holds.
pub(super) const ARCHIVE: &str = "archive";
pub(super) const DOCUMENT: &str = "document.json";
pub(super) const TEXT: &str = "ai/ai.md";
pub(super) const IMAGE: &str = "image";

/// What the job is told.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct FetchPage {
    pub page_id: PageId,
    pub asking: i32,
}

pub(super) async fn queue_fetching(tx: &mut PgConnection, owner: UserId, fetch: FetchPage) -> Result<()> {
    let job = Job {
        kind: Kind::FetchPage,
        user_id: Some(owner),
        payload: serde_json::to_value(fetch).map_err(Error::internal)?,
        dedupe_key: Some(format!("fetch_page {} {}", fetch.page_id, fetch.asking)),
    };
    queue(tx, job).await
}

impl Domain {
    /// What is wrong with the page is its state; an error is what may go away by itself.
    pub(crate) async fn fetch_page(&self, owner: UserId, fetch: FetchPage) -> Result<()> {
        let Some(row) = self.begin_page(owner, fetch).await? else { return Ok(()) };
        match Box::pin(self.make_page(owner, &row)).await {
            Ok(made) => Box::pin(self.keep_page(owner, fetch, &row, made)).await,
            Err(Unreadable::Page(reason)) => self.keep_page_failure(owner, fetch, &reason).await,
            Err(Unreadable::Server(error)) => {
                self.let_page_wait(owner, fetch).await?;
                Err(error)
            }
        }
    }

    /// The store is away: the page waits, and says so.
    pub(crate) async fn let_page_wait(&self, owner: UserId, fetch: FetchPage) -> Result<()> {
        self.set_page_state(owner, fetch, "waiting", None).await
    }

    /// After the last try: the page says so.
    pub(crate) async fn give_page_up(&self, owner: UserId, fetch: FetchPage) -> Result<()> {
        let reason = "The page could not be had, five times in a row: its host is too busy, or this server is. Try again later.";
        self.keep_page_failure(owner, fetch, reason).await
    }

    /// None where nothing is to be done: it was deleted, overtaken, or is read already.
    async fn begin_page(&self, owner: UserId, fetch: FetchPage) -> Result<Option<Row>> {
        let mut tx = self.inner.db.as_user(owner).await?;
        let row: Option<Row> = sqlx::query_as(concat!(
            "UPDATE pages SET state = 'reading', failure = NULL
             WHERE id = $1 AND asked = $2 AND kept IS DISTINCT FROM $2 AND deleted_at IS NULL RETURNING ",
            columns!()
        ))
        .bind(fetch.page_id.0)
        .bind(fetch.asking)
        .fetch_optional(&mut *tx)
        .await?;
        if let Some(row) = &row {
            tell(&mut tx, owner, row).await?;
        }
        tx.commit().await?;
        Ok(row)
    }

    async fn make_page(&self, owner: UserId, row: &Row) -> std::result::Result<Made, Unreadable> {
        let url = Url::parse(&row.url).map_err(Error::internal)?;
        let (found_at, content) = match row.sent {
            true => {
                let html = self.inner.blobs.page_part(owner, row.id(), row.asked, SENT).await?;
                let gone = || Error::internal(anyhow::anyhow!("what a browser sent is not in the store"));
                (url.clone(), Content::Html(String::from_utf8_lossy(&html.ok_or_else(gone)?).into_owned()))
            }
            false => match self.inner.fetcher.fetch(&url).await {
                Ok(page) => (page.url, page.content),
                Err(why @ (Unfetched::Queue(_) | Unfetched::Busy(_))) => {
                    return Err(Error::internal(why).into());
                }
                Err(why) => return Err(Unreadable::Page(why.to_string())),
            },
        };
        make(&self.inner.extractor, &found_at, content).await
    }

    /// What the rows will name is in the store before they do.
    async fn keep_page(&self, owner: UserId, fetch: FetchPage, row: &Row, made: Made) -> Result<()> {
        let FetchPage { page_id, asking } = fetch;
        let Made { title, mut facts, document, markdown, archive, image } = made;
        let url = Url::parse(&row.url).map_err(Error::internal)?;
        let title = title.map(|title| first_words(&without_nul(title), LONGEST_TITLE));
        let title = title.filter(|title| !title.is_empty()).unwrap_or_else(|| named_after(&url));
        let title = if row.titled { row.title.clone() } else { title };
        // Nothing is fetched of what a browser sent.
        let image = match image.filter(|_| !row.sent) {
            Some(image) => self.small_picture(&image).await,
            None => None,
        };
        facts.image = image.is_some();
        let text = front(&title, row, &facts) + &markdown;
        let json = serde_json::to_vec(&document).map_err(Error::internal)?;
        let mut parts = vec![(ARCHIVE, archive), (DOCUMENT, json), (TEXT, text.into_bytes())];
        parts.extend(image.map(|image| (IMAGE, image)));
        let size: usize = parts.iter().map(|(_, bytes)| bytes.len()).sum();
        for (name, bytes) in parts {
            self.inner.blobs.keep_page_part(owner, page_id, asking, name, bytes).await?;
        }
        let mut tx = self.inner.db.as_user(owner).await?;
        let kept: Option<Row> = sqlx::query_as(concat!(
            "UPDATE pages SET state = 'ready', failure = NULL, kept = $2, fetched_at = now(), updated_at = now(),
                    title = CASE WHEN titled THEN title ELSE $3 END, facts = $4, size = $5
             WHERE id = $1 AND asked = $2 AND deleted_at IS NULL RETURNING ",
            columns!()
        ))
        .bind(page_id.0)
        .bind(asking)
        .bind(title)
        .bind(Json(facts))
        .bind(i64::try_from(size).map_err(Error::internal)?)
        .fetch_optional(&mut *tx)
        .await?;
        // overtaken, or deleted: then it is asked for again when it is restored
        let Some(kept) = kept else { return Ok(()) };
        passages::write_name(&mut tx, owner, page_id, &kept.title).await?;
        passages::write(&mut tx, owner, page_id, &passages::passages(&document)).await?;
        tell(&mut tx, owner, &kept).await?;
        tx.commit().await?;
        self.inner.blobs.forget_page(owner, page_id, Some(asking)).await?;
        self.inner.blobs.forget_page_part(owner, page_id, asking, SENT).await
    }

    /// A picture that a page names, made small by the process that reads files. A page without one is as good.
    async fn small_picture(&self, image: &Url) -> Option<Vec<u8>> {
        let picture = match self.inner.fetcher.picture(image).await {
            Ok(picture) => picture,
            Err(error) => {
                tracing::debug!(%error, "the picture of a page did not come");
                return None;
            }
        };
        let read = self.inner.extractor.extract(
            "image",
            Some(&picture.media_type),
            Cursor::new(picture.bytes),
            |_| {},
        );
        match read.await {
            Ok(document) => document.thumbnail,
            Err(error) => {
                tracing::debug!(%error, "the picture of a page could not be read");
                None
            }
        }
    }

    async fn keep_page_failure(&self, owner: UserId, fetch: FetchPage, reason: &str) -> Result<()> {
        self.set_page_state(owner, fetch, "failed", Some(&first_words(reason, 500))).await
    }

    async fn set_page_state(
        &self,
        owner: UserId,
        fetch: FetchPage,
        state: &str,
        reason: Option<&str>,
    ) -> Result<()> {
        let mut tx = self.inner.db.as_user(owner).await?;
        let row: Option<Row> = sqlx::query_as(concat!(
            "UPDATE pages SET state = $3, failure = $4
             WHERE id = $1 AND asked = $2 AND kept IS DISTINCT FROM $2 AND deleted_at IS NULL RETURNING ",
            columns!()
        ))
        .bind(fetch.page_id.0)
        .bind(fetch.asking)
        .bind(state)
        .bind(reason)
        .fetch_optional(&mut *tx)
        .await?;
        if let Some(row) = row {
            tell(&mut tx, owner, &row).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

/// What stands before the text that a model is given.
fn front(title: &str, row: &Row, facts: &Facts) -> String {
    let mut front = format!("---\npage_id: {}\n", row.id());
    let some = [
        ("title", Some(title)),
        ("url", Some(row.url.as_str())),
        ("site", facts.site.as_deref()),
        ("author", facts.author.as_deref()),
        ("published", facts.published.as_deref()),
        ("language", facts.language.as_deref()),
    ];
    for (name, value) in some {
        if let Some(value) = value {
            // a JSON string is a YAML string
            front.push_str(&format!("{name}: {}\n", serde_json::Value::from(value)));
        }
    }
    front.push_str(&format!("source: /p/{}\n---\n\n", row.id()));
    front
}
