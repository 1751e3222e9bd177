//! What is asked of a model: where it answers, what was said so far, which tools it may call.
//! Plain data. It must never show a key, not even through `Debug`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::SecretString;
use serde_json::Value;
use shared::provider::ProviderKind;
use std::fmt;
use std::sync::Arc;

/// A model at a provider.
#[derive(Clone)]
pub struct Target {
    pub kind: ProviderKind,
    /// With or without a slash at its end; a query (`?api-version=…`) is kept.
    pub base_url: String,
    /// Absent for servers that want none.
    pub api_key: Option<SecretString>,
    /// The provider's own name of the model. Not read by [`crate::Client::list_models`].
    pub model: String,
}

impl fmt::Debug for Target {
    /// Only the host of the address: people put keys into queries and passwords before the `@`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = reqwest::Url::parse(&self.base_url).ok();
        f.debug_struct("Target")
            .field("kind", &self.kind)
            .field("host", &url.as_ref().and_then(reqwest::Url::host_str).unwrap_or("?"))
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}

/// One request to a model.
#[derive(Clone, Debug, Default)]
pub struct Prompt {
    /// Empty: none is sent.
    pub system: String,
    pub turns: Vec<Turn>,
    pub tools: Arc<[ToolSpec]>,
    /// The most tokens the model may write, its reasoning included.
    pub max_tokens: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Turn {
    User(String),
    /// A picture, and what is asked about it.
    Picture {
        picture: Picture,
        question: String,
    },
    Assistant {
        text: String,
        tool_calls: Vec<CallRequest>,
        /// What [`Chunk::End`] carried at the end of that turn, given back unchanged. It names the
        /// wire and the model it came from, and is left out when the prompt goes to another.
        opaque: Option<Value>,
    },
    /// The results of all calls of the assistant's turn before, in one turn.
    ToolResults(Vec<ToolOutput>),
}

#[derive(Clone, PartialEq)]
pub struct Picture {
    pub media_type: &'static str,
    pub bytes: Vec<u8>,
}

impl Picture {
    /// As all wires carry it.
    pub(crate) fn base64(&self) -> String {
        STANDARD.encode(&self.bytes)
    }
}

impl fmt::Debug for Picture {
    /// What it is, not what it shows.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Picture({}, {} bytes)", self.media_type, self.bytes.len())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct ToolSpec {
    pub name: String,
    pub description: String,
    /// A JSON Schema of type `object`.
    pub parameters: Value,
}

/// A call that the model wants made.
#[derive(Clone, Debug, PartialEq)]
pub struct CallRequest {
    /// Unique among all calls of the prompt and its answer; made up where the provider gives none.
    pub id: String,
    pub name: String,
    /// An object. What the model wrote that is not a JSON object arrives as `Value::String` with
    /// the text as it came: see [`CallRequest::unreadable_arguments`].
    pub arguments: Value,
}

impl CallRequest {
    /// The arguments as the model wrote them, when they are not a JSON object. Such a call is not
    /// to be run: answer it with a [`ToolOutput`] that is not `ok` and says so, and the model can
    /// try again.
    pub fn unreadable_arguments(&self) -> Option<&str> {
        self.arguments.as_str()
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct ToolOutput {
    pub call_id: String,
    /// The tool's name; some wires match by it.
    pub name: String,
    /// Whether the tool did what was asked; if not, `content` says why.
    pub ok: bool,
    pub content: String,
}

/// A piece of an answer, as soon as it is known.
#[derive(Clone, Debug, PartialEq)]
pub enum Chunk {
    Text(String),
    Reasoning(String),
    /// Complete: its arguments have all arrived.
    ToolCall(CallRequest),
    /// At most once in a stream, before `End`, for this request alone.
    Usage(shared::conversation::Usage),
    /// Always the last.
    End {
        reason: EndReason,
        opaque: Option<Value>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// The model was done.
    Stop,
    /// The model waits for the results of its calls.
    ToolCalls,
    /// The limit on tokens was reached.
    Length,
    /// The model or the provider declined to go on; text that came before may be kept.
    Refused,
}

/// Ends after `End` or after the first error.
pub type ChunkStream = futures::stream::BoxStream<'static, Result<Chunk, crate::Error>>;
