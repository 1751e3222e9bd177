//! Anthropic's messages.

use crate::calls::{CallIds, Held, as_object, check_count, read_arguments};
use crate::frames::Frame;
use crate::wire::Decode;
use crate::{CallRequest, Chunk, EndReason, Error, Picture, Prompt, Target, ToolOutput, Turn};
use serde::Deserialize;
use serde_json::{Value, json};
use shared::conversation::Usage;
use std::collections::{BTreeMap, VecDeque};

pub(crate) fn body(target: &Target, prompt: &Prompt) -> Value {
    let mut messages: Vec<Value> = Vec::new();
    for turn in &prompt.turns {
        let (role, blocks) = match turn {
            Turn::User(text) => ("user", text_block(text).into_iter().collect()),
            Turn::Picture { picture, question } => {
                ("user", std::iter::once(image_block(picture)).chain(text_block(question)).collect())
            }
            Turn::Assistant { text, tool_calls, opaque } => {
                ("assistant", assistant(target, text, tool_calls, opaque.as_ref()))
            }
            Turn::ToolResults(outputs) => ("user", outputs.iter().map(tool_result).collect()),
        };
        // An empty message is an error on this wire, and two of one role in a row are better one:
        // the results of tools and what a person said after them belong together.
        match messages.last_mut() {
            _ if blocks.is_empty() => {}
            Some(last) if last["role"] == role => {
                if let Some(content) = last["content"].as_array_mut() {
                    content.extend(blocks);
                }
            }
            _ => messages.push(json!({ "role": role, "content": blocks })),
        }
    }
    let mut body = json!({
        "model": target.model, "max_tokens": prompt.max_tokens, "stream": true, "messages": messages,
    });
    if !prompt.system.is_empty() {
        body["system"] = prompt.system.as_str().into();
    }
    if !prompt.tools.is_empty() {
        let tool = |tool: &crate::ToolSpec| json!({ "name": tool.name, "description": tool.description, "input_schema": tool.parameters });
        body["tools"] = prompt.tools.iter().map(tool).collect();
    }
    body
}

/// None for blank text, which the wire refuses; none ends in white space either, which it refuses
/// at the end of a prompt.
fn text_block(text: &str) -> Option<Value> {
    let text = text.trim_end();
    (!text.is_empty()).then(|| json!({ "type": "text", "text": text }))
}

fn image_block(picture: &Picture) -> Value {
    json!({ "type": "image", "source": {
        "type": "base64", "media_type": picture.media_type, "data": picture.base64(),
    }})
}

fn assistant(target: &Target, text: &str, calls: &[CallRequest], opaque: Option<&Value>) -> Vec<Value> {
    // With thinking in it the answer goes back as it came, block for block: it is signed.
    let as_it_came = opaque
        .filter(|o| o["wire"] == "anthropic" && o["model"] == target.model.as_str())
        .and_then(|o| o["content"].as_array())
        .filter(|blocks| {
            let ids = blocks.iter().filter_map(|block| block["id"].as_str());
            ids.eq(calls.iter().map(|call| call.id.as_str()))
        });
    if let Some(blocks) = as_it_came {
        return blocks.clone();
    }
    let call = |call: &CallRequest| json!({ "type": "tool_use", "id": call.id, "name": call.name, "input": as_object(call) });
    text_block(text).into_iter().chain(calls.iter().map(call)).collect()
}

