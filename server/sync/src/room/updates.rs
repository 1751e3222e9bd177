//! What clients and the server write in a room, and how it goes out to the others.

use super::{Answer, BROADCAST_PACE, Change, Made, Room, SETTLED, SETTLED_AT_LAST};
use crate::Author;
use crate::committer::Full;
use crate::connection::{Connection, Held};
use crate::document::{self, DocumentError};
use crate::draft::Refused;
use crate::log::Entry;
use crate::protocol::{self, Incoming};
use crate::rooms::RoomError;
use shared::note::frame::close;
use std::any::Any;
use std::time::Duration;
use tokio::time::Instant;

/// How long what refers to something unknown may wait for it.
const LONGEST_HELD: Duration = Duration::from_secs(15);
/// The longest message and document, in bytes.
const LARGEST_UPDATE: usize = 16 << 20;
const LARGEST_DOCUMENT: usize = 96 << 20;

impl Room {
    pub(super) fn receive(&mut self, id: u64, message: Incoming) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        match message {
            Incoming::StateVector(theirs) => match self.document.diff(&theirs) {
                Ok(update) => connection.outbox.push_state(protocol::step_2(self.note, &update)),
                Err(_) => self.let_go(id, close::MALFORMED, "This is no state vector."),
            },
            Incoming::Update(update) => self.update(id, &update),
            Incoming::Awareness(states) => {
                self.presence.hear(id, &connection.participant, states);
            }
            Incoming::QueryAwareness => {
                let everybody = self.presence.everybody();
                connection.outbox.push(protocol::awareness(self.note, &everybody));
            }
            // The door deals with these.
            Incoming::Attach | Incoming::Detach => {}
        }
    }

    fn update(&mut self, id: u64, update: &[u8]) {
        // Every client answers our step 1, also when it has nothing.
        let empty = update == yrs::Update::EMPTY_V1;
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let participant = &connection.participant;
        if !participant.access.may_edit() {
            if !empty {
                metrics::counter!("sidebar_sync_refused_updates_total").increment(1);
                connection.outbox.push(protocol::denied(self.note, "You may read this note, not change it."));
            }
            return;
        }
        if update.len() > LARGEST_UPDATE || self.size + update.len() > LARGEST_DOCUMENT {
            return self.let_go(id, close::TOO_LARGE, "The note would become too large.");
        }
        let author = Author { user_id: participant.user_id, run_id: None };
        if !empty && let Err(full) = self.shared.committer.check() {
            return if connection.participant.own_frames {
                // The client keeps it and sends it again when the room takes changes.
                self.let_go(id, close::UNAVAILABLE, "The server takes no changes now.");
            } else {
                connection.outbox.push(protocol::denied(self.note, &full.0));
            };
        }
        let whole = match &connection.held {
            None => None,
            Some(held) => match document::merge(&[held.update.as_slice(), update]) {
                Some(merged) if merged.len() <= LARGEST_UPDATE => Some(merged),
                _ => return self.let_go(id, close::RESYNC, "Synchronise again."),
            },
        };
        match self.document.apply(whole.as_deref().unwrap_or(update)) {
            Ok(applied) => {
                let held = applied.held.is_some();
                self.hold(id, applied.held);
                if let Some(new) = applied.new
                    && self.accept(Some(id), author, new).is_err()
                {
                    return;
                }
                let submitted = self.submitted;
                if let Some(connection) = self.connections.get_mut(&id) {
                    connection.sent((!held).then_some(submitted));
                }
                self.acknowledge(id);
            }
            Err(DocumentError::Malformed) => self.let_go(id, close::MALFORMED, "This is no Yjs update."),
            Err(DocumentError::Damaged) => self.give_up("an update damaged the document"),
        }
    }

    /// Keeps what refers to something unknown, and asks its sender for everything that is missing.
    fn hold(&mut self, id: u64, held: Option<Vec<u8>>) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let since = connection.held.as_ref().map(|held| held.since);
        connection.held = held.map(|update| Held { update, since: since.unwrap_or_else(Instant::now) });
        if since.is_none() && connection.held.is_some() {
            metrics::counter!("sidebar_sync_held_updates_total").increment(1);
            connection.outbox.push(protocol::step_1(self.note, &self.document.state_vector()));
            self.held_due.get_or_insert_with(|| Instant::now() + LONGEST_HELD);
        }
    }

    pub(super) fn let_overdue_go(&mut self, now: Instant) {
        let waiting = |c: &Connection| c.held.as_ref().map(|held| held.since + LONGEST_HELD);
        let overdue: Vec<u64> = self
            .connections
            .iter()
            .filter(|(_, connection)| waiting(connection).is_some_and(|due| due <= now))
            .map(|(id, _)| *id)
            .collect();
        for id in overdue {
            self.let_go(id, close::RESYNC, "Your changes refer to something the server does not have.");
        }
        self.held_due = self.connections.values().filter_map(waiting).min();
    }

    pub(super) fn edit(
        &mut self,
        author: Author,
        change: Change,
        answer: Answer<(Box<dyn Any + Send>, i64)>,
    ) {
        if let Err(full) = self.shared.committer.check() {
            let _ = answer.send(Err(RoomError::ReadOnly(full.0)));
            return;
        }
        if self.size > LARGEST_DOCUMENT {
            let refused = Refused("This note has become too large to be changed.".to_owned());
            let _ = answer.send(Err(RoomError::Refused(refused)));
            return;
        }
        match self.document.change(change) {
            Ok((value, update)) => {
                if let Some(update) = update
                    && let Err(full) = self.accept(None, author, update)
                {
                    let _ = answer.send(Err(RoomError::ReadOnly(full.0)));
                    return;
                }
                match value {
                    Err(refused) => drop(answer.send(Err(RoomError::Refused(refused)))),
                    Ok(value) if self.committed >= self.submitted => drop(answer.send(Ok((value, self.seq)))),
                    Ok(value) => self.edits.push_back(Made { position: self.submitted, value, answer }),
                }
            }
            Err(_) => {
                let _ = answer.send(Err(RoomError::Unavailable("The change could not be made.".to_owned())));
                self.give_up("a change of ours damaged the document");
            }
        }
    }

    /// The document has it: into the spool, and only then towards others.
    fn accept(&mut self, from: Option<u64>, author: Author, update: Vec<u8>) -> Result<(), Full> {
        let entry = Entry { note: self.note, author, update: update.clone() };
        match self.shared.committer.submit(entry, self.verdicts.clone()) {
            Ok(position) => {
                self.submitted = position;
                self.changed();
                self.spread(from, update);
                Ok(())
            }
            // The document is ahead of what will ever be stored.
            Err(full) => {
                self.give_up(&full.0);
                Err(full)
            }
        }
    }

    pub(super) fn changed(&mut self) {
        let now = Instant::now();
        let first = *self.changed_since.get_or_insert(now);
        self.project_due = Some((now + SETTLED).min(first + SETTLED_AT_LAST));
    }

    pub(super) fn spread(&mut self, from: Option<u64>, update: Vec<u8>) {
        self.size += update.len();
        self.fresh.push((from, update));
        self.fresh_due.get_or_insert(self.last_broadcast + BROADCAST_PACE);
    }

    /// Everything accepted since the last time, as one frame for everybody.
    pub(super) fn broadcast(&mut self, now: Instant) {
        self.fresh_due = None;
        self.last_broadcast = now;
        let fresh = std::mem::take(&mut self.fresh);
        let Some(((from, first), rest)) = fresh.split_first() else { return };
        let alone = from.filter(|from| rest.iter().all(|(other, _)| *other == Some(*from)));
        let merged = if rest.is_empty() {
            first.clone()
        } else {
            let updates: Vec<&[u8]> = fresh.iter().map(|(_, update)| update.as_slice()).collect();
            match document::merge(&updates) {
                Some(merged) => merged,
                None => return self.give_up("accepted updates cannot be merged"),
            }
        };
        let frame = protocol::update(self.note, &merged);
        for (id, connection) in &self.connections {
            // Who wrote all of it knows it.
            if alone != Some(*id) {
                connection.outbox.push_update(frame.clone(), merged.len());
            }
        }
    }
}
