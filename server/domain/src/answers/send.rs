//! Asking for an answer: a new message, another answer to an old one, or more of one that broke off.

use super::follow::AnswerStream;
use super::generation::{Ask, Gate};
use super::live::Live;
use super::{LEASE, LONGEST_MESSAGE};
use crate::context::attachments;
use crate::conversations::change::refuse_deleted;
use crate::conversations::{OpenAnswer, Opened, Seed, passages, read, read_for};
use crate::database::Tx;
use crate::error::violated_unique;
use crate::notices::{Signal, payloads};
use crate::passages::CUTTER;
use crate::providers::Choice;
use crate::text::{first_words, without_nul};
use crate::{Caller, Domain, Error, Result};
use sha2::{Digest, Sha256};
use shared::context::Attached;
use shared::conversation::{
    ConversationSummary, Message, MessageRole, MessageStatus, NoteContext, Regenerate, SendMessage,
};
use shared::event::{AnswerEvent, Sequenced};
use shared::socket::ServerBody;
use shared::{ConversationId, ErrorCode, MessageId};
use sqlx::types::Json;
use std::sync::Arc;
use time::OffsetDateTime;
use tokio::sync::{Semaphore, oneshot};
use uuid::Uuid;

/// Messages that are taken in at the same time: of a burst, more would only make each slower.
const AT_A_TIME: usize = 5;
/// Answers that may wait in one conversation.
const MOST_WAITING: usize = 20;
/// The longest selection in a note, in bytes.
const LONGEST_SELECTION: usize = 100_000;

/// Whose turn it is to have a message taken in.
pub(crate) struct Turns(Semaphore);

impl Default for Turns {
    fn default() -> Self {
        Self(Semaphore::new(AT_A_TIME))
    }
}

/// A new message of the person, checked.
struct Sent {
    id: MessageId,
    content: String,
    replaces: Option<MessageId>,
    context: Option<NoteContext>,
    /// To be attached to the conversation with it.
    attachments: Vec<Attached>,
}

impl Sent {
    fn hash(&self, conversation: ConversationId) -> Vec<u8> {
        let mut hash = Sha256::new();
        hash.update(conversation.0.as_bytes());
        hash.update(self.content.as_bytes());
        hash.finalize().to_vec()
    }
}

impl Domain {
    /// Stores a message and has it answered. Sent again with the same id and content, it gives the
    /// same answer's stream.
    pub async fn send_message(
        &self,
        caller: &Caller,
        conversation: ConversationId,
        request: SendMessage,
    ) -> Result<AnswerStream> {
        if request.content.len() > LONGEST_MESSAGE {
            return Err(Error::problem(ErrorCode::PayloadTooLarge, "A message has at most 1 MB."));
        }
        if request.content.trim().is_empty() {
            return Err(Error::invalid("content", "Write something first."));
        }
        let mut sent = Sent {
            id: request.user_message_id.unwrap_or_else(MessageId::new),
            content: without_nul(request.content),
            replaces: request.replaces,
            context: request.context.map(checked_context).transpose()?,
            attachments: Vec::new(),
        };
        if let Some(context) = &sent.context {
            // Where the note is not theirs to see, it is not there.
            self.access_to(&caller.clone().into(), context.note_id).await?;
        }
        if !request.attachments.is_empty() {
            let mut tx = self.inner.db.as_user(caller.user_id).await?;
            sent.attachments = attachments::seen(&mut tx, &request.attachments).await?;
            tx.commit().await?;
        }
        let wanted = request.model;
        let (domain, caller) = (self.clone(), caller.clone());
        // On a task of its own: a client that goes away must not leave a message half sent.
        let work = async move { domain.send(caller, conversation, sent, wanted).await };
        tokio::spawn(work).await.map_err(Error::internal)?
    }

