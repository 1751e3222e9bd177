//! One memory: what it says, changed in place, where it came from, and what it was before.

use super::forget::Ask;
use super::rows::{facts, source_link};
use super::words;
use crate::client::api::{self, Method};
use crate::client::json::fetched;
use crate::client::location::use_location;
use crate::client::socket;
use crate::components::attempt::{Attempt, AttemptNote};
use crate::components::button::{Button, Look, Submit};
use crate::components::moment::Moment;
use crate::components::states::{Skeleton, Trouble};
use crate::components::toast::use_toasts;
use crate::pages::Sheet;
use crate::route::Route;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_meta::Title;
use shared::memory::{Memory, MemoryEvent, MemoryKind, OpenedMemory, UpdateMemory};
use shared::socket::ServerBody;
use shared::{ErrorCode, MemoryId, Problem};

/// What is written and not saved yet, and of which memory: it outlives that the page is drawn anew.
type Draft = RwSignal<Option<(MemoryId, String)>>;

#[component]
pub fn MemoryPage(#[prop(into)] id: Signal<Option<MemoryId>>) -> impl IntoView {
    let opened = fetched(
        move || id.get(),
        |id| async move {
            match id {
                Some(id) => api::get::<OpenedMemory>(format!("/memories/{id}")).await,
                None => Err(Problem::new(ErrorCode::NotFound, "There is no such memory.")),
            }
        },
    );
    let ask = Ask::provide();
    let location = use_location();
    let draft: Draft = RwSignal::new(None);
    let shown = StoredValue::new(None::<OpenedMemory>);
    // Only what changed is drawn anew: it may be some other memory, while this one is being written.
    socket::on_frame(move |frame| {
        let Some(id) = id.get_untracked() else { return };
        if matches!(frame, ServerBody::MemoriesChanged | ServerBody::Resync) && !ask.is_going(id) {
            spawn_local(async move {
                let fresh = api::get::<OpenedMemory>(format!("/memories/{id}")).await;
                if shown.try_with_value(|shown| *shown != fresh.ok()) == Some(true) {
                    opened.refetch();
                }
            });
        }
    });
    Effect::new(move |before: Option<u32>| {
        let forgotten = ask.forgotten();
        if before.is_some_and(|before| before != forgotten) {
            location.go(&Route::Memories.path());
        }
        forgotten
    });
    view! {
        <Transition fallback=|| view! { <div class="sheet"><Skeleton rows=4/></div> }>
            {move || Suspend::new(async move {
                match opened.await {
                    Ok(opened) => {
                        shown.set_value(Some(opened.clone()));
                        sheet(opened, ask, draft)
                    }
                    Err(problem) if problem.error_code == ErrorCode::NotFound => missing(),
                    Err(problem) => view! { <div class="sheet"><Trouble problem retry=move |()| opened.refetch()/></div> }.into_any(),
                }
            })}
        </Transition>
        {ask.dialog()}
    }
}

fn missing() -> AnyView {
    #[cfg(feature = "ssr")]
    crate::server::not_found();
    view! {
        <div class="sheet empty">
            <h1 class="empty-title">"There is no such memory"</h1>
            <p class="empty-text">"What is forgotten is gone for good. It may also belong to somebody else."</p>
            <a class="button is-main" href=Route::Memories.path()>"To your memories"</a>
        </div>
    }
    .into_any()
}

fn sheet(opened: OpenedMemory, ask: Ask, draft: Draft) -> AnyView {
    let OpenedMemory { memory, history } = opened;
    let asked = memory.clone();
    let holds = memory.superseded_by.is_none();
    view! {
        <Title text="Memory"/>
        <Sheet title="Memory">
            <p class="memory-back"><a href=Route::Memories.path()>"All memories"</a></p>
            {memory.superseded_by.map(|by| view! {
                <p class="memory-notice">"This no longer holds. "<a href=Route::Memory(by).path()>"What took its place"</a></p>
            })}
            {if holds { view! { <Change memory=memory.clone() draft/> }.into_any() } else { view! { <p class="memory-whole">{memory.content.clone()}</p> }.into_any() }}
            {memory.response.clone().map(|response| view! {
                <section class="part"><h2>"What was answered"</h2><p class="memory-whole">{response}</p></section>
            })}
            <section class="part"><h2>"Where it came from"</h2>{facts(&memory)}</section>
            <section class="part"><h2>"History"</h2>{history_view(history)}</section>
            <section class="part">
                <p><Button look=Look::Danger on_click=move |()| ask.about(asked.clone())>"Forget this…"</Button></p>
            </section>
        </Sheet>
    }
    .into_any()
}

