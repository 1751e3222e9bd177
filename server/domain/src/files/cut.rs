//! Cuts what was read of a file anew, from what is kept of the reading: the file itself is not opened.

use super::{passages, read};
use crate::passages::CUTTER;
use crate::{Domain, Error, Result};
use extract::Document;
use shared::{FileId, UserId};

impl Domain {
    /// Passages that stay keep their rows, and with them their vectors.
    pub(crate) async fn cut_file(&self, owner: UserId, id: FileId) -> Result<()> {
        let kept = self.inner.blobs.derivative(owner, id, read::DOCUMENT).await?;
        let document: Option<Document> =
            kept.map(|bytes| serde_json::from_slice(&bytes)).transpose().map_err(Error::internal)?;
        let mut tx = self.inner.db.as_user(owner).await?;
        // Whoever reads it meanwhile writes its passages, by the rules as they are now.
        sqlx::query("SELECT FROM files WHERE id = $1 FOR UPDATE").bind(id.0).execute(&mut *tx).await?;
        if let Some(document) = &document {
            passages::write(&mut tx, owner, id, &passages::passages(document)).await?;
        }
        sqlx::query("UPDATE chunks SET cut_by = $2 WHERE part_id = $1")
            .bind(id.0)
            .bind(CUTTER)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(())
    }
}
