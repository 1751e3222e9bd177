//! What can be done with a file: one menu that all rows of the list share, and that the page has too.

use super::acts::download_of;
use super::store::Files;
use crate::components::icon::Icon;
use crate::components::menu::{MenuItem, MenuItems};
use crate::pages::collections::use_collecting;
use crate::route::Route;
use leptos::prelude::*;
use shared::context::{Attached, Thing, ThingKind};
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

fn thing_of(file: &FileSummary) -> Attached {
    let thing = Thing { kind: ThingKind::File, id: file.id.0 };
    Attached { thing, title: file.name.clone(), gone: false }
}

/// The items for whatever file the signal names.
#[component]
pub fn FileItems(store: Files, #[prop(into)] file: Signal<Option<FileSummary>>) -> impl IntoView {
    let collecting = use_collecting();
    let download = move || file.with(|file| file.as_ref().map(|file| download_of(file.id)));
    let is_read = Signal::derive(move || {
        file.with(|file| {
            file.as_ref()
                .is_some_and(|file| matches!(file.state, FileState::Waiting | FileState::Reading { .. }))
        })
    });
    let is_settled = Signal::derive(move || !is_read.get());
    view! {
        <MenuItem icon=Icon::Archive on_choose=move |()| with(file, |file| collecting.0.set(Some(thing_of(&file))))>"Add to a collection…"</MenuItem>
        <MenuItem icon=Icon::Move on_choose=move |()| with(file, |file| store.moving.set(Some(file)))>"Move to a folder…"</MenuItem>
        <a class="menu-item" role="menuitem" href=download download="">
            {Icon::Download.draw()}<span>"Download"</span>
        </a>
        <MenuItem icon=Icon::Refresh hidden=is_read on_choose=move |()| with(file, |file| store.read_again(file.id))>"Read again"</MenuItem>
        <MenuItem icon=Icon::Stop hidden=is_settled on_choose=move |()| with(file, |file| store.stop_reading(file.id))>"Stop reading"</MenuItem>
        <MenuItem icon=Icon::Bin on_choose=move |()| with(file, |file| store.delete(file.id))>"Delete"</MenuItem>
    }
}
