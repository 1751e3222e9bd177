//! What open browsers are told, across servers.
//!
//! A signal arrives if and only if the change is there, on every server in the same way, this one
//! included. What is rare is sent with `NOTIFY` in the transaction that makes the change. What every
//! message brings about is stored by that transaction and told by one task right after, because a
//! `NOTIFY` makes commits take turns at the disk; all frames of the chat go this way, so that they
//! arrive in order.

use crate::database::Tx;
use crate::{Domain, Error, Result, Via, Viewer};
use serde::{Deserialize, Serialize};
use shared::socket::{Channel, ServerBody, ServerFrame};
use shared::{ApiKeyId, MessageId, NoteId, SessionId, UserId};
use sqlx::PgConnection;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, broadcast, watch};

const CHANNEL: &str = "sidebar";
/// The advisory lock of whoever tells stored signals.
const TELLING: i64 = 0x7369_6465_7465_6c6c;
/// How long signals wait at most that a server stored which then broke off.
const LEFT_BEHIND: Duration = Duration::from_secs(5);

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Signal {
    /// For every open browser of this person.
    Frame {
        user_id: UserId,
        frame: ServerFrame,
    },
    SessionsEnded {
        user_id: UserId,
        kept: Option<SessionId>,
        ended: Option<SessionId>,
    },
    KeyRevoked {
        user_id: UserId,
        key: ApiKeyId,
    },
    /// Whoever writes this answer is to stop.
    Stop {
        message_id: MessageId,
    },
    /// Events of this answer were stored, or its state changed.
    AnswerMoved,
    /// This server committed updates of the note up to this number.
    NoteMoved {
        note_id: NoteId,
        seq: i64,
        server_id: uuid::Uuid,
    },
    ProvidersChanged,
    JobQueued,
    /// Comments, versions, shares or proposals of the note changed. Visitors have no account to be told by.
    NoteAnnotated {
        note_id: NoteId,
    },
    /// Who may do what with a note changed: whoever has it open is to be checked again. None: any note.
    NoteAccessChanged {
        note_id: Option<NoteId>,
    },
}

impl Signal {
    pub fn chat(user_id: UserId, body: ServerBody) -> Self {
        Self::Frame { user_id, frame: ServerFrame { channel: Channel::Chat, body } }
    }

    pub fn notes(user_id: UserId, body: ServerBody) -> Self {
        Self::Frame { user_id, frame: ServerFrame { channel: Channel::Notes, body } }
    }

    /// Sends with the transaction.
    pub async fn send(self, tx: &mut PgConnection) -> Result<()> {
        Self::send_all(&[self], tx).await
    }

    /// Sends several, in this order, in one statement.
    pub async fn send_all(signals: &[Self], tx: &mut PgConnection) -> Result<()> {
        sqlx::query("SELECT pg_notify($1, payload) FROM unnest($2::text[]) WITH ORDINALITY AS s (payload, n) ORDER BY n")
            .bind(CHANNEL)
            .bind(payloads(signals)?)
            .execute(tx)
            .await?;
        Ok(())
    }

    /// Stores several with the transaction, in this order; [`Domain::commit_and_tell`] is to end it.
    pub async fn store_all(signals: &[Self], tx: &mut PgConnection) -> Result<()> {
        sqlx::query(
            "INSERT INTO signals (payload)
             SELECT payload FROM unnest($1::text[]) WITH ORDINALITY AS s (payload, n) ORDER BY n",
        )
        .bind(payloads(signals)?)
        .execute(tx)
        .await?;
        Ok(())
    }
}

/// Signals to be stored by a statement, in this order.
pub(crate) fn payloads(signals: &[Signal]) -> Result<Vec<String>> {
    signals.iter().map(serde_json::to_string).collect::<Result<_, _>>().map_err(Error::internal)
}

