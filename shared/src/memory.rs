//! Memories: what is to be kept in mind of a person, a workspace, a project or an agent, where each came from,
//! from when to when it held, and what replaced it.

use crate::account::Tier;
use crate::{ConversationId, FileId, ForgettingId, MemoryId, MessageId, NoteId, SuggestionId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

/// The cosine at which larger models mean the same thing. Similarities are told on this scale whatever model is in
/// use, so that a threshold means the same everywhere.
pub const USUAL_THRESHOLD: f32 = 0.7;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum MemoryKind {
    /// Something that holds: "Ada lives in Lisbon".
    Statement,
    /// A prompt, and what a model elsewhere answered.
    Exchange,
}

/// Whose matter a memory is; `kind` tells which. All of them belong to one account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum MemoryScope {
    #[default]
    Person,
    Workspace,
    Project {
        name: String,
    },
    Agent {
        name: String,
    },
}

impl MemoryScope {
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Workspace => "workspace",
            Self::Project { .. } => "project",
            Self::Agent { .. } => "agent",
        }
    }

    /// Of the project or the agent; empty where there is one only.
    pub fn name(&self) -> &str {
        match self {
            Self::Person | Self::Workspace => "",
            Self::Project { name } | Self::Agent { name } => name,
        }
    }

    /// The scope of this kind and name, if there is such a kind.
    pub fn of(kind: &str, name: &str) -> Option<Self> {
        let name = name.to_owned();
        Some(match kind {
            "person" => Self::Person,
            "workspace" => Self::Workspace,
            "project" => Self::Project { name },
            "agent" => Self::Agent { name },
            _ => return None,
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum MemorySourceKind {
    /// Written by the person.
    Hand,
    /// Sent by a program, such as a browser extension.
    Program,
    Conversation,
    Note,
    File,
    /// A web page.
    Page,
}

impl MemorySourceKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hand => "hand",
            Self::Program => "program",
            Self::Conversation => "conversation",
            Self::Note => "note",
            Self::File => "file",
            Self::Page => "page",
        }
    }
}

/// Where a memory came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MemorySource {
    pub kind: MemorySourceKind,
    /// Where that opens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What it is called, as far as it is still there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

/// Where a memory comes from, as whoever sends it says; `kind` tells which.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CitedSource {
    Conversation {
        conversation_id: ConversationId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message_id: Option<MessageId>,
    },
    Note {
        note_id: NoteId,
    },
    File {
        file_id: FileId,
    },
    Page {
        url: String,
    },
}

/// A memory as lists show it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Memory {
    pub id: MemoryId,
    pub kind: MemoryKind,
    /// The statement; of an exchange, what was asked.
    pub content: String,
    /// Of an exchange: what was answered, once it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<String>,
    /// Of an exchange: who answered. Empty: not said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub provider: String,
    /// Of an exchange: the conversation as it is called there.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub conversation_ref: String,
    #[serde(default, skip_serializing_if = "Value::is_null")]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub metadata: Value,
    pub scope: MemoryScope,
    pub source: MemorySource,
    #[serde(with = "time::serde::rfc3339")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub held_from: OffsetDateTime,
    /// Absent while it holds.
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub held_until: Option<OffsetDateTime>,
    /// What replaced it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superseded_by: Option<MemoryId>,
    /// Told to models before every answer.
    pub pinned: bool,
    /// Told to no model that is somewhere else.
    pub local_only: bool,
    #[serde(with = "time::serde::rfc3339")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub updated_at: OffsetDateTime,
}

/// A memory, with what it was before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OpenedMemory {
    #[serde(flatten)]
    pub memory: Memory,
    /// What happened, newest first.
    pub history: Vec<MemoryEvent>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MemoryEvent {
    #[serde(with = "time::serde::rfc3339")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub at: OffsetDateTime,
    pub what: MemoryEventKind,
    /// What it said before, what was said again, or what it replaced.
    pub text: String,
    pub source: MemorySource,
    /// Of what was replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_id: Option<MemoryId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum MemoryEventKind {
    /// It was put in other words; `text` is what it said before.
    Changed,
    /// Nearly the same was said once more.
    SaidAgain,
    /// It took the place of another memory.
    Replaced,
}

