//! Compares what rows say with what is there, for whoever runs the server; also while it runs. What can be mended
//! is mended where that is asked for, and the rest is named.

use super::collect::hash;
use crate::blobs::{CLAIM, Item, Listed};
use crate::files::{Stuck, requeue};
use crate::memories::{ill_indexed, remove_left};
use crate::saved_pages::{KeptPage, kept_pages, refetch_page, resume_page, stuck_pages};
use crate::{Domain, Error, Result};
use futures::TryStreamExt;
use shared::{FileId, NoteId, PageId, UserId};
use std::collections::{HashMap, HashSet};
use std::time::Duration;
use uuid::Uuid;

/// A note whose rows are still behind after this is: whoever types is not a fault.
const SETTLING: Duration = Duration::from_secs(4);

/// Whether to mend what is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mend {
    Nothing,
    WhatCanBe,
}

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Of which sort: one word or two, for a program.
    pub kind: &'static str,
    /// For a person.
    pub what: String,
    /// Whether it is well now, or on its way there by a job.
    pub mended: bool,
}

#[derive(sqlx::FromRow)]
struct FileRow {
    id: Uuid,
    name: String,
    sha256: Vec<u8>,
    size: i64,
    was_read: bool,
    thumbnail: bool,
}

impl Domain {
    /// Everything, person by person.
    pub async fn check(&self, mend: Mend) -> Result<Vec<Finding>> {
        let mut findings = Vec::new();
        for owner in self.people_and_owners().await? {
            findings.extend(Box::pin(self.check_store_of(owner, mend)).await?);
            findings.extend(self.check_reading_of(owner, mend).await?);
            findings.extend(self.check_memories_of(owner, mend).await?);
        }
        findings.extend(self.check_vectors(mend).await?);
        findings.extend(Box::pin(self.check_notes(mend)).await?);
        Ok(findings)
    }

    /// Rows without bytes, bytes without rows, and what was made of files.
    async fn check_store_of(&self, owner: UserId, mend: Mend) -> Result<Vec<Finding>> {
        // Before the store is listed: what has a row by then is there, or is missing.
        let files = self.kept_files(owner).await?;
        let attached = self.attached(owner).await?;
        let pages = kept_pages(&self.inner.db, owner).await?;
        let listed: Vec<Listed> = self.inner.blobs.list(owner).try_collect().await?;
        let mut sizes: HashMap<[u8; 32], u64> = HashMap::new();
        let mut made: HashSet<(FileId, &str)> = HashSet::new();
        let mut of_pages: HashSet<(PageId, i32, &str)> = HashSet::new();
        for Listed { item, size, .. } in &listed {
            match item {
                Item::Blob { sha256 } => drop(sizes.insert(*sha256, *size)),
                Item::Derivative { file, name } => drop(made.insert((*file, name))),
                Item::OfPage { page, asking, name } => drop(of_pages.insert((*page, *asking, name))),
                Item::Part { .. } => {}
            }
        }
        let is_there = |sha256: &[u8], size: i64| {
            <[u8; 32]>::try_from(sha256)
                .is_ok_and(|sha256| sizes.get(&sha256).is_some_and(|there| i64::try_from(*there) == Ok(size)))
        };
        let mut findings = Vec::new();
        for (note, name, sha256, size) in attached {
            if !is_there(&sha256, size) {
                findings.push(lost(format!("‘{name}’, attached to note {note}")));
            }
        }
        for file in files {
            let id = FileId(file.id);
            if !is_there(&file.sha256, file.size) {
                findings.push(lost(format!("file {id}, ‘{}’", file.name)));
                continue;
            }
            let wanted = crate::files::derivatives(file.thumbnail);
            if file.was_read && wanted.iter().any(|name| !made.contains(&(id, *name))) {
                let mended = mend == Mend::WhatCanBe && requeue(&self.inner.db, owner, id).await?;
                let what = format!("what was made of file {id}, ‘{}’, is not all there", file.name);
                findings.push(Finding { kind: "derivative missing", what, mended });
            }
        }
        for page in pages {
            let is_whole = page.parts.iter().all(|name| of_pages.contains(&(page.id, page.asking, *name)));
            if !is_whole && self.is_still_kept(owner, &page).await? {
                findings.push(self.broken_page(owner, &page, mend).await?);
            }
        }
        findings.extend(self.check_left_over(owner, mend).await?);
        Ok(findings)
    }

