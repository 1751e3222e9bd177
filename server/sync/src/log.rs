//! What rooms need from outside: a log that keeps updates, a way to hear of other servers, and
//! somebody who turns a settled document into rows.

use crate::Author;
use async_trait::async_trait;
use shared::NoteId;

/// Updates of one note by one author, to be committed.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub note: NoteId,
    pub author: Author,
    /// Yjs update, version 1.
    pub update: Vec<u8>,
}

/// One committed update.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    pub seq: i64,
    pub update: Vec<u8>,
}

/// A note as the log has it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Loaded {
    /// The last committed sequence number.
    pub seq: i64,
    /// The number up to which the snapshot goes; 0 without one.
    pub snapshot: i64,
    /// The snapshot and the updates after it, in the order of the log.
    pub updates: Vec<Vec<u8>>,
}

#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// No such note, or it was deleted.
    #[error("there is no such note")]
    NotFound,
    /// The log cannot be reached now.
    #[error("the log is away: {0}")]
    Away(String),
    #[error("the log failed: {0}")]
    Failed(String),
}

/// Where updates are kept. Sequence numbers of a note rise by one and are visible in their order.
#[async_trait]
pub trait Log: Send + Sync + 'static {
    /// Everything of a note, in order.
    async fn load(&self, note: NoteId) -> Result<Loaded, LogError>;

    /// What other servers committed after `seq`, in order, and the last number there is.
    async fn since(&self, note: NoteId, seq: i64) -> Result<(Vec<Record>, i64), LogError>;

    /// Commits all entries in one transaction and answers with the number of each, in the order
    /// given; none for a note that is there no longer.
    async fn append(&self, entries: &[Entry]) -> Result<Vec<Option<i64>>, LogError>;

    /// Keeps a snapshot: an update that says what the log says up to `seq`, so that the next to load
    /// need not read all of it.
    async fn keep(&self, note: NoteId, seq: i64, snapshot: Vec<u8>) -> Result<(), LogError>;

    /// The last number of each of these notes.
    async fn heads(&self, notes: &[NoteId]) -> Result<Vec<(NoteId, i64)>, LogError>;
}

/// How servers tell each other. It may lose messages: rooms look at the log now and then by themselves.
#[async_trait]
pub trait Transport: Send + Sync + 'static {
    /// Tells every other server that these notes are at these numbers; what arrives there is given
    /// to [`crate::Rooms::moved`].
    async fn announce(&self, moved: &[(NoteId, i64)]);
}

/// Turns a document that has settled into rows: the Markdown, its links, passages, versions.
#[async_trait]
pub trait Projector: Send + Sync + 'static {
    /// `seq` is committed, and the text contains everything up to it.
    async fn project(&self, note: NoteId, seq: i64, text: &str) -> Result<(), LogError>;
}