/// Where signals arrive and are handed on within this process.
pub(crate) struct Board {
    sender: broadcast::Sender<Arc<Signal>>,
    degraded: watch::Sender<Vec<String>>,
    /// Woken whenever an answer anywhere moved.
    pub answers_moved: Notify,
    /// Turned whenever a job was queued: every worker looks, since not each takes every job.
    pub jobs_queued: watch::Sender<()>,
    /// Woken when signals were stored.
    stored: Notify,
}

impl Default for Board {
    fn default() -> Self {
        Self {
            sender: broadcast::channel(1024).0,
            degraded: watch::channel(Vec::new()).0,
            answers_moved: Notify::new(),
            jobs_queued: watch::channel(()).0,
            stored: Notify::new(),
        }
    }
}

impl Board {
    /// Tells the open browsers of this process only.
    pub fn tell(&self, signal: Signal) {
        // No receiver means that no browser is open.
        let _ = self.sender.send(Arc::new(signal));
    }

    pub fn set_degraded(&self, parts: Vec<String>) {
        self.degraded.send_if_modified(|current| {
            let changed = *current != parts;
            if changed {
                tracing::warn!(?parts, "degraded parts changed");
                *current = parts;
            }
            changed
        });
    }
}

/// What one open browser is to be told.
#[derive(Clone, Debug)]
pub enum Notice {
    Frame(ServerFrame),
    /// The reader was too slow; some notices are lost.
    Lagged,
    /// The reader's own session ended.
    SessionEnded,
    /// Something beside this note changed, which a visitor may have open.
    NoteAnnotated(NoteId),
    /// What may be done with this note changed; with all open ones where none is named.
    NoteAccess(Option<NoteId>),
    /// The reader's own key was revoked.
    KeyRevoked,
}

pub struct Notices {
    receiver: broadcast::Receiver<Arc<Signal>>,
    viewer: Viewer,
}