    /// A page that was read again while the store was listed has taken what it had before along.
    async fn is_still_kept(&self, owner: UserId, page: &KeptPage) -> Result<bool> {
        let mut tx = self.inner.db.as_user(owner).await?;
        let is_there = sqlx::query_scalar(
            "SELECT EXISTS (SELECT FROM pages WHERE id = $1 AND kept = $2 AND deleted_at IS NULL)",
        )
        .bind(page.id.0)
        .bind(page.asking)
        .fetch_one(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(is_there)
    }

    /// A page of which something is gone is fetched again, unless only a browser can have it.
    async fn broken_page(&self, owner: UserId, page: &KeptPage, mend: Mend) -> Result<Finding> {
        let KeptPage { id, title, sent, .. } = page;
        if *sent {
            return Ok(lost(format!("page {id}, ‘{title}’, which a browser sent")));
        }
        let mended = mend == Mend::WhatCanBe && refetch_page(&self.inner.db, owner, *id).await?;
        let what = format!("what is kept of page {id}, ‘{title}’, is not all there");
        Ok(Finding { kind: "page incomplete", what, mended })
    }

    /// Memories that are not found, and what is found of memories that are gone.
    async fn check_memories_of(&self, owner: UserId, mend: Mend) -> Result<Vec<Finding>> {
        let (hidden, left) = ill_indexed(&self.inner.db, owner).await?;
        let mends = mend == Mend::WhatCanBe;
        let mut findings = Vec::new();
        for id in hidden {
            let mended = mends && self.read_memory_anew(owner, id).await?;
            findings.push(Finding {
                kind: "memory not found",
                what: format!("memory {id} has no passages: search does not find it"),
                mended,
            });
        }
        if !left.is_empty() {
            if mends {
                remove_left(&self.inner.db, owner, &left).await?;
            }
            let what = format!("{} passages of person {owner} are of memories that hold no more", left.len());
            findings.push(Finding { kind: "memory left over", what, mended: mends });
        }
        Ok(findings)
    }

    async fn check_left_over(&self, owner: UserId, mend: Mend) -> Result<Vec<Finding>> {
        let unnamed = self.unnamed(owner).await?.len();
        let left = self.left_over(owner).await?;
        // A young one without a row is perhaps just being named.
        let rowless = left.iter().filter(|l| matches!(l.item, Item::Blob { .. }) && l.age >= CLAIM).count();
        let others = left.iter().filter(|l| !matches!(l.item, Item::Blob { .. })).count();
        if mend == Mend::WhatCanBe && unnamed + rowless + others > 0 {
            Box::pin(self.collect_of(owner)).await?;
        }
        let found = |count: usize, kind: &'static str, what: String| {
            (count > 0).then(|| Finding { kind, what, mended: mend == Mend::WhatCanBe })
        };
        let blobs = unnamed + rowless;
        let findings = [
            found(
                blobs,
                "blob without row",
                format!("{blobs} blobs of person {owner} have no name any more"),
            ),
            found(
                others,
                "left over",
                format!("{others} parts, derivatives and pages of person {owner} belong to nothing"),
            ),
        ];
        Ok(findings.into_iter().flatten().collect())
    }

