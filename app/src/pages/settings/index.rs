//! The search from the side of whoever keeps it in order: how it goes, and reading everything anew.

use super::Part;
use crate::client::api::{self, Method};
use crate::client::session::use_session;
use crate::components::button::{Button, Look};
use crate::pages::Sheet;
use crate::pages::search_mode::SearchMode;
use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::Problem;
use shared::upkeep::{Reindex, Reindexing, Scope};
use std::time::Duration;

/// How often it is asked how far it is.
const PACE: Duration = Duration::from_millis(800);

#[component]
pub fn IndexPage() -> impl IntoView {
    let is_admin = use_session().is_admin();
    view! {
        <Sheet title="Search" lead="Notes, files, conversations, pages and memories are found by their words and by what they mean.">
            <SearchMode/>
            <Part title="Read everything anew"
                lead="Reads all files from their first byte and cuts notes, conversations, saved pages and memories into passages again. What comes out as it was stays as it is. Search goes on meanwhile.">
                <Anew scope=Scope::Mine label="Read what is mine anew"/>
                {is_admin.then(|| view! { <Anew scope=Scope::Everything label="Read everybody's anew"/> })}
            </Part>
        </Sheet>
    }
}

fn address(scope: Scope) -> &'static str {
    match scope {
        Scope::Mine => "/reindex?scope=mine",
        Scope::Everything => "/reindex?scope=everything",
    }
}

/// Of how it went, or goes.
fn said(state: &Reindexing) -> String {
    let Reindexing { done, of, changed, running, .. } = state;
    match (running, changed) {
        (true, _) => format!("{done} of {of} read"),
        (false, 0) => format!("{done} read; nothing had changed."),
        (false, 1) => format!("{done} read; 1 had changed."),
        (false, changed) => format!("{done} read; {changed} had changed."),
    }
}

#[component]
fn Anew(scope: Scope, label: &'static str) -> impl IntoView {
    let state = RwSignal::new(None::<Reindexing>);
    let trouble = RwSignal::new(None::<Problem>);
    let running = Memo::new(move |_| state.with(|state| state.as_ref().is_some_and(|state| state.running)));
    Effect::new(move |_| look(scope, state, trouble));
    let begin = move || {
        spawn_local(async move {
            match api::send::<Reindexing>(Method::Post, "/reindex", &Reindex { scope }).await {
                Ok(begun) => {
                    trouble.set(None);
                    state.set(Some(begun));
                    look_later(scope, state, trouble);
                }
                Err(problem) => trouble.set(Some(problem)),
            }
        });
    };
    view! {
        <div class="anew">
            <Button look=Look::Quiet busy=running on_click=move |()| begin()>{label}</Button>
            {move || state.with(|state| state.as_ref().filter(|state| state.running).map(|state| view! {
                <progress max=state.of.to_string() value=state.done.to_string() aria-label="Of everything read"></progress>
            }))}
            <p class="anew-state number" role="status">{move || state.with(|state| state.as_ref().map(said))}</p>
            {move || trouble.get().map(|problem| view! { <p class="anew-trouble" role="alert">{problem.error}</p> })}
        </div>
    }
}

/// Asks how far it is, and again while it goes on.
fn look(scope: Scope, state: RwSignal<Option<Reindexing>>, trouble: RwSignal<Option<Problem>>) {
    spawn_local(async move {
        match api::get::<Option<Reindexing>>(address(scope)).await {
            Ok(now) => {
                let goes_on = now.as_ref().is_some_and(|now| now.running);
                // the page may be gone by now
                let is_here = state.try_set(now).is_none();
                if goes_on && is_here {
                    look_later(scope, state, trouble);
                }
            }
            Err(problem) => drop(trouble.try_set(Some(problem))),
        }
    });
}

fn look_later(scope: Scope, state: RwSignal<Option<Reindexing>>, trouble: RwSignal<Option<Problem>>) {
    set_timeout(move || look(scope, state, trouble), PACE);
}
