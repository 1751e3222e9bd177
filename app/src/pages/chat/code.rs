//! Code on the page: its copy button, and its colours, loaded the first time there is some.

use leptos::ev::MouseEvent;

/// Copies the code whose button was clicked. One listener for all of a conversation.
pub fn clicked(event: MouseEvent) {
    #[cfg(feature = "hydrate")]
    browser::copy_clicked(&event);
    #[cfg(not(feature = "hydrate"))]
    drop(event);
}

#[cfg(feature = "hydrate")]
pub use browser::{colour, highlighter};

#[cfg(feature = "hydrate")]
mod browser {
    use crate::client::document::{copy, note};
    use js_sys::{Function, Reflect};
    use leptos::prelude::*;
    use std::cell::Cell;
    use std::time::Duration;
    use wasm_bindgen::closure::Closure;
    use wasm_bindgen::{JsCast, JsValue};
    use web_sys::{Element, MouseEvent};

    /// Longer code stays plain: colouring it would hold up the page.
    const LONGEST_COLOURED: usize = 60_000;

    const PLAIN_CODE: &str = "pre > code[class^='language-']:not([data-coloured])";

    thread_local! {
        static ASKED_FOR: Cell<bool> = const { Cell::new(false) };
    }

    pub fn copy_clicked(event: &MouseEvent) {
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let Some(button) = target.and_then(|element| element.closest("[data-copy]").ok().flatten()) else {
            return;
        };
        let code = button
            .closest("figure")
            .ok()
            .flatten()
            .and_then(|figure| figure.query_selector("code").ok().flatten());
        let Some(text) = code.and_then(|code| code.text_content()) else { return };
        copy(text, move |worked| {
            button.set_text_content(Some(if worked { "Copied" } else { "Not copied" }));
            set_timeout(move || button.set_text_content(Some("Copy")), Duration::from_secs(2));
        });
    }

    /// What gives the HTML of code in colours, once it is there.
    pub fn highlighter() -> Option<Function> {
        Reflect::get(&window(), &"sidebarHighlight".into()).ok()?.dyn_into().ok()
    }

    /// Colours the code below `root` that is not coloured yet, once the highlighter is there.
    pub fn colour(root: &Element) {
        let Ok(found) = root.query_selector_all(PLAIN_CODE) else { return };
        if found.length() == 0 {
            return;
        }
        let Some(highlighter) = highlighter() else { return ask_for_highlighter() };
        for place in 0..found.length() {
            if let Some(code) = found.get(place).and_then(|node| node.dyn_into::<Element>().ok()) {
                colour_one(&code, &highlighter);
            }
        }
    }

    fn colour_one(code: &Element, highlighter: &Function) {
        note(code.set_attribute("data-coloured", ""));
        let text = code.text_content().unwrap_or_default();
        let class = code.class_name();
        let Some(language) = class.strip_prefix("language-").filter(|_| text.len() <= LONGEST_COLOURED)
        else {
            return;
        };
        let coloured = highlighter.call2(&JsValue::NULL, &(&*text).into(), &language.into());
        let html = coloured.ok().and_then(|html| html.as_string());
        if let Some(html) = html.filter(|html| markdown::is_highlighted(html, &text)) {
            code.set_inner_html(&html);
        }
    }

    fn ask_for_highlighter() {
        if ASKED_FOR.replace(true) {
            return;
        }
        let page = document();
        let select = |selector: &str| page.query_selector(selector).ok().flatten();
        let Some(address) = select("meta[name=highlight]").and_then(|meta| meta.get_attribute("content"))
        else {
            return;
        };
        let Ok(script) = page.create_element("script") else { return };
        note(script.set_attribute("type", "module"));
        // The page's policy admits scripts that carry its nonce; browsers hide it from attributes.
        let nonce = select("script[nonce]").and_then(|own| Reflect::get(&own, &"nonce".into()).ok());
        if let Some(nonce) = nonce {
            note(Reflect::set(&script, &"nonce".into(), &nonce));
        }
        note(script.set_attribute("src", &address));
        let loaded = Closure::once_into_js(|| {
            if let Some(root) = document().document_element() {
                colour(&root);
            }
        });
        note(script.add_event_listener_with_callback("load", loaded.unchecked_ref()));
        if let Some(head) = page.head() {
            note(head.append_child(&script));
        }
    }
}
