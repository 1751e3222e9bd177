//! The form for a new provider, and the models that people may choose from one.

use super::providers::Providers;
use crate::client::api::{self, Method};
use crate::components::attempt::{Attempt, AttemptNote};
use crate::components::button::{Button, Look, Submit};
use crate::components::field::{Choice, Field};
use crate::components::toast::use_toasts;
use leptos::prelude::*;
use shared::provider::{CreateProvider, Provider, ProviderKind, UpdateProvider};

fn names_in(text: &str) -> Vec<String> {
    text.split([',', '\n']).map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

#[component]
pub fn NewProvider(providers: Providers) -> impl IntoView {
    let toasts = use_toasts();
    let attempt = Attempt::new();
    let kind = RwSignal::new(ProviderKind::Openai.as_str().to_owned());
    let [name, base_url, api_key, models] = [(); 4].map(|()| RwSignal::new(String::new()));
    let create = move || {
        let chosen = kind.get_untracked().parse().unwrap_or(ProviderKind::Openai);
        let said = |field: RwSignal<String>| {
            Some(field.get_untracked().trim().to_owned()).filter(|text| !text.is_empty())
        };
        let wanted = CreateProvider {
            kind: chosen,
            name: said(name).unwrap_or_else(|| chosen.as_str().to_owned()),
            base_url: said(base_url),
            models: names_in(&models.get_untracked()),
            api_key: said(api_key),
        };
        attempt.run(api::send::<Provider>(Method::Post, "/providers", &wanted), move |made| {
            for field in [name, base_url, api_key, models] {
                field.set(String::new());
            }
            toasts.say(format!("{} was added. Test it next.", made.name));
            providers.refetch();
        });
    };
    let kinds = [
        (ProviderKind::Openai, "OpenAI, or compatible (vLLM, OpenRouter, …)"),
        (ProviderKind::Anthropic, "Anthropic"),
        (ProviderKind::Gemini, "Gemini"),
        (ProviderKind::Ollama, "Ollama"),
    ];
    view! {
        <form class="form" on:submit=move |event| { event.prevent_default(); create(); }>
            <AttemptNote attempt/>
            <Choice label="Kind" value=kind options=kinds.map(|(kind, words)| (kind.as_str().to_owned(), words.to_owned())).to_vec()/>
            <Field label="Name" value=name placeholder="work" hint="People see it before the model: name/model."/>
            <Field label="Address" value=base_url kind="url" placeholder="The provider’s own" hint="For your own server, end it as its documentation says, often /v1/."/>
            <Field label="Key" value=api_key kind="password" hint="Not needed for a local Ollama."/>
            <Field label="Models" value=models placeholder="Fetched after adding" hint="Names, with commas between. You can fetch the list afterwards."/>
            <p class="form-foot"><Submit busy=attempt.busy>"Add the provider"</Submit></p>
        </form>
    }
}

/// The models of a provider: what people may choose, and what the provider says it has.
#[component]
pub fn Models(provider: Provider, providers: Providers) -> impl IntoView {
    let attempt = Attempt::new();
    let fetching = Attempt::new();
    let toasts = use_toasts();
    let id = provider.id;
    let names = RwSignal::new(provider.models.join(", "));
    let available = RwSignal::new(None::<Vec<String>>);
    let save = move || {
        let change = UpdateProvider { models: Some(names_in(&names.get_untracked())), ..Default::default() };
        attempt.run(api::send::<Provider>(Method::Patch, format!("/providers/{id}"), &change), move |_| {
            toasts.say("Models saved.");
            providers.refetch();
        });
    };
    let fetch = move || {
        fetching.run(api::get::<Vec<String>>(format!("/providers/{id}/available-models")), move |list| {
            available.set(Some(list));
        });
    };
    let turn = move |name: String| {
        names.update(|text| {
            let mut chosen = names_in(text);
            match chosen.iter().position(|one| *one == name) {
                Some(at) => drop(chosen.remove(at)),
                None => chosen.push(name),
            }
            *text = chosen.join(", ");
        });
    };
    view! {
        <form class="form is-row" on:submit=move |event| { event.prevent_default(); save(); }>
            <Field label="Models that people may choose" value=names placeholder="Names, with commas between"/>
            <Button look=Look::Quiet busy=fetching.busy on_click=move |()| fetch()>"Fetch the list"</Button>
            <Submit look=Look::Quiet busy=attempt.busy>"Save the models"</Submit>
        </form>
        <AttemptNote attempt/>
        <AttemptNote attempt=fetching/>
        {move || available.get().map(|list| match list.is_empty() {
            true => view! { <p class="part-lead">"The provider names no models. Write their names above."</p> }.into_any(),
            false => view! {
                <fieldset class="model-chips">
                    <legend>"The provider has these"</legend>
                    {list.into_iter().map(|name| {
                        let (shown, told, chosen) = (name.clone(), name.clone(), name);
                        view! {
                            <label class="model-chip">
                                <input type="checkbox" prop:checked=move || names.with(|text| names_in(text).contains(&chosen))
                                    on:change=move |_| turn(told.clone())/>
                                {shown}
                            </label>
                        }
                    }).collect_view()}
                </fieldset>
            }.into_any(),
        })}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn model_names_are_taken_from_commas_and_lines() {
        assert_eq!(names_in(" a, b\nc ,, "), vec!["a", "b", "c"]);
        assert!(names_in(" , ").is_empty());
    }
}
