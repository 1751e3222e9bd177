//! Which model answers: the picker, and what is said where there is none.

use super::view::Shared;
use crate::client::json::Fetched;
use crate::client::session::use_session;
use leptos::prelude::*;
use shared::provider::{BUILT_IN_MODEL, Model};

/// What the built-in responder is called wherever it is named.
pub const BUILT_IN_NAME: &str = "Workspace search, not a language model";

/// A model's name for people: without its provider.
pub fn short_name(id: &str) -> &str {
    if id == BUILT_IN_MODEL {
        return BUILT_IN_NAME;
    }
    id.split_once('/').map_or(id, |(_, model)| model)
}

#[component]
pub fn ModelPicker(shared: Shared) -> impl IntoView {
    view! {
        <Suspense fallback=|| ()>
            {move || Suspend::new(async move {
                // What the conversation says comes first: the list shows it as chosen.
                let own = shared.loaded.await.ok().flatten().map(|conversation| conversation.summary.model);
                match shared.models.await {
                    Ok(models) => picker(shared, models, own.filter(|model| !model.is_empty())),
                    Err(problem) => view! { <span class="model-problem" title=problem.error>"Models could not be listed"</span> }.into_any(),
                }
            })}
        </Suspense>
    }
}

fn picker(shared: Shared, models: Vec<Model>, own: Option<String>) -> AnyView {
    if let [only] = models.as_slice() {
        return view! { <span class="model-name">{label(only)}</span> }.into_any();
    }
    let default =
        models.iter().find(|model| model.is_default).or(models.first()).map(|model| model.id.clone());
    let first = own.or(default).unwrap_or_default();
    let current = Memo::new(move |_| shared.model.get().unwrap_or_else(|| first.clone()));
    let known = models.iter().any(|model| model.id == current.get_untracked());
    let gone = (!known).then(|| current.get_untracked()).filter(|id| !id.is_empty());
    view! {
        <label class="model-picker">
            <span class="visually-hidden">"Model that answers"</span>
            <select
                prop:value=move || current.get()
                on:change=move |event| {
                    let chosen = event_target_value(&event);
                    shared.exchange.set_model(chosen.clone());
                    shared.model.set(Some(chosen));
                }
            >
                {gone.map(|id| view! { <option value=id.clone() selected=true>{format!("{} (no longer offered)", short_name(&id))}</option> })}
                {models.into_iter().map(|model| {
                    let selected = model.id == current.get_untracked();
                    view! { <option value=model.id.clone() selected=selected>{label(&model)}</option> }
                }).collect_view()}
            </select>
        </label>
    }
    .into_any()
}

fn label(model: &Model) -> String {
    if model.is_language_model { model.name.clone() } else { BUILT_IN_NAME.to_owned() }
}

/// Says what answers while no language model is connected, and how to connect one.
#[component]
pub fn NoLanguageModel(models: Fetched<Vec<Model>>) -> impl IntoView {
    let session = use_session();
    view! {
        <Suspense fallback=|| ()>
            {move || Suspend::new(async move {
                let none = models.await.is_ok_and(|models| models.iter().all(|model| !model.is_language_model));
                none.then(|| view! {
                    <div class="notice">
                        <p>
                            "No language model is connected yet. Until then what you ask is searched for in your workspace, and "
                            "what is found is quoted."
                        </p>
                        {session.is_admin().then(|| view! {
                            <a class="button" href="/settings/providers">"Connect a model"</a>
                        })}
                    </div>
                })
            })}
        </Suspense>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_responder_is_never_called_a_model() {
        assert_eq!(short_name("local/llama3:8b"), "llama3:8b");
        assert!(short_name(BUILT_IN_MODEL).contains("not a language model"));
    }
}
