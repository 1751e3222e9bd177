//! Answers: asked for, written by a model, followed by any number of readers, stored when they end.
//!
//! While an answer runs it lives in [`live`], is appended to the event log by [`writer`], and can be
//! read by [`follow`] from any server. When it ends, [`store`] appends the message to its conversation.

mod built_in;
mod follow;
mod generation;
mod live;
mod prompt;
mod recovery;
mod remembered;
mod send;
mod store;
mod title;
mod writer;

pub use follow::AnswerStream;
pub(crate) use live::Registry;
pub(crate) use prompt::{PreviewOf, preview_prompt};
pub(crate) use send::Turns;

use std::time::Duration;

/// How long a server may be silent about an answer before another may end it.
const LEASE: Duration = Duration::from_secs(5);
/// Rounds of tools in one answer.
const TOOL_ROUNDS: usize = 5;
/// The longest answer, text and reasoning together, in bytes.
const LONGEST_ANSWER: usize = 4 * 1024 * 1024;
/// The longest message of a person, in bytes.
const LONGEST_MESSAGE: usize = 1024 * 1024;
/// By how much sequence numbers jump over those that may have been sent and were not stored: more
/// than an answer of [`LONGEST_ANSWER`] bytes can have events.
const SEQUENCE_JUMP: u64 = 1 << 23;
