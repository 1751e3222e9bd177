//! One collection: what is in it, its name, with whom it is shared.

use super::list::facts;
use crate::client::api::{self, Method};
use crate::client::json::{Fetched, fetched};
use crate::client::location::use_location;
use crate::components::attempt::{Attempt, AttemptNote};
use crate::components::button::{Button, Look, Submit};
use crate::components::field::Field;
use crate::components::icon::{Icon, IconButton};
use crate::components::states::{Empty, Skeleton, Trouble};
use crate::components::toast::use_toasts;
use crate::pages::Sheet;
use crate::pages::chat::attaching::{icon_of, word_of};
use crate::route::Route;
use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::Value;
use shared::context::{Attached, Collection, CollectionSummary, NameCollection};
use shared::note::{Access, CreateShare, Share};
use shared::{CollectionId, ErrorCode, Problem};

#[component]
pub fn OpenedPage(id: CollectionId) -> impl IntoView {
    let found = fetched(|| (), move |()| api::get::<Collection>(format!("/collections/{id}")));
    view! {
        <Suspense fallback=|| view! { <Sheet title="Collection"><Skeleton rows=4/></Sheet> }>
            {move || Suspend::new(async move {
                match found.await {
                    Ok(collection) => opened(collection),
                    Err(problem) => missing(problem, Callback::new(move |()| found.refetch())),
                }
            })}
        </Suspense>
    }
}

fn missing(problem: Problem, retry: Callback<()>) -> AnyView {
    if problem.error_code != ErrorCode::NotFound {
        return view! { <Sheet title="Collection"><Trouble problem retry/></Sheet> }.into_any();
    }
    #[cfg(feature = "ssr")]
    crate::server::not_found();
    view! {
        <Sheet title="There is no such collection">
            <Empty title="Nothing here" text="It may have been deleted, or it is not shared with you any more.">
                <a class="button is-main" href=Route::Collections.path()>"All collections"</a>
            </Empty>
        </Sheet>
    }
    .into_any()
}

fn opened(collection: Collection) -> AnyView {
    let Collection { summary, items } = collection;
    let (id, own) = (summary.id, summary.own);
    let name = RwSignal::new(summary.name.clone());
    let items = RwSignal::new(items);
    let count = move || facts(items.with(|items| u32::try_from(items.len()).unwrap_or(u32::MAX)), own);
    let search = move || {
        let name = name.get();
        format!("{}?q={}", Route::Search.path(), api::encode(&format!("in:\"{name}\" ")))
    };
    view! {
        <div class="sheet">
            <header class="sheet-head">
                <p class="collection-up"><a href=Route::Collections.path()>"Collections"</a></p>
                <h1>{move || name.get()}</h1>
                <p class="sheet-lead">{count}</p>
                <p class="collection-acts">
                    <a class="button" href=search>{Icon::Search.draw()}"Search in it"</a>
                    <a class="button" href=move || format!("{}?attach=collection:{id}", Route::NewConversation.path())>
                        {Icon::Chat.draw()}"Ask about it"
                    </a>
                </p>
            </header>
            {move || match items.with(Vec::is_empty) {
                true => view! {
                    <Empty title="Nothing in it" text="Add files, notes and pages from their menus: “Add to a collection”."/>
                }.into_any(),
                false => view! {
                    <ul class="collection-rows">
                        {items.get().into_iter().map(|one| item(one, id, own, items)).collect_view()}
                    </ul>
                }.into_any(),
            }}
            {own.then(|| view! { <Sharing id/> <Naming id name/> })}
        </div>
    }
    .into_any()
}

fn item(one: Attached, id: CollectionId, own: bool, items: RwSignal<Vec<Attached>>) -> AnyView {
    let thing = one.thing;
    let toasts = use_toasts();
    let title = one.title.clone();
    let put_back = move || {
        spawn_local(async move {
            match api::send::<Collection>(Method::Post, format!("/collections/{id}/items"), &thing).await {
                Ok(now) => drop(items.try_set(now.items)),
                Err(problem) => toasts.problem(&problem),
            }
        });
    };
    let remove = move || {
        let path = format!("/collections/{id}/items/{}/{}", thing.kind.as_str(), thing.id);
        let said = format!("{title} taken out. It stays where it is.");
        spawn_local(async move {
            match api::delete::<Collection>(path).await {
                Ok(left) => {
                    drop(items.try_set(left.items));
                    toasts.undo(said, put_back);
                }
                Err(problem) => toasts.problem(&problem),
            }
        });
    };
    let label = format!("Take {} out", one.title);
    let by_key = remove.clone();
    view! {
        <li class="collection-item" on:keydown=move |event| if own && event.key() == "Delete" {
            // what is deleted elsewhere is only taken out here
            event.prevent_default();
            by_key();
        }>
            <a class="collection-row" href=thing.url() data-row=thing.id.to_string()>
                {icon_of(thing.kind).draw()}
                <span class="collection-name">{one.title}</span>
                <span class="collection-facts">{word_of(thing.kind)}</span>
            </a>
            {own.then(|| view! { <IconButton icon=Icon::Close label=label on_click=move |()| remove()/> })}
        </li>
    }
    .into_any()
}

