//! Commands that speak the public API and nothing else.

pub mod chat;
pub mod note;
mod stream;
