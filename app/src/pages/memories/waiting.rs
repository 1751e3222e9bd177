//! What waits for a decision: suggestions to remember something, and a model's wish to forget something. Below the
//! conversation that they come from, and on the page of memories.

use super::rows::source_link;
use super::words;
use crate::client::api::{self, Method};
use crate::client::json::fetched;
use crate::client::socket;
use crate::components::button::{Button, Look};
use crate::components::toast::{Toasts, use_toasts};
use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::ConversationId;
use shared::memory::{AcceptSuggestion, Forgetting, KeptMemory, MemorySuggestion, WaitingMemories};
use shared::socket::ServerBody;

/// On the page of memories.
#[component]
pub fn WaitingEverywhere() -> impl IntoView {
    let waiting = fetched(|| (), |()| api::get::<WaitingMemories>("/memories/waiting"));
    socket::on_frame(move |frame| {
        if matches!(frame, ServerBody::MemoriesChanged | ServerBody::Resync) {
            waiting.refetch();
        }
    });
    view! {
        <Transition>
            {move || Suspend::new(async move {
                let found = waiting.await.unwrap_or_default();
                let none = found.suggestions.is_empty() && found.forgetting.is_empty();
                (!none).then(|| view! {
                    <section class="part" aria-labelledby="memories-waiting">
                        <h2 id="memories-waiting">"For you to decide"</h2>
                        {decisions(found, Place::Page)}
                    </section>
                })
            })}
        </Transition>
    }
}

/// Below a conversation; nothing while nothing waits. Fetched by the browser alone: it is beside the point of the
/// page, and stands on the page of memories for those without scripts.
#[component]
pub fn WaitingHere(#[prop(into)] conversation: Signal<Option<ConversationId>>) -> impl IntoView {
    let found = RwSignal::new(WaitingMemories::default());
    let fetch = move || {
        let Some(id) = conversation.get_untracked() else { return };
        spawn_local(async move {
            match api::get::<WaitingMemories>(format!("/memories/waiting?conversation_id={id}")).await {
                Ok(waiting) if conversation.try_get_untracked() == Some(Some(id)) => {
                    drop(found.try_set(waiting))
                }
                Ok(_) => {}
                // it is beside the point here; the page of memories says it
                Err(_) => {}
            }
        });
    };
    Effect::new(move |_| {
        conversation.track();
        found.set(WaitingMemories::default());
        fetch();
    });
    socket::on_frame(move |frame| {
        if matches!(frame, ServerBody::MemoriesChanged | ServerBody::Resync) {
            fetch();
        }
    });
    move || {
        let waiting = found.get();
        let none = waiting.suggestions.is_empty() && waiting.forgetting.is_empty();
        (!none).then(|| {
            view! {
                <section class="waiting-here" aria-label="Memories for you to decide">{decisions(waiting, Place::Conversation)}</section>
            }
        })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Page,
    Conversation,
}

fn decisions(waiting: WaitingMemories, place: Place) -> AnyView {
    let toasts = use_toasts();
    view! {
        <ul class="cards">
            {waiting.forgetting.into_iter().map(|one| forgetting_view(one, toasts)).collect_view()}
            {waiting.suggestions.into_iter().map(|one| suggestion_view(one, place, toasts)).collect_view()}
        </ul>
    }
    .into_any()
}

fn suggestion_view(suggestion: MemorySuggestion, place: Place, toasts: Toasts) -> AnyView {
    let id = suggestion.id;
    let accept = move || {
        spawn_local(async move {
            let path = format!("/memories/suggestions/{id}/accept");
            match api::send::<KeptMemory>(Method::Post, path, &AcceptSuggestion::default()).await {
                Ok(_) => toasts.say("Remembered."),
                Err(problem) => toasts.problem(&problem),
            }
        });
    };
    let replaces = suggestion.replaces.map(|memory| {
        view! { <span>"in place of “" {words::shown(&memory.content)} "”"</span> }
    });
    view! {
        <li class="card-row memory-row">
            <div class="card-row-text">
                <p class="memory-ask">"Remember this?"</p>
                <p class="memory-text">{suggestion.content}</p>
                <p class="card-row-note memory-facts">
                    <span>"Suggested by a model"</span>
                    {(place == Place::Page).then(|| source_link(&suggestion.source))}
                    {replaces}
                </p>
            </div>
            <span class="memory-decide">
                <Button on_click=move |()| accept()>"Remember"</Button>
                <Button look=Look::Plain on_click=move |()| drop_it(format!("/memories/suggestions/{id}"), toasts)>"Let go"</Button>
            </span>
        </li>
    }
    .into_any()
}

fn forgetting_view(forgetting: Forgetting, toasts: Toasts) -> AnyView {
    let id = forgetting.id;
    let confirm = move || {
        spawn_local(async move {
            match api::act::<()>(Method::Post, format!("/memories/forgetting/{id}/confirm")).await {
                Ok(()) => toasts.say("Forgotten."),
                Err(problem) => toasts.problem(&problem),
            }
        });
    };
    let reason = Some(forgetting.reason).filter(|reason| !reason.is_empty());
    view! {
        <li class="card-row memory-row">
            <div class="card-row-text">
                <p class="memory-ask">"Forget this for good?"</p>
                <p class="memory-text">{words::shown(&forgetting.memory.content)}</p>
                <p class="card-row-note memory-facts">
                    <span>"A model asks for it. It cannot be undone."</span>
                    {reason.map(|reason| view! { <span>{reason}</span> })}
                </p>
            </div>
            <span class="memory-decide">
                <Button look=Look::Danger on_click=move |()| confirm()>"Forget for good"</Button>
                <Button look=Look::Plain on_click=move |()| drop_it(format!("/memories/forgetting/{id}"), toasts)>"Keep it"</Button>
            </span>
        </li>
    }
    .into_any()
}

fn drop_it(path: String, toasts: Toasts) {
    spawn_local(async move {
        if let Err(problem) = api::delete::<()>(path).await {
            toasts.problem(&problem);
        }
    });
}
