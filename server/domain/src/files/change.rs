//! Files come, are renamed, moved, deleted and restored.

use super::by_model::asking_key;
use super::read::{ReadFile, queue_reading, reading_key};
use super::row::{Row, columns, find, settled, tell};
use crate::blobs::{Blob, CLAIM};
use crate::error::violated_unique;
use crate::notes::file_name;
use crate::{Caller, Domain, Error, Result, saved_pages};
use bytes::Bytes;
use futures::stream::Stream;
use shared::file::{FileSummary, UpdateFile};
use shared::{ErrorCode, FileId, UserId};
use sqlx::PgConnection;

/// The largest file that arrives in one request; larger ones come in parts.
pub const LARGEST_FILE: u64 = 100 << 20;
/// Folders within folders at most.
const DEEPEST: usize = 20;

/// A file as it came, and whether it is new.
pub(super) struct Kept {
    pub file: FileSummary,
    pub is_new: bool,
}

impl Domain {
    /// Keeps a file whose bytes come in one request. The same bytes in the same folder are kept once:
    /// the answer is then the file that is there, and `false`.
    pub async fn keep_file<S, E>(
        &self,
        caller: &Caller,
        name: &str,
        folder: &str,
        bytes: S,
    ) -> Result<(FileSummary, bool)>
    where
        S: Stream<Item = std::result::Result<Bytes, E>>,
    {
        let owner = caller.user_id;
        let limit = self.inner.file_limits.largest.min(LARGEST_FILE);
        self.refuse_beyond_quota(owner, 0).await?;
        let blob = self.inner.blobs.receive(owner, bytes, limit).await?;
        let kept = self.name_blob(owner, name, folder, blob).await?;
        Ok((kept.file, kept.is_new))
    }

    /// Gives bytes that are in the store a row and has them read.
    pub(super) async fn name_blob(
        &self,
        owner: UserId,
        name: &str,
        folder: &str,
        blob: Blob,
    ) -> Result<Kept> {
        let (name, folder) = (file_name(name), folder_path(folder));
        let mut tx = self.inner.db.as_user(owner).await?;
        let kept = insert(&mut tx, owner, &name, &folder, blob).await?;
        self.refuse_named_beyond_quota(&mut tx, owner, None).await?;
        if kept.is_new {
            queue_reading(&mut tx, owner, ReadFile { file_id: kept.file.id }).await?;
            tell(&mut tx, owner, &kept.file).await?;
        }
        tx.commit().await?;
        Ok(kept)
    }

    /// Looked at before bytes are taken in, and again with the row. Uploads that were announced count with what
    /// they announced.
    ///
    /// What is in the bin does not count, so that deleting makes room; but a person never fills more of the store
    /// than twice the quota, the bin and what is about to leave included. Before it comes to that, what has been in
    /// the bin longest goes for good.
    pub(crate) async fn refuse_beyond_quota(&self, owner: UserId, more: u64) -> Result<()> {
        let mut tx = self.inner.db.as_user(owner).await?;
        let announced = announced(&mut tx).await?.saturating_add(more);
        let used = used(&mut tx, owner).await?;
        let stored = stored(&mut tx, owner).await?;
        let limit = self.inner.file_limits.per_person;
        if used.saturating_add(announced) > limit || used >= limit {
            return Err(self.beyond_quota());
        }
        if stored.saturating_add(announced) <= self.most_stored() {
            return Ok(());
        }
        // Pages in the bin stay: what makes room is the files.
        let pages = saved_pages::binned(&mut tx).await?;
        let bin = self.most_stored().saturating_sub(used.saturating_add(announced).saturating_add(pages));
        let gone = trim_bin(&mut tx, bin).await?;
        tx.commit().await?;
        tracing::info!(%owner, files = gone, "the oldest of a full bin made room");
        self.collect_unnamed(owner).await?;
        let mut tx = self.inner.db.as_user(owner).await?;
        let stored = self::stored(&mut tx, owner).await?;
        match stored.saturating_add(announced) > self.most_stored() {
            true => Err(still_leaving()),
            false => Ok(()),
        }
    }

