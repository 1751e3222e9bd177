//! Notes: their rows, who may do what with them, and what people and models do in them. The text
//! itself is in the rooms of the crate `sync`; everything here asks them for it.

pub(crate) mod access;
mod shares;
mod visits;

pub use shares::Shared;
pub use visits::{SharedFolder, Visit};
