//! One note's room: a task that owns the document, and through which everything goes in turn.
//!
//! absent → loading → live → draining → absent. Loading happens before the first command is looked
//! at; draining begins when nobody is here and everything is committed, projected and kept in a snapshot. A room that
//! finds its document damaged lets everybody go with "resync", waits until what it accepted is
//! committed, and ends: the next to come loads it anew from the log.

mod storing;
mod updates;

use crate::Author;
use crate::committer::Verdict;
use crate::connection::{Connection, Participant};
use crate::document::Document;
use crate::draft::{Draft, Refused};
use crate::log::{LogError, Record};
use crate::outbox::Outbox;
use crate::presence::Presence;
use crate::protocol::{self, Incoming, Storing};
use crate::rooms::{Reading, RoomError, Shared};
use shared::NoteId;
use shared::note::Access;
use shared::note::frame::close;
use std::any::Any;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until};

/// States of awareness go out this often at most. A little over 50 ms, so that twenty ticks never
/// fall into one second twice.
const TICK: Duration = Duration::from_millis(51);
/// Updates go out this often at most: under load many become one frame, alone they wait for nothing.
const BROADCAST_PACE: Duration = Duration::from_millis(4);
/// The text is projected after this long without a change, or this long after the first.
const SETTLED: Duration = Duration::from_millis(400);
const SETTLED_AT_LAST: Duration = Duration::from_secs(3);
/// After a projection failed.
const PROJECT_AGAIN: Duration = Duration::from_secs(5);
/// Updates since the last snapshot from which on another is worth it: while the note is being written, and
/// once everybody has left.
const MANY_UNKEPT: i64 = 5_000;
const UNKEPT_AT_THE_END: i64 = 100;
/// The same in bytes of updates: few that are large take as long to build a note from. Of a note with more history
/// than this a snapshot is itself large, and the number of updates alone counts.
const MUCH_UNKEPT: usize = 256 << 10;
const LARGE: usize = 6 << 20;
/// How long a note is refused after the log refused an update of it.
const REFUSED_FOR: Duration = Duration::from_secs(5);
/// Commands taken in one go.
const BATCH: usize = 256;

