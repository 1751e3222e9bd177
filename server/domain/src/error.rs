//! Why something could not be done. Inside, errors are values with a cause; the edge turns them
//! into the envelope in one place.

use serde_json::{Value, json};
use shared::ErrorCode;
use std::time::Duration;

pub type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An answer for the caller: what is wrong and what to do.
    #[error("{message}")]
    Problem { code: ErrorCode, message: String, details: Option<Value>, retry_after: Option<Duration> },
    /// The database is away. Nothing was changed.
    #[error("the database is away")]
    DatabaseUnavailable(#[source] sqlx::Error),
    /// A fault of ours, logged and never shown.
    #[error("internal error")]
    Internal(#[source] anyhow::Error),
}

impl Error {
    pub fn problem(code: ErrorCode, message: impl Into<String>) -> Self {
        Self::Problem { code, message: message.into(), details: None, retry_after: None }
    }

    /// A value in the request is wrong.
    pub fn invalid(field: &'static str, message: impl Into<String>) -> Self {
        Self::Problem {
            code: ErrorCode::InvalidInput,
            message: message.into(),
            details: Some(json!({ "field": field })),
            retry_after: None,
        }
    }

    /// No such thing, or none that the caller may see: the two are never told apart.
    pub fn not_found(what: &str) -> Self {
        Self::problem(ErrorCode::NotFound, format!("There is no such {what}, or it is not shared with you."))
    }

    pub fn internal(cause: impl Into<anyhow::Error>) -> Self {
        Self::Internal(cause.into())
    }

    /// Whether trying again later can help.
    pub fn is_database_away(&self) -> bool {
        matches!(self, Self::DatabaseUnavailable(_))
    }

    /// Whether the store of files is away, or full: that passes, and is nobody's fault who asks.
    pub fn is_storage_away(&self) -> bool {
        let codes = [ErrorCode::StorageUnavailable, ErrorCode::StorageFull];
        matches!(self, Self::Problem { code, .. } if codes.contains(code))
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        if connection_is_lost(&error) {
            Self::DatabaseUnavailable(error)
        } else {
            Self::Internal(error.into())
        }
    }
}

/// Whether the connection, not the statement, is at fault.
pub(crate) fn connection_is_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        // Classes 08 (connection), 57P (operator intervention), 53 (no resources such as connections or disk),
        // 25006 (read-only, as after a failover).
        sqlx::Error::Database(e) => e.code().is_some_and(|code| {
            code.starts_with("08") || code.starts_with("57P") || code.starts_with("53") || code == "25006"
        }),
        _ => false,
    }
}

/// The violated unique constraint, if that is what went wrong.
pub(crate) fn violated_unique(error: &sqlx::Error) -> Option<&str> {
    match error {
        sqlx::Error::Database(e) if e.is_unique_violation() => e.constraint(),
        _ => None,
    }
}
