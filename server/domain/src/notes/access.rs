//! What whoever is asking may do with a note. What may not be seen is not there (404); what may be
//! seen and not done is refused (403).

use crate::notices::Signal;
use crate::{Caller, Error, Result, Viewer};
use shared::note::Access;
use shared::socket::ServerBody;
use shared::{ErrorCode, NoteId, UserId};
use sqlx::PgConnection;
use uuid::Uuid;

/// What whoever asks may do with the note, and whether it is in the bin; not found where they do not see it.
async fn seen(tx: &mut PgConnection, note: NoteId) -> Result<(Access, bool)> {
    let row: Option<(Option<String>, bool)> =
        sqlx::query_as("SELECT note_access(id), deleted_at IS NOT NULL FROM notes WHERE id = $1")
            .bind(note.0)
            .fetch_optional(tx)
            .await?;
    let (access, deleted) = row.ok_or_else(|| Error::not_found("note"))?;
    let access = access.as_deref().and_then(Access::parse).ok_or_else(|| Error::not_found("note"))?;
    Ok((access, deleted))
}

/// Refuses whoever does not see the note. Its owner sees it in the bin too.
pub(crate) async fn require_sight(tx: &mut PgConnection, note: NoteId) -> Result<()> {
    seen(tx, note).await.map(|_| ())
}

/// Refuses whoever may not do this with the note, and everybody while it is in the bin.
pub(crate) async fn require(tx: &mut PgConnection, note: NoteId, needed: Access) -> Result<Access> {
    let (access, deleted) = seen(tx, note).await?;
    if deleted {
        return Err(Error::problem(
            ErrorCode::Conflict,
            "This note is in the bin. Its owner can restore it.",
        ));
    }
    if access < needed {
        return Err(Error::problem(
            ErrorCode::Forbidden,
            match needed {
                Access::Owner => "Only the owner of the note may do this.",
                Access::Edit => "You may read this note, not change it.",
                Access::Comment | Access::View => "You may read this note, not comment on it.",
            },
        ));
    }
    Ok(access)
}

/// The person of a viewer, for what needs an account.
pub(crate) fn person(viewer: &Viewer) -> Result<&Caller> {
    viewer.person.as_ref().ok_or_else(|| {
        Error::problem(ErrorCode::Forbidden, "This needs an account on this server: a link is not enough.")
    })
}

/// Everybody with an account who sees the note.
pub(crate) async fn audience(tx: &mut PgConnection, note: NoteId) -> Result<Vec<UserId>> {
    let ids: Vec<Uuid> =
        sqlx::query_scalar("SELECT user_id FROM note_readers($1)").bind(note.0).fetch_all(tx).await?;
    Ok(ids.into_iter().map(UserId).collect())
}

/// Tells everybody's browsers, those of visitors too, that comments, versions, shares or proposals of the note changed.
pub(crate) async fn annotated(tx: &mut PgConnection, note: NoteId) -> Result<()> {
    let people = audience(tx, note).await?.into_iter();
    let signals: Vec<Signal> = people
        .map(|person| Signal::notes(person, ServerBody::NoteAnnotated { id: note }))
        .chain([Signal::NoteAnnotated { note_id: note }])
        .collect();
    Signal::send_all(&signals, tx).await
}
