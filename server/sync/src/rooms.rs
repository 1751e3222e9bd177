//! All rooms of this server, by note.

use crate::committer::Committer;
use crate::connection::{Attachment, Participant};
use crate::draft::{Draft, Refused};
use crate::log::{Log, LogError, Projector, Transport};
use crate::outbox::Outbox;
use crate::room::{self, Command};
use crate::{Author, protocol::Storing};
use shared::NoteId;
use std::any::Any;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

/// Commands that may wait at a room before senders wait too.
const MAILBOX: usize = 256;

pub struct Settings {
    /// The folder of the spool, this server's own.
    pub spool: PathBuf,
    /// Bytes of updates that may wait while the log is away.
    pub backlog: usize,
    /// How long a room stays after the last one left.
    pub linger: Duration,
}

impl Settings {
    pub fn new(spool: PathBuf) -> Self {
        Self { spool, backlog: 64 << 20, linger: Duration::from_secs(5) }
    }
}

#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RoomError {
    #[error("there is no such note")]
    NotFound,
    /// Try again.
    #[error("{0}")]
    Unavailable(String),
    /// No changes are taken now.
    #[error("{0}")]
    ReadOnly(String),
    #[error(transparent)]
    Refused(Refused),
}

impl From<LogError> for RoomError {
    fn from(error: LogError) -> Self {
        match error {
            LogError::NotFound => Self::NotFound,
            LogError::Away(_) => Self::Unavailable("The database is away.".to_owned()),
            LogError::Failed(reason) => Self::Unavailable(reason),
        }
    }
}

/// A note as it is now, what is not committed yet included.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    pub text: String,
    /// The last committed update that is in it.
    pub seq: i64,
    /// Whether nothing in it is still on its way to the log.
    pub settled: bool,
}

/// A change that is committed.
#[derive(Clone, Debug, PartialEq)]
pub struct Edited<T> {
    pub value: T,
    pub seq: i64,
}

#[derive(Clone)]
pub struct Rooms {
    shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub log: Arc<dyn Log>,
    pub projector: Arc<dyn Projector>,
    pub committer: Arc<Committer>,
    pub linger: Duration,
    rooms: Mutex<HashMap<NoteId, mpsc::Sender<Command>>>,
}

impl Shared {
    fn rooms(&self) -> MutexGuard<'_, HashMap<NoteId, mpsc::Sender<Command>>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The room could not be loaded: who comes next tries again.
    pub fn forget(&self, note: NoteId) {
        self.rooms().remove(&note);
    }

    /// Takes the room out of the registry unless something waits for it. Whoever found it before and
    /// asks after this finds it closed, and looks again.
    pub fn forget_if_unused(&self, note: NoteId, commands: &mut mpsc::Receiver<Command>) -> bool {
        let mut rooms = self.rooms();
        if commands.is_empty() {
            rooms.remove(&note);
            commands.close();
            return true;
        }
        false
    }

    /// The note's room, opened if it is not.
    fn room(self: &Arc<Self>, note: NoteId) -> mpsc::Sender<Command> {
        let mut rooms = self.rooms();
        if let Some(room) = rooms.get(&note)
            && !room.is_closed()
        {
            return room.clone();
        }
        let (sender, receiver) = mpsc::channel(MAILBOX);
        rooms.insert(note, sender.clone());
        tokio::spawn(room::run(note, self.clone(), receiver));
        sender
    }

    /// Gives a command that came too late for one room to the next; one about a connection that is
    /// gone with its room is of no use there.
    pub fn pass_on(self: Arc<Self>, note: NoteId, command: Command) {
        if command.is_about_the_note() {
            let room = self.room(note);
            tokio::spawn(async move { room.send(command).await });
        }
    }
}

impl Rooms {
    /// Opens the spool and commits what an earlier process left before any room serves.
    pub async fn start(
        log: Arc<dyn Log>,
        transport: Arc<dyn Transport>,
        projector: Arc<dyn Projector>,
        settings: Settings,
        stop: CancellationToken,
    ) -> std::io::Result<(Self, tokio::task::JoinHandle<()>)> {
        let committer = Committer::open(&settings.spool, log.clone(), transport, settings.backlog)?;
        let task = tokio::spawn(committer.clone().run(stop));
        committer.replayed().await;
        Ok((Self::over(log, projector, committer, settings.linger), task))
    }

