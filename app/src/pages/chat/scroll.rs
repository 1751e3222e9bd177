//! Where the reader is. The thread lies in a column that is laid out from its end, so the newest words
//! are seen at first without any script, and what is put before the first message moves nothing.
//! It never scrolls away from somebody who scrolled up.

use super::Place;
use super::exchange::{Exchange, PAGE};
use super::thread::Thread;
use crate::client::document;
use leptos::html;
use leptos::prelude::*;

/// So near the end counts as at it.
#[cfg(feature = "hydrate")]
const NEAR_END_PX: i32 = 64;

#[derive(Clone, Copy)]
pub struct Scroll {
    pub holder: NodeRef<html::Div>,
    /// What stands before the first message while there are earlier ones.
    pub beginning: NodeRef<html::Div>,
    /// Whether something came in below what is seen.
    pub is_new_below: RwSignal<bool>,
    thread: Thread,
    place: Place,
}

impl Scroll {
    pub fn new(thread: Thread, place: Place) -> Self {
        Self {
            holder: NodeRef::new(),
            beginning: NodeRef::new(),
            is_new_below: RwSignal::new(false),
            thread,
            place,
        }
    }

    /// Looks after the view: fetches what comes into sight, notes what is new below, shows the message
    /// that the address names.
    pub fn watch(self, exchange: Exchange) {
        document::when_seen(self.beginning, move || exchange.load_earlier(PAGE, || {}));
        let thread = self.thread;
        Effect::new(move |before: Option<u64>| {
            let grown = thread.grown.get();
            if before.is_some() && !self.is_at_end() {
                self.is_new_below.set(true);
            }
            grown
        });
        if self.place == Place::Page {
            let location = crate::client::location::use_location();
            Effect::new(move |_| {
                let named = location.hash.with(|hash| hash.strip_prefix("m-").and_then(|id| id.parse().ok()));
                if let Some(id) = named {
                    self.find(exchange, id, 40);
                }
            });
        }
    }

    pub fn moved(self) {
        if self.is_new_below.get_untracked() && self.is_at_end() {
            self.is_new_below.set(false);
        }
    }

    fn is_at_end(self) -> bool {
        #[cfg(feature = "hydrate")]
        if let Some(holder) = self.holder.get_untracked() {
            // In such a column the end is at 0 and what is before it is negative.
            return -holder.scroll_top() < NEAR_END_PX;
        }
        true
    }

    pub fn to_end(self) {
        #[cfg(feature = "hydrate")]
        request_animation_frame(move || {
            if let Some(holder) = self.holder.try_get_untracked().flatten() {
                holder.set_scroll_top(0);
            }
        });
        self.is_new_below.set(false);
    }

    /// Shows a message, fetching earlier ones until it is there; after `tries` pages it is given up.
    fn find(self, exchange: Exchange, id: shared::MessageId, tries: u32) {
        if self.thread.item(id).is_some() {
            show(id);
        } else if tries > 0 {
            exchange.load_earlier(PAGE * 5, move || self.find(exchange, id, tries - 1));
        }
    }
}

#[cfg(feature = "hydrate")]
fn show(id: shared::MessageId) {
    request_animation_frame(move || {
        let Some(element) = document::element(&format!("m-{id}")) else { return };
        if let Ok(marked) = leptos::prelude::document().query_selector_all(".message.is-marked") {
            for place in 0..marked.length() {
                if let Some(old) = marked.get(place) {
                    use wasm_bindgen::JsCast;
                    document::note(
                        old.unchecked_into::<web_sys::Element>().class_list().remove_1("is-marked"),
                    );
                }
            }
        }
        document::note(element.class_list().add_1("is-marked"));
        let options = web_sys::ScrollIntoViewOptions::new();
        options.set_block(web_sys::ScrollLogicalPosition::Center);
        element.scroll_into_view_with_scroll_into_view_options(&options);
        // Once more when what lies between has its true height.
        request_animation_frame(move || element.scroll_into_view_with_scroll_into_view_options(&options));
    });
}

#[cfg(not(feature = "hydrate"))]
fn show(_id: shared::MessageId) {}
