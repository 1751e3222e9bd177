//! What can be done with a note: one menu that all rows of the list share, and that the page has too.

use crate::components::icon::Icon;
use crate::components::menu::{MenuItem, MenuItems};
use crate::pages::collections::use_collecting;
use crate::pages::notes::dialogs::Asking;
use crate::pages::notes::store::Notes;
use leptos::prelude::*;
use shared::context::{Attached, Thing, ThingKind};
use shared::note::{Access, NoteKind, NoteSummary};

/// The id of the menu that all rows share.
pub const ROW_MENU: &str = "note-menu";

#[component]
pub fn SharedMenu(store: Notes) -> impl IntoView {
    let label = move || {
        store.menu.with(|note| match note {
            Some(note) => format!("More about {}", note.display_title()),
            None => "More about a note".to_owned(),
        })
    };
    view! {
        <MenuItems id=ROW_MENU.to_owned() label=Signal::derive(label)>
            <MenuItem icon=Icon::Pencil hidden=Signal::derive(move || !may_edit(store.menu.get()))
                on_choose=move |()| with(store.menu.into(), move |note| store.begin_renaming(note.id))>"Rename"</MenuItem>
            <NoteItems store note=store.menu/>
        </MenuItems>
    }
}

fn may_edit(note: Option<NoteSummary>) -> bool {
    note.is_some_and(|note| note.access.may_edit())
}

fn with(note: Signal<Option<NoteSummary>>, act: impl FnOnce(NoteSummary)) {
    if let Some(note) = note.get_untracked() {
        act(note);
    }
}

fn thing_of(note: &NoteSummary) -> Attached {
    let thing = Thing { kind: ThingKind::Note, id: note.id.0 };
    Attached { thing, title: note.display_title().to_owned(), gone: false }
}

/// The items for whatever note the signal names.
#[component]
pub fn NoteItems(store: Notes, #[prop(into)] note: Signal<Option<NoteSummary>>) -> impl IntoView {
    let collecting = use_collecting();
    let no_owner =
        Signal::derive(move || !note.with(|note| note.as_ref().is_some_and(|n| n.access == Access::Owner)));
    let is = move |test: fn(&NoteSummary) -> bool| move || note.with(|note| note.as_ref().is_some_and(test));
    let (pinned, archived) = (is(|note| note.pinned), is(|note| note.archived_at.is_some()));
    let template = is(|note| note.kind == NoteKind::Template);
    let export = move || {
        let address = |note: &NoteSummary| format!("/api/v1/notes/{}/export?attachments=true", note.id);
        note.with(|note| note.as_ref().map(address))
    };
    view! {
        <MenuItem icon=Icon::Pin hidden=no_owner on_choose=move |()| with(note, move |note| store.turn_pin(note.id))>
            {move || if pinned() { "Unpin" } else { "Pin" }}
        </MenuItem>
        <MenuItem icon=Icon::Move hidden=no_owner on_choose=move |()| with(note, move |note| store.asking.set(Asking::Move(note)))>
            "Move to a folder…"
        </MenuItem>
        <MenuItem icon=Icon::Archive on_choose=move |()| with(note, move |note| collecting.0.set(Some(thing_of(&note))))>
            "Add to a collection…"
        </MenuItem>
        <MenuItem icon=Icon::Copy on_choose=move |()| with(note, move |note| store.duplicate(note.id))>"Duplicate"</MenuItem>
        <MenuItem icon=Icon::Template hidden=no_owner on_choose=move |()| with(note, move |note| store.set_template(&note))>
            {move || if template() { "Make it a note" } else { "Make it a template" }}
        </MenuItem>
        <MenuItem icon=Icon::Archive hidden=no_owner on_choose=move |()| with(note, move |note| store.set_archived(&note))>
            {move || if archived() { "Take out of the archive" } else { "Archive" }}
        </MenuItem>
        <a class="menu-item" role="menuitem" href=export download="">
            {Icon::Download.draw()}<span>"Export as Markdown"</span>
        </a>
        <MenuItem icon=Icon::Bin hidden=no_owner on_choose=move |()| with(note, move |note| store.delete(note.id))>"Delete"</MenuItem>
    }
}
