//! The model providers of this server: which there are, their keys, whether they answer. For admins.
//! Keys go in and are never shown.

use super::Part;
use super::provider_form::{Models, NewProvider};
use crate::client::api::{self, Method};
use crate::client::json::{Fetched, fetched};
use crate::components::attempt::{Attempt, AttemptNote};
use crate::components::button::{Button, Look, Submit};
use crate::components::field::Field;
use crate::components::moment::Moment;
use crate::components::states::{Empty, Skeleton, Trouble};
use crate::components::toast::use_toasts;
use crate::pages::Sheet;
use leptos::prelude::*;
use shared::provider::{AddProviderKey, Provider, ProviderKey, ProviderTest, UpdateProvider};

pub type Providers = Fetched<Vec<Provider>>;

#[component]
pub fn ProvidersPage() -> impl IntoView {
    let providers: Providers = fetched(|| (), |()| api::get::<Vec<Provider>>("/providers"));
    view! {
        <Sheet title="Providers" lead="Where answers come from. Keys are sealed on this server and never shown again.">
            <Transition fallback=|| view! { <Skeleton rows=3/> }>
                {move || Suspend::new(async move {
                    match providers.await {
                        Ok(list) if list.is_empty() => view! {
                            <Empty title="No provider yet" text="Until there is one, a built-in responder searches your workspace and quotes what it finds. It is no language model."/>
                        }.into_any(),
                        Ok(list) => list.into_iter().map(|one| view! { <OneProvider provider=one providers/> }).collect_view().into_any(),
                        Err(problem) => view! { <Trouble problem retry=move |()| providers.refetch()/> }.into_any(),
                    }
                })}
            </Transition>
            <Part title="Add a provider" lead="Anything that speaks OpenAI’s chat completions, Anthropic, Gemini, or Ollama.">
                <NewProvider providers/>
            </Part>
        </Sheet>
    }
}

#[component]
fn OneProvider(provider: Provider, providers: Providers) -> impl IntoView {
    let attempt = Attempt::new();
    let toasts = use_toasts();
    let id = provider.id;
    let name = provider.name.clone();
    let make_default = move || {
        let change = UpdateProvider { is_default: Some(true), ..Default::default() };
        attempt.run(api::send::<Provider>(Method::Patch, format!("/providers/{id}"), &change), move |_| {
            providers.refetch()
        });
    };
    let remove = move || {
        let name = name.clone();
        attempt.run(api::delete::<()>(format!("/providers/{id}")), move |()| {
            toasts.say(format!("{name} is gone, with its keys."));
            providers.refetch();
        });
    };
    let sure = RwSignal::new(false);
    let is_default = provider.is_default;
    view! {
        <section class="part provider">
            <header class="provider-head">
                <h2>{provider.name.clone()}</h2>
                {is_default.then(|| view! { <span class="tag is-accent">"Answers by default"</span> })}
                <span class="provider-kind">{provider.kind.as_str()} " at " <code>{provider.base_url.clone()}</code></span>
            </header>
            <AttemptNote attempt/>
            <Models provider=provider.clone() providers/>
            <Keys provider=provider.clone() providers/>
            <footer class="provider-foot">
                <Try id=id.to_string()/>
                <span class="provider-space"></span>
                {(!is_default).then(|| view! { <Button busy=attempt.busy on_click=move |()| make_default()>"Make it the default"</Button> })}
                {move || {
                    let remove = remove.clone();
                    match sure.get() {
                        true => view! { <Button look=Look::Danger busy=attempt.busy on_click=move |()| remove()>"Yes, remove it and its keys"</Button> }.into_any(),
                        false => view! { <Button look=Look::Danger on_click=move |()| sure.set(true)>"Remove"</Button> }.into_any(),
                    }
                }}
            </footer>
        </section>
    }
}

/// "Test this": asks the provider's first model for a word.
#[component]
fn Try(id: String) -> impl IntoView {
    let attempt = Attempt::new();
    let outcome = RwSignal::new(None::<ProviderTest>);
    let run = move || {
        outcome.set(None);
        attempt.run(api::act::<ProviderTest>(Method::Post, format!("/providers/{id}/test")), move |test| {
            outcome.set(Some(test))
        });
    };
    view! {
        <Button busy=attempt.busy on_click=move |()| run()>{move || if attempt.busy.get() { "Testing" } else { "Test this" }}</Button>
        <span class="test" role="status">
            {move || outcome.get().map(|test| {
                let first = test.first_token_ms.map(|ms| format!(" First word after {ms} ms.")).unwrap_or_default();
                view! { <span class:is-bad=!test.ok>{if test.ok { "It answers." } else { "It does not answer: " }} {(!test.ok).then_some(test.message)} {first}</span> }
            })}
        </span>
        <AttemptNote attempt/>
    }
}

#[component]
fn Keys(provider: Provider, providers: Providers) -> impl IntoView {
    let attempt = Attempt::new();
    let id = provider.id;
    let new = RwSignal::new(String::new());
    let add = move || {
        let key = AddProviderKey { api_key: new.get_untracked().trim().to_owned() };
        attempt.run(api::send::<Provider>(Method::Post, format!("/providers/{id}/keys"), &key), move |_| {
            new.set(String::new());
            providers.refetch();
        });
    };
    let count = provider.keys.len();
    view! {
        <h3>{match count { 0 => "No key".to_owned(), 1 => "1 key".to_owned(), count => format!("{count} keys, taking turns") }}</h3>
        <ul class="provider-keys">
            {provider.keys.into_iter().enumerate().map(|(at, key)| key_view(id, at, key, attempt, providers)).collect_view()}
        </ul>
        <form class="form is-row" on:submit=move |event| { event.prevent_default(); add(); }>
            <Field label="Another key" value=new kind="password"/>
            <Submit look=Look::Quiet busy=attempt.busy>"Add the key"</Submit>
        </form>
        <AttemptNote attempt/>
    }
}

fn key_view(
    id: shared::ProviderId,
    at: usize,
    key: ProviderKey,
    attempt: Attempt,
    providers: Providers,
) -> AnyView {
    let key_id = key.id;
    let remove = move || {
        attempt.run(api::delete::<Provider>(format!("/providers/{id}/keys/{key_id}")), move |_| {
            providers.refetch()
        });
    };
    view! {
        <li>
            <span class="number">{format!("Key {}", at + 1)}</span>
            <span class="provider-key-state">
                {match key.resting_until {
                    Some(until) => view! { <span class="is-bad">"rests after a failure at " <Moment at=Signal::stored(until)/></span> }.into_any(),
                    None => "set".into_any(),
                }}
                {key.last_error.map(|error| view! { <small>{error}</small> })}
            </span>
            <Button look=Look::Plain on_click=move |()| remove()>"Remove"</Button>
        </li>
    }
    .into_any()
}
