//! What stands around every page: rail, list, page, side panel; on a phone a bottom bar.

pub mod layout;
pub mod theme;

use crate::client::location::use_location;
use crate::pages::Page;
use leptos::prelude::*;

#[component]
pub fn Frame() -> impl IntoView {
    let location = use_location();
    let _ = location;
    view! {
        <div class="frame">
            <main id="main" class="page" tabindex="-1"><Page/></main>
        </div>
    }
}
