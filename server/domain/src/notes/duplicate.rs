//! A copy of a note, of one's own: its text as it is now, and its attachments.

use super::access::require;
use super::attachments::{self, url, urls};
use super::create::{NewNote, OpenLinks};
use super::list::announce;
use crate::blobs::Blob;
use crate::{Caller, Domain, Error, Result};
use shared::note::{Access, Note, NoteKind};
use shared::{AttachmentId, FolderId, NoteId, UserId};
use uuid::Uuid;

#[derive(sqlx::FromRow)]
struct Source {
    owner_id: Uuid,
    title: String,
    kind: String,
    own_folder: Option<Uuid>,
}

/// An attachment of the note that is copied, and what it becomes.
struct Copied {
    old: AttachmentId,
    new: AttachmentId,
    name: String,
    blob: Blob,
}

impl Domain {
    pub async fn duplicate_note(&self, caller: &Caller, id: NoteId) -> Result<Note> {
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        require(&mut tx, id, Access::View).await?;
        let source: Source = sqlx::query_as(
            "SELECT n.owner_id, n.title, n.kind,
                    (SELECT f.id FROM folders f WHERE f.id = n.folder_id AND f.owner_id = app_user_id()) AS own_folder
             FROM notes n WHERE n.id = $1",
        )
        .bind(id.0)
        .fetch_one(&mut *tx)
        .await?;
        let attached: Vec<(Uuid, Vec<u8>, String)> =
            sqlx::query_as("SELECT id, sha256, name FROM note_attachments WHERE note_id = $1")
                .bind(id.0)
                .fetch_all(&mut *tx)
                .await?;
        tx.commit().await?;
        let mut text = self.inner.rooms.read(id).await?.text;
        let used = urls(&text);
        let mut copies = Vec::new();
        for (old, sha256, name) in attached {
            let old = AttachmentId(old);
            if !used.iter().any(|(_, _, used)| *used == old) {
                continue;
            }
            let sha256: [u8; 32] =
                sha256.try_into().map_err(|_| Error::internal(anyhow::anyhow!("a short hash")))?;
            let bytes = self.inner.blobs.whole(UserId(source.owner_id), &sha256).await?;
            let blob = self.inner.blobs.keep(caller.user_id, bytes.into()).await?;
            copies.push(Copied { old, new: AttachmentId::new(), name, blob });
        }
        let copy = NoteId::new();
        for (place, _, old) in used.into_iter().rev() {
            if let Some(copied) = copies.iter().find(|copied| copied.old == old) {
                text.replace_range(place, &url(copy, copied.new, &copied.name));
            }
        }
        let note = NewNote {
            id: copy,
            owner: caller.user_id,
            kind: if source.kind == "template" { NoteKind::Template } else { NoteKind::Note },
            day: None,
            title: if source.title.is_empty() { source.title } else { copy_of(&source.title) },
            folder: source.own_folder.map(FolderId),
            content: text,
            created_at: None,
        };
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        self.insert_note(&mut tx, note, OpenLinks::FindIt).await?;
        let with_files = !copies.is_empty();
        for Copied { new, name, blob, .. } in copies {
            let by = Some(caller.user_id);
            attachments::insert(&mut tx, new, copy, caller.user_id, by, &name, blob).await?;
        }
        if with_files {
            self.refuse_named_beyond_quota(&mut tx, caller.user_id, None).await?;
        }
        announce(&mut tx, copy).await?;
        tx.commit().await?;
        self.note(&caller.clone().into(), copy).await
    }
}

/// “Title (copy)”, with the title cut where that would be too long.
fn copy_of(title: &str) -> String {
    format!("{} (copy)", title.chars().take(190).collect::<String>())
}
