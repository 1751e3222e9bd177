//! Pages looked after: their passages made anew from what is kept of them, and what is missing told and asked for
//! again. Making anew does not ask the web: what is kept is what the person saved.

use super::read::{ARCHIVE, DOCUMENT, FetchPage, IMAGE, TEXT, queue_fetching};
use super::row::{Row, columns, tell};
use crate::database::Database;
use crate::files::passages;
use crate::passages::CUTTER;
use crate::{Domain, Result};
use shared::{PageId, UserId};
use sqlx::PgConnection;
use uuid::Uuid;

/// What must be in the store of a page.
pub(crate) struct KeptPage {
    pub id: PageId,
    pub title: String,
    pub asking: i32,
    pub parts: Vec<&'static str>,
    /// It came from a browser: the server cannot have it again.
    pub sent: bool,
}

pub(crate) async fn kept_pages(db: &Database, owner: UserId) -> Result<Vec<KeptPage>> {
    let mut tx = db.as_user(owner).await?;
    let rows: Vec<Row> = sqlx::query_as(concat!(
        "SELECT ",
        columns!(),
        " FROM pages WHERE owner_id = $1 AND kept IS NOT NULL AND deleted_at IS NULL ORDER BY id"
    ))
    .bind(owner.0)
    .fetch_all(&mut *tx)
    .await?;
    tx.commit().await?;
    let kept = rows.into_iter().filter_map(|row| {
        let mut parts = vec![ARCHIVE, DOCUMENT, TEXT];
        parts.extend(row.facts.image.then_some(IMAGE));
        Some(KeptPage { id: row.id(), asking: row.kept?, sent: row.sent, parts, title: row.title })
    });
    Ok(kept.collect())
}

/// Pages that say they wait or are fetched, while nothing is going to happen to them.
pub(crate) async fn stuck_pages(db: &Database, owner: UserId) -> Result<Vec<(PageId, String)>> {
    let mut tx = db.as_user(owner).await?;
    let rows: Vec<(Uuid, String)> = sqlx::query_as(
        "SELECT id, title FROM pages p
         WHERE owner_id = $1 AND deleted_at IS NULL AND state IN ('waiting', 'reading') AND NOT EXISTS (
             SELECT FROM jobs j WHERE j.dedupe_key = 'fetch_page ' || p.id || ' ' || p.asked
                                  AND j.status IN ('queued', 'running'))
         ORDER BY id",
    )
    .bind(owner.0)
    .fetch_all(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(rows.into_iter().map(|(id, title)| (PageId(id), title)).collect())
}

/// Has the asking that a page waits for done.
pub(crate) async fn resume_page(db: &Database, owner: UserId, id: PageId) -> Result<bool> {
    queue_again(
        db,
        owner,
        id,
        concat!(
            "UPDATE pages SET state = CASE WHEN kept = asked THEN 'ready' ELSE 'waiting' END
             WHERE id = $1 AND deleted_at IS NULL RETURNING ",
            columns!()
        ),
    )
    .await
}

/// Asks for a page once more, in a folder of its own; whether there is such a page that the server can ask for.
pub(crate) async fn refetch_page(db: &Database, owner: UserId, id: PageId) -> Result<bool> {
    queue_again(
        db,
        owner,
        id,
        concat!(
            "UPDATE pages SET state = 'waiting', failure = NULL, asked = asked + 1
             WHERE id = $1 AND deleted_at IS NULL AND NOT sent RETURNING ",
            columns!()
        ),
    )
    .await
}

async fn queue_again(db: &Database, owner: UserId, id: PageId, statement: &'static str) -> Result<bool> {
    let mut tx = db.as_user(owner).await?;
    let row: Option<Row> = sqlx::query_as(statement).bind(id.0).fetch_optional(&mut *tx).await?;
    let Some(row) = row else { return Ok(false) };
    queue_fetching(&mut tx, owner, FetchPage { page_id: id, asking: row.asked }).await?;
    tell(&mut tx, owner, &row).await?;
    tx.commit().await?;
    Ok(true)
}

impl Domain {
    /// Makes a page's name and passages anew from what is kept of it; whether anything changed. One that is gone, or
    /// in the bin, is left alone.
    pub(crate) async fn read_page_anew(&self, owner: UserId, id: PageId) -> Result<bool> {
        let mut tx = self.inner.db.as_user(owner).await?;
        let Some(row) = hold(&mut tx, id).await?.filter(|row| row.deleted_at.is_none()) else {
            return Ok(false);
        };
        let changed = self.write_anew(&mut tx, owner, &row).await?;
        tx.commit().await?;
        Ok(changed)
    }

    /// The same after the rules have changed by which texts are cut, in the bin too: what leaves it is not looked at
    /// again.
    pub(crate) async fn cut_page(&self, owner: UserId, id: PageId) -> Result<()> {
        let mut tx = self.inner.db.as_user(owner).await?;
        if let Some(row) = hold(&mut tx, id).await? {
            self.write_anew(&mut tx, owner, &row).await?;
        }
        sqlx::query("UPDATE chunks SET cut_by = $2 WHERE part_id = $1")
            .bind(id.0)
            .bind(CUTTER)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(())
    }

    async fn write_anew(&self, tx: &mut PgConnection, owner: UserId, row: &Row) -> Result<bool> {
        let renamed = passages::write_name(tx, owner, row.id(), &row.title).await?;
        let Some(document) = self.document_kept(owner, row).await? else { return Ok(renamed) };
        let cut = passages::passages(&document);
        let is_written = passages::are_written(tx, row.id(), &cut).await?;
        if !is_written {
            passages::write(tx, owner, row.id(), &cut).await?;
        }
        Ok(renamed || !is_written)
    }
}

/// The page's row. Whoever keeps it meanwhile writes its passages, and waits for these or comes first.
async fn hold(tx: &mut PgConnection, id: PageId) -> Result<Option<Row>> {
    let row = sqlx::query_as(concat!("SELECT ", columns!(), " FROM pages WHERE id = $1 FOR UPDATE"));
    Ok(row.bind(id.0).fetch_optional(tx).await?)
}
