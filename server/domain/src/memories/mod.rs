//! What is kept in mind: statements that people, tools and programs keep, and exchanges with models elsewhere. What
//! contradicts takes the other's place, what says the same is one; forgetting is at once and for good.

mod again;
mod audience;
mod change;
mod claim;
mod exchange;
mod find;
mod keys;
mod list;
mod nearness;
mod passages;
mod preferences;
mod quota;
mod row;
mod save;
mod suggest;
mod tongue;
mod waiting;

pub(crate) use again::{ill_indexed, remove_left};
pub(crate) use audience::{Audience, audience_of};
pub use find::SearchMemories;
pub(crate) use find::Told;
pub use list::{ListMemories, MemoriesExport};
pub(crate) use quota::parse_tier;
pub(crate) use row::Origin;
pub(crate) use save::Statement;
pub(crate) use suggest::{Look, put_off_look};
