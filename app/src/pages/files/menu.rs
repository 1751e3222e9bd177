//! What can be done with a file: one menu that all rows of the list share, and that the page has too.

use super::acts::download_of;
use super::store::Files;
use crate::components::icon::Icon;
use crate::components::menu::{MenuItem, MenuItems};
use crate::route::Route;
use leptos::prelude::*;
use shared::file::{FileState, FileSummary};

/// The id of the menu that all rows share.
pub const ROW_MENU: &str = "file-menu";

#[component]
pub fn SharedMenu(store: Files) -> impl IntoView {
    let label = move || {
        store.menu.with(|file| match file {
            Some(file) => format!("More about {}", file.name),
            None => "More about a file".to_owned(),
        })
    };
    let file = store.menu;
    view! {
        <MenuItems id=ROW_MENU.to_owned() label=Signal::derive(label)>
            <MenuItem icon=Icon::ArrowRight on_choose=move |()| with(file.into(), |file| store.location.go(&Route::File(file.id).path()))>
                "Open"
            </MenuItem>
            <MenuItem icon=Icon::Pencil on_choose=move |()| with(file.into(), |file| store.begin_renaming(file.id))>"Rename"</MenuItem>
            <FileItems store file/>
        </MenuItems>
    }
}

fn with(file: Signal<Option<FileSummary>>, act: impl FnOnce(FileSummary)) {
    if let Some(file) = file.get_untracked() {
        act(file);
    }
}

/// The items for whatever file the signal names.
#[component]
pub fn FileItems(store: Files, #[prop(into)] file: Signal<Option<FileSummary>>) -> impl IntoView {
    let download = move || file.with(|file| file.as_ref().map(|file| download_of(file.id)));
    let is_read = Signal::derive(move || {
        file.with(|file| {
            file.as_ref()
                .is_some_and(|file| matches!(file.state, FileState::Waiting | FileState::Reading { .. }))
        })
    });
    view! {
        <MenuItem icon=Icon::Move on_choose=move |()| with(file, |file| store.moving.set(Some(file)))>"Move to folder…"</MenuItem>
        <a class="menu-item" role="menuitem" href=download download="">
            {Icon::Download.draw()}<span>"Download"</span>
        </a>
        <MenuItem icon=Icon::Refresh hidden=is_read on_choose=move |()| with(file, |file| store.read_again(file.id))>"Read again"</MenuItem>
        <MenuItem icon=Icon::Bin on_choose=move |()| with(file, |file| store.delete(file.id))>"Delete"</MenuItem>
    }
}
