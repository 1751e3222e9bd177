//! Web pages that are kept to be read: the list beside the page, the page of one, how they are saved.

mod acts;
mod address;
mod bookmarklet;
mod clip;
mod deleted;
mod head;
mod list;
mod menu;
mod page;
mod position;
mod reading;
mod rows;
mod store;
mod tags;

pub use address::address_in;
pub use clip::ClipPage;
pub use deleted::DeletedPages;
pub use list::SavedList;
pub use page::SavedPagesPage;
pub use store::{SavedPages, use_saved};

/// The id of the field that an address is pasted into.
pub const ADDRESS_FIELD: &str = "save-address";
/// The id of the field that holds the title of the page that is open.
pub const TITLE_FIELD: &str = "page-title";
