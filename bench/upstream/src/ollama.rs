//! Ollama's `/api/chat`, as a server sees it.

use crate::script::{Call, Ending};
use crate::seeing;
use crate::wire::{Asked, Encode, End, Refusal, text_of};
use bytes::{Bytes, BytesMut};
use serde_json::{Value, json};

pub(crate) fn read(body: &Value) -> Result<Asked, Refusal> {
    let messages = body["messages"].as_array();
    let messages = messages.ok_or_else(|| Refusal::bad_request("messages are required"))?;
    let mut asked =
        Asked { model: body["model"].as_str().unwrap_or_default().to_owned(), ..Asked::default() };
    for message in messages {
        let text = text_of(&message["content"]);
        match message["role"].as_str() {
            Some("system") => {
                asked.count(&text);
                asked.system.push_str(&text);
            }
            Some("user") => {
                for picture in message["images"].as_array().into_iter().flatten() {
                    seeing::base64(&"image/jpeg".into(), picture)?;
                    asked.has_picture = true;
                }
                asked.hear(&text);
            }
            Some("assistant") => asked.count(&text),
            Some("tool") => {
                let name = message["tool_name"].as_str();
                asked.result(name.ok_or_else(|| Refusal::bad_request("tool_name is required"))?, &text);
            }
            _ => return Err(Refusal::bad_request("invalid role")),
        }
    }
    Ok(asked)
}

pub(crate) struct Encoder {
    model: String,
    input_tokens: u64,
}

impl Encoder {
    pub fn new(asked: &Asked) -> Self {
        Self { model: asked.model.clone(), input_tokens: asked.input_tokens }
    }

    fn message(&self, message: &Value, out: &mut BytesMut) {
        line(&json!({ "model": self.model, "message": message, "done": false }), out);
    }
}

fn line(value: &Value, out: &mut BytesMut) {
    out.extend_from_slice(format!("{value}\n").as_bytes());
}

impl Encode for Encoder {
    fn open(&mut self, _out: &mut BytesMut) {}

    fn text(&mut self, text: &str, out: &mut BytesMut) {
        self.message(&json!({ "role": "assistant", "content": text }), out);
    }

    fn reasoning(&mut self, text: &str, out: &mut BytesMut) {
        self.message(&json!({ "role": "assistant", "content": "", "thinking": text }), out);
    }

    fn calls(&mut self, calls: &[Call]) -> Vec<Bytes> {
        let call = |call: &Call| {
            let arguments: Value =
                serde_json::from_str(&call.arguments).unwrap_or_else(|_| call.arguments.as_str().into());
            json!({ "function": { "name": call.name, "arguments": arguments } })
        };
        let calls: Vec<Value> = calls.iter().map(call).collect();
        let mut out = BytesMut::new();
        self.message(&json!({ "role": "assistant", "content": "", "tool_calls": calls }), &mut out);
        vec![out.freeze()]
    }

    fn end(&mut self, end: End, out: &mut BytesMut) {
        let reason = if end.ending == Ending::Length { "length" } else { "stop" };
        line(
            &json!({
                "model": self.model, "message": { "role": "assistant", "content": "" },
                "done": true, "done_reason": reason,
                "prompt_eval_count": self.input_tokens, "eval_count": end.output_tokens,
            }),
            out,
        );
    }

    fn error(&mut self, kind: &str, out: &mut BytesMut) {
        line(&json!({ "error": format!("The fake provider was told to fail: {kind}") }), out);
    }

    fn half(&mut self, out: &mut BytesMut) {
        out.extend_from_slice(
            b"{\"model\":\"m\",\"message\":{\"role\":\"assistant\",\"content\":\"half a wo",
        );
    }

    fn malformed(&mut self, out: &mut BytesMut) {
        out.extend_from_slice(b"{\"model\":\"m\",\"message\":\n");
    }
}
