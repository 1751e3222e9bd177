//! Notes to take away: one as Markdown, one with its attachments, or everything with its folders, as a zip
//! that an import, or Obsidian, takes in again.

use super::access::require;
use super::attachments::{encoded, urls};
use super::markup::Markup;
use super::{frontmatter, open};
use crate::blobs::Incoming;
use crate::conversations::Export;
use crate::{Caller, Domain, Error, Result, Viewer};
use bytes::Bytes;
use futures::stream::BoxStream;
use shared::note::{Access, NoteSummary};
use shared::{AttachmentId, NoteId, UserId};
use std::collections::{HashMap, HashSet};
use std::io::Write;
use std::ops::Range;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Notes read at a time.
const BATCH: usize = 200;

/// Everything, as a file.
pub struct NotesArchive {
    pub file_name: String,
    /// Bytes.
    pub size: u64,
    pub bytes: BoxStream<'static, std::io::Result<Bytes>>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    title: String,
    folder_id: Option<Uuid>,
    markdown: String,
    created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
}

#[derive(sqlx::FromRow)]
struct File {
    id: Uuid,
    note_id: Uuid,
    owner_id: Uuid,
    sha256: Vec<u8>,
    name: String,
}

/// The files of the notes that are written, and which of them the texts mention.
#[derive(Default)]
struct Attached {
    files: HashMap<AttachmentId, File>,
    /// By the note and the name in lower case; of several the one that came last.
    named: HashMap<(Uuid, String), AttachmentId>,
    used: HashSet<AttachmentId>,
}

impl Attached {
    /// `files` in the order in which they came.
    fn new(files: Vec<File>) -> Self {
        let mut attached = Self::default();
        for file in files {
            let id = AttachmentId(file.id);
            attached.named.insert((file.note_id, file.name.to_lowercase()), id);
            attached.files.insert(id, file);
        }
        attached
    }

    /// The text, in a folder so deep, with its files named by where they are in the archive: a name alone would be
    /// that of any note's file.
    fn placed(&mut self, note: Uuid, mut text: String, depth: usize) -> String {
        let up = "../".repeat(depth);
        let mut places = self.use_named(note, &text);
        places.extend(self.use_addressed(&text));
        places.sort_by_key(|(range, _)| range.start);
        let mut end = text.len();
        for (range, place) in places.into_iter().rev() {
            // An address that stands where a name may is found as both.
            if range.end <= end {
                end = range.start;
                text.replace_range(range, &format!("{up}{place}"));
            }
        }
        text
    }

    /// Notes the files that the text embeds by name; where the names stand, and what leads to the files.
    fn use_named(&mut self, note: Uuid, text: &str) -> Vec<(Range<usize>, String)> {
        let mut places = Vec::new();
        for link in Markup::of(text).links.into_iter().filter(|link| link.is_file(text)) {
            let name = link.key(text);
            let name = name.rsplit('/').next().unwrap_or_default().to_owned();
            let Some(id) = self.named.get(&(note, name)) else { continue };
            self.used.insert(*id);
            places.extend(self.files.get(id).map(|file| (link.name, place(file))));
        }
        places
    }

    /// The same of those that it names by their addresses.
    fn use_addressed(&mut self, text: &str) -> Vec<(Range<usize>, String)> {
        let mut places = Vec::new();
        for (range, _, id) in urls(text) {
            if let Some(file) = self.files.get(&id) {
                self.used.insert(id);
                let parts: Vec<String> = place(file).split('/').map(encoded).collect();
                places.push((range, parts.join("/")));
            }
        }
        places
    }
}

impl Domain {
    pub async fn export_note(&self, viewer: &Viewer, id: NoteId) -> Result<Export> {
        let mut tx = self.inner.db.as_viewer(viewer).await?;
        require(&mut tx, id, Access::View).await?;
        let summary: NoteSummary = open::read(&mut tx, id).await?.summary.into();
        tx.commit().await?;
        let text = self.inner.rooms.read(id).await?.text;
        Ok(Export {
            file_name: format!("{}.md", file_stem(summary.display_title())),
            content_type: "text/markdown; charset=utf-8",
            body: with_frontmatter(&summary.title, summary.created_at, summary.updated_at, &text),
        })
    }

