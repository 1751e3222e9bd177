//! The files themselves: what each is, where it lies, how large it is, where it stands.

use super::acts::spoken;
use super::kind::Kind;
use super::menu::ROW_MENU;
use super::name::name_view;
use super::store::Files;
use super::words;
use crate::client::document;
use crate::client::listing::Row;
use crate::client::location::use_location;
use crate::components::button::{Button, Look};
use crate::components::icon::Icon;
use crate::components::long_list::LongList;
use crate::components::menu::{open_at, place};
use crate::components::moment::Moment;
use crate::route::Route;
use leptos::html;
use leptos::prelude::*;
use shared::FileId;
use shared::file::{FileState, FileSummary};

#[component]
pub fn Rows(store: Files) -> impl IntoView {
    let count = Memo::new(move |_| store.rows.with(Vec::len));
    let long = LongList::new(count);
    long.keep_room(move || store.more());
    view! {
        <div class="list-scroll" node_ref=long.scroller on:scroll=move |_| long.look(move || store.more())>
            <ul class="rows" node_ref=long.holder>
                <For each=move || store.rows.with(|rows| long.window(rows)) key=|row| row.id let:row>{row_view(store, row)}</For>
            </ul>
            {move || (count.get() == 0).then(|| nothing(store))}
        </div>
    }
}

fn nothing(store: Files) -> AnyView {
    let words = match (store.filter.with(String::is_empty), store.folder.with(Option::is_some)) {
        (false, _) => "No file has these words in its name or folder.",
        (true, true) => "Nothing in this folder. Drop files here, or move some here from their menu.",
        (true, false) => {
            "Drop files or folders here. What is in them is read, so that search and conversations find it."
        }
    };
    view! { <p class="list-empty">{words}</p> }.into_any()
}

fn row_view(store: Files, row: Row<FileSummary>) -> AnyView {
    let id = row.id;
    let route = use_location().route;
    let current = Memo::new(move |_| route.get().and_then(Route::file) == Some(id));
    let renaming = Memo::new(move |_| store.renaming.get() == Some(id));
    let summary = row.summary;
    let (of_link, of_menu, of_button, of_label) =
        (summary.clone(), summary.clone(), summary.clone(), summary.clone());
    let failed = Memo::new(move |_| summary.with(|now| matches!(now.state, FileState::Failed { .. })));
    let has_menu = move |event: &leptos::ev::MouseEvent| {
        store.menu.set(Some(of_menu.get_untracked()));
        open_at(event, ROW_MENU);
    };
    view! {
        <li class="row file-row" class:is-current=current on:contextmenu=move |event| has_menu(&event)>
            {move || match renaming.get() {
                true => view! { <RenameField store id name=of_link.with_untracked(|now| now.name.clone())/> }.into_any(),
                false => link(id, of_link.clone(), current),
            }}
            {move || failed.get().then(|| view! {
                <span class="file-retry"><Button look=Look::Plain on_click=move |()| store.read_again(id)>"Try again"</Button></span>
            })}
            <button type="button" class="icon-button menu-button" aria-haspopup="menu" title="More" popovertarget=ROW_MENU
                aria-label=move || of_label.with(|now| format!("More about {}", now.name))
                on:click=move |event| { store.menu.set(Some(of_button.get_untracked())); place(&event, ROW_MENU); }>
                {Icon::More.draw()}
            </button>
        </li>
    }
    .into_any()
}

fn link(id: FileId, summary: ArcRwSignal<FileSummary>, current: Memo<bool>) -> AnyView {
    let (picture, at, state, facts) = (summary.clone(), summary.clone(), summary.clone(), summary.clone());
    let picture = Memo::new(move |_| picture.with(|now| (now.thumbnail, Kind::of(now))));
    let state =
        Memo::new(move |_| state.with(|now| (words::state_name(&now.state), words::state(&now.state))));
    let facts = Memo::new(move |_| facts.with(facts_of));
    let name = Memo::new(move |_| summary.with(|now| now.name.clone()));
    view! {
        <a class="row-link" href=Route::File(id).path() data-row=id.to_string()
            aria-current=move || current.get().then_some("page")>
            <span class="file-picture" aria-hidden="true">
                {move || match picture.get() {
                    (true, _) => view! { <img src=format!("/api/v1/files/{id}/thumbnail") alt="" width="36" height="36" loading="lazy"/> }.into_any(),
                    (false, kind) => kind.icon().draw(),
                }}
            </span>
            <span class="file-lines">
                <span class="file-line">
                    {move || name_view(&name.get())}
                    <Moment at=Signal::derive(move || at.with(|now| now.created_at))/>
                </span>
                <span class="file-facts" data-state=move || state.get().0>
                    {move || match state.get().1 {
                        Some(words) => view! { <span class="file-state" title=words.clone()>{words.clone()}</span> }.into_any(),
                        None => ().into_any(),
                    }}
                    <span class="number">{facts}</span>
                </span>
            </span>
        </a>
    }
    .into_any()
}

/// Size and folder.
fn facts_of(file: &FileSummary) -> String {
    let size = words::size(file.size);
    match file.folder.as_str() {
        "" => size,
        folder => format!("{size} · {}", spoken(folder)),
    }
}

#[component]
fn RenameField(store: Files, id: FileId, name: String) -> impl IntoView {
    let field = NodeRef::<html::Input>::new();
    let stem = name.rfind('.').map_or(name.as_str(), |dot| &name[..dot]).encode_utf16().count();
    let stem = u32::try_from(stem).unwrap_or(u32::MAX);
    Effect::new(move |_| {
        if let Some(field) = field.get() {
            // the browser may refuse the focus; typing then begins with a click
            let _ = field.focus();
            // what comes after the dot mostly stays
            let _ = field.set_selection_range(0, stem);
        }
    });
    // the field may be gone when the browser tells that it lost the focus: the value comes with the event
    let keep = move |name: String| {
        if store.renaming.get_untracked() == Some(id) {
            store.rename(id, name);
        }
    };
    view! {
        <input class="row-rename" node_ref=field aria-label="Name of the file" value=name maxlength="255"
            on:blur=move |event| keep(event_target_value(&event))
            on:keydown=move |event| {
                match event.key().as_str() {
                    "Enter" => keep(event_target_value(&event)),
                    "Escape" => store.renaming.set(None),
                    _ => return,
                }
                // one step: not out of the side panel too
                event.prevent_default();
                document::focus_row(&id.to_string());
            }/>
    }
}
