//! What one wants of one's memories, how much of the day's quota is used, and how to take them along.

use crate::client::api::{self, Method};
use crate::client::json::fetched;
use crate::components::icon::Icon;
use crate::components::states::{Skeleton, Trouble};
use crate::components::toast::use_toasts;
use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::memory::{MemoryQuota, MemorySettings, UpdateMemorySettings};

#[component]
pub fn Preferences() -> impl IntoView {
    let settings = fetched(|| (), |()| api::get::<MemorySettings>("/memories/settings"));
    let quota = fetched(|| (), |()| api::get::<MemoryQuota>("/memories/quota"));
    view! {
        <Transition fallback=|| view! { <Skeleton rows=2/> }>
            {move || Suspend::new(async move {
                match settings.await {
                    Ok(settings) => choices(settings),
                    Err(problem) => view! { <Trouble problem retry=move |()| settings.refetch()/> }.into_any(),
                }
            })}
            {move || Suspend::new(async move { quota.await.ok().map(quota_line) })}
        </Transition>
        <p class="memory-export">
            <a class="button" href="/api/v1/memories/export?format=markdown" download="">{Icon::Download.draw()} "Export as Markdown"</a>
            <a class="button" href="/api/v1/memories/export?format=json" download="">{Icon::Download.draw()} "Export as JSON"</a>
        </p>
    }
}

fn choices(settings: MemorySettings) -> AnyView {
    view! {
        {choice("Tell models what bears on a question", "The answer says which memories were used.", settings.use_in_answers,
            |on| UpdateMemorySettings { use_in_answers: Some(on), ..UpdateMemorySettings::default() })}
        {choice("Suggest what to remember after a conversation", "Its own model is asked once the conversation rests. You accept each suggestion, or let it go.", settings.suggest,
            |on| UpdateMemorySettings { suggest: Some(on), ..UpdateMemorySettings::default() })}
    }
    .into_any()
}

fn choice(
    title: &'static str,
    note: &'static str,
    first: bool,
    change: fn(bool) -> UpdateMemorySettings,
) -> AnyView {
    let toasts = use_toasts();
    let is_on = RwSignal::new(first);
    let set = move |on: bool| {
        is_on.set(on);
        spawn_local(async move {
            let sent = api::send::<MemorySettings>(Method::Patch, "/memories/settings", &change(on)).await;
            if let Err(problem) = sent {
                is_on.try_set(!on);
                toasts.problem(&problem);
            }
        });
    };
    view! {
        <label class="choice-line">
            <input type="checkbox" checked=first prop:checked=move || is_on.get()
                on:change=move |event| set(event_target_checked(&event))/>
            <span>{title}<small>{note}</small></span>
        </label>
    }
    .into_any()
}

fn quota_line(quota: MemoryQuota) -> AnyView {
    let said = format!(
        "Programs and this page saved or searched {} of {} times today (tier {}). The count begins anew at midnight, UTC.",
        quota.used,
        quota.limit,
        quota.tier.as_str()
    );
    view! { <p class="card-row-note number">{said}</p> }.into_any()
}