    /// All notes of the caller's own that are not in the bin.
    pub async fn export_notes(&self, caller: &Caller) -> Result<NotesArchive> {
        self.project_stale_notes(Some(caller.user_id)).await?;
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        let folders: Vec<(Uuid, Option<Uuid>, String)> =
            sqlx::query_as("SELECT id, parent_id, name FROM folders WHERE owner_id = app_user_id()")
                .fetch_all(&mut *tx)
                .await?;
        let ids: Vec<Uuid> = sqlx::query_scalar(
            "SELECT id FROM notes WHERE owner_id = app_user_id() AND deleted_at IS NULL ORDER BY id",
        )
        .fetch_all(&mut *tx)
        .await?;
        let files: Vec<File> = sqlx::query_as(
            "SELECT a.id, a.note_id, a.owner_id, a.sha256, a.name
             FROM note_attachments a JOIN notes n ON n.id = a.note_id
             WHERE n.owner_id = app_user_id() AND a.owner_id = app_user_id() AND n.deleted_at IS NULL
             ORDER BY a.id",
        )
        .fetch_all(&mut *tx)
        .await?;
        tx.commit().await?;
        let folders = paths(&folders);
        let mut attached = Attached::new(files);
        let file = self.inner.blobs.temporary().await?;
        let mut out = Writer::create(&file)?;
        for batch in ids.chunks(BATCH) {
            let mut tx = self.inner.db.as_user(caller.user_id).await?;
            let rows: Vec<Row> = sqlx::query_as(
                "SELECT id, title, folder_id, markdown, created_at, updated_at FROM notes
                 WHERE id = ANY ($1) AND deleted_at IS NULL ORDER BY id",
            )
            .bind(batch)
            .fetch_all(&mut *tx)
            .await?;
            tx.commit().await?;
            out = Box::pin(out.write(rows, &folders, &mut attached)).await?;
        }
        self.finish_archive(out, file, attached, "notes.zip".to_owned()).await
    }

    /// The note with the files that it mentions; none where it mentions no file.
    pub async fn export_with_files(&self, viewer: &Viewer, id: NoteId) -> Result<Option<NotesArchive>> {
        let mut tx = self.inner.db.as_viewer(viewer).await?;
        require(&mut tx, id, Access::View).await?;
        let summary: NoteSummary = open::read(&mut tx, id).await?.summary.into();
        let files: Vec<File> = sqlx::query_as(
            "SELECT id, note_id, owner_id, sha256, name FROM note_attachments WHERE note_id = $1 ORDER BY id",
        )
        .bind(id.0)
        .fetch_all(&mut *tx)
        .await?;
        tx.commit().await?;
        let mut attached = Attached::new(files);
        let file = self.inner.blobs.temporary().await?;
        let row = Row {
            id: id.0,
            title: summary.title.clone(),
            folder_id: None,
            markdown: self.inner.rooms.read(id).await?.text,
            created_at: summary.created_at,
            updated_at: summary.updated_at,
        };
        let out = Writer::create(&file)?;
        let out = Box::pin(out.write(vec![row], &HashMap::new(), &mut attached)).await?;
        if attached.used.is_empty() {
            return Ok(None);
        }
        let file_name = format!("{}.zip", file_stem(summary.display_title()));
        Ok(Some(self.finish_archive(out, file, attached, file_name).await?))
    }

    async fn finish_archive(
        &self,
        mut out: Writer,
        file: Incoming,
        attached: Attached,
        file_name: String,
    ) -> Result<NotesArchive> {
        let mut written = HashSet::new();
        for file in attached.used.iter().filter_map(|id| attached.files.get(id)) {
            let place = place(file);
            if written.insert(place.clone()) {
                let sha256: [u8; 32] = file
                    .sha256
                    .as_slice()
                    .try_into()
                    .map_err(|_| Error::internal(anyhow::anyhow!("a short hash")))?;
                let bytes = self.inner.blobs.whole(UserId(file.owner_id), &sha256).await?;
                out = Box::pin(out.attach(place, bytes)).await?;
            }
        }
        Box::pin(out.finish()).await?;
        let (size, bytes) = file.into_stream().await?;
        Ok(NotesArchive { file_name, size, bytes })
    }
}

/// Writes an archive, on threads that may wait for a disk.
struct Writer {
    /// Large by itself, and moved between threads.
    zip: Box<ZipWriter<std::fs::File>>,
    /// Names taken, in lower case: some file systems know no other.
    taken: HashSet<String>,
}

impl Writer {
    fn create(file: &Incoming) -> Result<Self> {
        let file =
            std::fs::File::options().read(true).write(true).open(&file.path).map_err(Error::internal)?;
        Ok(Self { zip: Box::new(ZipWriter::new(file)), taken: HashSet::new() })
    }

    async fn write(
        self,
        rows: Vec<Row>,
        folders: &HashMap<Uuid, Vec<String>>,
        attached: &mut Attached,
    ) -> Result<Self> {
        let mut texts = Vec::new();
        for row in rows {
            let folder = row.folder_id.and_then(|id| folders.get(&id)).cloned().unwrap_or_default();
            let text = attached.placed(row.id, row.markdown, folder.len());
            let text = with_frontmatter(&row.title, row.created_at, row.updated_at, &text);
            let title = if row.title.is_empty() { "Untitled" } else { &row.title };
            texts.push((folder, file_stem(title), row.updated_at, text));
        }
        self.blocking(move |writer| {
            for (folder, stem, changed, text) in texts {
                let name = writer.free_name(&folder, &stem);
                let options = SimpleFileOptions::default()
                    .compression_method(CompressionMethod::Deflated)
                    .last_modified_time(zip_time(changed));
                writer.zip.start_file(name, options)?;
                writer.zip.write_all(text.as_bytes())?;
            }
            Ok(())
        })
        .await
    }

