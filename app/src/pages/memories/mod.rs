//! Memories: the page of all, the page of one with its history, what waits for a decision, and what an answer used.

mod add;
mod forget;
mod opened;
mod page;
mod preferences;
mod rows;
mod used;
mod waiting;
mod words;

pub use opened::MemoryPage;
pub use page::MemoriesPage;
pub use used::Used;
pub use waiting::WaitingHere;
