//! What talks to the outside of the page: the API, the socket, the address bar, the browser's stores.

pub mod api;
pub mod clock;
pub mod document;
pub mod drafts;
pub mod editor;
#[cfg(feature = "hydrate")]
pub mod folders;
pub mod json;
pub mod listing;
pub mod location;
pub mod session;
pub mod socket;
pub mod sse;
pub mod stream;
pub mod typesetter;
pub mod uploads;
