//! The field above a list that narrows it by words, a moment after the last was typed.

use crate::components::icon::Icon;
use leptos::prelude::*;
use std::time::Duration;

const PAUSE: Duration = Duration::from_millis(150);

#[component]
pub fn ListFilter(
    words: RwSignal<String>,
    /// Fetches what fits the words.
    #[prop(into)]
    reload: Callback<()>,
) -> impl IntoView {
    let typed = StoredValue::new(0_u32);
    let narrow = move |to: String| {
        words.set(to);
        typed.update_value(|count| *count += 1);
        let this = typed.get_value();
        let then = move || {
            if typed.try_get_value() == Some(this) {
                reload.run(());
            }
        };
        set_timeout(then, PAUSE);
    };
    view! {
        <label class="list-filter">
            <span class="visually-hidden">"Narrow the list"</span>
            {Icon::Search.draw()}
            <input type="search" placeholder="Filter" autocomplete="off"
                prop:value=move || words.get()
                on:input=move |event| narrow(event_target_value(&event))
                on:keydown=move |event| if event.key() == "Escape" && !words.get_untracked().is_empty() {
                    event.prevent_default();
                    narrow(String::new());
                }/>
        </label>
    }
}
