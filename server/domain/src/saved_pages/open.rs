//! A page as it is opened: to be read, as it looked, as a model is given it.

use super::read::{ARCHIVE, DOCUMENT, IMAGE, TEXT};
use super::row::{Kind, Row, find};
use crate::files::{Spot, spot};
use crate::{Caller, Domain, Error, Result};
use bytes::Bytes;
use extract::Document;
use shared::saved_page::{PageSection, PageSummary, SavedPage};
use shared::{PageId, UserId};

/// Bytes of Markdown that a page is sent at most; the whole text is an address of its own.
const LONGEST: usize = 500 << 10;

/// The copy of a page that is kept.
pub struct Archive {
    pub title: String,
    /// `text/html` can run and load nothing; the others are as they came.
    pub media_type: &'static str,
    pub bytes: Bytes,
}

impl Domain {
    pub async fn page(&self, caller: &Caller, id: PageId) -> Result<SavedPage> {
        let row = self.page_row(caller.user_id, id).await?;
        let mut sections = self.sections_kept(caller.user_id, &row).await?;
        let more = shorten(&mut sections);
        let is_kept = row.kept.is_some();
        let facts = row.facts.0.clone();
        Ok(SavedPage {
            summary: row.summary(),
            published: facts.published,
            language: facts.language,
            right_to_left: facts.right_to_left,
            words: is_kept.then_some(facts.words),
            readable: facts.readable,
            sections,
            more,
        })
    }

    /// What is to be read, as a model is given it.
    pub async fn page_text(&self, caller: &Caller, id: PageId) -> Result<String> {
        let bytes = self.part_of_page(caller, id, TEXT, "text of this page").await?.1;
        String::from_utf8(bytes.into()).map_err(Error::internal)
    }

    pub async fn page_archive(&self, caller: &Caller, id: PageId) -> Result<Archive> {
        let (row, bytes) = self.part_of_page(caller, id, ARCHIVE, "copy of this page").await?;
        let media_type = match row.facts.content {
            Kind::Html => "text/html",
            Kind::Text => "text/plain",
            Kind::Pdf => "application/pdf",
        };
        Ok(Archive { title: row.title, media_type, bytes })
    }

    pub async fn page_image(&self, caller: &Caller, id: PageId) -> Result<(&'static str, Bytes)> {
        let (_, bytes) = self.part_of_page(caller, id, IMAGE, "picture of this page").await?;
        let media_type = if bytes.starts_with(b"\x89PNG") { "image/png" } else { "image/jpeg" };
        Ok((media_type, bytes))
    }

    /// All that is to be read in a page of this person's.
    pub(crate) async fn sections_of_page(&self, user: UserId, id: PageId) -> Result<Vec<PageSection>> {
        Ok(self.whole_page(user, id).await?.1)
    }

    /// Where a page of this person's stands, and all that is to be read in it.
    pub(crate) async fn whole_page(
        &self,
        user: UserId,
        id: PageId,
    ) -> Result<(PageSummary, Vec<PageSection>)> {
        let row = self.page_row(user, id).await?;
        let sections = self.sections_kept(user, &row).await?;
        Ok((row.summary(), sections))
    }

    async fn page_row(&self, user: UserId, id: PageId) -> Result<Row> {
        let mut tx = self.inner.db.as_user(user).await?;
        let row = find(&mut tx, id).await?;
        tx.commit().await?;
        Ok(row)
    }

    /// A part of what is kept. It may be kept anew, and the old be gone, while this looks.
    async fn part_of_page(
        &self,
        caller: &Caller,
        id: PageId,
        name: &'static str,
        what: &str,
    ) -> Result<(Row, Bytes)> {
        for _ in 0..2 {
            let row = self.page_row(caller.user_id, id).await?;
            let Some(kept) = row.kept else { break };
            if let Some(bytes) = self.inner.blobs.page_part(caller.user_id, id, kept, name).await? {
                return Ok((row, bytes));
            }
        }
        Err(Error::not_found(what))
    }

    async fn sections_kept(&self, owner: UserId, row: &Row) -> Result<Vec<PageSection>> {
        let Some(document) = self.document_kept(owner, row).await? else { return Ok(Vec::new()) };
        let sections = document.sections.into_iter().zip(1..).map(|(section, number)| {
            let Spot { anchor, label } = spot(&section.place, number);
            PageSection { anchor, label, markdown: section.markdown }
        });
        Ok(sections.collect())
    }

    /// What was read in a page, as it is kept.
    pub(super) async fn document_kept(&self, owner: UserId, row: &Row) -> Result<Option<Document>> {
        let Some(kept) = row.kept else { return Ok(None) };
        let mut bytes = self.inner.blobs.page_part(owner, row.id(), kept, DOCUMENT).await?;
        if bytes.is_none()
            && let Some(kept) = self.page_row(owner, row.id()).await?.kept
        {
            // kept anew meanwhile
            bytes = self.inner.blobs.page_part(owner, row.id(), kept, DOCUMENT).await?;
        }
        bytes.map(|bytes| serde_json::from_slice(&bytes)).transpose().map_err(Error::internal)
    }
}

/// Leaves what one answer can hold; whether there was more.
fn shorten(sections: &mut Vec<PageSection>) -> bool {
    let mut left = LONGEST;
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