    async fn send(
        &self,
        caller: Caller,
        conversation: ConversationId,
        sent: Sent,
        wanted: Option<String>,
    ) -> Result<AnswerStream> {
        // Held first: who waited here may find that the same message came in meanwhile.
        let _turn = self.inner.turns.0.acquire().await;
        let mut tx = self.inner.db.as_user_holding(caller.user_id, conversation).await?;
        let mut opened = read_for(&mut tx, conversation, Some(sent.id)).await?;
        let hash = sent.hash(conversation);
        if let Some(before) = &opened.sent_before {
            if before.hash != hex(&hash) {
                return Err(reused());
            }
            return Ok(AnswerStream::new(self, caller.user_id, conversation, before.answer, 0));
        }
        refuse_deleted(&opened.summary)?;
        let choice = self.choice(wanted, &opened)?;
        let parent_id = match sent.replaces {
            None => opened.head,
            Some(id) => {
                let replaced = opened.messages.iter().find(|m| m.id == id && m.role == MessageRole::User);
                replaced.ok_or_else(|| Error::not_found("message of yours"))?.parent_id
            }
        };
        let message = user_message(&sent, parent_id);
        let answer = new_answer(sent.id, &choice, &opened, None)?;
        attachments::attach(&mut tx, caller.user_id, conversation, &sent.attachments).await?;
        opened.messages.push(message.clone());
        let begun = self.begin_early(&caller, &opened, &answer, &choice);
        let beginning = Beginning { answer: &answer, message: Some((&message, hash)) };
        self.store_begun(tx, &caller, opened.summary, opened.now, beginning, begun).await
    }

    /// Another answer to the message that `message` answers; the earlier one stays as a variant.
    pub async fn regenerate(
        &self,
        caller: &Caller,
        conversation: ConversationId,
        message: MessageId,
        request: Regenerate,
    ) -> Result<AnswerStream> {
        self.answer_again(caller, conversation, message, request.model, Again::FromTheStart).await
    }

    /// A new variant that begins with what the answer has and goes on from there.
    pub async fn continue_answer(
        &self,
        caller: &Caller,
        conversation: ConversationId,
        message: MessageId,
    ) -> Result<AnswerStream> {
        self.answer_again(caller, conversation, message, None, Again::WhereItStopped).await
    }

    async fn answer_again(
        &self,
        caller: &Caller,
        conversation: ConversationId,
        message: MessageId,
        wanted: Option<String>,
        again: Again,
    ) -> Result<AnswerStream> {
        let (domain, caller) = (self.clone(), caller.clone());
        let work = async move {
            let mut tx = domain.inner.db.as_user_holding(caller.user_id, conversation).await?;
            let opened = read(&mut tx, conversation).await?;
            refuse_deleted(&opened.summary)?;
            let earlier = opened
                .messages
                .iter()
                .find(|m| m.id == message && m.role == MessageRole::Assistant)
                .ok_or_else(|| Error::not_found("finished answer"))?;
            let answered = earlier.parent_id.ok_or_else(|| Error::not_found("message that it answers"))?;
            let wanted = wanted.or_else(|| match again {
                Again::WhereItStopped => earlier.model.clone(),
                Again::FromTheStart => None,
            });
            let choice = domain.choice(wanted, &opened)?;
            let seed = match again {
                Again::FromTheStart => None,
                Again::WhereItStopped => {
                    Some(Seed { content: earlier.content.clone(), steps: earlier.steps.clone() })
                }
            };
            let answer = new_answer(answered, &choice, &opened, seed)?;
            let begun = domain.begin_early(&caller, &opened, &answer, &choice);
            let beginning = Beginning { answer: &answer, message: None };
            domain.store_begun(tx, &caller, opened.summary, opened.now, beginning, begun).await
        };
        tokio::spawn(work).await.map_err(Error::internal)?
    }

    /// Who answers: as asked for, else as the conversation says, else the server's default. A model
    /// that a conversation names and nobody offers any more gives way to the default.
    fn choice(&self, wanted: Option<String>, opened: &Opened) -> Result<Choice> {
        match wanted.filter(|w| !w.is_empty()) {
            Some(wanted) => self.inner.providers.choose(&wanted),
            None => self
                .inner
                .providers
                .choose(&opened.summary.model)
                .or_else(|_| self.inner.providers.choose("")),
        }
    }

