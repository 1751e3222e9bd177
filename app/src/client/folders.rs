//! Files from outside with the folders that they were in, as the browser tells of them. Browser only.

use crate::client::document::note;
use js_sys::{Array, Function, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{DataTransfer, File, FileList, FileSystemDirectoryEntry, FileSystemEntry, FileSystemFileEntry};

/// A file, and its folder within what was chosen or dropped.
pub type Found = (File, String);

/// What was chosen in a field.
pub fn listed(files: &FileList) -> Vec<Found> {
    let files = (0..files.length()).filter_map(|at| files.get(at));
    files
        .map(|file| {
            let path = Reflect::get(&file, &"webkitRelativePath".into()).ok();
            let path = path.and_then(|path| path.as_string()).unwrap_or_default();
            let folder = parent(&path).to_owned();
            (file, folder)
        })
        .collect()
}

/// What was dropped. It must be asked before this turn of the page ends; what is in it may wait.
pub fn dropped(data: &DataTransfer) -> Vec<FileSystemEntry> {
    let items = data.items();
    (0..items.length()).filter_map(|at| items.get(at)?.webkit_get_as_entry().ok().flatten()).collect()
}

/// All files in these and below them.
pub async fn walked(entries: Vec<FileSystemEntry>) -> Result<Vec<Found>, JsValue> {
    let mut found = Vec::new();
    let mut left = entries;
    while let Some(entry) = left.pop() {
        if entry.is_directory() {
            left.extend(inside(entry.unchecked_into()).await?);
            continue;
        }
        let folder = parent(entry.full_path().trim_start_matches('/')).to_owned();
        let entry: FileSystemFileEntry = entry.unchecked_into();
        let file = told(|yes, no| entry.file_with_callback_and_callback(yes, no)).await?;
        found.push((file.unchecked_into(), folder));
    }
    Ok(found)
}

/// A directory tells some at a time, and nothing once it has told all.
async fn inside(directory: FileSystemDirectoryEntry) -> Result<Vec<FileSystemEntry>, JsValue> {
    let reader = directory.create_reader();
    let mut all = Vec::new();
    loop {
        let some = told(|yes, no| note(reader.read_entries_with_callback_and_callback(yes, no))).await?;
        let some: Array = some.unchecked_into();
        if some.length() == 0 {
            return Ok(all);
        }
        all.extend(some.iter().map(|entry| entry.unchecked_into::<FileSystemEntry>()));
    }
}

/// Waits for what is told to one of two functions.
async fn told(ask: impl Fn(&Function, &Function)) -> Result<JsValue, JsValue> {
    JsFuture::from(Promise::new(&mut |yes, no| ask(&yes, &no))).await
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}
