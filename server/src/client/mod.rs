//! Commands that speak the public API and nothing else.

pub mod chat;
mod stream;
