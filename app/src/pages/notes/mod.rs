//! Notes: the list beside the page, the page of one note, and what stands beside it.

mod acts;
mod beside;
mod deleted;
mod desk;
mod dialogs;
mod head;
mod list;
#[cfg(any(feature = "hydrate", test))]
mod pack;
mod page;
mod scope;
mod sheet;
mod store;
mod text;
mod transfer;

pub use beside::{Copied, NoteBeside};
pub use deleted::DeletedNotes;
pub use desk::{Desk, use_desk};
pub use dialogs::NoteDialogs;
pub use list::NoteList;
pub use page::NotesPage;
pub use store::{Notes, use_notes};
