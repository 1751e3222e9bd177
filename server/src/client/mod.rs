//! Commands that speak the public API and nothing else.

pub mod chat;
pub mod note;
pub mod search;
mod stream;