/// With whom the list is shared.
#[component]
fn Sharing(id: CollectionId) -> impl IntoView {
    let path = format!("/collections/{id}/shares");
    let of = StoredValue::new(path.clone());
    let found = fetched(|| (), move |()| api::get::<Vec<Share>>(path.clone()));
    let attempt = Attempt::new();
    let email = RwSignal::new(String::new());
    let share = move || {
        let wanted = CreateShare {
            access: Access::View,
            user_id: None,
            email: Some(email.get_untracked().trim().to_owned()),
            password: None,
            expires_at: None,
        };
        attempt.run(api::send::<Share>(Method::Post, of.get_value(), &wanted), move |_| {
            email.set(String::new());
            found.refetch();
        });
    };
    view! {
        <section class="part">
            <h2>"Sharing"</h2>
            <p class="part-lead">"Members see those things in it that are shared with them anyway: the list is shared, not what stands in it."</p>
            <Transition fallback=|| view! { <Skeleton rows=1/> }>
                {move || Suspend::new(async move {
                    match found.await {
                        Ok(shares) => view! {
                            <ul class="collection-rows">
                                {shares.into_iter().map(|share| shared_with(share, of, found)).collect_view()}
                            </ul>
                        }.into_any(),
                        Err(problem) => view! { <Trouble problem retry=move |()| found.refetch()/> }.into_any(),
                    }
                })}
            </Transition>
            <form class="form collection-new" on:submit=move |event| { event.prevent_default(); share(); }>
                <AttemptNote attempt/>
                <Field label="E-mail address of a member" value=email kind="email"/>
                <Submit look=Look::Quiet busy=attempt.busy>"Share the list"</Submit>
            </form>
        </section>
    }
}

fn shared_with(share: Share, of: StoredValue<String>, found: Fetched<Vec<Share>>) -> AnyView {
    let toasts = use_toasts();
    let again = CreateShare {
        access: Access::View,
        user_id: share.person.as_ref().map(|person| person.id),
        email: None,
        password: None,
        expires_at: None,
    };
    let name = share.person.map(|person| person.name).unwrap_or_default();
    let said = format!("No longer shared with {name}.");
    // whoever undoes may have left the collection by then
    let path = of.get_value();
    let share_again = move || {
        let shared = api::send::<Share>(Method::Post, path.clone(), &again);
        spawn_local(async move {
            match shared.await {
                Ok(_) => found.refetch(),
                Err(problem) => toasts.problem(&problem),
            }
        });
    };
    let end = move |()| {
        let (said, share_again) = (said.clone(), share_again.clone());
        spawn_local(async move {
            match api::delete::<Value>(format!("{}/{}", of.get_value(), share.id)).await {
                Ok(_) => {
                    found.refetch();
                    toasts.undo(said, share_again);
                }
                Err(problem) => toasts.problem(&problem),
            }
        });
    };
    view! {
        <li class="collection-item">
            <span class="collection-row">{Icon::Person.draw()}<span class="collection-name">{name.clone()}</span></span>
            <IconButton icon=Icon::Close label=format!("End sharing with {name}") on_click=end/>
        </li>
    }
    .into_any()
}

/// Its name, and its end.
#[component]
fn Naming(id: CollectionId, name: RwSignal<String>) -> impl IntoView {
    let attempt = Attempt::new();
    let toasts = use_toasts();
    let location = use_location();
    let field = RwSignal::new(name.get_untracked());
    let rename = move || {
        let wanted = NameCollection { name: field.get_untracked() };
        let sent = api::send::<CollectionSummary>(Method::Patch, format!("/collections/{id}"), &wanted);
        attempt.run(sent, move |renamed| {
            name.set(renamed.name);
            toasts.say("Renamed.");
        });
    };
    let delete = move |()| {
        attempt.run(api::delete::<Value>(format!("/collections/{id}")), move |_| {
            location.go(&Route::Collections.path());
            toasts.undo("Collection deleted. What was in it stays.", move || {
                spawn_local(async move {
                    match api::act::<Collection>(Method::Post, format!("/collections/{id}/restore")).await {
                        Ok(_) => location.go(&Route::Collection(id).path()),
                        Err(problem) => toasts.problem(&problem),
                    }
                });
            });
        });
    };
    view! {
        <section class="part">
            <h2>"This collection"</h2>
            <form class="form collection-new" on:submit=move |event| { event.prevent_default(); rename(); }>
                <AttemptNote attempt/>
                <Field label="Name" value=field/>
                <Submit look=Look::Quiet busy=attempt.busy>"Rename"</Submit>
            </form>
            <p class="form-foot"><Button look=Look::Danger busy=attempt.busy on_click=delete>"Delete the collection"</Button></p>
        </section>
    }
}
