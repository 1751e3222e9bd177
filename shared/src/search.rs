//! Search over everything a person may see.

use crate::{ConversationId, FileId, MessageId, NoteId};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

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
}

impl SearchHit {
    /// What it is called where it has no title.
    pub fn display_title(&self) -> &str {
        match self.kind {
            _ if !self.title.is_empty() => &self.title,
            SearchKind::Message { .. } | SearchKind::Conversation { .. } => "Conversation",
            SearchKind::Note { .. } => "Untitled note",
            SearchKind::File { .. } => "File",
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
