//! The page of notes: one that is open, or how to begin.

use super::desk::{Desk, use_desk};
use super::sheet::NoteSheet;
use super::store::use_notes;
use crate::client::api;
use crate::client::json::fetched;
use crate::client::location::use_location;
use crate::client::typesetter;
use crate::components::button::{Button, Look};
use crate::components::states::{Skeleton, Trouble};
use crate::route::Route;
use leptos::prelude::*;
use shared::note::{CreateNote, Note, TitledNote};
use shared::{ErrorCode, NoteId, Problem};

#[component]
pub fn NotesPage(#[prop(into)] id: Signal<Option<NoteId>>) -> impl IntoView {
    let location = use_location();
    let title = Memo::new(move |_| location.query_value("title").filter(|title| !title.is_empty()));
    move || match (id.get(), title.get()) {
        (Some(id), _) => view! { <Opened id/> }.into_any(),
        (None, Some(title)) => view! { <Named title/> }.into_any(),
        (None, None) => view! { <Beginning/> }.into_any(),
    }
}

#[component]
fn Opened(id: NoteId) -> impl IntoView {
    let desk = use_desk();
    let loaded = fetched(
        || (),
        move |()| async move {
            let found = api::get::<Note>(format!("/notes/{id}"));
            futures::join!(found, typesetter::ready()).0
        },
    );
    on_cleanup(move || leave(desk, id));
    view! {
        <article class="note" aria-label="Note">
            <Suspense fallback=|| view! { <div class="note-scroll"><div class="note-inner"><Skeleton rows=6/></div></div> }>
                {move || Suspend::new(async move {
                    match loaded.await {
                        Ok(note) => {
                            desk.lay(note.summary.clone());
                            view! { <NoteSheet note/> }.into_any()
                        }
                        Err(problem) => missing(problem, Callback::new(move |()| loaded.refetch())),
                    }
                })}
            </Suspense>
        </article>
    }
}

/// Clears the desk, unless the next note lies on it by then. Not at once: what is about to go away
/// still looks at it.
fn leave(desk: Desk, id: NoteId) {
    #[cfg(feature = "hydrate")]
    set_timeout(
        move || {
            let shown = desk.notes.location.route.try_get_untracked().flatten().and_then(Route::note);
            if shown != Some(id) && desk.id() == Some(id) {
                desk.clear();
            }
        },
        std::time::Duration::ZERO,
    );
    #[cfg(not(feature = "hydrate"))]
    let _ = (desk, id);
}

fn missing(problem: Problem, retry: Callback<()>) -> AnyView {
    if problem.error_code != ErrorCode::NotFound {
        return view! { <div class="note-scroll"><div class="note-inner"><Trouble problem retry/></div></div> }.into_any();
    }
    #[cfg(feature = "ssr")]
    crate::server::not_found();
    view! {
        <div class="note-scroll">
            <div class="note-inner empty">
                <h1 class="empty-title">"There is no such note"</h1>
                <p class="empty-text">
                    "It may have been deleted, or it is not shared with you any more. What you deleted in the last 30 days is in "
                    <a href="/bin">"the bin"</a>"."
                </p>
                <a class="button is-main" href="/n">"To your notes"</a>
            </div>
        </div>
    }
    .into_any()
}

/// Nothing is open: what notes are and how to begin.
#[component]
fn Beginning() -> impl IntoView {
    let notes = use_notes();
    view! {
        <div class="sheet">
            <header class="sheet-head">
                <h1>"Notes"</h1>
                <p class="sheet-lead">
                    "Write in Markdown, alone or with others at the same time, offline too. A model beside the note can propose changes; you decide about each."
                </p>
            </header>
            <div class="note-ways">
                <Button look=Look::Main on_click=move |()| notes.create()>"New note" <kbd>"n"</kbd></Button>
                <Button on_click=move |()| notes.open_daily()>"Today’s note" <kbd>"d"</kbd></Button>
                <Button on_click=move |()| notes.open_scratchpad()>"Scratchpad" <kbd>"s"</kbd></Button>
            </div>
            <dl class="note-hints">
                <div><dt><kbd>"/"</kbd></dt><dd>"in a note: headings, lists, tables, formulas, diagrams"</dd></div>
                <div><dt><kbd>"[["</kbd></dt><dd>"links to another note, or makes it"</dd></div>
                <div><dt><kbd>"#"</kbd></dt><dd>"tags the note"</dd></div>
                <div><dt><kbd>"@"</kbd></dt><dd>"names a person"</dd></div>
            </dl>
            <noscript><p>"Reading needs no scripts: choose a note in the list. Writing needs them."</p></noscript>
        </div>
    }
}

/// A link by title: leads on where there is one such note, else offers what there is to do.
#[component]
fn Named(title: String) -> impl IntoView {
    let notes = use_notes();
    let asked = title.clone();
    let found = fetched(
        || (),
        move |()| api::get::<Vec<TitledNote>>(format!("/notes/titles?prefix={}", api::encode(&asked))),
    );
    let heading = format!("“{title}”");
    let create = {
        let title = title.clone();
        move || notes.create_from(CreateNote { title: title.clone(), ..Default::default() })
    };
    view! {
        <div class="sheet">
            <header class="sheet-head"><h1>{heading}</h1></header>
            <Suspense fallback=|| view! { <Skeleton rows=3/> }>
                {move || {
                    let (title, create) = (title.clone(), create.clone());
                    Suspend::new(async move {
                        match found.await {
                            Ok(notes) => named_view(&title, notes, create),
                            Err(problem) => view! { <Trouble problem retry=move |()| found.refetch()/> }.into_any(),
                        }
                    })
                }}
            </Suspense>
        </div>
    }
}

fn named_view(title: &str, found: Vec<TitledNote>, create: impl Fn() + Send + Sync + 'static) -> AnyView {
    let location = use_location();
    let exact: Vec<&TitledNote> =
        found.iter().filter(|note| note.title.to_lowercase() == title.to_lowercase()).collect();
    if let [only] = exact.as_slice() {
        let address = Route::Note(only.id).path();
        Effect::new(move |_| match location.hash.get_untracked() {
            place if place.is_empty() => location.replace(&address),
            place => location.replace(&format!("{address}#{place}")),
        });
    }
    let shown = if exact.is_empty() { found.iter().collect() } else { exact };
    let lead = if shown.is_empty() {
        "No note has this title yet."
    } else {
        "These notes have this title, or begin with it."
    };
    view! {
        <p class="sheet-lead">{lead}</p>
        <ul class="cards">
            {shown.into_iter().map(|note| view! {
                <li class="card-row"><a href=Route::Note(note.id).path()>{note.title.clone()}</a></li>
            }).collect_view()}
        </ul>
        <p class="form-foot"><Button look=Look::Main on_click=move |()| create()>"Make a note with this title"</Button></p>
    }
    .into_any()
}

/// Puts the focus into a field of a note that is about to be shown.
pub fn focus_when_there(id: &'static str) {
    #[cfg(feature = "hydrate")]
    {
        fn try_again(id: &'static str, times: u32) {
            match crate::client::document::element(id) {
                Some(field) => crate::client::document::note(field.focus()),
                None if times > 0 => {
                    set_timeout(move || try_again(id, times - 1), std::time::Duration::from_millis(40));
                }
                None => {}
            }
        }
        set_timeout(move || try_again(id, 50), std::time::Duration::from_millis(60));
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = id;
}
