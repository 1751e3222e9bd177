//! A renamed note stays linked: links that name the old title are rewritten, as edits by whoever
//! renamed it. A job does it, queued with the rename itself.

use super::markup::renamed;
use crate::jobs::{self, Job, Kind};
use crate::{Domain, Error, Result};
use serde::{Deserialize, Serialize};
use shared::{NoteId, UserId};
use sqlx::PgConnection;
use uuid::Uuid;

#[derive(Serialize, Deserialize)]
struct Payload {
    note: NoteId,
    old: String,
    new: String,
    /// The notes that linked to it when it was renamed, and that this person may edit.
    from: Vec<NoteId>,
}

/// Queues the rewriting, before links find other targets.
pub(crate) async fn queue(
    tx: &mut PgConnection,
    by: UserId,
    note: NoteId,
    old: &str,
    new: &str,
) -> Result<()> {
    if old.is_empty() || new.is_empty() {
        return Ok(());
    }
    let from: Vec<Uuid> = sqlx::query_scalar(
        "SELECT DISTINCT l.from_id FROM note_links l JOIN notes n ON n.id = l.from_id
         WHERE l.to_id = $1 AND l.kind = 'wikilink' AND n.deleted_at IS NULL
           AND note_access(n.id) IN ('owner', 'edit')",
    )
    .bind(note.0)
    .fetch_all(&mut *tx)
    .await?;
    if from.is_empty() {
        return Ok(());
    }
    let payload = Payload {
        note,
        old: old.to_owned(),
        new: new.to_owned(),
        from: from.into_iter().map(NoteId).collect(),
    };
    let payload = serde_json::to_value(payload).map_err(Error::internal)?;
    jobs::queue(tx, Job { kind: Kind::RewriteLinks, user_id: Some(by), payload, dedupe_key: None }).await
}

impl Domain {
    pub(crate) async fn rewrite_links(&self, by: UserId, payload: serde_json::Value) -> Result<()> {
        let Payload { old, new, from, .. } = serde_json::from_value(payload).map_err(Error::internal)?;
        for note in from {
            let author = sync::Author { user_id: Some(by), run_id: None };
            let (old, new) = (old.clone(), new.clone());
            let rewritten = self
                .inner
                .rooms
                .edit(note, author, move |draft| {
                    let text = draft.text();
                    for place in renamed(&text, &old, &new) {
                        draft.replace(place, &new);
                    }
                    Ok(())
                })
                .await;
            match rewritten {
                // Deleted meanwhile, or as large as a note may be: nothing to be done.
                Ok(_) | Err(sync::RoomError::NotFound | sync::RoomError::Refused(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}
