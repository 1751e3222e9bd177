//! The head of a conversation: its title, renamed in place, and what can be done with it.

use super::Place;
use super::view::Shared;
use crate::components::icon::{Icon, IconButton};
use crate::components::menu::{Menu, MenuItem};
use crate::pages::conversations::use_conversations;
use leptos::ev::KeyboardEvent;
use leptos::html;
use leptos::prelude::*;

#[component]
pub fn Header(shared: Shared, place: Place) -> impl IntoView {
    let exchange = shared.exchange;
    let summary = exchange.thread.summary;
    let renaming = RwSignal::new(false);
    if place == Place::Page {
        let asked = use_conversations().renaming_open;
        Effect::new(move |_| {
            if asked.get() {
                asked.set(false);
                renaming.set(true);
            }
        });
    }
    let title = Memo::new(move |_| {
        summary.with(|s| s.as_ref().map(|s| s.display_title().to_owned()).unwrap_or_default())
    });
    let pinned = Memo::new(move |_| summary.with(|s| s.as_ref().is_some_and(|s| s.pinned)));
    let heading = move || match place {
        Place::Page => view! { <h1 class="title">{title}</h1> }.into_any(),
        Place::Panel => view! { <h2 class="title">{title}</h2> }.into_any(),
    };
    view! {
        <header class="conversation-head">
            {move || if renaming.get() {
                view! { <Rename shared renaming title=title.get_untracked()/> }.into_any()
            } else {
                heading()
            }}
            <div class="conversation-acts">
                {move || view! {
                    <IconButton
                        icon=Icon::Pin
                        label=if pinned.get() { "Unpin this conversation" } else { "Pin this conversation" }
                        pressed=Signal::from(pinned)
                        on_click=move |()| exchange.toggle_pin()
                    />
                }}
                {more(shared, place, renaming)}
            </div>
        </header>
    }
}

fn more(shared: Shared, place: Place, renaming: RwSignal<bool>) -> AnyView {
    let exchange = shared.exchange;
    let export = move |format: &'static str| {
        move || {
            exchange.thread.id.get().map(|id| format!("/api/v1/conversations/{id}/export?format={format}"))
        }
    };
    let id = match place {
        Place::Page => "conversation-menu",
        Place::Panel => "conversation-menu-beside",
    };
    view! {
        <Menu id=id.to_owned() label="More about this conversation">
            <MenuItem icon=Icon::Pencil on_choose=move |()| renaming.set(true)>"Rename"</MenuItem>
            <a class="menu-item" role="menuitem" href=export("markdown") download="">
                {Icon::Download.draw()}<span>"Export as Markdown"</span>
            </a>
            <a class="menu-item" role="menuitem" href=export("json") download="">
                {Icon::Download.draw()}<span>"Export as JSON"</span>
            </a>
            <MenuItem icon=Icon::Bin on_choose=move |()| exchange.delete()>"Delete"</MenuItem>
        </Menu>
    }
    .into_any()
}

#[component]
fn Rename(shared: Shared, renaming: RwSignal<bool>, title: String) -> impl IntoView {
    let field = NodeRef::<html::Input>::new();
    let before = title.clone();
    Effect::new(move |_| {
        if let Some(field) = field.get() {
            // After the menu gave the focus back to its button.
            set_timeout(move || field.select(), std::time::Duration::from_millis(30));
        }
    });
    let keep = move || {
        // A field that goes away loses the focus too, after its signals went.
        let Some(Some(field)) = field.try_get_untracked() else { return };
        let new = field.value().trim().to_owned();
        if renaming.get_untracked() && !new.is_empty() && new != before {
            shared.exchange.rename(new);
        }
        renaming.set(false);
    };
    let keep_on_blur = keep.clone();
    view! {
        <input
            class="title-field"
            aria-label="Title of the conversation"
            maxlength="200"
            value=title
            node_ref=field
            on:blur=move |_| keep_on_blur()
            on:keydown=move |event: KeyboardEvent| match event.key().as_str() {
                "Enter" => keep(),
                "Escape" => {
                    event.stop_propagation();
                    renaming.set(false);
                }
                _ => {}
            }
        />
    }
}
