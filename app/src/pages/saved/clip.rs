//! The small window that the bookmark opens: it takes a page from the page that opened it, shows what that is
//! and keeps it when told to. It believes a page only about addresses of that page's own site.

use super::store::use_saved;
use crate::client::api::{self, Method};
use crate::components::attempt::{Attempt, AttemptNote};
use crate::components::button::{Button, Look};
use crate::pages::Sheet;
use crate::route::Route;
use leptos::prelude::*;
use shared::saved_page::{LARGEST_SENT_PAGE, PageSummary, SavePage};
use std::time::Duration;

/// So long a page may take to hand itself over.
const PATIENCE: Duration = Duration::from_secs(3);

/// What came.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(not(feature = "hydrate"), expect(dead_code))]
enum Came {
    /// Nothing yet.
    Waiting,
    Page {
        url: String,
        title: String,
        html: String,
    },
    /// Only the address came.
    Address(String),
    Nothing,
}

#[component]
pub fn ClipPage() -> impl IntoView {
    let came = RwSignal::new(Came::Waiting);
    let kept = RwSignal::new(None::<PageSummary>);
    listen(came);
    view! {
        <Sheet title="Save this page">
            <div aria-live="polite">
                {move || match (kept.get(), came.get()) {
                    (Some(page), _) => view! { <Kept page/> }.into_any(),
                    (None, Came::Waiting) => view! { <p class="sheet-lead">"Waiting for the page…"</p> }.into_any(),
                    (None, Came::Page { url, title, html }) => {
                        let size = html.len();
                        let save = SavePage { url, html: Some(html), ..Default::default() };
                        view! { <Offered title size save kept/> }.into_any()
                    }
                    (None, Came::Address(url)) => {
                        let save = SavePage { url, ..Default::default() };
                        view! { <AddressOnly save kept/> }.into_any()
                    }
                    (None, Came::Nothing) => view! {
                        <p class="sheet-lead">"No page came. Go back to the page and press the bookmark once more."</p>
                    }.into_any(),
                }}
            </div>
            <noscript><p>"This window needs scripts."</p></noscript>
        </Sheet>
    }
}

#[component]
fn Offered(title: String, size: usize, save: SavePage, kept: RwSignal<Option<PageSummary>>) -> impl IntoView {
    let attempt = Attempt::new();
    let is_too_large = size > LARGEST_SENT_PAGE;
    let url = save.url.clone();
    let act = move || {
        attempt.run(api::send::<PageSummary>(Method::Post, "/pages", &save), move |page| kept.set(Some(page)))
    };
    view! {
        <div class="clip">
            <p class="clip-title">{if title.trim().is_empty() { "A page without a title".to_owned() } else { title }}</p>
            <p class="clip-url">{url}</p>
            <p class="file-hint">
                {match is_too_large {
                    true => "This page is too large to be sent: 10 MB are the most.".to_owned(),
                    false => format!("{} KB, as it stands in your browser.", size.div_ceil(1000)),
                }}
            </p>
            <AttemptNote attempt/>
            <p class="note-ways">
                {(!is_too_large).then(|| view! { <Button look=Look::Main busy=attempt.busy on_click=move |()| act()>"Save this page"</Button> })}
                <Button look=Look::Plain on_click=|()| close()>"Cancel"</Button>
            </p>
        </div>
    }
}

#[component]
fn AddressOnly(save: SavePage, kept: RwSignal<Option<PageSummary>>) -> impl IntoView {
    let attempt = Attempt::new();
    let url = save.url.clone();
    let act = move || {
        attempt.run(api::send::<PageSummary>(Method::Post, "/pages", &save), move |page| kept.set(Some(page)))
    };
    view! {
        <div class="clip">
            <p class="sheet-lead">
                "This page keeps windows of other sites away from itself, so only its address came over. It can be fetched from there, as anybody would see it."
            </p>
            <p class="clip-url">{url}</p>
            <AttemptNote attempt/>
            <p class="note-ways">
                <Button look=Look::Main busy=attempt.busy on_click=move |()| act()>"Save its address"</Button>
                <Button look=Look::Plain on_click=|()| close()>"Cancel"</Button>
            </p>
        </div>
    }
}

#[component]
fn Kept(page: PageSummary) -> impl IntoView {
    let store = use_saved();
    store.upsert(page.clone());
    view! {
        <p class="sheet-lead" role="status">"Saved."</p>
        <p class="note-ways">
            <Button look=Look::Main on_click=|()| close()>"Close this window"</Button>
            <a class="button" href=Route::SavedPage(page.id).path()>"Read it"</a>
        </p>
    }
}

fn close() {
    #[cfg(feature = "hydrate")]
    crate::client::document::note(window().close());
}

/// Says that this window is ready, and takes the first page that comes from where it says it is.
fn listen(came: RwSignal<Came>) {
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| {
        use wasm_bindgen::JsCast;
        let opener = window().opener().unwrap_or_default();
        let expected = opener.clone();
        let handle = window_event_listener(leptos::ev::message, move |event: web_sys::MessageEvent| {
            let is_opener = js_sys::Object::is(&source_of(&event), &expected) && !expected.is_null();
            if is_opener
                && came.try_get_untracked() == Some(Came::Waiting)
                && let Some(page) = page_in(&event)
            {
                came.set(page);
            }
        });
        on_cleanup(move || handle.remove());
        if opener.is_object() {
            // It says nothing but that; what opened this window is not known yet.
            let opener: web_sys::Window = opener.unchecked_into();
            crate::client::document::note(opener.post_message(&"sidebar-ready".into(), "*"));
        }
        set_timeout(
            move || {
                if came.try_get_untracked() == Some(Came::Waiting) {
                    came.set(address_of_window().map_or(Came::Nothing, Came::Address));
                }
            },
            PATIENCE,
        );
    });
    #[cfg(not(feature = "hydrate"))]
    let _ = (came, PATIENCE);
}

/// Read as a property: of another site's window nothing else may be asked.
#[cfg(feature = "hydrate")]
fn source_of(event: &web_sys::MessageEvent) -> wasm_bindgen::JsValue {
    js_sys::Reflect::get(event, &"source".into()).unwrap_or_default()
}

/// A page that says where it is and is there.
#[cfg(feature = "hydrate")]
fn page_in(event: &web_sys::MessageEvent) -> Option<Came> {
    let data = event.data();
    let text = |name: &str| js_sys::Reflect::get(&data, &name.into()).ok()?.as_string();
    let url = text("url")?;
    let origin = web_sys::Url::new(&url).ok()?.origin();
    (origin == event.origin()).then_some(())?;
    Some(Came::Page { url, title: text("title").unwrap_or_default(), html: text("html")? })
}

/// What the bookmark put behind `#`.
#[cfg(feature = "hydrate")]
fn address_of_window() -> Option<String> {
    let hash = window().location().hash().ok()?;
    let url = api::decode(hash.strip_prefix('#')?);
    super::address_in(&url).map(str::to_owned)
}