    /// Looked at with the row that names the bytes, in its transaction; or before that, as if `also` were named.
    pub(crate) async fn refuse_named_beyond_quota(
        &self,
        tx: &mut PgConnection,
        owner: UserId,
        also: Option<&Blob>,
    ) -> Result<()> {
        if used_with(tx, owner, also).await? > self.inner.file_limits.per_person {
            return Err(self.beyond_quota());
        }
        if stored(tx, owner).await? > self.most_stored() {
            return Err(still_leaving());
        }
        Ok(())
    }

    /// The same for bytes that are in the store, where somebody else is about to name them: only the owner sees
    /// what all that is theirs takes up.
    pub(crate) async fn refuse_naming_beyond_quota(&self, owner: UserId, blob: &Blob) -> Result<()> {
        let mut tx = self.inner.db.as_user(owner).await?;
        self.refuse_named_beyond_quota(&mut tx, owner, Some(blob)).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Bytes of one person in the store, whatever they are there for.
    fn most_stored(&self) -> u64 {
        self.inner.file_limits.per_person.saturating_mul(2)
    }

    /// The bin holds as much as may be kept, the oldest goes first; called when something came into it.
    async fn trim_bin_to_quota(&self, tx: &mut PgConnection, owner: UserId) -> Result<()> {
        let gone = trim_bin(tx, self.inner.file_limits.per_person).await?;
        if gone > 0 {
            tracing::info!(%owner, files = gone, "the oldest of a full bin went for good");
        }
        Ok(())
    }

    fn beyond_quota(&self) -> Error {
        let limit = self.inner.file_limits.per_person;
        Error::problem(
            ErrorCode::PayloadTooLarge,
            format!(
                "Your files and pages may take up {} MB in all. Delete some, then send this again: what is in the bin does not count, and its oldest goes for good when it holds as much again.",
                limit >> 20
            ),
        )
    }

    pub async fn update_file(&self, caller: &Caller, id: FileId, change: UpdateFile) -> Result<FileSummary> {
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        let updated: std::result::Result<Option<Row>, sqlx::Error> = sqlx::query_as(concat!(
            "UPDATE files SET name = coalesce($2, name), folder = coalesce($3, folder), updated_at = now()
             WHERE id = $1 AND deleted_at IS NULL RETURNING ",
            columns!()
        ))
        .bind(id.0)
        .bind(change.name.as_deref().map(file_name))
        .bind(change.folder.as_deref().map(folder_path))
        .fetch_optional(&mut *tx)
        .await;
        let row = updated.map_err(already_there)?.ok_or_else(|| Error::not_found("file"))?;
        let file = FileSummary::from(row);
        super::passages::write_name(&mut tx, caller.user_id, file.id, &file.name).await?;
        tell(&mut tx, caller.user_id, &file).await?;
        tx.commit().await?;
        Ok(file)
    }

    /// Puts the file into the bin.
    pub async fn delete_file(&self, caller: &Caller, id: FileId) -> Result<()> {
        self.set_file_deleted(caller, id, true).await.map(drop)
    }

    pub async fn restore_file(&self, caller: &Caller, id: FileId) -> Result<FileSummary> {
        self.set_file_deleted(caller, id, false).await
    }

    async fn set_file_deleted(&self, caller: &Caller, id: FileId, deleted: bool) -> Result<FileSummary> {
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        let updated: std::result::Result<Option<Row>, sqlx::Error> = sqlx::query_as(concat!(
            "UPDATE files SET deleted_at = CASE WHEN $2 THEN coalesce(deleted_at, now()) END
             WHERE id = $1 RETURNING ",
            columns!()
        ))
        .bind(id.0)
        .bind(deleted)
        .fetch_optional(&mut *tx)
        .await;
        let file =
            FileSummary::from(updated.map_err(already_there)?.ok_or_else(|| Error::not_found("file"))?);
        if deleted {
            self.trim_bin_to_quota(&mut tx, caller.user_id).await?;
        }
        if !deleted && !file.state.is_settled() {
            queue_reading(&mut tx, caller.user_id, ReadFile { file_id: id }).await?;
        }
        tell(&mut tx, caller.user_id, &file).await?;
        tx.commit().await?;
        Ok(file)
    }

    /// Reads the file again, as after a failure.
    pub async fn read_file_again(&self, caller: &Caller, id: FileId) -> Result<FileSummary> {
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        sqlx::query(
            "UPDATE files SET state = 'waiting', done = 0, of = 0, failure = NULL, read_by = NULL
             WHERE id = $1 AND deleted_at IS NULL",
        )
        .bind(id.0)
        .execute(&mut *tx)
        .await?;
        let file = FileSummary::from(find(&mut tx, id).await?);
        if file.deleted_at.is_some() {
            return Err(Error::not_found("file"));
        }
        queue_reading(&mut tx, caller.user_id, ReadFile { file_id: id }).await?;
        tell(&mut tx, caller.user_id, &file).await?;
        tx.commit().await?;
        Ok(file)
    }

    /// Ends the reading of a file that waits for it, or is read right now. Where only a model was still to be asked,
    /// the file is what it is without.
    pub async fn stop_reading(&self, caller: &Caller, id: FileId) -> Result<FileSummary> {
        let owner = caller.user_id;
        self.cancel_jobs(owner, &[reading_key(id), asking_key(id)]).await?;
        let mut tx = self.inner.db.as_user(owner).await?;
        sqlx::query(concat!(
            "UPDATE files SET state = CASE WHEN read_by IS NULL THEN 'failed' ELSE ",
            settled!("$2"),
            " END, failure = CASE WHEN read_by IS NULL THEN 'Reading was stopped.' ELSE 'reading was stopped' END
             WHERE id = $1 AND deleted_at IS NULL AND state IN ('waiting', 'reading')"
        ))
        .bind(id.0)
        .bind(self.inner.embedder.is_some())
        .execute(&mut *tx)
        .await?;
        let file = FileSummary::from(find(&mut tx, id).await?);
        tell(&mut tx, owner, &file).await?;
        tx.commit().await?;
        Ok(file)
    }
}

/// A row for the bytes, which are claimed, unless the folder has one; with the name of the file as its first passage.
async fn insert(tx: &mut PgConnection, owner: UserId, name: &str, folder: &str, blob: Blob) -> Result<Kept> {
    let size = i64::try_from(blob.size).map_err(Error::internal)?;
    let made: Option<Row> = sqlx::query_as(concat!(
        "INSERT INTO files (id, owner_id, name, folder, media_type, sha256, size)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (owner_id, folder, sha256) WHERE deleted_at IS NULL DO NOTHING RETURNING ",
        columns!()
    ))
    .bind(FileId::new().0)
    .bind(owner.0)
    .bind(name)
    .bind(folder)
    .bind(crate::notes::media_type(name))
    .bind(blob.sha256.as_slice())
    .bind(size)
    .fetch_optional(&mut *tx)
    .await?;
    if let Some(row) = made {
        let file = FileSummary::from(row);
        super::passages::write_name(tx, owner, file.id, name).await?;
        return Ok(Kept { file, is_new: true });
    }
    let there: Row = sqlx::query_as(concat!(
        "SELECT ",
        columns!(),
        " FROM files WHERE owner_id = $1 AND folder = $2 AND sha256 = $3 AND deleted_at IS NULL"
    ))
    .bind(owner.0)
    .bind(folder)
    .bind(blob.sha256.as_slice())
    .fetch_one(tx)
    .await?;
    Ok(Kept { file: there.into(), is_new: false })
}

/// Bytes that the person's files and attachments take up, each blob once. What is in the bin does not count, so
/// that deleting makes room.
pub(super) async fn used(tx: &mut PgConnection, owner: UserId) -> Result<u64> {
    used_with(tx, owner, None).await
}

/// The same as if this blob were named too.
async fn used_with(tx: &mut PgConnection, owner: UserId, also: Option<&Blob>) -> Result<u64> {
    let used: i64 = sqlx::query_scalar(
        "SELECT coalesce(sum(b.size), 0)::bigint FROM blobs b
         WHERE b.owner_id = $1
           AND (b.sha256 = $2
                OR EXISTS (SELECT FROM files f
                           WHERE f.owner_id = $1 AND f.sha256 = b.sha256 AND f.deleted_at IS NULL)
                OR EXISTS (SELECT FROM note_attachments a WHERE a.owner_id = $1 AND a.sha256 = b.sha256))",
    )
    .bind(owner.0)
    .bind(also.map(|blob| blob.sha256.as_slice()))
    .fetch_one(&mut *tx)
    .await?;
    Ok(u64::try_from(used).unwrap_or(0) + saved_pages::used(tx).await?)
}

/// Bytes of all the person's blobs, also of those that nothing names any more and that are still to leave, and of
/// all their pages.
async fn stored(tx: &mut PgConnection, owner: UserId) -> Result<u64> {
    let stored: i64 =
        sqlx::query_scalar("SELECT coalesce(sum(size), 0)::bigint FROM blobs WHERE owner_id = $1")
            .bind(owner.0)
            .fetch_one(&mut *tx)
            .await?;
    let pages = saved_pages::used(tx).await? + saved_pages::binned(tx).await?;
    Ok(u64::try_from(stored).unwrap_or(0) + pages)
}

/// Leaves so many bytes in the person's bin, the newest; how many files went for good.
async fn trim_bin(tx: &mut PgConnection, most: u64) -> Result<i64> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    Ok(sqlx::query_scalar("SELECT trim_bin($1)").bind(most).fetch_one(tx).await?)
}

