//! How one likes to write notes. Kept in this browser.

use super::Part;
use crate::client::editor::Preferences;
use crate::pages::Sheet;
use crate::pages::notes::use_desk;
use leptos::prelude::*;

#[component]
pub fn NotesPage() -> impl IntoView {
    view! {
        <Sheet title="Notes" lead="Kept in this browser.">
            <Part title="Writing">
                {choice("Check the spelling", "The browser marks words that it does not know.", |now| &mut now.spellcheck)}
                {choice("Vim keys", "Modes and motions as in Vim. Esc leaves a mode, not the note.", |now| &mut now.vim)}
                {choice("Show the Markdown as it is written", "Marks stay in view everywhere. A button above each note does the same.", |now| &mut now.source)}
            </Part>
            <Part title="On a phone">
                {choice("Write on a phone too", "Without this, notes on a small screen are for reading, searching and commenting.", |now| &mut now.phone)}
            </Part>
        </Sheet>
    }
}

fn choice(title: &'static str, note: &'static str, of: fn(&mut Preferences) -> &mut bool) -> AnyView {
    let desk = use_desk();
    let is_on = move || *of(&mut desk.preferences.get());
    let first = *of(&mut desk.preferences.get_untracked());
    view! {
        <label class="choice-line">
            <input type="checkbox" checked=first prop:checked=is_on
                on:change=move |event| desk.set_preferences(|now| *of(now) = event_target_checked(&event))/>
            <span>{title}<small>{note}</small></span>
        </label>
    }
    .into_any()
}
