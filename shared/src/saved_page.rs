//! Web pages that somebody keeps to read: their rows, what was made of them, how they are saved.

use crate::PageId;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// Bytes that the HTML of a page may have which a browser sends.
pub const LARGEST_SENT_PAGE: usize = 10 << 20;

/// A page as lists show it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PageSummary {
    pub id: PageId,
    /// Without what only says who shared it.
    pub url: String,
    pub title: String,
    #[serde(flatten)]
    pub state: PageState,
    /// Whether a browser sent it as a person saw it; else the server fetched it.
    pub sent: bool,
    /// The name of the site, or its host.
    pub site: String,
    pub author: Option<String>,
    /// What it is about, in a sentence or two.
    pub excerpt: Option<String>,
    /// How long it takes to read; none before it was read in.
    pub minutes: Option<u32>,
    /// Whether `…/image` answers.
    pub image: bool,
    pub tags: Vec<String>,
    pub pinned: bool,
    pub archived: bool,
    /// How far it was read, of 1.
    pub position: f64,
    #[serde(with = "time::serde::rfc3339")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub created_at: OffsetDateTime,
    /// Of what is kept; none before there is something.
    #[serde(with = "time::serde::rfc3339::option")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub fetched_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub deleted_at: Option<OffsetDateTime>,
}

/// Where a page stands; `state` tells which. One that was read before stays readable in any of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum PageState {
    /// For a worker.
    Waiting,
    Reading,
    Ready,
    /// `reason` is for a person. It can be tried again.
    Failed {
        reason: String,
    },
}

impl PageState {
    pub fn is_settled(&self) -> bool {
        matches!(self, Self::Ready | Self::Failed { .. })
    }
}

/// A page, and what is to be read in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SavedPage {
    #[serde(flatten)]
    pub summary: PageSummary,
    /// When it was published, in RFC 3339 or the day alone, as the page says.
    pub published: Option<String>,
    /// A language tag.
    pub language: Option<String>,
    /// Whether its writing runs from right to left.
    pub right_to_left: bool,
    pub words: Option<u32>,
    /// Whether an article was found in it; else all of the page is shown.
    pub readable: bool,
    /// In order; empty until it was read.
    pub sections: Vec<PageSection>,
    /// Whether there is more than is sent here: `…/text` has all.
    pub more: bool,
}

/// A stretch of a page that begins with a heading, if there is one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PageSection {
    /// Of the section in the page that shows it: `/p/{id}#{anchor}`.
    pub anchor: String,
    /// The headings that lead to it.
    pub label: String,
    pub markdown: String,
}

/// Saves a page. With `html` it is kept as a browser showed it, and nothing is fetched.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SavePage {
    pub url: String,
    /// The document as it stands, `<html>` and all.
    pub html: Option<String>,
    /// What to call it; the page's own title when absent.
    pub title: Option<String>,
    #[serde(default)]
    pub tags: Vec<String>,
}

/// Changes what is given.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UpdatePage {
    pub title: Option<String>,
    pub tags: Option<Vec<String>>,
    pub pinned: Option<bool>,
    pub archived: Option<bool>,
    /// From 0 to 1.
    pub position: Option<f64>,
}
