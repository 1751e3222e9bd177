//! The pages, one folder or file each, and which of them an address shows.

pub mod chat;
pub mod conversations;
#[cfg(feature = "ssr")]
pub mod plain;

use crate::client::location::use_location;
use crate::route::Route;
use leptos::prelude::*;

/// Which page; addresses that differ only in what the page shows share one, so that going from one
/// to the other keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Chat,
    Other,
}

/// The page of the address.
#[component]
pub fn Page() -> impl IntoView {
    let location = use_location();
    let kind = Memo::new(move |_| match location.route.get() {
        Some(Route::Home | Route::NewConversation | Route::Conversation(_)) => Kind::Chat,
        _ => Kind::Other,
    });
    let conversation = Memo::new(move |_| location.route.get().and_then(Route::conversation));
    move || match kind.get() {
        Kind::Chat => view! { <chat::ConversationPage id=conversation/> }.into_any(),
        Kind::Other => "".into_any(),
    }
}
