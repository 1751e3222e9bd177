//! The document itself, without JavaScript: what the browser's class does, testable anywhere.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use yrs::types::Delta;
use yrs::types::text::YChange;
use yrs::undo::{Options as UndoOptions, UndoManager};
use yrs::updates::decoder::Decode;
use yrs::updates::encoder::Encode;
use yrs::{
    Any, ClientID, Doc, GetString, MapRef, Observable, OffsetKind, Options, Out, ReadTxn, StateVector, Text,
    TextRef, Transact, TransactionMut, Update, WriteTxn,
};

use crate::{position, proposal};

/// The names that every client of a note agrees on.
const TEXT: &str = "content";
const PROPOSALS: &str = "proposals";
/// Marks what the person typed here; only that is undone.
const OWN: &str = "own";
const WATCH: &str = "changes";
/// Edits closer together than this are one step of undo.
const ONE_STEP_MS: u64 = 500;
/// Stands for something in the text that is no text, which takes one position.
const OBJECT: &str = "\u{FFFC}";

/// Replaces UTF-16 units `from..to` by `insert`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub from: u32,
    pub to: u32,
    pub insert: String,
}

/// Bytes that say nothing; the document is as it was.
#[derive(Debug)]
pub struct Malformed(pub String);

type Seen = Rc<RefCell<Vec<Change>>>;

pub struct Document {
    doc: Doc,
    text: TextRef,
    proposals: MapRef,
    undo: UndoManager<()>,
    /// What refers to something that is not here yet. It waits outside of the document: yrs 0.28 can
    /// lose its way, or number blocks wrongly, when updates wait inside.
    held: Option<Vec<u8>>,
}

impl Document {
    /// `clock` gives milliseconds.
    pub fn new(client: u64, clock: fn() -> u64) -> Self {
        let mut options = Options::with_client_id(ClientID::new(client));
        options.offset_kind = OffsetKind::Utf16;
        let doc = Doc::with_options(options);
        let text = doc.get_or_insert_text(TEXT);
        let proposals = doc.get_or_insert_map(PROPOSALS);
        let mut undo = UndoManager::with_options(UndoOptions {
            capture_timeout_millis: ONE_STEP_MS,
            tracked_origins: [OWN.into()].into(),
            capture_transaction: None,
            timestamp: Arc::new(clock),
            init_undo_stack: Vec::new(),
            init_redo_stack: Vec::new(),
        });
        undo.expand_scope(&doc, &text);
        Self { doc, text, proposals, undo, held: None }
    }

    pub fn apply(&mut self, update: &[u8]) -> Result<Vec<Change>, Malformed> {
        let mut update = Update::decode_v1(update).map_err(malformed)?;
        if let Some(held) = &self.held {
            update = Update::merge_updates([Update::decode_v1(held).map_err(malformed)?, update]);
        }
        let (held, changes) = self.watched(|own| {
            let mut txn = own.doc.transact_mut();
            txn.apply_update(update).map_err(malformed)?;
            Ok(txn.prune_pending().filter(|rest| !rest.is_empty()).map(|rest| rest.encode_v1()))
        });
        self.held = held?;
        Ok(changes)
    }

    /// What an act changes in the text. Only what is not typed here is watched: telling changes means
    /// walking through the whole text.
    fn watched<T>(&mut self, act: impl FnOnce(&mut Self) -> T) -> (T, Vec<Change>) {
        let seen = Seen::default();
        let noted = Rc::clone(&seen);
        self.text.observe(WATCH, move |txn, event| note(&mut noted.borrow_mut(), event.delta(txn)));
        let done = act(self);
        self.text.unobserve(WATCH);
        (done, seen.take())
    }

    pub fn edit(&mut self, changes: &[Change]) -> Vec<u8> {
        let mut txn = self.doc.transact_mut_with(OWN);
        // From the end, so that the positions of the rest stay true.
        for change in changes.iter().rev() {
            replace(&self.text, &mut txn, change);
        }
        txn.commit();
        txn.encode_update_v1()
    }

