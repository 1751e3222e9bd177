//! Files that come in parts, so that a broken connection costs one part and not the whole. Parts lie in
//! the store until the last is there; then they become one blob, and only then a file.

use super::change::folder_path;
use super::row::find;
use crate::notes::file_name;
use crate::{Caller, Domain, Error, Result};
use bytes::Bytes;
use futures::stream::Stream;
use shared::file::{BeginUpload, FileSummary, PART_SIZE, Upload};
use shared::{ErrorCode, FileId, UploadId};
use sqlx::PgConnection;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// How long one may go on with an upload.
const LONGEST: Duration = Duration::days(7);

#[derive(sqlx::FromRow)]
struct Row {
    name: String,
    folder: String,
    size: i64,
    sha256: Option<Vec<u8>>,
    file_id: Option<Uuid>,
    created_at: OffsetDateTime,
}

impl Row {
    fn bytes(&self) -> u64 {
        u64::try_from(self.size).unwrap_or(0)
    }

    fn parts(&self) -> u64 {
        self.bytes().div_ceil(PART_SIZE).max(1)
    }

    /// Bytes of that part; none where there is no such part.
    fn part(&self, number: u32) -> Option<u64> {
        let before = u64::from(number) * PART_SIZE;
        (u64::from(number) < self.parts()).then(|| (self.bytes() - before).min(PART_SIZE))
    }
}

impl Domain {
    pub async fn begin_upload(&self, caller: &Caller, begin: BeginUpload) -> Result<Upload> {
        let owner = caller.user_id;
        let limit = self.inner.file_limits.largest;
        if begin.size > limit {
            return Err(Error::problem(
                ErrorCode::PayloadTooLarge,
                format!("A file may have {} MB here.", limit >> 20),
            ));
        }
        let hash = begin.sha256.as_deref().map(hash_of).transpose()?;
        let (name, folder) = (file_name(&begin.name), folder_path(&begin.folder));
        let id = UploadId::new();
        let known = match hash {
            Some(hash) => self.known_blob(caller, hash, begin.size).await?,
            None => None,
        };
        if let Some(blob) = known {
            let file = self.name_blob(owner, &name, &folder, blob).await?.file;
            return Ok(Upload {
                id,
                name,
                folder,
                size: begin.size,
                part_size: PART_SIZE,
                received: Vec::new(),
                file: Some(file),
            });
        }
        self.refuse_beyond_quota(owner, begin.size).await?;
        let mut tx = self.inner.db.as_user(owner).await?;
        sqlx::query(
            "INSERT INTO uploads (id, owner_id, name, folder, size, sha256) VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(id.0)
        .bind(owner.0)
        .bind(&name)
        .bind(&folder)
        .bind(i64::try_from(begin.size).map_err(Error::internal)?)
        .bind(hash.map(|hash| hash.to_vec()))
        .execute(&mut *tx)
        .await?;
        let upload = upload(&mut tx, id).await?;
        tx.commit().await?;
        Ok(upload)
    }

    /// Whether these bytes are in the person's store already.
    async fn known_blob(
        &self,
        caller: &Caller,
        sha256: [u8; 32],
        size: u64,
    ) -> Result<Option<crate::blobs::Blob>> {
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        let known: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT FROM blobs WHERE owner_id = $1 AND sha256 = $2 AND size = $3)",
        )
        .bind(caller.user_id.0)
        .bind(sha256.as_slice())
        .bind(i64::try_from(size).map_err(Error::internal)?)
        .fetch_one(&mut *tx)
        .await?;
        tx.commit().await?;
        let blob = crate::blobs::Blob { sha256, size };
        // The row alone is not enough: the bytes may be on their way out of the store.
        Ok((known && self.inner.blobs.claim_known(caller.user_id, &blob).await?).then_some(blob))
    }

    pub async fn upload(&self, caller: &Caller, id: UploadId) -> Result<Upload> {
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        let upload = upload(&mut tx, id).await?;
        tx.commit().await?;
        Ok(upload)
    }

    /// Takes a part in; sent again, it takes the place of the first.
    pub async fn upload_part<S, E>(
        &self,
        caller: &Caller,
        id: UploadId,
        number: u32,
        bytes: S,
    ) -> Result<Upload>
    where
        S: Stream<Item = std::result::Result<Bytes, E>>,
    {
        let owner = caller.user_id;
        let mut tx = self.inner.db.as_user(owner).await?;
        let row = open(&mut tx, id).await?;
        tx.commit().await?;
        let size = row
            .part(number)
            .ok_or_else(|| Error::invalid("number", format!("This upload has {} parts.", row.parts())))?;
        let kept = self.inner.blobs.keep_part(owner, id, number, bytes, size).await?;
        if kept != size {
            return Err(Error::invalid(
                "body",
                format!("Part {number} has {size} bytes; {kept} came. Send it again."),
            ));
        }
        let mut tx = self.inner.db.as_user(owner).await?;
        sqlx::query(
            "INSERT INTO upload_parts (upload_id, number, size) VALUES ($1, $2, $3)
             ON CONFLICT (upload_id, number) DO UPDATE SET size = $3",
        )
        .bind(id.0)
        .bind(i32::try_from(number).map_err(Error::internal)?)
        .bind(i64::try_from(size).map_err(Error::internal)?)
        .execute(&mut *tx)
        .await?;
        let upload = upload(&mut tx, id).await?;
        tx.commit().await?;
        Ok(upload)
    }

    /// Makes the file of the parts. Asked again, it gives the same file.
    pub async fn complete_upload(&self, caller: &Caller, id: UploadId) -> Result<FileSummary> {
        let owner = caller.user_id;
        let mut tx = self.inner.db.as_user(owner).await?;
        let row = open(&mut tx, id).await?;
        let parts = received(&mut tx, id).await?;
        if let Some(file) = row.file_id {
            return Ok(find(&mut tx, FileId(file)).await?.into());
        }
        tx.commit().await?;
        let missing =
            (0..).take(usize::try_from(row.parts()).unwrap_or(0)).find(|number| !parts.contains(number));
        if let Some(number) = missing {
            return Err(Error::problem(ErrorCode::Conflict, format!("Part {number} is not here yet.")));
        }
        let blob = self.inner.blobs.join_parts(owner, id, &parts, row.bytes()).await?;
        if row.sha256.as_deref().is_some_and(|told| told != blob.sha256) {
            return Err(Error::invalid(
                "sha256",
                "What came is not what was announced: the hashes differ. Send it again.",
            ));
        }
        let file = self.name_blob(owner, &row.name, &row.folder, blob).await?.file;
        let mut tx = self.inner.db.as_user(owner).await?;
        sqlx::query("UPDATE uploads SET file_id = $2 WHERE id = $1")
            .bind(id.0)
            .bind(file.id.0)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        self.inner.blobs.forget_parts(owner, id, &parts).await?;
        Ok(file)
    }

    pub async fn cancel_upload(&self, caller: &Caller, id: UploadId) -> Result<()> {
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        open(&mut tx, id).await?;
        let parts = received(&mut tx, id).await?;
        sqlx::query("DELETE FROM uploads WHERE id = $1").bind(id.0).execute(&mut *tx).await?;
        tx.commit().await?;
        self.inner.blobs.forget_parts(caller.user_id, id, &parts).await
    }
}

