//! What an answer consists of, in the order it happened: stretches of text, and between them reasoning
//! and tool calls. Pure; the views are in [`super::body`].

use shared::MessageId;
use shared::conversation::{Message, MessageStatus, StepKind};

/// A part of an answer, named by where it begins, so that it stays the same part while it grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// The text from this byte to the next step, or to the end.
    Text {
        from: usize,
    },
    Reasoning {
        step: usize,
    },
    Tool {
        step: usize,
    },
}

/// Shown in full: no text is held back.
pub const ALL: usize = usize::MAX;

/// The parts of which something is shown when `shown` bytes of the text are.
pub fn parts(message: &Message, shown: usize) -> Vec<Part> {
    let end = shown_end(message, shown);
    let mut parts = Vec::new();
    let mut from = 0;
    for (step, taken) in message.steps.iter().enumerate() {
        let at = boundary(&message.content, taken.at);
        if at > end {
            break;
        }
        if at > from {
            parts.push(Part::Text { from });
            from = at;
        }
        parts.push(match taken.kind {
            StepKind::Reasoning { .. } => Part::Reasoning { step },
            StepKind::ToolCall(_) => Part::Tool { step },
        });
    }
    if end > from {
        parts.push(Part::Text { from });
    }
    parts
}

/// The text of the part that begins at `from`, as far as it is shown.
pub fn text(message: &Message, from: usize, shown: usize) -> &str {
    let end = shown_end(message, shown);
    let from = boundary(&message.content, from).min(end);
    let next = message.steps.iter().map(|step| boundary(&message.content, step.at)).find(|at| *at > from);
    &message.content[from..next.unwrap_or(end).min(end)]
}

/// What tells the footnotes of the part that begins at `from` from all others in the page.
pub fn footnotes(message: MessageId, from: usize) -> String {
    format!("{message}-{from}")
}

pub fn shown_end(message: &Message, shown: usize) -> usize {
    boundary(&message.content, shown.min(message.content.len()))
}

/// Steps come from a server, which may be of another version: a place inside a character is moved.
fn boundary(text: &str, at: usize) -> usize {
    text.floor_char_boundary(at)
}

/// Whether more of the message may come.
pub fn is_active(status: MessageStatus) -> bool {
    matches!(status, MessageStatus::Pending | MessageStatus::Streaming)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::chat::thread::tests::message;
    use shared::conversation::{Step, ToolCall};

    fn with_steps(content: &str, steps: &[usize]) -> Message {
        let call = |at: usize| Step {
            at,
            kind: StepKind::ToolCall(ToolCall {
                id: at.to_string(),
                name: "current_time".to_owned(),
                arguments: serde_json::Value::Null,
                result: None,
            }),
        };
        let mut message = message(content);
        message.steps = steps.iter().map(|at| call(*at)).collect();
        message
    }

    #[test]
    fn text_and_steps_alternate_as_they_happened() {
        let message = with_steps("one two", &[0, 4, 4]);
        let expected = [
            Part::Tool { step: 0 },
            Part::Text { from: 0 },
            Part::Tool { step: 1 },
            Part::Tool { step: 2 },
            Part::Text { from: 4 },
        ];
        assert_eq!(parts(&message, ALL), expected);
        assert_eq!(text(&message, 0, ALL), "one ");
        assert_eq!(text(&message, 4, ALL), "two");
        assert_eq!(text(&message, 4, 5), "t");
    }

    #[test]
    fn a_step_appears_once_the_text_before_it_has() {
        let message = with_steps("one two", &[4]);
        assert_eq!(parts(&message, 3), [Part::Text { from: 0 }]);
        assert_eq!(parts(&message, 4), [Part::Text { from: 0 }, Part::Tool { step: 0 }]);
    }

    #[test]
    fn a_place_inside_a_character_or_past_the_end_does_no_harm() {
        let message = with_steps("é", &[1, 9]);
        assert_eq!(parts(&message, 1), [Part::Tool { step: 0 }]);
        assert_eq!(text(&message, 1, ALL), "é");
        assert_eq!(parts(&message, ALL).len(), 3);
    }
}
