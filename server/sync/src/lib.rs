//! Note rooms: live Yjs documents, awareness, and the log of updates behind a small trait.
//!
//! A room is the one truth of a note while anybody is in it. It knows no SQL and no HTTP: where
//! updates are kept is a [`Log`], how servers hear of each other a [`Transport`], what becomes of
//! the text a [`Projector`].
//!
//! What a room promises:
//! - an update is in the local spool before anybody else receives it, and is reported saved only
//!   after it was committed to the log;
//! - an update that refers to what the room does not have goes neither into the document, nor the
//!   log, nor to others: its sender holds it until they have sent the rest;
//! - a document is loaded from the log in its order, merged, and applied once; a failed load is an
//!   error to whoever asked and is tried again, never an empty document.

mod committer;
mod connection;
mod document;
mod draft;
mod log;
mod outbox;
mod presence;
mod protocol;
mod room;
mod rooms;
mod seed;
mod spool;

pub use connection::{Attachment, Participant};
pub use document::merge;
pub use draft::{Draft, Proposal, Refused, StickyRange};
pub use log::{Entry, Loaded, Log, LogError, Projector, Record, Transport};
pub use outbox::{Outbox, Outgoing};
pub use protocol::{Incoming, Malformed, Storing, decode};
pub use rooms::{Edited, Reading, RoomError, Rooms, Settings};
pub use seed::seed;

use shared::{RunId, UserId};

/// Who wrote an update, as the server knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Author {
    /// None for a visitor by link.
    pub user_id: Option<UserId>,
    /// The model's run that wrote it on the person's behalf.
    pub run_id: Option<RunId>,
}
