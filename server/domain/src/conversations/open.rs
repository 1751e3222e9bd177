//! Opening a conversation: one row has it all; what is still being written comes from the memory of
//! this server, or from the event log where another server writes it.

use super::path::{path, with_variants};
use crate::context::citations::note_sources;
use crate::context::settings::{OfPerson, of_person};
use crate::{Caller, Domain, Error, Result};
use serde::Deserialize;
use shared::conversation::{Conversation, ConversationSummary, Message, MessageRole, MessageStatus, Step};
use shared::event::Sequenced;
use shared::{ConversationId, MessageId};
use sqlx::PgConnection;
use sqlx::types::Json;
use time::OffsetDateTime;
use uuid::Uuid;

/// Which part of the path to give.
#[derive(Clone, Copy, Debug, Default)]
pub struct Window {
    /// Only the last so many messages.
    pub limit: Option<u32>,
    /// Only those before this one.
    pub before: Option<MessageId>,
}

/// A conversation as stored, with the answers that are not in it yet.
pub(crate) struct Opened {
    pub summary: ConversationSummary,
    /// Finished messages, in the order in which they were stored.
    pub messages: Vec<Message>,
    pub head: Option<MessageId>,
    pub open: Vec<OpenAnswer>,
    /// What prompts say of the person: name, place, local time in words.
    pub person: Person,
    /// What instructions may speak of.
    pub of_person: OfPerson,
    /// Whether something is attached.
    pub has_attachments: bool,
    /// Whether anything is remembered of its person.
    pub has_memories: bool,
    /// When the transaction began.
    pub now: OffsetDateTime,
    /// The answer to the message that was asked about, if that was sent before.
    pub sent_before: Option<SentBefore>,
}

/// A message of the person that came in already, in this conversation or another.
#[derive(Deserialize)]
pub(crate) struct SentBefore {
    pub answer: MessageId,
    /// Hexadecimal.
    pub hash: String,
}

#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub name: String,
    pub place: String,
    pub local_time: String,
}

/// An answer that is being written or waits.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct OpenAnswer {
    pub id: MessageId,
    pub user_message_id: MessageId,
    pub model: String,
    pub status: MessageStatus,
    pub seed: Option<Seed>,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
}

/// What a continued answer begins with.
#[derive(Clone, Debug, PartialEq, serde::Serialize, Deserialize)]
pub(crate) struct Seed {
    pub content: String,
    pub steps: Vec<Step>,
}

