//! Gemini's `streamGenerateContent`, as server-sent events.

use crate::calls::{CallIds, Held, as_object, check_arguments, check_count, is_the_providers};
use crate::frames::Frame;
use crate::wire::Decode;
use crate::{CallRequest, Chunk, EndReason, Error, Prompt, Target, ToolOutput, Turn};
use serde::Deserialize;
use serde_json::{Value, json};
use shared::conversation::Usage;
use std::collections::VecDeque;

pub(crate) fn body(target: &Target, prompt: &Prompt) -> Value {
    let mut contents: Vec<Value> = Vec::new();
    for turn in &prompt.turns {
        let (role, parts) = match turn {
            Turn::User(text) => ("user", text_part(text).into_iter().collect()),
            Turn::Picture { picture, question } => {
                let data = json!({ "mimeType": picture.media_type, "data": picture.base64() });
                let shown = json!({ "inlineData": data });
                ("user", std::iter::once(shown).chain(text_part(question)).collect())
            }
            Turn::Assistant { text, tool_calls, opaque } => {
                ("model", assistant(target, text, tool_calls, opaque.as_ref()))
            }
            Turn::ToolResults(outputs) => ("user", outputs.iter().map(function_response).collect::<Vec<_>>()),
        };
        match contents.last_mut() {
            _ if parts.is_empty() => {}
            Some(last) if last["role"] == role => {
                if let Some(so_far) = last["parts"].as_array_mut() {
                    so_far.extend(parts);
                }
            }
            _ => contents.push(json!({ "role": role, "parts": parts })),
        }
    }
    let mut body =
        json!({ "contents": contents, "generationConfig": { "maxOutputTokens": prompt.max_tokens } });
    if !prompt.system.is_empty() {
        body["systemInstruction"] = json!({ "parts": [{ "text": prompt.system }] });
    }
    if !prompt.tools.is_empty() {
        // `parameters` takes a dialect of its own; this field takes JSON Schema.
        let function = |tool: &crate::ToolSpec| {
            json!({
                "name": tool.name, "description": tool.description, "parametersJsonSchema": tool.parameters,
            })
        };
        let functions: Vec<Value> = prompt.tools.iter().map(function).collect();
        body["tools"] = json!([{ "functionDeclarations": functions }]);
    }
    body
}

/// Whether a listed model can be talked to.
pub(crate) fn answers_prompts(model: &Value) -> bool {
    let methods = model["supportedGenerationMethods"].as_array();
    methods.is_none_or(|methods| methods.iter().any(|method| method == "generateContent"))
}

fn text_part(text: &str) -> Option<Value> {
    (!text.is_empty()).then(|| json!({ "text": text }))
}

fn assistant(target: &Target, text: &str, calls: &[CallRequest], opaque: Option<&Value>) -> Vec<Value> {
    // With signatures in it the answer goes back as it came, part for part.
    let as_it_came = opaque
        .filter(|o| o["wire"] == "gemini" && o["model"] == target.model.as_str())
        .and_then(|o| o["parts"].as_array())
        .filter(|parts| {
            let names = parts.iter().filter_map(|part| part["functionCall"]["name"].as_str());
            names.eq(calls.iter().map(|call| call.name.as_str()))
        });
    if let Some(parts) = as_it_came {
        return parts.clone();
    }
    let call = |call: &CallRequest| {
        let mut function = json!({ "name": call.name, "args": as_object(call) });
        if is_the_providers(&call.id) {
            function["id"] = call.id.as_str().into();
        }
        json!({ "functionCall": function })
    };
    text_part(text).into_iter().chain(calls.iter().map(call)).collect()
}

