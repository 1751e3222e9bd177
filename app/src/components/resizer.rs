//! The edge of a pane: drag it, or focus it and use the arrow keys.

use crate::frame::layout::{LIST_WIDTH, PANEL_WIDTH, Pane, use_layout};
use leptos::ev::{KeyboardEvent, PointerEvent};
use leptos::prelude::*;

/// How far one press of an arrow key goes, in pixels.
const STEP: i32 = 16;

#[component]
pub fn Resizer(pane: Pane, label: &'static str) -> impl IntoView {
    let layout = use_layout();
    let (least, most) = pane.bounds();
    // where a drag began: the pointer's x and the pane's width then
    let began = StoredValue::new(None::<(i32, i32)>);
    let grown = move |pixels: i32| match pane {
        Pane::List => pixels,
        Pane::Panel => -pixels,
    };
    let down = move |event: PointerEvent| {
        event.prevent_default();
        began.set_value(Some((event.client_x(), i32::from(layout.width(pane)))));
        capture(&event);
    };
    let moved = move |event: PointerEvent| {
        if let Some((from, width)) = began.get_value() {
            layout.resize(pane, width + grown(event.client_x() - from));
        }
    };
    let keys = move |event: KeyboardEvent| {
        let by = match event.key().as_str() {
            "ArrowRight" => STEP,
            "ArrowLeft" => -STEP,
            _ => return,
        };
        event.prevent_default();
        layout.resize(pane, i32::from(layout.width(pane)) + grown(by));
    };
    let reset = move || {
        layout.resize(
            pane,
            i32::from(match pane {
                Pane::List => LIST_WIDTH,
                Pane::Panel => PANEL_WIDTH,
            }),
        );
    };
    view! {
        <div
            class="resizer"
            role="separator"
            aria-orientation="vertical"
            aria-label=label
            aria-valuemin=least.to_string()
            aria-valuemax=most.to_string()
            aria-valuenow=move || layout.width(pane).to_string()
            tabindex="0"
            on:pointerdown=down
            on:pointermove=moved
            on:pointerup=move |_| began.set_value(None)
            on:pointercancel=move |_| began.set_value(None)
            on:keydown=keys
            on:dblclick=move |_| reset()
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
