//! The password, and the browsers that are signed in.

use super::Part;
use crate::client::api::{self, Method};
use crate::client::json::{Fetched, fetched};
use crate::components::attempt::{Attempt, AttemptNote};
use crate::components::button::{Button, Look, Submit};
use crate::components::field::Field;
use crate::components::moment::Moment;
use crate::components::states::{Skeleton, Trouble};
use crate::components::toast::use_toasts;
use crate::frame::leaving::SignOut;
use crate::pages::Sheet;
use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::account::{ChangePassword, SessionInfo};

#[component]
pub fn SecurityPage() -> impl IntoView {
    let sessions = fetched(|| (), |()| api::get::<Vec<SessionInfo>>("/sessions"));
    view! {
        <Sheet title="Password and sessions">
            <Part title="Password" lead="Changing it ends every other session."><Password changed=move |()| sessions.refetch()/></Part>
            <Part title="Signed in" lead="Every browser that is signed in as you.">
                <Transition fallback=|| view! { <Skeleton rows=2/> }>
                    {move || Suspend::new(async move {
                        match sessions.await {
                            Ok(list) => view! {
                                <ul class="cards">{list.into_iter().map(|one| session_view(one, sessions)).collect_view()}</ul>
                            }.into_any(),
                            Err(problem) => view! { <Trouble problem retry=move |()| sessions.refetch()/> }.into_any(),
                        }
                    })}
                </Transition>
                <SignOut/>
            </Part>
        </Sheet>
    }
}

#[component]
fn Password(#[prop(into)] changed: Callback<()>) -> impl IntoView {
    let toasts = use_toasts();
    let attempt = Attempt::new();
    let (current, new) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let save = move || {
        let change =
            ChangePassword { current_password: current.get_untracked(), new_password: new.get_untracked() };
        attempt.run(api::send::<()>(Method::Put, "/me/password", &change), move |()| {
            current.set(String::new());
            new.set(String::new());
            changed.run(());
            toasts.say("Password changed. Every other session has ended.");
        });
    };
    view! {
        <form class="form" on:submit=move |event| { event.prevent_default(); save(); }>
            <AttemptNote attempt/>
            <Field label="Current password" value=current kind="password" autocomplete="current-password"/>
            <Field label="New password" value=new kind="password" autocomplete="new-password" hint="At least 10 characters."/>
            <p class="form-foot"><Submit busy=attempt.busy>"Change the password"</Submit></p>
        </form>
    }
}

fn session_view(session: SessionInfo, sessions: Fetched<Vec<SessionInfo>>) -> AnyView {
    let toasts = use_toasts();
    let id = session.id;
    let end = move || {
        spawn_local(async move {
            match api::delete::<()>(format!("/sessions/{id}")).await {
                Ok(()) => sessions.refetch(),
                Err(problem) => toasts.problem(&problem),
            }
        });
    };
    view! {
        <li class="card-row">
            <div class="card-row-text">
                <p class="card-row-title">{browser_of(&session.user_agent)}</p>
                <p class="card-row-note">{session.address.clone()} ", last used " <Moment at=Signal::stored(session.last_used_at)/></p>
            </div>
            {match session.current {
                true => view! { <span class="tag">"This one"</span> }.into_any(),
                false => view! { <Button look=Look::Danger on_click=move |()| end()>"End this one"</Button> }.into_any(),
            }}
        </li>
    }
    .into_any()
}

/// Browser and system in a person's words, from the browser's own description.
fn browser_of(user_agent: &str) -> String {
    let browser = [
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ]
    .into_iter()
    .find(|(mark, _)| user_agent.contains(mark))
    .map(|(_, name)| name);
    let system = [
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS X", "Mac"),
        ("Linux", "Linux"),
    ]
    .into_iter()
    .find(|(mark, _)| user_agent.contains(mark))
    .map(|(_, name)| name);
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) if user_agent.is_empty() => "A browser that says nothing of itself".to_owned(),
        (None, None) => user_agent.chars().take(60).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_named_as_people_name_it() {
        let chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36";
        assert_eq!(browser_of(chrome), "Chrome on Linux");
        let phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Version/18.0 Safari/604.1";
        assert_eq!(browser_of(phone), "Safari on iPhone");
        assert_eq!(browser_of("curl/8"), "curl/8");
    }
}
