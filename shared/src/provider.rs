//! Model providers and the models they offer. Keys go in and never come out.

use crate::{ProviderId, ProviderKeyId};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// Which wire a provider speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ProviderKind {
    /// OpenAI's chat completions, and everything compatible with them.
    Openai,
    Anthropic,
    Gemini,
    /// Ollama's own `/api/chat`.
    Ollama,
}

impl ProviderKind {
    pub const ALL: [Self; 4] = [Self::Openai, Self::Anthropic, Self::Gemini, Self::Ollama];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Openai => "openai",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
            Self::Ollama => "ollama",
        }
    }

    /// Where the provider's own service answers.
    pub fn default_base_url(self) -> &'static str {
        match self {
            Self::Openai => "https://api.openai.com/v1/",
            Self::Anthropic => "https://api.anthropic.com/v1/",
            Self::Gemini => "https://generativelanguage.googleapis.com/v1beta/",
            Self::Ollama => "http://127.0.0.1:11434/",
        }
    }
}

impl std::str::FromStr for ProviderKind {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|k| k.as_str() == s).ok_or_else(|| {
            format!("‘{s}’ is not a kind of provider: use openai, anthropic, gemini or ollama")
        })
    }
}

/// A configured provider, as admins see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Provider {
    pub id: ProviderId,
    pub kind: ProviderKind,
    /// Unique on the server; the first half of `provider/model`.
    pub name: String,
    pub base_url: String,
    /// The models that people may choose.
    pub models: Vec<String>,
    /// Whether its first model answers where none is chosen.
    pub is_default: bool,
    pub keys: Vec<ProviderKey>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProviderKey {
    pub id: ProviderKeyId,
    /// Always true; the key itself is never returned.
    pub api_key_set: bool,
    /// Until when it is left alone after a failure.
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub resting_until: Option<OffsetDateTime>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
}

#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateProvider {
    pub kind: ProviderKind,
    pub name: String,
    /// Absent: the provider's own service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    #[serde(default)]
    pub models: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key: Option<String>,
}

/// Changes to a provider; what is absent stays.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct UpdateProvider {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub models: Option<Vec<String>>,
    /// `true` makes it the default in place of the one that was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_default: Option<bool>,
}

#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AddProviderKey {
    pub api_key: String,
}

/// How a try of a provider went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProviderTest {
    pub ok: bool,
    /// What the provider said, or why it could not be reached.
    pub message: String,
    /// Time to the first token.
    pub first_token_ms: Option<u64>,
}

/// A model that a person may choose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Model {
    /// `provider/model`.
    pub id: String,
    /// What to show.
    pub name: String,
    /// The provider's name.
    pub provider: String,
    /// False only for the built-in search responder.
    pub is_language_model: bool,
    pub is_default: bool,
}

/// The built-in responder: it searches the workspace and quotes what it finds.
pub const BUILT_IN_MODEL: &str = "sidebar/search";
