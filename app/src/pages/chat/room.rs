//! Keeps the messages near the reader in the page and room for the others: measures those that are
//! there, moves the window when the reader comes near its edge, and makes the room. Browser only.

use super::heights::{at, wanted};
use super::scroll::{Scroll, ids};
use super::thread::Item;
use super::window::Window;
use crate::client::document::note;
use leptos::prelude::*;
use shared::MessageId;
use std::ops::Range;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Element, HtmlElement};

/// The usual space before a message.
const SPACE_PX: f64 = 14.0;

impl Scroll {
    /// From now on the page holds what is needed: after each change of the messages or of the view.
    pub(super) fn keep_the_window(self) {
        Effect::new(move |_| {
            self.thread.items.track();
            self.settle_soon();
        });
        Effect::new(move |_| {
            let Some(holder) = self.holder.get() else { return };
            let changed = Closure::<dyn FnMut()>::new(move || self.settle_soon());
            match web_sys::ResizeObserver::new(changed.as_ref().unchecked_ref()) {
                Ok(observer) => {
                    observer.observe(&holder);
                    let kept = send_wrapper::SendWrapper::new((observer, changed));
                    on_cleanup(move || kept.0.disconnect());
                }
                Err(cause) => note::<()>(Err(cause)),
            }
        });
    }

    /// Makes the room of the messages that are not in the page, and keeps what is read in its place.
    pub(super) fn make_room(self) {
        let Some(list) = self.list.try_get_untracked().flatten() else { return };
        let (tops, shown) = (self.tops(), self.shown_now());
        let below = tops.last().copied().unwrap_or(0.0) - tops[shown.end];
        let style = HtmlElement::style(&list);
        note(style.set_property("padding-top", &format!("{}px", tops[shown.start])));
        note(style.set_property("padding-bottom", &format!("{below}px")));
        self.hold();
    }

    /// Notes what is being read, and moves the window when what is seen comes near its edge.
    pub(super) fn look(self) {
        let Some(sight) = self.sight() else { return };
        self.remember(&sight);
        self.move_the_window(&sight);
    }

    fn move_the_window(self, sight: &Sight) {
        let now = self.shown_now();
        let mut next = wanted(&sight.tops, sight.seen.clone(), now.clone());
        if is_selecting(&sight.list) {
            next = next.start.min(now.start)..next.end.max(now.end);
        }
        let all = self.thread.items.with_untracked(|items| ids(items));
        let window = Window::over(&all, next.clone());
        if window != self.window.get_untracked() {
            keep_focus(&sight.holder, &all[next]);
            self.window.set(window);
            self.settle_soon();
        }
    }

    /// Once the page has the messages that it should: before anything of it is painted. What comes in
    /// may be of another height than was thought, so that others are needed.
    fn settle_soon(self) {
        request_animation_frame(move || {
            self.make_room();
            if let Some(sight) = self.sight() {
                self.move_the_window(&sight);
            }
        });
    }

    fn tops(self) -> Vec<f64> {
        self.thread.items.with_untracked(|items| {
            let messages = items.iter().map(|item| (item.id, item.likely_height));
            self.heights.with_value(|heights| heights.tops(messages))
        })
    }

    fn shown_now(self) -> Range<usize> {
        let window = self.window.get_untracked();
        self.thread.items.with_untracked(|items| window.range(&ids(items)))
    }

    /// Measures. `None` while nothing is shown: on a phone, behind the list.
    fn sight(self) -> Option<Sight> {
        let holder = self.holder.try_get_untracked().flatten()?;
        let list = self.list.try_get_untracked().flatten()?;
        let view = holder.get_bounding_client_rect();
        if view.height() == 0.0 {
            return None;
        }
        let top = list.get_bounding_client_rect().top();
        self.measure(&list, top);
        let seen = view.top() - top..view.bottom() - top;
        Some(Sight { holder: (*holder).clone(), list: (*list).clone(), tops: self.tops(), top, seen })
    }

    /// Notes how high the messages in the page are, each with the space before it.
    fn measure(self, list: &HtmlElement, top: f64) {
        let padding = list.style().get_property_value("padding-top").unwrap_or_default();
        let above: f64 = padding.trim_end_matches("px").parse().unwrap_or(0.0);
        let mut before = top + above;
        let messages = list.children();
        self.heights.update_value(|heights| {
            for place in 0..messages.length() {
                let Some(message) = messages.item(place) else { continue };
                let bottom = message.get_bounding_client_rect().bottom();
                if let Some(id) = id_of(&message) {
                    heights.note(id, bottom - before);
                }
                before = bottom;
            }
        });
    }
}

/// Where everything is.
pub(super) struct Sight {
    holder: HtmlElement,
    list: HtmlElement,
    /// Of each message, from the top of the list, and the end of the last.
    tops: Vec<f64>,
    /// Of the list, in the window of the browser.
    top: f64,
    /// What is in view, from the top of the list.
    seen: Range<f64>,
}

impl Sight {
    /// The message being read, the one a third down, and where its top is or will be.
    pub(super) fn read(&self, all: &[Item]) -> Option<(MessageId, f64)> {
        let place = at(&self.tops, self.seen.start + (self.seen.end - self.seen.start) / 3.0);
        let id = all.get(place)?.id;
        let top = element_of(&self.list, id).map(|element| element.get_bounding_client_rect().top());
        Some((id, top.unwrap_or(self.top + self.tops[place] + SPACE_PX)))
    }
}

/// The element of a message, when it is in the page.
pub(super) fn element_of(list: &Element, id: MessageId) -> Option<Element> {
    list.query_selector(&format!("[id='m-{id}']")).ok().flatten()
}

fn id_of(message: &Element) -> Option<MessageId> {
    message.id().strip_prefix("m-")?.parse().ok()
}

/// Whether somebody selects text here: what is selected must not leave the page.
fn is_selecting(list: &Element) -> bool {
    let selection = window().get_selection().ok().flatten();
    selection
        .is_some_and(|selection| !selection.is_collapsed() && list.contains(selection.anchor_node().as_ref()))
}

/// When the message with the focus leaves the page, the thread takes the focus, so that its keys go on.
fn keep_focus(holder: &HtmlElement, staying: &[MessageId]) {
    let focused = document().active_element().filter(|element| holder.contains(Some(element)));
    let message = focused.and_then(|element| element.closest(".message").ok().flatten());
    if message.and_then(|message| id_of(&message)).is_some_and(|id| !staying.contains(&id)) {
        let options = web_sys::FocusOptions::new();
        options.set_prevent_scroll(true);
        note(holder.focus_with_options(&options));
    }
}
