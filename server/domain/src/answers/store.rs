//! The end of an answer: one transaction appends the message to its conversation, closes the answer
//! and lets the next one begin.

use super::LEASE;
use super::generation::Ask;
use super::live::Live;
use crate::conversations::{lock, passages, read, summary_of};
use crate::notices::Signal;
use crate::{Caller, Domain, Error, Result};
use shared::conversation::{Message, MessageStatus, StopReason};
use shared::event::{AnswerEvent, Sequenced};
use shared::socket::ServerBody;
use shared::{ConversationId, MessageId, UserId};
use sqlx::types::Json;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use uuid::Uuid;

/// How an answer ends.
#[derive(Clone, Debug)]
pub(super) enum End {
    Done(StopReason),
    /// For a person: what happened and what to do.
    Error(String),
}

impl End {
    pub fn event(self) -> AnswerEvent {
        match self {
            Self::Done(stop_reason) => AnswerEvent::Done { stop_reason },
            Self::Error(message) => AnswerEvent::Error { message },
        }
    }
}

/// What is written when an answer ends.
pub(super) struct Closing<'a> {
    pub conversation_id: ConversationId,
    pub user_id: UserId,
    /// With the end applied.
    pub message: &'a Message,
    /// Events that the log does not have yet, the end last.
    pub events: &'a [Sequenced],
}

impl Domain {
    /// Stores the end of an answer of this server, however long the database is away, and only then
    /// tells its readers.
    pub(super) async fn store(&self, live: &Arc<Live>, end: End) {
        let event = end.event();
        let mut wait = Duration::from_millis(250);
        let mut tries_at_shutdown = 3;
        loop {
            match self.try_store(live, &event).await {
                Ok(next) => {
                    live.push(event);
                    self.inner.live.remove(live.id);
                    if let Some(next) = next {
                        self.begin_next(live.user_id, live.conversation_id, next).await;
                    }
                    return;
                }
                Err(error) if error.is_database_away() && tries_at_shutdown > 0 => {
                    tracing::warn!(answer = %live.id, error = &error as &dyn std::error::Error, "an answer waits to be stored");
                    if self.inner.stop.is_cancelled() {
                        tries_at_shutdown -= 1;
                    }
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(Duration::from_secs(5));
                }
                Err(error) => {
                    tracing::error!(answer = %live.id, error = &error as &dyn std::error::Error, "an answer could not be stored");
                    live.push(AnswerEvent::Error {
                        message: "This answer could not be stored; it is lost when you leave the page."
                            .into(),
                    });
                    self.inner.live.remove(live.id);
                    return;
                }
            }
        }
    }

    async fn try_store(&self, live: &Live, end: &AnswerEvent) -> Result<Option<MessageId>> {
        let _storing = live.storing.lock().await;
        let mut message = live.snapshot();
        let seq = message.last_seq.unwrap_or(0) + 1;
        message.apply(end);
        let mut events = live.unstored();
        events.push(Sequenced { seq, event: end.clone() });
        let closing = Closing {
            conversation_id: live.conversation_id,
            user_id: live.user_id,
            message: &message,
            events: &events,
        };
        let next = self.close(closing).await?;
        live.mark_stored(seq);
        Ok(next)
    }

    /// Closes an answer that this server holds. Gives the answer that begins now, if one waited.
    pub(super) async fn close(&self, closing: Closing<'_>) -> Result<Option<MessageId>> {
        let Closing { conversation_id, user_id, message, events } = closing;
        let mut tx = self.inner.db.as_user_holding(user_id, conversation_id).await?;
        let last_seq = events.last().map_or(0, |event| event.seq);
        let held = sqlx::query(
            "UPDATE answers SET status = $2, last_seq = $3, ended_at = now(), lease_until = NULL
             WHERE id = $1 AND (status = 'pending' OR status = 'streaming' AND server_id = $4)",
        )
        .bind(message.id.0)
        .bind(if message.status == MessageStatus::Error { "error" } else { "complete" })
        .bind(i64::try_from(last_seq).map_err(Error::internal)?)
        .bind(self.inner.server_id)
        .execute(&mut *tx)
        .await?;
        if held.rows_affected() == 0 {
            return Err(Error::internal(anyhow::anyhow!("the answer is no longer this server's to end")));
        }
        if let (Some(first), Some(last)) = (events.first(), events.last()) {
            sqlx::query(
                "INSERT INTO stream_events (answer_id, first_seq, last_seq, events) VALUES ($1, $2, $3, $4)",
            )
            .bind(message.id.0)
            .bind(i64::try_from(first.seq).map_err(Error::internal)?)
            .bind(i64::try_from(last.seq).map_err(Error::internal)?)
            .bind(Json(events))
            .execute(&mut *tx)
            .await?;
        }
        let stored = Message { last_seq: None, variants: Vec::new(), ..message.clone() };
        sqlx::query(
            "UPDATE conversations SET messages = messages || $2, message_count = message_count + 1,
                    updated_at = now() WHERE id = $1",
        )
        .bind(conversation_id.0)
        .bind(Json([&stored]))
        .execute(&mut *tx)
        .await?;
        passages::index(&mut tx, user_id, conversation_id, &stored).await?;
        let next = begin_waiting(&mut tx, conversation_id, self.inner.server_id).await?;
        let summary = summary_of(&mut tx, conversation_id).await?;
        if summary.title.is_empty() {
            crate::jobs::queue(&mut tx, super::title::job(user_id, conversation_id)).await?;
        }
        if message.model.as_deref().is_some_and(|model| model != shared::provider::BUILT_IN_MODEL) {
            crate::memories::put_off_look(&mut tx, user_id, conversation_id).await?;
        }
        let ended = ServerBody::AnswerEnded { conversation_id, message_id: message.id };
        let signals = [
            Signal::chat(user_id, ended),
            Signal::chat(user_id, ServerBody::ConversationChanged(summary)),
            Signal::AnswerMoved,
        ];
        Signal::store_all(&signals, &mut tx).await?;
        self.commit_and_tell(tx).await?;
        Ok(next)
    }

