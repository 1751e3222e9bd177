//! Notes from elsewhere: a zip of Markdown as Obsidian and others keep it, one file, a pasted page.
//! Everything of one import is there, or nothing.

use super::archive::{Archive, Entry};
use super::attachments::{self, LARGEST_ATTACHMENT, decoded, file_name, url};
use super::create::{LONGEST_TEXT, NewNote, checked_title, require_own_folder};
use super::list::announce;
use super::{folders, frontmatter, projection};
use crate::blobs::{Blob, Incoming};
use crate::database::{Database, Tx};
use crate::notices::Signal;
use crate::text::document;
use crate::{Caller, Domain, Error, Result};
use bytes::Bytes;
use futures::stream::Stream;
use pulldown_cmark::{Event, LinkType, Options, Parser, Tag};
use shared::note::{ImportReport, NoteKind, SkippedFile, TitledNote};
use shared::socket::{Channel, ServerBody, ServerFrame};
use shared::{AttachmentId, ErrorCode, FolderId, NoteId};
use std::collections::HashMap;
use std::ops::Range;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The largest archive.
const LARGEST_ARCHIVE: u64 = 200 << 20;
/// Notes of one import; more take longer than a request may.
const MOST_NOTES: usize = 5000;
/// Notes that browsers are told of one by one; past that they fetch their lists again.
const MOST_TOLD: usize = 20;

/// What is imported.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Import {
    Zip,
    Markdown,
    Html,
}

/// A note as it stands in an archive.
struct Source {
    path: Vec<String>,
    title: String,
    text: String,
    created_at: Option<OffsetDateTime>,
}

/// A place in a text that names another file of the archive.
#[derive(Debug, PartialEq)]
struct Reference {
    /// All of it: `![[x.png]]`, `[label](x.md)`.
    place: Range<usize>,
    target: String,
    label: String,
    image: bool,
}

impl Domain {
    /// Imports into a folder, or to the top. `name` is what one file is called.
    pub async fn import_notes<S, E>(
        &self,
        caller: &Caller,
        import: Import,
        folder: Option<FolderId>,
        name: Option<&str>,
        bytes: S,
    ) -> Result<ImportReport>
    where
        S: Stream<Item = std::result::Result<Bytes, E>>,
    {
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        require_own_folder(&mut tx, folder).await?;
        tx.commit().await?;
        let limit = if import == Import::Zip { LARGEST_ARCHIVE } else { LONGEST_TEXT as u64 };
        let file = self.inner.blobs.receive_file(bytes, limit).await?;
        if import == Import::Zip {
            return self.import_archive(caller, folder, file).await;
        }
        let bytes = tokio::fs::read(&file.path).await.map_err(Error::internal)?;
        let text = String::from_utf8(bytes)
            .map_err(|_| Error::problem(ErrorCode::InvalidInput, "The file is not text in UTF-8."))?;
        let text = if import == Import::Html { markdown_of(text).await? } else { text };
        let source = source_of(vec![name.map(file_name).unwrap_or_else(|| "Imported".to_owned())], text);
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        let mut report = ImportReport::default();
        let id = NoteId::new();
        report.notes.push(TitledNote { id, title: source.title.clone() });
        self.insert_imported(&mut tx, caller, id, folder, source).await?;
        announce(&mut tx, id).await?;
        tx.commit().await?;
        Ok(report)
    }

    async fn import_archive(
        &self,
        caller: &Caller,
        folder: Option<FolderId>,
        file: Incoming,
    ) -> Result<ImportReport> {
        let (archive, sources) = tokio::task::spawn_blocking(move || {
            let mut archive = Archive::open(&file.path)?;
            let sources = read_notes(&mut archive)?;
            Ok::<_, Error>((archive, sources))
        })
        .await
        .map_err(Error::internal)??;
        if sources.is_empty() {
            return Err(Error::problem(ErrorCode::InvalidInput, "There is no Markdown file in the archive."));
        }
        let mut files = Files::new(self, caller, archive);
        let ids: Vec<NoteId> = sources.iter().map(|_| NoteId::new()).collect();
        let titles: HashMap<String, String> =
            sources.iter().map(|s| (s.path.join("/").to_lowercase(), s.title.clone())).collect();
        let mut ready = Vec::new();
        for (id, source) in ids.into_iter().zip(sources) {
            ready.push(files.connect(id, source, &titles).await?);
        }
        let mut report = ImportReport { skipped: files.left_over(), ..ImportReport::default() };
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        let mut made = HashMap::new();
        for (id, source, attached) in ready {
            let place = folder_of(&mut tx, caller, folder, &source.path, &mut made, &mut report).await?;
            report.notes.push(TitledNote { id, title: source.title.clone() });
            self.insert_imported(&mut tx, caller, id, place, source).await?;
            for (attachment, name, blob) in attached {
                let owner = caller.user_id;
                attachments::insert(&mut tx, attachment, id, owner, Some(owner), &name, blob).await?;
                report.attachments += 1;
            }
        }
        Database::turn_sync(&mut tx).await?;
        projection::resolve_open_links(&mut tx, caller.user_id.0).await?;
        Database::turn_back(&mut tx).await?;
        tell(&mut tx, caller, &report).await?;
        tx.commit().await?;
        Ok(report)
    }

