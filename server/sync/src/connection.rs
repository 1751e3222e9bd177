//! One client in one room.

use crate::outbox::Outbox;
use crate::protocol::Incoming;
use crate::room::Command;
use shared::note::Access;
use shared::{NoteId, UserId};
use std::collections::VecDeque;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Who joins, as the server knows them.
#[derive(Clone, Debug, PartialEq)]
pub struct Participant {
    /// None for a visitor by link.
    pub user_id: Option<UserId>,
    pub name: String,
    pub access: Access,
    /// Whether the client understands our frames beside those of y-protocols.
    pub own_frames: bool,
}

/// A client's place in a room; it leaves when this is dropped.
pub struct Attachment {
    pub note: NoteId,
    pub(crate) connection: u64,
    pub(crate) room: mpsc::Sender<Command>,
}

/// The room ended: attach again.
#[derive(Debug, PartialEq, Eq)]
pub struct Ended;

impl Attachment {
    /// Hands a message to the room; waits while the room is busy.
    pub async fn receive(&self, message: Incoming) -> Result<(), Ended> {
        self.send(Command::Receive { connection: self.connection, message }).await
    }

    /// What the client may do from now on.
    pub async fn set_access(&self, access: Access) -> Result<(), Ended> {
        self.send(Command::Access { connection: self.connection, access }).await
    }

    async fn send(&self, command: Command) -> Result<(), Ended> {
        self.room.send(command).await.map_err(|_| Ended)
    }
}

impl Drop for Attachment {
    fn drop(&mut self) {
        let leave = Command::Detach { connection: self.connection };
        if let Err(mpsc::error::TrySendError::Full(leave)) = self.room.try_send(leave) {
            let room = self.room.clone();
            tokio::spawn(async move { room.send(leave).await });
        }
    }
}

/// A client, seen from inside the room.
pub(crate) struct Connection {
    pub participant: Participant,
    pub outbox: Outbox,
    /// For each update it sent and was not told of: the position after which it is saved; none while
    /// it is held.
    unacknowledged: VecDeque<Option<u64>>,
    /// How many it was told of.
    saved: u64,
    /// Refers to what the room does not have.
    pub held: Option<Held>,
}

pub(crate) struct Held {
    pub update: Vec<u8>,
    pub since: Instant,
}

impl Connection {
    pub fn new(participant: Participant, outbox: Outbox) -> Self {
        Self { participant, outbox, unacknowledged: VecDeque::new(), saved: 0, held: None }
    }

    /// An update came and is saved with this position; none while it is held. What was held before
    /// it is integrated if it is.
    pub fn sent(&mut self, position: Option<u64>) {
        if position.is_some() {
            for waiting in &mut self.unacknowledged {
                *waiting = waiting.or(position);
            }
        }
        self.unacknowledged.push_back(position);
    }

    /// How many of its updates are saved, if that is more than it knows.
    pub fn acknowledge(&mut self, through: u64) -> Option<u64> {
        let before = self.saved;
        while self.unacknowledged.front().is_some_and(|p| p.is_some_and(|position| position <= through)) {
            self.unacknowledged.pop_front();
            self.saved += 1;
        }
        (self.saved > before).then_some(self.saved)
    }
}
