//! The list beside the page: what is on its way, then every file, newest first.

use super::acts::spoken;
use super::intake::{choose_files, choose_folder};
use super::menu::SharedMenu;
use super::rows::Rows;
use super::store::{Files, use_files};
use super::transfers::Transfers;
use super::words;
use crate::client::api;
use crate::client::json::fetched;
use crate::components::icon::{Icon, IconButton};
use crate::components::list_filter::ListFilter;
use crate::components::list_title::ListTitle;
use crate::components::menu::{Menu, MenuItem};
use crate::components::states::{Skeleton, Trouble};
use crate::route::Route;
use leptos::prelude::*;
use shared::file::StorageUse;
use std::time::Duration;

#[component]
pub fn FileList() -> impl IntoView {
    let store = use_files();
    view! {
        <nav class="list files-list" aria-label="Files">
            <header class="list-bar">
                <ListTitle name="Files"/>
                <span class="list-acts">
                    <IconButton icon=Icon::Upload label="Upload files… (u)" on_click=|()| choose_files()/>
                    <ListMenu/>
                </span>
            </header>
            <ListFilter words=store.filter reload=move |()| store.reload()/>
            <Transfers uploads=store.uploads/>
            <FolderShown store/>
            {if store.rows.is_seeded() { view! { <Rows store/> }.into_any() } else { view! { <FirstRows store/> }.into_any() }}
            <Room store/>
            <SharedMenu store/>
        </nav>
    }
}

#[component]
fn ListMenu() -> impl IntoView {
    view! {
        <Menu id="files-menu".to_owned() label="More about files">
            <MenuItem icon=Icon::Upload on_choose=|()| choose_files()>"Upload files…"</MenuItem>
            <MenuItem icon=Icon::Folder on_choose=|()| choose_folder()>"Upload a folder…"</MenuItem>
            <a class="menu-item" role="menuitem" href=Route::Collections.path()>{Icon::Archive.draw()}<span>"Collections"</span></a>
            <a class="menu-item" role="menuitem" href=Route::Bin.path()>{Icon::Bin.draw()}<span>"Bin"</span></a>
        </Menu>
    }
}

/// What came with the page, or a skeleton until it comes.
#[component]
fn FirstRows(store: Files) -> impl IntoView {
    let first = fetched(|| (), move |()| store.first());
    view! {
        <Suspense fallback=|| view! { <div class="list-scroll"><Skeleton rows=8/></div> }>
            {move || Suspend::new(async move {
                match first.await {
                    Ok(found) => {
                        store.rows.seed(found);
                        view! { <Rows store/> }.into_any()
                    }
                    Err(problem) => view! {
                        <div class="list-scroll"><Trouble problem retry=move |()| first.refetch()/></div>
                    }.into_any(),
                }
            })}
        </Suspense>
    }
}

/// The folder that the list is narrowed to, and the way out.
#[component]
fn FolderShown(store: Files) -> impl IntoView {
    let widen = move || match store.location.route.get_untracked() {
        Some(Route::Files) => store.location.go(&Route::Files.path()),
        _ => store.show_folder(None),
    };
    move || {
        store.folder.get().map(|folder| {
            view! {
                <p class="files-folder">
                    {Icon::Folder.draw()}
                    <span class="row-title">{spoken(&folder)}</span>
                    <IconButton icon=Icon::Close label="Show all files" on_click=move |()| widen()/>
                </p>
            }
        })
    }
}

/// How much room is left, at the foot.
#[component]
fn Room(store: Files) -> impl IntoView {
    let room = RwSignal::new(None::<StorageUse>);
    let count = Memo::new(move |_| store.rows.with(Vec::len));
    let asked = StoredValue::new(0_u32);
    Effect::new(move |_| {
        count.track();
        asked.update_value(|count| *count += 1);
        let this = asked.get_value();
        // many files come one by one
        set_timeout(
            move || {
                if asked.try_get_value() == Some(this) {
                    leptos::task::spawn_local(async move {
                        // it is said beside the list, not instead of it
                        match api::get::<StorageUse>("/files/use").await {
                            Ok(found) => drop(room.try_set(Some(found))),
                            Err(problem) => leptos::logging::warn!("{problem}"),
                        }
                    });
                }
            },
            Duration::from_millis(400),
        );
    });
    let words = move || {
        room.get().map(|room| format!("{} of {} used", words::size(room.used), words::size(room.limit)))
    };
    view! { <p class="files-room number">{words}</p> }
}
