//! The sections: a rail at the left, on a phone a bar at the foot. Plain links and, for leaving, a
//! plain form, so that both work without scripts.

use super::layout::{Pane, use_layout};
use crate::client::session::use_session;
use crate::components::avatar::Avatar;
use crate::components::icon::Icon;
use crate::route::{Route, Section, SettingsSection};
use leptos::prelude::*;

#[component]
pub fn Rail(section: Memo<Section>) -> impl IntoView {
    let profile = use_session().profile;
    let layout = use_layout();
    let panel_open = move || layout.is_open(Pane::Panel, section.get());
    view! {
        <nav class="rail" aria-label="Sections">
            <a class="rail-link rail-new" href=Route::NewConversation.path() title="New conversation (c)" aria-label="New conversation">
                {Icon::Plus.draw()}
            </a>
            {rail_link(section, Section::Conversations, Route::Home, Icon::Chat, "Conversations")}
            {rail_link(section, Section::Notes, Route::Notes, Icon::Note, "Notes")}
            {rail_link(section, Section::Files, Route::Files, Icon::Clip, "Files")}
            {rail_link(section, Section::Pages, Route::Pages, Icon::Web, "Pages")}
            {rail_link(section, Section::Memories, Route::Memories, Icon::Bulb, "Memories")}
            {rail_link(section, Section::Search, Route::Search, Icon::Search, "Search")}
            {rail_link(section, Section::Bin, Route::Bin, Icon::Bin, "Bin")}
            <span class="rail-space"></span>
            <button
                type="button"
                class="rail-link rail-panel"
                title="Conversation beside the page ( ] )"
                aria-label="Conversation beside the page"
                aria-pressed=move || panel_open().to_string()
                on:click=move |_| layout.toggle(Pane::Panel, section.get_untracked())
            >
                {Icon::SidePane.draw()}
            </button>
            {rail_link(section, Section::Settings, Route::SettingsHome, Icon::Settings, "Settings")}
            <a class="rail-link rail-you" href=Route::Settings(SettingsSection::Profile).path()
                title=move || profile.with(|profile| profile.display_name.clone())>
                <span class="visually-hidden">{move || profile.with(|profile| format!("You: {}", profile.display_name))}</span>
                <Avatar profile/>
            </a>
        </nav>
    }
}

fn rail_link(
    current: Memo<Section>,
    section: Section,
    route: Route,
    icon: Icon,
    name: &'static str,
) -> impl IntoView {
    view! {
        <a
            class="rail-link"
            href=route.path()
            title=name
            aria-label=name
            aria-current=move || (current.get() == section).then_some("true")
        >
            {icon.draw()}
        </a>
    }
}

/// The six things for a thumb.
#[component]
pub fn BottomBar(section: Memo<Section>) -> impl IntoView {
    let current = Memo::new(move |_| match section.get() {
        Section::Conversations => Some(Route::Home),
        Section::Notes => Some(Route::Notes),
        Section::Files => Some(Route::Files),
        Section::Pages => Some(Route::Pages),
        Section::Search => Some(Route::Search),
        // from there a phone gets to the memories
        Section::Settings | Section::Memories => Some(Route::SettingsHome),
        Section::Bin => None,
    });
    view! {
        <nav class="bottom-bar" aria-label="Sections for phones">
            {bottom_link(Route::Home, current, Icon::Chat, "Conversations")}
            {bottom_link(Route::Notes, current, Icon::Note, "Notes")}
            {bottom_link(Route::Files, current, Icon::Clip, "Files")}
            {bottom_link(Route::Pages, current, Icon::Web, "Pages")}
            {bottom_link(Route::Search, current, Icon::Search, "Search")}
            {bottom_link(Route::SettingsHome, current, Icon::Settings, "Settings")}
        </nav>
    }
}

fn bottom_link(route: Route, current: Memo<Option<Route>>, icon: Icon, name: &'static str) -> impl IntoView {
    view! {
        <a class="bottom-link" href=route.path() aria-current=move || (current.get() == Some(route)).then_some("true")>
            {icon.draw()}
            <span>{name}</span>
        </a>
    }
}
