//! What is typed and not sent yet. It is kept by the browser, per person and conversation, and
//! survives a reload. Never sent anywhere from here.

use shared::{ConversationId, UserId};

/// What was typed in this conversation, or in the one that is not begun yet.
pub fn read(user: UserId, conversation: Option<ConversationId>) -> String {
    #[cfg(feature = "hydrate")]
    if let Some(text) = store().and_then(|store| store.get_item(&key(user, conversation)).ok().flatten()) {
        return text;
    }
    let _ = (user, conversation);
    String::new()
}

/// Keeps the text; an empty one is forgotten. False when the browser keeps nothing (private mode, full).
pub fn write(user: UserId, conversation: Option<ConversationId>, text: &str) -> bool {
    #[cfg(feature = "hydrate")]
    if let Some(store) = store() {
        let key = key(user, conversation);
        let kept = if text.is_empty() { store.remove_item(&key) } else { store.set_item(&key, text) };
        return kept.is_ok();
    }
    let _ = (user, conversation, text);
    false
}

#[cfg(feature = "hydrate")]
fn key(user: UserId, conversation: Option<ConversationId>) -> String {
    match conversation {
        Some(id) => format!("draft:{user}:{id}"),
        None => format!("draft:{user}:new"),
    }
}

#[cfg(feature = "hydrate")]
fn store() -> Option<web_sys::Storage> {
    leptos::prelude::window().local_storage().ok().flatten()
}
