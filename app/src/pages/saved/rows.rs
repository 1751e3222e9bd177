//! The pages themselves: what each is called, where it is from, how long it is, where it stands.

use super::menu::ROW_MENU;
use super::store::SavedPages;
use crate::client::listing::Row;
use crate::client::location::use_location;
use crate::components::button::{Button, Look};
use crate::components::icon::Icon;
use crate::components::long_list::LongList;
use crate::components::menu::{open_at, place};
use crate::components::moment::Moment;
use crate::route::Route;
use leptos::prelude::*;
use shared::PageId;
use shared::saved_page::{PageState, PageSummary};

#[component]
pub fn Rows(store: SavedPages) -> impl IntoView {
    let count = Memo::new(move |_| store.rows.with(Vec::len));
    let long = LongList::new(count);
    long.keep_room(move || store.more());
    view! {
        <div class="list-scroll" node_ref=long.scroller on:scroll=move |_| long.look(move || store.more())>
            <ul class="rows" node_ref=long.holder>
                <For each=move || store.rows.with(|rows| long.window(rows)) key=|row| row.id let:row>{row_view(store, row)}</For>
            </ul>
            {move || (count.get() == 0).then(|| nothing(store))}
        </div>
    }
}

fn nothing(store: SavedPages) -> AnyView {
    let narrowed = store.narrowed.get();
    let words = match (store.filter.with(String::is_empty), narrowed.tag.is_some(), narrowed.archived) {
        (false, ..) => "No page has these words in its title, address or tags.",
        (true, true, _) => "No page has this tag.",
        (true, false, true) => "What you have read and put away is here.",
        (true, false, false) => {
            "Paste the address of an article above. It is kept here to be read in peace, and search finds what is in it."
        }
    };
    view! { <p class="list-empty">{words}</p> }.into_any()
}

fn row_view(store: SavedPages, row: Row<PageSummary>) -> AnyView {
    let id = row.id;
    let route = use_location().route;
    let current = Memo::new(move |_| route.get().and_then(Route::saved_page) == Some(id));
    let summary = row.summary;
    let (of_menu, of_button, of_label) = (summary.clone(), summary.clone(), summary.clone());
    let of_failed = summary.clone();
    let failed = Memo::new(move |_| of_failed.with(|now| matches!(now.state, PageState::Failed { .. })));
    let has_menu = move |event: &leptos::ev::MouseEvent| {
        store.menu.set(Some(of_menu.get_untracked()));
        open_at(event, ROW_MENU);
    };
    view! {
        <li class="row file-row saved-row" class:is-current=current on:contextmenu=move |event| has_menu(&event)>
            {link(id, summary, current)}
            {move || failed.get().then(|| view! {
                <span class="file-retry"><Button look=Look::Plain on_click=move |()| store.fetch_again(id)>"Try again"</Button></span>
            })}
            <button type="button" class="icon-button menu-button" aria-haspopup="menu" title="More" popovertarget=ROW_MENU
                aria-label=move || of_label.with(|now| format!("More about {}", now.title))
                on:click=move |event| { store.menu.set(Some(of_button.get_untracked())); place(&event, ROW_MENU); }>
                {Icon::More.draw()}
            </button>
        </li>
    }
    .into_any()
}

fn link(id: PageId, summary: ArcRwSignal<PageSummary>, current: Memo<bool>) -> AnyView {
    let (picture, at, state, facts, pinned) =
        (summary.clone(), summary.clone(), summary.clone(), summary.clone(), summary.clone());
    let picture = Memo::new(move |_| picture.with(|now| now.image));
    let pinned = Memo::new(move |_| pinned.with(|now| now.pinned));
    let state = Memo::new(move |_| state.with(|now| (state_name(&now.state), state_words(&now.state))));
    let facts = Memo::new(move |_| facts.with(facts_of));
    view! {
        <a class="row-link" href=Route::SavedPage(id).path() data-row=id.to_string()
            aria-current=move || current.get().then_some("page")>
            <span class="file-picture" aria-hidden="true">
                {move || match picture.get() {
                    true => view! { <img src=format!("/api/v1/pages/{id}/image") alt="" width="36" height="36" loading="lazy"/> }.into_any(),
                    false => Icon::Web.draw(),
                }}
            </span>
            <span class="file-lines">
                <span class="file-line">
                    {move || pinned.get().then(|| view! { <span class="row-mark" title="Pinned">{Icon::Pin.draw()}<span class="visually-hidden">"Pinned"</span></span> })}
                    <span class="row-title">{move || summary.with(|now| now.title.clone())}</span>
                    <Moment at=Signal::derive(move || at.with(|now| now.created_at))/>
                </span>
                <span class="file-facts" data-state=move || state.get().0>
                    {move || match state.get().1 {
                        Some(words) => view! { <span class="file-state" title=words.clone()>{words.clone()}</span> }.into_any(),
                        None => ().into_any(),
                    }}
                    <span class="number">{facts}</span>
                </span>
            </span>
        </a>
    }
    .into_any()
}

/// Where it is from, how long it takes, and how far it was read.
fn facts_of(page: &PageSummary) -> String {
    let mut facts = vec![page.site.clone()];
    facts.extend(page.minutes.map(minutes));
    match (page.position * 100.0).round() as u32 {
        0 => {}
        percent if percent >= 98 => facts.push("read".to_owned()),
        percent => facts.push(format!("{percent} %")),
    }
    facts.join(" · ")
}

/// `5 min`; less than one is one.
pub(super) fn minutes(minutes: u32) -> String {
    format!("{} min", minutes.max(1))
}

/// Where a page stands; nothing once all is done.
pub(super) fn state_words(state: &PageState) -> Option<String> {
    match state {
        PageState::Waiting => Some("Waiting".to_owned()),
        PageState::Reading => Some("Fetching".to_owned()),
        PageState::Ready => None,
        PageState::Failed { reason } => Some(format!("Failed: {}", reason.trim_end_matches('.'))),
    }
}

/// For styles.
pub(super) fn state_name(state: &PageState) -> &'static str {
    match state {
        PageState::Waiting => "waiting",
        PageState::Reading => "reading",
        PageState::Ready => "ready",
        PageState::Failed { .. } => "failed",
    }
}
