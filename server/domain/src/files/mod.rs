//! Files that somebody keeps: how they arrive, where they stand on their way into the search, and what
//! was read in them. Their bytes are in the blob store; a row names a file.

mod again;
mod by_model;
mod change;
mod cut;
mod known;
mod list;
mod open;
pub(crate) mod passages;
mod place;
mod read;
mod row;
mod upload;

pub(crate) use again::{Stuck, derivatives, requeue, stuck};
pub use by_model::{ReadingModels, SpeechModel};
pub use change::LARGEST_FILE;
pub use list::ListFiles;
pub use open::{Downloaded, Thumbnail};
pub(crate) use place::{Spot, spot};
pub(crate) use read::settle;
