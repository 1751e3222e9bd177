//! What stands around every page: rail, list, page, side panel; on a phone a bottom bar.

pub mod commands;
pub mod keyboard;
pub mod layout;
pub mod leaving;
pub mod panel;
pub mod rail;
pub mod status;
pub mod theme;
mod visit;

use crate::areas::{Apart, FilesPart, NotesPart, Part, RestPart};
use crate::client::location::use_location;
use crate::client::session::use_session;
use crate::components::palette::Palette;
use crate::components::resizer::Resizer;
use crate::components::toast::ToastShelf;
use crate::pages::conversations::list::ConversationList;
use crate::pages::{Page, title_of};
use crate::route::{Route, Section};
use commands::Commands;
use layout::{Pane, use_layout};
use leptos::prelude::*;
use leptos_meta::Title;
use panel::SidePanel;
use rail::{BottomBar, Rail};
use status::StatusLine;

#[component]
pub fn Frame() -> impl IntoView {
    match use_session().is_visit() {
        true => view! { <visit::VisitFrame/> }.into_any(),
        false => view! { <WorkFrame/> }.into_any(),
    }
}

#[component]
fn WorkFrame() -> impl IntoView {
    let location = use_location();
    let layout = use_layout();
    let commands = Commands::provide();
    keyboard::listen(commands);
    let section = Memo::new(move |_| location.route.get().map_or(Section::Conversations, Route::section));
    layout.follow(section);
    let list = move || match section.get() {
        Section::Memories | Section::Search | Section::Bin => "none",
        section if layout.is_open(Pane::List, section) => "open",
        _ => "folded",
    };
    let panel = move || if layout.is_open(Pane::Panel, section.get()) { "open" } else { "closed" };
    // on a phone one pane at a time: the address says which
    let phone = move || match location.route.get() {
        Some(Route::Home | Route::Files | Route::Pages | Route::SettingsHome) => "list",
        Some(Route::Notes) if location.query_value("title").is_none() => "list",
        _ => "page",
    };
    view! {
        <Title formatter=|title: String| if title.is_empty() { "sideBar".to_owned() } else { format!("{title} · sideBar") }
            text=move || title_of(location.route.get())/>
        <a class="skip-link" href="#main">"Skip to the page"</a>
        <div class="frame" data-list=list data-panel=panel data-phone=phone>
            <Rail section/>
            // around the list too: on a phone that is all there is of the page
            <main>
                <section class="list-pane" aria-label="List">
                    {move || match section.get() {
                        Section::Conversations => view! { <ConversationList/> }.into_any(),
                        Section::Notes => view! { <Apart part=Part::Notes(NotesPart::List)/> }.into_any(),
                        Section::Files => view! { <Apart part=Part::Files(FilesPart::List)/> }.into_any(),
                        Section::Pages => view! { <Apart part=Part::Files(FilesPart::SavedList)/> }.into_any(),
                        Section::Settings => view! { <Apart part=Part::Rest(RestPart::SettingsList)/> }.into_any(),
                        Section::Memories | Section::Search | Section::Bin => ().into_any(),
                    }}
                    <Resizer pane=Pane::List section label="Width of the list"/>
                </section>
                <div id="main" class="page" tabindex="-1"><Page/></div>
            </main>
            <SidePanel section/>
            <StatusLine section/>
            <BottomBar section/>
        </div>
        <ToastShelf/>
        <Palette commands/>
        <Apart part=Part::Notes(NotesPart::Dialogs)/>
        <Apart part=Part::Files(FilesPart::Dialogs(section))/>
    }
}
