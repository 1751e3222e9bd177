//! Files from outside: chosen, dropped anywhere in the section of files, or pasted. A folder comes with
//! what is in it, each file with the folders it was in.

use super::store::Files;
#[cfg(feature = "hydrate")]
use super::store::use_files;
use crate::route::Section;
use leptos::prelude::*;

/// The fields that the browser's own dialogs belong to.
const FILES_FIELD: &str = "files-to-upload";
const FOLDER_FIELD: &str = "folder-to-upload";

/// Asks which files are to be uploaded.
pub fn choose_files() {
    press(FILES_FIELD);
}

/// Asks which folder is to be uploaded.
pub fn choose_folder() {
    press(FOLDER_FIELD);
}

fn press(id: &str) {
    #[cfg(feature = "hydrate")]
    if let Some(field) = crate::client::document::element(id) {
        if id == FOLDER_FIELD {
            crate::client::document::note(field.set_attribute("webkitdirectory", ""));
        }
        field.click();
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = id;
}

/// Out of sight; what is pressed are the buttons.
pub fn fields(store: Files) -> AnyView {
    view! {
        <input id=FILES_FIELD type="file" multiple hidden aria-label="Files to upload" on:change=move |event| take_chosen(&event, store)/>
        <input id=FOLDER_FIELD type="file" hidden aria-label="Folder to upload" on:change=move |event| take_chosen(&event, store)/>
    }
    .into_any()
}

/// Says that what is held over the page can be dropped, and takes it.
#[component]
pub fn DropVeil(section: Memo<Section>) -> impl IntoView {
    let over = RwSignal::new(false);
    #[cfg(feature = "hydrate")]
    browser::listen(use_files(), section, over);
    #[cfg(not(feature = "hydrate"))]
    let _ = section;
    view! {
        <div class="drop-veil" hidden=move || !over.get() aria-hidden="true">
            <p>"Drop files or folders to upload them"</p>
        </div>
    }
}

fn take_chosen(event: &leptos::ev::Event, store: Files) {
    #[cfg(feature = "hydrate")]
    browser::take_chosen(event, store);
    #[cfg(not(feature = "hydrate"))]
    let _ = (event, store);
}

/// A folder within another.
#[cfg_attr(not(any(feature = "hydrate", test)), expect(dead_code))]
fn below(outer: &str, inner: &str) -> String {
    super::acts::tidied(&format!("{outer}/{inner}"))
}

#[cfg(feature = "hydrate")]
mod browser {
    use super::{Files, below};
    use crate::client::document::is_typing;
    use crate::client::folders::{Found, dropped, listed, walked};
    use crate::client::uploads::Chosen;
    use crate::route::{Route, Section};
    use leptos::ev;
    use leptos::prelude::*;
    use leptos::task::spawn_local;
    use wasm_bindgen::JsCast;
    use web_sys::{DataTransfer, HtmlInputElement};

    /// What systems put into folders for themselves.
    const NOT_MEANT: [&str; 3] = [".DS_Store", "Thumbs.db", "desktop.ini"];

    /// Listens for what is dropped and pasted while the section of files is shown.
    pub fn listen(store: Files, section: Memo<Section>, over: RwSignal<bool>) {
        Effect::new(move |_| {
            let is_ours = move || section.get_untracked() == Section::Files;
            let dragged = window_event_listener(ev::dragover, move |event| {
                let files = event.data_transfer().filter(has_files);
                if let (true, Some(data)) = (is_ours(), files) {
                    event.prevent_default();
                    data.set_drop_effect("copy");
                    over.maybe_set(true);
                }
            });
            let left = window_event_listener(ev::dragleave, move |event| {
                // out of the window; between two elements there is a next one
                if event.related_target().is_none() {
                    over.maybe_set(false);
                }
            });
            let let_go = window_event_listener(ev::drop, move |event| {
                over.maybe_set(false);
                let files = event.data_transfer().filter(has_files);
                if let (true, false, Some(data)) = (is_ours(), event.default_prevented(), files) {
                    event.prevent_default();
                    take_dropped(&data, store);
                }
            });
            let pasted = window_event_listener(ev::paste, move |event| {
                // what is pasted into a field is the field's, pictures of the words included
                if is_typing(&event) {
                    return;
                }
                let event: &web_sys::ClipboardEvent = event.unchecked_ref();
                let files = event.clipboard_data().and_then(|data| data.files());
                if let (true, Some(files)) = (is_ours(), files.filter(|files| files.length() > 0)) {
                    event.prevent_default();
                    take(store, listed(&files));
                }
            });
            on_cleanup(move || {
                dragged.remove();
                left.remove();
                let_go.remove();
                pasted.remove();
            });
        });
    }

    trait Maybe {
        fn maybe_set(self, value: bool);
    }

    impl Maybe for RwSignal<bool> {
        /// Tells nobody what they know.
        fn maybe_set(self, value: bool) {
            if self.get_untracked() != value {
                self.set(value);
            }
        }
    }

    fn has_files(data: &DataTransfer) -> bool {
        data.types().includes(&"Files".into(), 0)
    }

    pub fn take_chosen(event: &ev::Event, store: Files) {
        let field = event.target().and_then(|target| target.dyn_into::<HtmlInputElement>().ok());
        let Some(field) = field else { return };
        if let Some(files) = field.files() {
            take(store, listed(&files));
        }
        // the same file may be chosen again
        field.set_value("");
    }

    fn take_dropped(data: &DataTransfer, store: Files) {
        let entries = dropped(data);
        if entries.is_empty() {
            return take(store, data.files().map(|files| listed(&files)).unwrap_or_default());
        }
        spawn_local(async move {
            match walked(entries).await {
                Ok(found) => take(store, found),
                Err(cause) => {
                    leptos::logging::warn!("a folder was not read: {cause:?}");
                    store.toasts.say("The folder could not be read. Nothing of it was uploaded.");
                }
            }
        });
    }

    fn take(store: Files, found: Vec<Found>) {
        let outer = store.folder.get_untracked().unwrap_or_default();
        let meant = found.into_iter().filter(|(file, _)| !NOT_MEANT.contains(&file.name().as_str()));
        let chosen: Vec<Chosen> =
            meant.map(|(file, folder)| Chosen { file, folder: below(&outer, &folder), then: None }).collect();
        if chosen.is_empty() {
            return;
        }
        store.uploads.add(chosen);
        // what is on its way is seen in the list
        if store.location.route.get_untracked().map(Route::section) != Some(Section::Files) {
            store.location.go(&Route::Files.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_keeps_its_shape_within_the_one_that_is_shown() {
        assert_eq!(below("", "Roses/Old"), "Roses/Old");
        assert_eq!(below("Garden", "Roses"), "Garden/Roses");
        assert_eq!(below("Garden", ""), "Garden");
        assert_eq!(below("", ""), "");
    }
}