    /// Asks the model while the message is still being committed, so that its first word comes
    /// sooner; nothing is shown or kept unless the commit succeeds. None when the answer must wait.
    fn begin_early(
        &self,
        caller: &Caller,
        opened: &Opened,
        answer: &OpenAnswer,
        choice: &Choice,
    ) -> Option<(Arc<Live>, Gate)> {
        if answer.status == MessageStatus::Pending {
            return None;
        }
        let live = Arc::new(Live::new(opened.summary.id, caller.user_id, answer.message(), 0));
        let (gate, opens) = oneshot::channel();
        self.generate(live.clone(), Ask::new(choice.clone(), opened, answer), opens);
        Some((live, gate))
    }

    /// Stores what begins, and lets the answer be shown.
    async fn store_begun(
        &self,
        mut tx: Tx,
        caller: &Caller,
        before: ConversationSummary,
        now: OffsetDateTime,
        beginning: Beginning<'_>,
        begun: Option<(Arc<Live>, Gate)>,
    ) -> Result<AnswerStream> {
        let (conversation, answer) = (before.id, beginning.answer.id);
        let started = ServerBody::AnswerStarted { conversation_id: conversation, message_id: answer };
        let changed = ServerBody::ConversationChanged(beginning.summary(before, now));
        let signals = [Signal::chat(caller.user_id, started), Signal::chat(caller.user_id, changed)];
        insert(&mut tx, self.inner.server_id, caller, conversation, &beginning, &signals).await?;
        self.commit_and_tell(tx).await?;
        if let Some((live, gate)) = begun {
            self.inner.live.insert(live.clone());
            // The task waits at the gate; it can only be gone if the server stops.
            if gate.send(()).is_err() {
                self.inner.live.remove(live.id);
            }
        }
        Ok(AnswerStream::new(self, caller.user_id, conversation, answer, 0))
    }
}

/// An answer that is asked for, and the message that it came with, with the message's hash.
struct Beginning<'a> {
    answer: &'a OpenAnswer,
    message: Option<(&'a Message, Vec<u8>)>,
}

impl Beginning<'_> {
    fn first_words(&self) -> String {
        self.message.as_ref().map_or_else(String::new, |(message, _)| first_words(&message.content, 120))
    }

    /// The conversation as [`insert`] leaves it.
    fn summary(&self, mut summary: ConversationSummary, now: OffsetDateTime) -> ConversationSummary {
        summary.message_count += i32::from(self.message.is_some());
        if summary.first_message.is_empty() {
            summary.first_message = self.first_words();
        }
        summary.answering = true;
        summary.updated_at = now;
        summary
    }
}