    /// Stored as it is: pictures do not shrink.
    async fn attach(self, name: String, bytes: Bytes) -> Result<Self> {
        self.blocking(move |writer| {
            let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
            writer.zip.start_file(name, options)?;
            writer.zip.write_all(&bytes)?;
            Ok(())
        })
        .await
    }

    async fn finish(self) -> Result<()> {
        let finished = tokio::task::spawn_blocking(move || self.zip.finish().map(drop)).await;
        finished.map_err(Error::internal)?.map_err(Error::internal)
    }

    async fn blocking(
        mut self,
        work: impl FnOnce(&mut Self) -> zip::result::ZipResult<()> + Send + 'static,
    ) -> Result<Self> {
        let done = tokio::task::spawn_blocking(move || work(&mut self).map(|()| self)).await;
        done.map_err(Error::internal)?.map_err(Error::internal)
    }

    fn free_name(&mut self, folder: &[String], stem: &str) -> String {
        let mut prefix = folder.join("/");
        if !prefix.is_empty() {
            prefix.push('/');
        }
        let mut name = format!("{prefix}{stem}.md");
        let mut number = 2;
        while !self.taken.insert(name.to_lowercase()) {
            name = format!("{prefix}{stem} {number}.md");
            number += 1;
        }
        name
    }
}

/// Where an attachment is in the archive: the same bytes once, and no name twice.
fn place(file: &File) -> String {
    let short: String = file.sha256.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("attachments/{short}/{}", file.name)
}

/// Each folder as its names from the top.
fn paths(folders: &[(Uuid, Option<Uuid>, String)]) -> HashMap<Uuid, Vec<String>> {
    let by_id: HashMap<Uuid, (Option<Uuid>, &str)> =
        folders.iter().map(|(id, parent, name)| (*id, (*parent, name.as_str()))).collect();
    let path = |id: Uuid| {
        let mut names = Vec::new();
        let mut at = Some(id);
        while let Some((parent, name)) = at.and_then(|id| by_id.get(&id)) {
            names.push(file_stem(name));
            at = *parent;
            if names.len() > folders.len() {
                break;
            }
        }
        names.reverse();
        names
    };
    folders.iter().map(|(id, ..)| (*id, path(*id))).collect()
}

/// The note's own frontmatter, if it has one, after what the note's row says.
fn with_frontmatter(title: &str, created: OffsetDateTime, updated: OffsetDateTime, text: &str) -> String {
    let (block, body) = frontmatter::split(text);
    let mut lines = format!("title: {}\n", frontmatter::quoted(title));
    for (field, moment) in [("created", created), ("updated", updated)] {
        if let Ok(moment) = moment.format(&Rfc3339) {
            lines.push_str(&format!("{field}: {moment}\n"));
        }
    }
    lines.push_str(&frontmatter::without(block.unwrap_or_default(), &["title", "created", "updated"]));
    frontmatter::joined(&lines, body)
}

/// A name that every file system takes, and that leads nowhere else.
fn file_stem(title: &str) -> String {
    let plain: String = title
        .chars()
        .map(|c| if c.is_control() || "/\\:*?\"<>|#^[]".contains(c) { '-' } else { c })
        .take(100)
        .collect();
    let plain = plain.trim().trim_matches('.').trim();
    if plain.is_empty() { "Untitled".to_owned() } else { plain.to_owned() }
}

fn zip_time(moment: OffsetDateTime) -> zip::DateTime {
    zip::DateTime::from_date_and_time(
        u16::try_from(moment.year()).unwrap_or(1980),
        moment.month().into(),
        moment.day(),
        moment.hour(),
        moment.minute(),
        moment.second(),
    )
    .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_becomes_a_name_that_leads_nowhere() {
        for (title, stem) in
            [("../../etc/passwd", "-..-etc-passwd"), ("Züge: Plan?", "Züge- Plan-"), ("...", "Untitled")]
        {
            assert_eq!(file_stem(title), stem);
        }
    }

    #[test]
    fn the_notes_own_frontmatter_stays() {
        let at = OffsetDateTime::UNIX_EPOCH;
        let text = with_frontmatter("A \"b\"", at, at, "---\ntags: [x]\ntitle: old\n---\nBody");
        assert_eq!(
            text,
            "---\ntitle: \"A \\\"b\\\"\"\ncreated: 1970-01-01T00:00:00Z\nupdated: 1970-01-01T00:00:00Z\ntags: [x]\n---\nBody"
        );
    }
}
