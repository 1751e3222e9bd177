//! What waits for the person to decide: suggestions to keep something, and a model's wish to forget something.

use super::change::forget;
use super::row::{Origin, SourceRow, find, tell};
use super::save::{ALL, Statement, hold};
use crate::text::{first_words, without_nul};
use crate::{Caller, Domain, Error, Result};
use shared::memory::{
    AcceptSuggestion, Forgetting, KeptMemory, Memory, MemoryScope, MemorySuggestion, WaitingMemories,
};
use shared::{ConversationId, ForgettingId, MemoryId, MessageId, SuggestionId, UserId};
use sqlx::PgConnection;
use std::collections::HashMap;
use time::OffsetDateTime;
use uuid::Uuid;

/// Characters of a model's reason that are kept.
const LONGEST_REASON: usize = 300;
/// Suggestions that wait at most; the oldest give way.
const MOST_WAITING: i64 = 50;

#[derive(sqlx::FromRow)]
struct SuggestionRow {
    id: Uuid,
    conversation_id: Uuid,
    content: String,
    replaces: Option<Uuid>,
    created_at: OffsetDateTime,
    #[sqlx(flatten)]
    source: SourceRow,
}

/// What a job found worth keeping.
pub(super) struct Suggested {
    pub content: String,
    pub replaces: Option<MemoryId>,
}

impl Domain {
    /// In one conversation, or in all.
    pub async fn waiting_memories(
        &self,
        caller: &Caller,
        conversation: Option<ConversationId>,
    ) -> Result<WaitingMemories> {
        let only = conversation.map(|ConversationId(id)| id);
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        let suggestions: Vec<SuggestionRow> = sqlx::query_as(
            "SELECT s.id, s.conversation_id, s.content, s.replaces, s.created_at, 'conversation' AS source_kind,
                    s.conversation_id AS source_id, s.message_id AS source_part, '' AS source_url,
                    coalesce(nullif(c.title, ''), c.first_message) AS source_title
             FROM memory_suggestions s JOIN conversations c ON c.id = s.conversation_id AND c.deleted_at IS NULL
             WHERE $1::uuid IS NULL OR s.conversation_id = $1 ORDER BY s.id",
        )
        .bind(only)
        .fetch_all(&mut *tx)
        .await?;
        let forgetting: Vec<(Uuid, Uuid, Uuid, String)> = sqlx::query_as(
            "SELECT id, memory_id, conversation_id, reason FROM memory_forgetting
             WHERE $1::uuid IS NULL OR conversation_id = $1 ORDER BY id",
        )
        .bind(only)
        .fetch_all(&mut *tx)
        .await?;
        let named = suggestions.iter().filter_map(|row| row.replaces);
        let named: Vec<Uuid> = named.chain(forgetting.iter().map(|(_, memory, ..)| *memory)).collect();
        let memories = named_memories(&mut tx, &named).await?;
        tx.commit().await?;
        Ok(WaitingMemories {
            suggestions: suggestions
                .into_iter()
                .map(|row| MemorySuggestion {
                    id: SuggestionId(row.id),
                    content: row.content,
                    conversation_id: ConversationId(row.conversation_id),
                    source: row.source.into(),
                    replaces: row.replaces.and_then(|id| memories.get(&id).cloned()),
                    created_at: row.created_at,
                })
                .collect(),
            forgetting: forgetting
                .into_iter()
                .filter_map(|(id, memory, conversation, reason)| {
                    let memory = memories.get(&memory).cloned()?;
                    let conversation_id = ConversationId(conversation);
                    Some(Forgetting { id: ForgettingId(id), memory, conversation_id, reason })
                })
                .collect(),
        })
    }

    /// Keeps what was suggested, in these words or the person's.
    pub async fn accept_suggestion(
        &self,
        caller: &Caller,
        id: SuggestionId,
        accept: AcceptSuggestion,
    ) -> Result<KeptMemory> {
        let owner = caller.user_id;
        let mut tx = self.inner.db.as_user(owner).await?;
        let row: Option<(String, Uuid, Uuid, Option<Uuid>)> = sqlx::query_as(
            "SELECT s.content, s.conversation_id, s.message_id, m.id FROM memory_suggestions s
             LEFT JOIN memories m ON m.id = s.replaces AND m.superseded_by IS NULL WHERE s.id = $1",
        )
        .bind(id.0)
        .fetch_optional(&mut *tx)
        .await?;
        tx.commit().await?;
        let (content, conversation, message, replaces) = row.ok_or_else(|| Error::not_found("suggestion"))?;
        let origin = Origin::message(ConversationId(conversation), MessageId(message));
        let statement = Statement {
            supersedes: replaces.map(MemoryId),
            scope: MemoryScope::Person,
            ..Statement::new(accept.content.unwrap_or(content), origin)?
        };
        let vector = self.vector_of(&statement.content, false).await;
        let mut tx = self.inner.db.as_user(owner).await?;
        hold(&mut tx, owner).await?;
        // Twice pressed is accepted once.
        remove_suggestion(&mut tx, id).await?;
        let kept = self.keep(&mut tx, owner, &statement, vector.as_ref()).await?;
        tx.commit().await?;
        Ok(kept)
    }

