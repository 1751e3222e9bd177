//! The texts of attached things, each with its places, so that a model can cite what it rests on.

use super::things::titles;
use crate::notes::sections;
use crate::passages::tokens;
use crate::{Caller, Domain, Result, Viewer};
use shared::context::{Attached, Thing, ThingKind};
use shared::saved_page::PageState;
use shared::{CollectionId, FileId, NoteId, PageId, UserId};
use std::collections::HashSet;
use uuid::Uuid;

/// Things of one collection that are looked at.
const MOST_IN_A_COLLECTION: i64 = 500;
/// What stands around a text.
const FRAME: usize = 40;

/// A thing that is attached, with what stands in it.
pub(super) struct Unit {
    pub attached: Attached,
    /// One, or all that the person may see in a collection.
    pub pieces: Vec<Piece>,
    /// Of all texts.
    pub tokens: usize,
    /// Whether every text is here. Those of a collection that cannot fit anyway are not fetched.
    pub complete: bool,
}

pub(super) struct Piece {
    pub thing: Thing,
    pub title: String,
    /// Markdown, in which each section begins with a link to its place; or why there is none, for a person.
    pub text: Result<String, String>,
}

impl Unit {
    pub fn is_set(&self) -> bool {
        self.attached.thing.kind == ThingKind::Collection
    }

    pub fn sources(&self) -> Vec<Uuid> {
        self.pieces.iter().map(|piece| piece.thing.id).collect()
    }

    /// Things of a collection that have no text, with the reason.
    pub fn unreadable(&self) -> impl Iterator<Item = (&str, &str)> {
        let pieces = self.pieces.iter().filter(move |_| self.is_set());
        pieces.filter_map(|piece| Some((piece.title.as_str(), piece.text.as_ref().err()?.as_str())))
    }

    /// Why nothing of it can be given, where that is so.
    pub fn missing(&self) -> Option<String> {
        if self.attached.gone {
            return Some("It was deleted, or is not shared with you any more.".into());
        }
        match &self.pieces[..] {
            [] => Some("There is nothing in it to give.".into()),
            [Piece { text: Err(reason), .. }] if !self.is_set() => Some(reason.clone()),
            _ => None,
        }
    }
}

impl Domain {
    /// What stands in attached things, as the person may see it now.
    pub(super) async fn material(
        &self,
        caller: &Caller,
        attached: Vec<Attached>,
        window: usize,
    ) -> Result<Vec<Unit>> {
        let mut units = Vec::with_capacity(attached.len());
        // what is attached by itself and in a collection is given once, by itself
        let mut seen: HashSet<Thing> = attached.iter().map(|one| one.thing).collect();
        for attached in attached {
            let inside = match (attached.gone, attached.thing.kind) {
                (true, _) => Vec::new(),
                (false, ThingKind::Collection) => {
                    let mut inside = self.inside(caller, CollectionId(attached.thing.id)).await?;
                    inside.retain(|(thing, _)| seen.insert(*thing));
                    inside
                }
                (false, _) => vec![(attached.thing, attached.title.clone())],
            };
            units.push(self.unit(caller, attached, inside, window).await?);
        }
        Ok(units)
    }

    async fn unit(
        &self,
        caller: &Caller,
        attached: Attached,
        inside: Vec<(Thing, String)>,
        window: usize,
    ) -> Result<Unit> {
        let mut unit = Unit { attached, pieces: Vec::new(), tokens: 0, complete: true };
        for (thing, title) in inside {
            if unit.is_set() && unit.tokens > window {
                unit.complete = false;
                unit.pieces.push(Piece { thing, title, text: Ok(String::new()) });
                continue;
            }
            let text = self.text_or_reason(caller, thing, &title).await?;
            unit.tokens += text.as_deref().map_or(0, |text| tokens(text) + FRAME);
            unit.pieces.push(Piece { thing, title, text });
        }
        Ok(unit)
    }

    /// What of a collection the person may see.
    async fn inside(&self, caller: &Caller, id: CollectionId) -> Result<Vec<(Thing, String)>> {
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        let rows: Vec<(String, Uuid)> = sqlx::query_as(
            "SELECT kind, thing_id FROM collection_items WHERE collection_id = $1 ORDER BY added_at, thing_id LIMIT $2",
        )
        .bind(id.0)
        .bind(MOST_IN_A_COLLECTION)
        .fetch_all(&mut *tx)
        .await?;
        let things: Vec<Thing> = rows
            .into_iter()
            .filter_map(|(kind, id)| Some(Thing { kind: ThingKind::parse(&kind)?, id }))
            .collect();
        let titles = titles(&mut tx, &things).await?;
        tx.commit().await?;
        Ok(things.into_iter().filter_map(|thing| Some((thing, titles.get(&thing)?.clone()))).collect())
    }