impl OpenAnswer {
    /// The message that it becomes, before anything was written.
    pub fn message(&self) -> Message {
        let seed = self.seed.clone().unwrap_or(Seed { content: String::new(), steps: Vec::new() });
        Message {
            id: self.id,
            parent_id: Some(self.user_message_id),
            role: MessageRole::Assistant,
            status: self.status,
            content: seed.content,
            steps: seed.steps,
            model: Some(self.model.clone()),
            usage: None,
            stop_reason: None,
            error: None,
            reactions: Vec::new(),
            created_at: self.created_at,
            variants: Vec::new(),
            last_seq: Some(0),
            context: None,
            memories: Vec::new(),
            attachments: Vec::new(),
            given: None,
            sources: None,
        }
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    title: String,
    first_message: String,
    message_count: i32,
    pinned: bool,
    model: String,
    created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
    deleted_at: Option<OffsetDateTime>,
    messages: Json<Vec<Message>>,
    head: Option<Uuid>,
    open: Json<Vec<OpenAnswer>>,
    #[sqlx(flatten)]
    of_person: OfPerson,
    has_attachments: bool,
    has_memories: bool,
    now: OffsetDateTime,
    sent_before: Option<Json<SentBefore>>,
}

/// Waits for the conversation and keeps it until the transaction ends, so that changes take turns.
pub(crate) async fn lock(tx: &mut PgConnection, id: ConversationId) -> Result<()> {
    let known: Option<Uuid> =
        sqlx::query_scalar("SELECT id FROM conversations WHERE id = $1 FOR NO KEY UPDATE")
            .bind(id.0)
            .fetch_optional(tx)
            .await?;
    known.map(drop).ok_or_else(|| Error::not_found("conversation"))
}

pub(crate) async fn read(tx: &mut PgConnection, id: ConversationId) -> Result<Opened> {
    read_for(tx, id, None).await
}

/// Reads it, and whether this message of the person was sent before.
pub(crate) async fn read_for(
    tx: &mut PgConnection,
    id: ConversationId,
    message: Option<MessageId>,
) -> Result<Opened> {
    const OPENED: &str = concat!(
        "SELECT c.title, c.first_message, c.message_count, c.pinned, c.model, c.created_at, c.updated_at,
                c.deleted_at, c.messages, c.head,
                coalesce((SELECT jsonb_agg(jsonb_build_object(
                              'id', a.id, 'user_message_id', a.user_message_id, 'model', a.model,
                              'status', a.status, 'seed', a.seed, 'created_at', a.created_at) ORDER BY a.id)
                          FROM answers a
                          WHERE a.conversation_id = c.id AND a.status IN ('pending', 'streaming')), '[]') AS open,
                EXISTS (SELECT FROM conversation_attachments t WHERE t.conversation_id = c.id) AS has_attachments,
                EXISTS (SELECT FROM memories m WHERE m.owner_id = c.owner_id) AS has_memories, ",
        of_person!(),
        ", now() AS now,
                (SELECT jsonb_build_object('answer', s.id, 'hash', coalesce(encode(s.content_hash, 'hex'), ''))
                 FROM answers s WHERE s.user_id = c.owner_id AND s.user_message_id = $2 AND s.sent) AS sent_before
         FROM conversations c JOIN users u ON u.id = c.owner_id
         LEFT JOIN prompt_settings ps ON ps.user_id = u.id WHERE c.id = $1"
    );
    let row: Option<Row> =
        sqlx::query_as(OPENED).bind(id.0).bind(message.map(|MessageId(id)| id)).fetch_optional(tx).await?;
    let row = row.ok_or_else(|| Error::not_found("conversation"))?;
    Ok(Opened {
        summary: ConversationSummary {
            id,
            title: row.title,
            first_message: row.first_message,
            message_count: row.message_count,
            pinned: row.pinned,
            model: row.model,
            answering: !row.open.0.is_empty(),
            created_at: row.created_at,
            updated_at: row.updated_at,
            deleted_at: row.deleted_at,
        },
        messages: row.messages.0,
        head: row.head.map(MessageId),
        open: row.open.0,
        person: row.of_person.person(),
        of_person: row.of_person,
        has_attachments: row.has_attachments,
        has_memories: row.has_memories,
        now: row.now,
        sent_before: row.sent_before.map(|Json(sent)| sent),
    })
}

impl Domain {
    pub async fn conversation(
        &self,
        caller: &Caller,
        id: ConversationId,
        window: Window,
    ) -> Result<Conversation> {
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        let opened = read(&mut tx, id).await?;
        let mut all = opened.messages;
        for answer in &opened.open {
            let message = match self.inner.live.get(answer.id) {
                Some(live) => live.snapshot(),
                None => logged(&mut tx, answer).await?,
            };
            all.push(message);
        }
        let shown = path(&all, opened.head);
        let end = match window.before {
            None => shown.len(),
            Some(before) => shown
                .iter()
                .position(|m| m.id == before)
                .ok_or_else(|| Error::invalid("before", "That message is not on the path shown."))?,
        };
        let start = window.limit.map_or(0, |limit| end.saturating_sub(limit as usize));
        let mut messages = with_variants(&all, shown[start..end].to_vec());
        note_sources(&mut tx, &mut messages).await?;
        tx.commit().await?;
        Ok(Conversation {
            summary: opened.summary,
            messages,
            earlier: u32::try_from(start).unwrap_or(u32::MAX),
        })
    }
}

/// An answer as the event log has it.
pub(crate) async fn logged(tx: &mut PgConnection, answer: &OpenAnswer) -> Result<Message> {
    let batches: Vec<Json<Vec<Sequenced>>> =
        sqlx::query_scalar("SELECT events FROM stream_events WHERE answer_id = $1 ORDER BY last_seq")
            .bind(answer.id.0)
            .fetch_all(tx)
            .await?;
    let mut message = answer.message();
    for Sequenced { seq, event } in batches.into_iter().flat_map(|batch| batch.0) {
        message.apply(&event);
        message.last_seq = Some(seq);
    }
    Ok(message)
}
