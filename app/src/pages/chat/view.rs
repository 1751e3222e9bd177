//! One opened conversation: its head, its messages, the place to write.

use super::Place;
use super::attaching::{self, Attaching};
use super::code;
use super::composer::Composer;
use super::exchange::{Exchange, PAGE};
use super::header::Header;
use super::message::MessageView;
use super::models::NoLanguageModel;
use super::scroll::Scroll;
use super::thread::Thread;
use crate::areas::{Apart, Part, RestPart};
use crate::client::api;
use crate::client::json::{Fetched, fetched};
use crate::client::location::use_location;
use crate::client::stream::Line;
use crate::client::typesetter;
use crate::components::states::{Skeleton, Trouble};
use crate::pages::conversations::prefetch::use_prefetch;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_meta::Title;
use shared::context::Weather;
use shared::conversation::Conversation;
use shared::provider::Model;
use shared::{ConversationId, ErrorCode, MessageId, Problem};

/// What the parts of the view share. Given as context to those that come later.
#[derive(Clone, Copy)]
pub struct Shared {
    pub exchange: Exchange,
    pub loaded: Fetched<Option<Conversation>>,
    pub models: Fetched<Vec<Model>>,
    /// The model chosen here; `None` is the conversation's own, or the default.
    pub model: RwSignal<Option<String>>,
    /// The own message that is being changed in the composer.
    pub editing: RwSignal<Option<MessageId>>,
    /// A text that was not sent, on its way back to the field.
    pub taken_back: RwSignal<Option<String>>,
    pub scroll: Scroll,
    pub attaching: Attaching,
    /// Where it is shown.
    pub place: Place,
}

#[component]
pub fn Opened(id: Option<ConversationId>, started: Callback<ConversationId>, place: Place) -> impl IntoView {
    let thread = Thread::new(id);
    // Without scripts a link asks for more messages at once.
    let location = use_location();
    let count =
        untrack(|| location.query_value("messages")).and_then(|count| count.parse().ok()).unwrap_or(PAGE);
    let loaded = fetched(|| (), move |()| load(id, count));
    let shared = Shared {
        loaded,
        exchange: Exchange::new(thread, started),
        models: fetched(|| (), |()| api::get::<Vec<Model>>("/models")),
        model: RwSignal::new(None),
        editing: RwSignal::new(None),
        taken_back: RwSignal::new(None),
        scroll: Scroll::new(thread, place),
        attaching: Attaching::provide(),
        place,
    };
    provide_context(shared);
    shared.attaching.follow(shared.exchange);
    if let (None, Some(named)) = (id, untrack(|| location.query_value("attach"))) {
        shared.attaching.begin_with(named);
    }
    let failed = RwSignal::new(false);
    let content = move || {
        Suspend::new(async move {
            match loaded.await {
                Ok(found) => {
                    failed.set(false);
                    if let Some(conversation) = found {
                        shared
                            .model
                            .set(Some(conversation.summary.model.clone()).filter(|model| !model.is_empty()));
                        thread.take(conversation, None);
                    }
                    view! { <Messages shared place/> }.into_any()
                }
                Err(problem) => {
                    failed.set(true);
                    missing(problem, Callback::new(move |()| loaded.refetch()))
                }
            }
        })
    };
    view! {
        <section class="conversation" aria-label=match place {
            Place::Page => "Conversation",
            Place::Panel => "Conversation beside",
        }
            on:dragover=move |event| attaching::dragged(&event)
            on:drop=move |event| attaching::dropped(&event, shared.attaching)>
            {(place == Place::Page).then(|| view! { <Title text=move || page_title(thread)/> })}
            <Suspense fallback=|| view! { <div class="thread"><div class="thread-inner"><Skeleton rows=6/></div></div> }>
                {content}
            </Suspense>
            <div class="composer-place" hidden=move || failed.get()>
                <Composer shared/>
            </div>
            <p class="visually-hidden" role="status" aria-live="polite">{move || thread.announcement.get()}</p>
        </section>
    }
}

async fn load(id: Option<ConversationId>, count: usize) -> Result<Option<Conversation>, Problem> {
    let Some(id) = id else { return Ok(None) };
    let ahead = if count == PAGE { use_prefetch().take(id) } else { None };
    let found = async {
        match ahead {
            Some(ahead) => ahead.await,
            None => api::get::<Conversation>(format!("/conversations/{id}?limit={count}")).await,
        }
    };
    let (found, ()) = futures::join!(found, typesetter::ready());
    found.map(Some)
}

