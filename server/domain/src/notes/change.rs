//! Changing a note and its row: text through its room, the rest here. The bin.

use super::access::require;
use super::create::{checked_text, checked_title, require_own_folder};
use super::list::announce;
use super::{open, projection, rename};
use crate::database::Database;
use crate::error::violated_unique;
use crate::notices::Signal;
use crate::{Caller, Domain, Error, Result, Viewer};
use serde_json::json;
use shared::note::{Access, Insertion, Note, NoteSummary, UpdateNote};
use shared::socket::ServerBody;
use shared::{ErrorCode, NoteId, UserId};
use sqlx::PgConnection;
use sync::{Draft, Refused, StickyRange};
use uuid::Uuid;

/// What becomes of the text.
enum TextChange {
    Replace(String),
    Append(String),
    Insert { at: String, text: String },
}

impl Domain {
    /// Changes what the request names. With `expected`, only if the note is still at that number.
    pub async fn update_note(
        &self,
        viewer: &Viewer,
        id: NoteId,
        change: UpdateNote,
        expected: Option<i64>,
    ) -> Result<Note> {
        let title = change.title.map(checked_title).transpose()?;
        let text = match (change.content, change.append, change.insert) {
            (None, None, None) => None,
            (Some(content), None, None) => Some(TextChange::Replace(checked_text(content)?)),
            (None, Some(more), None) => Some(TextChange::Append(checked_text(more)?)),
            (None, None, Some(Insertion { at, text })) => {
                Some(TextChange::Insert { at, text: checked_text(text)? })
            }
            _ => {
                return Err(Error::invalid(
                    "content",
                    "Give the whole content, or what to append, or what to insert.",
                ));
            }
        };
        let owners = change.folder_id.is_some()
            || change.pinned.is_some()
            || change.archived.is_some()
            || change.template.is_some()
            || change.model_edits.is_some();
        let mut tx = self.inner.db.as_viewer(viewer).await?;
        require(&mut tx, id, if owners { Access::Owner } else { Access::Edit }).await?;
        require_own_folder(&mut tx, change.folder_id.flatten()).await?;
        tx.commit().await?;
        self.change_text(viewer, id, text, expected).await?;
        if !owners && title.is_none() {
            return self.note(viewer, id).await;
        }

        let mut tx = self.inner.db.as_viewer(viewer).await?;
        projection::take_turn(&mut tx, id).await?;
        let before: Option<(String, String, Option<Uuid>)> =
            sqlx::query_as("SELECT title, kind, folder_id FROM notes WHERE id = $1 FOR NO KEY UPDATE")
                .bind(id.0)
                .fetch_optional(&mut *tx)
                .await?;
        let (old_title, kind, old_folder) = before.ok_or_else(|| Error::not_found("note"))?;
        if change.template.is_some() && !matches!(kind.as_str(), "note" | "template") {
            return Err(Error::invalid("template", "The daily note and the scratchpad cannot be templates."));
        }
        sqlx::query(
            "UPDATE notes SET title = coalesce($2, title),
                    folder_id = CASE WHEN $3 THEN $4 ELSE folder_id END,
                    pinned = coalesce($5, pinned),
                    archived_at = CASE WHEN $6 IS NULL THEN archived_at WHEN $6 THEN coalesce(archived_at, now()) END,
                    kind = CASE WHEN $7 IS NULL THEN kind WHEN $7 THEN 'template' ELSE 'note' END,
                    model_edits = coalesce($8, model_edits),
                    updated_at = CASE WHEN $2 <> title THEN now() ELSE updated_at END
             WHERE id = $1",
        )
        .bind(id.0)
        .bind(&title)
        .bind(change.folder_id.is_some())
        .bind(change.folder_id.flatten().map(|folder| folder.0))
        .bind(change.pinned)
        .bind(change.archived)
        .bind(change.template)
        .bind(change.model_edits)
        .execute(&mut *tx)
        .await?;
        let new_title = title.filter(|title| *title != old_title);
        if let Some(new_title) = &new_title {
            if let Some(caller) = &viewer.person {
                rename::queue(&mut tx, caller.user_id, id, &old_title, new_title).await?;
            }
            Database::turn_sync(&mut tx).await?;
            projection::retitled(&mut tx, id).await?;
            Database::turn_back(&mut tx).await?;
        }
        if change.folder_id.is_some_and(|folder| folder.map(|f| f.0) != old_folder) {
            // A folder may be shared: whoever is connected may see the note no longer.
            Signal::NoteAccessChanged { note_id: Some(id) }.send(&mut tx).await?;
        }
        announce(&mut tx, id).await?;
        let row = open::read(&mut tx, id).await?;
        tx.commit().await?;
        let reading = self.inner.rooms.read(id).await?;
        Ok(row.opened(reading.text, reading.seq))
    }

