//! A person's picture, or their initials on one of eight colours that follows from who they are.

use leptos::prelude::*;
use shared::account::Profile;

/// Beside the person's name, which says the same in words.
#[component]
pub fn Avatar(#[prop(into)] profile: Signal<Profile>) -> impl IntoView {
    move || {
        profile.with(|profile| match &profile.picture_url {
            Some(url) => {
                view! { <img class="avatar" src=url.clone() alt="" width="28" height="28"/> }.into_any()
            }
            None => initials(profile.id, profile.initials()),
        })
    }
}

/// Initials for someone of whom only the id and the letters are known.
pub fn initials(id: shared::UserId, letters: String) -> AnyView {
    let colour = id.0.as_bytes().iter().fold(0_u32, |sum, byte| sum + u32::from(*byte)) % 8 + 1;
    view! { <span class=format!("avatar is-person-{colour}") aria-hidden="true">{letters}</span> }.into_any()
}
