//! What can be done with a page: one menu that all rows of the list share, and that the page has too.

use super::acts::archive_of;
use super::store::SavedPages;
use crate::components::icon::Icon;
use crate::components::menu::{MenuItem, MenuItems};
use crate::pages::collections::use_collecting;
use crate::route::Route;
use leptos::prelude::*;
use shared::context::{Attached, Thing, ThingKind};
use shared::saved_page::{PageState, PageSummary};

/// The id of the menu that all rows share.
pub const ROW_MENU: &str = "saved-page-menu";

#[component]
pub fn SharedMenu(store: SavedPages) -> impl IntoView {
    let label = move || {
        store.menu.with(|page| match page {
            Some(page) => format!("More about {}", page.title),
            None => "More about a page".to_owned(),
        })
    };
    view! {
        <MenuItems id=ROW_MENU.to_owned() label=Signal::derive(label)>
            <PageItems store page=store.menu/>
        </MenuItems>
    }
}

fn with(page: Signal<Option<PageSummary>>, act: impl FnOnce(PageSummary)) {
    if let Some(page) = page.get_untracked() {
        act(page);
    }
}

fn thing_of(page: &PageSummary) -> Attached {
    let thing = Thing { kind: ThingKind::Page, id: page.id.0 };
    Attached { thing, title: page.title.clone(), gone: false }
}

/// A new conversation to which the page is attached.
fn asking_about(page: &PageSummary) -> String {
    format!("{}?attach=page:{}", Route::NewConversation.path(), page.id)
}

/// The items for whatever page the signal names.
#[component]
pub fn PageItems(store: SavedPages, #[prop(into)] page: Signal<Option<PageSummary>>) -> impl IntoView {
    let collecting = use_collecting();
    let is = move |what: fn(&PageSummary) -> bool| page.with(|page| page.as_ref().is_some_and(what));
    let original = move || page.with(|page| page.as_ref().map(|page| page.url.clone()));
    let copy = move || page.with(|page| page.as_ref().map(|page| archive_of(page.id)));
    let has_no_copy = move || !is(|page| page.fetched_at.is_some());
    // what a browser sent is not fetched over
    let is_fixed = Signal::derive(move || {
        is(|page| {
            let is_on_its_way = matches!(page.state, PageState::Waiting | PageState::Reading);
            is_on_its_way || (page.sent && page.fetched_at.is_some())
        })
    });
    view! {
        <a class="menu-item" role="menuitem" href=original target="_blank" rel="noopener noreferrer">
            {Icon::Link.draw()}<span>"Open the original"</span>
        </a>
        <a class="menu-item" role="menuitem" href=copy target="_blank" rel="noopener" hidden=has_no_copy>
            {Icon::Source.draw()}<span>"Open the kept copy"</span>
        </a>
        <MenuItem icon=Icon::Pin on_choose=move |()| with(page, |page| store.turn_pin(page.id))>
            {move || if is(|page| page.pinned) { "Unpin" } else { "Pin" }}
        </MenuItem>
        <MenuItem icon=Icon::Chat on_choose=move |()| with(page, |page| store.location.go(&asking_about(&page)))>
            "Ask about it"
        </MenuItem>
        <MenuItem icon=Icon::Archive on_choose=move |()| with(page, |page| collecting.0.set(Some(thing_of(&page))))>
            "Add to a collection…"
        </MenuItem>
        <MenuItem icon=Icon::Archive on_choose=move |()| with(page, |page| store.turn_archived(page.id))>
            {move || if is(|page| page.archived) { "Back to the list" } else { "Put away" }}
        </MenuItem>
        <MenuItem icon=Icon::Refresh hidden=is_fixed on_choose=move |()| with(page, |page| store.fetch_again(page.id))>
            "Fetch again"
        </MenuItem>
        <MenuItem icon=Icon::Bin on_choose=move |()| with(page, |page| store.delete(page.id))>"Delete"</MenuItem>
    }
}
