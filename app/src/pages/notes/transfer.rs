//! Dragging notes and folders onto folders, and files from outside into the list.

use super::store::Notes;
use crate::client::api::{self, Method};
#[cfg(feature = "hydrate")]
use crate::client::folders;
use leptos::ev::DragEvent;
use leptos::prelude::*;
#[cfg(feature = "hydrate")]
use shared::Problem;
use shared::note::{ImportReport, UpdateFolder};
use shared::{FolderId, NoteId};

/// Names what is dragged, for us only.
#[cfg(feature = "hydrate")]
const NOTE: &str = "application/x-sidebar-note";
#[cfg(feature = "hydrate")]
const FOLDER: &str = "application/x-sidebar-folder";

pub fn drag_note(event: &DragEvent, id: NoteId) {
    #[cfg(feature = "hydrate")]
    browser::carry(event, NOTE, &id.to_string());
    #[cfg(not(feature = "hydrate"))]
    let _ = (event, id);
}

pub fn drag_folder(event: &DragEvent, id: FolderId) {
    #[cfg(feature = "hydrate")]
    browser::carry(event, FOLDER, &id.to_string());
    #[cfg(not(feature = "hydrate"))]
    let _ = (event, id);
}

/// Lets what is dragged be dropped on a folder, and shows that.
pub fn allow(event: DragEvent) {
    #[cfg(feature = "hydrate")]
    if browser::carries(&event, NOTE) || browser::carries(&event, FOLDER) {
        event.prevent_default();
        browser::mark(&event, true);
    }
    #[cfg(not(feature = "hydrate"))]
    drop(event);
}

pub fn left(event: DragEvent) {
    #[cfg(feature = "hydrate")]
    browser::mark(&event, false);
    #[cfg(not(feature = "hydrate"))]
    drop(event);
}

