//! A menu behind a button, in the browser's own popover: it closes by Esc, by a click elsewhere and
//! by a choice, and returns the focus.

use super::icon::Icon;
use leptos::ev::KeyboardEvent;
use leptos::prelude::*;

/// The id of the menu that an item is in.
#[derive(Clone)]
struct MenuId(String);

#[component]
pub fn Menu(
    /// Unique on the page.
    id: String,
    /// What the button is called.
    #[prop(into)]
    label: Signal<String>,
    children: Children,
) -> impl IntoView {
    let place = {
        let id = id.clone();
        move |event: leptos::ev::MouseEvent| place(&event, &id)
    };
    view! {
        <button type="button" class="icon-button menu-button" aria-haspopup="menu" aria-label=label title="More"
            popovertarget=id.clone() on:click=place>
            {Icon::More.draw()}
        </button>
        <MenuItems id label>{children()}</MenuItems>
    }
}

/// What a menu holds. With a button elsewhere that names its `id`; several buttons may share it.
#[component]
pub fn MenuItems(id: String, #[prop(into)] label: Signal<String>, children: Children) -> impl IntoView {
    provide_context(MenuId(id.clone()));
    view! {
        <div class="menu" id=id popover="auto" role="menu" aria-label=label on:keydown=step>{children()}</div>
    }
}

#[component]
pub fn MenuItem(
    icon: Icon,
    #[prop(into)] on_choose: Callback<()>,
    /// While it cannot be chosen.
    #[prop(optional, into)]
    hidden: Signal<bool>,
    children: Children,
) -> impl IntoView {
    let MenuId(menu) = expect_context::<MenuId>();
    view! {
        <button type="button" class="menu-item" role="menuitem" popovertarget=menu popovertargetaction="hide"
            hidden=hidden on:click=move |_| on_choose.run(())>
            {icon.draw()}
            <span>{children()}</span>
        </button>
    }
}

/// Opens the menu where the pointer is.
pub fn open_at(event: &leptos::ev::MouseEvent, id: &str) {
    #[cfg(feature = "hydrate")]
    {
        use crate::client::document::{element, note};
        event.prevent_default();
        let Some(menu) = element(id) else { return };
        let (left, top) = (f64::from(event.client_x()), f64::from(event.client_y()));
        let shown = menu.clone();
        // the click that opened it must not close it again
        request_animation_frame(move || {
            note(shown.show_popover());
            put(&shown, left, top, top);
        });
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = (event, id);
}

/// Puts the menu under its button, inside the window, and the focus on its first item.
pub fn place(event: &leptos::ev::MouseEvent, id: &str) {
    #[cfg(feature = "hydrate")]
    {
        use crate::client::document::element;
        use wasm_bindgen::JsCast;
        let Some(button) =
            event.current_target().and_then(|target| target.dyn_into::<web_sys::Element>().ok())
        else {
            return;
        };
        let Some(menu) = element(id) else { return };
        let around = button.get_bounding_client_rect();
        request_animation_frame(move || put(&menu, around.left(), around.bottom() + 4.0, around.top() - 4.0));
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = (event, id);
}

/// Puts an open menu with its corner there, above `above` where there is no room below `below`.
#[cfg(feature = "hydrate")]
fn put(menu: &web_sys::HtmlElement, left: f64, below: f64, above: f64) {
    use crate::client::document::note;
    use wasm_bindgen::JsCast;
    let size = menu.get_bounding_client_rect();
    let (width, height) = (
        window().inner_width().ok().and_then(|width| width.as_f64()).unwrap_or(size.width()),
        window().inner_height().ok().and_then(|height| height.as_f64()).unwrap_or(size.height()),
    );
    let left = left.min(width - size.width() - 8.0).max(8.0);
    let top = if below + size.height() > height - 8.0 { above - size.height() } else { below };
    note(menu.style().set_property("left", &format!("{left}px")));
    note(menu.style().set_property("top", &format!("{}px", top.max(8.0))));
    if let Ok(Some(first)) = menu.query_selector("[role=menuitem]:not([hidden])")
        && let Ok(first) = first.dyn_into::<web_sys::HtmlElement>()
    {
        note(first.focus());
    }
}

/// Arrow keys, Home and End move among the items.
fn step(event: KeyboardEvent) {
    #[cfg(feature = "hydrate")]
    {
        use crate::client::document::note;
        use wasm_bindgen::JsCast;
        let Some(menu) = event.current_target().and_then(|target| target.dyn_into::<web_sys::Element>().ok())
        else {
            return;
        };
        let Ok(items) = menu.query_selector_all("[role=menuitem]:not([hidden])") else { return };
        let active = document().active_element();
        let count = items.length();
        let at = (0..count)
            .find(|at| {
                items.item(*at).is_some_and(|item| {
                    active.as_ref().is_some_and(|active| active.is_same_node(Some(&item)))
                })
            })
            .unwrap_or(0);
        let next = match event.key().as_str() {
            "ArrowDown" => (at + 1) % count.max(1),
            "ArrowUp" => (at + count.max(1) - 1) % count.max(1),
            "Home" => 0,
            "End" => count.saturating_sub(1),
            _ => return,
        };
        event.prevent_default();
        if let Some(item) = items.item(next).and_then(|item| item.dyn_into::<web_sys::HtmlElement>().ok()) {
            note(item.focus());
        }
    }
    #[cfg(not(feature = "hydrate"))]
    drop(event);
}
