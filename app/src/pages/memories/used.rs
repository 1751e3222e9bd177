//! What an answer was told of: "Used 3 memories", which opens to each with where it came from. The message names
//! them only; what they say is fetched when one looks, and what was forgotten since is not there.

use super::rows::source_link;
use super::words;
use crate::client::api;
use crate::route::Route;
use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::memory::Memory;
use shared::page::Page;
use shared::{MemoryId, Problem};

#[component]
pub fn Used(ids: Vec<MemoryId>) -> impl IntoView {
    let title = match ids.len() {
        1 => "Used 1 memory".to_owned(),
        count => format!("Used {count} memories"),
    };
    let found = RwSignal::new(None::<Result<Vec<Memory>, Problem>>);
    let asked: String = ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    let fetch = move || {
        if found.with_untracked(|found| matches!(found, Some(Ok(_)))) {
            return;
        }
        let page = api::get::<Page<Memory>>(format!("/memories?limit=100&ids={asked}"));
        spawn_local(async move {
            let page = page.await;
            drop(found.try_set(Some(page.map(|page| page.items))));
        });
    };
    view! {
        <details class="step used-memories" on:toggle=move |_| fetch()>
            <summary>{title}</summary>
            <ul class="step-text">
                {ids.into_iter().map(|id| view! { <li>{move || found.with(|found| said(id, found.as_ref()))}</li> }).collect_view()}
            </ul>
        </details>
    }
}

fn said(id: MemoryId, found: Option<&Result<Vec<Memory>, Problem>>) -> AnyView {
    let to = Route::Memory(id).path();
    match found {
        // before it is opened, and without scripts
        None => view! { <a href=to>"A memory"</a> }.into_any(),
        Some(Err(problem)) => problem.error.clone().into_any(),
        Some(Ok(memories)) => match memories.iter().find(|memory| memory.id == id) {
            Some(memory) => view! {
                <a href=to>{words::shown(&memory.content)}</a>
                <span class="used-source">" · " {source_link(&memory.source)}</span>
            }
            .into_any(),
            None => {
                view! { <span class="used-source">"A memory that you have forgotten since"</span> }.into_any()
            }
        },
    }
}
