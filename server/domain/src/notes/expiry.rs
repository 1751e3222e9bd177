//! Shares that end by themselves: whoever has a note open by one is checked again at that moment,
//! as when a share is taken back.

use crate::notices::Signal;
use crate::{Domain, Result};
use shared::NoteId;
use std::time::Duration;
use time::OffsetDateTime;
use uuid::Uuid;

/// How late an open connection may notice that its share has ended. Requests notice at once.
const LOOK: Duration = Duration::from_secs(5);

impl Domain {
    /// Each server looks for itself, for the connections that it holds.
    pub(crate) fn start_ending_shares(&self) {
        let domain = self.clone();
        self.inner.tasks.spawn(async move {
            let mut look = tokio::time::interval(LOOK);
            look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            let mut since = None;
            loop {
                tokio::select! {
                    () = domain.inner.stop.cancelled() => break,
                    _ = look.tick() => {}
                }
                match domain.shares_ended(since).await {
                    Ok(looked_at) => since = Some(looked_at),
                    // What ended meanwhile is found when the database is back.
                    Err(error) => tracing::debug!(%error, "shares that ended could not be looked for"),
                }
            }
        });
    }

    /// Passes on what ended since; gives the moment of this look, by the clock that policies go by.
    async fn shares_ended(&self, since: Option<OffsetDateTime>) -> Result<OffsetDateTime> {
        let mut tx = self.inner.db.as_system().await?;
        let now: OffsetDateTime = sqlx::query_scalar("SELECT now()").fetch_one(&mut *tx).await?;
        let ended: Vec<Option<Uuid>> = sqlx::query_scalar(
            "SELECT DISTINCT note_id FROM note_shares WHERE expires_at > $1 AND expires_at <= $2",
        )
        .bind(since)
        .bind(now)
        .fetch_all(&mut *tx)
        .await?;
        tx.commit().await?;
        for note in ended {
            self.inner.notices.tell(Signal::NoteAccessChanged { note_id: note.map(NoteId) });
        }
        Ok(now)
    }
}
