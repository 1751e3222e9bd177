//! The list beside the page: pinned first, then by day; a box that narrows it; more as one scrolls.

use super::prefetch::use_prefetch;
use super::{Conversations, use_conversations};
use crate::client::clock::{day_heading, use_clock};
use crate::client::document;
use crate::client::json::fetched;
use crate::client::listing::Row;
use crate::client::location::use_location;
use crate::components::button::{Button, Look};
use crate::components::icon::Icon;
use crate::components::list_filter::ListFilter;
use crate::components::list_title::ListTitle;
use crate::components::menu::{Menu, MenuItem};
use crate::components::moment::Moment;
use crate::components::states::{Skeleton, Trouble};
use crate::frame::layout::use_layout;
use crate::route::{Route, Section};
use leptos::prelude::*;
use shared::ConversationId;
use shared::conversation::ConversationSummary;

#[component]
pub fn ConversationList() -> impl IntoView {
    let store = use_conversations();
    view! {
        <nav class="list" aria-label="Conversations">
            <header class="list-bar">
                <ListTitle name="Conversations"/>
                <a class="icon-button" href=Route::NewConversation.path() aria-label="New conversation" title="New conversation (c)">
                    {Icon::Plus.draw()}
                </a>
            </header>
            <ListFilter words=store.filter reload=move |()| store.reload()/>
            <div class="list-scroll">
                {if store.rows.is_seeded() { view! { <Rows store/> }.into_any() } else { view! { <FirstRows store/> }.into_any() }}
            </div>
        </nav>
    }
}

/// The rows that came with the page, or a skeleton until they come.
#[component]
fn FirstRows(store: Conversations) -> impl IntoView {
    let first = fetched(|| (), move |()| store.first());
    view! {
        <Suspense fallback=|| view! { <Skeleton rows=8/> }>
            {move || Suspend::new(async move {
                match first.await {
                    Ok(page) => {
                        store.rows.seed(page);
                        view! { <Rows store/> }.into_any()
                    }
                    Err(problem) => view! { <Trouble problem retry=move |()| first.refetch()/> }.into_any(),
                }
            })}
        </Suspense>
    }
}

/// What stands in the list: headings and rows in one sequence, so that each keeps its place.
#[derive(Clone)]
enum Entry {
    Heading(String),
    Row(Row<ConversationSummary>),
}

impl Entry {
    fn key(&self) -> String {
        match self {
            Self::Heading(text) => text.clone(),
            Self::Row(row) => row.id.to_string(),
        }
    }
}

#[component]
fn Rows(store: Conversations) -> impl IntoView {
    let clock = use_clock();
    let entries = move || {
        let (now, offset) = (clock.now.get(), clock.offset.get());
        let mut entries = Vec::new();
        let mut last = String::new();
        for row in store.rows.with(Clone::clone) {
            let heading = row.summary.with(|summary| match summary.pinned {
                true => "Pinned".to_owned(),
                false => day_heading(summary.updated_at, now, offset),
            });
            if heading != last {
                entries.push(Entry::Heading(heading.clone()));
                last = heading;
            }
            entries.push(Entry::Row(row));
        }
        entries
    };
    view! {
        <ul class="rows">
            <For each=entries key=Entry::key let:entry>{entry_view(store, entry)}</For>
        </ul>
        {move || store.rows.with(Vec::is_empty).then(|| nothing(store))}
        <MoreRows store/>
    }
}

fn nothing(store: Conversations) -> AnyView {
    match store.filter.with(String::is_empty) {
        true => view! { <p class="list-empty">"What you talk about with a model stays here. Begin with the + above."</p> }.into_any(),
        false => view! { <p class="list-empty">"No conversation has these words."</p> }.into_any(),
    }
}

fn entry_view(store: Conversations, entry: Entry) -> AnyView {
    match entry {
        Entry::Heading(text) => view! { <li class="rows-heading"><h3>{text}</h3></li> }.into_any(),
        Entry::Row(row) => row_view(store, row),
    }
}

fn row_view(store: Conversations, row: Row<ConversationSummary>) -> AnyView {
    let id = row.id;
    let route = use_location().route;
    let prefetch = use_prefetch();
    let current = Memo::new(move |_| route.get().and_then(Route::conversation) == Some(id));
    let renaming = Memo::new(move |_| store.renaming.get() == Some(id));
    let summary = row.summary;
    let (title, answering) = (summary.clone(), summary.clone());
    let at = summary.clone();
    let name = summary.clone();
    view! {
        <li class="row" class:is-current=current>
            {move || match renaming.get() {
                true => view! { <RenameField store id title=name.with_untracked(|now| now.display_title().to_owned())/> }.into_any(),
                false => {
                    let (title, answering, at) = (title.clone(), answering.clone(), at.clone());
                    view! {
                        <a class="row-link" href=Route::Conversation(id).path() data-row=id.to_string()
                            on:pointerenter=move |_| prefetch.near(id) on:pointerleave=move |_| prefetch.gone()
                            aria-current=move || current.get().then_some("page")>
                            <span class="row-title">{move || title.with(|now| now.display_title().to_owned())}</span>
                            {move || match answering.with(|now| now.answering) {
                                true => view! { <span class="row-answering" title="An answer is being written"><span class="visually-hidden">"answering"</span></span> }.into_any(),
                                false => { let at = at.clone(); view! { <Moment at=Signal::derive(move || at.with(|now| now.updated_at))/> }.into_any() }
                            }}
                        </a>
                    }.into_any()
                }
            }}
            <RowMenu store id summary/>
        </li>
    }
    .into_any()
}

#[component]
fn RowMenu(
    store: Conversations,
    id: ConversationId,
    summary: ArcRwSignal<ConversationSummary>,
) -> impl IntoView {
    let layout = use_layout();
    let pinned = summary.clone();
    view! {
        <Menu id=format!("row-{id}") label=move || summary.with(|now| format!("More about {}", now.display_title()))>
            <MenuItem icon=Icon::Pencil on_choose=move |()| store.begin_renaming(id)>"Rename"</MenuItem>
            <MenuItem icon=Icon::Pin on_choose=move |()| store.turn_pin(id)>
                {move || if pinned.with(|now| now.pinned) { "Unpin" } else { "Pin" }}
            </MenuItem>
            <MenuItem icon=Icon::SidePane on_choose=move |()| layout.show_beside(Some(id), Section::Conversations)>"Open beside"</MenuItem>
            <MenuItem icon=Icon::Bin on_choose=move |()| store.delete(id)>"Delete"</MenuItem>
        </Menu>
    }
}

#[component]
fn RenameField(store: Conversations, id: ConversationId, title: String) -> impl IntoView {
    let field = NodeRef::<leptos::html::Input>::new();
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
        <input class="row-rename" node_ref=field aria-label="Title of the conversation" value=title maxlength="200"
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

/// Asks for more when the end of the list comes near; a button where that cannot be seen.
#[component]
fn MoreRows(store: Conversations) -> impl IntoView {
    let end = NodeRef::<leptos::html::Div>::new();
    document::when_seen(end, move || store.more());
    view! {
        <div class="list-end" node_ref=end>
            {move || store.rows.has_more().then(|| view! {
                <Button look=Look::Plain busy=Signal::derive(move || store.rows.is_loading()) on_click=move |()| store.more()>"Show more"</Button>
            })}
        </div>
    }
}
