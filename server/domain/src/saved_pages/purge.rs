//! Pages that have been in the bin for long go for good, and what was made of them with them.

use crate::{Domain, Result};
use shared::{PageId, UserId};
use uuid::Uuid;

impl Domain {
    pub(crate) async fn purge_pages(&self) -> Result<()> {
        let mut tx = self.inner.db.as_system().await?;
        let gone: Vec<(Uuid, Uuid)> =
            sqlx::query_as("SELECT owner_id, id FROM purge_pages(now() - interval '30 days')")
                .fetch_all(&mut *tx)
                .await?;
        tx.commit().await?;
        // After the rows: nobody can ask for these any more.
        for (owner, page) in gone {
            self.inner.blobs.forget_page(UserId(owner), PageId(page), None).await?;
        }
        Ok(())
    }
}
