//! A file as it is opened: its page, its bytes, what was read in it.

use super::place::{Spot, spot};
use super::row::{Row, find};
use crate::blobs::Reading;
use crate::notes::Part;
use crate::{Caller, Domain, Error, Result};
use bytes::Bytes;
use extract::Document;
use futures::stream::BoxStream;
use object_store::GetRange;
use serde::{Deserialize, Serialize};
use shared::file::{File, FileSection, FileSummary};
use shared::{FileId, UserId};
use std::ops::Range;

/// Bytes of Markdown that a page is sent at most; the whole text is an address of its own.
const LONGEST_PAGE: usize = 300 << 10;
/// From so many bytes on a download may come from the bucket itself.
const WORTH_A_DETOUR: u64 = 16 << 20;

/// What is known of the document as a whole.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Facts {
    pub title: Option<String>,
    pub author: Option<String>,
    pub language: Option<String>,
    #[serde(default)]
    pub properties: Vec<(String, String)>,
}

impl Facts {
    pub(super) fn of(document: &Document) -> Self {
        Self {
            title: document.title.clone(),
            author: document.author.clone(),
            language: document.language.clone(),
            properties: document.properties.iter().map(|(n, v)| (n.clone(), v.clone())).collect(),
        }
    }
}

/// A file's bytes, or a part of them.
pub struct Downloaded {
    pub file: FileSummary,
    /// None where the part that was asked for lies outside.
    pub part: Option<(Range<u64>, BoxStream<'static, std::io::Result<Bytes>>)>,
}

/// A small picture of a file.
pub struct Thumbnail {
    pub media_type: &'static str,
    pub bytes: Bytes,
}

impl Domain {
    pub async fn file(&self, caller: &Caller, id: FileId) -> Result<File> {
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        let row = find(&mut tx, id).await?;
        let (hash, note) = (row.hash()?, row.failure.clone());
        let summary = FileSummary::from(row);
        let facts: sqlx::types::Json<Facts> = sqlx::query_scalar("SELECT facts FROM files WHERE id = $1")
            .bind(id.0)
            .fetch_one(&mut *tx)
            .await?;
        let was_read: bool = sqlx::query_scalar("SELECT read_by IS NOT NULL FROM files WHERE id = $1")
            .bind(id.0)
            .fetch_one(&mut *tx)
            .await?;
        tx.commit().await?;
        let Facts { title, author, language, properties } = facts.0;
        let document = match was_read {
            true => self.document(caller.user_id, id).await?,
            false => None,
        };
        let unread = match &document {
            Some(document) => self.unread(caller.user_id, &summary, &hash, note, document).await?,
            None => None,
        };
        let mut sections = document.map(sections).unwrap_or_default();
        let more = shorten(&mut sections);
        Ok(File { summary, title, author, language, properties, sections, unread, more })
    }

    /// What was read, as a model is given it.
    pub async fn file_text(&self, caller: &Caller, id: FileId) -> Result<String> {
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        find(&mut tx, id).await?;
        tx.commit().await?;
        let bytes = self.inner.blobs.derivative(caller.user_id, id, super::read::TEXT).await?;
        let bytes = bytes.ok_or_else(|| Error::not_found("text of this file"))?;
        String::from_utf8(bytes.into()).map_err(Error::internal)
    }

    pub async fn thumbnail(&self, caller: &Caller, id: FileId) -> Result<Thumbnail> {
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        find(&mut tx, id).await?;
        tx.commit().await?;
        let bytes = self.inner.blobs.derivative(caller.user_id, id, super::read::THUMBNAIL).await?;
        let bytes = bytes.ok_or_else(|| Error::not_found("thumbnail of this file"))?;
        let media_type = if bytes.starts_with(b"\x89PNG") { "image/png" } else { "image/jpeg" };
        Ok(Thumbnail { media_type, bytes })
    }

    pub async fn download(&self, caller: &Caller, id: FileId, part: Option<Part>) -> Result<Downloaded> {
        let owner = caller.user_id;
        let mut tx = self.inner.db.as_user(owner).await?;
        let row: Row = find(&mut tx, id).await?;
        tx.commit().await?;
        let hash = row.hash()?;
        let range = part.map(GetRange::from);
        let reading = self.inner.blobs.read(owner, &hash, range).await?;
        let part = reading.map(|Reading { range, bytes, .. }| (range, bytes));
        Ok(Downloaded { file: row.into(), part })
    }

    /// An address in the bucket for the download of a large file, where the owner of the server wants that. None:
    /// it comes from here. What `disposition` says of the file goes with it.
    pub async fn download_link(
        &self,
        caller: &Caller,
        id: FileId,
        disposition: impl FnOnce(&FileSummary) -> Option<String>,
    ) -> Result<Option<String>> {
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        let row: Row = find(&mut tx, id).await?;
        tx.commit().await?;
        let hash = row.hash()?;
        let file = FileSummary::from(row);
        match disposition(&file).filter(|_| file.size >= WORTH_A_DETOUR) {
            Some(disposition) => self.inner.blobs.link(caller.user_id, &hash, disposition).await,
            None => Ok(None),
        }
    }

    /// All that was read in a file that the person may see.
    pub(crate) async fn sections_of_file(&self, user: UserId, id: FileId) -> Result<Vec<FileSection>> {
        let mut tx = self.inner.db.as_user(user).await?;
        find(&mut tx, id).await?;
        tx.commit().await?;
        Ok(self.document(user, id).await?.map(sections).unwrap_or_default())
    }

    async fn document(&self, owner: UserId, id: FileId) -> Result<Option<Document>> {
        let bytes = self.inner.blobs.derivative(owner, id, super::read::DOCUMENT).await?;
        bytes.map(|bytes| serde_json::from_slice(&bytes).map_err(Error::internal)).transpose()
    }
}

fn sections(document: Document) -> Vec<FileSection> {
    let sections = document.sections.into_iter().zip(1..).map(|(section, number)| {
        let Spot { anchor, label } = spot(&section.place, number);
        FileSection { anchor, label, markdown: section.markdown }
    });
    sections.collect()
}

/// Leaves what a page can hold; whether there was more.
fn shorten(sections: &mut Vec<FileSection>) -> bool {
    let mut left = LONGEST_PAGE;
    let fits = sections.iter().take_while(|section| {
        let fits = section.markdown.len() <= left;
        left = left.saturating_sub(section.markdown.len());
        fits
    });
    let fits = fits.count();
    let more = fits < sections.len();
    sections.truncate(fits);
    more
}

impl From<Part> for GetRange {
    fn from(part: Part) -> Self {
        match part {
            Part::From(first) => Self::Offset(first),
            Part::Between { first, last } => Self::Bounded(first..last.saturating_add(1)),
            Part::Last(bytes) => Self::Suffix(bytes),
        }
    }
}
