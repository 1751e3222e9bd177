//! Answers whose server died: ended with what had arrived, by their own server when it starts again,
//! by any other when the lease has run out.

use super::store::{Closing, End, begin_waiting};
use super::{LEASE, SEQUENCE_JUMP};
use crate::conversations::{logged, read};
use crate::{Domain, Result};
use shared::event::{AnswerEvent, Sequenced};
use shared::{ConversationId, MessageId, UserId};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// How often leases of others and waiting answers are looked at.
const ROUND: Duration = Duration::from_secs(2);
/// After the database was away, the holders of leases get this long to renew them.
const GRACE: Duration = LEASE.saturating_mul(2);

type Row = (Uuid, Uuid, Uuid);

impl Domain {
    /// What this server was writing when it died is ended at once.
    pub(crate) async fn end_own_lost_answers(&self) -> Result<()> {
        let mut tx = self.inner.db.as_system().await?;
        let lost: Vec<Row> = sqlx::query_as(
            "UPDATE answers SET lease_until = now() + make_interval(secs => $2)
             WHERE status = 'streaming' AND server_id = $1 RETURNING id, conversation_id, user_id",
        )
        .bind(self.inner.server_id)
        .bind(LEASE.as_secs_f64())
        .fetch_all(&mut *tx)
        .await?;
        tx.commit().await?;
        self.end_lost(lost).await;
        Ok(())
    }

    pub(crate) fn start_watchdog(&self) {
        let domain = self.clone();
        self.inner.tasks.spawn(async move {
            let mut reachable_since = Instant::now();
            loop {
                tokio::select! {
                    () = domain.inner.stop.cancelled() => break,
                    () = tokio::time::sleep(ROUND) => {}
                }
                let round = async {
                    domain.begin_forgotten().await?;
                    if reachable_since.elapsed() >= GRACE { domain.end_expired().await } else { Ok(()) }
                };
                if let Err(error) = round.await {
                    tracing::debug!(
                        error = &error as &dyn std::error::Error,
                        "leases could not be looked at"
                    );
                    reachable_since = Instant::now();
                }
            }
        });
    }

    /// Takes over answers whose lease has run out, whoever held it, and ends them.
    async fn end_expired(&self) -> Result<()> {
        let own: Vec<Uuid> = self.inner.live.all().iter().map(|live| live.id.0).collect();
        let mut tx = self.inner.db.as_system().await?;
        let lost: Vec<Row> = sqlx::query_as(
            "UPDATE answers SET server_id = $1, lease_until = now() + make_interval(secs => $2)
             WHERE id IN (SELECT id FROM answers WHERE status = 'streaming' AND lease_until < now()
                          AND id <> ALL($3) FOR UPDATE SKIP LOCKED)
             RETURNING id, conversation_id, user_id",
        )
        .bind(self.inner.server_id)
        .bind(LEASE.as_secs_f64())
        .bind(own)
        .fetch_all(&mut *tx)
        .await?;
        tx.commit().await?;
        self.end_lost(lost).await;
        Ok(())
    }

    /// Begins what waits in conversations where nothing is being written: its turn came while the
    /// server that should have begun it was away.
    async fn begin_forgotten(&self) -> Result<()> {
        let mut tx = self.inner.db.as_system().await?;
        let waiting: Vec<(Uuid, Uuid)> = sqlx::query_as(
            "SELECT DISTINCT conversation_id, user_id FROM answers p WHERE status = 'pending'
             AND created_at < now() - interval '2 seconds'
             AND NOT EXISTS (SELECT FROM answers s WHERE s.conversation_id = p.conversation_id AND s.status = 'streaming')
             LIMIT 100",
        )
        .fetch_all(&mut *tx)
        .await?;
        tx.commit().await?;
        for (conversation, user) in waiting {
            let (conversation, user) = (ConversationId(conversation), UserId(user));
            let mut tx = self.inner.db.as_user(user).await?;
            crate::conversations::lock(&mut tx, conversation).await?;
            let next = begin_waiting(&mut tx, conversation, self.inner.server_id).await?;
            tx.commit().await?;
            if let Some(next) = next {
                self.begin_next(user, conversation, next).await;
            }
        }
        Ok(())
    }

    async fn end_lost(&self, lost: Vec<Row>) {
        for (answer, conversation, user) in lost {
            let (answer, conversation, user) =
                (MessageId(answer), ConversationId(conversation), UserId(user));
            if let Err(error) = self.end_one(answer, conversation, user).await {
                tracing::error!(%answer, error = &error as &dyn std::error::Error, "a lost answer could not be ended");
            }
        }
    }

    async fn end_one(&self, answer: MessageId, conversation: ConversationId, user: UserId) -> Result<()> {
        let mut tx = self.inner.db.as_user(user).await?;
        let opened = read(&mut tx, conversation).await?;
        let Some(open) = opened.open.iter().find(|a| a.id == answer) else { return Ok(()) };
        let mut message = logged(&mut tx, open).await?;
        tx.commit().await?;
        // Events after the last stored one may have been sent: their numbers are not used again,
        // and readers take what was stored in place of what they have.
        let seq = message.last_seq.unwrap_or(0) + SEQUENCE_JUMP;
        let reset = AnswerEvent::Reset { content: message.content.clone(), steps: message.steps.clone() };
        let end = End::Error(
            "The server stopped while this was being written. What had arrived is kept; continue it or ask again."
                .into(),
        )
        .event();
        message.apply(&end);
        let events = [Sequenced { seq, event: reset }, Sequenced { seq: seq + 1, event: end }];
        let closing =
            Closing { conversation_id: conversation, user_id: user, message: &message, events: &events };
        if let Some(next) = self.close(closing).await? {
            self.begin_next(user, conversation, next).await;
        }
        tracing::info!(%answer, "ended an answer whose server had died");
        Ok(())
    }
}
