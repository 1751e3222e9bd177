//! What is told of many notes at once: titles to link to, tags, what an import made.

use crate::NoteId;
use serde::{Deserialize, Serialize};

/// A note that a link can name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TitledNote {
    pub id: NoteId,
    pub title: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TagCount {
    /// Without `#`, in lower case.
    pub tag: String,
    pub notes: i64,
}

/// What became of what was imported.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImportReport {
    /// The notes made, in the order of their paths.
    pub notes: Vec<TitledNote>,
    /// Folders made.
    pub folders: u32,
    /// Files that were attached to notes.
    pub attachments: u32,
    /// What was left out, and why.
    pub skipped: Vec<SkippedFile>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SkippedFile {
    /// As the archive names it.
    pub path: String,
    pub reason: String,
}
