//! What the browser remembers of files on their way, so that a page that is loaded again can go on with them: which
//! upload it was, and enough to know the file by when it is chosen again. Never a file's bytes.

use super::super::session::account;
use super::digest::hex_of;
use serde::{Deserialize, Serialize};
use shared::UploadId;
use web_sys::{Blob, File, Storage};

/// Of the file's beginning, by which it is known again.
const BEGINNING: f64 = 1_048_576.0;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Remembered {
    pub id: UploadId,
    pub name: String,
    pub folder: String,
    /// In bytes.
    pub size: u64,
    /// Of its first megabyte.
    pub beginning: String,
}

impl Remembered {
    /// Whether this is the file.
    pub async fn is_of(&self, file: &File) -> bool {
        self.name == file.name()
            && self.size == file.size() as u64
            && beginning_of(file).await.is_some_and(|beginning| beginning == self.beginning)
    }
}

/// None where the browser cannot say, or not any more.
pub async fn beginning_of(file: &Blob) -> Option<String> {
    let end = file.size().min(BEGINNING);
    hex_of(&file.slice_with_f64_and_f64(0.0, end).ok()?).await
}

pub fn all() -> Vec<Remembered> {
    let text = store().and_then(|store| store.get_item(&key()?).ok().flatten());
    text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

pub fn remember(one: Remembered) {
    let mut all = all();
    all.retain(|known| known.id != one.id);
    all.push(one);
    keep(&all);
}

pub fn forget(id: UploadId) {
    let mut all = all();
    let before = all.len();
    all.retain(|known| known.id != id);
    if all.len() != before {
        keep(&all);
    }
}

/// A browser that keeps nothing (private mode, full) costs going on after a reload, and nothing else.
fn keep(all: &[Remembered]) {
    let (Some(store), Some(key)) = (store(), key()) else { return };
    let kept = match (all.is_empty(), serde_json::to_string(all)) {
        (true, _) => store.remove_item(&key),
        (false, Ok(text)) => store.set_item(&key, &text),
        (false, Err(cause)) => return leptos::logging::warn!("an upload is not remembered: {cause}"),
    };
    if kept.is_err() {
        leptos::logging::warn!("an upload is not remembered: the browser keeps nothing");
    }
}

fn key() -> Option<String> {
    account().map(|account| format!("uploads:{account}"))
}

fn store() -> Option<Storage> {
    leptos::prelude::window().local_storage().ok().flatten()
}
