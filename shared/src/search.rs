//! Search over everything a person may see.

pub mod query;

use crate::{ConversationId, FileId, MemoryId, MessageId, NoteId, PageId};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// A page of what was found, best first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SearchAnswer {
    pub items: Vec<SearchHit>,
    /// Given back as `cursor` it asks for the page after. What came since the first page moves nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    pub facets: SearchFacets,
    /// The same query with words that stand in one's own texts, where those that were typed do not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub did_you_mean: Option<Correction>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Correction {
    pub query: String,
    /// The items are those of this query: what was typed stands nowhere.
    pub is_shown: bool,
}

/// How many there are of a sort among what was found, at most some hundreds; most first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SearchFacets {
    pub kinds: Vec<KindFacet>,
    pub tags: Vec<TagFacet>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KindFacet {
    pub kind: SourceKind,
    pub count: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TagFacet {
    pub tag: String,
    pub count: u32,
}

/// What one can search among.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    Conversation,
    Note,
    File,
    Page,
    Memory,
}

impl SourceKind {
    pub const ALL: [Self; 5] = [Self::Conversation, Self::Note, Self::File, Self::Page, Self::Memory];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Conversation => "conversation",
            Self::Note => "note",
            Self::File => "file",
            Self::Page => "page",
            Self::Memory => "memory",
        }
    }

    /// What several are called.
    pub fn title(self) -> &'static str {
        match self {
            Self::Conversation => "Conversations",
            Self::Note => "Notes",
            Self::File => "Files",
            Self::Page => "Pages",
            Self::Memory => "Memories",
        }
    }

    /// As people name it: in singular or plural, by its everyday names.
    pub fn named(name: &str) -> Option<Self> {
        match name.to_lowercase().trim_end_matches('s') {
            "chat" | "message" => Some(Self::Conversation),
            "memorie" => Some(Self::Memory),
            name => Self::ALL.into_iter().find(|kind| kind.as_str() == name),
        }
    }

    /// The kinds of passages that it has.
    pub fn stored(self) -> &'static [&'static str] {
        match self {
            Self::Conversation => &["message", "conversation"],
            Self::Note => &["note"],
            Self::File => &["file"],
            Self::Page => &["page"],
            Self::Memory => &["memory"],
        }
    }
}

/// A passage that was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SearchHit {
    #[serde(flatten)]
    pub kind: SearchKind,
    /// Where it opens, at the place.
    pub url: String,
    pub title: String,
    /// Where in it, as a person would say: `Page 3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// The passage, cut so that what matched can be shown.
    pub passage: Vec<Segment>,
    #[serde(with = "time::serde::rfc3339")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub created_at: OffsetDateTime,
}

/// What a passage is of; `kind` tells which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SearchKind {
    Message {
        conversation_id: ConversationId,
        message_id: MessageId,
    },
    Note {
        note_id: NoteId,
    },
    /// By its title.
    Conversation {
        conversation_id: ConversationId,
    },
    File {
        file_id: FileId,
    },
    Page {
        page_id: PageId,
    },
    Memory {
        memory_id: MemoryId,
    },
}

impl SearchHit {
    /// What it is called where it has no title.
    pub fn display_title(&self) -> &str {
        match self.kind {
            _ if !self.title.is_empty() => &self.title,
            SearchKind::Message { .. } | SearchKind::Conversation { .. } => "Conversation",
            SearchKind::Note { .. } => "Untitled note",
            SearchKind::File { .. } => "File",
            SearchKind::Page { .. } => "Page",
            SearchKind::Memory { .. } => "Memory",
        }
    }
}

/// A stretch of a passage; `hit` where the words match.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Segment {
    pub text: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hit: bool,
}
