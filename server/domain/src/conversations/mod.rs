//! Conversations: lists, opening, changes, exports. Answers are in [`crate::answers`].

pub(crate) mod change;
mod cut;
mod export;
mod list;
mod open;
pub(crate) mod passages;
pub(crate) mod path;
mod reactions;

pub use export::{Export, ExportFormat};
pub use list::ListConversations;
pub(crate) use list::{Cursor, summary_of};
pub use open::Window;
pub(crate) use open::{OpenAnswer, Opened, Person, Seed, lock, logged, read, read_for};