    /// Rooms that can be read and never change.
    pub fn read_only(
        log: Arc<dyn Log>,
        transport: Arc<dyn Transport>,
        projector: Arc<dyn Projector>,
    ) -> Self {
        let committer = Committer::closed(log.clone(), transport);
        Self::over(log, projector, committer, Duration::ZERO)
    }

    fn over(
        log: Arc<dyn Log>,
        projector: Arc<dyn Projector>,
        committer: Arc<Committer>,
        linger: Duration,
    ) -> Self {
        Self { shared: Arc::new(Shared { log, projector, committer, linger, rooms: Mutex::default() }) }
    }

    /// Joins a room. Frames for the client come out of `outbox`.
    pub async fn attach(
        &self,
        note: NoteId,
        participant: Participant,
        outbox: Outbox,
    ) -> Result<Attachment, RoomError> {
        let (connection, room) =
            self.ask(note, |answer| Command::Attach { participant, outbox, answer }).await?;
        Ok(Attachment { note, connection, room })
    }

    pub async fn read(&self, note: NoteId) -> Result<Reading, RoomError> {
        Ok(self.ask(note, |answer| Command::Read { answer }).await?.0)
    }

    /// Makes a change in the document, in turn with everybody else's; returns once it is committed.
    pub async fn edit<T: Send + 'static>(
        &self,
        note: NoteId,
        author: Author,
        change: impl FnOnce(&mut Draft<'_>) -> Result<T, Refused> + Send + 'static,
    ) -> Result<Edited<T>, RoomError> {
        let change: room::Change =
            Box::new(move |draft| change(draft).map(|value| Box::new(value) as Box<dyn Any + Send>));
        let ((value, seq), _) = self.ask(note, |answer| Command::Edit { author, change, answer }).await?;
        match value.downcast::<T>() {
            Ok(value) => Ok(Edited { value: *value, seq }),
            Err(_) => Err(RoomError::Unavailable("The change came back as something else.".to_owned())),
        }
    }

    /// Another server committed up to `seq`.
    pub fn moved(&self, note: NoteId, seq: i64) {
        self.tell(note, Command::Moved { seq });
    }

    /// Lets everybody in this note go.
    pub fn end(&self, note: NoteId, code: u16, reason: &str) {
        self.tell(note, Command::End { code, reason: reason.to_owned() });
    }

    /// Looks at the log for what other servers committed to the notes that are open here.
    pub async fn look(&self) {
        let open: Vec<NoteId> = self.shared.rooms().keys().copied().collect();
        if open.is_empty() {
            return;
        }
        match self.shared.log.heads(&open).await {
            Ok(heads) => heads.into_iter().for_each(|(note, seq)| self.moved(note, seq)),
            Err(error) => tracing::debug!(%error, "the log could not be looked at"),
        }
    }

    /// How storing goes now.
    pub fn storing(&self) -> tokio::sync::watch::Receiver<Storing> {
        self.shared.committer.storing()
    }

    fn tell(&self, note: NoteId, command: Command) {
        let room = self.shared.rooms().get(&note).cloned();
        if let Some(room) = room
            && let Err(mpsc::error::TrySendError::Full(command)) = room.try_send(command)
        {
            tokio::spawn(async move { room.send(command).await });
        }
    }

    /// Asks the note's room, which is opened if it is not.
    async fn ask<T>(
        &self,
        note: NoteId,
        command: impl FnOnce(oneshot::Sender<Result<T, RoomError>>) -> Command,
    ) -> Result<(T, mpsc::Sender<Command>), RoomError> {
        let (answer, asked) = oneshot::channel();
        loop {
            let room = self.shared.room(note);
            // It ended just then: the registry has forgotten it.
            let Ok(permit) = room.reserve().await else { continue };
            permit.send(command(answer));
            return match asked.await {
                // The room may have ended meanwhile and passed the question on.
                Ok(Ok(value)) if room.is_closed() => Ok((value, self.shared.room(note))),
                Ok(Ok(value)) => Ok((value, room)),
                Ok(Err(error)) => Err(error),
                Err(_) => Err(RoomError::Unavailable("The note's room ended.".to_owned())),
            };
        }
    }
}