    /// Lets a suggestion go: nothing of it stays.
    pub async fn refuse_suggestion(&self, caller: &Caller, id: SuggestionId) -> Result<()> {
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        remove_suggestion(&mut tx, id).await?;
        tell(&mut tx, caller.user_id).await?;
        tx.commit().await?;
        Ok(())
    }

    /// A model wants something forgotten: the person is asked.
    pub(crate) async fn ask_to_forget(
        &self,
        owner: UserId,
        conversation: ConversationId,
        memory: MemoryId,
        reason: &str,
    ) -> Result<ForgettingId> {
        let mut tx = self.inner.db.as_user(owner).await?;
        find(&mut tx, memory).await?;
        let id: Uuid = sqlx::query_scalar(
            "INSERT INTO memory_forgetting (id, owner_id, memory_id, conversation_id, reason) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (memory_id) DO UPDATE SET conversation_id = $4, reason = $5 RETURNING id",
        )
        .bind(ForgettingId::new().0)
        .bind(owner.0)
        .bind(memory.0)
        .bind(conversation.0)
        .bind(first_words(&without_nul(reason.to_owned()), LONGEST_REASON))
        .fetch_one(&mut *tx)
        .await?;
        tell(&mut tx, owner).await?;
        tx.commit().await?;
        Ok(ForgettingId(id))
    }

    /// The person agrees: it is gone.
    pub async fn confirm_forgetting(&self, caller: &Caller, id: ForgettingId) -> Result<()> {
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        let memory: Option<Uuid> =
            sqlx::query_scalar("SELECT memory_id FROM memory_forgetting WHERE id = $1")
                .bind(id.0)
                .fetch_optional(&mut *tx)
                .await?;
        let memory = memory.ok_or_else(|| Error::not_found("request to forget something"))?;
        forget(&mut tx, caller.user_id, MemoryId(memory)).await?;
        tx.commit().await?;
        Ok(())
    }

    /// The person wants to keep it.
    pub async fn refuse_forgetting(&self, caller: &Caller, id: ForgettingId) -> Result<()> {
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        let gone =
            sqlx::query("DELETE FROM memory_forgetting WHERE id = $1").bind(id.0).execute(&mut *tx).await?;
        if gone.rows_affected() == 0 {
            return Err(Error::not_found("request to forget something"));
        }
        tell(&mut tx, caller.user_id).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// Lays suggestions before the person.
pub(super) async fn suggest(
    tx: &mut PgConnection,
    owner: UserId,
    conversation: ConversationId,
    message: MessageId,
    suggested: &[Suggested],
) -> Result<()> {
    for Suggested { content, replaces } in suggested {
        sqlx::query(
            "INSERT INTO memory_suggestions (id, owner_id, conversation_id, message_id, content, replaces)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(SuggestionId::new().0)
        .bind(owner.0)
        .bind(conversation.0)
        .bind(message.0)
        .bind(content)
        .bind(replaces.map(|MemoryId(id)| id))
        .execute(&mut *tx)
        .await?;
    }
    sqlx::query(
        "DELETE FROM memory_suggestions WHERE id IN (SELECT id FROM memory_suggestions ORDER BY id DESC OFFSET $1)",
    )
    .bind(MOST_WAITING)
    .execute(&mut *tx)
    .await?;
    tell(tx, owner).await
}

async fn remove_suggestion(tx: &mut PgConnection, id: SuggestionId) -> Result<()> {
    let gone = sqlx::query("DELETE FROM memory_suggestions WHERE id = $1").bind(id.0).execute(tx).await?;
    if gone.rows_affected() == 0 { Err(Error::not_found("suggestion")) } else { Ok(()) }
}

async fn named_memories(tx: &mut PgConnection, ids: &[Uuid]) -> Result<HashMap<Uuid, Memory>> {
    let rows: Vec<super::row::Row> = sqlx::query_as(ALL).bind(ids).fetch_all(tx).await?;
    Ok(rows.into_iter().map(|row| (row.id, row.into())).collect())
}
