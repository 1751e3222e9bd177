//! OpenAI's chat completions, and the many servers that speak them with an accent.

use crate::calls::{CallIds, Held, check_count, read_arguments};
use crate::frames::Frame;
use crate::wire::Decode;
use crate::{CallRequest, Chunk, EndReason, Error, Prompt, Target, ToolOutput, Turn};
use serde::Deserialize;
use serde_json::{Value, json};
use shared::conversation::Usage;
use std::collections::VecDeque;

/// What a server accepts of what has been added to the wire over the years.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dialect {
    pub usage: AskForUsage,
    pub limit: LimitField,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AskForUsage {
    /// With `stream_options`.
    Yes,
    No,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LimitField {
    /// `max_tokens`, which every server knows but OpenAI's reasoning models refuse.
    MaxTokens,
    /// `max_completion_tokens`.
    MaxCompletionTokens,
}

impl Default for Dialect {
    fn default() -> Self {
        Self { usage: AskForUsage::Yes, limit: LimitField::MaxTokens }
    }
}

impl Dialect {
    /// The dialect to try next, when a server refused a request of this one with `error`.
    pub fn after(self, error: &Error) -> Option<Self> {
        let Error::Status { status: 400 | 422, message } = error else {
            return None;
        };
        let message = message.to_lowercase();
        let names = |words: &[&str]| words.iter().any(|word| message.contains(word));
        if self.limit == LimitField::MaxTokens && names(&["max_completion_tokens"]) {
            return Some(Self { limit: LimitField::MaxCompletionTokens, ..self });
        }
        // Servers that check strictly do not always name the field.
        let strict = [
            "stream_options",
            "include_usage",
            "unknown",
            "unrecognized",
            "extra",
            "additional propert",
            "unsupported",
            "not permitted",
            "not supported",
        ];
        (self.usage == AskForUsage::Yes && names(&strict)).then_some(Self { usage: AskForUsage::No, ..self })
    }
}

pub(crate) fn body(target: &Target, prompt: &Prompt, dialect: Dialect) -> Value {
    let mut messages = Vec::new();
    if !prompt.system.is_empty() {
        messages.push(json!({ "role": "system", "content": prompt.system }));
    }
    for turn in &prompt.turns {
        match turn {
            Turn::User(text) => messages.push(json!({ "role": "user", "content": text })),
            Turn::Picture { picture, question } => {
                let url = format!("data:{};base64,{}", picture.media_type, picture.base64());
                messages.push(json!({ "role": "user", "content": [
                    { "type": "image_url", "image_url": { "url": url } },
                    { "type": "text", "text": question },
                ]}));
            }
            Turn::Assistant { text, tool_calls, opaque } => {
                messages.extend(assistant(target, text, tool_calls, opaque.as_ref()));
            }
            Turn::ToolResults(outputs) => messages.extend(outputs.iter().map(tool_message)),
        }
    }
    let mut body = json!({ "model": target.model, "stream": true, "messages": messages });
    if dialect.usage == AskForUsage::Yes {
        body["stream_options"] = json!({ "include_usage": true });
    }
    match dialect.limit {
        LimitField::MaxTokens => body["max_tokens"] = prompt.max_tokens.into(),
        LimitField::MaxCompletionTokens => body["max_completion_tokens"] = prompt.max_tokens.into(),
    }
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

fn assistant(target: &Target, text: &str, calls: &[CallRequest], opaque: Option<&Value>) -> Option<Value> {
    if text.is_empty() && calls.is_empty() {
        return None;
    }
    let mut message = json!({ "role": "assistant", "content": text });
    if calls.is_empty() {
        return Some(message);
    }
    let call = |call: &CallRequest| {
        let arguments = call.unreadable_arguments().map_or_else(|| call.arguments.to_string(), str::to_owned);
        json!({ "id": call.id, "type": "function", "function": { "name": call.name, "arguments": arguments } })
    };
    message["tool_calls"] = calls.iter().map(call).collect();
    // Servers that think between calls want their thoughts back, under the name they gave them.
    if let Some(opaque) = opaque.filter(|o| o["wire"] == "openai" && o["model"] == target.model.as_str()) {
        for name in ["reasoning_content", "reasoning"] {
            if let Some(thoughts) = opaque.get(name) {
                message[name] = thoughts.clone();
            }
        }
    }
    Some(message)
}

fn tool_message(output: &ToolOutput) -> Value {
    // The wire has no other way to say that a tool failed.
    let content = if output.ok { output.content.clone() } else { format!("Error: {}", output.content) };
    json!({ "role": "tool", "tool_call_id": output.call_id, "content": content })
}

#[derive(Deserialize)]
struct Event {
    #[serde(default)]
    choices: Option<Vec<Choice>>,
    #[serde(default)]
    usage: Option<UsageField>,
    #[serde(default)]
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    delta: Option<Delta>,
    #[serde(default)]
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Delta {
    #[serde(default)]
    content: Option<Content>,
    #[serde(default)]
    reasoning_content: Option<Content>,
    #[serde(default)]
    reasoning: Option<Content>,
    #[serde(default)]
    refusal: Option<String>,
    #[serde(default)]
    tool_calls: Option<Vec<CallDelta>>,
}

#[derive(Deserialize)]
struct CallDelta {
    #[serde(default)]
    index: Option<usize>,
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    function: Option<FunctionDelta>,
}

#[derive(Deserialize)]
struct FunctionDelta {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    arguments: Option<Arguments>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Arguments {
    Text(String),
    /// Some servers send them parsed, in one piece.
    Json(Value),
}

#[derive(Clone, Copy, Deserialize)]
struct UsageField {
    #[serde(default)]
    prompt_tokens: Option<u64>,
    #[serde(default)]
    completion_tokens: Option<u64>,
}

/// Text, or the list of parts that some servers send in its place.
#[derive(Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Deserialize)]
struct Part {
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    thinking: Option<Box<Content>>,
}

impl Content {
    /// Hands over each piece: what is said and what is thought, in order.
    fn each(self, take: &mut dyn FnMut(Chunk)) {
        match self {
            Self::Text(text) => take(Chunk::Text(text)),
            Self::Parts(parts) => {
                for part in parts {
                    if let Some(thinking) = part.thinking {
                        thinking.each(&mut |chunk| match chunk {
                            Chunk::Text(text) => take(Chunk::Reasoning(text)),
                            other => take(other),
                        });
                    }
                    if let Some(text) = part.text {
                        take(Chunk::Text(text));
                    }
                }
            }
        }
    }
}

struct PartialCall {
    index: Option<usize>,
    /// As the server wrote it.
    id: String,
    name: String,
    arguments: String,
}

pub(crate) struct Decoder {
    model: String,
    ids: CallIds,
    held: Held,
    calls: Vec<PartialCall>,
    usage: Option<UsageField>,
    finish: Option<EndReason>,
    refused: bool,
    /// The name of the field that reasoning came in, and the reasoning.
    thoughts: Option<(&'static str, String)>,
    ended: bool,
}

impl Decoder {
    pub fn new(target: &Target, prompt: &Prompt) -> Self {
        Self {
            model: target.model.clone(),
            ids: CallIds::new(prompt),
            held: Held::default(),
            calls: Vec::new(),
            usage: None,
            finish: None,
            refused: false,
            thoughts: None,
            ended: false,
        }
    }

    fn delta(&mut self, delta: Delta, out: &mut VecDeque<Chunk>) -> Result<(), Error> {
        // A server may send the same thoughts under both names.
        let thoughts = match (delta.reasoning_content, delta.reasoning) {
            (Some(content), _) => Some(("reasoning_content", content)),
            (None, Some(content)) => Some(("reasoning", content)),
            (None, None) => None,
        };
        if let Some((field, content)) = thoughts {
            self.think(field, content, out)?;
        }
        if let Some(content) = delta.content {
            content.each(&mut |chunk| push(chunk, out));
        }
        if let Some(refusal) = delta.refusal.filter(|text| !text.is_empty()) {
            self.refused = true;
            out.push_back(Chunk::Text(refusal));
        }
        for call in delta.tool_calls.unwrap_or_default() {
            self.call(call)?;
        }
        Ok(())
    }

    fn think(
        &mut self,
        field: &'static str,
        content: Content,
        out: &mut VecDeque<Chunk>,
    ) -> Result<(), Error> {
        let so_far = &mut self.thoughts.get_or_insert((field, String::new())).1;
        let before = so_far.len();
        content.each(&mut |chunk| {
            if let Chunk::Text(text) | Chunk::Reasoning(text) = chunk {
                so_far.push_str(&text);
                push(Chunk::Reasoning(text), out);
            }
        });
        let added = so_far.len() - before;
        self.held.add(added)
    }

    fn call(&mut self, delta: CallDelta) -> Result<(), Error> {
        let id = delta.id.unwrap_or_default();
        let slot = self.slot(delta.index, &id)?;
        let call = &mut self.calls[slot];
        if call.id.is_empty() {
            call.id = id;
        }
        let Some(function) = delta.function else {
            return Ok(());
        };
        if let Some(name) = function.name.filter(|_| call.name.is_empty()) {
            call.name = name;
        }
        let more = match function.arguments {
            Some(Arguments::Text(text)) => text,
            Some(Arguments::Json(Value::Null)) | None => return Ok(()),
            Some(Arguments::Json(value)) => value.to_string(),
        };
        call.arguments.push_str(&more);
        self.held.add(more.len())
    }

    /// Which call a delta belongs to. By index; but some servers leave it out, or send every call
    /// with index 0 and an id of its own.
    fn slot(&mut self, index: Option<usize>, id: &str) -> Result<usize, Error> {
        let same_id = |call: &PartialCall| id.is_empty() || call.id.is_empty() || call.id == id;
        let found = match index {
            Some(_) => self.calls.iter().rposition(|call| call.index == index && same_id(call)),
            None => self.calls.len().checked_sub(1).filter(|last| same_id(&self.calls[*last])),
        };
        if let Some(found) = found {
            return Ok(found);
        }
        check_count(self.calls.len() + 1)?;
        self.calls.push(PartialCall {
            index,
            id: String::new(),
            name: String::new(),
            arguments: String::new(),
        });
        Ok(self.calls.len() - 1)
    }

    fn end(&mut self, out: &mut VecDeque<Chunk>) -> Result<(), Error> {
        if std::mem::replace(&mut self.ended, true) {
            return Ok(());
        }
        let mut reason = self.finish.unwrap_or(EndReason::Stop);
        let mut called = false;
        for call in std::mem::take(&mut self.calls) {
            let arguments = read_arguments(&call.arguments);
            // Cut off by the limit in the middle of a call: there is no call to make.
            if reason == EndReason::Length && arguments.is_string() {
                continue;
            }
            if call.name.is_empty() {
                return Err(Error::Malformed("it calls a tool without a name".to_owned()));
            }
            called = true;
            out.push_back(Chunk::ToolCall(CallRequest {
                id: self.ids.assign(&call.id),
                name: call.name,
                arguments,
            }));
        }
        if self.refused {
            reason = EndReason::Refused;
        } else if called && reason == EndReason::Stop {
            reason = EndReason::ToolCalls;
        } else if !called && reason == EndReason::ToolCalls {
            reason = EndReason::Stop;
        }
        if let Some(usage) = self.usage {
            out.push_back(Chunk::Usage(Usage {
                input_tokens: usage.prompt_tokens.unwrap_or_default(),
                output_tokens: usage.completion_tokens.unwrap_or_default(),
            }));
        }
        let opaque = self.thoughts.take().filter(|_| called).map(|(field, text)| {
            let mut opaque = json!({ "wire": "openai", "model": self.model });
            opaque[field] = text.into();
            opaque
        });
        out.push_back(Chunk::End { reason, opaque });
        Ok(())
    }
}

impl Decode for Decoder {
    fn frame(&mut self, frame: &Frame, out: &mut VecDeque<Chunk>) -> Result<(), Error> {
        let data = frame.data.trim();
        if data.is_empty() {
            return Ok(());
        }
        if data == "[DONE]" {
            return self.end(out);
        }
        let event: Event = serde_json::from_str(data).map_err(|e| Error::not_the_wire(&e))?;
        if let Some(error) = event.error.filter(|e| !e.is_null()) {
            return Err(Error::in_stream(&error));
        }
        if event.usage.is_some() {
            self.usage = event.usage;
        }
        // Only one answer was asked for.
        let Some(choice) = event.choices.unwrap_or_default().into_iter().next() else {
            return Ok(());
        };
        if let Some(delta) = choice.delta {
            self.delta(delta, out)?;
        }
        if let Some(reason) = choice.finish_reason.filter(|reason| !reason.is_empty()) {
            self.finish = Some(match reason.as_str() {
                "length" | "max_tokens" => EndReason::Length,
                "tool_calls" | "function_call" => EndReason::ToolCalls,
                "content_filter" => EndReason::Refused,
                "error" => {
                    return Err(Error::Status {
                        status: 500,
                        message: "the answer ended with an error".to_owned(),
                    });
                }
                _ => EndReason::Stop,
            });
        }
        Ok(())
    }

    fn is_whole(&self) -> bool {
        self.finish.is_some()
    }

    fn close(&mut self, out: &mut VecDeque<Chunk>) -> Result<(), Error> {
        self.end(out)
    }
}

fn push(chunk: Chunk, out: &mut VecDeque<Chunk>) {
    if !matches!(&chunk, Chunk::Text(text) | Chunk::Reasoning(text) if text.is_empty()) {
        out.push_back(chunk);
    }
}