    async fn insert_imported(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        id: NoteId,
        folder: Option<FolderId>,
        source: Source,
    ) -> Result<()> {
        let note = NewNote {
            id,
            owner: caller.user_id,
            kind: NoteKind::Note,
            day: None,
            title: source.title,
            folder,
            content: source.text,
            created_at: source.created_at,
        };
        self.insert_note(tx, note).await.map(drop)
    }
}

async fn tell(tx: &mut Tx, caller: &Caller, report: &ImportReport) -> Result<()> {
    if report.notes.len() <= MOST_TOLD {
        for note in &report.notes {
            announce(tx, note.id).await?;
        }
        return Signal::notes(caller.user_id, ServerBody::FoldersChanged).send(tx).await;
    }
    let frame = ServerFrame { channel: Channel::System, body: ServerBody::Resync };
    Signal::Frame { user_id: caller.user_id, frame }.send(tx).await
}

fn read_notes(archive: &mut Archive) -> Result<Vec<Source>> {
    let entries = std::mem::take(&mut archive.notes);
    if entries.len() > MOST_NOTES {
        return Err(Error::problem(
            ErrorCode::PayloadTooLarge,
            format!(
                "The archive has more than {MOST_NOTES} notes. Import it in parts. Nothing was imported."
            ),
        ));
    }
    let mut sources = Vec::new();
    for entry in entries {
        let skip = |reason: &str| SkippedFile { path: entry.path.join("/"), reason: reason.to_owned() };
        if entry.size > LONGEST_TEXT as u64 {
            archive.skipped.push(skip("It is longer than a note can be."));
            continue;
        }
        match String::from_utf8(archive.read(&entry)?) {
            Ok(text) => sources.push(source_of(entry.path, text)),
            Err(_) => archive.skipped.push(skip("It is not text in UTF-8.")),
        }
    }
    Ok(sources)
}

/// The note that a file says it is: its title and when it was made are the note's, not its text's.
fn source_of(path: Vec<String>, text: String) -> Source {
    let text = document(text);
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(&text);
    let name = path.last().map(String::as_str).unwrap_or_default();
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let cut = |title: &str| checked_title(title.chars().take(200).collect()).unwrap_or_default();
    let (block, body) = frontmatter::split(text);
    let Some(block) = block else {
        return Source { title: cut(stem), text: text.to_owned(), path, created_at: None };
    };
    let title = frontmatter::value(block, "title").unwrap_or_else(|| stem.to_owned());
    let moment =
        |field| frontmatter::value(block, field).and_then(|v| OffsetDateTime::parse(&v, &Rfc3339).ok());
    let created_at = moment("created").filter(|at| *at <= OffsetDateTime::now_utc());
    let mut ours = vec!["title"];
    ours.extend(["created", "updated"].into_iter().filter(|field| moment(field).is_some()));
    let text = frontmatter::joined(&frontmatter::without(block, &ours), body);
    Source { title: cut(&title), text, path, created_at }
}

/// The folder of a note of the archive, made when it is first needed; one of that name is used.
async fn folder_of(
    tx: &mut Tx,
    caller: &Caller,
    root: Option<FolderId>,
    path: &[String],
    made: &mut HashMap<Vec<String>, FolderId>,
    report: &mut ImportReport,
) -> Result<Option<FolderId>> {
    let mut parent = root;
    let depth = path.len().saturating_sub(1);
    for end in 1..=depth.min(20) {
        let key = path[..end].to_vec();
        if let Some(known) = made.get(&key) {
            parent = Some(*known);
            continue;
        }
        let name: String = path[end - 1].chars().take(100).collect();
        let name = folders::checked_name(name).unwrap_or_else(|_| "Folder".to_owned());
        let there: Option<uuid::Uuid> = sqlx::query_scalar(
            "SELECT id FROM folders WHERE owner_id = $1 AND parent_id IS NOT DISTINCT FROM $2 AND name = $3",
        )
        .bind(caller.user_id.0)
        .bind(parent.map(|parent| parent.0))
        .bind(&name)
        .fetch_optional(&mut **tx)
        .await?;
        let id = match there {
            Some(id) => FolderId(id),
            None => {
                let id = FolderId::new();
                folders::insert(tx, caller.user_id, id, parent, &name).await?;
                report.folders += 1;
                id
            }
        };
        made.insert(key, id);
        parent = Some(id);
    }
    Ok(parent)
}

/// The files of an archive, taken into the blob store as notes name them.
struct Files<'a> {
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

type Connected = (NoteId, Source, Vec<(AttachmentId, String, Blob)>);

