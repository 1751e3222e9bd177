//! Who may see the note or folder: people, links, until when, taken back at once.

use crate::client::api::{self, Method};
use crate::client::document;
use crate::client::json::{Fetched, fetched};
use crate::components::attempt::{Attempt, AttemptNote};
use crate::components::avatar::initials;
use crate::components::button::{Button, Look, Submit};
use crate::components::field::{Choice, Field};
use crate::components::icon::Icon;
use crate::components::states::{Skeleton, Trouble};
use crate::components::toast::use_toasts;
use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::Value;
use shared::NoteId;
use shared::note::{Access, CreateShare, Person, Share};
use time::{Duration, OffsetDateTime};

type Found = Fetched<Vec<Share>>;

#[component]
pub fn ShareTab(id: NoteId) -> impl IntoView {
    view! { <SharePart of=format!("/notes/{id}")/> }
}

/// The shares of a note or folder, `/notes/{id}` or `/folders/{id}`.
#[component]
pub fn SharePart(of: String) -> impl IntoView {
    let path = format!("{of}/shares");
    let of = StoredValue::new(path.clone());
    let found: Found = fetched(|| (), move |()| api::get::<Vec<Share>>(path.clone()));
    view! {
        <section class="beside-part">
            <h2>"With a person"</h2>
            <WithPerson of found/>
        </section>
        <section class="beside-part">
            <h2>"By a link"</h2>
            <ByLink of found/>
        </section>
        <section class="beside-part">
            <h2>"Shared now"</h2>
            <Transition fallback=|| view! { <Skeleton rows=2/> }>
                {move || Suspend::new(async move {
                    match found.await {
                        Ok(shares) if shares.is_empty() => view! {
                            <p class="list-empty">"Only you see it."</p>
                        }.into_any(),
                        Ok(shares) => view! {
                            <ul class="cards">{shares.into_iter().map(|share| share_view(of, share, found)).collect_view()}</ul>
                        }.into_any(),
                        Err(problem) => view! { <Trouble problem retry=move |()| found.refetch()/> }.into_any(),
                    }
                })}
            </Transition>
        </section>
    }
}

fn words(access: Access) -> &'static str {
    match access {
        Access::View => "may read",
        Access::Comment => "may comment",
        Access::Edit => "may write",
        Access::Owner => "owns it",
    }
}

fn access_options() -> Vec<(String, String)> {
    [(Access::View, "May read"), (Access::Comment, "May comment"), (Access::Edit, "May write")]
        .map(|(access, words)| (access.as_str().to_owned(), words.to_owned()))
        .to_vec()
}

fn chosen(access: RwSignal<String>) -> Access {
    Access::parse(&access.get_untracked()).unwrap_or(Access::View)
}

#[component]
fn WithPerson(of: StoredValue<String>, found: Found) -> impl IntoView {
    let attempt = Attempt::new();
    let who = RwSignal::new(String::new());
    let access = RwSignal::new(Access::Edit.as_str().to_owned());
    let offered = RwSignal::new(Vec::<Person>::new());
    // names as they are typed; an address that nobody here has is said by the server
    Effect::new(move |before: Option<()>| {
        let prefix = who.get();
        if before.is_none() || prefix.trim().is_empty() {
            return;
        }
        spawn_local(async move {
            if let Ok(people) =
                api::get::<Vec<Person>>(format!("/people?prefix={}", api::encode(&prefix))).await
            {
                offered.try_set(people);
            }
        });
    });
    let share = move || {
        let typed = who.get_untracked().trim().to_owned();
        let user_id =
            offered.with_untracked(|people| people.iter().find(|one| one.name == typed).map(|one| one.id));
        let email = user_id.is_none().then_some(typed);
        let wanted = CreateShare { access: chosen(access), user_id, email, password: None, expires_at: None };
        attempt.run(api::send::<Share>(Method::Post, of.get_value(), &wanted), move |_| {
            who.set(String::new());
            found.refetch();
        });
    };
    view! {
        <form class="form" on:submit=move |event| { event.prevent_default(); share(); }>
            <AttemptNote attempt/>
            <Field label="Name or e-mail address" value=who list="people-here"/>
            <datalist id="people-here">
                {move || offered.get().into_iter().map(|one| view! { <option value=one.name></option> }).collect_view()}
            </datalist>
            <Choice label="They" value=access options=access_options()/>
            <p class="form-foot"><Submit look=Look::Quiet busy=attempt.busy>"Share"</Submit></p>
        </form>
    }
}

