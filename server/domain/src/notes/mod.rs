//! Notes: their rows, who may do what with them, and what people and models do in them. The text
//! itself is in the rooms of the crate `sync`; everything here asks them for it.

pub(crate) mod access;
mod archive;
mod attachments;
mod change;
mod comments;
mod compact;
mod create;
mod cut;
mod daily;
mod diff;
mod duplicate;
mod expiry;
mod export;
mod folders;
mod frontmatter;
mod hunks;
mod import;
mod links;
mod list;
mod log;
pub(crate) mod markup;
mod open;
mod passages;
pub(crate) mod projection;
mod proposals;
mod recut;
mod references;
mod rename;
pub(crate) mod rooms;
mod runs;
mod shares;
mod tickets;
mod unpack;
mod versions;
mod visits;

pub use attachments::{AskedFile, LARGEST_ATTACHMENT, OpenedAttachment, Part};
pub(crate) use attachments::{file_name, media_type};
pub use daily::Only;
pub use export::NotesArchive;
pub use import::Import;
pub use list::ListNotes;
pub(crate) use markup::sections;
pub use proposals::Decision;
pub use shares::Shared;
pub use versions::Against;
pub use visits::{SharedFolder, Visit};

use crate::Error;
use shared::ErrorCode;
use std::time::Duration;
use sync::RoomError;

/// What a room refuses, as an answer.
impl From<RoomError> for Error {
    fn from(error: RoomError) -> Self {
        let busy = |message: String| Self::Problem {
            code: ErrorCode::DatabaseUnavailable,
            message,
            details: None,
            retry_after: Some(Duration::from_secs(2)),
        };
        match error {
            RoomError::NotFound => Self::not_found("note"),
            RoomError::Unavailable(why) => busy(format!("The note cannot be opened just now: {why}")),
            RoomError::ReadOnly(why) => busy(format!("The note takes no changes just now: {why}")),
            RoomError::Refused(why) => Self::problem(ErrorCode::InvalidInput, why.to_string()),
        }
    }
}