    pub fn undo(&mut self) -> Option<(Vec<Change>, Vec<u8>)> {
        self.recorded(UndoManager::undo_blocking)
    }

    pub fn redo(&mut self) -> Option<(Vec<Change>, Vec<u8>)> {
        self.recorded(UndoManager::redo_blocking)
    }

    pub fn seal(&mut self) {
        self.undo.reset();
    }

    fn recorded(&mut self, act: fn(&mut UndoManager<()>) -> bool) -> Option<(Vec<Change>, Vec<u8>)> {
        let update: Rc<RefCell<Vec<Vec<u8>>>> = Rc::default();
        let heard = Rc::clone(&update);
        self.doc
            .observe_update_v1(WATCH, move |_, event| heard.borrow_mut().push(event.update.clone()))
            .ok()?;
        let (changed, changes) = self.watched(|own| act(&mut own.undo));
        self.doc.unobserve_update_v1(WATCH).ok()?;
        let updates = update.take();
        let merged = yrs::merge_updates_v1(&updates).ok()?;
        changed.then_some((changes, merged))
    }

    pub fn text(&self) -> String {
        let txn = self.doc.transact();
        let plain = self.text.get_string(&txn);
        let length = self.text.len(&txn) as usize;
        if plain.len() == length || plain.encode_utf16().count() == length {
            return plain;
        }
        let parts = self.text.diff(&txn, YChange::identity);
        parts.into_iter().map(|part| shown(&part.insert)).collect()
    }

    pub fn state_vector(&self) -> Vec<u8> {
        self.doc.transact().state_vector().encode_v1()
    }

    pub fn diff(&self, state_vector: &[u8]) -> Result<Vec<u8>, Malformed> {
        let known = StateVector::decode_v1(state_vector).map_err(malformed)?;
        Ok(self.doc.transact().encode_diff_v1(&known))
    }

    pub fn exceeds(&self, state_vector: &[u8]) -> Result<bool, Malformed> {
        let known = StateVector::decode_v1(state_vector).map_err(malformed)?;
        let own = self.doc.transact().state_vector();
        Ok(own.iter().any(|(client, clock)| *clock > known.get(client)))
    }

    /// Whether something that came refers to what is not here: ask for it.
    pub fn has_missing(&self) -> bool {
        self.held.is_some()
    }

    pub fn sticky(&self, position: u32, before: bool) -> Vec<u8> {
        position::encode(&self.doc.transact(), &self.text, position, before)
    }

    pub fn resolve(&self, sticky: &[u8]) -> Option<u32> {
        position::resolve(&self.doc.transact(), sticky)
    }

    pub fn proposals(&self) -> String {
        proposal::json(&self.doc.transact(), &self.proposals)
    }
}

fn replace(text: &TextRef, txn: &mut TransactionMut, change: &Change) {
    // The new text stands before what it replaces, as in Yjs' own bindings.
    if change.to > change.from {
        text.remove_range(txn, change.from, change.to - change.from);
    }
    if !change.insert.is_empty() {
        text.insert(txn, change.from, &change.insert);
    }
}

/// Appends a delta as changes in positions of the text before it.
fn note(seen: &mut Vec<Change>, delta: &[Delta]) {
    let mut at = 0;
    for part in delta {
        match part {
            Delta::Retain(length, _) => at += length,
            Delta::Deleted(length) => {
                join(seen, Change { from: at, to: at + length, insert: String::new() });
                at += length;
            }
            Delta::Inserted(value, _) => join(seen, Change { from: at, to: at, insert: shown(value) }),
        }
    }
}

/// What touches the change before becomes part of it.
fn join(seen: &mut Vec<Change>, next: Change) {
    match seen.last_mut() {
        Some(last) if last.to == next.from => {
            last.to = next.to;
            last.insert.push_str(&next.insert);
        }
        _ => seen.push(next),
    }
}

fn shown(value: &Out) -> String {
    match value {
        Out::Any(Any::String(text)) => text.to_string(),
        _ => OBJECT.to_owned(),
    }
}

fn malformed(cause: impl std::fmt::Display) -> Malformed {
    Malformed(cause.to_string())
}
