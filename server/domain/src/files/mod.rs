//! Files that somebody keeps: how they arrive, where they stand on their way into the search, and what
//! was read in them. Their bytes are in the blob store; a row names a file.

mod change;
mod list;
mod open;
mod passages;
mod place;
mod read;
mod row;
mod upload;

pub use change::LARGEST_FILE;
pub use list::ListFiles;
pub use open::{Downloaded, Thumbnail};
pub(crate) use place::Spot;
pub(crate) use read::settle;