    async fn change_text(
        &self,
        viewer: &Viewer,
        id: NoteId,
        change: Option<TextChange>,
        expected: Option<i64>,
    ) -> Result<()> {
        let known = match expected {
            None => None,
            Some(expected) => {
                let reading = self.inner.rooms.read(id).await?;
                // What is typed and not committed yet has no number: the caller cannot have meant it.
                if reading.seq != expected || !reading.settled {
                    return Err(moved(reading.seq));
                }
                Some(reading)
            }
        };
        let Some(change) = change else { return Ok(()) };
        let author = sync::Author { user_id: viewer.user_id(), run_id: None };
        let (seq, expected_text) = known.map_or((0, None), |reading| (reading.seq, Some(reading.text)));
        let edited = self
            .inner
            .rooms
            .edit(id, author, move |draft| {
                if expected_text.is_some_and(|expected| expected != draft.text()) {
                    return Err(Refused(MOVED.into()));
                }
                match change {
                    TextChange::Replace(content) => draft.set_text(&content)?,
                    TextChange::Append(more) => append(draft, &more),
                    TextChange::Insert { at, text } => {
                        match draft.resolve(&StickyRange { from: at.clone(), to: at }) {
                            Some(place) => draft.replace(place, &text),
                            None => append(draft, &text),
                        }
                    }
                }
                Ok(draft.text())
            })
            .await;
        match edited {
            Err(sync::RoomError::Refused(why)) if why.0 == MOVED => Err(moved(seq + 1)),
            Err(error) => Err(error.into()),
            // Not left to the room, which waits until typing pauses: a program lists and searches next.
            Ok(edited) => projection::project(&self.inner.db, id, edited.seq, &edited.value).await,
        }
    }

    /// Puts the note into the bin; whoever has it open is told.
    pub async fn delete_note(&self, caller: &Caller, id: NoteId) -> Result<()> {
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        require_ownership(&mut tx, id).await?;
        let readers: Vec<Uuid> =
            sqlx::query_scalar("SELECT user_id FROM note_readers($1)").bind(id.0).fetch_all(&mut *tx).await?;
        sqlx::query("UPDATE notes SET deleted_at = coalesce(deleted_at, now()) WHERE id = $1")
            .bind(id.0)
            .execute(&mut *tx)
            .await?;
        let mut signals: Vec<Signal> = readers
            .into_iter()
            .map(|reader| Signal::notes(UserId(reader), ServerBody::NoteGone { id }))
            .collect();
        signals.push(Signal::NoteAccessChanged { note_id: Some(id) });
        Signal::send_all(&signals, &mut tx).await?;
        tx.commit().await?;
        Ok(())
    }

    pub async fn restore_note(&self, caller: &Caller, id: NoteId) -> Result<NoteSummary> {
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        require_ownership(&mut tx, id).await?;
        let restored = sqlx::query("UPDATE notes SET deleted_at = NULL WHERE id = $1")
            .bind(id.0)
            .execute(&mut *tx)
            .await;
        restored.map_err(|error| match violated_unique(&error) {
            Some("notes_one_a_day" | "notes_one_scratchpad") => Error::problem(
                ErrorCode::Conflict,
                "There is another one of these already: delete or rename that one first.",
            ),
            _ => error.into(),
        })?;
        Database::turn_sync(&mut tx).await?;
        projection::resolve_links_to(&mut tx, id).await?;
        Database::turn_back(&mut tx).await?;
        announce(&mut tx, id).await?;
        let row = open::read(&mut tx, id).await?;
        tx.commit().await?;
        Ok(row.summary.into())
    }
}

fn append(draft: &mut Draft<'_>, more: &str) {
    let text = draft.text();
    let gap = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    draft.replace(text.len()..text.len(), &format!("{gap}{more}"));
}

const MOVED: &str = "the note moved on";

fn moved(seq: i64) -> Error {
    Error::Problem {
        code: ErrorCode::PreconditionFailed,
        message: "The note has changed since. Read it again, then send your change again.".into(),
        details: Some(json!({ "seq": seq })),
        retry_after: None,
    }
}

/// Refuses all but the owner, in the bin as well.
pub(crate) async fn require_ownership(tx: &mut PgConnection, id: NoteId) -> Result<()> {
    let own: Option<bool> =
        sqlx::query_scalar("SELECT owner_id IS NOT DISTINCT FROM app_user_id() FROM notes WHERE id = $1")
            .bind(id.0)
            .fetch_optional(tx)
            .await?;
    match own {
        Some(true) => Ok(()),
        Some(false) => Err(Error::problem(ErrorCode::Forbidden, "Only the owner of the note may do this.")),
        None => Err(Error::not_found("note")),
    }
}
