//! Files in notes. Their bytes are in the blob store of the note's owner; whoever sees the note may
//! read them, whoever may edit it may add some.

use super::access::require;
use crate::blobs::{Blob, Reading};
use crate::text::without_nul;
use crate::{Domain, Error, Result, Viewer};
use bytes::Bytes;
use futures::stream::{BoxStream, Stream};
use object_store::GetRange;
use shared::note::{Access, Attachment};
use shared::{AttachmentId, ErrorCode, NoteId, UserId};
use sqlx::PgConnection;
use std::ops::Range;
use uuid::Uuid;

/// The largest file.
pub const LARGEST_ATTACHMENT: u64 = 50 << 20;
/// Longest name, in characters.
const LONGEST_NAME: usize = 150;

/// Which part of a file is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Part {
    From(u64),
    Between { first: u64, last: u64 },
    Last(u64),
}

/// How a file of a note is asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum AskedFile {
    Id(AttachmentId),
    /// By its name, whatever its letters' case; of several the one that came last.
    Name(String),
}

/// A file, opened.
pub struct OpenedAttachment {
    pub name: String,
    pub media_type: String,
    /// Hexadecimal.
    pub sha256: String,
    /// Bytes of the whole file.
    pub size: u64,
    /// The part that comes; none where what was asked for lies outside.
    pub part: Option<(Range<u64>, BoxStream<'static, std::io::Result<Bytes>>)>,
}

impl Domain {
    /// Attaches a file. The same bytes under the same name are attached once.
    pub async fn attach<S, E>(
        &self,
        viewer: &Viewer,
        note: NoteId,
        name: &str,
        bytes: S,
    ) -> Result<Attachment>
    where
        S: Stream<Item = std::result::Result<Bytes, E>>,
    {
        let name = file_name(name);
        // Looked at before the bytes are taken in, and again with the row.
        let mut tx = self.inner.db.as_viewer(viewer).await?;
        require(&mut tx, note, Access::Edit).await?;
        let owner: Uuid = sqlx::query_scalar("SELECT owner_id FROM notes WHERE id = $1")
            .bind(note.0)
            .fetch_one(&mut *tx)
            .await?;
        tx.commit().await?;
        let owner = UserId(owner);
        let told = |error| as_told(viewer, owner, error);
        self.refuse_beyond_quota(owner, 0).await.map_err(told)?;
        let blob = self.inner.blobs.receive(owner, bytes, LARGEST_ATTACHMENT).await?;
        self.refuse_naming_beyond_quota(owner, &blob).await.map_err(told)?;
        let mut tx = self.inner.db.as_viewer(viewer).await?;
        require(&mut tx, note, Access::Edit).await?;
        let attached =
            insert(&mut tx, AttachmentId::new(), note, owner, viewer.user_id(), &name, blob).await?;
        tx.commit().await?;
        Ok(attached)
    }

