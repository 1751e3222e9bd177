//! Reading an answer from any place in it, wherever it is being written.

use super::live::Since;
use crate::{Caller, Domain, Error, Result};
use shared::event::{AnswerEvent, Sequenced};
use shared::{ConversationId, MessageId, UserId};
use sqlx::types::Json;
use std::time::Duration;
use uuid::Uuid;

/// How often the database is asked about an answer that another server writes, when no
/// notification comes.
const POLL: Duration = Duration::from_millis(1000);
/// Batches of the log that are read at once.
const BATCHES: i64 = 40;

/// The events of one answer after a place in it.
pub struct AnswerStream {
    domain: Domain,
    user_id: UserId,
    conversation_id: ConversationId,
    answer_id: MessageId,
    after: u64,
    ended: bool,
}

/// What the database says of an answer that this server does not write.
enum Logged {
    Events(Vec<Sequenced>),
    /// It runs elsewhere or waits its turn.
    Open,
    Ended,
}

impl AnswerStream {
    pub(super) fn new(
        domain: &Domain,
        user_id: UserId,
        conversation_id: ConversationId,
        answer_id: MessageId,
        after: u64,
    ) -> Self {
        Self { domain: domain.clone(), user_id, conversation_id, answer_id, after, ended: false }
    }

    /// The answer that is followed.
    pub fn answer_id(&self) -> MessageId {
        self.answer_id
    }

    /// Waits for at least one event, then gives all that are there. None when the answer has ended,
    /// or when its events cannot be read for now: the reader follows again after its last event.
    pub async fn next(&mut self) -> Option<Vec<Sequenced>> {
        if self.ended {
            return None;
        }
        let domain = self.domain.clone();
        loop {
            let moved = domain.inner.notices.answers_moved.notified();
            tokio::pin!(moved);
            moved.as_mut().enable();
            if let Some(live) = domain.inner.live.get(self.answer_id) {
                let mut watch = live.watch();
                match live.since(self.after) {
                    Since::Events(events) => return self.pass_on(events),
                    Since::Ended => return None,
                    Since::Nothing => {
                        // The sender lives as long as `live` does.
                        if watch.wait_for(|last| *last > self.after).await.is_err() {
                            return None;
                        }
                        continue;
                    }
                    Since::Older => {}
                }
            }
            match self.logged().await {
                Ok(Logged::Events(events)) => return self.pass_on(events),
                Ok(Logged::Ended) => return None,
                Ok(Logged::Open) => {
                    tokio::select! {
                        () = moved => {}
                        () = tokio::time::sleep(POLL) => {}
                        () = domain.inner.stop.cancelled() => return None,
                    }
                }
                Err(error) => {
                    tracing::warn!(answer = %self.answer_id, error = &error as &dyn std::error::Error, "an answer cannot be followed for now");
                    return None;
                }
            }
        }
    }

    fn pass_on(&mut self, events: Vec<Sequenced>) -> Option<Vec<Sequenced>> {
        let last = events.last()?;
        self.after = last.seq;
        self.ended = last.event.is_last();
        Some(events)
    }

    async fn logged(&self) -> Result<Logged> {
        let mut tx = self.domain.inner.db.as_user(self.user_id).await?;
        let after = i64::try_from(self.after).unwrap_or(i64::MAX);
        // The state is read first: what is stored after this look is seen by the next.
        let (status, last_seq): (String, i64) =
            sqlx::query_as("SELECT status, last_seq FROM answers WHERE id = $1")
                .bind(self.answer_id.0)
                .fetch_optional(&mut *tx)
                .await?
                .ok_or_else(|| Error::not_found("answer"))?;
        let batches: Vec<Json<Vec<Sequenced>>> = sqlx::query_scalar(
            "SELECT events FROM stream_events WHERE answer_id = $1 AND last_seq > $2 ORDER BY last_seq LIMIT $3",
        )
        .bind(self.answer_id.0)
        .bind(after)
        .bind(BATCHES)
        .fetch_all(&mut *tx)
        .await?;
        let events: Vec<Sequenced> =
            batches.into_iter().flat_map(|batch| batch.0).filter(|event| event.seq > self.after).collect();
        if !events.is_empty() {
            return Ok(Logged::Events(events));
        }
        match status.as_str() {
            "pending" | "streaming" => Ok(Logged::Open),
            // The log is pruned a day after the end; the message tells the same in short.
            _ if last_seq > after => self.as_the_message_tells(&mut tx, last_seq.unsigned_abs()).await,
            _ => Ok(Logged::Ended),
        }
    }

    async fn as_the_message_tells(&self, tx: &mut sqlx::PgConnection, last_seq: u64) -> Result<Logged> {
        let opened = crate::conversations::read(tx, self.conversation_id).await?;
        let Some(message) = opened.messages.into_iter().find(|m| m.id == self.answer_id) else {
            return Ok(Logged::Ended);
        };
        let end = match (message.stop_reason, message.error) {
            (_, Some(message)) => AnswerEvent::Error { message },
            (reason, None) => {
                AnswerEvent::Done { stop_reason: reason.unwrap_or(shared::conversation::StopReason::End) }
            }
        };
        let reset = AnswerEvent::Reset { content: message.content, steps: message.steps };
        let events = [reset, end];
        let first = last_seq.saturating_sub(events.len() as u64 - 1).max(self.after + 1);
        Ok(Logged::Events((first..).zip(events).map(|(seq, event)| Sequenced { seq, event }).collect()))
    }
}

impl Domain {
    /// The events of an answer after `after`, from wherever they are.
    pub async fn follow_answer(
        &self,
        caller: &Caller,
        conversation: ConversationId,
        answer: MessageId,
        after: u64,
    ) -> Result<AnswerStream> {
        // While the database is away, an answer of this server can be followed all the same.
        let own = self
            .inner
            .live
            .get(answer)
            .is_some_and(|live| live.user_id == caller.user_id && live.conversation_id == conversation);
        if !own {
            let mut tx = self.inner.db.as_user(caller.user_id).await?;
            let known: Option<Uuid> =
                sqlx::query_scalar("SELECT id FROM answers WHERE id = $1 AND conversation_id = $2")
                    .bind(answer.0)
                    .bind(conversation.0)
                    .fetch_optional(&mut *tx)
                    .await?;
            known.ok_or_else(|| Error::not_found("answer"))?;
        }
        Ok(AnswerStream::new(self, caller.user_id, conversation, answer, after))
    }
}
