//! Asking for an answer: a new message, another answer to an old one, or more of one that broke off.

use super::follow::AnswerStream;
use super::generation::{Ask, Gate};
use super::live::Live;
use super::{LEASE, LONGEST_MESSAGE};
use crate::conversations::change::refuse_deleted;
use crate::conversations::{OpenAnswer, Opened, Seed, lock, passages, read, summary_of};
use crate::database::Tx;
use crate::error::violated_unique;
use crate::notices::Signal;
use crate::providers::Choice;
use crate::text::{first_words, without_nul};
use crate::{Caller, Domain, Error, Result};
use sha2::{Digest, Sha256};
use shared::conversation::{Message, MessageRole, MessageStatus, NoteContext, Regenerate, SendMessage};
use shared::event::{AnswerEvent, Sequenced};
use shared::socket::ServerBody;
use shared::{ConversationId, ErrorCode, MessageId};
use sqlx::types::Json;
use std::sync::Arc;
use time::OffsetDateTime;
use tokio::sync::oneshot;

/// Answers that may wait in one conversation.
const MOST_WAITING: usize = 20;
/// The longest selection in a note, in bytes.
const LONGEST_SELECTION: usize = 100_000;

/// A new message of the person, checked.
struct Sent {
    id: MessageId,
    content: String,
    replaces: Option<MessageId>,
    context: Option<NoteContext>,
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
        let sent = Sent {
            id: request.user_message_id.unwrap_or_else(MessageId::new),
            content: without_nul(request.content),
            replaces: request.replaces,
            context: request.context.map(checked_context).transpose()?,
        };
        if let Some(context) = &sent.context {
            // Where the note is not theirs to see, it is not there.
            self.access_to(&caller.clone().into(), context.note_id).await?;
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
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        // Locked first: who waited here may find that the same message came in meanwhile.
        lock(&mut tx, conversation).await?;
        if let Some(answer) = repeated(&mut tx, &caller, conversation, &sent).await? {
            return Ok(AnswerStream::new(self, caller.user_id, conversation, answer, 0));
        }
        let mut opened = read(&mut tx, conversation).await?;
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
        opened.messages.push(message.clone());
        let hash = sent.hash(conversation);
        let begun = self.begin_early(&caller, &opened, &answer, &choice);
        insert_answer(&mut tx, self, &caller, conversation, &answer, Some(hash)).await?;
        sqlx::query(
            "UPDATE conversations SET messages = messages || $2, message_count = message_count + 1, head = $3,
                    first_message = CASE WHEN first_message = '' THEN $4 ELSE first_message END, updated_at = now()
             WHERE id = $1",
        )
        .bind(conversation.0)
        .bind(Json([&message]))
        .bind(answer.id.0)
        .bind(first_words(&message.content, 120))
        .execute(&mut *tx)
        .await?;
        passages::index(&mut tx, caller.user_id, conversation, &message).await?;
        self.commit_begun(tx, &caller, conversation, answer.id, begun).await
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
            let mut tx = domain.inner.db.as_user(caller.user_id).await?;
            lock(&mut tx, conversation).await?;
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
            insert_answer(&mut tx, &domain, &caller, conversation, &answer, None).await?;
            sqlx::query("UPDATE conversations SET head = $2, updated_at = now() WHERE id = $1")
                .bind(conversation.0)
                .bind(answer.id.0)
                .execute(&mut *tx)
                .await?;
            domain.commit_begun(tx, &caller, conversation, answer.id, begun).await
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

    async fn commit_begun(
        &self,
        mut tx: Tx,
        caller: &Caller,
        conversation: ConversationId,
        answer: MessageId,
        begun: Option<(Arc<Live>, Gate)>,
    ) -> Result<AnswerStream> {
        let started = ServerBody::AnswerStarted { conversation_id: conversation, message_id: answer };
        let summary = summary_of(&mut tx, conversation).await?;
        let changed = ServerBody::ConversationChanged(summary);
        Signal::send_all(
            &[Signal::chat(caller.user_id, started), Signal::chat(caller.user_id, changed)],
            &mut tx,
        )
        .await?;
        tx.commit().await?;
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

#[derive(Clone, Copy)]
enum Again {
    FromTheStart,
    WhereItStopped,
}

/// The answer to this very message, if it was sent before.
async fn repeated(
    tx: &mut Tx,
    caller: &Caller,
    conversation: ConversationId,
    sent: &Sent,
) -> Result<Option<MessageId>> {
    let known: Option<(uuid::Uuid, Option<Vec<u8>>)> = sqlx::query_as(
        "SELECT id, content_hash FROM answers WHERE user_id = $1 AND user_message_id = $2 AND sent",
    )
    .bind(caller.user_id.0)
    .bind(sent.id.0)
    .fetch_optional(&mut **tx)
    .await?;
    match known {
        None => Ok(None),
        Some((answer, Some(hash))) if hash == sent.hash(conversation) => Ok(Some(MessageId(answer))),
        Some(_) => Err(reused()),
    }
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

async fn insert_answer(
    tx: &mut Tx,
    domain: &Domain,
    caller: &Caller,
    conversation: ConversationId,
    answer: &OpenAnswer,
    content_hash: Option<Vec<u8>>,
) -> Result<()> {
    let begins = answer.status == MessageStatus::Streaming;
    sqlx::query(
        "INSERT INTO answers (id, conversation_id, user_id, user_message_id, sent, content_hash, model, status,
                              seed, server_id, lease_until, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, CASE WHEN $10 THEN $11 END,
                 CASE WHEN $10 THEN now() + make_interval(secs => $12) END, $13)",
    )
    .bind(answer.id.0)
    .bind(conversation.0)
    .bind(caller.user_id.0)
    .bind(answer.user_message_id.0)
    .bind(content_hash.is_some())
    .bind(content_hash)
    .bind(&answer.model)
    .bind(if begins { "streaming" } else { "pending" })
    .bind(answer.seed.as_ref().map(Json))
    .bind(begins)
    .bind(domain.inner.server_id)
    .bind(LEASE.as_secs_f64())
    .bind(answer.created_at)
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
