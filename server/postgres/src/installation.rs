//! Where Postgres' programs are: the folder with `bin`, `lib` and `share`. It never downloads
//! anything; set-up tools and the attached payload put the folder in place.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::account::Account;
use crate::error::{Error, io_at};

/// The folder's name in the per-user cache: a different Postgres is a different folder.
pub const RELEASE: &str = "postgres-18.4-vector-0.8.5";

/// A relocatable Postgres 18 with pgvector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    /// The folder that holds `bin`, `lib` and `share`.
    pub root: PathBuf,
}

impl Installation {
    /// The installation at `root`, after a look whether its programs are there.
    pub fn at(root: impl Into<PathBuf>) -> Result<Self, Error> {
        let root = root.into();
        let root = std::path::absolute(&root).unwrap_or(root);
        for needed in ["bin/postgres", "bin/initdb", "lib/postgresql/vector.so"] {
            let path = root.join(needed);
            if !path.is_file() {
                return Err(Error::NotInstalled { missing: path });
            }
        }
        Ok(Self { root })
    }

    /// The installation that set-up put into the per-user cache.
    pub fn cached() -> Result<Self, Error> {
        Self::at(Self::cache_folder().join(RELEASE))
    }

    /// The per-user cache. Root's own is not `~/.cache`, because the unprivileged user that runs
    /// Postgres for root cannot enter root's home.
    pub fn cache_folder() -> PathBuf {
        if rustix::process::geteuid().is_root() {
            return PathBuf::from("/var/cache/sidebar");
        }
        let named = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        named("XDG_CACHE_HOME")
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
            .or_else(|| named("HOME").map(|home| Path::new(&home).join(".cache")))
            .unwrap_or_else(std::env::temp_dir)
            .join("sidebar")
    }

    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.root.join("bin").join(name)
    }

    pub(crate) fn libraries(&self) -> PathBuf {
        self.root.join("lib")
    }

    /// This installation, or a copy of it in root's cache when `account` cannot enter its folder.
    pub(crate) fn within_reach(self, account: Account) -> Result<Self, Error> {
        if account.reaches(&self.program("postgres")) {
            return Ok(self);
        }
        let copy = Self::cache_folder().join(format!("copy-{}", fingerprint(&self.root)?));
        if !copy.exists() {
            tracing::info!(from = %self.root.display(), to = %copy.display(), "copying Postgres to where its user can reach it");
            copy_whole(&self.root, &copy)?;
        }
        let copy = Self { root: copy };
        if account.reaches(&copy.program("postgres")) {
            Ok(copy)
        } else {
            Err(Error::OutOfReach { path: copy.root })
        }
    }
}

/// Names a copy after what it was copied from, so that a replaced installation is copied again.
fn fingerprint(root: &Path) -> Result<String, Error> {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let program = root.join("bin/postgres");
    let metadata = fs::metadata(&program).map_err(io_at("look at", &program))?;
    let mut hasher = DefaultHasher::new();
    (root, metadata.len(), metadata.modified().ok()).hash(&mut hasher);
    Ok(format!("{:016x}", hasher.finish()))
}

/// Copies a folder so that it appears at `to` whole or not at all.
fn copy_whole(from: &Path, to: &Path) -> Result<(), Error> {
    let parent = to.parent().unwrap_or(Path::new("/"));
    fs::create_dir_all(parent).map_err(io_at("make the folder", parent))?;
    let half = to.with_extension(format!("half-{}", std::process::id()));
    copy_tree(from, &half)?;
    match fs::rename(&half, to) {
        Ok(()) => Ok(()),
        // Another server made the same copy first.
        Err(_) if to.exists() => fs::remove_dir_all(&half).map_err(io_at("remove", &half)),
        Err(error) => Err(io_at("move into place", to)(error)),
    }
}

fn copy_tree(from: &Path, to: &Path) -> Result<(), Error> {
    fs::create_dir_all(to).map_err(io_at("make the folder", to))?;
    fs::set_permissions(to, fs::Permissions::from_mode(0o755)).map_err(io_at("open up", to))?;
    for entry in fs::read_dir(from).map_err(io_at("read", from))? {
        let entry = entry.map_err(io_at("read", from))?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy_tree(&source, &target)?;
        } else {
            fs::copy(&source, &target).map_err(io_at("copy to", &target))?;
            let program = to.file_name() == Some(OsStr::new("bin"));
            let mode = if program { 0o755 } else { 0o644 };
            fs::set_permissions(&target, fs::Permissions::from_mode(mode))
                .map_err(io_at("open up", &target))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_postgres_says_what_is_missing() {
        let error = Installation::at("/nonexistent").unwrap_err().to_string();
        assert!(error.contains("/nonexistent/bin/postgres is missing"), "{error}");
        assert!(error.contains("cargo xtask setup"), "{error}");
    }
}
