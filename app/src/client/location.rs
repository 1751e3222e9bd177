//! The address bar: where we are, and going elsewhere without loading a page again.
//! Reads no data; what an address means is told by [`crate::route`].

use crate::route::Route;
use leptos::prelude::*;

/// Where the page is. Given as context.
#[derive(Clone, Copy)]
pub struct Location {
    pub path: RwSignal<String>,
    /// Without its `?`.
    pub query: RwSignal<String>,
    /// Without its `#`. Empty on the server, which never sees it.
    pub hash: RwSignal<String>,
    pub route: Memo<Option<Route>>,
}

pub fn use_location() -> Location {
    expect_context::<Location>()
}

impl Location {
    /// Starts at an address: a path, perhaps with a query.
    pub fn provide(address: &str) -> Self {
        let (path, query, _) = split(address);
        let path = RwSignal::new(path.to_owned());
        let location = Self {
            path,
            query: RwSignal::new(query.to_owned()),
            hash: RwSignal::new(String::new()),
            route: Memo::new(move |_| path.with(|path| Route::parse(path))),
        };
        provide_context(location);
        #[cfg(feature = "hydrate")]
        browser::follow(location);
        location
    }

    /// The value of `name` in the query.
    pub fn query_value(self, name: &str) -> Option<String> {
        self.query.with(|query| super::api::query_value(query, name))
    }

    /// Goes to an address of ours and remembers this one for "back".
    pub fn go(self, address: &str) {
        #[cfg(feature = "hydrate")]
        browser::push(address);
        self.show(address);
    }

    /// Takes the place of this address: "back" leads to what was before.
    pub fn replace(self, address: &str) {
        #[cfg(feature = "hydrate")]
        browser::replace(address);
        self.show(address);
    }

    fn show(self, address: &str) {
        let (path, query, hash) = split(address);
        // the path last: what it shows reads the others
        set_changed(self.query, query);
        set_changed(self.hash, hash);
        set_changed(self.path, path);
    }
}

fn set_changed(signal: RwSignal<String>, value: &str) {
    if signal.with_untracked(|now| now != value) {
        signal.set(value.to_owned());
    }
}

fn split(address: &str) -> (&str, &str, &str) {
    let (address, hash) = address.split_once('#').unwrap_or((address, ""));
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    (path, query, hash)
}

#[cfg(feature = "hydrate")]
mod browser {
    use super::Location;
    use crate::route::Route;
    use leptos::ev;
    use leptos::prelude::*;
    use wasm_bindgen::{JsCast, JsValue};

    pub fn push(address: &str) {
        note(
            window()
                .history()
                .and_then(|history| history.push_state_with_url(&JsValue::NULL, "", Some(address))),
        );
    }

    pub fn replace(address: &str) {
        note(
            window()
                .history()
                .and_then(|history| history.replace_state_with_url(&JsValue::NULL, "", Some(address))),
        );
    }

    fn note(outcome: Result<(), JsValue>) {
        if let Err(cause) = outcome {
            leptos::logging::warn!("the address bar refused: {cause:?}");
        }
    }

    fn here() -> String {
        let at = window().location();
        [at.pathname(), at.search(), at.hash()].into_iter().flatten().collect()
    }

    /// Follows "back", "forward" and clicks on links of ours.
    pub fn follow(location: Location) {
        Effect::new(move |_| {
            location.show(&here());
            let back = window_event_listener(ev::popstate, move |_| location.show(&here()));
            let click = window_event_listener(ev::click, move |event| {
                if let Some(address) = internal_link(&event) {
                    event.prevent_default();
                    location.go(&address);
                }
            });
            on_cleanup(move || {
                back.remove();
                click.remove();
            });
        });
    }

    /// Whether a link leads to an element of this page: the browser goes there by itself.
    fn is_place_here(link: &web_sys::HtmlAnchorElement) -> bool {
        let place = link.hash();
        let id = place.trim_start_matches('#');
        let same = here().split('#').next() == Some(&format!("{}{}", link.pathname(), link.search()));
        same && !id.is_empty() && document().get_element_by_id(id).is_some()
    }

    /// The address of the link that was clicked plainly, when the app itself can show it.
    fn internal_link(event: &web_sys::MouseEvent) -> Option<String> {
        let plain = event.button() == 0
            && !event.default_prevented()
            && !(event.meta_key() || event.ctrl_key() || event.shift_key() || event.alt_key());
        let target = event.target()?.dyn_into::<web_sys::Element>().ok()?;
        let link = target.closest("a[href]").ok()??.dyn_into::<web_sys::HtmlAnchorElement>().ok()?;
        let ours = link.origin() == window().location().origin().ok()?
            && link.target().is_empty()
            && !link.has_attribute("download");
        let shown = Route::parse(&link.pathname()).is_some() && !is_place_here(&link);
        (plain && ours && shown).then(|| format!("{}{}{}", link.pathname(), link.search(), link.hash()))
    }
}
