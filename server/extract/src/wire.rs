//! What parent and child say to each other: a line of JSON and the file one way, lines of JSON the other.

use crate::document::Document;
use crate::failure::Failure;
use crate::jail::Sandbox;
use crate::limits::{Limits, Progress};
use serde::{Deserialize, Serialize};

/// The first line to the child; the bytes follow.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Header {
    pub name: String,
    pub declared: Option<String>,
    pub limits: Limits,
}

/// A line from the child. The sandbox comes first, the document or the failure last.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Line {
    Sandbox(Sandbox),
    Progress(Progress),
    Document(Box<Document>),
    Failure(Failure),
}