#[component]
fn ByLink(of: StoredValue<String>, found: Found) -> impl IntoView {
    let attempt = Attempt::new();
    let access = RwSignal::new(Access::View.as_str().to_owned());
    let lasts = RwSignal::new("7".to_owned());
    let password = RwSignal::new(String::new());
    let made = RwSignal::new(None::<String>);
    let now = crate::client::clock::use_clock().now;
    let make = move || {
        let days: Option<i64> = lasts.get_untracked().parse().ok();
        let expires_at: Option<OffsetDateTime> = days.map(|days| now.get_untracked() + Duration::days(days));
        let password_now = Some(password.get_untracked()).filter(|word| !word.is_empty());
        let wanted = CreateShare {
            access: chosen(access),
            user_id: None,
            email: None,
            password: password_now,
            expires_at,
        };
        attempt.run(api::send::<Share>(Method::Post, of.get_value(), &wanted), move |share| {
            made.set(share.url);
            password.set(String::new());
            found.refetch();
        });
    };
    let lengths = [("1", "A day"), ("7", "A week"), ("30", "30 days"), ("", "Until it is taken back")];
    let access_of_links =
        access_options().into_iter().filter(|(name, _)| name != "comment").collect::<Vec<_>>();
    view! {
        <form class="form" on:submit=move |event| { event.prevent_default(); make(); }>
            <AttemptNote attempt/>
            <Choice label="Whoever has it" value=access options=access_of_links/>
            <Choice label="It lasts" value=lasts options=lengths.map(|(days, words)| (days.to_owned(), words.to_owned())).to_vec()/>
            <Field label="Password" value=password kind="password" autocomplete="new-password" hint="Empty: none."/>
            <p class="form-foot"><Submit look=Look::Quiet busy=attempt.busy>"Make a link"</Submit></p>
        </form>
        {move || made.get().map(|url| view! { <Copied url what="The link is shown this once."/> })}
    }
}

/// An address that is shown once, with a button that copies it.
#[component]
pub fn Copied(url: String, what: &'static str) -> impl IntoView {
    let copied = RwSignal::new("Copy");
    let shown = whole(&url);
    let text = shown.clone();
    let copy = move || {
        document::copy(text.clone(), move |worked| {
            copied.set(if worked { "Copied" } else { "Select it and copy by hand" });
        });
    };
    view! {
        <div class="secret" role="status">
            <p>{what}</p>
            <div class="secret-line">
                <code>{shown}</code>
                <Button on_click=move |()| copy()>{Icon::Copy.draw()} {move || copied.get()}</Button>
            </div>
        </div>
    }
}

/// With our own origin, where the server gave a path.
fn whole(url: &str) -> String {
    #[cfg(feature = "hydrate")]
    if url.starts_with('/')
        && let Ok(origin) = window().location().origin()
    {
        return format!("{origin}{url}");
    }
    url.to_owned()
}

fn share_view(of: StoredValue<String>, share: Share, found: Found) -> AnyView {
    let toasts = use_toasts();
    let id = share.id;
    let end = move || {
        let ended = api::delete::<Value>(format!("{}/{id}", of.get_value()));
        spawn_local(async move {
            match ended.await {
                Ok(_) => {
                    toasts.say("Taken back. Whoever had it open sees it no longer.");
                    found.refetch();
                }
                Err(problem) => toasts.problem(&problem),
            }
        });
    };
    let (picture, name) = match &share.person {
        Some(person) => {
            let letters = person.name.split_whitespace().filter_map(|word| word.chars().next()).take(2);
            (initials(person.id, letters.flat_map(char::to_uppercase).collect()), person.name.clone())
        }
        None => (Icon::Link.draw(), "Whoever has the link".to_owned()),
    };
    let mut notes = vec![words(share.access).to_owned()];
    if share.password {
        notes.push("with a password".to_owned());
    }
    let inherited = share.folder_id.is_some();
    if inherited {
        notes.push("by its folder".to_owned());
    }
    view! {
        <li class="card-row">
            {picture}
            <div class="card-row-text">
                <p class="card-row-title">{name}</p>
                <p class="card-row-note">{notes.join(", ")} {share.expires_at.map(|at| view! { ", until " <Until at/> })}</p>
            </div>
            {(!inherited).then(|| view! { <Button look=Look::Danger on_click=move |()| end()>"Take back"</Button> })}
        </li>
    }
    .into_any()
}

/// A time to come.
#[component]
fn Until(at: OffsetDateTime) -> impl IntoView {
    let clock = crate::client::clock::use_clock();
    view! {
        <time datetime=crate::client::clock::machine(at)>{move || crate::client::clock::long(at, clock.offset.get())}</time>
    }
}
