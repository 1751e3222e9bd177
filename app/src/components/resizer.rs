//! The edge of a pane: drag it, or focus it and use the arrow keys.

use crate::frame::layout::{Pane, use_layout};
use crate::route::Section;
use leptos::ev::{KeyboardEvent, PointerEvent};
use leptos::prelude::*;

/// How far one press of an arrow key goes, in pixels.
const STEP: i32 = 16;

#[component]
pub fn Resizer(pane: Pane, section: Memo<Section>, label: &'static str) -> impl IntoView {
    let layout = use_layout();
    let (least, most) = pane.bounds();
    let width = move || i32::from(layout.width(pane, section.get()));
    let resize = move |to: i32| layout.resize(pane, section.get_untracked(), to);
    // where a drag began: the pointer's x and the pane's width then
    let began = StoredValue::new(None::<(i32, i32)>);
    let grown = move |pixels: i32| match pane {
        Pane::List => pixels,
        Pane::Panel => -pixels,
    };
    let down = move |event: PointerEvent| {
        event.prevent_default();
        began.set_value(Some((event.client_x(), untrack(width))));
        capture(&event);
    };
    let moved = move |event: PointerEvent| {
        if let Some((from, width)) = began.get_value() {
            resize(width + grown(event.client_x() - from));
        }
    };
    let keys = move |event: KeyboardEvent| {
        let by = match event.key().as_str() {
            "ArrowRight" => STEP,
            "ArrowLeft" => -STEP,
            _ => return,
        };
        event.prevent_default();
        resize(untrack(width) + grown(by));
    };
    view! {
        <div
            class="resizer"
            role="separator"
            aria-orientation="vertical"
            aria-label=label
            aria-valuemin=least.to_string()
            aria-valuemax=most.to_string()
            aria-valuenow=move || width().to_string()
            tabindex="0"
            on:pointerdown=down
            on:pointermove=moved
            on:pointerup=move |_| began.set_value(None)
            on:pointercancel=move |_| began.set_value(None)
            on:keydown=keys
            on:dblclick=move |_| resize(i32::from(pane.usual_width()))
        ></div>
    }
}

/// Keeps the pointer's moves coming here while it is down, wherever it is.
fn capture(event: &PointerEvent) {
    #[cfg(feature = "hydrate")]
    {
        use wasm_bindgen::JsCast;
        if let Some(edge) =
            event.current_target().and_then(|target| target.dyn_into::<web_sys::Element>().ok())
        {
            crate::client::document::note(edge.set_pointer_capture(event.pointer_id()));
        }
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = event;
}
