//! Collections: named sets of things, private until they are shared. To share one is to share the list: whoever it
//! is shared with sees those things in it that they may see anyway.

use super::things::titles;
use crate::text::without_nul;
use crate::{Caller, Domain, Error, Result};
use shared::context::{Attached, Collection, CollectionSummary, Thing, ThingKind};
use shared::{CollectionId, ErrorCode};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

/// Of one person.
const MOST: i64 = 1000;
/// In one collection.
const MOST_ITEMS: i64 = 5000;
/// In characters.
const LONGEST_NAME: usize = 100;

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    name: String,
    own: bool,
    count: i64,
    updated_at: OffsetDateTime,
}

impl From<Row> for CollectionSummary {
    fn from(row: Row) -> Self {
        let Row { id, name, own, count, updated_at } = row;
        Self { id: CollectionId(id), name, own, count: u32::try_from(count).unwrap_or(u32::MAX), updated_at }
    }
}

/// Collections as whoever asks sees them, and what stands behind `WHERE`.
macro_rules! summaries {
    ($where:literal) => {
        concat!(
            "SELECT c.id, c.name, c.owner_id = app_user_id() AS own, c.updated_at,
                    (SELECT count(*) FROM collection_items i WHERE i.collection_id = c.id
                     AND (i.kind <> 'note' OR EXISTS (SELECT FROM notes n WHERE n.id = i.thing_id AND n.deleted_at IS NULL))
                     AND (i.kind <> 'file' OR EXISTS (SELECT FROM files f WHERE f.id = i.thing_id AND f.deleted_at IS NULL))
                     AND (i.kind <> 'page' OR EXISTS (SELECT FROM pages p WHERE p.id = i.thing_id AND p.deleted_at IS NULL)))
                    AS count
             FROM collections c WHERE ",
            $where
        )
    };
}

async fn summary(tx: &mut PgConnection, id: CollectionId) -> Result<CollectionSummary> {
    let row: Option<Row> = sqlx::query_as(summaries!("c.id = $1 AND c.deleted_at IS NULL"))
        .bind(id.0)
        .fetch_optional(tx)
        .await?;
    row.map(Into::into).ok_or_else(|| Error::not_found("collection"))
}

/// Refuses all but the owner.
pub(crate) async fn own(tx: &mut PgConnection, id: CollectionId) -> Result<()> {
    match summary(tx, id).await?.own {
        true => Ok(()),
        false => Err(Error::problem(ErrorCode::Forbidden, "Only the owner of the collection may do this.")),
    }
}

fn checked_name(name: String) -> Result<String> {
    let name = without_nul(name).split_whitespace().collect::<Vec<_>>().join(" ");
    match name.chars().count() {
        1..=LONGEST_NAME => Ok(name),
        _ => Err(Error::invalid("name", format!("A name has 1 to {LONGEST_NAME} characters."))),
    }
}

