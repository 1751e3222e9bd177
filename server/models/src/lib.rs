//! Model providers turned into one stream of events: four wires in, [`Chunk`]s out. Beside it speech
//! turned into words, over one wire.
//!
//! No SQL, no HTTP server, and no memory of a conversation: everything a request needs is in its
//! [`Prompt`], and everything a later request needs comes back in the stream.

mod answer;
mod anthropic;
mod calls;
mod client;
mod error;
mod frames;
mod gemini;
mod ollama;
mod openai;
mod prompt;
mod transcription;
mod wire;

pub use client::{Client, Limits};
pub use error::Error;
pub use prompt::{
    CallRequest, Chunk, ChunkStream, EndReason, Picture, Prompt, Target, ToolOutput, ToolSpec, Turn,
};
pub use transcription::{Segment, Sound, Transcript};
