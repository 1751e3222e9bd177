//! The collector: what no row names leaves the store. Blobs go as their claims allow; derivatives and parts belong
//! to a row that was there before them, so that without it they are of no use to anybody.

use crate::blobs::{CLAIM, Item, Listed};
use crate::{Domain, Error, Result};
use futures::TryStreamExt;
use shared::{FileId, PageId, UploadId, UserId};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// What left the store.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Collected {
    pub blobs: u64,
    pub others: u64,
}

/// What rows say is to be in a person's part of the store.
pub(super) struct Named {
    blobs: HashSet<[u8; 32]>,
    files: HashSet<FileId>,
    uploads: HashSet<UploadId>,
    /// With the askings whose folders are of use: the one that is kept, and the one under way.
    pages: HashMap<PageId, [Option<i32>; 2]>,
}

impl Domain {
    /// The scheduled job.
    pub(crate) async fn collect_store(&self) -> Result<()> {
        self.inner.blobs.forget_half_written().await?;
        let mut all = Collected::default();
        for owner in self.people_and_owners().await? {
            let Collected { blobs, others } = Box::pin(self.collect_of(owner)).await?;
            all.blobs += blobs;
            all.others += others;
        }
        if all != Collected::default() {
            tracing::info!(blobs = all.blobs, others = all.others, "what nothing names left the store");
        }
        metrics::counter!("sidebar_collected_total", "kind" => "blob").increment(all.blobs);
        metrics::counter!("sidebar_collected_total", "kind" => "other").increment(all.others);
        Ok(())
    }

    /// Everybody who has an account, or had one and left something behind.
    pub(super) async fn people_and_owners(&self) -> Result<Vec<UserId>> {
        let mut tx = self.inner.db.as_system().await?;
        let people: Vec<Uuid> = sqlx::query_scalar("SELECT id FROM users").fetch_all(&mut *tx).await?;
        tx.commit().await?;
        let stored = self.inner.blobs.owners().await?;
        let all: HashSet<UserId> = people.into_iter().map(UserId).chain(stored).collect();
        let mut all: Vec<UserId> = all.into_iter().collect();
        all.sort_unstable_by_key(|owner| owner.0);
        Ok(all)
    }

    pub(super) async fn collect_of(&self, owner: UserId) -> Result<Collected> {
        let mut collected = Collected { blobs: self.collect_unnamed(owner).await?, ..Collected::default() };
        for listed in self.left_over(owner).await? {
            match &listed.item {
                Item::Blob { sha256 } => {
                    // No row: of an account that is gone, or of a process that never got to write one.
                    if self.inner.blobs.collect_rowless(owner, sha256, &listed).await? {
                        collected.blobs += 1;
                    }
                }
                Item::Derivative { .. } | Item::Part { .. } | Item::OfPage { .. } => {
                    self.inner.blobs.remove(&listed).await?;
                    collected.others += 1;
                }
            }
        }
        Ok(collected)
    }

    /// Removes the person's blobs that have a row and that nothing names.
    pub(crate) async fn collect_unnamed(&self, owner: UserId) -> Result<u64> {
        let mut collected = 0;
        for sha256 in self.unnamed(owner).await? {
            if self.inner.blobs.collect(owner, &sha256).await? {
                collected += 1;
            }
        }
        Ok(collected)
    }

    /// Blobs that nothing names and that nobody is about to name.
    pub(super) async fn unnamed(&self, owner: UserId) -> Result<Vec<[u8; 32]>> {
        let mut tx = self.inner.db.as_user(owner).await?;
        let hashes: Vec<Vec<u8>> = sqlx::query_scalar(
            "SELECT sha256 FROM blobs b
             WHERE owner_id = $1 AND claimed_at < now() - make_interval(secs => $2)
               AND NOT EXISTS (SELECT FROM files f WHERE f.owner_id = $1 AND f.sha256 = b.sha256)
               AND NOT EXISTS (SELECT FROM note_attachments a WHERE a.owner_id = $1 AND a.sha256 = b.sha256)",
        )
        .bind(owner.0)
        .bind(CLAIM.as_secs_f64())
        .fetch_all(&mut *tx)
        .await?;
        tx.commit().await?;
        hashes.into_iter().map(hash).collect()
    }

    /// What lies in the store and has no row.
    pub(super) async fn left_over(&self, owner: UserId) -> Result<Vec<Listed>> {
        // Listed first: whatever is in the list had its row before it.
        let listed: Vec<Listed> = self.inner.blobs.list(owner).try_collect().await?;
        let named = self.named(owner).await?;
        Ok(listed.into_iter().filter(|listed| !named.holds(listed)).collect())
    }

    pub(super) async fn named(&self, owner: UserId) -> Result<Named> {
        let mut tx = self.inner.db.as_user(owner).await?;
        let blobs: Vec<Vec<u8>> = sqlx::query_scalar("SELECT sha256 FROM blobs WHERE owner_id = $1")
            .bind(owner.0)
            .fetch_all(&mut *tx)
            .await?;
        let files: Vec<Uuid> = sqlx::query_scalar("SELECT id FROM files").fetch_all(&mut *tx).await?;
        let uploads: Vec<Uuid> =
            sqlx::query_scalar("SELECT id FROM uploads WHERE file_id IS NULL").fetch_all(&mut *tx).await?;
        let pages: Vec<(Uuid, Option<i32>, i32)> =
            sqlx::query_as("SELECT id, kept, asked FROM pages").fetch_all(&mut *tx).await?;
        tx.commit().await?;
        Ok(Named {
            blobs: blobs.into_iter().map(hash).collect::<Result<_>>()?,
            files: files.into_iter().map(FileId).collect(),
            uploads: uploads.into_iter().map(UploadId).collect(),
            pages: pages.into_iter().map(|(id, kept, asked)| (PageId(id), [kept, Some(asked)])).collect(),
        })
    }
}

impl Named {
    fn holds(&self, listed: &Listed) -> bool {
        match &listed.item {
            Item::Blob { sha256 } => self.blobs.contains(sha256),
            Item::Derivative { file, .. } => self.files.contains(file),
            Item::Part { upload } => self.uploads.contains(upload),
            // What a browser sends is there before its row; and an asking that is overtaken may be writing still.
            Item::OfPage { page, asking, .. } => {
                listed.age < CLAIM
                    || self.pages.get(page).is_some_and(|of_use| of_use.contains(&Some(*asking)))
            }
        }
    }
}

pub(super) fn hash(bytes: Vec<u8>) -> Result<[u8; 32]> {
    bytes.try_into().map_err(|_| Error::internal(anyhow::anyhow!("a hash of another length")))
}
