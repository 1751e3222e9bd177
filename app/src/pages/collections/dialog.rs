//! Puts a file, a note or a page into a collection, from its menu.

use crate::client::api::{self, Method};
use crate::components::attempt::{Attempt, AttemptNote};
use crate::components::button::{Button, Look, Submit};
use crate::components::dialog::show_while;
use crate::components::field::Field;
use crate::components::icon::Icon;
use crate::components::states::{Skeleton, Trouble};
use crate::components::toast::use_toasts;
use leptos::prelude::*;
use shared::CollectionId;
use shared::context::{Attached, Collection, CollectionSummary, NameCollection};

/// The thing that is to be put into a collection. Given as context.
#[derive(Clone, Copy)]
pub struct Collecting(pub RwSignal<Option<Attached>>);

impl Collecting {
    pub fn provide() {
        provide_context(Self(RwSignal::new(None)));
    }
}

pub fn use_collecting() -> Collecting {
    expect_context::<Collecting>()
}

#[component]
pub fn CollectDialog() -> impl IntoView {
    let Collecting(thing) = use_collecting();
    let dialog = NodeRef::<leptos::html::Dialog>::new();
    let open = RwSignal::new(false);
    Effect::new(move |_| open.set(thing.with(Option::is_some)));
    show_while(dialog, open);
    view! {
        <dialog class="ask" node_ref=dialog aria-labelledby="collect-title" on:close=move |_| thing.set(None)
            on:click=move |event| if event.target() == event.current_target() { thing.set(None) }>
            {move || thing.get().map(|thing| view! { <div class="ask-inner"><Choices thing open/></div> })}
        </dialog>
    }
}

#[component]
fn Choices(thing: Attached, open: RwSignal<bool>) -> impl IntoView {
    let toasts = use_toasts();
    let attempt = Attempt::new();
    let name = RwSignal::new(String::new());
    let title = thing.title.clone();
    let thing = thing.thing;
    let found = LocalResource::new(|| api::get::<Vec<CollectionSummary>>("/collections"));
    let put = move |id: CollectionId| {
        let sent = api::send::<Collection>(Method::Post, format!("/collections/{id}/items"), &thing);
        attempt.run(sent, move |collection| {
            open.set(false);
            toasts.say(format!("Added to {}", collection.summary.name));
        });
    };
    let make = move || {
        let wanted = NameCollection { name: name.get_untracked() };
        attempt.run(api::send::<Collection>(Method::Post, "/collections", &wanted), move |made| {
            put(made.summary.id)
        });
    };
    view! {
        <h2 id="collect-title">{format!("Add “{title}” to a collection")}</h2>
        <AttemptNote attempt/>
        {move || match found.get() {
            None => view! { <Skeleton rows=2/> }.into_any(),
            Some(Err(problem)) => view! { <Trouble problem/> }.into_any(),
            Some(Ok(all)) => view! {
                <ul class="collection-rows">
                    {all.into_iter().filter(|one| one.own).map(|one| view! {
                        <li>
                            <button type="button" class="collection-row" on:click=move |_| put(one.id)>
                                {Icon::Archive.draw()}<span class="collection-name">{one.name.clone()}</span>
                            </button>
                        </li>
                    }).collect_view()}
                </ul>
            }.into_any(),
        }}
        <form class="form collection-new" on:submit=move |event| { event.prevent_default(); make(); }>
            <Field label="Or a new one" value=name/>
            <Submit look=Look::Quiet busy=attempt.busy>"Make it"</Submit>
        </form>
        <p class="form-foot"><Button look=Look::Plain on_click=move |()| open.set(false)>"Cancel"</Button></p>
    }
}