/// Moves what was dropped into the folder; `None` is the top.
pub fn drop_on(event: DragEvent, store: Notes, folder: Option<FolderId>) {
    #[cfg(feature = "hydrate")]
    {
        browser::mark(&event, false);
        if let Some(id) = browser::carried(&event, NOTE).and_then(|id| id.parse().ok()) {
            event.prevent_default();
            store.move_to(id, folder);
        } else if let Some(id) = browser::carried(&event, FOLDER).and_then(|id| id.parse().ok()) {
            event.prevent_default();
            move_folder(store, id, folder);
        }
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = (event, store, folder);
}

/// Moves a folder into another; `None` is the top.
pub fn move_folder(store: Notes, id: FolderId, parent: Option<FolderId>) {
    if Some(id) == parent {
        return;
    }
    let change = UpdateFolder { parent_id: Some(parent), ..Default::default() };
    let moved = api::send::<serde_json::Value>(Method::Patch, format!("/folders/{id}"), &change);
    leptos::task::spawn_local(async move {
        match moved.await {
            Ok(_) => store.reload_folders(),
            Err(problem) => store.toasts.problem(&problem),
        }
    });
}

pub fn allow_files(event: DragEvent) {
    #[cfg(feature = "hydrate")]
    if browser::carries(&event, "Files") {
        event.prevent_default();
    }
    #[cfg(not(feature = "hydrate"))]
    drop(event);
}

/// Imports the files and folders that were dropped into the list.
pub fn take_dropped(event: DragEvent, store: Notes) {
    #[cfg(feature = "hydrate")]
    if let Some(data) = event.data_transfer()
        && data.files().is_some_and(|files| files.length() > 0)
    {
        event.prevent_default();
        let entries = folders::dropped(&data);
        leptos::task::spawn_local(async move {
            match folders::walked(entries).await {
                Ok(found) => import_all(found, store).await,
                Err(cause) => {
                    leptos::logging::warn!("a folder was not read: {cause:?}");
                    store.toasts.say("The folder could not be read. Nothing of it was imported.");
                }
            }
        });
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = (event, store);
}

/// Makes a field of files one of folders, which HTML has no word for.
pub fn choose_folders(field: NodeRef<leptos::html::Input>) {
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| {
        if let Some(field) = field.get() {
            crate::client::document::note(field.set_attribute("webkitdirectory", ""));
        }
    });
    #[cfg(not(feature = "hydrate"))]
    let _ = field;
}

/// Imports what was chosen in a field of files or of a folder.
pub fn take_chosen(event: &leptos::ev::Event, store: Notes) {
    #[cfg(feature = "hydrate")]
    {
        use wasm_bindgen::JsCast;
        let field = event.target().and_then(|target| target.dyn_into::<web_sys::HtmlInputElement>().ok());
        if let Some(files) = field.and_then(|field| field.files()) {
            leptos::task::spawn_local(import_all(folders::listed(&files), store));
        }
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = (event, store);
}

#[cfg(feature = "hydrate")]
async fn import_all(found: Vec<folders::Found>, store: Notes) {
    let found: Vec<folders::Found> =
        found.into_iter().filter(|(file, folder)| is_meant(folder, &file.name())).collect();
    if found.is_empty() {
        return store.toasts.say("There is no file to import.");
    }
    store.toasts.say(match found.len() {
        1 => "Importing one file…".to_owned(),
        count => format!("Importing {count} files…"),
    });
    // what lies in folders refers to each other and goes as one
    let (single, foldered): (Vec<_>, Vec<_>) = found.into_iter().partition(|(_, folder)| folder.is_empty());
    let mut all = ImportReport::default();
    let mut add = |report: ImportReport| {
        all.notes.extend(report.notes);
        all.skipped.extend(report.skipped);
        all.attachments += report.attachments;
    };
    let imported = async {
        if !foldered.is_empty() {
            add(browser::import_folder(&foldered).await?);
        }
        for (file, _) in &single {
            add(browser::import(file).await?);
        }
        Ok::<(), Problem>(())
    };
    if let Err(problem) = imported.await {
        store.toasts.problem(&problem);
    }
    store.reload();
    store.reload_folders();
    if !all.notes.is_empty() {
        tell(store, &all);
    }
}

/// What programs and systems keep beside the notes is none of them.
#[cfg_attr(not(any(feature = "hydrate", test)), expect(dead_code))]
fn is_meant(folder: &str, name: &str) -> bool {
    let is_hidden = folder.split('/').chain([name]).any(|part| part.starts_with('.'));
    !is_hidden && !["Thumbs.db", "desktop.ini"].contains(&name)
}

/// Says what became of an import, and opens the only note there is.
#[cfg_attr(not(feature = "hydrate"), expect(dead_code))]
fn tell(store: Notes, report: &ImportReport) {
    let notes = match report.notes.len() {
        1 => "1 note imported".to_owned(),
        count => format!("{count} notes imported"),
    };
    let left_out = match report.skipped.as_slice() {
        [] => String::new(),
        [one] => format!("; left out {}: {}", one.path, one.reason),
        more => format!("; {} files left out, {} for one: {}", more.len(), more[0].path, more[0].reason),
    };
    store.toasts.say(format!("{notes}{left_out}"));
    if let [only] = report.notes.as_slice() {
        store.location.go(&crate::route::Route::Note(only.id).path());
    }
}

#[cfg(feature = "hydrate")]
mod browser {
    use super::*;
    use crate::client::document::note;
    use crate::pages::notes::pack::Pack;
    use wasm_bindgen::JsCast;

    /// The server takes no larger archive.
    const LARGEST_FOLDER: usize = 200 << 20;

    pub fn carry(event: &DragEvent, kind: &str, id: &str) {
        if let Some(data) = event.data_transfer() {
            note(data.set_data(kind, id));
            data.set_effect_allowed("move");
        }
    }

    pub fn carries(event: &DragEvent, kind: &str) -> bool {
        event.data_transfer().is_some_and(|data| data.types().includes(&kind.into(), 0))
    }

    pub fn carried(event: &DragEvent, kind: &str) -> Option<String> {
        event.data_transfer()?.get_data(kind).ok().filter(|id| !id.is_empty())
    }

    pub fn mark(event: &DragEvent, is_over: bool) {
        let folder = event.current_target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
        if let Some(folder) = folder {
            note(folder.class_list().toggle_with_force("is-target", is_over));
        }
    }

    pub async fn import(file: &web_sys::File) -> Result<ImportReport, Problem> {
        let bytes = read(file).await?;
        let name = file.name().to_lowercase();
        let kind = match name.rsplit_once('.') {
            Some((_, "zip")) => "application/zip",
            Some((_, "html" | "htm")) => "text/html",
            _ => "text/markdown",
        };
        send(&file.name(), bytes, kind).await
    }

    /// A folder, packed here: everything of it is imported, or nothing.
    pub async fn import_folder(found: &[folders::Found]) -> Result<ImportReport, Problem> {
        let too_large = || {
            let words = "The folder holds more than 200 MB. Import it in parts. Nothing of it was imported.";
            Problem::new(shared::ErrorCode::PayloadTooLarge, words)
        };
        let mut pack = Pack::default();
        for (file, folder) in found {
            if pack.size() as f64 + file.size() > LARGEST_FOLDER as f64 {
                return Err(too_large());
            }
            let path = format!("{folder}/{}", file.name());
            pack.add(&path, &read(file).await?).map_err(|_| too_large())?;
        }
        send("folder.zip", pack.finish().map_err(|_| too_large())?, "application/zip").await
    }

    async fn read(file: &web_sys::File) -> Result<Vec<u8>, Problem> {
        let bytes = wasm_bindgen_futures::JsFuture::from(file.array_buffer()).await.map_err(|_| {
            Problem::new(shared::ErrorCode::InvalidInput, format!("{} could not be read.", file.name()))
        })?;
        Ok(js_sys::Uint8Array::new(&bytes).to_vec())
    }

    async fn send(name: &str, bytes: Vec<u8>, kind: &str) -> Result<ImportReport, Problem> {
        let path = format!("/notes/import?name={}", api::encode(name));
        api::send_bytes::<ImportReport>(Method::Post, path, bytes, kind.to_owned()).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_programs_keep_beside_notes_is_not_imported() {
        assert!(is_meant("Vault/Sub", "Note.md") && is_meant("", "a.zip"));
        for (folder, name) in [("Vault/.obsidian", "app.json"), ("Vault", ".DS_Store"), ("", "Thumbs.db")] {
            assert!(!is_meant(folder, name), "{folder}/{name}");
        }
    }
}
