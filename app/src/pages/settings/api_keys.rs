//! Keys for programs: made, shown once, ended.

use super::Part;
use crate::client::api::{self, Method};
use crate::client::document;
use crate::client::json::{Fetched, fetched};
use crate::components::attempt::{Attempt, AttemptNote};
use crate::components::button::{Button, Look, Submit};
use crate::components::field::{Choice, Field};
use crate::components::icon::Icon;
use crate::components::moment::Moment;
use crate::components::states::{Empty, Skeleton, Trouble};
use crate::components::toast::use_toasts;
use crate::pages::Sheet;
use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::account::{ApiKeyInfo, CreateApiKey, CreatedApiKey};

type Keys = Fetched<Vec<ApiKeyInfo>>;

#[component]
pub fn ApiKeysPage() -> impl IntoView {
    let keys: Keys = fetched(|| (), |()| api::get::<Vec<ApiKeyInfo>>("/keys"));
    view! {
        <Sheet title="API keys" lead="A key lets a program do what you may do. Give each program its own, and end it when the program goes.">
            <Part title="New key"><NewKey keys/></Part>
            <Part title="Your keys">
                <Transition fallback=|| view! { <Skeleton rows=2/> }>
                    {move || Suspend::new(async move {
                        match keys.await {
                            Ok(list) if list.is_empty() => view! {
                                <Empty title="No keys yet" text="Make one above for a script, the shell client, or another program."/>
                            }.into_any(),
                            Ok(list) => view! {
                                <ul class="cards">{list.into_iter().map(|key| key_view(key, keys)).collect_view()}</ul>
                            }.into_any(),
                            Err(problem) => view! { <Trouble problem retry=move |()| keys.refetch()/> }.into_any(),
                        }
                    })}
                </Transition>
            </Part>
        </Sheet>
    }
}

#[component]
fn NewKey(keys: Keys) -> impl IntoView {
    let attempt = Attempt::new();
    let name = RwSignal::new(String::new());
    let lasts = RwSignal::new("90".to_owned());
    let made = RwSignal::new(None::<CreatedApiKey>);
    let create = move || {
        let wanted =
            CreateApiKey { name: name.get_untracked(), expires_in_days: lasts.get_untracked().parse().ok() };
        attempt.run(api::send::<CreatedApiKey>(Method::Post, "/keys", &wanted), move |key| {
            made.set(Some(key));
            name.set(String::new());
            keys.refetch();
        });
    };
    let lengths = [("30", "30 days"), ("90", "90 days"), ("365", "A year"), ("", "Until it is ended")];
    view! {
        <form class="form is-row" on:submit=move |event| { event.prevent_default(); create(); }>
            <Field label="What is it for" value=name placeholder="Backup script"/>
            <Choice label="It lasts" value=lasts options=lengths.map(|(days, words)| (days.to_owned(), words.to_owned())).to_vec()/>
            <Submit busy=attempt.busy>"Make the key"</Submit>
        </form>
        <AttemptNote attempt/>
        {move || made.get().map(|key| view! { <Shown key/> })}
    }
}

/// The new key, this once.
#[component]
fn Shown(key: CreatedApiKey) -> impl IntoView {
    let copied = RwSignal::new("Copy");
    let text = key.key.clone();
    let copy = move || {
        document::copy(text.clone(), move |worked| {
            copied.set(if worked { "Copied" } else { "Select it and copy by hand" })
        });
    };
    view! {
        <div class="secret" role="status">
            <p>"Copy the key for “" {key.info.name.clone()} "” now. It is not shown again."</p>
            <div class="secret-line">
                <code>{key.key.clone()}</code>
                <Button on_click=move |()| copy()>{Icon::Copy.draw()} {move || copied.get()}</Button>
            </div>
        </div>
    }
}

fn key_view(key: ApiKeyInfo, keys: Keys) -> AnyView {
    let toasts = use_toasts();
    let id = key.id;
    let end = move || {
        spawn_local(async move {
            match api::delete::<()>(format!("/keys/{id}")).await {
                Ok(()) => {
                    toasts.say("The key has ended. Programs that use it are refused now.");
                    keys.refetch();
                }
                Err(problem) => toasts.problem(&problem),
            }
        });
    };
    let used = match key.last_used_at {
        Some(at) => view! { "last used " <Moment at=Signal::stored(at)/> }.into_any(),
        None => "never used".into_any(),
    };
    let until = match key.expires_at {
        Some(at) => view! { ", until " <Day at/> }.into_any(),
        None => ", until it is ended".into_any(),
    };
    view! {
        <li class="card-row">
            <div class="card-row-text">
                <p class="card-row-title">{key.name.clone()} " " <code>{key.prefix.clone()}</code></p>
                <p class="card-row-note">{used} {until}</p>
            </div>
            <Button look=Look::Danger on_click=move |()| end()>"End this key"</Button>
        </li>
    }
    .into_any()
}

/// A day to come.
#[component]
fn Day(at: time::OffsetDateTime) -> impl IntoView {
    let clock = crate::client::clock::use_clock();
    view! {
        <time datetime=crate::client::clock::machine(at)>{move || crate::client::clock::long(at, clock.offset.get())}</time>
    }
}
