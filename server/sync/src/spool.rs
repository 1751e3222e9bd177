//! The local spool: updates that were accepted and are not committed yet, in files that survive the
//! process. A plain append, without waiting for the disk: it guards against the death of the process,
//! the log in Postgres against that of the machine.
//!
//! An entry is its length and CRC-32 (four bytes each, little endian), then the note, flags, the
//! author, the run, and the update. A torn end was shown to nobody and is cut off.

use crate::Author;
use crate::log::Entry;
use shared::{NoteId, RunId, UserId};
use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// A file this long is closed and the next begun.
const SEGMENT: u64 = 4 << 20;
/// A file whose entries are all committed is emptied from this length on.
const WORTH_EMPTYING: u64 = 64 << 10;
const HEADER: usize = 8;
const HAS_AUTHOR: u8 = 1;
const HAS_RUN: u8 = 2;

pub(crate) struct Spool {
    directory: PathBuf,
    file: File,
    length: u64,
    number: u64,
    /// Closed files with the position of their last entry.
    closed: VecDeque<(u64, u64)>,
    /// The position of the last entry written. Positions rise by one; they are this process's own.
    written: u64,
}

impl Spool {
    /// Opens the folder and answers with what an earlier process left, oldest first.
    pub fn open(directory: &Path) -> io::Result<(Self, Vec<Entry>)> {
        fs::create_dir_all(directory)?;
        let mut numbers: Vec<u64> = fs::read_dir(directory)?
            .filter_map(|file| file.ok()?.file_name().to_str()?.strip_suffix(".spool")?.parse().ok())
            .collect();
        numbers.sort_unstable();
        let mut left = Vec::new();
        for number in &numbers {
            let mut bytes = Vec::new();
            File::open(path(directory, *number))?.read_to_end(&mut bytes)?;
            read_entries(&bytes, &mut left);
        }
        let number = numbers.last().map_or(0, |last| last + 1);
        let file = create(directory, number)?;
        let closed = numbers.into_iter().map(|number| (number, 0)).collect();
        let mut spool = Self { directory: directory.to_owned(), file, length: 0, number, closed, written: 0 };
        // What was left is submitted again as the first entries, before its files may go.
        let positions = left.len() as u64;
        for (_, last) in &mut spool.closed {
            *last = positions;
        }
        Ok((spool, left))
    }

    /// Appends; answers with the entry's position.
    pub fn append(&mut self, entry: &Entry) -> io::Result<u64> {
        if self.length > SEGMENT {
            self.closed.push_back((self.number, self.written));
            self.number += 1;
            self.file = create(&self.directory, self.number)?;
            self.length = 0;
        }
        let bytes = write_entry(entry);
        if let Err(error) = self.file.write_all(&bytes) {
            // Half an entry would end the reading of the file: cut it off.
            self.file.set_len(self.length)?;
            return Err(error);
        }
        self.length += bytes.len() as u64;
        self.written += 1;
        Ok(self.written)
    }

    /// Counts an entry that is in a file already.
    pub fn skip(&mut self) -> u64 {
        self.written += 1;
        self.written
    }

    /// Everything up to this position is committed: its files may go.
    pub fn committed(&mut self, through: u64) -> io::Result<()> {
        while self.closed.front().is_some_and(|(_, last)| *last <= through) {
            if let Some((number, _)) = self.closed.pop_front() {
                fs::remove_file(path(&self.directory, number))?;
            }
        }
        if through == self.written && self.length > WORTH_EMPTYING {
            self.file.set_len(0)?;
            self.length = 0;
        }
        Ok(())
    }

    /// Removes the current file as well: everything is committed and the process ends.
    pub fn close(&mut self) -> io::Result<()> {
        self.file.set_len(0)?;
        fs::remove_file(path(&self.directory, self.number))
    }
}

fn path(directory: &Path, number: u64) -> PathBuf {
    directory.join(format!("{number:012}.spool"))
}

fn create(directory: &Path, number: u64) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path(directory, number))
}

