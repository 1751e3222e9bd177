//! The note of today, in the person's own time zone, and the scratchpad: there is one of each.

use super::create::{Made, NewNote, OpenLinks};
use super::list::announce;
use crate::database::Tx;
use crate::{Caller, Domain, Error, Result};
use shared::NoteId;
use shared::note::{Note, NoteKind};
use time::Date;
use uuid::Uuid;

/// The template that a daily note begins with.
const TEMPLATE: &str = "daily";

/// Which of the notes that there is one of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Only {
    Today,
    Scratchpad,
}

impl Only {
    fn kind(self) -> NoteKind {
        match self {
            Self::Today => NoteKind::Daily,
            Self::Scratchpad => NoteKind::Scratchpad,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Today => "note of today",
            Self::Scratchpad => "scratchpad",
        }
    }
}

impl Domain {
    /// The note, if it was made.
    pub async fn only_note(&self, caller: &Caller, which: Only) -> Result<Note> {
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        let day = day(&mut tx, caller, which).await?;
        let found = find(&mut tx, which, day).await?;
        tx.commit().await?;
        let id = found.ok_or_else(|| Error::not_found(which.name()))?;
        self.note(&caller.clone().into(), id).await
    }

    /// The note, made now if there is none. Asked for twice at once, it is made once.
    pub async fn open_only_note(&self, caller: &Caller, which: Only) -> Result<Note> {
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        let day = day(&mut tx, caller, which).await?;
        let found = find(&mut tx, which, day).await?;
        let template: Option<Uuid> = sqlx::query_scalar(
            "SELECT id FROM notes WHERE owner_id = app_user_id() AND kind = 'template' AND lower(title) = $1
             AND deleted_at IS NULL ORDER BY id LIMIT 1",
        )
        .bind(TEMPLATE)
        .fetch_optional(&mut *tx)
        .await?;
        tx.commit().await?;
        let viewer = caller.clone().into();
        if let Some(id) = found {
            return self.note(&viewer, id).await;
        }
        let title = day.map_or_else(|| "Scratchpad".to_owned(), |day| day.to_string());
        let content = match template.filter(|_| which == Only::Today) {
            Some(template) => self.begun_from(caller, NoteId(template), &title).await?,
            None => String::new(),
        };
        let id = NoteId::new();
        let note = NewNote {
            id,
            owner: caller.user_id,
            kind: which.kind(),
            day,
            title,
            folder: None,
            content,
            created_at: None,
        };
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        let id = match self.insert_note(&mut tx, note, OpenLinks::FindIt).await? {
            Made::New => {
                announce(&mut tx, id).await?;
                id
            }
            Made::NotNeeded => {
                find(&mut tx, which, day).await?.ok_or_else(|| Error::not_found(which.name()))?
            }
        };
        tx.commit().await?;
        self.note(&viewer, id).await
    }
}

/// The day it is where the person is; none for what has no day.
async fn day(tx: &mut Tx, caller: &Caller, which: Only) -> Result<Option<Date>> {
    if which == Only::Scratchpad {
        return Ok(None);
    }
    let day = sqlx::query_scalar(
        "SELECT (now() AT TIME ZONE coalesce(nullif(time_zone, ''), 'UTC'))::date FROM users WHERE id = $1",
    )
    .bind(caller.user_id.0)
    .fetch_one(&mut **tx)
    .await?;
    Ok(Some(day))
}

async fn find(tx: &mut Tx, which: Only, day: Option<Date>) -> Result<Option<NoteId>> {
    let id: Option<Uuid> = sqlx::query_scalar(
        "SELECT id FROM notes WHERE owner_id = app_user_id() AND kind = $1 AND day IS NOT DISTINCT FROM $2
         AND deleted_at IS NULL",
    )
    .bind(which.kind().as_str())
    .bind(day)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(id.map(NoteId))
}