impl Notices {
    /// The next notice for this viewer; none once the server stops.
    pub async fn next(&mut self) -> Option<Notice> {
        loop {
            match self.receiver.recv().await {
                Ok(signal) => {
                    if let Some(notice) = self.notice(&signal) {
                        return Some(notice);
                    }
                }
                Err(broadcast::error::RecvError::Lagged(_)) => return Some(Notice::Lagged),
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }

    fn notice(&self, signal: &Signal) -> Option<Notice> {
        match signal {
            Signal::Frame { user_id, frame } if Some(*user_id) == self.viewer.user_id() => {
                Some(Notice::Frame(frame.clone()))
            }
            Signal::SessionsEnded { user_id, kept, ended } if Some(*user_id) == self.viewer.user_id() => {
                let Via::Session(own) = self.viewer.person.as_ref()?.via else { return None };
                let ends = ended.map_or(*kept != Some(own), |ended| ended == own);
                ends.then_some(Notice::SessionEnded)
            }
            Signal::NoteAnnotated { note_id } if self.viewer.share.is_some() => {
                Some(Notice::NoteAnnotated(*note_id))
            }
            Signal::NoteAccessChanged { note_id } => Some(Notice::NoteAccess(*note_id)),
            Signal::KeyRevoked { user_id, key } if Some(*user_id) == self.viewer.user_id() => {
                let via = self.viewer.person.as_ref()?.via;
                (via == Via::ApiKey(*key)).then_some(Notice::KeyRevoked)
            }
            _ => None,
        }
    }
}

impl Domain {
    /// Everything that concerns this viewer from now on.
    pub fn notices(&self, viewer: &Viewer) -> Notices {
        Notices { receiver: self.inner.notices.sender.subscribe(), viewer: viewer.clone() }
    }

    /// The parts of the server that do not work right now.
    pub fn degraded(&self) -> watch::Receiver<Vec<String>> {
        self.inner.notices.degraded.subscribe()
    }

    /// Commits a transaction that stored signals, and has them told.
    pub(crate) async fn commit_and_tell(&self, tx: Tx) -> Result<()> {
        tx.commit().await?;
        self.inner.notices.stored.notify_one();
        Ok(())
    }

    /// The task that tells what is stored.
    pub(crate) fn start_teller(&self) {
        let domain = self.clone();
        self.inner.tasks.spawn(async move {
            while !domain.inner.stop.is_cancelled() {
                if let Err(error) = domain.tell().await {
                    // They stay stored, in order.
                    tracing::warn!(error = &error as &dyn std::error::Error, "signals wait to be told");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
                tokio::select! {
                    () = domain.inner.stop.cancelled() => {}
                    () = domain.inner.notices.stored.notified() => {}
                    () = tokio::time::sleep(LEFT_BEHIND) => {}
                }
            }
        });
    }

    async fn tell(&self) -> Result<()> {
        // Servers take turns, so that none overtakes what another is about to tell.
        let mut tx = self.inner.db.as_system_holding(TELLING).await?;
        // One that is too long for a notification can only be left out.
        sqlx::query(
            "WITH told AS (DELETE FROM signals RETURNING id, payload)
             SELECT pg_notify($1, payload)
             FROM (SELECT payload FROM told WHERE octet_length(payload) < 8000 ORDER BY id) AS s",
        )
        .bind(CHANNEL)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }

    pub(crate) fn start_listener(&self) {
        let domain = self.clone();
        self.inner.tasks.spawn(async move {
            let stop = domain.inner.stop.clone();
            while !stop.is_cancelled() {
                tokio::select! {
                    () = stop.cancelled() => break,
                    result = domain.listen() => if let Err(error) = result {
                        tracing::warn!(error = &error as &dyn std::error::Error, "listening for notifications failed; trying again");
                    },
                }
                domain.inner.recognised.set_hears(false);
                tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            }
        });
    }

    async fn listen(&self) -> Result<()> {
        let mut listener = self.inner.db.listener().await?;
        listener.listen(CHANNEL).await?;
        // What was sent before is unknown: jobs that another task queued while this one was on its way, too.
        self.after_silence().await;
        loop {
            let Some(notification) = listener.try_recv().await? else {
                // The connection was lost and is back: what was sent meanwhile is unknown.
                self.after_silence().await;
                continue;
            };
            match serde_json::from_str::<Signal>(notification.payload()) {
                Ok(signal) => self.take(signal).await,
                // Another version of the server may run beside this one.
                Err(error) => tracing::debug!(%error, "unknown notification"),
            }
        }
    }

    async fn take(&self, signal: Signal) {
        match &signal {
            Signal::Stop { message_id } => self.inner.live.stop(*message_id),
            Signal::AnswerMoved => self.inner.notices.answers_moved.notify_waiters(),
            Signal::JobQueued => self.inner.notices.jobs_queued.send_replace(()),
            Signal::ProvidersChanged => {
                if let Err(error) = self.reload_providers().await {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "providers could not be read again"
                    );
                }
            }
            Signal::NoteMoved { note_id, seq, server_id } if *server_id != self.inner.server_id => {
                self.inner.rooms.moved(*note_id, *seq);
            }
            Signal::NoteMoved { .. } => {}
            Signal::SessionsEnded { user_id, .. } | Signal::KeyRevoked { user_id, .. } => {
                self.inner.recognised.forget(*user_id);
                self.hand_on(signal);
            }
            Signal::Frame { .. } | Signal::NoteAnnotated { .. } | Signal::NoteAccessChanged { .. } => {
                self.hand_on(signal);
            }
        }
    }

    fn hand_on(&self, signal: Signal) {
        // No receiver means that no browser is open.
        let _ = self.inner.notices.sender.send(Arc::new(signal));
    }

    async fn after_silence(&self) {
        self.inner.recognised.set_hears(true);
        self.inner.rooms.look().await;
        let unknown = Signal::NoteAccessChanged { note_id: None };
        let _ = self.inner.notices.sender.send(Arc::new(unknown));
        self.inner.notices.answers_moved.notify_waiters();
        self.inner.notices.jobs_queued.send_replace(());
        if let Err(error) = self.reload_providers().await {
            tracing::warn!(error = &error as &dyn std::error::Error, "providers could not be read again");
        }
    }
}
