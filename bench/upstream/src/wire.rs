//! What the four wires have in common: what is read from a request, and what an answer is made of.

use crate::script::{Call, Ending, ToolResult};
use bytes::{Bytes, BytesMut};
use serde::Serialize;
use serde_json::Value;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Wire {
    Openai,
    Anthropic,
    Gemini,
    Ollama,
}

/// What a request asks, whatever its wire.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    pub model: String,
    pub system: String,
    /// The last message of the user.
    pub user: String,
    /// Whether it comes with a picture.
    pub has_picture: bool,
    /// The results of tools that came after it.
    pub results: Vec<ToolResult>,
    /// Words, which stand for tokens here.
    pub input_tokens: u64,
}

impl Asked {
    pub fn hear(&mut self, text: &str) {
        self.user = text.to_owned();
        self.results.clear();
        self.count(text);
    }

    pub fn result(&mut self, name: &str, content: &str) {
        self.results.push(ToolResult { name: name.to_owned(), content: content.to_owned() });
        self.count(content);
    }

    pub fn count(&mut self, text: &str) {
        self.input_tokens += text.split_whitespace().count() as u64;
    }
}

/// Why a request is refused: a status and what the service would say.
pub(crate) struct Refusal {
    pub status: u16,
    pub message: String,
    pub retry_after: Option<u32>,
}

impl Refusal {
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self { status: 400, message: message.into(), retry_after: None }
    }
}

/// Writes the pieces of one answer. Each `Bytes` is one write to the network.
pub(crate) trait Encode: Send {
    fn open(&mut self, out: &mut BytesMut);
    fn text(&mut self, text: &str, out: &mut BytesMut);
    fn reasoning(&mut self, text: &str, out: &mut BytesMut);
    fn calls(&mut self, calls: &[Call]) -> Vec<Bytes>;
    fn end(&mut self, end: End, out: &mut BytesMut);
    fn error(&mut self, kind: &str, out: &mut BytesMut);
    /// The start of an event whose end never comes.
    fn half(&mut self, out: &mut BytesMut);
    fn malformed(&mut self, out: &mut BytesMut);
}

pub(crate) struct End {
    pub ending: Ending,
    pub called: bool,
    pub output_tokens: u64,
}

/// Text from a field that is a string or a list of parts with `text`.
pub(crate) fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
        _ => String::new(),
    }
}

/// The text as it stands between the quotes of a JSON string.
pub(crate) fn escape(text: &str, out: &mut BytesMut) {
    let plain = |b: u8| b >= 0x20 && b != b'"' && b != b'\\';
    if text.bytes().all(plain) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    let quoted = Value::from(text).to_string();
    out.extend_from_slice(&quoted.as_bytes()[1..quoted.len() - 1]);
}

/// One server-sent event with data alone.
pub(crate) fn data(value: &Value, out: &mut BytesMut) {
    out.extend_from_slice(format!("data: {value}\n\n").as_bytes());
}

/// The arguments in pieces that end anywhere, as models write them.
pub(crate) fn pieces(arguments: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = arguments;
    while !rest.is_empty() {
        let end = rest.char_indices().nth(5).map_or(rest.len(), |(at, _)| at);
        let (piece, after) = rest.split_at(end);
        pieces.push(piece);
        rest = after;
    }
    pieces
}
