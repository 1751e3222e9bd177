//! What is asked before something is done with notes and folders: one dialog, one question at a time.

use super::scope::Scope;
use super::store::{Notes, use_notes};
use super::transfer;
use crate::client::api::{self, Method};
use crate::components::attempt::{Attempt, AttemptNote};
use crate::components::button::{Button, Look, Submit};
use crate::components::dialog::show_while;
use crate::components::field::{Choice, Field};
use crate::components::states::{Skeleton, Trouble};
use leptos::prelude::*;
use serde_json::Value;
use shared::FolderId;
use shared::note::{CreateFolder, CreateNote, Folder, NoteSummary, UpdateFolder};
use shared::page::Page;

#[derive(Clone, Debug, PartialEq)]
pub enum Asking {
    Nothing,
    Move(NoteSummary),
    MoveFolder(Folder),
    /// In this folder.
    NewFolder(Option<FolderId>),
    RenameFolder(Folder),
    ShareFolder(Folder),
    DeleteFolder(Folder),
    Template,
    Import,
}

impl Asking {
    fn title(&self) -> String {
        match self {
            Self::Nothing => String::new(),
            Self::Move(note) => format!("Move “{}”", note.display_title()),
            Self::MoveFolder(folder) => format!("Move the folder “{}”", folder.name),
            Self::NewFolder(_) => "New folder".to_owned(),
            Self::RenameFolder(folder) => format!("Rename “{}”", folder.name),
            Self::ShareFolder(folder) => format!("Share the folder “{}”", folder.name),
            Self::DeleteFolder(folder) => format!("Delete the folder “{}”?", folder.name),
            Self::Template => "New note from a template".to_owned(),
            Self::Import => "Import Markdown".to_owned(),
        }
    }
}

#[component]
pub fn NoteDialogs() -> impl IntoView {
    let store = use_notes();
    let dialog = NodeRef::<leptos::html::Dialog>::new();
    let open = RwSignal::new(false);
    Effect::new(move |_| open.set(store.asking.with(|asking| *asking != Asking::Nothing)));
    show_while(dialog, open);
    let close = move || store.asking.set(Asking::Nothing);
    view! {
        <dialog class="ask" node_ref=dialog aria-labelledby="ask-title" on:close=move |_| close()
            on:click=move |event| if event.target() == event.current_target() { close() }>
            {move || {
                let asking = store.asking.get();
                (asking != Asking::Nothing).then(|| view! {
                    <div class="ask-inner">
                        <h2 id="ask-title">{asking.title()}</h2>
                        {content(store, asking)}
                    </div>
                })
            }}
        </dialog>
    }
}

fn content(store: Notes, asking: Asking) -> AnyView {
    match asking {
        Asking::Nothing => ().into_any(),
        Asking::Move(note) => {
            let id = note.id;
            move_form(store, note.folder_id, None, Callback::new(move |folder| store.move_to(id, folder)))
        }
        Asking::MoveFolder(folder) => {
            let id = folder.id;
            let go = Callback::new(move |parent| transfer::move_folder(store, id, parent));
            move_form(store, folder.parent_id, Some(id), go)
        }
        Asking::NewFolder(parent_id) => name_form(store, String::new(), "Make the folder", move |name| {
            api::send::<Value>(Method::Post, "/folders", &CreateFolder { name, parent_id })
        }),
        Asking::RenameFolder(folder) => name_form(store, folder.name, "Rename", move |name| {
            let change = UpdateFolder { name: Some(name), ..Default::default() };
            api::send::<Value>(Method::Patch, format!("/folders/{}", folder.id), &change)
        }),
        Asking::ShareFolder(folder) => {
            view! { <super::beside::SharePart of=format!("/folders/{}", folder.id)/> <Close store/> }
                .into_any()
        }
        Asking::DeleteFolder(folder) => delete_form(store, folder),
        Asking::Template => view! { <Templates store/> }.into_any(),
        Asking::Import => import_form(store),
    }
}

#[component]
fn Close(store: Notes) -> impl IntoView {
    view! {
        <p class="form-foot"><Button look=Look::Plain on_click=move |()| store.asking.set(Asking::Nothing)>"Close"</Button></p>
    }
}

