//! The list beside the page: folders above, the notes of the one that is shown below them.

mod menu;
mod rows;
mod tree;

pub use menu::NoteItems;
pub use tree::placed;

use super::dialogs::Asking;
use super::scope::Scope;
use super::store::{Notes, use_notes};
use crate::client::json::fetched;
use crate::components::icon::{Icon, IconButton};
use crate::components::list_filter::ListFilter;
use crate::components::list_title::ListTitle;
use crate::components::menu::{Menu, MenuItem};
use crate::components::states::{Skeleton, Trouble};
use crate::route::Route;
use leptos::prelude::*;
use menu::SharedMenu;
use rows::Rows;
use tree::Tree;

#[component]
pub fn NoteList() -> impl IntoView {
    let store = use_notes();
    view! {
        <nav class="list notes-list" aria-label="Notes"
            on:dragover=super::transfer::allow_files on:drop=move |event| super::transfer::take_dropped(event, store)>
            <header class="list-bar">
                <ListTitle name="Notes"/>
                <span class="list-acts">
                    <IconButton icon=Icon::Plus label="New note (n)" on_click=move |()| store.create()/>
                    <ListMenu store/>
                </span>
            </header>
            <ListFilter words=store.filter reload=move |()| store.reload()/>
            {if store.rows.is_seeded() { view! { <Content store/> }.into_any() } else { view! { <FirstContent store/> }.into_any() }}
            <Places store/>
            <SharedMenu store/>
        </nav>
    }
}

#[component]
fn ListMenu(store: Notes) -> impl IntoView {
    let into = move || match store.scope.get_untracked() {
        Scope::Folder(id) => Some(id),
        _ => None,
    };
    view! {
        <Menu id="notes-menu".to_owned() label="More about notes">
            <MenuItem icon=Icon::Day on_choose=move |()| store.open_daily()>"Today’s note"</MenuItem>
            <MenuItem icon=Icon::Pencil on_choose=move |()| store.open_scratchpad()>"Scratchpad"</MenuItem>
            <MenuItem icon=Icon::Template on_choose=move |()| store.asking.set(Asking::Template)>"New note from a template…"</MenuItem>
            <MenuItem icon=Icon::Folder on_choose=move |()| store.asking.set(Asking::NewFolder(into()))>"New folder…"</MenuItem>
            <MenuItem icon=Icon::Upload on_choose=move |()| store.asking.set(Asking::Import)>"Import Markdown…"</MenuItem>
            <a class="menu-item" role="menuitem" href="/api/v1/notes/export" download="">
                {Icon::Download.draw()}<span>"Export everything"</span>
            </a>
        </Menu>
    }
}

/// What came with the page, or a skeleton until it comes.
#[component]
fn FirstContent(store: Notes) -> impl IntoView {
    let first = fetched(|| (), move |()| store.first());
    view! {
        <Suspense fallback=|| view! { <div class="list-scroll"><Skeleton rows=8/></div> }>
            {move || Suspend::new(async move {
                match first.await {
                    Ok(found) => {
                        store.seed(found);
                        view! { <Content store/> }.into_any()
                    }
                    Err(problem) => view! {
                        <div class="list-scroll"><Trouble problem retry=move |()| first.refetch()/></div>
                    }.into_any(),
                }
            })}
        </Suspense>
    }
}

#[component]
fn Content(store: Notes) -> impl IntoView {
    view! {
        <Tree store/>
        <Rows store/>
    }
}

/// What is looked at less often, at the foot.
#[component]
fn Places(store: Notes) -> impl IntoView {
    let place = move |scope: Scope, icon: Icon, title: &'static str| {
        view! {
            <a href=scope.address() aria-current=move || (store.scope.get() == scope).then_some("true")
                on:click=move |event| { event.prevent_default(); store.show(scope); }>
                {icon.draw()}<span>{title}</span>
            </a>
        }
        .into_any()
    };
    view! {
        <div class="notes-places">
            {place(Scope::Shared, Icon::People, "Shared")}
            {place(Scope::Templates, Icon::Template, "Templates")}
            {place(Scope::Archive, Icon::Archive, "Archive")}
            <a href=Route::Bin.path()>{Icon::Bin.draw()}<span>"Bin"</span></a>
        </div>
    }
}
