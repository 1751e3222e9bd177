//! Small acts on the page itself: cookies of preference, the clipboard, focus. Browser only; on the
//! server each does nothing, because nothing there can call it.

#[cfg(feature = "hydrate")]
use wasm_bindgen::JsCast;

/// Marks the document as taken over, for styles and tests that wait for it.
pub fn mark_ready() {
    #[cfg(feature = "hydrate")]
    if let Some(root) = leptos::prelude::document().document_element() {
        note(root.set_attribute("data-ready", ""));
    }
}

/// What a person does first on a page, or before anything can be asked of it.
#[cfg(feature = "hydrate")]
const FIRST_ACTS: [&str; 7] =
    ["pointermove", "pointerdown", "touchstart", "wheel", "keydown", "scroll", "dragenter"];

/// Calls `act` once, when somebody begins to do something.
pub fn with_the_first_act(act: impl Fn() + 'static) {
    #[cfg(feature = "hydrate")]
    {
        let is_done = std::cell::Cell::new(false);
        let act = move || {
            if !is_done.replace(true) {
                act();
            }
        };
        let act = wasm_bindgen::closure::Closure::<dyn Fn()>::new(act);
        let options = web_sys::AddEventListenerOptions::new();
        options.set_once(true);
        options.set_passive(true);
        options.set_capture(true);
        for name in FIRST_ACTS {
            let act = act.as_ref().unchecked_ref();
            let page = leptos::prelude::window();
            note(page.add_event_listener_with_callback_and_add_event_listener_options(name, act, &options));
        }
        act.forget();
    }
    #[cfg(not(feature = "hydrate"))]
    drop(act);
}

/// Remembers a preference for a year, readable by the server. Never for secrets.
pub fn set_cookie(name: &str, value: &str) {
    #[cfg(feature = "hydrate")]
    {
        let line = format!("{name}={}; Path=/; Max-Age=31536000; SameSite=Lax", super::api::encode(value));
        let page: web_sys::HtmlDocument = leptos::prelude::document().unchecked_into();
        note(page.set_cookie(&line));
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = (name, value);
}

/// Sets an attribute of `<html>`.
pub fn set_root_attribute(name: &str, value: &str) {
    #[cfg(feature = "hydrate")]
    if let Some(root) = leptos::prelude::document().document_element() {
        note(root.set_attribute(name, value));
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = (name, value);
}

/// Sets a custom property of `<html>`, `--list-width` for one.
pub fn set_root_property(name: &str, value: &str) {
    #[cfg(feature = "hydrate")]
    if let Some(root) = leptos::prelude::document().document_element() {
        let root: web_sys::HtmlElement = root.unchecked_into();
        note(root.style().set_property(name, value));
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = (name, value);
}

/// Opens an address of another site in a window of its own, which learns nothing of this one.
pub fn open_window(url: &str) {
    #[cfg(feature = "hydrate")]
    if ["https://", "http://", "mailto:", "/"].iter().any(|known| url.starts_with(known)) {
        note(leptos::prelude::window().open_with_url_and_target_and_features(
            url,
            "_blank",
            "noopener,noreferrer",
        ));
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = url;
}

/// Prints the page.
pub fn print() {
    #[cfg(feature = "hydrate")]
    note(leptos::prelude::window().print());
}

/// Whether there is room for one pane only.
pub fn is_phone() -> bool {
    #[cfg(feature = "hydrate")]
    {
        let query = leptos::prelude::window().match_media("(max-width: 767px)");
        query.ok().flatten().is_some_and(|query| query.matches())
    }
    #[cfg(not(feature = "hydrate"))]
    false
}

/// Whether nobody is typing anywhere, so that moving the focus takes it from nothing.
pub fn nobody_types() -> bool {
    #[cfg(feature = "hydrate")]
    {
        leptos::prelude::document()
            .active_element()
            .is_none_or(|element| !matches!(element.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT"))
    }
    #[cfg(not(feature = "hydrate"))]
    false
}

/// Moves the focus to the element with this id, once it is there.
pub fn focus(id: &str) {
    #[cfg(feature = "hydrate")]
    {
        let id = id.to_owned();
        leptos::prelude::request_animation_frame(move || {
            if let Some(element) = element(&id) {
                note(element.focus());
            }
        });
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = id;
}

/// Moves the focus to the row of this thing in a list, once it is there.
pub fn focus_row(id: &str) {
    #[cfg(feature = "hydrate")]
    {
        let row = format!("[data-row=\"{id}\"]");
        leptos::prelude::request_animation_frame(move || {
            let found = leptos::prelude::document().query_selector(&row).ok().flatten();
            if let Some(row) = found.and_then(|row| row.dyn_into::<web_sys::HtmlElement>().ok()) {
                note(row.focus());
            }
        });
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = id;
}

/// Whether this key belongs to a field that is being typed in.
#[cfg(feature = "hydrate")]
pub fn is_typing(event: &web_sys::Event) -> bool {
    event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok()).is_some_and(|element| {
        element.closest("input, textarea, select, [contenteditable]").is_ok_and(|found| found.is_some())
    })
}

#[cfg(feature = "hydrate")]
pub fn element(id: &str) -> Option<web_sys::HtmlElement> {
    leptos::prelude::document().get_element_by_id(id)?.dyn_into().ok()
}

/// Puts text on the clipboard; `done` learns whether it worked.
pub fn copy(text: String, done: impl FnOnce(bool) + 'static) {
    #[cfg(feature = "hydrate")]
    {
        let written = leptos::prelude::window().navigator().clipboard().write_text(&text);
        leptos::task::spawn_local(async move {
            done(wasm_bindgen_futures::JsFuture::from(written).await.is_ok())
        });
    }
    #[cfg(not(feature = "hydrate"))]
    drop((text, done));
}

#[cfg(feature = "hydrate")]
pub(crate) fn note<T>(outcome: Result<T, wasm_bindgen::JsValue>) {
    if let Err(cause) = outcome {
        leptos::logging::warn!("the browser refused: {cause:?}");
    }
}

/// Sets a style of an element, by script: the page's policy admits none in the HTML.
#[cfg(feature = "hydrate")]
pub fn set_style(element: &web_sys::HtmlElement, property: &str, value: &str) {
    note(element.style().set_property(property, value));
}

/// Calls `act` whenever the element comes near the part of the page that is seen.
pub fn when_seen(element: leptos::prelude::NodeRef<leptos::html::Div>, act: impl Fn() + Clone + 'static) {
    #[cfg(feature = "hydrate")]
    {
        use leptos::prelude::*;
        use wasm_bindgen::closure::Closure;
        Effect::new(move |_| {
            let Some(element) = element.get() else { return };
            let act = act.clone();
            let seen = Closure::<dyn FnMut(js_sys::Array)>::new(move |entries: js_sys::Array| {
                let near = entries.iter().any(|entry| {
                    entry.unchecked_into::<web_sys::IntersectionObserverEntry>().is_intersecting()
                });
                if near {
                    act();
                }
            });
            let options = web_sys::IntersectionObserverInit::new();
            options.set_root_margin("400px");
            match web_sys::IntersectionObserver::new_with_options(seen.as_ref().unchecked_ref(), &options) {
                Ok(observer) => {
                    observer.observe(&element);
                    let kept = send_wrapper::SendWrapper::new((observer, seen));
                    on_cleanup(move || kept.0.disconnect());
                }
                Err(cause) => note::<()>(Err(cause)),
            }
        });
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = (element, act);
}