fn tool_result(output: &ToolOutput) -> Value {
    json!({
        "type": "tool_result", "tool_use_id": output.call_id, "content": output.content, "is_error": !output.ok,
    })
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Event {
    MessageStart {
        message: Started,
    },
    ContentBlockStart {
        index: usize,
        content_block: BlockStart,
    },
    ContentBlockDelta {
        index: usize,
        delta: Delta,
    },
    ContentBlockStop {
        index: usize,
    },
    MessageDelta {
        delta: MessageDelta,
        #[serde(default)]
        usage: UsageField,
    },
    MessageStop,
    Error {
        error: Value,
    },
    /// `ping`, and whatever is added later.
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Started {
    #[serde(default)]
    usage: UsageField,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum BlockStart {
    Text {
        #[serde(default)]
        text: String,
    },
    Thinking {
        #[serde(default)]
        thinking: String,
        #[serde(default)]
        signature: String,
    },
    RedactedThinking {
        data: String,
    },
    ToolUse {
        id: String,
        name: String,
        #[serde(default)]
        input: Value,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
#[serde(tag = "type")]
enum Delta {
    #[serde(rename = "text_delta")]
    Text { text: String },
    #[serde(rename = "thinking_delta")]
    Thinking { thinking: String },
    #[serde(rename = "signature_delta")]
    Signature { signature: String },
    #[serde(rename = "input_json_delta")]
    InputJson { partial_json: String },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct MessageDelta {
    #[serde(default)]
    stop_reason: Option<String>,
}

#[derive(Clone, Copy, Default, Deserialize)]
struct UsageField {
    #[serde(default)]
    input_tokens: Option<u64>,
    #[serde(default)]
    cache_creation_input_tokens: Option<u64>,
    #[serde(default)]
    cache_read_input_tokens: Option<u64>,
    #[serde(default)]
    output_tokens: Option<u64>,
}

impl UsageField {
    /// Counts are totals: a later one replaces an earlier.
    fn update(&mut self, later: Self) {
        self.input_tokens = later.input_tokens.or(self.input_tokens);
        self.cache_creation_input_tokens =
            later.cache_creation_input_tokens.or(self.cache_creation_input_tokens);
        self.cache_read_input_tokens = later.cache_read_input_tokens.or(self.cache_read_input_tokens);
        self.output_tokens = later.output_tokens.or(self.output_tokens);
    }

    fn total(self) -> Option<Usage> {
        self.output_tokens.or(self.input_tokens)?;
        let input = [self.input_tokens, self.cache_creation_input_tokens, self.cache_read_input_tokens];
        Some(Usage {
            input_tokens: input.into_iter().flatten().sum(),
            output_tokens: self.output_tokens.unwrap_or_default(),
        })
    }
}

enum Block {
    Text(String),
    Thinking {
        thinking: String,
        signature: String,
    },
    RedactedThinking(String),
    ToolUse {
        id: String,
        name: String,
        given: Value,
        written: String,
    },
    /// Of a kind that means nothing here.
    Other,
}

pub(crate) struct Decoder {
    model: String,
    ids: CallIds,
    held: Held,
    /// Blocks being written, and after their end in `content` as they go back.
    open: BTreeMap<usize, Block>,
    content: Vec<Value>,
    thought: bool,
    called: bool,
    usage: UsageField,
    stop_reason: Option<String>,
    ended: bool,
}

impl Decoder {
    pub fn new(target: &Target, prompt: &Prompt) -> Self {
        Self {
            model: target.model.clone(),
            ids: CallIds::new(prompt),
            held: Held::default(),
            open: BTreeMap::new(),
            content: Vec::new(),
            thought: false,
            called: false,
            usage: UsageField::default(),
            stop_reason: None,
            ended: false,
        }
    }

    fn start(&mut self, index: usize, start: BlockStart, out: &mut VecDeque<Chunk>) -> Result<(), Error> {
        check_count(self.open.len() + self.content.len())?;
        let block = match start {
            BlockStart::Text { text } => {
                push_text(&text, out);
                Block::Text(text)
            }
            BlockStart::Thinking { thinking, signature } => {
                self.thought = true;
                push_reasoning(&thinking, out);
                Block::Thinking { thinking, signature }
            }
            BlockStart::RedactedThinking { data } => {
                self.thought = true;
                self.held.add(data.len())?;
                Block::RedactedThinking(data)
            }
            BlockStart::ToolUse { id, name, input } => {
                Block::ToolUse { id, name, given: input, written: String::new() }
            }
            BlockStart::Other => Block::Other,
        };
        self.open.insert(index, block);
        Ok(())
    }

    fn delta(&mut self, index: usize, delta: Delta, out: &mut VecDeque<Chunk>) -> Result<(), Error> {
        match (self.open.get_mut(&index), delta) {
            (block, Delta::Text { text }) => {
                if let Some(Block::Text(so_far)) = block {
                    self.held.add(text.len())?;
                    so_far.push_str(&text);
                }
                push_text(&text, out);
            }
            (block, Delta::Thinking { thinking: more }) => {
                if let Some(Block::Thinking { thinking, .. }) = block {
                    self.held.add(more.len())?;
                    thinking.push_str(&more);
                }
                push_reasoning(&more, out);
            }
            (Some(Block::Thinking { signature, .. }), Delta::Signature { signature: more }) => {
                self.held.add(more.len())?;
                signature.push_str(&more);
            }
            (Some(Block::ToolUse { written, .. }), Delta::InputJson { partial_json }) => {
                self.held.add(partial_json.len())?;
                written.push_str(&partial_json);
            }
            _ => {}
        }
        Ok(())
    }

    fn stop(&mut self, index: usize, out: &mut VecDeque<Chunk>) -> Result<(), Error> {
        let content = match self.open.remove(&index) {
            None | Some(Block::Other) => return Ok(()),
            Some(Block::Text(text)) => text_block(&text),
            Some(Block::Thinking { thinking, signature }) => {
                Some(json!({ "type": "thinking", "thinking": thinking, "signature": signature }))
            }
            Some(Block::RedactedThinking(data)) => Some(json!({ "type": "redacted_thinking", "data": data })),
            Some(Block::ToolUse { id, name, given, written }) => {
                let arguments = match given {
                    Value::Object(fields) if written.is_empty() => Value::Object(fields),
                    _ => read_arguments(&written),
                };
                let call = CallRequest { id: self.ids.assign(&id), name, arguments };
                let block = json!({ "type": "tool_use", "id": call.id, "name": call.name, "input": as_object(&call) });
                self.called = true;
                out.push_back(Chunk::ToolCall(call));
                Some(block)
            }
        };
        self.content.extend(content);
        Ok(())
    }

    fn end(&mut self, out: &mut VecDeque<Chunk>) -> Result<(), Error> {
        if std::mem::replace(&mut self.ended, true) {
            return Ok(());
        }
        let reason = match self.stop_reason.as_deref() {
            Some("max_tokens" | "model_context_window_exceeded") => EndReason::Length,
            Some("refusal") => EndReason::Refused,
            _ if self.called => EndReason::ToolCalls,
            _ => EndReason::Stop,
        };
        out.extend(self.usage.total().map(Chunk::Usage));
        let opaque = (self.thought && self.called)
            .then(|| json!({ "wire": "anthropic", "model": self.model, "content": std::mem::take(&mut self.content) }));
        out.push_back(Chunk::End { reason, opaque });
        Ok(())
    }
}

impl Decode for Decoder {
    fn frame(&mut self, frame: &Frame, out: &mut VecDeque<Chunk>) -> Result<(), Error> {
        let event = serde_json::from_str(&frame.data).map_err(|e| Error::not_the_wire(&e))?;
        match event {
            Event::MessageStart { message } => self.usage.update(message.usage),
            Event::ContentBlockStart { index, content_block } => self.start(index, content_block, out)?,
            Event::ContentBlockDelta { index, delta } => self.delta(index, delta, out)?,
            Event::ContentBlockStop { index } => self.stop(index, out)?,
            Event::MessageDelta { delta, usage } => {
                self.usage.update(usage);
                self.stop_reason = delta.stop_reason.or(self.stop_reason.take());
            }
            Event::MessageStop => self.end(out)?,
            Event::Error { error } => return Err(Error::in_stream(&error)),
            Event::Other => {}
        }
        Ok(())
    }

    fn is_whole(&self) -> bool {
        self.stop_reason.is_some()
    }

    fn close(&mut self, out: &mut VecDeque<Chunk>) -> Result<(), Error> {
        self.end(out)
    }
}

fn push_text(text: &str, out: &mut VecDeque<Chunk>) {
    if !text.is_empty() {
        out.push_back(Chunk::Text(text.to_owned()));
    }
}

fn push_reasoning(text: &str, out: &mut VecDeque<Chunk>) {
    if !text.is_empty() {
        out.push_back(Chunk::Reasoning(text.to_owned()));
    }
}
