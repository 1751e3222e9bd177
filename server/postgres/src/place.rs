//! A folder that Postgres can be told to work in although its user may not be able to walk down
//! to it: a root server's data folder is often under a folder closed to all others (`/root`).
//!
//! The folder is opened here, handed to the child as an open descriptor, and named to it as
//! `/proc/self/fd/N`: following that link needs no permission on the folders above. The database
//! user gains nothing else, no capability and no opened-up parent.

use std::fs::{File, OpenOptions};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::account::Account;
use crate::error::{Error, io_at};

/// The bytes a Unix socket address has for its path on Linux, its closing zero not counted.
const SOCKET_PATH_LIMIT: usize = 107;
pub(crate) const DESCRIPTORS: &str = "/proc/self/fd";

#[derive(Debug)]
pub(crate) struct Place {
    path: PathBuf,
    folder: Option<File>,
}

impl Place {
    pub(crate) fn new(path: &Path, account: Account) -> Result<Self, Error> {
        let folder = if account.reaches(path) {
            None
        } else if Path::new(DESCRIPTORS).is_dir() {
            Some(open_folder(path)?)
        } else {
            return Err(Error::OutOfReach { path: path.to_owned() });
        };
        Ok(Self { path: path.to_owned(), folder })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The path as the child is to be told.
    pub(crate) fn path_for_child(&self) -> PathBuf {
        self.folder.as_ref().map_or_else(|| self.path.clone(), by_descriptor)
    }

    /// The descriptor that the child must inherit under the same number.
    pub(crate) fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.folder.as_ref().map(AsFd::as_fd)
    }
}

fn open_folder(path: &Path) -> Result<File, Error> {
    let directory = rustix::fs::OFlags::DIRECTORY.bits().cast_signed();
    OpenOptions::new().read(true).custom_flags(directory).open(path).map_err(io_at("open the folder", path))
}

fn by_descriptor(folder: &File) -> PathBuf {
    Path::new(DESCRIPTORS).join(folder.as_raw_fd().to_string())
}

/// A path to a socket's folder that is short enough for a client, and what must stay open for it.
#[derive(Debug, Clone)]
pub(crate) struct ShortPath {
    pub(crate) path: PathBuf,
    pub(crate) keep: Option<Arc<File>>,
}

impl ShortPath {
    pub(crate) fn to(folder: &Path, socket_name: &str) -> Result<Self, Error> {
        let length = folder.join(socket_name).as_os_str().len();
        if length <= SOCKET_PATH_LIMIT {
            return Ok(Self { path: folder.to_owned(), keep: None });
        }
        if !Path::new(DESCRIPTORS).is_dir() {
            return Err(Error::PathTooLong { path: folder.to_owned() });
        }
        let file = open_folder(folder)?;
        Ok(Self { path: by_descriptor(&file), keep: Some(Arc::new(file)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_folder_is_named_as_it_is() {
        let short = ShortPath::to(Path::new("/tmp"), ".s.PGSQL.5432").unwrap();
        assert_eq!(short.path, Path::new("/tmp"));
    }

    #[test]
    fn a_long_folder_gets_a_name_that_fits_a_socket() {
        let long = std::env::temp_dir().join(format!("{}{}", "x".repeat(120), std::process::id()));
        std::fs::create_dir_all(&long).unwrap();
        let short = ShortPath::to(&long, ".s.PGSQL.5432").unwrap();
        assert!(short.path.join(".s.PGSQL.5432").as_os_str().len() <= SOCKET_PATH_LIMIT);
        assert_eq!(std::fs::canonicalize(&short.path).unwrap(), long.canonicalize().unwrap());
        std::fs::remove_dir(&long).unwrap();
    }
}
