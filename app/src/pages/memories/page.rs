//! All memories. The words looked for are in the address, so that looking works without scripts.

use super::add::Add;
use super::forget::Ask;
use super::preferences::Preferences;
use super::rows::rows;
use super::waiting::WaitingEverywhere;
use crate::client::api;
use crate::client::json::fetched;
use crate::client::location::{Location, use_location};
use crate::client::socket;
use crate::components::button::Button;
use crate::components::icon::Icon;
use crate::components::states::{Empty, Skeleton, Trouble};
use crate::components::toast::use_toasts;
use crate::pages::Sheet;
use crate::route::Route;
use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::memory::Memory;
use shared::page::Page;
use shared::socket::ServerBody;
use std::time::Duration;

const PAGE_SIZE: usize = 50;

fn fetch(words: &str, cursor: Option<&str>) -> api::Call<Page<Memory>> {
    let mut path = format!("/memories?limit={PAGE_SIZE}");
    for (name, value) in [("q", Some(words).filter(|words| !words.is_empty())), ("cursor", cursor)] {
        if let Some(value) = value {
            path.push_str(&format!("&{name}={}", api::encode(value)));
        }
    }
    api::get(path)
}

#[component]
pub fn MemoriesPage() -> impl IntoView {
    let location = use_location();
    let words = Memo::new(move |_| location.query_value("q").unwrap_or_default().trim().to_owned());
    let first = fetched(move || words.get(), |words| fetch(&words, None));
    socket::on_frame(move |frame| {
        if matches!(frame, ServerBody::MemoriesChanged | ServerBody::Resync) {
            first.refetch();
        }
    });
    let ask = Ask::provide();
    view! {
        <Sheet title="Memories" lead="What is kept in mind of you. Models are told what bears on a question before they answer, and the answer says which. Nothing here is shared.">
            <WaitingEverywhere/>
            <section class="part" aria-labelledby="memories-add">
                <h2 id="memories-add">"Something to remember"</h2>
                <Add/>
            </section>
            <section class="part" aria-labelledby="memories-all">
                <h2 id="memories-all">"What is remembered"</h2>
                <Look location words/>
                <div class="memories-found" aria-live="polite">
                    <Transition fallback=|| view! { <Skeleton rows=5/> }>
                        {move || {
                            let asked = words.get();
                            Suspend::new(async move {
                                match first.await {
                                    Ok(page) => view! { <List words=asked page/> }.into_any(),
                                    Err(problem) => view! { <Trouble problem retry=move |()| first.refetch()/> }.into_any(),
                                }
                            })
                        }}
                    </Transition>
                </div>
            </section>
            <section class="part" aria-labelledby="memories-how">
                <h2 id="memories-how">"How they are used"</h2>
                <Preferences/>
            </section>
            {ask.dialog()}
        </Sheet>
    }
}

/// The field that narrows the list.
#[component]
fn Look(location: Location, words: Memo<String>) -> impl IntoView {
    let typed = StoredValue::new(0_u32);
    let look = move |value: String| {
        let value = value.trim();
        let query = if value.is_empty() { String::new() } else { format!("?q={}", api::encode(value)) };
        location.replace(&format!("{}{query}", Route::Memories.path()));
    };
    let later = move |value: String| {
        typed.update_value(|count| *count += 1);
        let this = typed.get_value();
        set_timeout(
            move || {
                if typed.try_get_value() == Some(this) {
                    look(value);
                }
            },
            Duration::from_millis(250),
        );
    };
    let field = NodeRef::<leptos::html::Input>::new();
    let now = move || field.get_untracked().map(|field| field.value()).unwrap_or_default();
    view! {
        <form class="search-field" role="search" method="get" action=Route::Memories.path()
            on:submit=move |event| { event.prevent_default(); look(now()); }>
            {Icon::Search.draw()}
            <input node_ref=field type="search" name="q" aria-label="Look among the memories" placeholder="Look among the memories"
                autocomplete="off" value=words.get_untracked()
                on:input=move |event| later(event_target_value(&event))/>
        </form>
    }
}

#[component]
fn List(words: String, page: Page<Memory>) -> impl IntoView {
    if page.items.is_empty() {
        return match words.is_empty() {
            true => view! { <Empty title="Nothing yet" text="Write something above, or ask a model in a conversation to remember it."/> }.into_any(),
            false => view! { <Empty title="Nothing found" text="No memory is about this. Fewer or other words may find one."/> }.into_any(),
        };
    }
    let shown = RwSignal::new(page.items);
    let cursor = RwSignal::new(page.next_cursor);
    let toasts = use_toasts();
    let more = move || {
        let (asked, words) = (cursor.get_untracked(), words.clone());
        spawn_local(async move {
            match fetch(&words, asked.as_deref()).await {
                Ok(page) => {
                    shown.update(|shown| shown.extend(page.items));
                    cursor.set(page.next_cursor);
                }
                Err(problem) => toasts.problem(&problem),
            }
        });
    };
    view! {
        <ul class="cards">{move || rows(shown.get())}</ul>
        {move || {
            let more = more.clone();
            cursor.with(Option::is_some).then(|| view! { <Button on_click=move |()| more()>"Show more"</Button> })
        }}
    }
    .into_any()
}
