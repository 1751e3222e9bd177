//! Dragging notes and folders onto folders, and files from outside into the list.

use super::store::Notes;
use crate::client::api::{self, Method};
use leptos::ev::DragEvent;
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

/// Imports the files that were dropped into the list.
pub fn take_dropped(event: DragEvent, store: Notes) {
    #[cfg(feature = "hydrate")]
    if let Some(files) = event.data_transfer().and_then(|data| data.files())
        && files.length() > 0
    {
        event.prevent_default();
        import_files(&files, store);
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = (event, store);
}

/// Imports what was chosen in a file field.
pub fn take_chosen(event: &leptos::ev::Event, store: Notes) {
    #[cfg(feature = "hydrate")]
    {
        use wasm_bindgen::JsCast;
        let field = event.target().and_then(|target| target.dyn_into::<web_sys::HtmlInputElement>().ok());
        if let Some(files) = field.and_then(|field| field.files()) {
            import_files(&files, store);
        }
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = (event, store);
}

#[cfg(feature = "hydrate")]
fn import_files(files: &web_sys::FileList, store: Notes) {
    let files: Vec<web_sys::File> = (0..files.length()).filter_map(|at| files.get(at)).collect();
    store.toasts.say(match files.len() {
        1 => "Importing one file…".to_owned(),
        count => format!("Importing {count} files…"),
    });
    leptos::task::spawn_local(async move {
        let mut all = ImportReport::default();
        for file in files {
            match browser::import(&file).await {
                Ok(report) => {
                    all.notes.extend(report.notes);
                    all.skipped.extend(report.skipped);
                    all.attachments += report.attachments;
                }
                Err(problem) => return store.toasts.problem(&problem),
            }
        }
        store.reload();
        store.reload_folders();
        tell(store, &all);
    });
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
    use wasm_bindgen::JsCast;

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
        let bytes = wasm_bindgen_futures::JsFuture::from(file.array_buffer()).await.map_err(|_| {
            Problem::new(shared::ErrorCode::InvalidInput, format!("{} could not be read.", file.name()))
        })?;
        let bytes = js_sys::Uint8Array::new(&bytes).to_vec();
        let path = format!("/notes/import?name={}", api::encode(&file.name()));
        let kind =
            if file.name().to_lowercase().ends_with(".zip") { "application/zip" } else { "text/markdown" };
        api::send_bytes::<ImportReport>(Method::Post, path, bytes, kind.to_owned()).await
    }
}
