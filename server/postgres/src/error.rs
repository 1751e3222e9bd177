//! What can go wrong with the embedded Postgres, each with its cause and its remedy in one
//! sentence that a person at a shell can act on.

use std::io;
use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error(
        "Postgres was not found: {} is missing. Run `cargo xtask setup`, or name the folder that holds bin, lib and share with --postgres.", .missing.display()
    )]
    NotInstalled { missing: PathBuf },

    #[error(
        "The data folder {} is in use by another sidebar{}. Stop that one, or choose another folder with --data.", .data.display(), holder(.pid)
    )]
    InUse { data: PathBuf, pid: Option<i32> },

    #[error(
        "Postgres does not run as root, and neither a user `postgres` nor a user `nobody` exists here. Add one, or start sidebar as an ordinary user."
    )]
    NoUnprivilegedUser,

    #[error(
        "The database in {} belongs to user id {owner}. Start sidebar as that user or as root, or choose another folder with --data.", .cluster.display()
    )]
    OtherOwner { cluster: PathBuf, owner: u32 },

    #[error(
        "The database in {} was made by Postgres {found}, and this is Postgres {ours}. Restore a backup into a new folder, or start the sidebar that made it.", .cluster.display()
    )]
    OtherVersion { cluster: PathBuf, found: String, ours: &'static str },

    #[error(
        "{} exists and is not a Postgres database. Move it away, or choose another folder with --data.", .cluster.display()
    )]
    NotACluster { cluster: PathBuf },

    #[error(
        "The user that runs Postgres cannot reach {}, and /proc is not mounted to help it. Choose a data folder whose parents are open to all users, or mount /proc.", .path.display()
    )]
    OutOfReach { path: PathBuf },

    #[error(
        "The path {} is too long for a Unix socket, and /proc is not mounted to shorten it. Choose a shorter data folder with --data.", .path.display()
    )]
    PathTooLong { path: PathBuf },

    #[error("Postgres could not make its database in {}: {output}", .cluster.display())]
    NotCreated { cluster: PathBuf, output: String },

    #[error("Postgres did not start: {tail} (the whole log is {})", .log.display())]
    NotStarted { log: PathBuf, tail: String },

    #[error(
        "A Postgres process from an earlier run ({pid}) still holds {} and does not end. End it with `kill -9 {pid}` and try again.", .cluster.display()
    )]
    OrphanStays { cluster: PathBuf, pid: i32 },

    #[error("Could not {what} {}: {source}. Check the free space and the permissions there.", .path.display())]
    Io { what: &'static str, path: PathBuf, source: io::Error },

    #[error("The thread that runs Postgres ended without a word; the log in the data folder may say why.")]
    ThreadLost,
}

fn holder(pid: &Option<i32>) -> String {
    pid.map_or_else(String::new, |pid| format!(" (process {pid})"))
}

/// Turns an I/O error into one that says what was being done, and where.
pub(crate) fn io_at(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Io { what, path, source }
}
