//! The pages, one folder or file each, and which of them an address shows.

pub mod bin;
pub mod chat;
pub mod collections;
pub mod conversations;
pub mod files;
pub mod keys;
#[cfg(feature = "ssr")]
pub mod links;
pub mod memories;
pub mod notes;
#[cfg(feature = "ssr")]
pub mod plain;
pub mod saved;
pub mod search;
mod search_mode;
pub mod settings;

use crate::areas::{Apart, FilesPart, NotesPart, Part, RestPart};
use crate::client::location::use_location;
use crate::components::states::Empty;
use crate::route::{Route, SettingsSection};
use leptos::prelude::*;

/// Which page; addresses that differ only in what the page shows share one, so that going from one
/// to the other keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Chat,
    Notes,
    Files,
    Pages,
    Clip,
    Memories,
    Memory,
    Collections,
    Search,
    Bin,
    Settings(SettingsSection),
    Keys,
    Nothing,
}

/// The page of the address.
#[component]
pub fn Page() -> impl IntoView {
    let location = use_location();
    let kind = Memo::new(move |_| match location.route.get() {
        Some(Route::Home | Route::NewConversation | Route::Conversation(_)) => Kind::Chat,
        Some(Route::Notes | Route::Note(_)) => Kind::Notes,
        Some(Route::Files | Route::File(_)) => Kind::Files,
        Some(Route::Pages | Route::SavedPage(_)) => Kind::Pages,
        Some(Route::Clip) => Kind::Clip,
        Some(Route::Memories) => Kind::Memories,
        Some(Route::Memory(_)) => Kind::Memory,
        Some(Route::Collections | Route::Collection(_)) => Kind::Collections,
        Some(Route::Search) => Kind::Search,
        Some(Route::Bin) => Kind::Bin,
        Some(Route::SettingsHome) => Kind::Settings(SettingsSection::Profile),
        Some(Route::Settings(section)) => Kind::Settings(section),
        Some(Route::Keys) => Kind::Keys,
        None => Kind::Nothing,
    });
    let conversation = Memo::new(move |_| location.route.get().and_then(Route::conversation));
    let note = Memo::new(move |_| location.route.get().and_then(Route::note));
    let file = Memo::new(move |_| location.route.get().and_then(Route::file));
    let saved = Memo::new(move |_| location.route.get().and_then(Route::saved_page));
    let memory = Memo::new(move |_| location.route.get().and_then(Route::memory));
    move || {
        match kind.get() {
        Kind::Chat => view! { <chat::ConversationPage id=conversation/> }.into_any(),
        Kind::Notes => view! { <Apart part=Part::Notes(NotesPart::Page(note))/> }.into_any(),
        Kind::Files => view! { <Apart part=Part::Files(FilesPart::Page(file))/> }.into_any(),
        Kind::Pages => view! { <Apart part=Part::Files(FilesPart::SavedPage(saved))/> }.into_any(),
        Kind::Clip => view! { <Apart part=Part::Files(FilesPart::Clip)/> }.into_any(),
        Kind::Collections => view! { <Apart part=Part::Files(FilesPart::Collections)/> }.into_any(),
        Kind::Memories => view! { <Apart part=Part::Rest(RestPart::Memories)/> }.into_any(),
        Kind::Memory => view! { <Apart part=Part::Rest(RestPart::Memory(memory))/> }.into_any(),
        Kind::Search => view! { <Apart part=Part::Rest(RestPart::Search)/> }.into_any(),
        Kind::Bin => view! { <Apart part=Part::Rest(RestPart::Bin)/> }.into_any(),
        Kind::Settings(section) => view! { <Apart part=Part::Rest(RestPart::Settings(section))/> }.into_any(),
        Kind::Keys => view! { <Apart part=Part::Rest(RestPart::Keys)/> }.into_any(),
        Kind::Nothing => view! {
            <Empty title="There is nothing here" text="The address may be mistyped, or what was here was deleted."/>
        }
        .into_any(),
    }
    }
}

/// The title of a page, where the page sets no better one.
pub fn title_of(route: Option<Route>) -> &'static str {
    match route {
        Some(Route::Home | Route::NewConversation) => "New conversation",
        Some(Route::Conversation(_)) => "Conversation",
        Some(Route::Notes) => "Notes",
        Some(Route::Note(_)) => "Note",
        Some(Route::Files) => "Files",
        Some(Route::File(_)) => "File",
        Some(Route::Pages) => "Pages",
        Some(Route::SavedPage(_)) => "Page",
        Some(Route::Clip) => "Save this page",
        Some(Route::Memories) => "Memories",
        Some(Route::Memory(_)) => "Memory",
        Some(Route::Collections) => "Collections",
        Some(Route::Collection(_)) => "Collection",
        Some(Route::Search) => "Search",
        Some(Route::Bin) => "Bin",
        Some(Route::SettingsHome) => "Settings",
        Some(Route::Settings(section)) => section.title(),
        Some(Route::Keys) => "Keys",
        None => "Not found",
    }
}

/// What pages other than a conversation have in common: a heading and a column to read.
#[component]
pub fn Sheet(
    #[prop(into)] title: String,
    #[prop(optional, into)] lead: Option<String>,
    children: Children,
) -> impl IntoView {
    view! {
        <div class="sheet">
            <header class="sheet-head">
                <h1>{title}</h1>
                {lead.map(|lead| view! { <p class="sheet-lead">{lead}</p> })}
            </header>
            {children()}
        </div>
    }
}