fn still_leaving() -> Error {
    Error::Problem {
        code: ErrorCode::PayloadTooLarge,
        message: "What you removed lately is still leaving the store, and there is no room for more until it did. Send this again in two hours.".into(),
        details: None,
        retry_after: Some(CLAIM),
    }
}

/// Bytes of the person's uploads that are not files yet.
async fn announced(tx: &mut PgConnection) -> Result<u64> {
    let size: i64 =
        sqlx::query_scalar("SELECT coalesce(sum(size), 0)::bigint FROM uploads WHERE file_id IS NULL")
            .fetch_one(tx)
            .await?;
    Ok(u64::try_from(size).unwrap_or(0))
}

fn already_there(error: sqlx::Error) -> Error {
    if violated_unique(&error).is_some() {
        return Error::problem(ErrorCode::Conflict, "These very bytes are in that folder already.");
    }
    error.into()
}

/// Names of folders joined by `/`, whatever was given: no part of it leads up, or to another place.
pub(super) fn folder_path(given: &str) -> String {
    let parts = given.split(['/', '\\']).map(str::trim).filter(|part| !matches!(*part, "" | "." | ".."));
    parts.take(DEEPEST).map(file_name).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_folder_is_named_as_it_was_dropped() {
        assert_eq!(folder_path("Taxes/2024"), "Taxes/2024");
        assert_eq!(folder_path("/Steuern\\2024/ "), "Steuern/2024");
        assert_eq!(folder_path("../../etc/./passwd"), "etc/passwd");
        assert_eq!(folder_path(""), "");
        assert_eq!(folder_path(". !/.. hidden"), "!/hidden");
    }

    proptest! {
        #[test]
        fn no_folder_from_outside_leads_anywhere_else(given in "(\\.|/|\\\\|\\PC|\0|C:|%2e){0,60}") {
            let path = folder_path(&given);
            prop_assert!(!path.starts_with('/') && !path.contains('\0') && !path.contains('\\'));
            prop_assert!(path.split('/').all(|part| part != ".." && part != "."));
            prop_assert_eq!(folder_path(&path), path);
        }
    }
}
