//! OpenAI's chat completions, as a server sees them.

use crate::script::{Call, Ending, Field, Script};
use crate::seeing;
use crate::wire::{Asked, Encode, End, Refusal, data, escape, pieces, text_of};
use bytes::{Bytes, BytesMut};
use serde_json::{Value, json};
use std::collections::HashMap;

pub(crate) fn read(body: &Value) -> Result<Asked, Refusal> {
    let messages = body["messages"].as_array();
    let messages = messages.ok_or_else(|| Refusal::bad_request("Missing required parameter: 'messages'."))?;
    let mut asked =
        Asked { model: body["model"].as_str().unwrap_or_default().to_owned(), ..Asked::default() };
    // Calls that wait for their results, by id.
    let mut open: HashMap<&str, &str> = HashMap::new();
    for message in messages {
        let text = text_of(&message["content"]);
        let role = message["role"].as_str().unwrap_or_default();
        if role != "tool" && !open.is_empty() {
            return Err(Refusal::bad_request(
                "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'.",
            ));
        }
        match role {
            "system" | "developer" => {
                asked.count(&text);
                asked.system.push_str(&text);
            }
            "user" => {
                let parts = message["content"].as_array().into_iter().flatten();
                let mut pictures = parts.filter(|part| part["type"] == "image_url").peekable();
                asked.has_picture = pictures.peek().is_some();
                pictures.try_for_each(seeing::image_url)?;
                asked.hear(&text);
            }
            "assistant" => {
                asked.count(&text);
                for call in message["tool_calls"].as_array().into_iter().flatten() {
                    let id = call["id"].as_str().unwrap_or_default();
                    open.insert(id, call["function"]["name"].as_str().unwrap_or_default());
                }
            }
            "tool" => {
                let id = message["tool_call_id"].as_str().unwrap_or_default();
                let name = open.remove(id).ok_or_else(|| {
                    Refusal::bad_request("Messages with role 'tool' must be a response to a preceding message with 'tool_calls'.")
                })?;
                asked.result(name, &text);
            }
            other => return Err(Refusal::bad_request(format!("Invalid value: '{other}'."))),
        }
    }
    Ok(asked)
}

pub(crate) fn check_fields(body: &Value, script: &Script) -> Result<(), Refusal> {
    for field in &script.refuses {
        match field {
            Field::StreamOptions if body.get("stream_options").is_some() => {
                return Err(Refusal {
                    status: 422,
                    ..Refusal::bad_request("Extra inputs are not permitted: stream_options")
                });
            }
            Field::MaxTokens if body.get("max_tokens").is_some() => {
                return Err(Refusal::bad_request(
                    "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
                ));
            }
            _ => {}
        }
    }
    Ok(())
}

pub(crate) fn error_body(status: u16, message: &str) -> Value {
    let kind = match status {
        401 => "invalid_request_error",
        429 => "rate_limit_error",
        _ => "server_error",
    };
    json!({ "error": { "message": message, "type": kind, "param": null, "code": null } })
}

pub(crate) struct Encoder {
    /// An event up to the value of `delta`, and behind it.
    prefix: String,
    text_prefix: String,
    reasoning_prefix: String,
    base: Value,
    id: u64,
    usage: Option<u64>,
}

const SUFFIX: &str = "},\"finish_reason\":null}]}\n\n";

impl Encoder {
    pub fn new(asked: &Asked, body: &Value, id: u64, created: u64) -> Self {
        let base = json!({
            "id": format!("chatcmpl-{id}"), "object": "chat.completion.chunk", "created": created, "model": asked.model,
        });
        let fields = base.to_string();
        let prefix = format!(
            "data: {},\"choices\":[{{\"index\":0,\"delta\":",
            fields.strip_suffix('}').unwrap_or(&fields)
        );
        let usage = (body["stream_options"]["include_usage"] == true).then_some(asked.input_tokens);
        Self {
            text_prefix: format!("{prefix}{{\"content\":\""),
            reasoning_prefix: format!("{prefix}{{\"reasoning_content\":\""),
            prefix,
            base,
            id,
            usage,
        }
    }

    fn delta(&self, delta: &Value) -> Bytes {
        let delta = delta.to_string();
        let delta = delta.strip_suffix('}').unwrap_or(&delta);
        Bytes::from(format!("{}{delta}{SUFFIX}", self.prefix))
    }

    fn whole(&self, field: &str, value: Value) -> Value {
        let mut event = self.base.clone();
        event[field] = value;
        event
    }
}

impl Encode for Encoder {
    fn open(&mut self, out: &mut BytesMut) {
        out.extend_from_slice(&self.delta(&json!({ "role": "assistant", "content": "" })));
    }

    fn text(&mut self, text: &str, out: &mut BytesMut) {
        out.extend_from_slice(self.text_prefix.as_bytes());
        escape(text, out);
        out.extend_from_slice(b"\"");
        out.extend_from_slice(SUFFIX.as_bytes());
    }

    fn reasoning(&mut self, text: &str, out: &mut BytesMut) {
        out.extend_from_slice(self.reasoning_prefix.as_bytes());
        escape(text, out);
        out.extend_from_slice(b"\"");
        out.extend_from_slice(SUFFIX.as_bytes());
    }

    /// The pieces of parallel calls alternate, as they may.
    fn calls(&mut self, calls: &[Call]) -> Vec<Bytes> {
        let mut writes = Vec::new();
        for (index, call) in calls.iter().enumerate() {
            let function = json!({ "name": call.name, "arguments": "" });
            let id = format!("call_{}_{index}", self.id);
            writes.push(self.delta(&json!({
                "tool_calls": [{ "index": index, "id": id, "type": "function", "function": function }],
            })));
        }
        let arguments: Vec<Vec<&str>> = calls.iter().map(|call| pieces(&call.arguments)).collect();
        let longest = arguments.iter().map(Vec::len).max().unwrap_or_default();
        for turn in 0..longest {
            for (index, pieces) in arguments.iter().enumerate() {
                if let Some(piece) = pieces.get(turn) {
                    let call = json!({ "index": index, "function": { "arguments": piece } });
                    writes.push(self.delta(&json!({ "tool_calls": [call] })));
                }
            }
        }
        writes
    }

    fn end(&mut self, end: End, out: &mut BytesMut) {
        let reason = match end.ending {
            Ending::Length => "length",
            Ending::Refuse => "content_filter",
            _ if end.called => "tool_calls",
            _ => "stop",
        };
        let choices = json!([{ "index": 0, "delta": {}, "finish_reason": reason }]);
        data(&self.whole("choices", choices), out);
        if let Some(input) = self.usage {
            let mut event = self.whole("choices", json!([]));
            event["usage"] = json!({
                "prompt_tokens": input, "completion_tokens": end.output_tokens, "total_tokens": input + end.output_tokens,
            });
            data(&event, out);
        }
        out.extend_from_slice(b"data: [DONE]\n\n");
    }

    fn error(&mut self, kind: &str, out: &mut BytesMut) {
        data(&json!({ "error": { "message": "The fake provider was told to fail.", "type": kind } }), out);
    }

    fn half(&mut self, out: &mut BytesMut) {
        out.extend_from_slice(self.text_prefix.as_bytes());
        out.extend_from_slice(b"half a wo");
    }

    fn malformed(&mut self, out: &mut BytesMut) {
        out.extend_from_slice(b"data: {\"choices\":[{\"delta\":\n\n");
    }
}
