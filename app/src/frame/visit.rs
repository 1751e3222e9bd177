//! Around a note that somebody sees by a link, without an account: next to nothing.

use crate::areas::{Apart, NotesPart, Part};
use crate::client::location::use_location;
use crate::components::toast::ToastShelf;
use crate::pages::title_of;
use crate::route::Route;
use leptos::prelude::*;
use leptos_meta::Title;

#[component]
pub fn VisitFrame() -> impl IntoView {
    let location = use_location();
    let note = Memo::new(move |_| location.route.get().and_then(Route::note));
    let sign_in = move || format!("/sign-in?next={}", location.path.get());
    view! {
        <Title formatter=|title: String| format!("{title} · sideBar") text=move || title_of(location.route.get())/>
        <div class="visit">
            <header class="visit-bar">
                <p class="mark"><span class="mark-leaf" aria-hidden="true"></span>"sideBar"</p>
                <a class="button is-plain" href=sign_in target="_self">"Sign in"</a>
            </header>
            <main id="main" class="page" tabindex="-1"><Apart part=Part::Notes(NotesPart::VisitedPage(note))/></main>
        </div>
        <ToastShelf/>
    }
}
