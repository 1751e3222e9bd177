//! A list of which only the rows near what is seen are in the document; padding stands for the rest, so
//! that ten thousand scroll like ten. All rows are of one height.

use leptos::html;
use leptos::prelude::*;

/// How many rows are in the document at once.
const WINDOW: usize = 90;
/// How many of them before what is seen.
#[cfg(feature = "hydrate")]
const BEFORE: usize = 30;
/// The window moves in steps, so that scrolling a little changes nothing.
#[cfg(feature = "hydrate")]
const STEP: usize = 10;

#[derive(Clone, Copy)]
pub struct LongList {
    /// What scrolls.
    pub scroller: NodeRef<html::Div>,
    /// What holds the rows.
    pub holder: NodeRef<html::Ul>,
    first: RwSignal<usize>,
    #[cfg_attr(not(feature = "hydrate"), expect(dead_code))]
    count: Memo<usize>,
}

impl LongList {
    pub fn new(count: Memo<usize>) -> Self {
        Self { scroller: NodeRef::new(), holder: NodeRef::new(), first: RwSignal::new(0), count }
    }

    /// The rows that belong into the document now.
    pub fn window<T: Clone>(self, rows: &[T]) -> Vec<T> {
        let start = self.first.get().min(rows.len().saturating_sub(WINDOW));
        rows[start..rows.len().min(start + WINDOW)].to_vec()
    }

    /// Moves the window to what is seen, and asks for more when its end comes near.
    pub fn look(self, more: impl Fn()) {
        #[cfg(feature = "hydrate")]
        if let (Some(scroller), Some(holder)) = (self.scroller.get_untracked(), self.holder.get_untracked()) {
            let above = f64::from(scroller.scroll_top() - holder.offset_top()).max(0.0);
            let seen = (above / row_height(&holder)) as usize;
            let start = seen.saturating_sub(BEFORE) / STEP * STEP;
            if self.first.get_untracked() != start {
                self.first.set(start);
            }
            if seen + WINDOW > self.count.get_untracked() {
                more();
            }
        }
        #[cfg(not(feature = "hydrate"))]
        drop(more);
    }

    /// Keeps the room of the rows that are not in the document. Asks for more until there is a windowful.
    pub fn keep_room(self, more: impl Fn() + 'static) {
        #[cfg(feature = "hydrate")]
        Effect::new(move |_| {
            let (Some(holder), count) = (self.holder.get(), self.count.get()) else { return };
            let start = self.first.get().min(count.saturating_sub(WINDOW));
            let end = count.min(start + WINDOW);
            let height = row_height(&holder);
            let room = |rows: usize| format!("{}px", rows as f64 * height);
            crate::client::document::set_style(&holder, "padding-top", &room(start));
            crate::client::document::set_style(&holder, "padding-bottom", &room(count - end));
            if count < WINDOW {
                more();
            }
        });
        #[cfg(not(feature = "hydrate"))]
        drop(more);
    }
}

#[cfg(feature = "hydrate")]
fn row_height(holder: &web_sys::HtmlElement) -> f64 {
    let height = holder.first_element_child().map_or(0.0, |row| row.get_bounding_client_rect().height());
    if height > 0.0 { height } else { 32.0 }
}
