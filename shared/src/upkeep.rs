//! Reading everything anew, as it is asked for and as it goes on.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// Of whom.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    #[default]
    Mine,
    /// Of everybody on this server; for admins.
    Everything,
}

/// Asks for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Reindex {
    #[serde(default)]
    pub scope: Scope,
}

/// How far it is: files, notes, conversations, pages and memories.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Reindexing {
    pub done: u32,
    pub of: u32,
    /// Those of which something had changed.
    pub changed: u32,
    pub running: bool,
    #[serde(with = "time::serde::rfc3339")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub started_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub ended_at: Option<OffsetDateTime>,
}

/// What the search can do just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SearchState {
    /// Whether it goes by meaning; otherwise by words alone.
    pub by_meaning: bool,
    /// Passages of one's own that are found by words only so far.
    pub waiting: u32,
}
