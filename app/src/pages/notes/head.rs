//! Above the note: how safe the text is, in words; who else is here; what can be done.

use super::desk::{Desk, use_desk};
use super::list::NoteItems;
use crate::client::document;
use crate::client::editor::{Presence, Status};
use crate::client::session::use_session;
use crate::components::icon::{Icon, IconButton};
use crate::components::menu::{Menu, MenuItem};
use crate::frame::layout::{Pane, Tab, use_layout};
use crate::route::Section;
use leptos::prelude::*;
use shared::note::{Access, Note};

#[component]
pub fn Bar(note: Note) -> impl IntoView {
    let desk = use_desk();
    let layout = use_layout();
    let source = Signal::derive(move || desk.preferences.get().source);
    let beside = move |tab: Tab| layout.show_tab(tab, Section::Notes);
    let is_owner = note.summary.access == Access::Owner;
    let is_visit = use_session().is_visit();
    view! {
        <header class="note-bar">
            <State desk/>
            <People desk/>
            <div class="note-acts">
                <IconButton icon=Icon::Source label="Show the Markdown as it is written" pressed=source
                    on_click=move |()| desk.set_preferences(|now| now.source = !now.source)/>
                {(!is_visit).then(|| view! { <IconButton icon=Icon::Chat label="Comments" on_click=move |()| beside(Tab::Comments)/> })}
                {is_owner.then(|| view! { <IconButton icon=Icon::Share label="Share" on_click=move |()| beside(Tab::Share)/> })}
                {match is_visit {
                    true => view! { <IconButton icon=Icon::Print label="Print" on_click=|()| document::print()/> }.into_any(),
                    false => view! {
                        <IconButton icon=Icon::SidePane label="What is beside the note ( ] )"
                            on_click=move |()| layout.toggle(Pane::Panel, Section::Notes)/>
                        <NoteMenu desk note/>
                    }.into_any(),
                }}
            </div>
        </header>
    }
}

#[component]
fn NoteMenu(desk: Desk, note: Note) -> impl IntoView {
    let layout = use_layout();
    let models = RwSignal::new(note.model_edits);
    let turn_models = move || {
        models.update(|models| *models = !*models);
        desk.set_model_edits(models.get_untracked());
    };
    let not_owner = note.summary.access != Access::Owner;
    view! {
        <Menu id="open-note-menu".to_owned() label="More about this note">
            <MenuItem icon=Icon::Clock on_choose=move |()| layout.show_tab(Tab::Versions, Section::Notes)>"Versions"</MenuItem>
            <MenuItem icon=Icon::Link on_choose=move |()| layout.show_tab(Tab::Links, Section::Notes)>"Links to this note"</MenuItem>
            <MenuItem icon=Icon::Spark hidden=not_owner on_choose=move |()| turn_models()>
                {move || if models.get() { "Let models propose only" } else { "Let models edit directly" }}
            </MenuItem>
            <MenuItem icon=Icon::Print on_choose=move |()| document::print()>"Print"</MenuItem>
            <NoteItems store=desk.notes note=desk.notes.open/>
        </Menu>
    }
}

/// How safe the text is. Always in view; said aloud only when it is news.
#[component]
fn State(desk: Desk) -> impl IntoView {
    // nothing is promised before the text is here
    let is_opening = move || {
        let saved = desk.status.with(|status| status.as_ref().is_none_or(|status| *status == Status::Saved));
        saved && !desk.is_editing.get()
    };
    let state = move || match is_opening() {
        true => "opening",
        false => desk.status.with(|status| status.as_ref().map_or("opening", name_of)),
    };
    let words = move || match (is_opening(), desk.status.with(Option::is_some)) {
        (true, true) => "Opening…".to_owned(),
        _ => desk.status.with(|status| status.as_ref().map(words_of).unwrap_or_default()),
    };
    let news = Memo::new(move |_| {
        desk.status.with(|status| match status {
            Some(Status::Offline { .. }) => "Offline. What you type is kept on this device.".to_owned(),
            Some(status @ (Status::Unsaved { .. } | Status::ReadOnly { .. })) => words_of(status),
            _ => String::new(),
        })
    });
    view! {
        <p class="note-state" data-state=state>
            <span class="status-dot" aria-hidden="true"></span>
            <span class="note-state-words" title=words>{words}</span>
            <noscript>"Read-only: writing needs scripts"</noscript>
        </p>
        <span class="visually-hidden" role="status" aria-live="polite">{news}</span>
    }
}

fn name_of(status: &Status) -> &'static str {
    match status {
        Status::Saved => "saved",
        Status::Saving { .. } => "saving",
        Status::Offline { .. } => "offline",
        Status::Unsaved { .. } => "unsaved",
        Status::ReadOnly { .. } => "read-only",
    }
}

/// The state in words, never more hopeful than it is.
fn words_of(status: &Status) -> String {
    match status {
        Status::Saved => "Saved".to_owned(),
        Status::Saving { n } => format!("Saving {n}…"),
        Status::Offline { n: 0, .. } => "Offline. All you wrote is saved".to_owned(),
        Status::Offline { n, stored: true } => format!("Offline, {n} not sent, kept on this device"),
        Status::Offline { n, stored: false } => {
            format!("Offline, {n} not sent and not kept: leave this page open")
        }
        Status::Unsaved { n: 0, reason } => format!("Not saving: {}", begun_small(reason)),
        Status::Unsaved { n, reason } => format!("{n} not saved: {}", begun_small(reason)),
        Status::ReadOnly { reason } => format!("Read-only: {}", begun_small(reason)),
    }
}

/// A sentence as it goes on after a colon.
fn begun_small(reason: &str) -> String {
    let reason = reason.trim_end_matches('.');
    let mut letters = reason.chars();
    let (first, second) = (letters.next(), reason.chars().nth(1));
    match first {
        // a name in capitals stays one
        Some(first) if !second.is_some_and(char::is_uppercase) => {
            first.to_lowercase().chain(letters).collect()
        }
        _ => reason.to_owned(),
    }
}

/// The others, each by initials on a colour; pressing one follows them.
#[component]
fn People(desk: Desk) -> impl IntoView {
    view! {
        <ul class="note-people" aria-label="Also here">
            <For each=move || desk.people.get() key=|one| (one.client, one.name.clone(), one.colour) let:one>
                {person(desk, one)}
            </For>
        </ul>
    }
}

fn person(desk: Desk, one: Presence) -> AnyView {
    let client = one.client;
    let followed = move || desk.following.get() == Some(client);
    let label = move || match followed() {
        true => format!("Stop following {}", one.name),
        false => format!("Follow {}", one.name),
    };
    view! {
        <li>
            <button type="button" class="note-person" aria-pressed=move || followed().to_string() title=label.clone() aria-label=label
                on:click=move |_| desk.follow(client)>
                <span class=format!("avatar is-person-{}", one.colour) aria-hidden="true">{one.initials}</span>
            </button>
        </li>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_says_what_is_and_no_more() {
        let offline = |n, stored| words_of(&Status::Offline { n, stored });
        assert_eq!(words_of(&Status::Saving { n: 3 }), "Saving 3…");
        assert_eq!(offline(12, true), "Offline, 12 not sent, kept on this device");
        assert_eq!(offline(1, false), "Offline, 1 not sent and not kept: leave this page open");
        assert_eq!(offline(0, true), "Offline. All you wrote is saved");
        let reason = "You may read this note, not change it.".to_owned();
        assert_eq!(
            words_of(&Status::ReadOnly { reason }),
            "Read-only: you may read this note, not change it"
        );
    }
}
