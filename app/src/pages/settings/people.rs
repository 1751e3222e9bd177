//! Who has an account here. For admins.

use super::Part;
use crate::client::api::{self, Method};
use crate::client::json::{Fetched, fetched};
use crate::components::attempt::{Attempt, AttemptNote};
use crate::components::avatar::initials;
use crate::components::button::Submit;
use crate::components::field::{Choice, Field};
use crate::components::moment::Moment;
use crate::components::states::{Skeleton, Trouble};
use crate::components::toast::use_toasts;
use crate::pages::Sheet;
use leptos::prelude::*;
use shared::UserId;
use shared::account::{CreateUser, Role, SetTier, Tier, UserInfo};

type People = Fetched<Vec<UserInfo>>;

#[component]
pub fn PeoplePage() -> impl IntoView {
    let people: People = fetched(|| (), |()| api::get::<Vec<UserInfo>>("/users"));
    view! {
        <Sheet title="People" lead="Everyone with an account on this server. What each makes is private to them until they share it.">
            <Part title="Accounts">
                <Transition fallback=|| view! { <Skeleton rows=3/> }>
                    {move || Suspend::new(async move {
                        match people.await {
                            Ok(list) => view! {
                                <ul class="cards">{list.into_iter().map(person_view).collect_view()}</ul>
                            }.into_any(),
                            Err(problem) => view! { <Trouble problem retry=move |()| people.refetch()/> }.into_any(),
                        }
                    })}
                </Transition>
            </Part>
            <Part title="Invitations" lead="A link by which one person makes their own account and chooses their password.">
                <super::invites::Invites/>
            </Part>
            <Part title="New account" lead="Give the person the address and the password; they can change it after signing in.">
                <NewPerson people/>
            </Part>
        </Sheet>
    }
}

fn person_view(person: UserInfo) -> AnyView {
    let name =
        if person.display_name.is_empty() { person.email.clone() } else { person.display_name.clone() };
    let letters: String = name
        .split_whitespace()
        .filter_map(|word| word.chars().next())
        .take(2)
        .flat_map(char::to_uppercase)
        .collect();
    view! {
        <li class="card-row">
            {initials(person.id, letters)}
            <div class="card-row-text">
                <p class="card-row-title">{name}</p>
                <p class="card-row-note">{person.email} ", since " <Moment at=Signal::stored(person.created_at)/></p>
            </div>
            {tier(person.id, person.tier)}
            <span class="tag">{person.role.as_str()}</span>
        </li>
    }
    .into_any()
}

/// How much of the memory API the person may use.
fn tier(id: UserId, now: Tier) -> AnyView {
    let toasts = use_toasts();
    let set = move |name: String| {
        let Ok(tier) = name.parse::<Tier>() else { return };
        leptos::task::spawn_local(async move {
            match api::send::<()>(Method::Put, format!("/users/{id}/tier"), &SetTier { tier }).await {
                Ok(()) => {
                    toasts.say(format!("{} requests to memories a day from now on.", tier.daily_requests()))
                }
                Err(problem) => toasts.problem(&problem),
            }
        });
    };
    view! {
        <label class="tier">
            <span class="visually-hidden">"Tier"</span>
            <select on:change=move |event| set(event_target_value(&event))>
                {Tier::ALL.map(|tier| view! { <option value=tier.as_str() selected=tier == now>{tier.as_str()}</option> }).collect_view()}
            </select>
        </label>
    }
    .into_any()
}

#[component]
fn NewPerson(people: People) -> impl IntoView {
    let toasts = use_toasts();
    let attempt = Attempt::new();
    let [email, name, password] = [(); 3].map(|()| RwSignal::new(String::new()));
    let role = RwSignal::new(Role::Developer.as_str().to_owned());
    let create = move || {
        let display_name = name.get_untracked().trim().to_owned();
        let wanted = CreateUser {
            email: email.get_untracked().trim().to_owned(),
            display_name: (!display_name.is_empty()).then_some(display_name),
            role: role.get_untracked().parse().unwrap_or(Role::Viewer),
            password: password.get_untracked(),
        };
        attempt.run(api::send::<UserInfo>(Method::Post, "/users", &wanted), move |made| {
            for field in [email, name, password] {
                field.set(String::new());
            }
            toasts.say(format!("{} can sign in now.", made.email));
            people.refetch();
        });
    };
    let roles = [
        (Role::Viewer, "Viewer: reads and talks to models"),
        (Role::Developer, "Developer: makes things too"),
        (Role::Admin, "Admin: runs the server"),
    ];
    view! {
        <form class="form" on:submit=move |event| { event.prevent_default(); create(); }>
            <AttemptNote attempt/>
            <Field label="E-mail" value=email kind="email"/>
            <Field label="Name" value=name/>
            <Field label="Password" value=password kind="password" autocomplete="new-password" hint="At least 10 characters."/>
            <Choice label="Role" value=role options=roles.map(|(role, words)| (role.as_str().to_owned(), words.to_owned())).to_vec()/>
            <p class="form-foot"><Submit busy=attempt.busy>"Make the account"</Submit></p>
        </form>
    }
}
