//! All collections, and a field that makes another.

use crate::client::api::{self, Method};
use crate::client::json::fetched;
use crate::client::location::use_location;
use crate::components::attempt::{Attempt, AttemptNote};
use crate::components::button::{Look, Submit};
use crate::components::field::Field;
use crate::components::icon::Icon;
use crate::components::states::{Empty, Skeleton, Trouble};
use crate::pages::Sheet;
use crate::route::Route;
use leptos::prelude::*;
use shared::context::{Collection, CollectionSummary, NameCollection};

#[component]
pub fn ListPage() -> impl IntoView {
    let found = fetched(|| (), |()| api::get::<Vec<CollectionSummary>>("/collections"));
    view! {
        <Sheet title="Collections" lead="Sets of files, notes and pages: search one alone, or give it to a model as a whole.">
            <NewCollection/>
            <Suspense fallback=|| view! { <Skeleton rows=4/> }>
                {move || Suspend::new(async move {
                    match found.await {
                        Ok(all) if all.is_empty() => view! {
                            <Empty title="No collections yet" text="Name one above, then add files, notes and pages from their menus."/>
                        }.into_any(),
                        Ok(all) => view! { <ul class="collection-rows">{all.into_iter().map(row).collect_view()}</ul> }.into_any(),
                        Err(problem) => view! { <Trouble problem retry=move |()| found.refetch()/> }.into_any(),
                    }
                })}
            </Suspense>
        </Sheet>
    }
}

fn row(collection: CollectionSummary) -> AnyView {
    view! {
        <li>
            <a class="collection-row" href=Route::Collection(collection.id).path() data-row=collection.id.to_string()>
                {Icon::Archive.draw()}
                <span class="collection-name">{collection.name}</span>
                <span class="collection-facts">{facts(collection.count, collection.own)}</span>
            </a>
        </li>
    }
    .into_any()
}

/// `3 things · shared with you`
pub fn facts(count: u32, own: bool) -> String {
    let things = match count {
        0 => "empty".to_owned(),
        1 => "1 thing".to_owned(),
        count => format!("{count} things"),
    };
    if own { things } else { format!("{things} · shared with you") }
}

#[component]
fn NewCollection() -> impl IntoView {
    let attempt = Attempt::new();
    let location = use_location();
    let name = RwSignal::new(String::new());
    let make = move || {
        let wanted = NameCollection { name: name.get_untracked() };
        attempt.run(api::send::<Collection>(Method::Post, "/collections", &wanted), move |made| {
            location.go(&Route::Collection(made.summary.id).path());
        });
    };
    view! {
        <form class="form collection-new" on:submit=move |event| { event.prevent_default(); make(); }>
            <AttemptNote attempt/>
            <Field label="New collection" value=name placeholder="House"/>
            <Submit look=Look::Quiet busy=attempt.busy>"Make it"</Submit>
        </form>
    }
}
