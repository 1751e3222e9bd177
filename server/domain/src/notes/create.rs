//! Making notes. What a note begins with is put into its log here, once, by the server.

use super::access::require;
use super::list::announce;
use super::markup::Markup;
use super::projection::{self, resolve_links_to};
use crate::database::{Database, Tx};
use crate::text::{document, without_nul};
use crate::{Caller, Domain, Error, Result, Viewer};
use shared::note::{Access, CreateNote, Note, NoteKind};
use shared::{FolderId, NoteId, UserId};
use sqlx::PgConnection;
use time::{Date, OffsetDateTime};
use uuid::Uuid;

/// Longest title, in characters.
const LONGEST_TITLE: usize = 200;
/// Longest text to begin with, in bytes; a room takes ten million UTF-16 code units.
pub(crate) const LONGEST_TEXT: usize = 10_000_000;

/// A note to be made.
pub(crate) struct NewNote {
    pub id: NoteId,
    pub owner: UserId,
    pub kind: NoteKind,
    pub day: Option<Date>,
    pub title: String,
    pub folder: Option<FolderId>,
    /// Markdown as [`document`] gives it.
    pub content: String,
    /// Now when absent.
    pub created_at: Option<OffsetDateTime>,
}

/// What becomes of links that led nowhere and name the new note.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum OpenLinks {
    FindIt,
    /// Whoever makes many notes looks at all open links in the end.
    Wait,
}

/// Whether a note was made, or one was there that excludes it (of that day, or the scratchpad).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Made {
    New,
    NotNeeded,
}

impl Domain {
    pub async fn create_note(&self, caller: &Caller, request: CreateNote) -> Result<Note> {
        if !matches!(request.kind, NoteKind::Note | NoteKind::Template) {
            return Err(Error::invalid(
                "kind",
                "The daily note and the scratchpad are made by asking for them: POST to /api/v1/notes/daily or /api/v1/notes/scratchpad.",
            ));
        }
        let title = checked_title(request.title)?;
        let content = match (request.content, request.from) {
            (Some(_), Some(_)) => {
                return Err(Error::invalid("from", "Give either content or a note to begin from."));
            }
            (Some(content), None) => checked_text(content)?,
            (None, Some(from)) => self.begun_from(caller, from, &title).await?,
            (None, None) => String::new(),
        };
        let note = NewNote {
            id: NoteId::new(),
            owner: caller.user_id,
            kind: request.kind,
            day: None,
            title,
            folder: request.folder_id,
            content,
            created_at: None,
        };
        let id = note.id;
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        require_own_folder(&mut tx, note.folder).await?;
        self.insert_note(&mut tx, note, OpenLinks::FindIt).await?;
        announce(&mut tx, id).await?;
        tx.commit().await?;
        self.note(&caller.clone().into(), id).await
    }

    /// The text that a note begun from another has, with `{{date}}`, `{{time}}` and `{{title}}` filled in.
    pub(crate) async fn begun_from(&self, caller: &Caller, from: NoteId, title: &str) -> Result<String> {
        let viewer = Viewer::from(caller.clone());
        let mut tx = self.inner.db.as_viewer(&viewer).await?;
        require(&mut tx, from, Access::View).await?;
        let (date, time): (String, String) = sqlx::query_as(
            "SELECT to_char(local, 'YYYY-MM-DD'), to_char(local, 'HH24:MI')
             FROM (SELECT now() AT TIME ZONE coalesce(nullif(u.time_zone, ''), 'UTC') AS local
                   FROM users u WHERE u.id = $1) u",
        )
        .bind(caller.user_id.0)
        .fetch_one(&mut *tx)
        .await?;
        tx.commit().await?;
        let text = self.inner.rooms.read(from).await?.text;
        Ok(text.replace("{{date}}", &date).replace("{{time}}", &time).replace("{{title}}", title))
    }

    /// The row, its first update and its projection, in the person's transaction.
    pub(crate) async fn insert_note(
        &self,
        tx: &mut Tx,
        note: NewNote,
        open_links: OpenLinks,
    ) -> Result<Made> {
        let seq = i64::from(!note.content.is_empty());
        let made = sqlx::query(
            "INSERT INTO notes (id, owner_id, folder_id, kind, day, title, seq, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, coalesce($8, now()))
             ON CONFLICT DO NOTHING",
        )
        .bind(note.id.0)
        .bind(note.owner.0)
        .bind(note.folder.map(|folder| folder.0))
        .bind(note.kind.as_str())
        .bind(note.day)
        .bind(&note.title)
        .bind(seq)
        .bind(note.created_at)
        .execute(&mut **tx)
        .await?;
        if made.rows_affected() == 0 {
            return Ok(Made::NotNeeded);
        }
        Database::turn_sync(tx).await?;
        if seq > 0 {
            sqlx::query(
                "INSERT INTO note_updates (note_id, seq, update, author_id, server_id) VALUES ($1, 1, $2, $3, $4)",
            )
            .bind(note.id.0)
            .bind(sync::seed(&note.content))
            .bind(note.owner.0)
            .bind(self.inner.server_id)
            .execute(&mut **tx)
            .await?;
            let markup = Markup::of(&note.content);
            projection::write_first(tx, note.id, seq, &note.content, &markup).await?;
            projection::keep_version(tx, note.id).await?;
        } else {
            projection::write_first(tx, note.id, 0, "", &Markup::default()).await?;
        }
        if open_links == OpenLinks::FindIt {
            resolve_links_to(tx, note.id).await?;
        }
        Database::turn_back(tx).await?;
        Ok(Made::New)
    }
}

/// Foreign keys look past policies, so a folder is looked at first.
pub(crate) async fn require_own_folder(tx: &mut PgConnection, folder: Option<FolderId>) -> Result<()> {
    let Some(folder) = folder else { return Ok(()) };
    let known: Option<Uuid> =
        sqlx::query_scalar("SELECT id FROM folders WHERE id = $1 AND owner_id = app_user_id()")
            .bind(folder.0)
            .fetch_optional(tx)
            .await?;
    known.map(drop).ok_or_else(|| Error::not_found("folder of yours"))
}

pub(crate) fn checked_title(title: String) -> Result<String> {
    let title = without_nul(title).replace(|c: char| c.is_control(), " ");
    let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
    if title.chars().count() > LONGEST_TITLE {
        return Err(Error::invalid("title", format!("A title has at most {LONGEST_TITLE} characters.")));
    }
    Ok(title)
}

pub(crate) fn checked_text(text: String) -> Result<String> {
    if text.len() > LONGEST_TEXT {
        return Err(Error::problem(
            shared::ErrorCode::PayloadTooLarge,
            "A note's text has at most 10,000,000 bytes. Make several notes of it.",
        ));
    }
    Ok(document(text))
}
