//! Anthropic's messages, as a server sees them.

use crate::script::{Call, Ending, Script};
use crate::seeing;
use crate::wire::{Asked, Encode, End, Refusal, escape, pieces, text_of};
use bytes::{Bytes, BytesMut};
use serde_json::{Value, json};
use std::collections::HashMap;

/// What signs the thinking; it has to come back unchanged.
const SIGNATURE: &str = "c2lnbmVkIGJ5IHRoZSBmYWtl";

pub(crate) fn read(body: &Value) -> Result<Asked, Refusal> {
    if body["max_tokens"].as_u64().is_none_or(|most| most == 0) {
        return Err(Refusal::bad_request("max_tokens: Field required"));
    }
    let messages = body["messages"].as_array();
    let messages = messages.ok_or_else(|| Refusal::bad_request("messages: Field required"))?;
    let mut asked = Asked {
        model: body["model"].as_str().unwrap_or_default().to_owned(),
        system: text_of(&body["system"]),
        ..Asked::default()
    };
    asked.count(&asked.system.clone());
    let mut open: HashMap<String, String> = HashMap::new();
    for message in messages {
        let blocks = match &message["content"] {
            Value::String(text) => vec![json!({ "type": "text", "text": text })],
            Value::Array(blocks) => blocks.clone(),
            _ => Vec::new(),
        };
        if blocks.is_empty() {
            return Err(Refusal::bad_request("messages: content must not be empty"));
        }
        for block in &blocks {
            read_block(&mut asked, message["role"].as_str().unwrap_or_default(), block, &mut open)?;
        }
    }
    Ok(asked)
}

fn read_block(
    asked: &mut Asked,
    role: &str,
    block: &Value,
    open: &mut HashMap<String, String>,
) -> Result<(), Refusal> {
    let text = block["text"].as_str().unwrap_or_default();
    let kind = block["type"].as_str().unwrap_or_default();
    if kind != "tool_result" && role == "user" && !open.is_empty() {
        return Err(Refusal::bad_request(
            "`tool_use` ids were found without `tool_result` blocks immediately after",
        ));
    }
    match (role, kind) {
        (_, "text") if text.trim().is_empty() => {
            return Err(Refusal::bad_request("messages: text content blocks must be non-empty"));
        }
        ("user", "text") => asked.hear(text),
        ("user", "image") => {
            asked.has_picture = true;
            seeing::image_block(block)?;
        }
        ("user", "tool_result") => {
            let id = block["tool_use_id"].as_str().unwrap_or_default();
            let name = open.remove(id);
            let name = name.ok_or_else(|| Refusal::bad_request(format!("unexpected `tool_use_id`: {id}")))?;
            asked.result(&name, &text_of(&block["content"]));
        }
        ("assistant", "text") => asked.count(text),
        ("assistant", "tool_use") => {
            if !block["input"].is_object() {
                return Err(Refusal::bad_request("tool_use.input: Input should be a valid dictionary"));
            }
            let field = |name: &str| block[name].as_str().unwrap_or_default().to_owned();
            open.insert(field("id"), field("name"));
        }
        ("assistant", "thinking") if block["signature"] != SIGNATURE => {
            return Err(Refusal::bad_request("Invalid `signature` in `thinking` block"));
        }
        ("assistant", "thinking" | "redacted_thinking") => {}
        _ => {
            return Err(Refusal::bad_request(format!(
                "a block of type '{kind}' has no place in a message of role '{role}'"
            )));
        }
    }
    Ok(())
}

/// A turn that thought before it called has to come back with its thinking in front.
pub(crate) fn check_thinking(body: &Value, user: &str, asked: &Asked) -> Result<(), Refusal> {
    let thought = Script::read(user, &[]).acts.iter().any(|act| matches!(act, crate::script::Act::Reason(_)));
    if !thought || asked.results.is_empty() {
        return Ok(());
    }
    let messages = body["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let last = messages.iter().rev().find(|message| message["role"] == "assistant");
    match last.map(|message| &message["content"][0]["type"]) {
        Some(kind) if kind == "thinking" => Ok(()),
        _ => Err(Refusal::bad_request("Expected `thinking` or `redacted_thinking`, but found `tool_use`")),
    }
}

pub(crate) fn error_kind(status: u16) -> &'static str {
    match status {
        400 => "invalid_request_error",
        401 => "authentication_error",
        404 => "not_found_error",
        429 => "rate_limit_error",
        529 => "overloaded_error",
        _ => "api_error",
    }
}

pub(crate) fn error_body(kind: &str, message: &str) -> Value {
    json!({ "type": "error", "error": { "type": kind, "message": message } })
}

