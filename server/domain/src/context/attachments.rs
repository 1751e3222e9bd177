//! What is attached to a conversation. It stays attached until it is taken off; whether it may be seen is asked
//! when it is attached, and again whenever it is shown or given to a model.

use super::things::titles;
use crate::conversations::change::refuse_deleted;
use crate::conversations::{lock, summary_of};
use crate::{Caller, Domain, Error, Result};
use shared::context::{Attached, Thing, ThingKind};
use shared::{ConversationId, ErrorCode, UserId};
use sqlx::PgConnection;
use uuid::Uuid;

/// Things that one conversation may have.
const MOST: usize = 100;

#[derive(sqlx::FromRow)]
struct Stored {
    kind: String,
    thing_id: Uuid,
    title: String,
}

/// What is attached, in the order in which it was, as it is called now.
pub(crate) async fn attached(tx: &mut PgConnection, conversation: ConversationId) -> Result<Vec<Attached>> {
    let rows: Vec<Stored> = sqlx::query_as(
        "SELECT kind, thing_id, title FROM conversation_attachments WHERE conversation_id = $1
         ORDER BY created_at, thing_id",
    )
    .bind(conversation.0)
    .fetch_all(&mut *tx)
    .await?;
    let stored: Vec<(Thing, String)> = rows
        .into_iter()
        .filter_map(|row| Some((Thing { kind: ThingKind::parse(&row.kind)?, id: row.thing_id }, row.title)))
        .collect();
    let things: Vec<Thing> = stored.iter().map(|(thing, _)| *thing).collect();
    let titles = titles(tx, &things).await?;
    let now = stored.into_iter().map(|(thing, before)| match titles.get(&thing) {
        Some(title) => Attached { thing, title: title.clone(), gone: false },
        None => Attached { thing, title: before, gone: true },
    });
    Ok(now.collect())
}

/// Things that somebody wants to attach, with their names; not found where one of them is not theirs to see.
pub(crate) async fn seen(tx: &mut PgConnection, wanted: &[Thing]) -> Result<Vec<Attached>> {
    let mut wanted = wanted.to_vec();
    let mut before = std::collections::HashSet::new();
    wanted.retain(|thing| before.insert(*thing));
    if wanted.len() > MOST {
        return Err(Error::invalid("attachments", format!("At most {MOST} things can be attached.")));
    }
    let titles = titles(tx, &wanted).await?;
    let seen = wanted.into_iter().map(|thing| match (thing.kind, titles.get(&thing)) {
        (kind, _) if !kind.is_attachable() => {
            Err(Error::invalid("attachments", "Files, notes, pages and collections can be attached."))
        }
        (_, Some(title)) => Ok(Attached { thing, title: title.clone(), gone: false }),
        (kind, None) => Err(Error::not_found(kind.as_str())),
    });
    seen.collect()
}

/// Attaches what was [`seen`], in the given transaction; what is attached already stays.
pub(crate) async fn attach(
    tx: &mut PgConnection,
    owner: UserId,
    conversation: ConversationId,
    things: &[Attached],
) -> Result<()> {
    if things.is_empty() {
        return Ok(());
    }
    let (kinds, ids): (Vec<&str>, Vec<Uuid>) =
        things.iter().map(|one| (one.thing.kind.as_str(), one.thing.id)).unzip();
    let titles: Vec<&str> = things.iter().map(|one| one.title.as_str()).collect();
    sqlx::query(
        "INSERT INTO conversation_attachments (conversation_id, owner_id, kind, thing_id, title, created_at)
         SELECT $1, $2, t.kind, t.id, t.title, clock_timestamp() + t.n * interval '1 microsecond'
         FROM unnest($3::text[], $4::uuid[], $5::text[]) WITH ORDINALITY AS t (kind, id, title, n)
         ON CONFLICT DO NOTHING",
    )
    .bind(conversation.0)
    .bind(owner.0)
    .bind(kinds)
    .bind(ids)
    .bind(titles)
    .execute(&mut *tx)
    .await?;
    let count: i64 =
        sqlx::query_scalar("SELECT count(*) FROM conversation_attachments WHERE conversation_id = $1")
            .bind(conversation.0)
            .fetch_one(tx)
            .await?;
    if usize::try_from(count).unwrap_or(usize::MAX) > MOST {
        return Err(Error::problem(
            ErrorCode::Conflict,
            format!("At most {MOST} things can be attached to a conversation. Take some off first."),
        ));
    }
    Ok(())
}

impl Domain {
    pub async fn attachments(&self, caller: &Caller, conversation: ConversationId) -> Result<Vec<Attached>> {
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        summary_of(&mut tx, conversation).await?;
        let attached = attached(&mut tx, conversation).await?;
        tx.commit().await?;
        Ok(attached)
    }

    pub async fn attach_things(
        &self,
        caller: &Caller,
        conversation: ConversationId,
        things: &[Thing],
    ) -> Result<Vec<Attached>> {
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        lock(&mut tx, conversation).await?;
        refuse_deleted(&summary_of(&mut tx, conversation).await?)?;
        let seen = seen(&mut tx, things).await?;
        attach(&mut tx, caller.user_id, conversation, &seen).await?;
        let attached = attached(&mut tx, conversation).await?;
        tx.commit().await?;
        Ok(attached)
    }

    /// Takes a thing off; answers that were given it stay as they are.
    pub async fn detach_thing(
        &self,
        caller: &Caller,
        conversation: ConversationId,
        thing: Thing,
    ) -> Result<()> {
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        summary_of(&mut tx, conversation).await?;
        let gone = sqlx::query(
            "DELETE FROM conversation_attachments WHERE conversation_id = $1 AND kind = $2 AND thing_id = $3",
        )
        .bind(conversation.0)
        .bind(thing.kind.as_str())
        .bind(thing.id)
        .execute(&mut *tx)
        .await?;
        if gone.rows_affected() == 0 {
            return Err(Error::not_found("attachment"));
        }
        tx.commit().await?;
        Ok(())
    }
}
