//! What a room hears of its log: what was committed here and elsewhere, and what becomes of the text.

use super::{
    Done, LARGE, MANY_UNKEPT, MUCH_UNKEPT, Made, PROJECT_AGAIN, Prepared, REFUSED_FOR, Room, SETTLED,
};
use crate::committer::Verdict;
use crate::document::{self, DocumentError};
use crate::log::Record;
use crate::protocol::{self, Storing};
use crate::rooms::RoomError;
use shared::note::frame::close;
use tokio::time::Instant;

impl Room {
    pub(super) fn settle(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Committed { through, seqs } => {
                self.committed = self.committed.max(through);
                self.keep_prepared();
                for seq in seqs {
                    if seq == self.seq + 1 {
                        self.seq = seq;
                    } else if seq > self.seq {
                        // Another server's updates lie between.
                        self.look_elsewhere(seq);
                    }
                }
                let ids: Vec<u64> = self.connections.keys().copied().collect();
                for id in ids {
                    self.acknowledge(id);
                }
                self.answer_edits();
            }
            Verdict::Gone { through } => {
                self.committed = self.committed.max(through);
                self.let_all_go(close::NOT_FOUND, "This note is gone.");
                self.fail_edits(&RoomError::NotFound);
                self.broken = true;
            }
            Verdict::Failed { through, reason } => {
                self.committed = self.committed.max(through);
                self.fail_edits(&RoomError::Unavailable(reason.clone()));
                // Whoever comes back at once with the same would fail at once again.
                self.broken_until = Instant::now() + REFUSED_FOR;
                self.let_all_go(close::UNAVAILABLE, "The note cannot be stored just now.");
                self.give_up(&reason);
            }
        }
    }

    fn answer_edits(&mut self) {
        while self.edits.front().is_some_and(|made| made.position <= self.committed) {
            if let Some(Made { value, answer, .. }) = self.edits.pop_front() {
                let _ = answer.send(Ok((value, self.seq)));
            }
        }
    }

    fn fail_edits(&mut self, error: &RoomError) {
        for Made { answer, .. } in self.edits.drain(..) {
            let _ = answer.send(Err(error.clone()));
        }
    }

    /// Tells a client how many of its updates are saved.
    pub(super) fn acknowledge(&mut self, id: u64) {
        let (note, seq) = (self.note, self.seq);
        let through = if self.committed >= self.submitted { u64::MAX } else { self.committed };
        let Some(connection) = self.connections.get_mut(&id) else { return };
        if let Some(count) = connection.acknowledge(through)
            && connection.participant.own_frames
        {
            connection.outbox.push(protocol::saved(note, count, seq));
        }
    }

    pub(super) fn tell_storing(&mut self, storing: &Storing) {
        let frame = protocol::storing(self.note, storing);
        let step_1 = protocol::step_1(self.note, &self.document.state_vector());
        for connection in self.connections.values() {
            if connection.participant.own_frames {
                connection.outbox.push(frame.clone());
            } else if *storing == Storing::Normal {
                // What was refused meanwhile comes with the answer to this.
                connection.outbox.push(step_1.clone());
            }
        }
    }

    pub(super) fn look_elsewhere(&mut self, seq: i64) {
        self.known_elsewhere = self.known_elsewhere.max(seq);
        if self.fetching || self.known_elsewhere <= self.seq {
            return;
        }
        self.fetching = true;
        let (shared, note, after, done) = (self.shared.clone(), self.note, self.seq, self.done.clone());
        tokio::spawn(async move {
            let _ = done.send(Done::Fetched(shared.log.since(note, after).await));
        });
    }

    pub(super) fn take_up(&mut self, done: Done) {
        match done {
            Done::Fetched(result) => {
                self.fetching = false;
                match result {
                    Ok((records, last)) => self.take_in(&records, last),
                    // The next announcement, or the regular look at the log, tries again.
                    Err(error) => {
                        tracing::warn!(note = %self.note, %error, "what others committed cannot be read");
                    }
                }
            }
            Done::Kept => self.keeping = false,
            Done::Projected { seq, ok } => {
                self.projecting = false;
                if ok {
                    self.projected = self.projected.max(seq);
                } else {
                    self.changed_since.get_or_insert_with(Instant::now);
                }
                if self.changed_since.is_some() && self.project_due.is_none() {
                    self.project_due = Some(Instant::now() + if ok { SETTLED } else { PROJECT_AGAIN });
                }
            }
        }
    }

    /// What other servers committed.
    fn take_in(&mut self, records: &[Record], last: i64) {
        let updates: Vec<&[u8]> = records.iter().map(|record| record.update.as_slice()).collect();
        if !updates.is_empty() {
            let applied = document::merge(&updates)
                .ok_or(DocumentError::Malformed)
                .and_then(|merged| self.document.apply(&merged));
            match applied {
                Ok(applied) if applied.held.is_none() => {
                    if let Some(new) = applied.new {
                        self.spread(None, new);
                        self.changed();
                    }
                }
                Ok(_) => return self.give_up("the log refers to something that is not in it"),
                Err(_) => return self.give_up("the log holds something that is no update"),
            }
        }
        self.seq = self.seq.max(last);
        let known = self.known_elsewhere;
        self.look_elsewhere(known);
    }

    /// Whether the log since the last snapshot has `many` updates, or much in few.
    fn is_snapshot_due(&self, many: i64) -> bool {
        let unkept = self.size.saturating_sub(self.kept_size);
        self.seq - self.snapshot >= many || self.size < LARGE && unkept >= MUCH_UNKEPT.max(self.kept_size / 4)
    }

    /// Has a snapshot kept where one is due and all that it says is committed. Says whether that has begun.
    pub(super) fn keep_snapshot(&mut self, many: i64) -> bool {
        let is_committed = self.committed >= self.submitted;
        if self.keeping || self.broken || !is_committed || !self.is_snapshot_due(many) {
            return false;
        }
        let Ok(state) = self.document.state() else {
            self.give_up("it cannot be encoded");
            return false;
        };
        self.keep(self.seq, state);
        true
    }

    /// Where a note is written without a pause there is no moment in which everything is committed: then the
    /// snapshot is taken now, and kept when the log has all of it.
    fn prepare_snapshot(&mut self) {
        if self.keeping || self.broken || self.prepared.is_some() || !self.is_snapshot_due(MANY_UNKEPT) {
            return;
        }
        match self.document.state() {
            Ok(state) => self.prepared = Some(Prepared { position: self.submitted, seq: self.seq, state }),
            Err(_) => self.give_up("it cannot be encoded"),
        }
    }

    fn keep_prepared(&mut self) {
        let committed = self.committed;
        if let Some(ready) = self.prepared.take_if(|prepared| prepared.position <= committed)
            && !self.keeping
        {
            self.keep(ready.seq, ready.state);
        }
    }

    fn keep(&mut self, seq: i64, state: Vec<u8>) {
        let (shared, done, note) = (self.shared.clone(), self.done.clone(), self.note);
        self.keeping = true;
        // also where keeping fails: it is tried again after as many updates, and jobs merge logs as well
        self.snapshot = seq;
        self.kept_size = self.size;
        tokio::spawn(async move {
            if let Err(error) = shared.log.keep(note, seq, state).await {
                tracing::warn!(%note, %error, "a snapshot of a note could not be kept");
            }
            let _ = done.send(Done::Kept);
        });
    }

    pub(super) fn project(&mut self, now: Instant) {
        if self.committed < self.submitted || self.broken {
            self.prepare_snapshot();
            // Looked at again when the commit is there.
            self.project_due = Some(now + SETTLED);
            return;
        }
        self.keep_snapshot(MANY_UNKEPT);
        self.project_due = None;
        self.changed_since = None;
        self.projecting = true;
        let (text, seq, note) = (self.document.content(), self.seq, self.note);
        let (shared, done) = (self.shared.clone(), self.done.clone());
        tokio::spawn(async move {
            let result = shared.projector.project(note, seq, &text).await;
            if let Err(error) = &result {
                tracing::warn!(%note, %error, "a note could not be projected");
            }
            let _ = done.send(Done::Projected { seq, ok: result.is_ok() });
        });
    }
}