/// Keeps a statement.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateMemory {
    /// At most 4,000 characters.
    pub content: String,
    #[serde(default)]
    pub scope: MemoryScope,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<CitedSource>,
    /// Now, when absent.
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub held_from: Option<OffsetDateTime>,
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub held_until: Option<OffsetDateTime>,
    /// What it takes the place of, where that is known. What contradicts it in so many words is found without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supersedes: Option<MemoryId>,
    #[serde(default)]
    pub pinned: bool,
    #[serde(default)]
    pub local_only: bool,
}

/// What became of a statement that was sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KeptMemory {
    #[serde(flatten)]
    pub memory: Memory,
    pub outcome: MemoryOutcome,
    /// What it took the place of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub superseded: Vec<MemoryId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum MemoryOutcome {
    Kept,
    /// It says what is kept already; that one is the answer.
    Merged,
    /// It contradicts what was kept, and took its place.
    Superseded,
}

/// Keeps what was asked of a model elsewhere.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SavePrompt {
    /// At most 200,000 bytes.
    pub prompt: String,
    /// Who was asked: `chatgpt`, `claude`, the name of a site.
    pub provider: String,
    /// The conversation as it is called there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation_ref: Option<String>,
    /// An object of at most 16 KB. Its `url`, if there is one, is where the memory came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub metadata: Option<Value>,
}

/// Adds what was answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SaveResponse {
    pub memory_id: MemoryId,
    /// At most 800,000 bytes.
    pub response: String,
}

/// The memory that a prompt or a response went into.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SavedExchange {
    pub memory_id: MemoryId,
    #[serde(with = "time::serde::rfc3339")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub created_at: OffsetDateTime,
}

/// Changes what is given.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct UpdateMemory {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<MemoryScope>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local_only: Option<bool>,
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub held_from: Option<OffsetDateTime>,
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub held_until: Option<OffsetDateTime>,
}

/// A memory that was found by its meaning, or by its words where there is no model for that.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FoundMemory {
    pub memory: Memory,
    /// The passage of it that is nearest.
    pub passage: String,
    /// How near, on the scale of larger models: 0.7 means the same thing. Absent when found by words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub similarity: Option<f32>,
    /// As the model in use measures it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cosine: Option<f32>,
}

/// What a search among memories found, best first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FoundMemories {
    pub items: Vec<FoundMemory>,
    /// The model that measured. Absent: there is none here, or it was too slow, and words decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The least similarity that was asked for.
    pub threshold: f32,
}

/// What a model thinks worth keeping.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MemorySuggestion {
    pub id: SuggestionId,
    pub content: String,
    pub conversation_id: ConversationId,
    pub source: MemorySource,
    /// What it would take the place of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<Memory>,
    #[serde(with = "time::serde::rfc3339")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub created_at: OffsetDateTime,
}

/// A model asked to forget something: the person decides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Forgetting {
    pub id: ForgettingId,
    pub memory: Memory,
    pub conversation_id: ConversationId,
    /// In the model's words; may be empty.
    pub reason: String,
}

/// What waits for the person to decide.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WaitingMemories {
    pub suggestions: Vec<MemorySuggestion>,
    pub forgetting: Vec<Forgetting>,
}

/// Accepts a suggestion, perhaps in other words.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AcceptSuggestion {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
}

/// Looks through a conversation for what is worth keeping, now.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LookForMemories {
    pub conversation_id: ConversationId,
}

/// What a person wants of their memories.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MemorySettings {
    /// Whether models suggest what to keep after a conversation.
    pub suggest: bool,
    /// Whether models are told of them before they answer.
    pub use_in_answers: bool,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct UpdateMemorySettings {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suggest: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub use_in_answers: Option<bool>,
}

/// How many requests that save or search were made today, and may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MemoryQuota {
    pub tier: Tier,
    pub used: u32,
    /// A day.
    pub limit: u32,
    /// The next midnight, by UTC.
    #[serde(with = "time::serde::rfc3339")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub resets_at: OffsetDateTime,
}