#[derive(Clone, Copy, PartialEq)]
enum Open {
    Nothing,
    Text,
    Thinking,
}

pub(crate) struct Encoder {
    model: String,
    id: u64,
    input_tokens: u64,
    index: usize,
    open: Open,
}

impl Encoder {
    pub fn new(asked: &Asked, id: u64) -> Self {
        Self {
            model: asked.model.clone(),
            id,
            input_tokens: asked.input_tokens,
            index: 0,
            open: Open::Nothing,
        }
    }

    /// Ends the block that is open, when it is not of the kind wanted, and opens that.
    fn switch(&mut self, to: Open, out: &mut BytesMut) {
        if self.open == to {
            return;
        }
        if self.open == Open::Thinking {
            let delta = json!({ "type": "signature_delta", "signature": SIGNATURE });
            event("content_block_delta", &json!({ "index": self.index, "delta": delta }), out);
        }
        if self.open != Open::Nothing {
            event("content_block_stop", &json!({ "index": self.index }), out);
            self.index += 1;
        }
        self.open = to;
        let block = match to {
            Open::Nothing => return,
            Open::Text => json!({ "type": "text", "text": "" }),
            Open::Thinking => json!({ "type": "thinking", "thinking": "", "signature": "" }),
        };
        event("content_block_start", &json!({ "index": self.index, "content_block": block }), out);
    }

    fn delta(&self, kind: &str, field: &str, text: &str, out: &mut BytesMut) {
        let head = format!(
            "event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":{},\"delta\":{{\"type\":\"{kind}\",\"{field}\":\"",
            self.index
        );
        out.extend_from_slice(head.as_bytes());
        escape(text, out);
        out.extend_from_slice(b"\"}}\n\n");
    }
}

/// An event under its name, which is also the `type` of its data.
fn event(name: &str, fields: &Value, out: &mut BytesMut) {
    let mut data = fields.clone();
    data["type"] = name.into();
    out.extend_from_slice(format!("event: {name}\ndata: {data}\n\n").as_bytes());
}

impl Encode for Encoder {
    fn open(&mut self, out: &mut BytesMut) {
        let message = json!({
            "id": format!("msg_{}", self.id), "type": "message", "role": "assistant", "model": self.model,
            "content": [], "stop_reason": null, "stop_sequence": null,
            "usage": { "input_tokens": self.input_tokens, "output_tokens": 1 },
        });
        event("message_start", &json!({ "message": message }), out);
        event("ping", &json!({}), out);
    }

    fn text(&mut self, text: &str, out: &mut BytesMut) {
        self.switch(Open::Text, out);
        self.delta("text_delta", "text", text, out);
    }

    fn reasoning(&mut self, text: &str, out: &mut BytesMut) {
        self.switch(Open::Thinking, out);
        self.delta("thinking_delta", "thinking", text, out);
    }

    fn calls(&mut self, calls: &[Call]) -> Vec<Bytes> {
        let mut out = BytesMut::new();
        self.switch(Open::Nothing, &mut out);
        let mut writes = Vec::new();
        for (number, call) in calls.iter().enumerate() {
            let id = format!("toolu_{}_{number}", self.id);
            let block = json!({ "type": "tool_use", "id": id, "name": call.name, "input": {} });
            event("content_block_start", &json!({ "index": self.index, "content_block": block }), &mut out);
            for piece in std::iter::once("").chain(pieces(&call.arguments)) {
                self.delta("input_json_delta", "partial_json", piece, &mut out);
                writes.push(out.split().freeze());
            }
            event("content_block_stop", &json!({ "index": self.index }), &mut out);
            self.index += 1;
        }
        writes.push(out.freeze());
        writes
    }

    fn end(&mut self, end: End, out: &mut BytesMut) {
        self.switch(Open::Nothing, out);
        let reason = match end.ending {
            Ending::Length => "max_tokens",
            Ending::Refuse => "refusal",
            _ if end.called => "tool_use",
            _ => "end_turn",
        };
        let delta = json!({ "stop_reason": reason, "stop_sequence": null });
        event(
            "message_delta",
            &json!({ "delta": delta, "usage": { "output_tokens": end.output_tokens } }),
            out,
        );
        event("message_stop", &json!({}), out);
    }

    fn error(&mut self, kind: &str, out: &mut BytesMut) {
        let error = json!({ "type": kind, "message": "The fake provider was told to fail." });
        event("error", &json!({ "error": error }), out);
    }

    fn half(&mut self, out: &mut BytesMut) {
        out.extend_from_slice(
            b"event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"del",
        );
    }

    fn malformed(&mut self, out: &mut BytesMut) {
        out.extend_from_slice(
            b"event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":\n\n",
        );
    }
}