fn page_title(thread: Thread) -> String {
    thread.summary.with(|summary| match summary {
        Some(summary) => summary.display_title().to_owned(),
        None => "New conversation".to_owned(),
    })
}

fn missing(problem: Problem, retry: Callback<()>) -> AnyView {
    if problem.error_code != ErrorCode::NotFound {
        return view! { <div class="thread"><Trouble problem retry/></div> }.into_any();
    }
    #[cfg(feature = "ssr")]
    crate::server::not_found();
    view! {
        <div class="thread">
            <div class="empty">
                <h1 class="empty-title">"There is no such conversation"</h1>
                <p class="empty-text">
                    "It may have been deleted, or it belongs to somebody else. What you deleted in the last 30 days is in "
                    <a href="/bin">"the bin"</a>"."
                </p>
                <a class="button is-main" href="/c">"Begin a new conversation"</a>
            </div>
        </div>
    }
    .into_any()
}

#[component]
fn Messages(shared: Shared, place: Place) -> impl IntoView {
    let Shared { exchange, scroll, .. } = shared;
    let thread = exchange.thread;
    Effect::new(move |_| exchange.follow_what_runs());
    scroll.watch(exchange);
    let is_empty = Memo::new(move |_| thread.items.with(Vec::is_empty));
    view! {
        {move || thread.summary.with(Option::is_some).then(|| view! { <Header shared place/> })}
        <div class="thread" tabindex="-1" node_ref=scroll.holder on:scroll=move |_| scroll.moved() on:click=code::clicked>
            <div class="thread-inner" node_ref=scroll.inner role="log" aria-live="off" aria-label="Messages">
                {move || (thread.earlier.get() > 0).then(|| earlier(exchange, scroll))}
                {move || is_empty.get().then(|| view! { <Beginning shared place/> })}
                <div class="messages" node_ref=scroll.list>
                    <For each=move || scroll.in_page() key=|item| item.id let:item>
                        <MessageView item shared/>
                    </For>
                </div>
                <Apart part=Part::Rest(RestPart::Waiting(thread.id))/>
            </div>
        </div>
        <div class="below">
            {move || scroll.is_new_below.get().then(|| view! {
                <button type="button" class="new-below" on:click=move |_| scroll.to_end()>"New below ↓"</button>
            })}
        </div>
        <Connection line=thread.line/>
    }
}

/// Says in words that the line to an answer was cut.
#[component]
fn Connection(line: RwSignal<Line>) -> impl IntoView {
    move || {
        (line.get() == Line::Reconnecting).then(|| {
            view! { <p class="reconnecting" role="status">"The connection was cut. The answer goes on; reconnecting."</p> }
        })
    }
}

fn earlier(exchange: Exchange, scroll: Scroll) -> AnyView {
    let count = move || exchange.thread.earlier.get();
    view! {
        <div class="earlier" node_ref=scroll.beginning>
            <button type="button" class="button is-plain" on:click=move |_| exchange.load_earlier(PAGE, || {})>
                {move || format!("{} earlier messages", count())}
            </button>
            <noscript><a class="button is-plain" href="?messages=5000">"Show them all"</a></noscript>
        </div>
    }
    .into_any()
}

/// The weather where the person says they are; nothing where they do not, or where it is not known.
#[component]
fn WeatherLine() -> impl IntoView {
    let weather = RwSignal::new(None::<Weather>);
    Effect::new(move |_| {
        spawn_local(async move {
            // it is nothing that one needs to hear of when it does not work
            if let Ok(Some(now)) = api::get::<Option<Weather>>("/weather").await {
                weather.try_set(Some(now));
            }
        });
    });
    move || {
        weather.get().map(|weather| {
            view! { <p class="weather"><a href="/settings/models" title=weather.details>{weather.line}</a></p> }
        })
    }
}

/// What a new conversation shows.
#[component]
fn Beginning(shared: Shared, place: Place) -> impl IntoView {
    let title = match place {
        Place::Page => view! { <h1>"What are you working on?"</h1> }.into_any(),
        Place::Panel => view! { <h2>"What are you working on?"</h2> }.into_any(),
    };
    view! {
        <div class="beginning">
            {title}
            <p>"Ask, paste or think aloud. Everything here is private to you."</p>
            <WeatherLine/>
            <NoLanguageModel models=shared.models/>
        </div>
    }
}
