//! One note's document in the browser: Yrs behind a handful of functions that speak bytes and UTF-16
//! positions. No network, no storage, no clock but the browser's; a transaction never outlives a call.

mod document;
mod position;
mod proposal;

pub use document::{Change, Document};

use js_sys::{Array, JsString, Uint8Array};
use wasm_bindgen::prelude::*;

/// The document as JavaScript holds it. Changes are flat arrays of `from, to, insert`, in positions of
/// the text before the call, in order.
#[wasm_bindgen]
pub struct Replica(Document);

#[wasm_bindgen]
impl Replica {
    #[wasm_bindgen(constructor)]
    pub fn new(client: f64) -> Self {
        Self(Document::new(client as u64, || js_sys::Date::now() as u64))
    }

    /// Takes in an update from elsewhere; gives what changed in the text.
    pub fn apply(&mut self, update: &[u8]) -> Result<Array, JsError> {
        Ok(flat(&self.0.apply(update).map_err(error)?))
    }

    /// Changes the text; gives the update to store and send.
    pub fn edit(&mut self, changes: &Array) -> Vec<u8> {
        self.0.edit(&list(changes))
    }

    /// Takes back the person's own last edit: `[changes, update]`, or nothing where there is none.
    pub fn undo(&mut self) -> Option<Array> {
        self.0.undo().map(pair)
    }

    pub fn redo(&mut self) -> Option<Array> {
        self.0.redo().map(pair)
    }

    /// The next edit begins a step of its own.
    pub fn seal(&mut self) {
        self.0.seal();
    }

    pub fn text(&self) -> String {
        self.0.text()
    }

    #[wasm_bindgen(js_name = stateVector)]
    pub fn state_vector(&self) -> Vec<u8> {
        self.0.state_vector()
    }

    /// What the holder of this state vector lacks, with all deletions.
    pub fn diff(&self, state_vector: &[u8]) -> Result<Vec<u8>, JsError> {
        self.0.diff(state_vector).map_err(error)
    }

    /// Whether the holder of this state vector lacks insertions that are here.
    pub fn exceeds(&self, state_vector: &[u8]) -> Result<bool, JsError> {
        self.0.exceeds(state_vector).map_err(error)
    }

    /// Whether something that came refers to what is not here.
    #[wasm_bindgen(js_name = hasMissing)]
    pub fn has_missing(&self) -> bool {
        self.0.has_missing()
    }

    /// A position that stays at its place in the text: to the character after it, or with `before` to
    /// the one before it. The bytes are those of Yjs.
    pub fn sticky(&self, position: u32, before: bool) -> Vec<u8> {
        self.0.sticky(position, before)
    }

    /// Where it is now; nothing when what it refers to is not known here.
    pub fn resolve(&self, sticky: &[u8]) -> Option<u32> {
        self.0.resolve(sticky)
    }

    /// What is proposed, as JSON: an object of proposals by id, positions resolved (`null` where they
    /// cannot be).
    pub fn proposals(&self) -> String {
        self.0.proposals()
    }
}

/// Many updates as one.
#[wasm_bindgen]
pub fn merge(updates: Vec<Uint8Array>) -> Result<Vec<u8>, JsError> {
    let updates: Vec<_> = updates.iter().map(Uint8Array::to_vec).collect();
    yrs::merge_updates_v1(&updates).map_err(|cause| JsError::new(&cause.to_string()))
}

fn error(cause: document::Malformed) -> JsError {
    JsError::new(&cause.0)
}

fn flat(changes: &[Change]) -> Array {
    let array = Array::new();
    for change in changes {
        array.push(&change.from.into());
        array.push(&change.to.into());
        array.push(&change.insert.as_str().into());
    }
    array
}

fn list(changes: &Array) -> Vec<Change> {
    let number = |at| changes.get(at).as_f64().unwrap_or_default() as u32;
    (0..changes.length() / 3)
        .map(|n| Change {
            from: number(n * 3),
            to: number(n * 3 + 1),
            insert: String::from(changes.get(n * 3 + 2).unchecked_into::<JsString>()),
        })
        .collect()
}

fn pair((changes, update): (Vec<Change>, Vec<u8>)) -> Array {
    Array::of2(&flat(&changes), &Uint8Array::from(update.as_slice()))
}
