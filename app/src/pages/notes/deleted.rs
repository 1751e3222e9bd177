//! The notes in the bin.

use super::store::{Notes, use_notes};
use crate::client::api;
use crate::client::json::fetched;
use crate::client::socket;
use crate::components::button::Button;
use crate::components::moment::Moment;
use crate::components::states::{Skeleton, Trouble};
use crate::route::Route;
use leptos::prelude::*;
use shared::note::NoteSummary;
use shared::page::Page;
use shared::socket::ServerBody;

#[component]
pub fn DeletedNotes() -> impl IntoView {
    let notes = use_notes();
    let found = fetched(|| (), |()| api::get::<Page<NoteSummary>>("/notes?deleted=true&limit=200"));
    socket::on_frame(move |frame| {
        if matches!(frame, ServerBody::NoteGone { .. } | ServerBody::Resync) {
            found.refetch();
        }
    });
    view! {
        <Transition fallback=|| view! { <Skeleton rows=2/> }>
            {move || Suspend::new(async move {
                match found.await {
                    Ok(page) if page.items.is_empty() => view! { <p class="list-empty">"No deleted notes."</p> }.into_any(),
                    Ok(page) => view! {
                        <ul class="cards">
                            {page.items.into_iter().map(|note| deleted_view(notes, note, Callback::new(move |()| found.refetch()))).collect_view()}
                        </ul>
                    }.into_any(),
                    Err(problem) => view! { <Trouble problem retry=move |()| found.refetch()/> }.into_any(),
                }
            })}
        </Transition>
    }
}

fn deleted_view(notes: Notes, note: NoteSummary, done: Callback<()>) -> AnyView {
    let id = note.id;
    let restored = RwSignal::new(false);
    let restore = move || {
        restored.set(true);
        notes.restore(
            id,
            Box::new(move || {
                done.run(());
                notes.toasts.offer("Restored.", "Open", move || notes.location.go(&Route::Note(id).path()));
            }),
        );
    };
    view! {
        <li class="card-row" hidden=restored>
            <div class="card-row-text">
                <p class="card-row-title">{note.display_title().to_owned()}</p>
                <p class="card-row-note">
                    {match note.words { 1 => "1 word".to_owned(), words => format!("{words} words") }}
                    {note.deleted_at.map(|at| view! { ", deleted " <Moment at=Signal::stored(at)/> })}
                </p>
            </div>
            <Button on_click=move |()| restore()>"Restore"</Button>
        </li>
    }
    .into_any()
}