    pub async fn attachment(
        &self,
        viewer: &Viewer,
        note: NoteId,
        asked: AskedFile,
        part: Option<Part>,
    ) -> Result<OpenedAttachment> {
        let (id, name) = match asked {
            AskedFile::Id(id) => (Some(id.0), None),
            AskedFile::Name(name) => (None, Some(without_nul(name))),
        };
        let mut tx = self.inner.db.as_viewer(viewer).await?;
        let row: Option<(Uuid, Vec<u8>, String, String)> = sqlx::query_as(
            "SELECT owner_id, sha256, name, media_type FROM note_attachments
             WHERE note_id = $1 AND (id = $2 OR lower(name) = lower($3)) ORDER BY id DESC LIMIT 1",
        )
        .bind(note.0)
        .bind(id)
        .bind(name)
        .fetch_optional(&mut *tx)
        .await?;
        tx.commit().await?;
        let (owner, sha256, name, media_type) = row.ok_or_else(|| Error::not_found("file"))?;
        let sha256: [u8; 32] =
            sha256.try_into().map_err(|_| Error::internal(anyhow::anyhow!("a short hash")))?;
        let range = part.map(GetRange::from);
        let opened = |size, part| OpenedAttachment {
            name,
            media_type,
            sha256: sha256.iter().map(|byte| format!("{byte:02x}")).collect(),
            size,
            part,
        };
        match self.inner.blobs.read(UserId(owner), &sha256, range).await? {
            Some(Reading { range, size, bytes }) => Ok(opened(size, Some((range, bytes)))),
            None => {
                let whole = self.inner.blobs.read(UserId(owner), &sha256, None).await?;
                Ok(opened(whole.map_or(0, |whole| whole.size), None))
            }
        }
    }
}

/// Why there is no room, as whoever writes in the note may know it: how much its owner has is the owner's alone.
fn as_told(viewer: &Viewer, owner: UserId, error: Error) -> Error {
    match error {
        Error::Problem { code: ErrorCode::PayloadTooLarge, .. } if viewer.user_id() != Some(owner) => {
            Error::problem(
                ErrorCode::PayloadTooLarge,
                "Whoever this note belongs to has no room for more files.",
            )
        }
        error => error,
    }
}

/// Where an attachment is read.
pub(crate) fn url(note: NoteId, id: AttachmentId, name: &str) -> String {
    format!("/api/v1/notes/{note}/attachments/{id}/{}", encoded(name))
}

/// The addresses of attachments that stand in a text, in their order.
pub(crate) fn urls(text: &str) -> Vec<(Range<usize>, NoteId, AttachmentId)> {
    const BEFORE: &str = "/api/v1/notes/";
    let mut found = Vec::new();
    for (start, _) in text.match_indices(BEFORE) {
        let rest = &text[start + BEFORE.len()..];
        let mut parts = rest.splitn(4, '/');
        let (Some(note), Some("attachments"), Some(id), Some(tail)) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        let (Ok(note_id), Ok(attachment)) = (note.parse(), id.parse()) else { continue };
        let name =
            tail.find(|c: char| !(c.is_ascii_alphanumeric() || "._-%".contains(c))).unwrap_or(tail.len());
        let end = start + BEFORE.len() + note.len() + "/attachments/".len() + id.len() + 1 + name;
        found.push((start..end, note_id, attachment));
    }
    found
}

/// The row of a file whose bytes are there, and claimed.
pub(crate) async fn insert(
    tx: &mut PgConnection,
    id: AttachmentId,
    note: NoteId,
    owner: UserId,
    by: Option<UserId>,
    name: &str,
    blob: Blob,
) -> Result<Attachment> {
    let size = i64::try_from(blob.size).map_err(Error::internal)?;
    let media_type = media_type(name);
    sqlx::query(
        "INSERT INTO note_attachments (id, note_id, owner_id, sha256, name, media_type, created_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT ON CONSTRAINT note_attachments_once DO NOTHING",
    )
    .bind(id.0)
    .bind(note.0)
    .bind(owner.0)
    .bind(blob.sha256.as_slice())
    .bind(name)
    .bind(&media_type)
    .bind(by.map(|by| by.0))
    .execute(&mut *tx)
    .await?;
    let id: Uuid = sqlx::query_scalar(
        "SELECT id FROM note_attachments WHERE note_id = $1 AND sha256 = $2 AND name = $3",
    )
    .bind(note.0)
    .bind(blob.sha256.as_slice())
    .bind(name)
    .fetch_one(tx)
    .await?;
    let id = AttachmentId(id);
    Ok(Attachment { id, name: name.to_owned(), media_type, size, url: url(note, id, name) })
}

/// The last part of what was given as a name, with nothing in it that a file system or a Markdown
/// link could stumble over.
pub(crate) fn file_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let plain: String = without_nul(last.to_owned())
        .chars()
        .map(|c| {
            if c.is_control() || matches!(c, '<' | '>' | '"' | '|' | '?' | '*' | ':' | '\u{FFFD}') {
                '_'
            } else {
                c
            }
        })
        .collect();
    let plain = plain.trim_end().trim_start_matches(|c: char| c == '.' || c.is_whitespace());
    let count = plain.chars().count();
    match (plain, plain.rsplit_once('.')) {
        ("", _) => "file".to_owned(),
        (_, Some((stem, end))) if count > LONGEST_NAME && end.chars().count() < 12 => {
            format!("{}.{end}", stem.chars().take(LONGEST_NAME - 12).collect::<String>())
        }
        (whole, _) => whole.chars().take(LONGEST_NAME).collect::<String>().trim_end().to_owned(),
    }
}

/// By the name alone: what the sender says of the bytes is not believed, and nothing looks into them.
pub(crate) fn media_type(name: &str) -> String {
    mime_guess::from_path(name).first_or_octet_stream().essence_str().to_owned()
}

/// As one segment of a path, and as it can stand in a Markdown link.
pub(crate) fn encoded(name: &str) -> String {
    let mut encoded = String::new();
    for byte in name.bytes() {
        match byte {
            b if b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_') => encoded.push(char::from(b)),
            b => encoded.push_str(&format!("%{b:02X}")),
        }
    }
    encoded
}

/// What [`encoded`] made, and what others write in links, as it was.
pub(crate) fn decoded(written: &str) -> String {
    let mut bytes = Vec::with_capacity(written.len());
    let mut rest = written.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.filter(|_| first == b'%').and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_from_outside_is_no_path() {
        for (given, kept) in [
            ("../../etc/passwd", "passwd"),
            ("C:\\x\\Bild 1.PNG", "Bild 1.PNG"),
            ("..", "file"),
            ("", "file"),
            (".htaccess", "htaccess"),
            ("a\0b\n<c>.png", "a_b__c_.png"),
        ] {
            assert_eq!(file_name(given), kept, "{given:?}");
        }
        let long = file_name(&format!("{}.jpeg", "ä".repeat(500)));
        assert!(long.chars().count() <= LONGEST_NAME && long.ends_with(".jpeg"));
    }

    #[test]
    fn addresses_are_found_in_a_text() {
        let (note, id) = (NoteId::new(), AttachmentId::new());
        let address = url(note, id, "a (1).png");
        let text = format!("![x]({address}) and /api/v1/notes/x/attachments/y/z [f]({address}).");
        let found = urls(&text);
        assert_eq!(found.len(), 2);
        assert!(found.iter().all(|(range, n, a)| text[range.clone()] == address && (*n, *a) == (note, id)));
    }

    #[test]
    fn names_survive_the_way_through_an_address() {
        for name in ["a b.png", "Zoë (1).pdf", "100%.txt", "👩‍🚀.gif"] {
            assert_eq!(decoded(&encoded(name)), name);
            assert!(encoded(name).is_ascii() && !encoded(name).contains([' ', ')', '(']));
        }
        assert_eq!(decoded("50%"), "50%");
        assert_eq!(decoded("%zz"), "%zz");
    }
}
