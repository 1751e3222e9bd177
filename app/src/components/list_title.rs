//! What a list is called. Beside a page the page has the first heading; on a phone the list is alone,
//! and the first heading is the workspace's own.

use leptos::prelude::*;

#[component]
pub fn ListTitle(name: &'static str) -> impl IntoView {
    view! {
        <h1 class="list-alone visually-hidden">"sideBar"</h1>
        <h2>{name}</h2>
    }
}
