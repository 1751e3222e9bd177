//! Zip archives from outside. Their names are looked at, never followed; their sizes are not believed.

use crate::{Error, Result};
use shared::ErrorCode;
use shared::note::SkippedFile;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use zip::ZipArchive;

/// Entries of an archive.
const MOST_ENTRIES: usize = 20_000;
/// Bytes of all entries together, unpacked.
const LARGEST: u64 = 1 << 30;
/// Bytes of all texts together, which are in memory at once.
const LARGEST_TEXTS: u64 = 200 << 20;
/// How much larger than its archive everything may be, beyond a free allowance: no honest notes are
/// packed tighter.
const MOST_GROWTH: u64 = 100;
const FREE_GROWTH: u64 = 20 << 20;

/// A file in an archive.
pub(crate) struct Entry {
    pub index: usize,
    /// Folders, then the name.
    pub path: Vec<String>,
    pub size: u64,
}

impl Entry {
    pub fn is_note(&self) -> bool {
        let name = self.path.last().map(|name| name.to_lowercase()).unwrap_or_default();
        name.ends_with(".md") || name.ends_with(".markdown") || name.ends_with(".txt")
    }
}

/// An archive, looked through but not unpacked.
pub(crate) struct Archive {
    zip: ZipArchive<File>,
    pub notes: Vec<Entry>,
    pub files: Vec<Entry>,
    pub skipped: Vec<SkippedFile>,
}

impl Archive {
    /// Refuses the whole archive where a name leads out of it or it would grow beyond measure.
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(Error::internal)?;
        let packed = file.metadata().map_err(Error::internal)?.len();
        let mut zip = ZipArchive::new(file)
            .map_err(|error| refused(format!("This is not a zip archive that can be read: {error}.")))?;
        if zip.len() > MOST_ENTRIES {
            return Err(too_large(format!("The archive has more than {MOST_ENTRIES} files.")));
        }
        let (mut notes, mut files, mut skipped) = (Vec::new(), Vec::new(), Vec::new());
        let (mut total, mut texts) = (0_u64, 0_u64);
        for index in 0..zip.len() {
            let entry = zip.by_index_raw(index).map_err(unreadable)?;
            let name = entry.name().map_err(unreadable)?.into_owned();
            let path = segments(&name)?;
            total = total.saturating_add(entry.size());
            let hidden = path.iter().any(|part| part.starts_with('.') || part == "__MACOSX");
            if entry.is_dir() || path.is_empty() || hidden {
                continue;
            }
            if entry.is_symlink() || entry.encrypted() {
                let reason = if entry.encrypted() { "It is encrypted." } else { "It is a link, not a file." };
                skipped.push(SkippedFile { path: name, reason: reason.to_owned() });
                continue;
            }
            let entry = Entry { index, path, size: entry.size() };
            if entry.is_note() {
                texts = texts.saturating_add(entry.size);
                notes.push(entry);
            } else {
                files.push(entry);
            }
        }
        if total > LARGEST || total > packed.saturating_mul(MOST_GROWTH).saturating_add(FREE_GROWTH) {
            return Err(too_large("Unpacked, the archive is larger than anything of its kind.".into()));
        }
        if texts > LARGEST_TEXTS {
            return Err(too_large(
                "The archive's notes are larger than 200 MB together. Import them in parts.".into(),
            ));
        }
        notes.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Self { zip, notes, files, skipped })
    }

    /// Unpacks one file; it may not be longer than the archive says it is.
    pub fn read(&mut self, entry: &Entry) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut file = self.zip.by_index(entry.index).map_err(unreadable)?;
        (&mut file).take(entry.size + 1).read_to_end(&mut bytes).map_err(|error| {
            refused(format!("‘{}’ in the archive cannot be unpacked: {error}.", entry.path.join("/")))
        })?;
        if bytes.len() as u64 > entry.size {
            return Err(refused("A file in the archive is longer than the archive says.".into()));
        }
        Ok(bytes)
    }
}

/// A name as folders and a file; an error where it would lead out of the archive.
fn segments(name: &str) -> Result<Vec<String>> {
    let name = name.replace('\\', "/");
    let drive = name.as_bytes().get(1) == Some(&b':');
    if name.starts_with('/') || drive || name.contains('\0') || name.split('/').any(|part| part == "..") {
        return Err(refused(format!(
            "The archive names a file outside of itself: ‘{}’.",
            name.escape_debug()
        )));
    }
    Ok(name.split('/').filter(|part| !part.is_empty() && *part != ".").map(str::to_owned).collect())
}

fn refused(message: String) -> Error {
    Error::problem(ErrorCode::InvalidInput, format!("{message} Nothing was imported."))
}

fn too_large(message: String) -> Error {
    Error::problem(ErrorCode::PayloadTooLarge, format!("{message} Nothing was imported."))
}

fn unreadable(error: zip::result::ZipError) -> Error {
    refused(format!("The archive cannot be read: {error}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_out_are_refused() {
        for name in ["../x.md", "a/../../x.md", "/etc/passwd", "C:\\x.md", "a\\..\\..\\x.md", "a\0b"] {
            assert!(segments(name).is_err(), "{name:?}");
        }
        assert_eq!(segments("a//./b.md").unwrap(), ["a", "b.md"]);
        assert_eq!(segments("a..b/c.md").unwrap(), ["a..b", "c.md"]);
    }
}
