//! Zip archives, unpacked under a count of what really comes out. Sizes that the archive claims for
//! its entries are never believed.

use crate::failure::{Failure, Measure};
use crate::limits::Limits;
use std::io::{Cursor, ErrorKind, Read};
use zip::ZipArchive;
use zip::result::ZipError;

/// A small file may unpack to this much, however well it was packed.
const ALWAYS_ALLOWED: u64 = 16 << 20;
/// No office file has this many parts.
const MOST_ENTRIES: usize = 20_000;

pub(crate) struct Archive<'a> {
    zip: ZipArchive<Cursor<&'a [u8]>>,
    unpacked: u64,
    limit: u64,
}

impl<'a> Archive<'a> {
    pub fn open(bytes: &'a [u8], limits: &Limits) -> Result<Self, Failure> {
        let zip = ZipArchive::new(Cursor::new(bytes)).map_err(|error| unopened(error, bytes))?;
        if zip.len() > MOST_ENTRIES {
            return Err(Failure::damaged("it has more parts than any such file"));
        }
        let by_ratio = (bytes.len() as u64).saturating_mul(limits.unpacked_ratio).max(ALWAYS_ALLOWED);
        Ok(Self { zip, unpacked: 0, limit: limits.unpacked_bytes.min(by_ratio) })
    }

    pub fn names(&self) -> Vec<String> {
        self.zip.file_names().filter_map(Result::ok).map(|name| name.into_owned()).collect()
    }

    /// None where the archive has no such part.
    pub fn read(&mut self, name: &str) -> Result<Option<Vec<u8>>, Failure> {
        let Some(index) = self.zip.index_for_name(name) else { return Ok(None) };
        self.read_at(index).map(Some)
    }

    /// A part as text; office parts are UTF-8, rarely UTF-16.
    pub fn text(&mut self, name: &str) -> Result<Option<String>, Failure> {
        Ok(self.read(name)?.map(|bytes| encoding_rs::UTF_8.decode(&bytes).0.into_owned()))
    }

    /// Unpacks everything once, for libraries that unpack by themselves and trust what they find.
    pub fn prove_harmless(&mut self) -> Result<(), Failure> {
        for index in 0..self.zip.len() {
            self.read_at(index)?;
        }
        self.unpacked = 0;
        Ok(())
    }

    fn read_at(&mut self, index: usize) -> Result<Vec<u8>, Failure> {
        let left = self.limit - self.unpacked;
        let entry = self.zip.by_index(index).map_err(unread)?;
        let claimed = entry.size();
        let mut bytes = Vec::new();
        entry.take(left + 1).read_to_end(&mut bytes).map_err(|error| unread(error.into()))?;
        if bytes.len() as u64 > left {
            return Err(Failure::TooLarge { what: Measure::Unpacked, limit: self.limit });
        }
        if claimed != bytes.len() as u64 {
            return Err(Failure::damaged("a part inside has another size than it claims"));
        }
        self.unpacked += bytes.len() as u64;
        Ok(bytes)
    }
}

/// The list of a zip archive stands at its end: no list means a file cut off.
fn unopened(error: ZipError, bytes: &[u8]) -> Failure {
    const END_OF_LIST: &[u8] = b"PK\x05\x06";
    match error {
        ZipError::InvalidArchive(_) if !bytes.windows(4).any(|four| four == END_OF_LIST) => {
            Failure::Truncated
        }
        error => unread(error),
    }
}

fn unread(error: ZipError) -> Failure {
    match error {
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) | ZipError::InvalidPassword => {
            Failure::Encrypted
        }
        ZipError::Io(error) if error.kind() == ErrorKind::UnexpectedEof => Failure::Truncated,
        error => Failure::damaged(error),
    }
}
