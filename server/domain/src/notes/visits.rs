//! Coming by a share's link: the token and the password are checked once, and a sealed cookie says
//! so afterwards. The cookie grants nothing by itself: every look at a note looks at the share's row.

use crate::secrets::{Purpose, token_hash};
use crate::{Domain, Error, Result, Viewer};
use shared::{ErrorCode, FolderId, NoteId, ShareId};
use uuid::Uuid;

use super::shares::Shared;

/// What became of an attempt to open a link.
pub enum Visit {
    Opened {
        to: Shared,
        /// For the cookie that the visitor shows from now on.
        proof: String,
    },
    PasswordNeeded,
}

/// A folder as its visitors see it.
#[derive(Clone, Debug, PartialEq)]
pub struct SharedFolder {
    pub name: String,
    /// The notes in it and below it: the folders on the way, the title, the id.
    pub notes: Vec<(String, String, NoteId)>,
}

impl Domain {
    /// Checks a link's token, and its password where it has one.
    pub async fn open_link(&self, token: &str, password: Option<String>) -> Result<Visit> {
        type Row = (Uuid, Option<Uuid>, Option<Uuid>, Option<String>);
        let mut tx = self.inner.db.as_system().await?;
        let row: Option<Row> = sqlx::query_as(
            "SELECT id, note_id, folder_id, password_hash FROM note_shares
             WHERE token_hash = $1 AND (expires_at IS NULL OR expires_at > now())",
        )
        .bind(token_hash(token))
        .fetch_optional(&mut *tx)
        .await?;
        tx.commit().await?;
        let (id, note, folder, password_hash) = row.ok_or_else(ended)?;
        if let Some(stored) = password_hash {
            let Some(typed) = password else { return Ok(Visit::PasswordNeeded) };
            if !self.inner.passwords.verify(typed, Some(stored)).await? {
                return Err(Error::problem(
                    ErrorCode::WrongCredentials,
                    "That is not the password of this link. Whoever sent you the link knows it.",
                ));
            }
        }
        let to = match (note, folder) {
            (Some(note), _) => Shared::Note(NoteId(note)),
            (None, Some(folder)) => Shared::Folder(FolderId(folder)),
            (None, None) => return Err(ended()),
        };
        // A note in the bin is shared with nobody.
        let viewer = Viewer { person: None, share: Some(ShareId(id)) };
        let mut tx = self.inner.db.as_viewer(&viewer).await?;
        let there: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT FROM notes WHERE id = $1) OR EXISTS (SELECT FROM folders WHERE id = $2)",
        )
        .bind(note)
        .bind(folder)
        .fetch_one(&mut *tx)
        .await?;
        tx.commit().await?;
        if !there {
            return Err(ended());
        }
        Ok(Visit::Opened { to, proof: self.inner.secrets.token(Purpose::ShareCookie, &ShareId(id))? })
    }

    /// The share that a cookie proves to have been opened. Whether it still holds is asked of its row
    /// with every look at a note.
    pub fn visiting(&self, proof: &str) -> Option<ShareId> {
        self.inner.secrets.claims(Purpose::ShareCookie, proof)
    }

    /// What is in a shared folder.
    pub async fn shared_folder(&self, viewer: &Viewer, folder: FolderId) -> Result<SharedFolder> {
        let mut tx = self.inner.db.as_viewer(viewer).await?;
        let name: Option<String> = sqlx::query_scalar("SELECT name FROM folders WHERE id = $1")
            .bind(folder.0)
            .fetch_optional(&mut *tx)
            .await?;
        let name = name.ok_or_else(|| Error::not_found("folder"))?;
        let rows: Vec<(String, String, Uuid)> = sqlx::query_as(
            "WITH RECURSIVE below AS (
                 SELECT id, '' AS path FROM folders WHERE id = $1
                 UNION ALL
                 SELECT f.id, b.path || f.name || ' / ' FROM folders f JOIN below b ON f.parent_id = b.id
             )
             SELECT b.path, coalesce(nullif(n.title, ''), nullif(left(n.markdown, 60), ''), 'Untitled'), n.id
             FROM notes n JOIN below b ON n.folder_id = b.id
             WHERE n.deleted_at IS NULL AND n.archived_at IS NULL
             ORDER BY b.path, lower(n.title), n.id LIMIT 2000",
        )
        .bind(folder.0)
        .fetch_all(&mut *tx)
        .await?;
        let notes = rows.into_iter().map(|(path, title, id)| (path, title, NoteId(id))).collect();
        Ok(SharedFolder { name, notes })
    }
}

/// The same for a link that never was, ended, or leads to what is in the bin.
fn ended() -> Error {
    Error::problem(ErrorCode::NotFound, "This link does not lead anywhere any more. Ask whoever sent it.")
}