async fn open(tx: &mut PgConnection, id: UploadId) -> Result<Row> {
    let row: Option<Row> =
        sqlx::query_as("SELECT name, folder, size, sha256, file_id, created_at FROM uploads WHERE id = $1")
            .bind(id.0)
            .fetch_optional(tx)
            .await?;
    let row = row.filter(|row| OffsetDateTime::now_utc() - row.created_at < LONGEST);
    row.ok_or_else(|| Error::not_found("upload"))
}

async fn received(tx: &mut PgConnection, id: UploadId) -> Result<Vec<u32>> {
    let numbers: Vec<i32> =
        sqlx::query_scalar("SELECT number FROM upload_parts WHERE upload_id = $1 ORDER BY number")
            .bind(id.0)
            .fetch_all(tx)
            .await?;
    Ok(numbers.into_iter().filter_map(|number| u32::try_from(number).ok()).collect())
}

async fn upload(tx: &mut PgConnection, id: UploadId) -> Result<Upload> {
    let row = open(tx, id).await?;
    let file = match row.file_id {
        Some(file) => Some(find(tx, FileId(file)).await?.into()),
        None => None,
    };
    let received = received(tx, id).await?;
    let size = row.bytes();
    Ok(Upload { id, name: row.name, folder: row.folder, size, part_size: PART_SIZE, received, file })
}

pub(super) fn hash_of(hexadecimal: &str) -> Result<[u8; 32]> {
    let wrong = || Error::invalid("sha256", "A SHA-256 is 64 hexadecimal digits.");
    if hexadecimal.len() != 64 || !hexadecimal.is_ascii() {
        return Err(wrong());
    }
    let mut hash = [0; 32];
    for (byte, at) in hash.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(&hexadecimal[at..at + 2], 16).map_err(|_| wrong())?;
    }
    Ok(hash)
}
