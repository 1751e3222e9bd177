//! The events of an answer, as they stream over SSE.
//!
//! Each has a sequence number, the SSE `id`, that rises within one answer. An answer can be followed
//! again from any of them. After `done` or `error` nothing more comes.

use crate::context::Given;
use crate::conversation::{Message, MessageStatus, Step, StepKind, StopReason, ToolCall, ToolResult, Usage};
use crate::{ConversationId, MemoryId, MessageId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

// In the browser `app::client::json` puts the tag aside: the reader that serde makes for a tagged enum is compiled a
// second time for every type in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[cfg_attr(not(target_arch = "wasm32"), serde(tag = "type"))]
pub enum AnswerEvent {
    /// Which answer this is. Comes first, and again when an answer that waited begins.
    Message {
        conversation_id: ConversationId,
        /// The message that is answered.
        user_message_id: MessageId,
        /// The answer.
        message_id: MessageId,
        /// `pending` while it waits its turn, else `streaming`.
        status: MessageStatus,
        model: String,
    },
    /// More of the text.
    Delta {
        text: String,
    },
    /// More of the model's reasoning.
    Reasoning {
        text: String,
    },
    /// The model called a tool.
    ToolCall {
        id: String,
        name: String,
        #[cfg_attr(feature = "openapi", schema(value_type = Object))]
        arguments: Value,
    },
    ToolResult {
        id: String,
        #[serde(flatten)]
        result: ToolResult,
    },
    /// What of the person's memories the model is told before it answers.
    Memories {
        ids: Vec<MemoryId>,
    },
    /// What the model is given. Comes before the first word.
    Given(Given),
    Usage(Usage),
    /// Take this in place of everything before: what was stored when the answer was interrupted.
    Reset {
        content: String,
        steps: Vec<Step>,
    },
    Done {
        stop_reason: StopReason,
    },
    /// The answer ended early; what had arrived is kept.
    Error {
        message: String,
    },
}

/// An event with its place in the answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sequenced {
    pub seq: u64,
    #[serde(flatten)]
    pub event: AnswerEvent,
}

impl AnswerEvent {
    /// The SSE `event` field.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Message { .. } => "message",
            Self::Delta { .. } => "delta",
            Self::Reasoning { .. } => "reasoning",
            Self::ToolCall { .. } => "tool_call",
            Self::ToolResult { .. } => "tool_result",
            Self::Memories { .. } => "memories",
            Self::Given(_) => "given",
            Self::Usage(_) => "usage",
            Self::Reset { .. } => "reset",
            Self::Done { .. } => "done",
            Self::Error { .. } => "error",
        }
    }

    /// Whether nothing comes after it.
    pub fn is_last(&self) -> bool {
        matches!(self, Self::Done { .. } | Self::Error { .. })
    }
}

impl Message {
    /// Takes an event into the message, so that every reader of a stream ends with what is stored.
    pub fn apply(&mut self, event: &AnswerEvent) {
        match event {
            AnswerEvent::Message { status, model, .. } => {
                self.status = *status;
                self.model = Some(model.clone());
            }
            AnswerEvent::Delta { text } => self.content.push_str(text),
            AnswerEvent::Reasoning { text } => {
                let at = self.content.len();
                match self.steps.last_mut() {
                    Some(Step { at: last, kind: StepKind::Reasoning { text: so_far } }) if *last == at => {
                        so_far.push_str(text);
                    }
                    _ => self.steps.push(Step { at, kind: StepKind::Reasoning { text: text.clone() } }),
                }
            }
            AnswerEvent::ToolCall { id, name, arguments } => self.steps.push(Step {
                at: self.content.len(),
                kind: StepKind::ToolCall(ToolCall {
                    id: id.clone(),
                    name: name.clone(),
                    arguments: arguments.clone(),
                    result: None,
                }),
            }),
            AnswerEvent::ToolResult { id, result } => {
                for step in self.steps.iter_mut().rev() {
                    if let StepKind::ToolCall(call) = &mut step.kind
                        && call.id == *id
                    {
                        call.result = Some(result.clone());
                        break;
                    }
                }
            }
            AnswerEvent::Memories { ids } => self.memories.clone_from(ids),
            AnswerEvent::Given(given) => self.given = Some(given.clone()),
            AnswerEvent::Usage(usage) => self.usage = Some(*usage),
            AnswerEvent::Reset { content, steps } => {
                self.content = content.clone();
                self.steps = steps.clone();
            }
            AnswerEvent::Done { stop_reason } => {
                self.status = MessageStatus::Complete;
                self.stop_reason = Some(*stop_reason);
            }
            AnswerEvent::Error { message } => {
                self.status = MessageStatus::Error;
                self.error = Some(message.clone());
            }
        }
    }
}
