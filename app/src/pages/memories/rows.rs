//! Memories in a list: what each says, where it came from, and what is done with it most.

use super::forget::use_ask;
use super::words;
use crate::client::api::{self, Method};
use crate::components::icon::{Icon, IconButton};
use crate::components::moment::Moment;
use crate::components::toast::use_toasts;
use crate::route::Route;
use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::memory::{Memory, MemorySource, OpenedMemory, UpdateMemory};

pub fn rows(memories: Vec<Memory>) -> AnyView {
    memories.into_iter().map(row).collect_view().into_any()
}

fn row(memory: Memory) -> AnyView {
    let (toasts, ask) = (use_toasts(), use_ask());
    let (id, pinned) = (memory.id, memory.pinned);
    let pin = move || {
        let change = UpdateMemory { pinned: Some(!pinned), ..UpdateMemory::default() };
        spawn_local(async move {
            // the list itself follows by the socket
            if let Err(problem) =
                api::send::<OpenedMemory>(Method::Patch, format!("/memories/{id}"), &change).await
            {
                toasts.problem(&problem);
            }
        });
    };
    let (asked, asked_by_key) = (memory.clone(), memory.clone());
    let key = move |event: KeyboardEvent| {
        if event.ctrl_key() || event.meta_key() || event.alt_key() {
            return;
        }
        match event.key().as_str() {
            "Delete" => ask.about(asked_by_key.clone()),
            "p" => pin(),
            _ => return,
        }
        event.prevent_default();
    };
    view! {
        <li class="card-row memory-row" on:keydown=key>
            <div class="card-row-text">
                <p class="memory-text"><a href=Route::Memory(id).path() data-row=id.to_string()>{words::shown(&memory.content)}</a></p>
                {facts(&memory)}
            </div>
            <span class="memory-acts">
                <IconButton icon=Icon::Pin label=if pinned { "Unpin" } else { "Pin: tell it before every answer" }
                    pressed=Signal::stored(pinned) on_click=move |()| pin()/>
                <IconButton icon=Icon::Bin label="Forget…" on_click=move |()| ask.about(asked.clone())/>
            </span>
        </li>
    }
    .into_any()
}

/// Where it came from, since when it holds, and its labels.
pub fn facts(memory: &Memory) -> AnyView {
    view! {
        <p class="card-row-note memory-facts">
            {source_link(&memory.source)}
            <span>"since " <Moment at=Signal::stored(memory.held_from)/></span>
            {memory.held_until.map(|until| view! { <span>"until " <Moment at=Signal::stored(until)/></span> })}
            {words::labels(memory).into_iter().map(|label| view! { <span class="tag">{label}</span> }).collect_view()}
        </p>
    }
    .into_any()
}

pub fn source_link(source: &MemorySource) -> AnyView {
    let said = words::shown(&words::source(source));
    match source.url.clone() {
        Some(url) if url.starts_with('/') => {
            view! { <a class="memory-source" href=url>{said}</a> }.into_any()
        }
        Some(url) => {
            view! { <a class="memory-source" href=url rel="noopener noreferrer" target="_blank">{said}</a> }
                .into_any()
        }
        None => view! { <span class="memory-source">{said}</span> }.into_any(),
    }
}
