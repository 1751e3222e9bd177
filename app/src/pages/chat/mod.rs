//! The conversation: as a page, and as a view that the side panel shows too.

pub mod attaching;
mod body;
mod cites;
pub mod code;
mod composer;
mod exchange;
#[cfg(feature = "hydrate")]
mod following;
mod header;
#[cfg(any(feature = "hydrate", test))]
mod heights;
mod message;
mod meter;
mod models;
#[cfg(any(feature = "hydrate", test))]
mod pace;
#[cfg(feature = "hydrate")]
mod paint;
mod parts;
#[cfg(feature = "hydrate")]
mod room;
mod scroll;
mod thread;
mod view;
mod window;

pub use meter::Meter;

use crate::client::location::use_location;
use crate::route::Route;
use leptos::prelude::*;
use shared::ConversationId;

/// Where a conversation is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Page,
    Panel,
}

/// A conversation as the page; `None` is a new one. The same component stays while the address goes
/// from `/c` to `/c/{id}`, so that an answer that streams is not cut.
#[component]
pub fn ConversationPage(#[prop(into)] id: Signal<Option<ConversationId>>) -> impl IntoView {
    let location = use_location();
    let started = Callback::new(move |id| location.replace(&Route::Conversation(id).path()));
    opened(id, started, Place::Page)
}

/// A conversation beside something else.
#[component]
pub fn ConversationView(
    #[prop(into)] id: Signal<Option<ConversationId>>,
    /// Told the id once a new conversation was begun here.
    started: Callback<ConversationId>,
) -> impl IntoView {
    opened(id, started, Place::Panel)
}

/// Where a conversation is fetched, as far as it is shown at first.
pub fn conversation_path(id: ConversationId) -> String {
    format!("/conversations/{id}?limit={}", exchange::PAGE)
}

fn opened(
    id: Signal<Option<ConversationId>>,
    started: Callback<ConversationId>,
    place: Place,
) -> impl IntoView {
    // A conversation that was begun in this view goes on in it when the address takes its id.
    let born = StoredValue::new(None::<ConversationId>);
    let started = Callback::new(move |id| {
        born.set_value(Some(id));
        started.run(id);
    });
    let opening = Memo::new(move |previous: Option<&(u64, Option<ConversationId>)>| {
        let id = id.get();
        match previous {
            None => (0, id),
            Some(previous) if id.is_some() && id == born.get_value() => *previous,
            Some((number, shown)) if *shown == id && born.get_value().is_none() => (*number, id),
            Some((number, _)) => {
                born.set_value(None);
                (number + 1, id)
            }
        }
    });
    move || {
        let (_, id) = opening.get();
        view! { <view::Opened id started place/> }.into_any()
    }
}
