//! Memories are opened with their history, changed, and forgotten: at once, with all that was kept of them.

use super::passages::{index, remove};
use super::row::{Row, SourceRow, columns, find, tell};
use super::save::{checked_content, checked_scope, hold};
use crate::{Caller, Domain, Error, Result};
use shared::memory::{Memory, MemoryEvent, MemoryEventKind, OpenedMemory, UpdateMemory};
use shared::{ErrorCode, MemoryId, UserId};
use sqlx::PgConnection;
use std::cmp::Reverse;
use time::OffsetDateTime;
use uuid::Uuid;

/// All that this memory took the place of, one after the other, and itself.
macro_rules! line {
    () => {
        "WITH RECURSIVE line AS (
             SELECT id FROM memories WHERE id = $1
             UNION SELECT m.id FROM memories m JOIN line ON m.superseded_by = line.id) "
    };
}

impl Domain {
    pub async fn memory(&self, caller: &Caller, id: MemoryId) -> Result<OpenedMemory> {
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        let opened = open(&mut tx, id).await?;
        tx.commit().await?;
        Ok(opened)
    }

    pub async fn update_memory(
        &self,
        caller: &Caller,
        id: MemoryId,
        change: UpdateMemory,
    ) -> Result<OpenedMemory> {
        let content = change.content.map(checked_content).transpose()?;
        let scope = change.scope.map(checked_scope).transpose()?;
        let local_only = change.local_only;
        let owner = caller.user_id;
        let vector = match &content {
            Some(content) => {
                let local_only = match local_only {
                    Some(local_only) => local_only,
                    None => self.memory(caller, id).await?.memory.local_only,
                };
                self.vector_of(content, local_only).await
            }
            None => None,
        };
        let mut tx = self.inner.db.as_user(owner).await?;
        hold(&mut tx, owner).await?;
        let before = find(&mut tx, id).await?;
        if let Some(by) = before.superseded_by {
            return Err(replaced(by));
        }
        sqlx::query(
            "UPDATE memories SET content = coalesce($2, content), scope = coalesce($3, scope),
                    scope_name = CASE WHEN $3 IS NULL THEN scope_name ELSE $4 END, pinned = coalesce($5, pinned),
                    local_only = coalesce($6, local_only), held_from = coalesce($7, held_from),
                    held_until = coalesce($8, held_until), updated_at = now()
             WHERE id = $1",
        )
        .bind(id.0)
        .bind(&content)
        .bind(scope.as_ref().map(|scope| scope.kind()))
        .bind(scope.as_ref().map_or("", |scope| scope.name()))
        .bind(change.pinned)
        .bind(local_only)
        .bind(change.held_from)
        .bind(change.held_until)
        .execute(&mut *tx)
        .await?;
        let says_more = content.as_ref().is_some_and(|content| *content != before.content);
        if says_more {
            note_change(&mut tx, owner, id, &before.content).await?;
        }
        // What may be told elsewhere from now on may have a vector made elsewhere too.
        if says_more || local_only.is_some_and(|local_only| local_only != before.local_only) {
            let text = find(&mut tx, id).await?.text();
            index(&mut tx, owner, id, &text, vector.as_ref()).await?;
        }
        tell(&mut tx, owner).await?;
        let opened = open(&mut tx, id).await?;
        tx.commit().await?;
        Ok(opened)
    }

    /// Removes it for good, with what it had replaced, its history, its passages and their vectors.
    pub async fn forget_memory(&self, caller: &Caller, id: MemoryId) -> Result<()> {
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        forget(&mut tx, caller.user_id, id).await?;
        tx.commit().await?;
        Ok(())
    }
}

pub(super) async fn forget(tx: &mut PgConnection, owner: UserId, id: MemoryId) -> Result<()> {
    hold(tx, owner).await?;
    let line: Vec<Uuid> =
        sqlx::query_scalar(concat!(line!(), "SELECT id FROM line")).bind(id.0).fetch_all(&mut *tx).await?;
    if line.is_empty() {
        return Err(Error::not_found("memory"));
    }
    remove(tx, &line).await?;
    // Not even a hash of what was said stays.
    sqlx::query("UPDATE memory_keys SET request = NULL WHERE memory_id = ANY ($1)")
        .bind(&line)
        .execute(&mut *tx)
        .await?;
    sqlx::query("DELETE FROM memories WHERE id = ANY ($1)").bind(&line).execute(&mut *tx).await?;
    tell(tx, owner).await
}

fn replaced(by: Uuid) -> Error {
    Error::Problem {
        code: ErrorCode::Conflict,
        message: "Another memory took this one's place: change that one.".into(),
        details: Some(serde_json::json!({ "superseded_by": by })),
        retry_after: None,
    }
}

async fn note_change(tx: &mut PgConnection, owner: UserId, id: MemoryId, before: &str) -> Result<()> {
    sqlx::query("INSERT INTO memory_events (memory_id, owner_id, what, text) VALUES ($1, $2, 'changed', $3)")
        .bind(id.0)
        .bind(owner.0)
        .bind(before)
        .execute(tx)
        .await?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct EventRow {
    at: OffsetDateTime,
    what: String,
    text: String,
    #[sqlx(flatten)]
    source: SourceRow,
}

/// The memory with what happened to it, and to all that it took the place of.
pub(super) async fn open(tx: &mut PgConnection, id: MemoryId) -> Result<OpenedMemory> {
    let memory: Memory = find(tx, id).await?.into();
    let before: Vec<Row> = sqlx::query_as(concat!(
        line!(),
        "SELECT ",
        columns!(),
        " FROM memories m JOIN line ON line.id = m.id WHERE m.id <> $1"
    ))
    .bind(id.0)
    .fetch_all(&mut *tx)
    .await?;
    let events: Vec<EventRow> = sqlx::query_as(concat!(
        line!(),
        "SELECT e.at, e.what, e.text, coalesce(e.source_kind, 'hand') AS source_kind, e.source_id, e.source_part, e.source_url,
                (SELECT coalesce(nullif(c.title, ''), c.first_message) FROM conversations c
                 WHERE e.source_kind = 'conversation' AND c.id = e.source_id AND c.deleted_at IS NULL) AS source_title
         FROM memory_events e JOIN line ON line.id = e.memory_id"
    ))
    .bind(id.0)
    .fetch_all(tx)
    .await?;
    let mut history: Vec<MemoryEvent> = events
        .into_iter()
        .map(|event| MemoryEvent {
            at: event.at,
            what: match event.what.as_str() {
                "said_again" => MemoryEventKind::SaidAgain,
                _ => MemoryEventKind::Changed,
            },
            text: event.text,
            source: event.source.into(),
            memory_id: None,
        })
        .collect();
    history.extend(before.into_iter().map(Memory::from).map(|memory| MemoryEvent {
        at: memory.held_until.unwrap_or(memory.updated_at),
        what: MemoryEventKind::Replaced,
        text: memory.content,
        source: memory.source,
        memory_id: Some(memory.id),
    }));
    history.sort_by_key(|event| Reverse(event.at));
    Ok(OpenedMemory { memory, history })
}