    /// Ends an answer: at once if it waits, else by telling whoever writes it.
    pub async fn stop_answer(
        &self,
        caller: &Caller,
        conversation: ConversationId,
        answer: MessageId,
    ) -> Result<()> {
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        lock(&mut tx, conversation).await?;
        let status: Option<String> =
            sqlx::query_scalar("SELECT status FROM answers WHERE id = $1 AND conversation_id = $2")
                .bind(answer.0)
                .bind(conversation.0)
                .fetch_optional(&mut *tx)
                .await?;
        match status.as_deref() {
            None => Err(Error::not_found("answer")),
            Some("streaming") => {
                Signal::Stop { message_id: answer }.send(&mut tx).await?;
                tx.commit().await?;
                Ok(())
            }
            Some("pending") => {
                let waiting = read(&mut tx, conversation).await?.open.into_iter().find(|a| a.id == answer);
                let waiting = waiting.ok_or_else(|| Error::not_found("answer"))?;
                tx.commit().await?;
                let mut message = waiting.message();
                let event = End::Done(StopReason::Stopped).event();
                message.apply(&event);
                let events = [Sequenced { seq: 2, event }];
                let closing = Closing {
                    conversation_id: conversation,
                    user_id: caller.user_id,
                    message: &message,
                    events: &events,
                };
                if let Some(next) = self.close(closing).await? {
                    self.begin_next(caller.user_id, conversation, next).await;
                }
                Ok(())
            }
            Some(_) => Ok(()),
        }
    }

    /// Begins an answer that has waited and is now this server's.
    pub(super) async fn begin_next(&self, user: UserId, conversation: ConversationId, answer: MessageId) {
        if let Err(error) = self.try_begin_next(user, conversation, answer).await {
            // Its lease runs out, and it is ended with what it has.
            tracing::error!(%answer, error = &error as &dyn std::error::Error, "an answer that waited could not begin");
        }
    }

    async fn try_begin_next(
        &self,
        user: UserId,
        conversation: ConversationId,
        answer: MessageId,
    ) -> Result<()> {
        let mut tx = self.inner.db.as_user(user).await?;
        let opened = read(&mut tx, conversation).await?;
        let last: i64 =
            sqlx::query_scalar("SELECT coalesce(max(last_seq), 0) FROM stream_events WHERE answer_id = $1")
                .bind(answer.0)
                .fetch_one(&mut *tx)
                .await?;
        tx.commit().await?;
        let waiting =
            opened.open.iter().find(|a| a.id == answer).ok_or_else(|| Error::not_found("answer"))?;
        let choice = match self.inner.providers.choose(&waiting.model) {
            Ok(choice) => choice,
            Err(_) => self.inner.providers.choose("")?,
        };
        let live = Arc::new(Live::new(conversation, user, waiting.message(), last.unsigned_abs()));
        let (gate, opens) = oneshot::channel();
        self.generate(live.clone(), Ask::new(choice, &opened, waiting), opens);
        self.inner.live.insert(live);
        self.inner.notices.answers_moved.notify_waiters();
        // The task waits at the gate; it can only be gone if the server stops.
        gate.send(()).map_err(|()| Error::internal(anyhow::anyhow!("the server is stopping")))
    }
}

/// Takes the next waiting answer of a conversation for this server, in the given transaction.
pub(super) async fn begin_waiting(
    tx: &mut sqlx::PgConnection,
    conversation: ConversationId,
    server: Uuid,
) -> Result<Option<MessageId>> {
    let next: Option<Uuid> = sqlx::query_scalar(
        "UPDATE answers SET status = 'streaming', server_id = $2, lease_until = now() + make_interval(secs => $3)
         WHERE id = (SELECT id FROM answers WHERE conversation_id = $1 AND status = 'pending'
                     AND NOT EXISTS (SELECT FROM answers WHERE conversation_id = $1 AND status = 'streaming')
                     ORDER BY id LIMIT 1)
         RETURNING id",
    )
    .bind(conversation.0)
    .bind(server)
    .bind(LEASE.as_secs_f64())
    .fetch_optional(tx)
    .await?;
    Ok(next.map(MessageId))
}
