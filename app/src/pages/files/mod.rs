//! Files: the list beside the page, what is on its way, and the page of one file with what was read in it.

mod acts;
mod deleted;
mod dialogs;
mod head;
mod intake;
mod kind;
mod list;
mod menu;
mod name;
mod page;
mod reading;
mod rows;
mod shown;
mod store;
mod transfers;
mod words;

pub use deleted::DeletedFiles;
pub use dialogs::FileDialogs;
pub use intake::{DropVeil, choose_files};
pub use list::FileList;
pub use page::FilesPage;
pub use store::{Files, use_files};
pub use transfers::TransferNote;
