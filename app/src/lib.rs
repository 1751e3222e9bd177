//! The workspace in the browser: one Leptos app, rendered by the server (`ssr`) and taken over by
//! WebAssembly (`hydrate`). It speaks only `/api/v1` and knows nothing of databases or models.
//!
//! The first render must be the same on both sides: no clock, no randomness, no locale before
//! hydration; what the server knew comes along in the page.

pub mod areas;
pub mod assets;
pub mod client;
pub mod components;
pub mod frame;
pub mod pages;
pub mod route;
#[cfg(feature = "ssr")]
pub mod server;
#[cfg(feature = "ssr")]
mod shell;
pub mod workspace;

pub use assets::Assets;
pub use workspace::Workspace;

/// Takes the page over in the browser.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub async fn hydrate() {
    #[cfg(debug_assertions)]
    console_error_panic_hook::set_once();
    // the first render must find all that the server rendered
    if let Some(area) = areas::Area::at_the_address()
        && let Err(cause) = area.load().await
    {
        leptos::logging::error!(
            "a part of the app could not be loaded, so the page stays as it was sent: {cause}"
        );
        return;
    }
    leptos::mount::hydrate_body(Workspace);
    client::typesetter::load_with_the_first_act();
    client::document::mark_ready();
}
