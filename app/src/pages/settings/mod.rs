//! Settings: who one is, how it looks, keys, and for admins models and people.

mod api_keys;
mod appearance;
mod index;
mod invites;
mod models;
mod notes;
mod people;
mod profile;
mod provider_form;
mod providers;
mod security;

use super::Sheet;
use crate::client::location::use_location;
use crate::client::session::use_session;
use crate::components::icon::Icon;
use crate::components::list_title::ListTitle;
use crate::components::states::Empty;
use crate::frame::leaving::SignOut;
use crate::route::{Route, SettingsSection};
use leptos::prelude::*;

/// The sections, in the place of the list.
#[component]
pub fn SettingsList() -> impl IntoView {
    let session = use_session();
    let route = use_location().route;
    // `/settings` shows the first section where there is room for both
    let current = Memo::new(move |_| match route.get() {
        Some(Route::SettingsHome) => Some(Route::Settings(SettingsSection::Profile)),
        other => other,
    });
    let link = move |to: Route, icon: Icon, title: &'static str| {
        view! {
            <li class="row" class:is-current=move || current.get() == Some(to)>
                <a class="row-link" href=to.path() data-row="" aria-current=move || (current.get() == Some(to)).then_some("page")>
                    {icon.draw()}
                    <span class="row-title">{title}</span>
                </a>
            </li>
        }
    };
    view! {
        <nav class="list" aria-label="Settings">
            <header class="list-bar"><ListTitle name="Settings"/></header>
            <div class="list-scroll">
                <ul class="rows">
                    {SettingsSection::ALL
                        .into_iter()
                        .filter(|section| !section.is_for_admins() || session.is_admin())
                        .map(|section| link(Route::Settings(section), icon_of(section), section.title()))
                        .collect_view()}
                    {link(Route::Memories, Icon::Bulb, "Memories")}
                    {link(Route::Keys, Icon::Keyboard, "Keys on the keyboard")}
                    {link(Route::Bin, Icon::Bin, "Bin")}
                </ul>
            </div>
            <div class="list-foot"><SignOut/></div>
        </nav>
    }
}

fn icon_of(section: SettingsSection) -> Icon {
    match section {
        SettingsSection::Profile => Icon::Person,
        SettingsSection::Security => Icon::Shield,
        SettingsSection::ApiKeys => Icon::Key,
        SettingsSection::Appearance => Icon::Palette,
        SettingsSection::Notes => Icon::Note,
        SettingsSection::Index => Icon::Search,
        SettingsSection::Models => Icon::Chat,
        SettingsSection::Providers => Icon::Spark,
        SettingsSection::People => Icon::People,
    }
}

#[component]
pub fn SettingsPage(section: SettingsSection) -> impl IntoView {
    if section.is_for_admins() && !use_session().is_admin() {
        return view! {
            <Sheet title=section.title()>
                <Empty title="For admins" text="Whoever runs this server can change this, or make you an admin."/>
            </Sheet>
        }
        .into_any();
    }
    match section {
        SettingsSection::Profile => view! { <profile::ProfilePage/> }.into_any(),
        SettingsSection::Security => view! { <security::SecurityPage/> }.into_any(),
        SettingsSection::ApiKeys => view! { <api_keys::ApiKeysPage/> }.into_any(),
        SettingsSection::Appearance => view! { <appearance::AppearancePage/> }.into_any(),
        SettingsSection::Notes => view! { <notes::NotesPage/> }.into_any(),
        SettingsSection::Index => view! { <index::IndexPage/> }.into_any(),
        SettingsSection::Models => view! { <models::ModelsPage/> }.into_any(),
        SettingsSection::Providers => view! { <providers::ProvidersPage/> }.into_any(),
        SettingsSection::People => view! { <people::PeoplePage/> }.into_any(),
    }
}

/// One matter of a settings page.
#[component]
fn Part(
    #[prop(into)] title: String,
    #[prop(optional, into)] lead: Option<String>,
    children: Children,
) -> impl IntoView {
    view! {
        <section class="part">
            <h2>{title}</h2>
            {lead.map(|lead| view! { <p class="part-lead">{lead}</p> })}
            {children()}
        </section>
    }
}