type Answer<T> = oneshot::Sender<Result<T, RoomError>>;
pub(crate) type Change = Box<dyn FnOnce(&mut Draft<'_>) -> Result<Box<dyn Any + Send>, Refused> + Send>;

pub(crate) enum Command {
    Attach {
        participant: Participant,
        outbox: Outbox,
        answer: Answer<u64>,
    },
    Receive {
        connection: u64,
        message: Incoming,
    },
    Access {
        connection: u64,
        access: Access,
    },
    Detach {
        connection: u64,
    },
    Read {
        answer: Answer<Reading>,
    },
    Edit {
        author: Author,
        change: Change,
        answer: Answer<(Box<dyn Any + Send>, i64)>,
    },
    /// Another server committed up to this number.
    Moved {
        seq: i64,
    },
    /// Everybody out.
    End {
        code: u16,
        reason: String,
    },
}

/// A change that was made and is not committed yet: after which position it is, and whom to tell.
struct Made {
    position: u64,
    value: Box<dyn Any + Send>,
    answer: Answer<(Box<dyn Any + Send>, i64)>,
}

/// A snapshot of what the log said up to a number, and of more that was on its way there: to be kept once
/// everything up to this position is committed.
struct Prepared {
    position: u64,
    seq: i64,
    state: Vec<u8>,
}

/// What comes back from work that the room started.
enum Done {
    Fetched(Result<(Vec<Record>, i64), LogError>),
    Projected { seq: i64, ok: bool },
    Kept,
}

pub(crate) struct Room {
    note: NoteId,
    shared: Arc<Shared>,
    document: Document,
    /// Bytes of the document, roughly: what was loaded and what came since.
    size: usize,
    /// Every update of the log up to this number is in the document.
    seq: i64,
    connections: HashMap<u64, Connection>,
    next_connection: u64,
    presence: Presence,
    presence_due: Option<Instant>,
    /// Accepted updates that nobody was sent yet, and who brought each.
    fresh: Vec<(Option<u64>, Vec<u8>)>,
    fresh_due: Option<Instant>,
    last_broadcast: Instant,
    held_due: Option<Instant>,
    /// The position of the last update submitted, and of the last committed.
    submitted: u64,
    committed: u64,
    /// Changes of ours that wait for their commit.
    edits: VecDeque<Made>,
    fetching: bool,
    known_elsewhere: i64,
    projected: i64,
    projecting: bool,
    project_due: Option<Instant>,
    changed_since: Option<Instant>,
    /// Up to where the last snapshot goes.
    snapshot: i64,
    /// What `size` was then.
    kept_size: usize,
    keeping: bool,
    prepared: Option<Prepared>,
    broken: bool,
    /// A broken room refuses until then, before the note may be loaded anew.
    broken_until: Instant,
    storing: watch::Receiver<Storing>,
    verdicts: mpsc::UnboundedSender<Verdict>,
    done: mpsc::UnboundedSender<Done>,
}

/// Runs a room from load to end. Commands that came too late are given back.
pub(crate) async fn run(note: NoteId, shared: Arc<Shared>, mut commands: mpsc::Receiver<Command>) {
    let (verdicts, mut verdicts_in) = mpsc::unbounded_channel();
    let (done, mut done_in) = mpsc::unbounded_channel();
    let mut room = match load(note, &shared, verdicts, done).await {
        Ok(room) => room,
        Err(error) => {
            shared.forget(note);
            commands.close();
            while let Some(command) = commands.recv().await {
                command.refuse(&error);
            }
            return;
        }
    };
    metrics::gauge!("sidebar_sync_rooms").increment(1);
    let mut storing = room.storing.clone();
    // Grows where there is much to do: most rooms are quiet, and there may be thousands.
    let mut batch = Vec::new();
    let mut idle_until: Option<Instant> = None;
    loop {
        let due = [room.presence_due, room.fresh_due, room.held_due, room.project_due, idle_until]
            .into_iter()
            .flatten()
            .min();
        tokio::select! {
            biased;
            Some(verdict) = verdicts_in.recv() => room.settle(verdict),
            Some(done) = done_in.recv() => room.take_up(done),
            Ok(()) = storing.changed() => {
                let now = storing.borrow_and_update().clone();
                room.tell_storing(&now);
            }
            _ = commands.recv_many(&mut batch, BATCH) => {
                for command in batch.drain(..) {
                    room.obey(command);
                }
            }
            () = sleep_until(due.unwrap_or_else(far_away)), if due.is_some() => {}
        }
        room.tick(Instant::now());
        if !room.is_idle() {
            idle_until = None;
        } else {
            let linger = Instant::now() + shared.linger;
            let until = *idle_until.get_or_insert(if room.broken { room.broken_until } else { linger });
            if (room.broken && Instant::now() >= room.broken_until || Instant::now() >= until)
                && !room.keep_snapshot(UNKEPT_AT_THE_END)
                && shared.forget_if_unused(note, &mut commands)
            {
                break;
            }
            if Instant::now() >= until {
                idle_until = None;
            }
        }
    }
    metrics::gauge!("sidebar_sync_rooms").decrement(1);
    // Who was on the way while the room ended goes on to the next one.
    while let Some(command) = commands.recv().await {
        shared.clone().pass_on(note, command);
    }
}

fn far_away() -> Instant {
    Instant::now() + Duration::from_secs(3600)
}

async fn load(
    note: NoteId,
    shared: &Arc<Shared>,
    verdicts: mpsc::UnboundedSender<Verdict>,
    done: mpsc::UnboundedSender<Done>,
) -> Result<Room, RoomError> {
    let loaded = shared.log.load(note).await?;
    let size = loaded.updates.iter().map(Vec::len).sum();
    let (seq, snapshot) = (loaded.seq, loaded.snapshot);
    let kept_size = loaded.updates.first().filter(|_| snapshot > 0).map_or(0, Vec::len);
    let document = tokio::task::spawn_blocking(move || Document::load(&loaded.updates))
        .await
        .map_err(|error| RoomError::Unavailable(error.to_string()))?
        .map_err(|error| {
            tracing::error!(%note, %error, "a note cannot be built from its log");
            RoomError::Unavailable("The note could not be built from its log.".to_owned())
        })?;
    let now = Instant::now();
    Ok(Room {
        note,
        shared: shared.clone(),
        document,
        size,
        seq,
        connections: HashMap::new(),
        next_connection: 0,
        presence: Presence::default(),
        presence_due: None,
        fresh: Vec::new(),
        fresh_due: None,
        last_broadcast: now.checked_sub(BROADCAST_PACE).unwrap_or(now),
        held_due: None,
        submitted: 0,
        committed: 0,
        edits: VecDeque::new(),
        fetching: false,
        known_elsewhere: seq,
        projected: seq,
        projecting: false,
        project_due: None,
        changed_since: None,
        snapshot,
        kept_size,
        keeping: false,
        prepared: None,
        broken: false,
        broken_until: now,
        storing: shared.committer.storing(),
        verdicts,
        done,
    })
}

impl Command {
    /// Whether it makes sense in another room of the same note.
    pub fn is_about_the_note(&self) -> bool {
        !matches!(self, Self::Receive { .. } | Self::Access { .. } | Self::Detach { .. })
    }

    /// Answers with an error whoever waits for one.
    pub fn refuse(self, error: &RoomError) {
        match self {
            Self::Attach { answer, .. } => drop(answer.send(Err(error.clone()))),
            Self::Read { answer } => drop(answer.send(Err(error.clone()))),
            Self::Edit { answer, .. } => drop(answer.send(Err(error.clone()))),
            Self::Receive { .. }
            | Self::Access { .. }
            | Self::Detach { .. }
            | Self::Moved { .. }
            | Self::End { .. } => {}
        }
    }
}

impl Room {
    fn obey(&mut self, command: Command) {
        if self.broken && !matches!(command, Command::Detach { .. }) {
            return command.refuse(&RoomError::Unavailable("The note is being loaded anew.".to_owned()));
        }
        match command {
            Command::Attach { participant, outbox, answer } => self.attach(participant, outbox, answer),
            Command::Receive { connection, message } => self.receive(connection, message),
            Command::Access { connection, access } => self.set_access(connection, access),
            Command::Detach { connection } => self.detach(connection),
            Command::Read { answer } => {
                let reading = Reading {
                    text: self.document.content(),
                    seq: self.seq,
                    settled: self.committed >= self.submitted,
                };
                let _ = answer.send(Ok(reading));
            }
            Command::Edit { author, change, answer } => self.edit(author, change, answer),
            Command::Moved { seq } => self.look_elsewhere(seq),
            Command::End { code, reason } => self.let_all_go(code, &reason),
        }
    }

    fn attach(&mut self, participant: Participant, outbox: Outbox, answer: Answer<u64>) {
        let id = self.next_connection;
        self.next_connection += 1;
        if participant.own_frames {
            outbox.push(protocol::attached(self.note, participant.access, self.seq));
            let storing = self.storing.borrow().clone();
            if storing != Storing::Normal {
                outbox.push(protocol::storing(self.note, &storing));
            }
        }
        outbox.push(protocol::step_1(self.note, &self.document.state_vector()));
        let everybody = self.presence.everybody();
        if !everybody.is_empty() {
            outbox.push(protocol::awareness(self.note, &everybody));
        }
        self.connections.insert(id, Connection::new(participant, outbox));
        metrics::gauge!("sidebar_sync_connections").increment(1);
        if answer.send(Ok(id)).is_err() {
            self.detach(id);
        }
    }

    fn detach(&mut self, connection: u64) {
        if self.connections.remove(&connection).is_some() {
            metrics::gauge!("sidebar_sync_connections").decrement(1);
            self.presence.leave(connection);
        }
    }

    /// Whoever may do something else from now on begins anew, so that both sides count alike.
    fn set_access(&mut self, id: u64, access: Access) {
        if self.connections.get(&id).is_some_and(|connection| connection.participant.access != access) {
            self.let_go(id, close::RESYNC, "What you may do with this note has changed.");
        }
    }

    /// What is due by the clock.
    fn tick(&mut self, now: Instant) {
        if self.fresh_due.is_some_and(|due| due <= now) {
            self.broadcast(now);
        }
        if self.presence.has_news() {
            let due = *self.presence_due.get_or_insert(now + TICK);
            if due <= now {
                self.presence_due = None;
                let frame = protocol::awareness(self.note, &self.presence.take_news());
                for connection in self.connections.values() {
                    connection.outbox.push_awareness(frame.clone());
                }
            }
        } else {
            self.presence_due = None;
        }
        if self.held_due.is_some_and(|due| due <= now) {
            self.let_overdue_go(now);
        }
        if self.project_due.is_some_and(|due| due <= now) && !self.projecting {
            self.project(now);
        }
    }

    fn let_go(&mut self, id: u64, code: u16, reason: &str) {
        if let Some(connection) = self.connections.get(&id) {
            farewell(self.note, connection, code, reason);
        }
        self.detach(id);
    }

    fn let_all_go(&mut self, code: u16, reason: &str) {
        let ids: Vec<u64> = self.connections.keys().copied().collect();
        for id in ids {
            self.let_go(id, code, reason);
        }
    }

    fn give_up(&mut self, why: &str) {
        tracing::error!(note = %self.note, why, "a room is built anew from the log");
        metrics::counter!("sidebar_sync_rebuilt_rooms_total").increment(1);
        self.broken = true;
        self.fresh.clear();
        self.fresh_due = None;
        self.prepared = None;
        self.let_all_go(close::RESYNC, "Synchronise again.");
    }

    fn is_idle(&self) -> bool {
        let stored = self.committed >= self.submitted && self.edits.is_empty();
        let settled = !self.projecting
            && !self.keeping
            && !self.fetching
            && self.project_due.is_none()
            && self.fresh.is_empty();
        self.connections.is_empty() && stored && (settled || self.broken)
    }
}

/// Our clients share one socket among notes: they are told; others are disconnected.
fn farewell(note: NoteId, connection: &Connection, code: u16, reason: &str) {
    if connection.participant.own_frames {
        connection.outbox.push(protocol::closed(note, code, reason));
    } else {
        connection.outbox.close(code, reason);
    }
}
