//! The rooms of this server: opened over the log in Postgres, joined by whoever may.

use super::access::require;
use super::log::{PostgresLog, PostgresTransport};
use super::projection::Projection;
use crate::database::Database;
use crate::{Domain, Error, Result, Viewer};
use shared::NoteId;
use shared::note::Access;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use sync::{Attachment, Outbox, Participant, Rooms, Settings};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How often open rooms look at the log by themselves, in case word of another server was lost.
const LOOK: Duration = Duration::from_secs(5);

/// Rooms that can be written in, with a spool in the data folder; what an earlier run left in it is
/// committed first.
pub(crate) async fn open(
    db: &Database,
    server_id: Uuid,
    data: &Path,
    stop: CancellationToken,
) -> Result<(Rooms, JoinHandle<()>)> {
    let (log, transport, projector) = parts(db, server_id);
    Rooms::start(log, transport, projector, Settings::new(data.join("spool")), stop)
        .await
        .map_err(Error::internal)
}

/// Rooms to read in only: for commands, while a server may run on the same data.
pub(crate) fn read_only(db: &Database, server_id: Uuid) -> Rooms {
    let (log, transport, projector) = parts(db, server_id);
    Rooms::read_only(log, transport, projector)
}

fn parts(db: &Database, server_id: Uuid) -> (Arc<PostgresLog>, Arc<PostgresTransport>, Arc<Projection>) {
    (
        Arc::new(PostgresLog { db: db.clone(), server_id }),
        Arc::new(PostgresTransport { db: db.clone(), server_id }),
        Arc::new(Projection { db: db.clone() }),
    )
}

impl Domain {
    /// Joins a note's room; frames for the client come out of `outbox`.
    pub async fn join_note(
        &self,
        viewer: &Viewer,
        note: NoteId,
        outbox: &Outbox,
        own_frames: bool,
    ) -> Result<Attachment> {
        let mut tx = self.inner.db.as_viewer(viewer).await?;
        let access = require(&mut tx, note, Access::View).await?;
        let name: Option<String> = match viewer.user_id() {
            Some(user) => {
                sqlx::query_scalar("SELECT display_name FROM users WHERE id = $1")
                    .bind(user.0)
                    .fetch_optional(&mut *tx)
                    .await?
            }
            None => None,
        };
        tx.commit().await?;
        let participant = Participant {
            user_id: viewer.user_id(),
            name: name.unwrap_or_else(|| "Visitor".to_owned()),
            access,
            own_frames,
        };
        Ok(self.inner.rooms.attach(note, participant, outbox.clone()).await?)
    }

    /// What the viewer may do with a note now; an error if it is not there for them.
    pub async fn access_to(&self, viewer: &Viewer, note: NoteId) -> Result<Access> {
        let mut tx = self.inner.db.as_viewer(viewer).await?;
        let access = require(&mut tx, note, Access::View).await?;
        tx.commit().await?;
        Ok(access)
    }

    /// Keeps open rooms in step with what other servers committed, also when word of it was lost.
    pub(crate) fn start_looking(&self) {
        let domain = self.clone();
        self.inner.tasks.spawn(async move {
            let mut look = tokio::time::interval(LOOK);
            loop {
                tokio::select! {
                    () = domain.inner.stop.cancelled() => break,
                    _ = look.tick() => domain.inner.rooms.look().await,
                }
            }
        });
    }
}
