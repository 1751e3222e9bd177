//! Web pages that somebody keeps to read: how they are saved, fetched, made readable, found and given back.
//! What was made of a page lies in the store, in a folder of the page's own; a row names the page.

mod again;
mod change;
mod list;
mod making;
mod open;
mod purge;
mod read;
mod row;
mod save;

pub(crate) use again::{KeptPage, kept_pages, refetch_page, resume_page, stuck_pages};
pub use list::ListPages;
pub use open::Archive;
pub(crate) use row::{binned, used};
