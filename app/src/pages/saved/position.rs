//! How far an article was read: counted in its paragraphs, so that a phone and a wide screen mean the same
//! place. Kept by the server, a moment after one stopped scrolling.

use super::store::SavedPages;
use leptos::html;
use leptos::prelude::*;
use shared::PageId;
use shared::saved_page::PageSection;

/// Goes where one stopped reading, unless the address names a place, and remembers where one is from then on.
pub fn remember(
    store: SavedPages,
    id: PageId,
    scroller: NodeRef<html::Div>,
    holder: NodeRef<html::Div>,
    sections: Memo<Vec<PageSection>>,
) {
    #[cfg(feature = "hydrate")]
    browser::remember(store, id, scroller, holder, sections);
    #[cfg(not(feature = "hydrate"))]
    let _ = (store, id, scroller, holder, sections);
}

/// The paragraph at a position, of so many.
#[cfg_attr(not(any(feature = "hydrate", test)), expect(dead_code))]
fn block_at(position: f64, count: usize) -> usize {
    ((position * count as f64).round() as usize).min(count.saturating_sub(1))
}

/// The position of a paragraph; the whole once the end was seen.
#[cfg_attr(not(any(feature = "hydrate", test)), expect(dead_code))]
fn position_of(block: usize, count: usize, at_end: bool) -> f64 {
    match (count, at_end) {
        (0, _) => 0.0,
        (_, true) => 1.0,
        (count, false) => block.min(count) as f64 / count as f64,
    }
}

#[cfg(feature = "hydrate")]
mod browser {
    use super::*;
    use std::time::Duration;
    use wasm_bindgen::JsCast;
    use web_sys::{Element, HtmlElement};

    const PAUSE: Duration = Duration::from_millis(800);
    /// Pixels below the top at which one reads.
    const EYE: f64 = 24.0;

    pub fn remember(
        store: SavedPages,
        id: PageId,
        scroller: NodeRef<html::Div>,
        holder: NodeRef<html::Div>,
        sections: Memo<Vec<PageSection>>,
    ) {
        let scrolls = StoredValue::new(0_u32);
        let known = StoredValue::new(
            store.open.with_untracked(|page| page.as_ref().map_or(0.0, |page| page.position)),
        );
        Effect::new(move |was_there: Option<bool>| {
            let is_there = !sections.with(Vec::is_empty);
            let (Some(scroller), Some(holder)) = (scroller.get(), holder.get()) else {
                return was_there.unwrap_or(false);
            };
            let is_named = store.location.hash.with_untracked(|hash| !hash.is_empty());
            let position = known.get_value();
            if is_there && was_there != Some(true) && !is_named && position > 0.0 && position < 1.0 {
                request_animation_frame(move || go_to(&scroller, &holder, position));
            }
            is_there || was_there.unwrap_or(false)
        });
        let keep = move || {
            let (Some(Some(scroller)), Some(Some(holder))) =
                (scroller.try_get_untracked(), holder.try_get_untracked())
            else {
                return;
            };
            if let Some(position) = position_in(&scroller, &holder)
                && known.try_get_value().is_some_and(|known| known != position)
            {
                known.set_value(position);
                store.set_position(id, position);
            }
        };
        Effect::new(move |_| {
            let Some(element) = scroller.get() else { return };
            let later = move |_: web_sys::Event| {
                scrolls.update_value(|count| *count += 1);
                let this = scrolls.get_value();
                set_timeout(
                    move || {
                        if scrolls.try_get_value() == Some(this) {
                            keep();
                        }
                    },
                    PAUSE,
                );
            };
            let element: Element = element.unchecked_into();
            let handle = listening(&element, later);
            on_cleanup(move || drop(handle));
        });
    }

    /// Listens until the value goes.
    fn listening(element: &Element, act: impl Fn(web_sys::Event) + 'static) -> impl Send + Sync + 'static {
        use wasm_bindgen::closure::Closure;
        struct Listening(Element, Closure<dyn Fn(web_sys::Event)>);
        impl Drop for Listening {
            fn drop(&mut self) {
                let stopped =
                    self.0.remove_event_listener_with_callback("scroll", self.1.as_ref().unchecked_ref());
                crate::client::document::note(stopped);
            }
        }
        let closure = Closure::<dyn Fn(web_sys::Event)>::new(act);
        let listened = element.add_event_listener_with_callback("scroll", closure.as_ref().unchecked_ref());
        crate::client::document::note(listened);
        send_wrapper::SendWrapper::new(Listening(element.clone(), closure))
    }

    fn blocks(holder: &Element) -> Vec<HtmlElement> {
        let Ok(found) = holder.query_selector_all(".markdown > *") else { return Vec::new() };
        (0..found.length()).filter_map(|at| found.item(at)?.dyn_into().ok()).collect()
    }

    fn go_to(scroller: &HtmlElement, holder: &HtmlElement, position: f64) {
        let blocks = blocks(holder);
        if let Some(block) = blocks.get(block_at(position, blocks.len())) {
            let by = block.get_bounding_client_rect().top()
                - scroller.get_bounding_client_rect().top()
                - EYE / 2.0;
            scroller.set_scroll_top(scroller.scroll_top() + by as i32);
        }
    }

    fn position_in(scroller: &HtmlElement, holder: &HtmlElement) -> Option<f64> {
        let blocks = blocks(holder);
        let around = scroller.get_bounding_client_rect();
        let text_end = holder.get_bounding_client_rect().bottom();
        let eye = around.top() + EYE;
        let block = blocks.iter().position(|block| block.get_bounding_client_rect().bottom() > eye)?;
        // what fits whole on the screen is not read by standing there
        let at_end = text_end <= around.bottom() && scroller.scroll_top() > 0;
        Some(position_of(block, blocks.len(), at_end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paragraph_is_found_again_by_its_position() {
        for count in [1, 7, 240] {
            for block in 0..count {
                assert_eq!(block_at(position_of(block, count, false), count), block);
            }
        }
        assert_eq!(position_of(3, 10, true), 1.0);
        assert_eq!(position_of(0, 0, false), 0.0);
    }
}