impl<'a> Files<'a> {
    fn new(domain: &'a Domain, caller: &'a Caller, mut archive: Archive) -> Self {
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
    async fn connect(
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

    fn left_over(self) -> Vec<SkippedFile> {
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

/// Where a link of a note may lead in the archive: beside the note, then from the top.
fn candidates(note: &[String], target: &str) -> Vec<String> {
    let target = decoded(target).replace('\\', "/").to_lowercase();
    let target = target.split(['#', '?']).next().unwrap_or_default();
    let mut beside: Vec<String> =
        note[..note.len().saturating_sub(1)].iter().map(|part| part.to_lowercase()).collect();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                beside.pop();
            }
            part => beside.push(part.to_owned()),
        }
    }
    vec![beside.join("/"), target.trim_start_matches(['/', '.']).to_owned()]
}

fn names_file(target: &str) -> bool {
    let end = target.rsplit_once('.').map_or("", |(_, end)| end);
    (1..=8).contains(&end.len()) && end.chars().all(|c| c.is_ascii_alphanumeric())
}

/// Links and pictures that name files: `![[x.png]]`, `[[x.pdf]]`, `![alt](x.png)`, `[label](x.md)`.
/// Links of the form `[[x]]` name notes by title and stay.
fn references(text: &str) -> Vec<Reference> {
    let mut found: Vec<Reference> = Vec::new();
    let mut open: Option<Reference> = None;
    let dialect = Options::ENABLE_TABLES | Options::ENABLE_WIKILINKS | Options::ENABLE_MATH;
    for (event, place) in Parser::new_ext(text, dialect).into_offset_iter() {
        match event {
            Event::Start(Tag::Image { link_type, dest_url, .. } | Tag::Link { link_type, dest_url, .. })
                if open.is_none() =>
            {
                let wiki = matches!(link_type, LinkType::WikiLink { .. });
                let image = text[place.clone()].starts_with('!');
                let elsewhere =
                    dest_url.contains(':') || dest_url.starts_with(['#', '/']) || dest_url.is_empty();
                let file = image || names_file(&dest_url);
                if !elsewhere && (wiki && file || matches!(link_type, LinkType::Inline)) {
                    let target = dest_url.to_string();
                    open = Some(Reference { place, target, label: String::new(), image });
                }
            }
            Event::Text(words) | Event::Code(words) => {
                if let Some(reference) = &mut open {
                    reference.label.push_str(&words);
                }
            }
            Event::End(_) => {
                if let Some(reference) = open.take_if(|reference| reference.place == place) {
                    found.push(reference);
                }
            }
            _ => {}
        }
    }
    found
}

/// A page, as Markdown. Converting happens on a thread of its own: pages are large and deep.
async fn markdown_of(html: String) -> Result<String> {
    let converted = tokio::task::spawn_blocking(move || {
        let skipped = vec!["script", "style", "noscript", "template", "head", "iframe", "object", "svg"];
        htmd::HtmlToMarkdown::builder().skip_tags(skipped).build().convert(&html)
    })
    .await
    .map_err(|_| Error::problem(ErrorCode::InvalidInput, "This page cannot be turned into Markdown."))?;
    converted
        .map_err(|_| Error::problem(ErrorCode::InvalidInput, "This page cannot be turned into Markdown."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_referred_to_in_each_way() {
        let text = "![[a b.png]] ![alt *x*](img/c.png) [doc](../d.pdf) [n](Other%20Note.md) [[Note]] <http://x> [w](https://x/y.png) ![[p.png|300]] [[d.pdf]]";
        let found: Vec<(String, bool)> = references(text).into_iter().map(|r| (r.target, r.image)).collect();
        let expected = [
            ("a b.png", true),
            ("img/c.png", true),
            ("../d.pdf", false),
            ("Other%20Note.md", false),
            ("p.png", true),
            ("d.pdf", false),
        ];
        assert_eq!(found, expected.map(|(t, i)| (t.to_owned(), i)));
    }

    #[test]
    fn a_link_leads_beside_the_note_or_from_the_top() {
        let note = ["Work".to_owned(), "Plan.md".to_owned()];
        assert_eq!(candidates(&note, "../img/A%20b.png"), ["img/a b.png", "img/a b.png"]);
        assert_eq!(candidates(&note, "c.md#x"), ["work/c.md", "c.md"]);
        assert_eq!(candidates(&note, "../../../x"), ["x", "x"]);
    }

    #[test]
    fn what_the_frontmatter_says_of_the_note_leaves_its_text() {
        let text =
            "\u{FEFF}---\r\ntitle: A Title\r\ncreated: 2024-01-02T03:04:05Z\r\ntags: [x]\r\n---\r\nBody";
        let source = source_of(vec!["file.md".into()], text.into());
        assert_eq!(source.title, "A Title");
        assert_eq!(source.text, "---\ntags: [x]\n---\nBody");
        assert_eq!(source.created_at.unwrap().year(), 2024);
        let plain = source_of(vec!["a".into(), "My Note.md".into()], "x".into());
        assert_eq!((plain.title.as_str(), plain.text.as_str()), ("My Note", "x"));
    }
}