fn write_entry(entry: &Entry) -> Vec<u8> {
    let mut body = Vec::with_capacity(entry.update.len() + 64);
    body.extend_from_slice(entry.note.0.as_bytes());
    let author = entry.author.user_id.map(|UserId(id)| id);
    let run = entry.author.run_id.map(|RunId(id)| id);
    body.push(author.map_or(0, |_| HAS_AUTHOR) | run.map_or(0, |_| HAS_RUN));
    for id in [author, run].into_iter().flatten() {
        body.extend_from_slice(id.as_bytes());
    }
    body.extend_from_slice(&entry.update);
    let mut bytes = Vec::with_capacity(HEADER + body.len());
    bytes.extend_from_slice(&u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes());
    bytes.extend_from_slice(&crc32fast::hash(&body).to_le_bytes());
    bytes.extend_from_slice(&body);
    bytes
}

/// Reads entries until the end, or the first that is not whole.
fn read_entries(mut bytes: &[u8], into: &mut Vec<Entry>) {
    while let Some((header, rest)) = bytes.split_at_checked(HEADER) {
        let length = u32::from_le_bytes([header[0], header[1], header[2], header[3]]) as usize;
        let sum = u32::from_le_bytes([header[4], header[5], header[6], header[7]]);
        let Some((body, after)) = rest.split_at_checked(length) else { break };
        let Some(entry) = (crc32fast::hash(body) == sum).then(|| read_entry(body)).flatten() else { break };
        into.push(entry);
        bytes = after;
    }
    if !bytes.is_empty() {
        tracing::warn!(bytes = bytes.len(), "the spool ends in an entry that was not written whole");
    }
}

fn read_entry(body: &[u8]) -> Option<Entry> {
    let (note, rest) = body.split_at_checked(16)?;
    let (flags, mut rest) = rest.split_first()?;
    let mut id = |flag: u8| -> Option<Option<Uuid>> {
        if flags & flag == 0 {
            return Some(None);
        }
        let (id, after) = rest.split_at_checked(16)?;
        rest = after;
        Some(Some(Uuid::from_slice(id).ok()?))
    };
    let user_id = id(HAS_AUTHOR)?.map(UserId);
    let run_id = id(HAS_RUN)?.map(RunId);
    Some(Entry {
        note: NoteId(Uuid::from_slice(note).ok()?),
        author: Author { user_id, run_id },
        update: rest.to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> PathBuf {
        std::env::temp_dir().join(format!("sidebar-spool-{}", Uuid::now_v7()))
    }

    fn entry(update: &[u8]) -> Entry {
        Entry {
            note: NoteId::new(),
            author: Author { user_id: Some(UserId::new()), run_id: None },
            update: update.to_vec(),
        }
    }

    #[test]
    fn what_was_not_committed_comes_back_in_order_and_a_torn_end_is_cut_off() {
        let folder = folder();
        let entries = [entry(b"one"), entry(b""), entry(&[7; 5000])];
        {
            let (mut spool, left) = Spool::open(&folder).unwrap();
            assert!(left.is_empty());
            for entry in &entries {
                spool.append(entry).unwrap();
            }
            spool.file.write_all(&[9, 0, 0, 0, 1]).unwrap();
        }
        let (mut spool, left) = Spool::open(&folder).unwrap();
        assert_eq!(left, entries);
        for _ in &left {
            spool.skip();
        }
        spool.committed(3).unwrap();
        drop(spool);
        assert!(Spool::open(&folder).unwrap().1.is_empty());
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn files_go_once_all_in_them_is_committed() {
        let folder = folder();
        let (mut spool, _) = Spool::open(&folder).unwrap();
        let positions: Vec<u64> = (0..6).map(|_| spool.append(&entry(&[1; 1 << 20])).unwrap()).collect();
        let files = || fs::read_dir(&folder).unwrap().count();
        assert_eq!(files(), 2);
        spool.committed(positions[1]).unwrap();
        assert_eq!(files(), 2);
        spool.committed(positions[5]).unwrap();
        assert_eq!(files(), 1);
        spool.close().unwrap();
        fs::remove_dir_all(&folder).unwrap();
    }
}
