//! Gemini's `streamGenerateContent`, as a server sees it.

use crate::script::{Call, Ending};
use crate::seeing;
use crate::wire::{Asked, Encode, End, Refusal, data, text_of};
use bytes::{Bytes, BytesMut};
use serde_json::{Value, json};

pub(crate) fn read(body: &Value, model: &str) -> Result<Asked, Refusal> {
    let contents = body["contents"].as_array();
    let contents = contents.ok_or_else(|| Refusal::bad_request("contents is not specified"))?;
    let mut asked = Asked {
        model: model.to_owned(),
        system: text_of(&body["systemInstruction"]["parts"]),
        ..Asked::default()
    };
    asked.count(&asked.system.clone());
    for content in contents {
        let parts = content["parts"].as_array().filter(|parts| !parts.is_empty());
        let parts = parts.ok_or_else(|| Refusal::bad_request("contents.parts must not be empty"))?;
        for part in parts {
            match (content["role"].as_str(), part["text"].as_str()) {
                (Some("user"), Some(text)) => asked.hear(text),
                (Some("model"), Some(text)) => asked.count(text),
                (Some("user"), None) if part["inlineData"].is_object() => {
                    let data = &part["inlineData"];
                    seeing::base64(&data["mimeType"], &data["data"])?;
                    asked.has_picture = true;
                }
                (Some("user"), None) => {
                    let response = &part["functionResponse"];
                    let (name, said) = (response["name"].as_str(), response["response"].as_object());
                    let (Some(name), Some(said)) = (name, said) else {
                        return Err(Refusal::bad_request("functionResponse needs a name and a response"));
                    };
                    let said: Vec<&str> = said.values().filter_map(Value::as_str).collect();
                    asked.result(name, &said.join(" "));
                }
                (Some("model"), None) => {}
                _ => return Err(Refusal::bad_request("Please use a valid role: user, model.")),
            }
        }
    }
    Ok(asked)
}

pub(crate) fn error_body(status: u16, message: &str) -> Value {
    let word = match status {
        400 => "INVALID_ARGUMENT",
        401 => "UNAUTHENTICATED",
        429 => "RESOURCE_EXHAUSTED",
        503 => "UNAVAILABLE",
        _ => "INTERNAL",
    };
    json!({ "error": { "code": status, "message": message, "status": word } })
}

pub(crate) struct Encoder {
    model: String,
    input_tokens: u64,
    thought: bool,
}

impl Encoder {
    pub fn new(asked: &Asked) -> Self {
        Self { model: asked.model.clone(), input_tokens: asked.input_tokens, thought: false }
    }

    fn parts(&self, parts: Value, out: &mut BytesMut) {
        let candidate = json!({ "index": 0, "content": { "role": "model", "parts": parts } });
        data(&json!({ "candidates": [candidate], "modelVersion": self.model }), out);
    }
}

impl Encode for Encoder {
    fn open(&mut self, _out: &mut BytesMut) {}

    fn text(&mut self, text: &str, out: &mut BytesMut) {
        self.parts(json!([{ "text": text }]), out);
    }

    fn reasoning(&mut self, text: &str, out: &mut BytesMut) {
        self.thought = true;
        self.parts(json!([{ "text": text, "thought": true }]), out);
    }

    /// Calls come whole, without ids; the first is signed when there was thinking.
    fn calls(&mut self, calls: &[Call]) -> Vec<Bytes> {
        let mut writes = Vec::new();
        for (index, call) in calls.iter().enumerate() {
            let args: Value =
                serde_json::from_str(&call.arguments).unwrap_or_else(|_| call.arguments.as_str().into());
            let mut part = json!({ "functionCall": { "name": call.name, "args": args } });
            if self.thought && index == 0 {
                part["thoughtSignature"] = "c2lnbmVk".into();
            }
            let mut out = BytesMut::new();
            self.parts(json!([part]), &mut out);
            writes.push(out.freeze());
        }
        writes
    }

    fn end(&mut self, end: End, out: &mut BytesMut) {
        let reason = match end.ending {
            Ending::Length => "MAX_TOKENS",
            Ending::Refuse => "SAFETY",
            _ => "STOP",
        };
        let usage = json!({
            "promptTokenCount": self.input_tokens, "candidatesTokenCount": end.output_tokens,
            "totalTokenCount": self.input_tokens + end.output_tokens,
        });
        let candidate =
            json!({ "index": 0, "finishReason": reason, "content": { "role": "model", "parts": [] } });
        data(&json!({ "candidates": [candidate], "usageMetadata": usage, "modelVersion": self.model }), out);
    }

    fn error(&mut self, kind: &str, out: &mut BytesMut) {
        let error = json!({ "code": 503, "message": "The fake provider was told to fail.", "status": kind });
        data(&json!({ "error": error }), out);
    }

    fn half(&mut self, out: &mut BytesMut) {
        out.extend_from_slice(b"data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"half a wo");
    }

    fn malformed(&mut self, out: &mut BytesMut) {
        out.extend_from_slice(b"data: {\"candidates\":[\n\n");
    }
}
