//! The states that were kept: who wrote, what differs, going back, taking back what a model did.

use crate::client::api::{self, Method};
use crate::client::json::{Fetched, fetched};
use crate::components::attempt::{Attempt, AttemptNote};
use crate::components::button::{Button, Look, Submit};
use crate::components::field::Field;
use crate::components::moment::Moment;
use crate::components::states::{Skeleton, Trouble};
use crate::pages::notes::desk::{Desk, use_desk};
use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::Value;
use shared::note::{Change, DiffPart, NameVersion, UndoneRun, Version, VersionDiff, VersionKind};
use shared::{NoteId, VersionId};

type Found = Fetched<Vec<Version>>;

/// Of unchanged text, this many characters are shown around a change.
const CONTEXT: usize = 90;

#[component]
pub fn Versions(id: NoteId) -> impl IntoView {
    let desk = use_desk();
    let found: Found = fetched(
        move || desk.annotated.get(),
        move |_| api::get::<Vec<Version>>(format!("/notes/{id}/versions")),
    );
    // not in what is drawn anew whenever somebody writes
    let open = RwSignal::new(None);
    view! {
        <NameNow id found/>
        <Transition fallback=|| view! { <Skeleton rows=4/> }>
            {move || Suspend::new(async move {
                match found.await {
                    Ok(versions) if versions.is_empty() => view! {
                        <p class="list-empty">"No versions yet. They are kept by themselves as you write."</p>
                    }.into_any(),
                    Ok(versions) => view! {
                        <ol class="versions">{versions.into_iter().map(|one| version_view(desk, id, one, found, open)).collect_view()}</ol>
                    }.into_any(),
                    Err(problem) => view! { <Trouble problem retry=move |()| found.refetch()/> }.into_any(),
                }
            })}
        </Transition>
    }
}

#[component]
fn NameNow(id: NoteId, found: Found) -> impl IntoView {
    let attempt = Attempt::new();
    let name = RwSignal::new(String::new());
    let keep = move || {
        let wanted = NameVersion { name: name.get_untracked().trim().to_owned() };
        attempt.run(
            api::send::<Version>(Method::Post, format!("/notes/{id}/versions"), &wanted),
            move |_| {
                name.set(String::new());
                found.refetch();
            },
        );
    };
    view! {
        <form class="form is-row" on:submit=move |event| { event.prevent_default(); keep(); }>
            <Field label="Keep the note as it is now" value=name placeholder="Before the review"/>
            <Submit look=Look::Quiet busy=attempt.busy>"Keep"</Submit>
        </form>
        <AttemptNote attempt/>
    }
}

/// What the version is called, and by whom.
fn told(version: &Version) -> (String, String) {
    let title = match (version.kind, version.name.is_empty()) {
        (VersionKind::Named, _) | (VersionKind::Model, false) => version.name.clone(),
        (VersionKind::Automatic, _) => "Kept by itself".to_owned(),
        (VersionKind::Model, true) => "A model wrote".to_owned(),
        (VersionKind::Restore, _) => "Went back".to_owned(),
    };
    let name = |author: &shared::note::Author| match &author.model {
        Some(model) => format!("{model} for {}", author.name),
        None => author.name.clone(),
    };
    (title, version.authors.iter().map(name).collect::<Vec<_>>().join(", "))
}

fn version_view(
    desk: Desk,
    id: NoteId,
    version: Version,
    found: Found,
    open: RwSignal<Option<VersionId>>,
) -> AnyView {
    let (title, authors) = told(&version);
    let version_id = version.id;
    let is_open = Memo::new(move |_| open.get() == Some(version_id));
    let restore = move || {
        let path = format!("/notes/{id}/versions/{version_id}/restore");
        act(
            desk,
            api::act::<Value>(Method::Post, path),
            found,
            "The note is as it was then. What stood there is kept as a version.",
        );
    };
    let undo = version.run_id.map(|run| {
        let undo = move || {
            undo_run(desk, api::act::<UndoneRun>(Method::Post, format!("/notes/{id}/runs/{run}/undo")), found)
        };
        view! { <Button look=Look::Plain on_click=move |()| undo()>"Undo what the model did"</Button> }
    });
    view! {
        <li class="version" class:is-model=version.kind == VersionKind::Model>
            <button type="button" class="version-head" aria-expanded=move || is_open.get().to_string()
                on:click=move |_| open.set((!is_open.get_untracked()).then_some(version_id))>
                <strong>{title}</strong>
                <span>{authors} " · " <Moment at=Signal::stored(version.created_at)/></span>
            </button>
            {move || is_open.get().then(|| view! { <Difference id version=version_id/> })}
            <div class="thread-foot" hidden=move || !is_open.get()>
                <Button look=Look::Plain on_click=move |()| restore()>"Go back to this"</Button>
                {undo}
            </div>
        </li>
    }
    .into_any()
}

fn act(desk: Desk, call: api::Call<Value>, found: Found, done: &'static str) {
    spawn_local(async move {
        match call.await {
            Ok(_) => {
                desk.notes.toasts.say(done);
                found.refetch();
            }
            Err(problem) => desk.notes.toasts.problem(&problem),
        }
    });
}

fn undo_run(desk: Desk, call: api::Call<UndoneRun>, found: Found) {
    spawn_local(async move {
        match call.await {
            Ok(undone) => {
                desk.notes.toasts.say(match undone.kept.len() {
                    0 => "Taken back.".to_owned(),
                    1 => "Taken back, but for one place that was changed since.".to_owned(),
                    n => format!("Taken back, but for {n} places that were changed since."),
                });
                found.refetch();
            }
            Err(problem) => desk.notes.toasts.problem(&problem),
        }
    });
}

#[component]
fn Difference(id: NoteId, version: VersionId) -> impl IntoView {
    let found =
        LocalResource::new(move || api::get::<VersionDiff>(format!("/notes/{id}/versions/{version}")));
    move || match found.get() {
        None => view! { <Skeleton rows=2/> }.into_any(),
        Some(Err(problem)) => view! { <Trouble problem/> }.into_any(),
        Some(Ok(version)) => difference(&version.diff),
    }
}

fn difference(parts: &[DiffPart]) -> AnyView {
    let last = parts.len().saturating_sub(1);
    let part = |(at, part): (usize, &DiffPart)| match part.change {
        Change::Same => {
            view! { <span class="diff-same">{shortened(&part.text, at == 0, at == last)}</span> }.into_any()
        }
        Change::Added => view! { <ins>{part.text.clone()}</ins> }.into_any(),
        Change::Removed => view! { <del>{part.text.clone()}</del> }.into_any(),
    };
    let same = parts.iter().all(|part| part.change == Change::Same);
    if same {
        return view! { <p class="list-empty">"The text is the same as before."</p> }.into_any();
    }
    view! { <div class="diff">{parts.iter().enumerate().map(part).collect_view()}</div> }.into_any()
}

/// Unchanged text: what is next to a change, and a sign for the rest.
fn shortened(text: &str, is_first: bool, is_last: bool) -> String {
    let letters: Vec<char> = text.chars().collect();
    let end: String = letters[letters.len().saturating_sub(CONTEXT)..].iter().collect();
    let start: String = letters.iter().take(CONTEXT).collect();
    match (is_first, is_last) {
        _ if letters.len() <= 2 * CONTEXT => text.to_owned(),
        (true, _) => format!("… {end}"),
        (_, true) => format!("{start} …"),
        _ => format!("{start} … {end}"),
    }
}