#[derive(Clone, Copy)]
enum Again {
    FromTheStart,
    WhereItStopped,
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn reused() -> Error {
    Error::problem(
        ErrorCode::MessageIdReused,
        "This user_message_id was used for another message. Make a new id for a new message.",
    )
}

fn checked_context(context: NoteContext) -> Result<NoteContext> {
    let selection = context.selection.map(without_nul).filter(|text| !text.trim().is_empty());
    if selection.as_ref().is_some_and(|text| text.len() > LONGEST_SELECTION) {
        return Err(Error::invalid("context", "At most 100 KB can be selected for a message."));
    }
    Ok(NoteContext { note_id: context.note_id, selection })
}

fn user_message(sent: &Sent, parent_id: Option<MessageId>) -> Message {
    Message {
        id: sent.id,
        parent_id,
        role: MessageRole::User,
        status: MessageStatus::Complete,
        content: sent.content.clone(),
        steps: Vec::new(),
        model: None,
        usage: None,
        stop_reason: None,
        error: None,
        reactions: Vec::new(),
        created_at: OffsetDateTime::now_utc(),
        variants: Vec::new(),
        last_seq: None,
        context: sent.context.clone(),
        memories: Vec::new(),
        attachments: sent.attachments.clone(),
        given: None,
        sources: None,
    }
}

/// The answer as it is asked for: it begins at once, or waits where another is being written.
fn new_answer(
    user_message_id: MessageId,
    choice: &Choice,
    opened: &Opened,
    seed: Option<Seed>,
) -> Result<OpenAnswer> {
    if opened.open.len() >= MOST_WAITING {
        return Err(Error::problem(
            ErrorCode::Conflict,
            format!("{MOST_WAITING} answers wait here already. Let some of them come first."),
        ));
    }
    Ok(OpenAnswer {
        id: MessageId::new(),
        user_message_id,
        model: choice.id(),
        status: if opened.open.is_empty() { MessageStatus::Streaming } else { MessageStatus::Pending },
        seed,
        created_at: OffsetDateTime::now_utc(),
    })
}

/// Stores everything that begins in one statement: the way to the first token is short.
async fn insert(
    tx: &mut Tx,
    server: Uuid,
    caller: &Caller,
    conversation: ConversationId,
    beginning: &Beginning<'_>,
    signals: &[Signal],
) -> Result<()> {
    let answer = beginning.answer;
    let begins = answer.status == MessageStatus::Streaming;
    let message = beginning.message.as_ref().map(|(message, _)| *message);
    let (ordinals, passages) = passages::numbered(message.map_or("", |message| &message.content));
    sqlx::query(
        "WITH answer AS (
             INSERT INTO answers (id, conversation_id, user_id, user_message_id, sent, content_hash, model, status,
                                  seed, server_id, lease_until, created_at)
             VALUES ($1, $2, $3, $4, $5 IS NOT NULL, $5, $6, $7, $8, CASE WHEN $9 THEN $10 END,
                     CASE WHEN $9 THEN now() + make_interval(secs => $11) END, $12)
         ), conversation AS (
             UPDATE conversations SET messages = messages || $13, message_count = message_count + jsonb_array_length($13),
                    first_message = CASE WHEN first_message = '' THEN $14 ELSE first_message END,
                    head = $1, updated_at = now()
             WHERE id = $2
         ), passage AS (
             INSERT INTO chunks (owner_id, source_kind, source_id, part_id, ordinal, text, cut_by)
             SELECT $3, 'message', $2, $4, ordinal, text, $18 FROM unnest($15::int[], $16::text[]) AS p (ordinal, text)
         )
         INSERT INTO signals (payload)
         SELECT payload FROM unnest($17::text[]) WITH ORDINALITY AS s (payload, n) ORDER BY n",
    )
    .bind(answer.id.0)
    .bind(conversation.0)
    .bind(caller.user_id.0)
    .bind(answer.user_message_id.0)
    .bind(beginning.message.as_ref().map(|(_, hash)| hash))
    .bind(&answer.model)
    .bind(if begins { "streaming" } else { "pending" })
    .bind(answer.seed.as_ref().map(Json))
    .bind(begins)
    .bind(server)
    .bind(LEASE.as_secs_f64())
    .bind(answer.created_at)
    .bind(Json(message.as_slice()))
    .bind(beginning.first_words())
    .bind(ordinals)
    .bind(passages)
    .bind(payloads(signals)?)
    .bind(CUTTER)
    .execute(&mut **tx)
    .await
    .map_err(|e| match violated_unique(&e) {
        Some("answers_sent") => reused(),
        _ => e.into(),
    })?;
    if !begins {
        // Whoever follows it from now on sees that it waits.
        let waits = Sequenced { seq: 1, event: begins_event(conversation, answer, MessageStatus::Pending) };
        sqlx::query(
            "INSERT INTO stream_events (answer_id, first_seq, last_seq, events) VALUES ($1, 1, 1, $2)",
        )
        .bind(answer.id.0)
        .bind(Json([waits]))
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}

/// The event that says which answer this is.
pub(super) fn begins_event(
    conversation_id: ConversationId,
    answer: &OpenAnswer,
    status: MessageStatus,
) -> AnswerEvent {
    AnswerEvent::Message {
        conversation_id,
        user_message_id: answer.user_message_id,
        message_id: answer.id,
        status,
        model: answer.model.clone(),
    }
}