    /// What is wrong with one thing takes none of the others away.
    async fn text_or_reason(
        &self,
        caller: &Caller,
        thing: Thing,
        title: &str,
    ) -> Result<Result<String, String>> {
        match self.text_of(caller, thing, title).await {
            Err(error) if !error.is_database_away() => {
                tracing::warn!(
                    kind = thing.kind.as_str(),
                    id = %thing.id,
                    error = &error as &dyn std::error::Error,
                    "an attachment could not be read"
                );
                Ok(Err("It cannot be read just now.".into()))
            }
            text => text,
        }
    }

    async fn text_of(&self, caller: &Caller, thing: Thing, title: &str) -> Result<Result<String, String>> {
        match thing.kind {
            ThingKind::Note => {
                let note = self.note(&Viewer::from(caller.clone()), NoteId(thing.id)).await?;
                Ok(Ok(text_of_note(thing, &note.content)))
            }
            ThingKind::File => self.text_of_file(caller.user_id, FileId(thing.id), title).await,
            ThingKind::Page => self.text_of_page(caller.user_id, PageId(thing.id), title).await,
            ThingKind::Collection | ThingKind::Conversation => Ok(Err("It has no text of its own.".into())),
        }
    }

    async fn text_of_file(&self, user: UserId, id: FileId, title: &str) -> Result<Result<String, String>> {
        let mut tx = self.inner.db.as_user(user).await?;
        let (state, failure): (String, Option<String>) =
            sqlx::query_as("SELECT state, failure FROM files WHERE id = $1")
                .bind(id.0)
                .fetch_one(&mut *tx)
                .await?;
        tx.commit().await?;
        match (state.as_str(), failure) {
            ("waiting" | "reading", _) => {
                return Ok(Err("It is being read just now. Ask again in a moment.".into()));
            }
            ("failed", Some(reason)) => return Ok(Err(format!("It could not be read: {reason}"))),
            _ => {}
        }
        let sections = self.sections_of_file(user, id).await?;
        let sections = sections.iter().map(|one| (&*one.anchor, &*one.label, &*one.markdown));
        Ok(joined(&format!("/f/{id}"), title, sections))
    }

    /// What is kept of a page stays while it is fetched anew, and when that fails.
    async fn text_of_page(&self, user: UserId, id: PageId, title: &str) -> Result<Result<String, String>> {
        let (page, sections) = self.whole_page(user, id).await?;
        let sections = sections.iter().map(|one| (&*one.anchor, &*one.label, &*one.markdown));
        Ok(match (page.fetched_at, page.state) {
            (None, PageState::Failed { reason }) => Err(format!("It could not be fetched: {reason}")),
            (None, _) => Err("It is being fetched just now. Ask again in a moment.".into()),
            (Some(_), _) => joined(&format!("/p/{id}"), title, sections),
        })
    }
}

/// A note's text, with a link to each place above its heading.
fn text_of_note(thing: Thing, content: &str) -> String {
    let sections = sections(content).into_iter().map(|(place, text)| match place {
        Some(place) => {
            let heading = text.lines().next().unwrap_or_default().trim_matches(['#', ' ']);
            format!("{}\n\n{}", link(heading, &format!("{}#{place}", thing.url())), text.trim_end())
        }
        None => text.trim_end().to_owned(),
    });
    sections.filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n\n")
}

/// Sections, each behind a link to its place; they come as anchor, label and Markdown.
fn joined<'a>(
    url: &str,
    title: &str,
    sections: impl Iterator<Item = (&'a str, &'a str, &'a str)>,
) -> Result<String, String> {
    let texts = sections.filter(|(.., markdown)| !markdown.trim().is_empty());
    let parts: Vec<String> = texts
        .map(|(anchor, label, markdown)| {
            let label = if label.is_empty() { title } else { label };
            format!("{}\n\n{}", link(label, &format!("{url}#{anchor}")), markdown.trim_end())
        })
        .collect();
    match parts.is_empty() {
        true => Err("No text was found in it.".into()),
        false => Ok(parts.join("\n\n")),
    }
}

/// A Markdown link whose words cannot end it.
pub(super) fn link(label: &str, url: &str) -> String {
    format!("[{}]({url})", label.replace(['[', ']', '\n'], " "))
}
