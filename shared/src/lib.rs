//! Every type that crosses a wire, written once: ids, requests, answers, events, errors.
//! No I/O here; it compiles for the server and for the browser.

pub mod account;
pub mod conversation;
pub mod envelope;
pub mod event;
pub mod file;
pub mod health;
pub mod ids;
pub mod note;
pub mod page;
pub mod provider;
pub mod search;
pub mod socket;
pub mod telemetry;

pub use envelope::{Envelope, ErrorCode, Problem};
pub use ids::*;
