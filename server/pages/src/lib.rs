//! Web pages: fetched without reaching where a server must not, and turned into something to read and
//! something to keep.
//!
//! It knows no SQL, no routes and nothing of the product. Nothing in here trusts a page: what leaves
//! this crate as HTML is sanitised, what leaves it as Markdown was.

mod address;
mod archive;
mod article;
mod charset;
mod error;
mod exchange;
mod fetcher;
mod markdown;
mod metadata;
mod moment;
mod pace;
mod reach;
mod reading;
mod resolver;
mod robots;
mod sanitise;
mod shallow;
mod structured;

pub use address::normalise;
pub use archive::archive;
pub use article::{Article, article};
pub use error::{Error, Step};
pub use fetcher::{Content, Fetcher, Limits, Page, Picture};
pub use reach::{Reach, is_public};
pub use reading::{Length, TextDirection, length};
pub use resolver::{Resolver, SystemResolver};
