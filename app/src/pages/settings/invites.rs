//! Invitations: links by which people join this server, made and taken back by admins.

use crate::client::api::{self, Method};
use crate::client::clock;
use crate::client::json::{Fetched, fetched};
use crate::components::attempt::{Attempt, AttemptNote};
use crate::components::button::{Button, Look, Submit};
use crate::components::field::Choice;
use crate::components::states::{Skeleton, Trouble};
use crate::components::toast::use_toasts;
use crate::pages::notes::Copied;
use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::Value;
use shared::account::Role;
use shared::note::{CreateInvite, Invite};

type Found = Fetched<Vec<Invite>>;

#[component]
pub fn Invites() -> impl IntoView {
    let found: Found = fetched(|| (), |()| api::get::<Vec<Invite>>("/invites"));
    view! {
        <NewInvite found/>
        <Transition fallback=|| view! { <Skeleton rows=2/> }>
            {move || Suspend::new(async move {
                match found.await {
                    Ok(invites) => view! {
                        <ul class="cards">{invites.into_iter().map(|invite| invite_view(invite, found)).collect_view()}</ul>
                    }.into_any(),
                    Err(problem) => view! { <Trouble problem retry=move |()| found.refetch()/> }.into_any(),
                }
            })}
        </Transition>
    }
}

#[component]
fn NewInvite(found: Found) -> impl IntoView {
    let attempt = Attempt::new();
    let role = RwSignal::new(Role::Developer.as_str().to_owned());
    let hours = RwSignal::new("72".to_owned());
    let made = RwSignal::new(None::<String>);
    let make = move || {
        let wanted = CreateInvite {
            role: role.get_untracked().parse().unwrap_or(Role::Viewer),
            hours: hours.get_untracked().parse().ok(),
        };
        attempt.run(api::send::<Invite>(Method::Post, "/invites", &wanted), move |invite| {
            made.set(invite.url);
            found.refetch();
        });
    };
    let roles = [(Role::Viewer, "Viewer"), (Role::Developer, "Developer"), (Role::Admin, "Admin")];
    let lengths = [("24", "A day"), ("72", "3 days"), ("168", "A week")];
    view! {
        <form class="form is-row" on:submit=move |event| { event.prevent_default(); make(); }>
            <Choice label="They join as" value=role options=roles.map(|(role, words)| (role.as_str().to_owned(), words.to_owned())).to_vec()/>
            <Choice label="It lasts" value=hours options=lengths.map(|(hours, words)| (hours.to_owned(), words.to_owned())).to_vec()/>
            <Submit look=Look::Quiet busy=attempt.busy>"Make an invitation"</Submit>
        </form>
        <AttemptNote attempt/>
        {move || made.get().map(|url| view! { <Copied url what="Send this link to one person. It is shown this once, and works once."/> })}
    }
}

fn invite_view(invite: Invite, found: Found) -> AnyView {
    let toasts = use_toasts();
    let offset = clock::use_clock().offset;
    let (id, at) = (invite.id, invite.expires_at);
    let end = move || {
        let ended = api::delete::<Value>(format!("/invites/{id}"));
        spawn_local(async move {
            match ended.await {
                Ok(_) => found.refetch(),
                Err(problem) => toasts.problem(&problem),
            }
        });
    };
    view! {
        <li class="card-row">
            <div class="card-row-text">
                <p class="card-row-title">{format!("Joins as {}", invite.role.as_str())}</p>
                <p class="card-row-note">
                    {if invite.used { "Used" } else { "Until " }}
                    {(!invite.used).then(|| view! { <time datetime=clock::machine(at)>{move || clock::long(at, offset.get())}</time> })}
                </p>
            </div>
            {(!invite.used).then(|| view! { <Button look=Look::Danger on_click=move |()| end()>"Take back"</Button> })}
        </li>
    }
    .into_any()
}
