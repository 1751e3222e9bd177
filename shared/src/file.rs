//! Files that somebody keeps: their rows, how they arrive, and what was read in them.

use crate::{FileId, UploadId};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// Bytes of every part of an upload but the last.
pub const PART_SIZE: u64 = 8 << 20;

/// A file as lists show it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FileSummary {
    pub id: FileId,
    pub name: String,
    /// Names of folders joined by `/`; empty at the top.
    pub folder: String,
    /// By its name.
    pub media_type: String,
    /// In bytes.
    pub size: u64,
    /// Of its bytes, in hexadecimal.
    pub sha256: String,
    #[serde(flatten)]
    pub state: FileState,
    /// Of documents that have some.
    pub pages: Option<u32>,
    /// Whether `…/thumbnail` answers.
    pub thumbnail: bool,
    #[serde(with = "time::serde::rfc3339")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub updated_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub deleted_at: Option<OffsetDateTime>,
}

/// Where a file stands on its way into the search; `state` tells which.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum FileState {
    /// For a worker.
    Waiting,
    /// Pages, or what stands for them, of how many; 0 of 0 before that is known.
    Reading {
        done: u32,
        of: u32,
    },
    /// Found by words already; its meaning is being computed.
    Indexing,
    Ready,
    /// As it is, and found by its name: there is no text in such a file.
    Kept,
    /// `reason` is for a person. It can be tried again.
    Failed {
        reason: String,
    },
}

impl FileState {
    pub fn is_settled(&self) -> bool {
        matches!(self, Self::Ready | Self::Kept | Self::Failed { .. })
    }
}

/// A file, and what was read in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct File {
    #[serde(flatten)]
    pub summary: FileSummary,
    /// What the document calls itself.
    pub title: Option<String>,
    pub author: Option<String>,
    /// ISO 639-1.
    pub language: Option<String>,
    /// What else the document says of itself, by name.
    pub properties: Vec<(String, String)>,
    /// What was read, in order; empty until it was.
    pub sections: Vec<FileSection>,
    /// Why there is no text where a model could have read some: in a picture, in a recording. For a person.
    pub unread: Option<String>,
    /// Whether more was read than is sent here: `…/text` has all.
    pub more: bool,
}

/// A stretch of what was read in a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FileSection {
    /// Of the section in the page that shows the file: `/f/{id}#{anchor}`.
    pub anchor: String,
    /// What a person calls the place: `Page 3`, `Sheet Costs`, `Lines 10–42`.
    pub label: String,
    pub markdown: String,
}

/// Changes what is given.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UpdateFile {
    pub name: Option<String>,
    pub folder: Option<String>,
}

/// Announces a file that will be sent in parts of [`PART_SIZE`] bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BeginUpload {
    pub name: String,
    #[serde(default)]
    pub folder: String,
    /// Of the whole file, in bytes.
    pub size: u64,
    /// Of the whole file, in hexadecimal, if known: bytes that are here already need not be sent.
    pub sha256: Option<String>,
}

/// A file on its way. It may be gone on with for seven days.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Upload {
    pub id: UploadId,
    pub name: String,
    pub folder: String,
    pub size: u64,
    /// Bytes of every part but the last.
    pub part_size: u64,
    /// Numbers of the parts that are here, from 0, in order.
    pub received: Vec<u32>,
    /// The file, once it is complete.
    pub file: Option<FileSummary>,
}

/// Asks which files are here already.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KnownFiles {
    /// At most 1,000.
    pub files: Vec<KnownFile>,
}

impl KnownFiles {
    /// Asked for at once.
    pub const MOST: usize = 1000;
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KnownFile {
    #[serde(default)]
    pub folder: String,
    /// In hexadecimal.
    pub sha256: String,
}

/// What a person's files take up, and may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StorageUse {
    /// In bytes, each blob once.
    pub used: u64,
    /// In bytes.
    pub limit: u64,
    /// Of one file, in bytes.
    pub largest_file: u64,
}
