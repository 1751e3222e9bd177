//! What waits to be sent on one connection: bounded. Past a number of frames updates are merged;
//! past a number of bytes the connection is let go with a code that means "synchronise anew".

use crate::document;
use crate::protocol::{self, ID};
use bytes::Bytes;
use shared::NoteId;
use shared::note::frame::close;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use uuid::Uuid;

/// Frames that may wait before updates are merged.
const MOST_FRAMES: usize = 128;
/// Frames that may wait before awareness is left out: it is sent again anyway.
const BUSY: usize = 32;
/// Bytes that may wait.
const MOST_BYTES: usize = 8 << 20;

/// What the connection's writer does next.
#[derive(Debug, PartialEq)]
pub enum Outgoing {
    /// Frames, each with the note's id before it.
    Frames(Vec<Bytes>),
    /// Nothing more; close with this code and reason.
    Close(u16, String),
}

#[derive(Clone, Default)]
pub struct Outbox(Arc<Inner>);

#[derive(Default)]
struct Inner {
    queue: Mutex<Queue>,
    filled: Notify,
}

#[derive(Default)]
struct Queue {
    frames: VecDeque<Frame>,
    bytes: usize,
    close: Option<(u16, String)>,
}

enum Frame {
    /// The frame, and where in it the Yjs update begins.
    Update(Bytes, usize),
    /// What a client that just came lacks. It is as long as the note, so it is not counted; but only
    /// one may wait for each note.
    State(Bytes),
    Other(Bytes),
}

impl Frame {
    fn bytes(&self) -> &Bytes {
        match self {
            Self::Update(bytes, _) | Self::State(bytes) | Self::Other(bytes) => bytes,
        }
    }
}

impl Outbox {
    pub(crate) fn push(&self, frame: Bytes) {
        self.add(Frame::Other(frame));
    }

    /// `update` is the last part of `frame`.
    pub(crate) fn push_update(&self, frame: Bytes, update: usize) {
        let at = frame.len() - update;
        self.add(Frame::Update(frame, at));
    }

    /// The answer to a state vector; an earlier one that still waits is not needed any more.
    pub(crate) fn push_state(&self, frame: Bytes) {
        let mut queue = self.queue();
        queue.frames.retain(|waiting| !matches!(waiting, Frame::State(old) if old[..ID] == frame[..ID]));
        drop(queue);
        self.add(Frame::State(frame));
    }

    /// A frame that may be left out while the reader is behind.
    pub(crate) fn push_awareness(&self, frame: Bytes) {
        if self.queue().frames.len() < BUSY {
            self.push(frame);
        }
    }

    /// Tells our own client that one note's line ended.
    pub fn end_note(&self, note: NoteId, code: u16, reason: &str) {
        self.push(protocol::closed(note, code, reason));
    }

    /// Ends the connection once its writer looks; what waits is dropped.
    pub fn close(&self, code: u16, reason: &str) {
        let mut queue = self.queue();
        queue.close.get_or_insert_with(|| (code, reason.to_owned()));
        queue.frames.clear();
        queue.bytes = 0;
        drop(queue);
        self.0.filled.notify_one();
    }

    /// What to send next; waits until there is something.
    pub async fn next(&self) -> Outgoing {
        loop {
            {
                let mut queue = self.queue();
                if let Some((code, reason)) = &queue.close {
                    return Outgoing::Close(*code, reason.clone());
                }
                if !queue.frames.is_empty() {
                    queue.bytes = 0;
                    let frames = std::mem::take(&mut queue.frames);
                    return Outgoing::Frames(frames.into_iter().map(|f| f.bytes().clone()).collect());
                }
            }
            self.0.filled.notified().await;
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, frame: Frame) {
        let mut queue = self.queue();
        if queue.close.is_some() {
            return;
        }
        if !matches!(frame, Frame::State(_)) {
            queue.bytes += frame.bytes().len();
        }
        queue.frames.push_back(frame);
        if queue.frames.len() > MOST_FRAMES {
            queue.coalesce();
        }
        let full = queue.bytes > MOST_BYTES || queue.frames.len() > 2 * MOST_FRAMES;
        drop(queue);
        if full {
            metrics::counter!("sidebar_sync_slow_connections_total").increment(1);
            self.close(close::RESYNC, "This connection could not keep up. Synchronise again.");
        } else {
            self.0.filled.notify_one();
        }
    }
}

impl Queue {
    /// Makes one update of all that wait, for each note.
    fn coalesce(&mut self) {
        let mut updates: BTreeMap<[u8; ID], Vec<Bytes>> = BTreeMap::new();
        let mut frames = VecDeque::new();
        for frame in self.frames.drain(..) {
            match frame {
                Frame::Update(bytes, at) => {
                    let mut note = [0; ID];
                    note.copy_from_slice(&bytes[..ID]);
                    updates.entry(note).or_default().push(bytes.slice(at..));
                }
                other => frames.push_back(other),
            }
        }
        for (note, updates) in updates {
            let note = NoteId(Uuid::from_bytes(note));
            match document::merge(&updates) {
                Some(merged) => {
                    let frame = protocol::update(note, &merged);
                    let at = frame.len() - merged.len();
                    frames.push_back(Frame::Update(frame, at));
                }
                None => self.close = Some((close::RESYNC, "Synchronise again.".to_owned())),
            }
        }
        self.frames = frames;
        let counted = self.frames.iter().filter(|f| !matches!(f, Frame::State(_)));
        self.bytes = counted.map(|f| f.bytes().len()).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use yrs::{Doc, Text, Transact};

    fn updates(count: usize) -> Vec<Vec<u8>> {
        let doc = Doc::new();
        let text = doc.get_or_insert_text("content");
        (0..count)
            .map(|_| {
                let mut txn = doc.transact_mut();
                text.push(&mut txn, "x");
                txn.encode_update_v1()
            })
            .collect()
    }

    #[tokio::test]
    async fn a_slow_reader_gets_one_update_that_says_it_all() {
        let (outbox, note) = (Outbox::default(), NoteId::new());
        for update in updates(MOST_FRAMES + 1) {
            outbox.push_update(protocol::update(note, &update), update.len());
        }
        let Outgoing::Frames(frames) = outbox.next().await else { panic!("closed") };
        assert_eq!(frames.len(), 1);
        let document = document::Document::load(&[]).unwrap();
        let Ok(messages) = protocol::decode(&frames[0].slice(ID..)) else { panic!("malformed") };
        let protocol::Incoming::Update(update) = &messages[0] else { panic!("no update") };
        document.apply(update).unwrap();
        assert_eq!(document.content().len(), MOST_FRAMES + 1);
    }

    #[tokio::test]
    async fn a_large_note_passes_once() {
        let (outbox, note) = (Outbox::default(), NoteId::new());
        for _ in 0..3 {
            outbox.push_state(protocol::step_2(note, &vec![0; 2 * MOST_BYTES]));
        }
        outbox.push(Bytes::from_static(&[0; 20]));
        let Outgoing::Frames(frames) = outbox.next().await else { panic!("closed") };
        assert_eq!(frames.len(), 2);
    }

    #[tokio::test]
    async fn a_reader_far_behind_is_let_go() {
        let outbox = Outbox::default();
        for _ in 0..9 {
            outbox.push(Bytes::from(vec![0; 1 << 20]));
        }
        assert!(matches!(outbox.next().await, Outgoing::Close(close::RESYNC, _)));
    }
}