impl Domain {
    /// One's own and those that are shared with one, by name.
    pub async fn collections(&self, caller: &Caller) -> Result<Vec<CollectionSummary>> {
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        let rows: Vec<Row> =
            sqlx::query_as(summaries!("c.deleted_at IS NULL ORDER BY lower(c.name), c.id LIMIT 2000"))
                .fetch_all(&mut *tx)
                .await?;
        tx.commit().await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    pub async fn create_collection(&self, caller: &Caller, name: String) -> Result<Collection> {
        let name = checked_name(name)?;
        let id = CollectionId::new();
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        let count: i64 =
            sqlx::query_scalar("SELECT count(*) FROM collections WHERE owner_id = $1 AND deleted_at IS NULL")
                .bind(caller.user_id.0)
                .fetch_one(&mut *tx)
                .await?;
        if count >= MOST {
            return Err(Error::problem(
                ErrorCode::Conflict,
                format!("You have {MOST} collections. Delete one first."),
            ));
        }
        sqlx::query("INSERT INTO collections (id, owner_id, name) VALUES ($1, $2, $3)")
            .bind(id.0)
            .bind(caller.user_id.0)
            .bind(name)
            .execute(&mut *tx)
            .await?;
        let collection = opened(&mut tx, id).await?;
        tx.commit().await?;
        Ok(collection)
    }

    pub async fn collection(&self, caller: &Caller, id: CollectionId) -> Result<Collection> {
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        let collection = opened(&mut tx, id).await?;
        tx.commit().await?;
        Ok(collection)
    }

    pub async fn rename_collection(
        &self,
        caller: &Caller,
        id: CollectionId,
        name: String,
    ) -> Result<CollectionSummary> {
        let name = checked_name(name)?;
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        own(&mut tx, id).await?;
        sqlx::query("UPDATE collections SET name = $2, updated_at = now() WHERE id = $1")
            .bind(id.0)
            .bind(name)
            .execute(&mut *tx)
            .await?;
        let renamed = summary(&mut tx, id).await?;
        tx.commit().await?;
        Ok(renamed)
    }

    /// The list goes, with a way back for 30 days; what was in it stays.
    pub async fn delete_collection(&self, caller: &Caller, id: CollectionId) -> Result<()> {
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        own(&mut tx, id).await?;
        sqlx::query("UPDATE collections SET deleted_at = now() WHERE id = $1")
            .bind(id.0)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(())
    }

    pub async fn restore_collection(&self, caller: &Caller, id: CollectionId) -> Result<Collection> {
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        sqlx::query("UPDATE collections SET deleted_at = NULL WHERE id = $1 AND owner_id = $2")
            .bind(id.0)
            .bind(caller.user_id.0)
            .execute(&mut *tx)
            .await?;
        let collection = opened(&mut tx, id).await?;
        tx.commit().await?;
        Ok(collection)
    }

    /// Adds a thing that the owner may see; what is in it already stays.
    pub async fn collect(&self, caller: &Caller, id: CollectionId, thing: Thing) -> Result<Collection> {
        if !matches!(thing.kind, ThingKind::Note | ThingKind::File | ThingKind::Page) {
            return Err(Error::invalid("kind", "Files, notes and pages can be collected."));
        }
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        own(&mut tx, id).await?;
        if !titles(&mut tx, &[thing]).await?.contains_key(&thing) {
            return Err(Error::not_found(thing.kind.as_str()));
        }
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM collection_items WHERE collection_id = $1")
            .bind(id.0)
            .fetch_one(&mut *tx)
            .await?;
        if count >= MOST_ITEMS {
            return Err(Error::problem(
                ErrorCode::Conflict,
                format!("A collection holds at most {MOST_ITEMS} things. Make another."),
            ));
        }
        sqlx::query(
            "INSERT INTO collection_items (collection_id, kind, thing_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        )
        .bind(id.0)
        .bind(thing.kind.as_str())
        .bind(thing.id)
        .execute(&mut *tx)
        .await?;
        touched(&mut tx, id).await?;
        let collection = opened(&mut tx, id).await?;
        tx.commit().await?;
        Ok(collection)
    }

    /// Takes a thing out; the thing itself stays.
    pub async fn uncollect(&self, caller: &Caller, id: CollectionId, thing: Thing) -> Result<Collection> {
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        own(&mut tx, id).await?;
        sqlx::query("DELETE FROM collection_items WHERE collection_id = $1 AND kind = $2 AND thing_id = $3")
            .bind(id.0)
            .bind(thing.kind.as_str())
            .bind(thing.id)
            .execute(&mut *tx)
            .await?;
        touched(&mut tx, id).await?;
        let collection = opened(&mut tx, id).await?;
        tx.commit().await?;
        Ok(collection)
    }
}

async fn touched(tx: &mut PgConnection, id: CollectionId) -> Result<()> {
    sqlx::query("UPDATE collections SET updated_at = now() WHERE id = $1").bind(id.0).execute(tx).await?;
    Ok(())
}

async fn opened(tx: &mut PgConnection, id: CollectionId) -> Result<Collection> {
    let summary = summary(tx, id).await?;
    let rows: Vec<(String, Uuid)> = sqlx::query_as(
        "SELECT kind, thing_id FROM collection_items WHERE collection_id = $1 ORDER BY added_at DESC, thing_id DESC",
    )
    .bind(id.0)
    .fetch_all(&mut *tx)
    .await?;
    let things: Vec<Thing> = rows
        .into_iter()
        .filter_map(|(kind, id)| Some(Thing { kind: ThingKind::parse(&kind)?, id }))
        .collect();
    let mut titles = titles(tx, &things).await?;
    let seen = things
        .into_iter()
        .filter_map(|thing| titles.remove(&thing).map(|title| Attached { thing, title, gone: false }));
    Ok(Collection { summary, items: seen.collect() })
}

/// The sources that a search in a collection looks through. By id, or by the name that somebody typed: their own
/// one first.
pub(crate) async fn sources_in(tx: &mut PgConnection, wanted: CollectionId) -> Result<Vec<Uuid>> {
    let CollectionId(id) = summary(tx, wanted).await?.id;
    let sources =
        sqlx::query_scalar("SELECT thing_id FROM collection_items WHERE collection_id = $1").bind(id);
    Ok(sources.fetch_all(tx).await?)
}
