//! Ollama's own `/api/chat`: one JSON text a line.

use crate::calls::{CallIds, as_object, check_arguments, check_count};
use crate::frames::Frame;
use crate::wire::Decode;
use crate::{CallRequest, Chunk, EndReason, Error, Prompt, Target, ToolOutput, Turn};
use serde::Deserialize;
use serde_json::{Value, json};
use shared::conversation::Usage;
use std::collections::VecDeque;

pub(crate) fn body(target: &Target, prompt: &Prompt) -> Value {
    let mut messages = Vec::new();
    if !prompt.system.is_empty() {
        messages.push(json!({ "role": "system", "content": prompt.system }));
    }
    for turn in &prompt.turns {
        match turn {
            Turn::User(text) => messages.push(json!({ "role": "user", "content": text })),
            Turn::Picture { picture, question } => {
                messages.push(json!({ "role": "user", "content": question, "images": [picture.base64()] }))
            }
            Turn::Assistant { text, tool_calls, .. } => messages.extend(assistant(text, tool_calls)),
            Turn::ToolResults(outputs) => messages.extend(outputs.iter().map(tool_message)),
        }
    }
    let mut body = json!({
        "model": target.model, "stream": true, "messages": messages,
        "options": { "num_predict": prompt.max_tokens },
    });
    if !prompt.tools.is_empty() {
        let tool = |tool: &crate::ToolSpec| {
            json!({ "type": "function", "function": {
                "name": tool.name, "description": tool.description, "parameters": tool.parameters,
            }})
        };
        body["tools"] = prompt.tools.iter().map(tool).collect();
    }
    body
}

fn assistant(text: &str, calls: &[CallRequest]) -> Option<Value> {
    if text.is_empty() && calls.is_empty() {
        return None;
    }
    let mut message = json!({ "role": "assistant", "content": text });
    if !calls.is_empty() {
        let call =
            |call: &CallRequest| json!({ "function": { "name": call.name, "arguments": as_object(call) } });
        message["tool_calls"] = calls.iter().map(call).collect();
    }
    Some(message)
}

/// Results are matched to calls by name and order: the wire has no ids.
fn tool_message(output: &ToolOutput) -> Value {
    let content = if output.ok { output.content.clone() } else { format!("Error: {}", output.content) };
    json!({ "role": "tool", "tool_name": output.name, "content": content })
}

#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    message: Option<Message>,
    #[serde(default)]
    done: bool,
    #[serde(default)]
    done_reason: Option<String>,
    #[serde(default)]
    prompt_eval_count: Option<u64>,
    #[serde(default)]
    eval_count: Option<u64>,
    #[serde(default)]
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    content: Option<String>,
    #[serde(default)]
    thinking: Option<String>,
    #[serde(default)]
    tool_calls: Option<Vec<Call>>,
}

#[derive(Deserialize)]
struct Call {
    function: Function,
}

#[derive(Deserialize)]
struct Function {
    name: String,
    #[serde(default)]
    arguments: Value,
}

pub(crate) struct Decoder {
    ids: CallIds,
    calls: usize,
    ended: bool,
}

impl Decoder {
    pub fn new(prompt: &Prompt) -> Self {
        Self { ids: CallIds::new(prompt), calls: 0, ended: false }
    }

    fn message(&mut self, message: Message, out: &mut VecDeque<Chunk>) -> Result<(), Error> {
        out.extend(message.thinking.filter(|text| !text.is_empty()).map(Chunk::Reasoning));
        out.extend(message.content.filter(|text| !text.is_empty()).map(Chunk::Text));
        for Call { function } in message.tool_calls.unwrap_or_default() {
            self.calls += 1;
            check_count(self.calls)?;
            out.push_back(Chunk::ToolCall(CallRequest {
                id: self.ids.assign(""),
                name: function.name,
                arguments: check_arguments(function.arguments),
            }));
        }
        Ok(())
    }
}

impl Decode for Decoder {
    fn frame(&mut self, frame: &Frame, out: &mut VecDeque<Chunk>) -> Result<(), Error> {
        let line: Line = serde_json::from_str(&frame.data).map_err(|e| Error::not_the_wire(&e))?;
        if let Some(error) = line.error {
            return Err(Error::in_stream(&error));
        }
        if let Some(message) = line.message {
            self.message(message, out)?;
        }
        if !line.done || std::mem::replace(&mut self.ended, true) {
            return Ok(());
        }
        if line.eval_count.or(line.prompt_eval_count).is_some() {
            out.push_back(Chunk::Usage(Usage {
                input_tokens: line.prompt_eval_count.unwrap_or_default(),
                output_tokens: line.eval_count.unwrap_or_default(),
            }));
        }
        let reason = match line.done_reason.as_deref() {
            Some("length") => EndReason::Length,
            _ if self.calls > 0 => EndReason::ToolCalls,
            _ => EndReason::Stop,
        };
        out.push_back(Chunk::End { reason, opaque: None });
        Ok(())
    }

    /// The line that ends the answer is also the one that makes it whole.
    fn is_whole(&self) -> bool {
        self.ended
    }

    fn close(&mut self, _out: &mut VecDeque<Chunk>) -> Result<(), Error> {
        Ok(())
    }
}
