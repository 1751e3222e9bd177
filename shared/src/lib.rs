//! Every type that crosses a wire, written once: ids, requests, answers, events, errors.
//! No I/O here; it compiles for the server and for the browser.

pub mod account;
pub mod context;
pub mod conversation;
pub mod envelope;
pub mod event;
pub mod file;
pub mod health;
pub mod ids;
pub mod memory;
pub mod note;
pub mod page;
pub mod provider;
pub mod saved_page;
pub mod search;
pub mod socket;
pub mod telemetry;
pub mod upkeep;

pub use envelope::{Envelope, ErrorCode, Problem};
pub use ids::*;
