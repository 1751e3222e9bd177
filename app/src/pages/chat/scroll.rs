//! Where the reader is. The thread lies in a column that is laid out from its end, so the newest words
//! are seen at first without any script, and what is put before the first message moves nothing.
//! It never scrolls away from somebody who scrolled up: when something below changes its height, the
//! message being read stays where it is. The browser's own anchoring is off: in such a column Chromium
//! throws the reader up by the height of what was put before, and Safari has none.
//!
//! Of many messages those near the reader are in the page (see [`super::window`]); this looks after it.

use super::Place;
use super::exchange::{Exchange, PAGE};
use super::thread::{Item, Thread};
use super::window::Window;
use crate::client::document;
use leptos::html;
use leptos::prelude::*;
use shared::MessageId;

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
    pub(super) thread: Thread,
    place: Place,
    /// All that scrolls, as one box.
    pub inner: NodeRef<html::Div>,
    /// The messages in the page; what is not is its padding.
    pub list: NodeRef<html::Div>,
    pub(super) window: RwSignal<Window>,
    #[cfg(feature = "hydrate")]
    pub(super) heights: StoredValue<super::heights::Heights>,
    #[cfg(feature = "hydrate")]
    anchor: StoredValue<Anchor, LocalStorage>,
}

/// What is being read, and where it was when the reader last scrolled. Nothing at the end, where new
/// words are followed.
#[cfg(feature = "hydrate")]
#[derive(Default)]
struct Anchor {
    message: Option<(MessageId, f64)>,
    /// Where we scrolled to ourselves, so that it is not taken for the reader's wish.
    own: Option<i32>,
}

impl Scroll {
    pub fn new(thread: Thread, place: Place) -> Self {
        Self {
            inner: NodeRef::new(),
            list: NodeRef::new(),
            window: RwSignal::new(Window::default()),
            #[cfg(feature = "hydrate")]
            heights: StoredValue::new(super::heights::Heights::default()),
            #[cfg(feature = "hydrate")]
            anchor: StoredValue::new_local(Anchor::default()),
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
        #[cfg(feature = "hydrate")]
        {
            self.hold_when_heights_change();
            self.keep_the_window();
        }
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

    /// The messages that are in the page: all until the browser has taken the page over.
    pub fn in_page(self) -> Vec<Item> {
        let window = self.window.get();
        self.thread.items.with(|items| items[window.range(&ids(items))].to_vec())
    }

    pub fn moved(self) {
        #[cfg(feature = "hydrate")]
        self.look();
        if self.is_new_below.get_untracked() && self.is_at_end() {
            self.is_new_below.set(false);
        }
    }

    /// Notes what is being read, unless it was not the reader who moved.
    #[cfg(feature = "hydrate")]
    pub(super) fn remember(self, sight: &super::room::Sight) {
        let (Some(holder), is_at_end) = (self.holder.get_untracked(), self.is_at_end()) else { return };
        self.anchor.update_value(|anchor| {
            if anchor.own.take() != Some(holder.scroll_top()) {
                let read = self.thread.items.with_untracked(|items| sight.read(items));
                anchor.message = read.filter(|_| !is_at_end);
            }
        });
    }

    /// Puts what is being read back to where it was, before anything is painted.
    #[cfg(feature = "hydrate")]
    pub(super) fn hold(self) {
        let Some(holder) = self.holder.try_get_untracked().flatten() else { return };
        self.anchor.update_value(|anchor| {
            let Some((id, top)) = anchor.message else { return };
            let Some(message) = super::room::element_of(&holder, id) else { return };
            let moved = message.get_bounding_client_rect().top() - top;
            if moved.abs() >= 1.0 {
                holder.set_scroll_top(holder.scroll_top() + moved.round() as i32);
                anchor.own = Some(holder.scroll_top());
            }
        });
    }

    #[cfg(feature = "hydrate")]
    fn hold_when_heights_change(self) {
        use wasm_bindgen::JsCast;
        use wasm_bindgen::closure::Closure;
        Effect::new(move |_| {
            let Some(inner) = self.inner.get() else { return };
            let changed = Closure::<dyn FnMut()>::new(move || self.hold());
            match web_sys::ResizeObserver::new(changed.as_ref().unchecked_ref()) {
                Ok(observer) => {
                    observer.observe(&inner);
                    let kept = send_wrapper::SendWrapper::new((observer, changed));
                    on_cleanup(move || kept.0.disconnect());
                }
                Err(cause) => document::note::<()>(Err(cause)),
            }
        });
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
        let end = self.thread.items.with_untracked(|items| Window::at_end(&ids(items)));
        self.window.set(end);
        #[cfg(feature = "hydrate")]
        request_animation_frame(move || {
            self.make_room();
            if let Some(holder) = self.holder.try_get_untracked().flatten() {
                holder.set_scroll_top(0);
                self.anchor.update_value(|anchor| *anchor = Anchor::default());
            }
        });
        self.is_new_below.set(false);
    }

    /// Shows a message, fetching earlier ones until it is there; after `tries` pages it is given up.
    fn find(self, exchange: Exchange, id: MessageId, tries: u32) {
        let all = self.thread.items.with_untracked(|items| ids(items));
        if let Some(place) = all.iter().position(|other| *other == id) {
            self.window.set(Window::around(&all, place));
            self.show(id);
        } else if tries > 0 {
            exchange.load_earlier(PAGE * 5, move || self.find(exchange, id, tries - 1));
        }
    }

    #[cfg(feature = "hydrate")]
    fn show(self, id: MessageId) {
        request_animation_frame(move || {
            self.anchor.update_value(|anchor| *anchor = Anchor::default());
            self.make_room();
            let Some(element) = document::element(&format!("m-{id}")) else { return };
            mark(&element);
            let options = web_sys::ScrollIntoViewOptions::new();
            options.set_block(web_sys::ScrollLogicalPosition::Center);
            element.scroll_into_view_with_scroll_into_view_options(&options);
            // Once more when what lies between has its true height.
            request_animation_frame(move || element.scroll_into_view_with_scroll_into_view_options(&options));
        });
    }

    #[cfg(not(feature = "hydrate"))]
    fn show(self, _id: MessageId) {}
}

pub(super) fn ids(items: &[Item]) -> Vec<MessageId> {
    items.iter().map(|item| item.id).collect()
}

/// Marks the message that a link led to, and no other.
#[cfg(feature = "hydrate")]
fn mark(element: &web_sys::Element) {
    if let Ok(Some(old)) = leptos::prelude::document().query_selector(".message.is-marked") {
        document::note(old.class_list().remove_1("is-marked"));
    }
    document::note(element.class_list().add_1("is-marked"));
}
