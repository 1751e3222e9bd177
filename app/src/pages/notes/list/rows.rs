//! The notes themselves.

use super::menu::ROW_MENU;
use crate::client::document;
use crate::client::listing::Row;
use crate::client::location::use_location;
use crate::components::icon::Icon;
use crate::components::long_list::LongList;
use crate::components::menu::{open_at, place};
use crate::components::moment::Moment;
use crate::pages::notes::scope::Scope;
use crate::pages::notes::store::Notes;
use crate::pages::notes::transfer;
use crate::route::Route;
use leptos::html;
use leptos::prelude::*;
use shared::NoteId;
use shared::note::{Access, NoteKind, NoteSummary};

#[component]
pub fn Rows(store: Notes) -> impl IntoView {
    let count = Memo::new(move |_| store.rows.with(Vec::len));
    let long = LongList::new(count);
    long.keep_room(move || store.more());
    let heading = move || match store.scope.get() {
        Scope::All if store.tag.with(Option::is_some) => format!("#{}", store.tag.get().unwrap_or_default()),
        Scope::All => "All notes".to_owned(),
        Scope::Folder(id) => store.folders.with(|folders| {
            folders
                .iter()
                .find(|folder| folder.id == id)
                .map_or("Folder".to_owned(), |folder| folder.name.clone())
        }),
        Scope::Shared => "Shared with you".to_owned(),
        Scope::Templates => "Templates".to_owned(),
        Scope::Archive => "Archive".to_owned(),
    };
    view! {
        <div class="list-scroll" node_ref=long.scroller on:scroll=move |_| long.look(move || store.more())>
            <h3 class="notes-heading">{heading}</h3>
            <ul class="rows" node_ref=long.holder>
                <For each=move || store.rows.with(|rows| long.window(rows)) key=|row| row.id let:row>{row_view(store, row)}</For>
            </ul>
            {move || (count.get() == 0).then(|| nothing(store))}
        </div>
    }
}

fn nothing(store: Notes) -> AnyView {
    let words = match (store.filter.with(String::is_empty), store.scope.get()) {
        (false, _) => "No note has these words.",
        (true, Scope::All) => {
            "What you write down stays here. Begin with the + above, or drop Markdown files here."
        }
        (true, Scope::Folder(_)) => {
            "Nothing in this folder yet. Drag a note onto it, or begin one with the + above."
        }
        (true, Scope::Shared) => "What others share with you appears here.",
        (true, Scope::Templates) => "Make any note a template from its menu; new notes can begin with it.",
        (true, Scope::Archive) => "What you archive is kept here, out of the way.",
    };
    view! { <p class="list-empty">{words}</p> }.into_any()
}

fn row_view(store: Notes, row: Row<NoteSummary>) -> AnyView {
    let id = row.id;
    let route = use_location().route;
    let current = Memo::new(move |_| route.get().and_then(Route::note) == Some(id));
    let renaming = Memo::new(move |_| store.renaming.get() == Some(id));
    let summary = row.summary;
    let (of_link, of_menu, of_button, of_label) =
        (summary.clone(), summary.clone(), summary.clone(), summary.clone());
    let has_menu = move |event: &leptos::ev::MouseEvent| {
        store.menu.set(Some(of_menu.get_untracked()));
        open_at(event, ROW_MENU);
    };
    view! {
        <li class="row" class:is-current=current on:contextmenu=move |event| has_menu(&event)>
            {move || match renaming.get() {
                true => view! { <RenameField store id title=of_link.with_untracked(|now| now.title.clone())/> }.into_any(),
                false => link(id, of_link.clone(), current),
            }}
            <button type="button" class="icon-button menu-button" aria-haspopup="menu" title="More" popovertarget=ROW_MENU
                aria-label=move || of_label.with(|now| format!("More about {}", now.display_title()))
                on:click=move |event| { store.menu.set(Some(of_button.get_untracked())); place(&event, ROW_MENU); }>
                {Icon::More.draw()}
            </button>
        </li>
    }
    .into_any()
}

fn link(id: NoteId, summary: ArcRwSignal<NoteSummary>, current: Memo<bool>) -> AnyView {
    let (mark, at) = (summary.clone(), summary.clone());
    let mark = Memo::new(move |_| mark.with(mark_of));
    view! {
        <a class="row-link" href=Route::Note(id).path() data-row=id.to_string()
            aria-current=move || current.get().then_some("page")
            on:dragstart=move |event| transfer::drag_note(&event, id)>
            {move || mark.get().map(|(icon, title)| view! { <span class="row-mark" title=title>{icon.draw()}<span class="visually-hidden">{title}</span></span> })}
            <span class="row-title">{move || summary.with(|now| now.display_title().to_owned())}</span>
            <Moment at=Signal::derive(move || at.with(|now| now.updated_at))/>
        </a>
    }
    .into_any()
}

/// The one thing about a note that is worth a sign.
fn mark_of(note: &NoteSummary) -> Option<(Icon, &'static str)> {
    if note.pinned {
        return Some((Icon::Pin, "Pinned"));
    }
    match note.kind {
        NoteKind::Daily => Some((Icon::Day, "Daily note")),
        NoteKind::Scratchpad => Some((Icon::Pencil, "Scratchpad")),
        NoteKind::Template => Some((Icon::Template, "Template")),
        NoteKind::Note if note.shared || note.access != Access::Owner => Some((Icon::People, "Shared")),
        NoteKind::Note => None,
    }
}

#[component]
fn RenameField(store: Notes, id: NoteId, title: String) -> impl IntoView {
    let field = NodeRef::<html::Input>::new();
    Effect::new(move |_| {
        if let Some(field) = field.get() {
            // the browser may refuse the focus; typing then begins with a click
            let _ = field.focus();
            field.select();
        }
    });
    // the field may be gone when the browser tells that it lost the focus: the value comes with the event
    let keep = move |title: String| {
        if store.renaming.get_untracked() == Some(id) {
            store.rename(id, title);
        }
    };
    view! {
        <input class="row-rename" node_ref=field aria-label="Title of the note" value=title maxlength="200"
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
