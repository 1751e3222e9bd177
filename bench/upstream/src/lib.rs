//! A fake model provider that speaks the real wires of OpenAI, Anthropic, Gemini and Ollama, for
//! tests, browser tests and the benchmark. What it answers is scripted by the message: see
//! [`script`]. It is as strict as the real services about what they are strict about, and must
//! never be started by the product.
//!
//! Keys: `bad-key` is refused with 401, `limited-key` with 429 and `retry-after: 2`; any other, or
//! none, is accepted. Pictures are answered by [`seeing`], recordings by [`hearing`]. A request whose system prompt contains the word `title` gets a short title.

mod anthropic;
mod gemini;
mod hearing;
mod ollama;
mod openai;
mod performance;
pub mod script;
mod seeing;
mod server;
mod stream;
mod wire;

pub use script::Pace;
pub use server::{Defaults, Received, Running, serve, serve_with};
pub use wire::Wire;
