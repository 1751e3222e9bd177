//! What a model is given beside the words of a conversation: things that are attached, what a person wants every
//! model to know, and what of all that fitted.

use crate::{CollectionId, ConversationId, NoteId};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

/// The kinds of things that can be attached, collected and cited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ThingKind {
    Note,
    File,
    /// A saved one.
    Page,
    Collection,
    Conversation,
}

impl ThingKind {
    pub const ALL: [Self; 5] = [Self::Note, Self::File, Self::Page, Self::Collection, Self::Conversation];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::File => "file",
            Self::Page => "page",
            Self::Collection => "collection",
            Self::Conversation => "conversation",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// What is said in a conversation is found by searching it, and not given to another as a whole.
    pub fn is_attachable(self) -> bool {
        self != Self::Conversation
    }

    /// What stands before the id in an address.
    pub fn path(self) -> &'static str {
        match self {
            Self::Note => "/n/",
            Self::File => "/f/",
            Self::Page => "/p/",
            Self::Collection => "/collections/",
            Self::Conversation => "/c/",
        }
    }
}

/// One thing of any kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Thing {
    pub kind: ThingKind,
    pub id: Uuid,
}

impl Thing {
    /// Where it opens.
    pub fn url(self) -> String {
        format!("{}{}", self.kind.path(), self.id)
    }

    /// The thing that an address of ours names, and the place in it.
    pub fn of_url(url: &str) -> Option<(Self, Option<&str>)> {
        let (path, place) = match url.split_once('#') {
            Some((path, place)) => (path, Some(place).filter(|place| !place.is_empty())),
            None => (url, None),
        };
        let kind = ThingKind::ALL.into_iter().find(|kind| path.starts_with(kind.path()))?;
        let id = path[kind.path().len()..].trim_end_matches('/').parse().ok()?;
        Some((Self { kind, id }, place))
    }
}

/// A thing that is attached or collected, with its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Attached {
    #[serde(flatten)]
    pub thing: Thing,
    /// As it is called now; where it cannot be seen any more, as it was called when it was attached.
    pub title: String,
    /// It was deleted, or is no longer shared with the person: no model is given it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub gone: bool,
}

/// What an answer was given, or the next one would be. Tokens are estimates, rather too many than too few.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Given {
    /// Tokens that the model reads and writes at once.
    pub window: u32,
    /// Tokens that were given.
    pub tokens: u32,
    pub parts: Vec<GivenPart>,
}

/// A part of what was given, or was to be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GivenPart {
    pub kind: PartKind,
    /// What it is called; of instructions and of the conversation, a word of ours.
    pub title: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    pub tokens: u32,
    #[serde(flatten)]
    pub extent: Extent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PartKind {
    Instructions,
    Tools,
    Conversation,
    OpenNote,
    Attachment,
}

/// How much of a part was given; `extent` tells which.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "extent", rename_all = "snake_case")]
pub enum Extent {
    Whole,
    /// The newest messages.
    Messages {
        given: u32,
        of: u32,
    },
    /// The passages that fit the question best.
    Passages {
        given: u32,
    },
    /// As much of the beginning as fits.
    Beginning,
    /// Nothing of it; why, for a person.
    LeftOut {
        reason: String,
    },
}

impl Extent {
    /// Whether something was left out.
    pub fn is_partial(&self) -> bool {
        match self {
            Self::Whole => false,
            Self::Messages { given, of } => given < of,
            Self::Passages { .. } | Self::Beginning | Self::LeftOut { .. } => true,
        }
    }
}

/// A thing that an answer links to and its reader may see, with the place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Source {
    /// As it stands in the answer.
    pub url: String,
    pub kind: ThingKind,
    pub title: String,
    /// Where in it, as a person would say: `Page 3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
}

impl Source {
    /// `Lease.pdf, Page 3`
    pub fn label(&self) -> String {
        match &self.place {
            Some(place) => format!("{}, {place}", self.title),
            None => self.title.clone(),
        }
    }
}

/// What to compute a prompt for that is not sent yet.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PreviewPrompt {
    /// Absent: a conversation that is not begun yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation_id: Option<ConversationId>,
    /// Absent: the conversation's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// What would be asked.
    #[serde(default)]
    pub content: String,
    /// What would be attached with it.
    #[serde(default)]
    pub attachments: Vec<Thing>,
    /// The note that is open beside the conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note_id: Option<NoteId>,
    /// Instructions to try, in place of those that are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instructions: Option<String>,
    /// Whether the text of the prompt is wanted too, and not only how much of what it holds.
    #[serde(default)]
    pub text: bool,
}

/// What a model would be given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PromptPreview {
    /// Absent for the built-in responder, which reads nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given: Option<Given>,
    /// Who it is and what it should know. Empty where the text was not asked for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub system: String,
    /// The person's message with what stands before it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
}

/// What a person wants every model to know.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PromptSettings {
    /// In their words; `{{name}}`, `{{date}}` and the like stand for what they are at each answer.
    pub instructions: String,
    /// Where they are, if they said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
}

/// In degrees.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Location {
    pub latitude: f64,
    pub longitude: f64,
}

/// The weather where a person is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Weather {
    /// In one line: `14 °C, light rain`.
    pub line: String,
    /// All that is known, as models are told it.
    pub details: String,
    #[serde(with = "time::serde::rfc3339")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub at: OffsetDateTime,
}

/// A named set of things.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CollectionSummary {
    pub id: CollectionId,
    pub name: String,
    /// Whether the caller owns it; others may only look.
    pub own: bool,
    /// Things in it that the caller sees.
    pub count: u32,
    #[serde(with = "time::serde::rfc3339")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub updated_at: OffsetDateTime,
}

/// A collection, opened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Collection {
    #[serde(flatten)]
    pub summary: CollectionSummary,
    /// What the caller may see of it, the last added first.
    pub items: Vec<Attached>,
}

/// Makes or renames a collection.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NameCollection {
    pub name: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_a_thing_and_perhaps_a_place() {
        let thing = Thing { kind: ThingKind::File, id: Uuid::now_v7() };
        assert_eq!(Thing::of_url(&thing.url()), Some((thing, None)));
        assert_eq!(Thing::of_url(&format!("{}#p3", thing.url())), Some((thing, Some("p3"))));
        for other in ["/f/", "/f/x", "/p/clip", "https://example.org/f/", "/settings", "#p3"] {
            assert_eq!(Thing::of_url(other), None, "{other}");
        }
    }
}
