//! The conversation: as a page, and as a view that the side panel shows too.

use leptos::prelude::*;
use shared::ConversationId;

/// A conversation as the page; `None` is a new one. The same component stays while the address goes
/// from `/c` to `/c/{id}`, so that an answer that streams is not cut.
#[component]
pub fn ConversationPage(#[prop(into)] id: Signal<Option<ConversationId>>) -> impl IntoView {
    view! { <ConversationView id started=Callback::new(|_| {})/> }
}

/// A conversation beside something else.
#[component]
pub fn ConversationView(
    #[prop(into)] id: Signal<Option<ConversationId>>,
    /// Told the id once a new conversation was begun here.
    started: Callback<ConversationId>,
) -> impl IntoView {
    let _ = (id, started);
    view! { <p></p> }
}
