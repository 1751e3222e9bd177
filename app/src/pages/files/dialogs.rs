//! What is asked before something is done with a file, and the fields that files are chosen with.

use super::intake;
use super::store::{Files, use_files};
use crate::components::button::{Button, Look, Submit};
use crate::components::dialog::show_while;
use crate::components::field::Field;
use leptos::prelude::*;
use shared::file::FileSummary;

#[component]
pub fn FileDialogs() -> impl IntoView {
    let store = use_files();
    let dialog = NodeRef::<leptos::html::Dialog>::new();
    let open = RwSignal::new(false);
    Effect::new(move |_| open.set(store.moving.with(Option::is_some)));
    show_while(dialog, open);
    let close = move || store.moving.set(None);
    view! {
        <dialog class="ask" node_ref=dialog aria-labelledby="file-ask-title" on:close=move |_| close()
            on:click=move |event| if event.target() == event.current_target() { close() }>
            {move || store.moving.get().map(|file| view! {
                <div class="ask-inner">
                    <h2 id="file-ask-title">{format!("Move “{}”", file.name)}</h2>
                    <MoveForm store file/>
                </div>
            })}
        </dialog>
        {intake::fields(store)}
    }
}

#[component]
fn MoveForm(store: Files, file: FileSummary) -> impl IntoView {
    let (id, folder) = (file.id, RwSignal::new(file.folder));
    let submit = move || {
        store.move_to(id, &folder.get_untracked());
        store.moving.set(None);
    };
    let known = store.folders_now();
    view! {
        <form class="form" on:submit=move |event| { event.prevent_default(); submit(); }>
            <Field label="Folder" value=folder placeholder="At the top" list="file-folders"
                hint="One that is there, or a new one. A folder in a folder: Plans/Spring"/>
            <datalist id="file-folders">{known.into_iter().map(|folder| view! { <option value=folder></option> }).collect_view()}</datalist>
            <p class="form-foot">
                <Submit>"Move it there"</Submit>
                <Button look=Look::Plain on_click=move |()| store.moving.set(None)>"Cancel"</Button>
            </p>
        </form>
    }
}
