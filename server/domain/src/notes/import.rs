//! Notes from elsewhere: a zip of Markdown as Obsidian and others keep it, one file, a pasted page.
//! Everything of one import is there, or nothing.

use super::archive::Archive;
use super::attachments::{self, file_name};
use super::create::{LONGEST_TEXT, NewNote, OpenLinks, checked_title, require_own_folder};
use super::list::announce;
use super::unpack::Files;
use super::{folders, frontmatter, projection};
use crate::blobs::Incoming;
use crate::database::{Database, Tx};
use crate::notices::Signal;
use crate::text::document;
use crate::{Caller, Domain, Error, Result};
use bytes::Bytes;
use futures::stream::Stream;
use shared::note::{ImportReport, NoteKind, SkippedFile, TitledNote};
use shared::socket::{Channel, ServerBody, ServerFrame};
use shared::{ErrorCode, FolderId, NoteId};
use std::collections::HashMap;
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
pub(crate) struct Source {
    pub path: Vec<String>,
    pub title: String,
    pub text: String,
    pub created_at: Option<OffsetDateTime>,
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
        resolve(&mut tx, caller).await?;
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
        if !archive.files.is_empty() {
            self.refuse_beyond_quota(caller.user_id, 0).await?;
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
        if report.attachments > 0 {
            self.refuse_named_beyond_quota(&mut tx, caller.user_id, None).await?;
        }
        resolve(&mut tx, caller).await?;
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
        self.insert_note(tx, note, OpenLinks::Wait).await.map(drop)
    }
}

/// Lets links between what was imported, and to it, find what they name.
async fn resolve(tx: &mut Tx, caller: &Caller) -> Result<()> {
    Database::turn_sync(tx).await?;
    projection::resolve_open_links(tx, caller.user_id.0).await?;
    Database::turn_back(tx).await
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
