//! The writer of the event log: one task that takes what all running answers have and stores it in
//! one statement, so that two hundred streams cost as much as one.

use super::LEASE;
use crate::notices::Signal;
use crate::{Domain, Error, Result};
use sqlx::types::Json;
use std::time::{Duration, Instant};

/// Events of one answer after which it is stored without waiting for the time.
pub(super) const BATCH: u64 = 50;
/// The longest that events wait to be stored.
const INTERVAL: Duration = Duration::from_millis(400);
/// The shortest time between two rounds, however much arrives.
const BREATH: Duration = Duration::from_millis(100);
/// How often leases are renewed.
const RENEWAL: Duration = Duration::from_millis(1500);

impl Domain {
    pub(crate) fn start_writer(&self) {
        let domain = self.clone();
        self.inner.tasks.spawn(async move {
            let mut renewed = Instant::now();
            loop {
                tokio::select! {
                    // Ends with the last answer, which may wait for the database.
                    () = domain.inner.stop.cancelled() => break,
                    () = tokio::time::sleep(INTERVAL) => {}
                    () = domain.inner.live.many_unstored.notified() => {}
                }
                if let Err(error) = domain.write_round(&mut renewed).await {
                    // Nothing is lost: the events stay in memory, bounded by the length of an answer.
                    tracing::warn!(error = &error as &dyn std::error::Error, "events wait to be stored");
                    tokio::time::sleep(INTERVAL).await;
                }
                tokio::time::sleep(BREATH).await;
            }
        });
    }

    async fn write_round(&self, renewed: &mut Instant) -> Result<()> {
        let running = self.inner.live.all();
        if running.is_empty() {
            return Ok(());
        }
        let mut ids = Vec::new();
        let (mut firsts, mut lasts, mut batches) = (Vec::new(), Vec::new(), Vec::new());
        let mut taken = Vec::new();
        for live in &running {
            // Locked means that the answer is being closed, which stores its events.
            let Ok(guard) = live.storing.try_lock() else { continue };
            let events = live.unstored();
            for batch in events.chunks(BATCH as usize) {
                let (Some(first), Some(last)) = (batch.first(), batch.last()) else { continue };
                ids.push(live.id.0);
                firsts.push(i64::try_from(first.seq).map_err(Error::internal)?);
                lasts.push(i64::try_from(last.seq).map_err(Error::internal)?);
                batches.push(Json(batch.to_vec()));
            }
            if let Some(last) = events.last() {
                taken.push((live, guard, last.seq));
            }
        }
        let renew = renewed.elapsed() >= RENEWAL;
        if ids.is_empty() && !renew {
            return Ok(());
        }
        let mut tx = self.inner.db.as_system().await?;
        if !ids.is_empty() {
            // An answer that was purged meanwhile is left out by the join.
            sqlx::query(
                "INSERT INTO stream_events (answer_id, first_seq, last_seq, events)
                 SELECT b.answer_id, b.first_seq, b.last_seq, b.events
                 FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::jsonb[]) AS b (answer_id, first_seq, last_seq, events)
                 JOIN answers a ON a.id = b.answer_id
                 ON CONFLICT DO NOTHING",
            )
            .bind(ids)
            .bind(firsts)
            .bind(lasts)
            .bind(batches)
            .execute(&mut *tx)
            .await?;
            Signal::AnswerMoved.send(&mut tx).await?;
        }
        if renew {
            let running: Vec<uuid::Uuid> = running.iter().map(|live| live.id.0).collect();
            sqlx::query(
                "UPDATE answers SET lease_until = now() + make_interval(secs => $2)
                 WHERE id = ANY($1) AND status = 'streaming' AND server_id = $3",
            )
            .bind(running)
            .bind(LEASE.as_secs_f64())
            .bind(self.inner.server_id)
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;
        if renew {
            *renewed = Instant::now();
        }
        for (live, _guard, last) in taken {
            live.mark_stored(last);
        }
        Ok(())
    }
}
