//! The files of an archive that is imported: taken into the blob store as notes name them, and named
//! in the notes' texts as they are here.

use super::archive::{Archive, Entry};
use super::attachments::{LARGEST_ATTACHMENT, file_name, url};
use super::import::Source;
use super::references::{candidates, references};
use crate::blobs::Blob;
use crate::{Caller, Domain, Error, Result};
use shared::note::SkippedFile;
use shared::{AttachmentId, NoteId};
use std::collections::HashMap;

/// The files of an archive, taken into the blob store as notes name them.
pub(crate) struct Files<'a> {
    domain: &'a Domain,
    caller: &'a Caller,
    /// None while a thread unpacks from it.
    archive: Option<Archive>,
    entries: Vec<Entry>,
    /// By path and by name alone, in lower case.
    by_path: HashMap<String, usize>,
    by_name: HashMap<String, usize>,
    kept: HashMap<usize, Option<Blob>>,
    skipped: Vec<SkippedFile>,
}

/// A note as it will be, and what is attached to it.
pub(crate) type Connected = (NoteId, Source, Vec<(AttachmentId, String, Blob)>);

impl<'a> Files<'a> {
    pub fn new(domain: &'a Domain, caller: &'a Caller, mut archive: Archive) -> Self {
        let entries = std::mem::take(&mut archive.files);
        let mut by_name = HashMap::new();
        let mut by_path = HashMap::new();
        for (at, entry) in entries.iter().enumerate() {
            by_path.insert(entry.path.join("/").to_lowercase(), at);
            if let Some(name) = entry.path.last() {
                by_name.entry(name.to_lowercase()).or_insert(at);
            }
        }
        let skipped = std::mem::take(&mut archive.skipped);
        Self {
            domain,
            caller,
            archive: Some(archive),
            entries,
            by_path,
            by_name,
            kept: HashMap::new(),
            skipped,
        }
    }

    /// Lets a note's text name its attachments and other notes as they are named here.
    pub async fn connect(
        &mut self,
        id: NoteId,
        mut source: Source,
        titles: &HashMap<String, String>,
    ) -> Result<Connected> {
        let mut attached: Vec<(AttachmentId, String, Blob)> = Vec::new();
        for reference in references(&source.text).into_iter().rev() {
            let candidates = candidates(&source.path, &reference.target);
            if let Some(title) = candidates.iter().find_map(|path| note_at(titles, path)) {
                if !reference.image {
                    let label = &reference.label;
                    let link = if label == title || label.is_empty() {
                        format!("[[{title}]]")
                    } else {
                        format!("[[{title}|{label}]]")
                    };
                    source.text.replace_range(reference.place, &link);
                }
                continue;
            }
            let name = candidates.last().and_then(|path| path.rsplit('/').next()).unwrap_or_default();
            let found = candidates
                .iter()
                .find_map(|path| self.by_path.get(path))
                .or_else(|| self.by_name.get(name))
                .copied();
            let Some(at) = found else { continue };
            let Some(blob) = self.keep(at).await? else { continue };
            let name = file_name(self.entries[at].path.last().map(String::as_str).unwrap_or_default());
            let known = attached.iter().find(|(_, n, b)| *n == name && *b == blob).map(|(id, ..)| *id);
            let attachment = known.unwrap_or_else(|| {
                let new = AttachmentId::new();
                attached.push((new, name.clone(), blob));
                new
            });
            let mark = if reference.image { "!" } else { "" };
            // Obsidian writes the width of a picture where others write what it shows.
            let width = reference.label.chars().all(|c| c.is_ascii_digit());
            let label = if width || reference.label == reference.target { &name } else { &reference.label };
            let link = format!("{mark}[{}]({})", label.replace(['[', ']'], ""), url(id, attachment, &name));
            source.text.replace_range(reference.place, &link);
        }
        Ok((id, source, attached))
    }

    async fn keep(&mut self, at: usize) -> Result<Option<Blob>> {
        if let Some(known) = self.kept.get(&at) {
            return Ok(*known);
        }
        let entry = &self.entries[at];
        if entry.size > LARGEST_ATTACHMENT {
            let reason = format!("It is larger than {} MB.", LARGEST_ATTACHMENT >> 20);
            self.skipped.push(SkippedFile { path: entry.path.join("/"), reason });
            self.kept.insert(at, None);
            return Ok(None);
        }
        let Some(mut archive) = self.archive.take() else {
            return Err(Error::internal(anyhow::anyhow!("the archive was lost")));
        };
        let entry = Entry { index: entry.index, path: entry.path.clone(), size: entry.size };
        let (archive, bytes) = tokio::task::spawn_blocking(move || {
            let bytes = archive.read(&entry);
            (archive, bytes)
        })
        .await
        .map_err(Error::internal)?;
        self.archive = Some(archive);
        let blob = self.domain.inner.blobs.keep(self.caller.user_id, bytes?).await?;
        self.kept.insert(at, Some(blob));
        Ok(Some(blob))
    }

    pub fn left_over(self) -> Vec<SkippedFile> {
        let unused = self.entries.iter().enumerate().filter(|(at, _)| !self.kept.contains_key(at));
        let unused = unused.map(|(_, entry)| SkippedFile {
            path: entry.path.join("/"),
            reason: "No note names it.".to_owned(),
        });
        self.skipped.into_iter().chain(unused).collect()
    }
}

fn note_at<'a>(titles: &'a HashMap<String, String>, path: &str) -> Option<&'a String> {
    titles
        .get(path)
        .filter(|_| path.ends_with(".md") || path.ends_with(".markdown") || path.ends_with(".txt"))
}