    async fn kept_files(&self, owner: UserId) -> Result<Vec<FileRow>> {
        let mut tx = self.inner.db.as_user(owner).await?;
        let rows = sqlx::query_as(
            "SELECT id, name, sha256, size, read_by IS NOT NULL AND state IN ('ready', 'indexing') AND deleted_at IS NULL AS was_read,
                    thumbnail
             FROM files WHERE owner_id = $1 ORDER BY id",
        )
        .bind(owner.0)
        .fetch_all(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(rows)
    }

    async fn attached(&self, owner: UserId) -> Result<Vec<(Uuid, String, Vec<u8>, i64)>> {
        let mut tx = self.inner.db.as_user(owner).await?;
        let rows: Vec<(Uuid, String, Vec<u8>, i64)> = sqlx::query_as(
            "SELECT a.note_id, a.name, a.sha256, b.size FROM note_attachments a
             JOIN blobs b ON b.owner_id = a.owner_id AND b.sha256 = a.sha256
             WHERE a.owner_id = $1 ORDER BY a.id",
        )
        .bind(owner.0)
        .fetch_all(&mut *tx)
        .await?;
        tx.commit().await?;
        for (.., sha256, _) in &rows {
            hash(sha256.clone())?;
        }
        Ok(rows)
    }

    /// Files and pages that wait for a job that is not there.
    async fn check_reading_of(&self, owner: UserId, mend: Mend) -> Result<Vec<Finding>> {
        let mut findings = Vec::new();
        for Stuck { id, name } in crate::files::stuck(&self.inner.db, owner).await? {
            let mended = mend == Mend::WhatCanBe && requeue(&self.inner.db, owner, id).await?;
            let what = format!("file {id}, ‘{name}’, waits, and nothing is going to read it");
            findings.push(Finding { kind: "not queued", what, mended });
        }
        for (id, title) in stuck_pages(&self.inner.db, owner).await? {
            let mended = mend == Mend::WhatCanBe && resume_page(&self.inner.db, owner, id).await?;
            let what = format!("page {id}, ‘{title}’, waits, and nothing is going to fetch it");
            findings.push(Finding { kind: "not queued", what, mended });
        }
        Ok(findings)
    }

    /// Passages that have no vector of the model in use and are not in the queue for one.
    async fn check_vectors(&self, mend: Mend) -> Result<Vec<Finding>> {
        let mut tx = self.inner.db.as_system().await?;
        let model: Option<Vec<u8>> =
            sqlx::query_scalar("SELECT value FROM settings WHERE name = 'embedding_model'")
                .fetch_optional(&mut *tx)
                .await?;
        let people: Vec<Uuid> = sqlx::query_scalar("SELECT id FROM users").fetch_all(&mut *tx).await?;
        tx.commit().await?;
        let Some(model) = model else { return Ok(Vec::new()) };
        let model = String::from_utf8(model).map_err(Error::internal)?;
        let mut missing = 0;
        for person in people {
            missing += self.without_vector(UserId(person), &model).await?;
        }
        if missing == 0 {
            return Ok(Vec::new());
        }
        if mend == Mend::WhatCanBe {
            let mut tx = self.inner.db.as_system().await?;
            sqlx::query("SELECT queue_for_model($1)").bind(&model).execute(&mut *tx).await?;
            tx.commit().await?;
        }
        let what = format!("{missing} passages have no vector and are not queued for one");
        Ok(vec![Finding { kind: "vector missing", what, mended: mend == Mend::WhatCanBe }])
    }

    /// What is kept from models elsewhere gets no vector of one. At the shell nobody knows where the model is: there
    /// it is taken to be elsewhere.
    async fn without_vector(&self, owner: UserId, model: &str) -> Result<i64> {
        let is_near = self.inner.embedder.as_ref().is_some_and(|embedder| embedder.is_near());
        let mut tx = self.inner.db.as_user(owner).await?;
        let missing = sqlx::query_scalar(
            "SELECT count(*) FROM chunks k
             LEFT JOIN chunk_vectors v ON v.chunk_id = k.id AND v.model = $2
             LEFT JOIN chunk_queue q ON q.chunk_id = k.id
             WHERE k.owner_id = $1 AND v.chunk_id IS NULL AND q.chunk_id IS NULL
               AND ($3 OR k.source_kind <> 'memory'
                    OR NOT EXISTS (SELECT FROM memories m WHERE m.id = k.source_id AND m.local_only))",
        )
        .bind(owner.0)
        .bind(model)
        .bind(is_near)
        .fetch_one(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(missing)
    }

    async fn check_notes(&self, mend: Mend) -> Result<Vec<Finding>> {
        let before = self.notes_behind().await?;
        if before.is_empty() {
            return Ok(Vec::new());
        }
        tokio::time::sleep(SETTLING).await;
        let now = self.notes_behind().await?;
        // The same note at the same number: nobody is bringing it up.
        let behind: Vec<Uuid> = now.into_iter().filter(|n| before.contains(n)).map(|(id, _)| id).collect();
        if mend == Mend::WhatCanBe && !behind.is_empty() {
            self.project_stale_notes(None).await?;
        }
        let left: HashSet<Uuid> = match mend {
            Mend::Nothing => behind.iter().copied().collect(),
            Mend::WhatCanBe => self.notes_behind().await?.into_iter().map(|(id, _)| id).collect(),
        };
        let findings = behind.into_iter().map(|id| Finding {
            kind: "note behind",
            what: format!("the rows of note {} are behind its text", NoteId(id)),
            mended: !left.contains(&id),
        });
        Ok(findings.collect())
    }

    async fn notes_behind(&self) -> Result<Vec<(Uuid, i64)>> {
        let mut tx = self.inner.db.as_sync().await?;
        let behind = sqlx::query_as(
            "SELECT id, markdown_seq FROM notes WHERE markdown_seq < seq AND deleted_at IS NULL ORDER BY id",
        )
        .fetch_all(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(behind)
    }
}

fn lost(what: String) -> Finding {
    Finding {
        kind: "bytes missing",
        what: format!("the bytes of {what} are gone: bring back the store from a backup"),
        mended: false,
    }
}
