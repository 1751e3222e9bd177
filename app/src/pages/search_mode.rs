//! How the search goes just now, where it is not by words and by meaning.

use crate::client::api;
use crate::client::json::fetched;
use leptos::prelude::*;
use shared::upkeep::SearchState;

/// Nothing where all is as it should be.
fn said(state: SearchState) -> Option<String> {
    match (state.by_meaning, state.waiting) {
        (false, _) => Some("By words alone: this server has no model that knows what they mean.".to_owned()),
        (true, 0) => None,
        (true, 1) => Some("1 passage is found by its words only until its meaning is worked out.".to_owned()),
        (true, waiting) => Some(format!(
            "{waiting} passages are found by their words only until their meaning is worked out."
        )),
    }
}

#[component]
pub fn SearchMode() -> impl IntoView {
    let state = fetched(|| (), |()| api::get::<SearchState>("/search/state"));
    view! {
        <Suspense>
            {move || Suspend::new(async move {
                match state.await {
                    Ok(state) => said(state).map(|said| view! { <p class="hits-count search-mode">{said}</p> }),
                    // the search itself says what is wrong
                    Err(_) => None,
                }
            })}
        </Suspense>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_missing_is_said() {
        assert_eq!(said(SearchState { by_meaning: true, waiting: 0 }), None);
        assert!(said(SearchState { by_meaning: false, waiting: 0 }).unwrap().contains("words alone"));
        assert!(said(SearchState { by_meaning: true, waiting: 7 }).unwrap().starts_with("7 passages"));
    }
}