/// Where to: a folder, or the top. `not_below` and what is in it are not offered.
fn move_form(
    store: Notes,
    now: Option<FolderId>,
    not_below: Option<FolderId>,
    go: Callback<Option<FolderId>>,
) -> AnyView {
    let text = |id: Option<FolderId>| id.map(|id| id.to_string()).unwrap_or_default();
    let value = RwSignal::new(text(now));
    let hidden: Vec<FolderId> = not_below.into_iter().collect();
    let folders = store.folders.with_untracked(|folders| super::list::placed(folders, &hidden));
    let mut options = vec![(String::new(), "No folder, at the top".to_owned())];
    options.extend(folders.into_iter().filter(|one| one.folder.own && Some(one.folder.id) != not_below).map(
        |one| (text(Some(one.folder.id)), format!("{}{}", "\u{2003}".repeat(one.depth), one.folder.name)),
    ));
    let submit = move || {
        go.run(value.get_untracked().parse().ok());
        store.asking.set(Asking::Nothing);
    };
    view! {
        <form class="form" on:submit=move |event| { event.prevent_default(); submit(); }>
            <Choice label="Folder" value options/>
            <p class="form-foot"><Submit>"Move it there"</Submit> <Cancel store/></p>
        </form>
    }
    .into_any()
}

#[component]
fn Cancel(store: Notes) -> impl IntoView {
    view! { <Button look=Look::Plain on_click=move |()| store.asking.set(Asking::Nothing)>"Cancel"</Button> }
}

fn name_form(
    store: Notes,
    name: String,
    act: &'static str,
    send: impl Fn(String) -> api::Call<Value> + Send + Sync + 'static,
) -> AnyView {
    let attempt = Attempt::new();
    let name = RwSignal::new(name);
    let submit = move || {
        attempt.run(send(name.get_untracked().trim().to_owned()), move |_| {
            store.asking.set(Asking::Nothing);
            store.reload_folders();
        });
    };
    view! {
        <form class="form" on:submit=move |event| { event.prevent_default(); submit(); }>
            <AttemptNote attempt/>
            <Field label="Name" value=name/>
            <p class="form-foot"><Submit busy=attempt.busy>{act}</Submit> <Cancel store/></p>
        </form>
    }
    .into_any()
}

fn delete_form(store: Notes, folder: Folder) -> AnyView {
    let attempt = Attempt::new();
    let id = folder.id;
    let delete = move || {
        attempt.run(api::delete::<Value>(format!("/folders/{id}")), move |_| {
            store.asking.set(Asking::Nothing);
            store.reload_folders();
            store.show(Scope::All);
            store.toasts.say("The folder is gone. Its notes are kept.");
        });
    };
    view! {
        <AttemptNote attempt/>
        <p>"The notes in it are kept: they go where the folder was."</p>
        <p class="form-foot">
            <Button look=Look::Danger busy=attempt.busy on_click=move |()| delete()>"Delete the folder"</Button> <Cancel store/>
        </p>
    }
    .into_any()
}

#[component]
fn Templates(store: Notes) -> impl IntoView {
    let found = LocalResource::new(|| api::get::<Page<NoteSummary>>("/notes?kind=template&limit=100"));
    let folder_id = match store.scope.get_untracked() {
        Scope::Folder(id) => Some(id),
        _ => None,
    };
    let begin = move |note: &NoteSummary| {
        store.asking.set(Asking::Nothing);
        store.create_from(CreateNote { from: Some(note.id), folder_id, ..Default::default() });
    };
    view! {
        <div class="ask-choices">
            {move || match found.get() {
                None => view! { <Skeleton rows=3/> }.into_any(),
                Some(Err(problem)) => view! { <Trouble problem/> }.into_any(),
                Some(Ok(page)) if page.items.is_empty() => view! {
                    <p class="list-empty">"No templates yet. Make any note a template from its menu."</p>
                }.into_any(),
                Some(Ok(page)) => page.items.into_iter().map(|note| view! {
                    <button type="button" class="choice" on:click=move |_| begin(&note)>{note.display_title().to_owned()}</button>
                }).collect_view().into_any(),
            }}
        </div>
        <Close store/>
    }
}

fn import_form(store: Notes) -> AnyView {
    let folder = NodeRef::<leptos::html::Input>::new();
    transfer::choose_folders(folder);
    let take = move |event: leptos::ev::Event| {
        transfer::take_chosen(&event, store);
        store.asking.set(Asking::Nothing);
    };
    view! {
        <p>"Markdown files, web pages, a folder of notes, or a zip of one: links, properties and attachments of Obsidian are kept. You can also drop them anywhere in the list."</p>
        <p class="form-foot">
            <label class="button is-main">
                "Choose files"
                <input class="visually-hidden" type="file" multiple accept=".md,.markdown,.txt,.zip,.html,.htm,text/markdown,application/zip,text/html" on:change=take/>
            </label>
            <label class="button">
                "Choose a folder"
                <input class="visually-hidden" type="file" node_ref=folder on:change=take/>
            </label>
            <Cancel store/>
        </p>
    }
    .into_any()
}