fn function_response(output: &ToolOutput) -> Value {
    let field = if output.ok { "output" } else { "error" };
    let mut response = json!({ "name": output.name, "response": { field: output.content } });
    if is_the_providers(&output.call_id) {
        response["id"] = output.call_id.as_str().into();
    }
    json!({ "functionResponse": response })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    #[serde(default)]
    candidates: Vec<Candidate>,
    #[serde(default)]
    prompt_feedback: Option<Feedback>,
    #[serde(default)]
    usage_metadata: Option<UsageField>,
    #[serde(default)]
    error: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Feedback {
    #[serde(default)]
    block_reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Candidate {
    #[serde(default)]
    content: Option<Content>,
    #[serde(default)]
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Content {
    #[serde(default)]
    parts: Vec<Value>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
struct UsageField {
    #[serde(default)]
    prompt_token_count: u64,
    #[serde(default)]
    candidates_token_count: u64,
    #[serde(default)]
    thoughts_token_count: u64,
}

pub(crate) struct Decoder {
    model: String,
    ids: CallIds,
    held: Held,
    /// The answer as it goes back, neighbouring texts joined.
    parts: Vec<Value>,
    signed: bool,
    calls: usize,
    usage: Option<UsageField>,
    finish: Option<String>,
    ended: bool,
}

impl Decoder {
    pub fn new(target: &Target, prompt: &Prompt) -> Self {
        Self {
            model: target.model.clone(),
            ids: CallIds::new(prompt),
            held: Held::default(),
            parts: Vec::new(),
            signed: false,
            calls: 0,
            usage: None,
            finish: None,
            ended: false,
        }
    }

    fn part(&mut self, part: Value, out: &mut VecDeque<Chunk>) -> Result<(), Error> {
        let thought = part["thought"] == true;
        if let Some(text) = part["text"].as_str().filter(|text| !text.is_empty()) {
            let text = text.to_owned();
            out.push_back(if thought { Chunk::Reasoning(text) } else { Chunk::Text(text) });
        }
        if let Some(call) = part.get("functionCall") {
            self.calls += 1;
            check_count(self.calls)?;
            let name = call["name"].as_str().filter(|name| !name.is_empty());
            let name = name.ok_or_else(|| Error::Malformed("it calls a tool without a name".to_owned()))?;
            out.push_back(Chunk::ToolCall(CallRequest {
                id: self.ids.assign(call["id"].as_str().unwrap_or_default()),
                name: name.to_owned(),
                arguments: check_arguments(call["args"].clone()),
            }));
        }
        // Summaries of thoughts are for people; only what is signed or said goes back.
        self.signed |= part.get("thoughtSignature").is_some();
        if !thought || part.get("thoughtSignature").is_some() {
            self.hold(part)?;
        }
        Ok(())
    }

    fn hold(&mut self, part: Value) -> Result<(), Error> {
        let plain = |part: &Value| {
            part.as_object().is_some_and(|fields| fields.len() == 1 && fields.contains_key("text"))
        };
        let is_plain = plain(&part);
        let text = part["text"].as_str().unwrap_or_default();
        self.held.add(if is_plain { text.len() } else { part.to_string().len() })?;
        match self.parts.last_mut() {
            Some(last) if is_plain && plain(last) => {
                if let Some(Value::String(so_far)) = last.get_mut("text") {
                    so_far.push_str(text);
                }
            }
            _ => self.parts.push(part),
        }
        Ok(())
    }

    fn end(&mut self, out: &mut VecDeque<Chunk>) -> Result<(), Error> {
        if std::mem::replace(&mut self.ended, true) {
            return Ok(());
        }
        let reason = match self.finish.as_deref().unwrap_or("STOP") {
            "MAX_TOKENS" => EndReason::Length,
            "SAFETY" | "RECITATION" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII" | "LANGUAGE"
            | "IMAGE_SAFETY" => EndReason::Refused,
            "MALFORMED_FUNCTION_CALL" | "UNEXPECTED_TOOL_CALL" => {
                return Err(Error::Malformed(
                    "the model made a tool call that its provider could not read".to_owned(),
                ));
            }
            _ if self.calls > 0 => EndReason::ToolCalls,
            _ => EndReason::Stop,
        };
        out.extend(self.usage.map(|usage| {
            Chunk::Usage(Usage {
                input_tokens: usage.prompt_token_count,
                output_tokens: usage.candidates_token_count + usage.thoughts_token_count,
            })
        }));
        let opaque = (self.signed && self.calls > 0).then(
            || json!({ "wire": "gemini", "model": self.model, "parts": std::mem::take(&mut self.parts) }),
        );
        out.push_back(Chunk::End { reason, opaque });
        Ok(())
    }
}

impl Decode for Decoder {
    fn frame(&mut self, frame: &Frame, out: &mut VecDeque<Chunk>) -> Result<(), Error> {
        let event: Event = serde_json::from_str(&frame.data).map_err(|e| Error::not_the_wire(&e))?;
        if let Some(error) = event.error {
            return Err(Error::in_stream(&error));
        }
        if let Some(reason) = event.prompt_feedback.and_then(|feedback| feedback.block_reason) {
            return Err(Error::Refused(reason));
        }
        self.usage = event.usage_metadata.or(self.usage);
        let Some(candidate) = event.candidates.into_iter().next() else {
            return Ok(());
        };
        for part in candidate.content.map(|content| content.parts).unwrap_or_default() {
            self.part(part, out)?;
        }
        self.finish = candidate.finish_reason.or(self.finish.take());
        Ok(())
    }

    /// The wire has no end mark: the last frame has a reason, and then the body ends.
    fn is_whole(&self) -> bool {
        self.finish.is_some()
    }

    fn close(&mut self, out: &mut VecDeque<Chunk>) -> Result<(), Error> {
        self.end(out)
    }
}