/// The words of a memory, and what it is kept from.
#[component]
fn Change(memory: Memory, draft: Draft) -> impl IntoView {
    let toasts = use_toasts();
    let attempt = Attempt::new();
    let id = memory.id;
    let written = draft.get_untracked().filter(|(of, _)| *of == id).map(|(_, text)| text);
    let content = RwSignal::new(written.unwrap_or_else(|| memory.content.clone()));
    let is_statement = memory.kind == MemoryKind::Statement;
    let first = memory.content.clone();
    let save = move || {
        let change = UpdateMemory { content: Some(content.get_untracked()), ..UpdateMemory::default() };
        let sent = api::send::<OpenedMemory>(Method::Patch, format!("/memories/{id}"), &change);
        attempt.run(sent, move |_| {
            drop(draft.try_set(None));
            toasts.say("Changed. What it said before is in its history.");
        });
    };
    view! {
        <div class="memory-change">
        {if is_statement {
            view! {
                <form class="form memory-form" on:submit=move |event| { event.prevent_default(); save(); }>
                    <AttemptNote attempt/>
                    <label class="field">
                        <span class="visually-hidden">"What is remembered"</span>
                        <textarea rows="3" maxlength="4000" required prop:value=move || content.get()
                            on:input=move |event| {
                                content.set(event_target_value(&event));
                                draft.set(Some((id, event_target_value(&event))));
                            }>{first}</textarea>
                    </label>
                    <p class="form-foot"><Submit look=Look::Quiet busy=attempt.busy>"Save the change"</Submit></p>
                </form>
            }.into_any()
        } else {
            view! { <p class="memory-whole">{first}</p> }.into_any()
        }}
        {switch(id, "Pinned", "Models are told before every answer.", memory.pinned,
            |on| UpdateMemory { pinned: Some(on), ..UpdateMemory::default() })}
        {switch(id, "Keep from cloud models", "Only models on this machine or its own network are told.", memory.local_only,
            |on| UpdateMemory { local_only: Some(on), ..UpdateMemory::default() })}
        </div>
    }
}

fn switch(
    id: MemoryId,
    title: &'static str,
    note: &'static str,
    first: bool,
    change: fn(bool) -> UpdateMemory,
) -> AnyView {
    let toasts = use_toasts();
    let is_on = RwSignal::new(first);
    let set = move |on: bool| {
        is_on.set(on);
        spawn_local(async move {
            let sent = api::send::<OpenedMemory>(Method::Patch, format!("/memories/{id}"), &change(on)).await;
            if let Err(problem) = sent {
                is_on.try_set(!on);
                toasts.problem(&problem);
            }
        });
    };
    view! {
        <label class="choice-line">
            <input type="checkbox" checked=first prop:checked=move || is_on.get()
                on:change=move |event| set(event_target_checked(&event))/>
            <span>{title}<small>{note}</small></span>
        </label>
    }
    .into_any()
}

fn history_view(history: Vec<MemoryEvent>) -> AnyView {
    if history.is_empty() {
        return view! { <p class="list-empty">"It was not changed since it was made."</p> }.into_any();
    }
    let events = history.into_iter().map(|event| {
        view! {
            <li class="card-row memory-row">
                <div class="card-row-text">
                    <p class="memory-text">{words::shown(&event.text)}</p>
                    <p class="card-row-note memory-facts">
                        <span>{words::event(event.what)}</span>
                        <Moment at=Signal::stored(event.at)/>
                        {source_link(&event.source)}
                    </p>
                </div>
            </li>
        }
    });
    view! { <ol class="cards">{events.collect_view()}</ol> }.into_any()
}
