//! A labelled field, with a word of help or of what is wrong below it.

use leptos::prelude::*;

#[component]
pub fn Field(
    #[prop(into)] label: String,
    value: RwSignal<String>,
    /// The `type` of the input; text when not said.
    #[prop(optional)]
    kind: Option<&'static str>,
    #[prop(optional, into)] hint: Option<String>,
    #[prop(optional)] placeholder: Option<&'static str>,
    #[prop(optional)] autocomplete: Option<&'static str>,
    #[prop(optional)] list: Option<&'static str>,
) -> impl IntoView {
    view! {
        <label class="field">
            <span>{label}</span>
            <input
                type=kind.unwrap_or("text")
                placeholder=placeholder
                autocomplete=autocomplete.unwrap_or("off")
                list=list
                prop:value=move || value.get()
                value=value.get_untracked()
                on:input=move |event| value.set(event_target_value(&event))
            />
            {hint.map(|hint| view! { <small>{hint}</small> })}
        </label>
    }
}

/// One of a few, by a native select.
#[component]
pub fn Choice(
    #[prop(into)] label: String,
    value: RwSignal<String>,
    /// Value and what to show.
    options: Vec<(String, String)>,
) -> impl IntoView {
    view! {
        <label class="field">
            <span>{label}</span>
            <select prop:value=move || value.get() on:change=move |event| value.set(event_target_value(&event))>
                {options.into_iter().map(|(name, shown)| {
                    let chosen = value.with_untracked(|value| *value == name);
                    view! { <option value=name selected=chosen>{shown}</option> }
                }).collect_view()}
            </select>
        </label>
    }
}
