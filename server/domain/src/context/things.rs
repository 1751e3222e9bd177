//! Things of every kind by their names: what they are called now, whether somebody may see them, and which names
//! begin as somebody types. A new kind of thing that can be attached gets a line in each of the two queries here,
//! one in the view `search_sources`, and one in [`super::material`].

use crate::{Caller, Domain, Error, Result};
use shared::context::{Attached, Thing, ThingKind};
use sqlx::PgConnection;
use std::collections::HashMap;
use uuid::Uuid;

/// Names offered at once.
const MOST_NAMES: i64 = 8;

#[derive(sqlx::FromRow)]
pub(super) struct Row {
    pub kind: String,
    pub id: Uuid,
    pub title: String,
}

impl Row {
    pub fn attached(self) -> Result<Attached> {
        let kind = ThingKind::parse(&self.kind)
            .ok_or_else(|| Error::internal(anyhow::anyhow!("unknown kind of thing {}", self.kind)))?;
        Ok(Attached { thing: Thing { kind, id: self.id }, title: named(kind, self.title), gone: false })
    }
}

/// A name, also where there is none.
pub(super) fn named(kind: ThingKind, title: String) -> String {
    match (title.is_empty(), kind) {
        (false, _) => title,
        (true, ThingKind::Note) => "Untitled note".into(),
        (true, _) => "Conversation".into(),
    }
}

/// What these things are called, as far as whoever asks may see them.
pub(super) async fn titles(tx: &mut PgConnection, things: &[Thing]) -> Result<HashMap<Thing, String>> {
    if things.is_empty() {
        return Ok(HashMap::new());
    }
    let ids: Vec<Uuid> = things.iter().map(|thing| thing.id).collect();
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT 'note' AS kind, id, coalesce(nullif(title, ''), excerpt) AS title FROM notes
         WHERE id = ANY ($1) AND deleted_at IS NULL
         UNION ALL SELECT 'file', id, name FROM files WHERE id = ANY ($1) AND deleted_at IS NULL
         UNION ALL SELECT 'page', id, title FROM pages WHERE id = ANY ($1) AND deleted_at IS NULL
         UNION ALL SELECT 'collection', id, name FROM collections WHERE id = ANY ($1) AND deleted_at IS NULL
         UNION ALL SELECT 'conversation', id, coalesce(nullif(title, ''), first_message) FROM conversations
         WHERE id = ANY ($1) AND deleted_at IS NULL",
    )
    .bind(ids)
    .fetch_all(tx)
    .await?;
    rows.into_iter().map(|row| row.attached().map(|found| (found.thing, found.title))).collect()
}

impl Domain {
    /// What can be attached and has these words in its name, names that begin so first; without words what
    /// changed last. An address of ours names the one thing that it leads to.
    pub async fn attachable(&self, caller: &Caller, typed: &str) -> Result<Vec<Attached>> {
        let typed = typed.trim().to_lowercase();
        if let Some((thing, _)) = Thing::of_url(&typed).filter(|(thing, _)| thing.kind.is_attachable()) {
            let mut tx = self.inner.db.as_user(caller.user_id).await?;
            let titles = titles(&mut tx, &[thing]).await?;
            tx.commit().await?;
            let named = titles.into_iter().map(|(thing, title)| Attached { thing, title, gone: false });
            return Ok(named.collect());
        }
        if typed.len() > 200 || typed.contains('\0') {
            return Err(Error::invalid("q", "A name has at most 200 characters."));
        }
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT kind, id, title FROM (
                 (SELECT 'note' AS kind, id, coalesce(nullif(title, ''), excerpt) AS title, updated_at FROM notes
                  WHERE deleted_at IS NULL AND archived_at IS NULL AND kind <> 'template'
                    AND strpos(lower(coalesce(nullif(title, ''), excerpt)), $1) > 0
                  ORDER BY starts_with(lower(title), $1) DESC, updated_at DESC LIMIT $2)
                 UNION ALL
                 (SELECT 'file', id, name, updated_at FROM files
                  WHERE deleted_at IS NULL AND strpos(lower(name), $1) > 0
                  ORDER BY starts_with(lower(name), $1) DESC, updated_at DESC LIMIT $2)
                 UNION ALL
                 (SELECT 'page', id, title, updated_at FROM pages
                  WHERE deleted_at IS NULL AND NOT archived AND strpos(lower(title), $1) > 0
                  ORDER BY starts_with(lower(title), $1) DESC, updated_at DESC LIMIT $2)
                 UNION ALL
                 (SELECT 'collection', id, name, updated_at FROM collections
                  WHERE deleted_at IS NULL AND strpos(lower(name), $1) > 0
                  ORDER BY starts_with(lower(name), $1) DESC, updated_at DESC LIMIT $2)) AS found
             ORDER BY starts_with(lower(title), $1) DESC, updated_at DESC, id LIMIT $2",
        )
        .bind(typed)
        .bind(MOST_NAMES)
        .fetch_all(&mut *tx)
        .await?;
        tx.commit().await?;
        rows.into_iter().map(Row::attached).collect()
    }
}
