//! What keeps storage in order: bytes that nothing names leave, what is missing is found and made again, and
//! everything can be read anew from its sources.

mod check;
mod collect;
mod recut;
mod reindex;

pub use check::{Finding, Mend};
pub use reindex::Reindexed;
