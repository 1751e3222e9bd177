//! Which of many files are here already, so that sending a folder again sends nothing.

use super::change::folder_path;
use super::row::{Row, columns};
use super::upload::hash_of;
use crate::{Caller, Domain, Error, Result};
use shared::file::{FileSummary, KnownFile, KnownFiles};
use std::collections::HashMap;

impl Domain {
    /// For each, in its order: the file of these bytes in that folder, if there is one.
    pub async fn known_files(&self, caller: &Caller, asked: KnownFiles) -> Result<Vec<Option<FileSummary>>> {
        if asked.files.len() > KnownFiles::MOST {
            return Err(Error::invalid("files", format!("At most {} files at a time.", KnownFiles::MOST)));
        }
        let mut folders = Vec::with_capacity(asked.files.len());
        let mut hashes = Vec::with_capacity(asked.files.len());
        for KnownFile { folder, sha256 } in &asked.files {
            folders.push(folder_path(folder));
            hashes.push(hash_of(sha256)?.to_vec());
        }
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        let rows: Vec<Row> = sqlx::query_as(concat!(
            "SELECT ",
            columns!(),
            " FROM files WHERE owner_id = $1 AND deleted_at IS NULL
              AND (folder, sha256) IN (SELECT * FROM unnest($2::text[], $3::bytea[]))"
        ))
        .bind(caller.user_id.0)
        .bind(&folders)
        .bind(&hashes)
        .fetch_all(&mut *tx)
        .await?;
        tx.commit().await?;
        let files = rows.into_iter().map(|row| {
            let hash = row.hash()?;
            let file = FileSummary::from(row);
            Ok(((file.folder.clone(), hash.to_vec()), file))
        });
        let files: HashMap<(String, Vec<u8>), FileSummary> = files.collect::<Result<_>>()?;
        // The same bytes may be asked for more than once.
        Ok(folders.into_iter().zip(hashes).map(|place| files.get(&place).cloned()).collect())
    }
}
