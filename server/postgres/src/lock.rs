//! One server for one data folder: an advisory lock on a file that the kernel lets go of when its
//! holder dies, however it dies.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::{Error, io_at};

/// How long a start waits for a holder that is about to go: a command at the shell, or a server
/// that is shutting down.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

fn path(data: &Path) -> PathBuf {
    data.join("postgres.lock")
}

fn open(path: &Path) -> Result<File, Error> {
    File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(io_at("open", path))
}

impl Lock {
    /// Takes the lock of the data folder, or says who has it.
    pub(crate) fn take(data: &Path) -> Result<Self, Error> {
        let path = path(data);
        let mut file = open(&path)?;
        let started = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if started.elapsed() < PATIENCE => {
                    thread::sleep(Duration::from_millis(50));
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(Error::InUse { data: data.to_owned(), pid: holder(&mut file) });
                }
                Err(TryLockError::Error(error)) => return Err(io_at("lock", &path)(error)),
            }
        }
        file.set_len(0).map_err(io_at("write", &path))?;
        file.rewind().map_err(io_at("write", &path))?;
        writeln!(file, "{}", std::process::id()).map_err(io_at("write", &path))?;
        Ok(Self { _file: file })
    }
}

/// Whether a server holds the lock of the data folder at this moment.
pub(crate) fn is_held(data: &Path) -> Result<bool, Error> {
    let path = path(data);
    if !path.exists() {
        return Ok(false);
    }
    // A shared try neither disturbs the holder nor other lookers.
    match open(&path)?.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(io_at("lock", &path)(error)),
    }
}

fn holder(file: &mut File) -> Option<i32> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}
