//! A page's row, and the summary that it is shown by.

use crate::notices::Signal;
use crate::text::first_words;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use shared::saved_page::{PageState, PageSummary};
use shared::socket::{Channel, ServerBody, ServerFrame};
use shared::{PageId, UserId};
use sqlx::PgConnection;
use sqlx::types::Json;
use time::OffsetDateTime;
use url::Url;
use uuid::Uuid;

/// Characters of what a page says of itself that a summary has at most: it travels in a notice of 8000 bytes.
pub(super) const LONGEST_TITLE: usize = 200;
const LONGEST_NAME: usize = 100;
const LONGEST_EXCERPT: usize = 200;

/// The columns of [`Row`].
macro_rules! columns {
    () => {
        "id, url, title, titled, sent, state, failure, asked, kept, fetched_at, facts, tags, pinned, archived, position, created_at, deleted_at"
    };
}
pub(super) use columns;

/// What was found out about a page.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Facts {
    pub content: Kind,
    pub site: Option<String>,
    pub author: Option<String>,
    pub published: Option<String>,
    pub language: Option<String>,
    pub excerpt: Option<String>,
    /// Whether a picture of it is kept.
    pub image: bool,
    pub words: u32,
    pub minutes: u32,
    pub right_to_left: bool,
    pub readable: bool,
}

/// What lay at the address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    #[default]
    Html,
    Text,
    Pdf,
}

#[derive(sqlx::FromRow)]
pub(super) struct Row {
    pub id: Uuid,
    pub url: String,
    pub title: String,
    /// Whether the title is the person's.
    pub titled: bool,
    pub sent: bool,
    state: String,
    failure: Option<String>,
    pub asked: i32,
    /// The asking whose parts are in the store.
    pub kept: Option<i32>,
    pub fetched_at: Option<OffsetDateTime>,
    pub facts: Json<Facts>,
    tags: Vec<String>,
    pub pinned: bool,
    archived: bool,
    position: f64,
    pub created_at: OffsetDateTime,
    pub deleted_at: Option<OffsetDateTime>,
}

impl Row {
    pub fn id(&self) -> PageId {
        PageId(self.id)
    }

    pub fn is_settled(&self) -> bool {
        matches!(self.state.as_str(), "ready" | "failed")
    }

    pub fn summary(&self) -> PageSummary {
        let state = match self.state.as_str() {
            "reading" => PageState::Reading,
            "ready" => PageState::Ready,
            "failed" => PageState::Failed { reason: self.failure.clone().unwrap_or_default() },
            _ => PageState::Waiting,
        };
        let facts = &self.facts.0;
        let short = |text: &Option<String>, most| text.as_deref().map(|text| first_words(text, most));
        PageSummary {
            id: self.id(),
            url: self.url.clone(),
            title: self.title.clone(),
            state,
            sent: self.sent,
            site: short(&facts.site, LONGEST_NAME)
                .unwrap_or_else(|| first_words(&host_of(&self.url), LONGEST_NAME)),
            author: short(&facts.author, LONGEST_NAME),
            excerpt: short(&facts.excerpt, LONGEST_EXCERPT),
            minutes: self.kept.map(|_| facts.minutes),
            image: facts.image,
            tags: self.tags.clone(),
            pinned: self.pinned,
            archived: self.archived,
            position: self.position,
            created_at: self.created_at,
            fetched_at: self.fetched_at,
            deleted_at: self.deleted_at,
        }
    }
}

/// The host as people say it.
pub(super) fn host_of(url: &str) -> String {
    let host = Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
    host.strip_prefix("www.").map(str::to_owned).unwrap_or(host)
}

/// The page's row, also when it is in the bin.
pub(super) async fn find(tx: &mut PgConnection, id: PageId) -> Result<Row> {
    let row = sqlx::query_as(concat!("SELECT ", columns!(), " FROM pages WHERE id = $1")).bind(id.0);
    row.fetch_optional(tx).await?.ok_or_else(|| Error::not_found("page"))
}

/// Tells the person's open browsers, with the transaction.
pub(super) async fn tell(tx: &mut PgConnection, owner: UserId, row: &Row) -> Result<()> {
    let body = match row.deleted_at {
        Some(_) => ServerBody::PageGone { id: row.id() },
        None => ServerBody::PageChanged(Box::new(row.summary())),
    };
    let frame = ServerFrame { channel: Channel::Pages, body };
    Signal::Frame { user_id: owner, frame }.send(tx).await
}

/// Bytes that the person's pages take up, without those in the bin.
pub(crate) async fn used(tx: &mut PgConnection) -> Result<u64> {
    let used: i64 =
        sqlx::query_scalar("SELECT coalesce(sum(size), 0)::bigint FROM pages WHERE deleted_at IS NULL")
            .fetch_one(tx)
            .await?;
    Ok(u64::try_from(used).unwrap_or(0))
}

/// Bytes that those in the bin take up until they go for good.
pub(crate) async fn binned(tx: &mut PgConnection) -> Result<u64> {
    let binned: i64 =
        sqlx::query_scalar("SELECT coalesce(sum(size), 0)::bigint FROM pages WHERE deleted_at IS NOT NULL")
            .fetch_one(tx)
            .await?;
    Ok(u64::try_from(binned).unwrap_or(0))
}
