//! What went wrong with the store or the disk, as something a person can act on.

use super::Blobs;
use crate::Error;
use shared::ErrorCode;
use std::io::ErrorKind;
use std::time::Duration;

/// When to ask again.
const SHORTLY: Duration = Duration::from_secs(10);

/// An error of the disk of this machine.
pub(super) fn disk(error: std::io::Error) -> Error {
    match is_full(&error) {
        true => full(),
        false => Error::internal(error),
    }
}

impl Blobs {
    /// An error of the store, wherever it is.
    pub(super) fn trouble(&self, error: object_store::Error) -> Error {
        if is_full(&error) {
            return full();
        }
        let ours = matches!(error, object_store::Error::NotFound { .. }) || self.folder.is_some();
        match ours {
            true => Error::internal(error),
            false => away(&error),
        }
    }

    /// An error of moving a file into the store: of either end.
    pub(super) fn trouble_of_writing(&self, error: std::io::Error) -> Error {
        match (is_full(&error), &self.folder) {
            (true, _) => full(),
            (false, Some(_)) => Error::internal(error),
            (false, None) => away(&error),
        }
    }
}

fn full() -> Error {
    tracing::error!("the disk is full: files cannot be kept");
    Error::problem(
        ErrorCode::StorageFull,
        "There is no room left where the server keeps files. Nothing was kept; tell whoever runs the server, then send it again.",
    )
}

fn away(cause: &(dyn std::error::Error + 'static)) -> Error {
    tracing::warn!(error = cause, "the store of files is away");
    Error::Problem {
        code: ErrorCode::StorageUnavailable,
        message: "The store of files cannot be reached. Nothing was changed; try again shortly.".into(),
        details: None,
        retry_after: Some(SHORTLY),
    }
}

/// Whether a full disk, or a used-up share of it, is at the root of it.
fn is_full(error: &(dyn std::error::Error + 'static)) -> bool {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.filter_map(|cause| cause.downcast_ref::<std::io::Error>()).any(|cause| {
        // An error of input and output may carry another as its own.
        let inner = cause.get_ref().is_some_and(|inner| is_full(inner));
        inner || matches!(cause.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
    })
}
