//! The files in the bin.

use super::store::{Files, use_files};
use super::words;
use crate::client::api;
use crate::client::json::fetched;
use crate::client::socket;
use crate::components::button::Button;
use crate::components::moment::Moment;
use crate::components::states::{Skeleton, Trouble};
use crate::route::Route;
use leptos::prelude::*;
use shared::file::FileSummary;
use shared::page::Page;
use shared::socket::ServerBody;

#[component]
pub fn DeletedFiles() -> impl IntoView {
    let files = use_files();
    let found = fetched(|| (), |()| api::get::<Page<FileSummary>>("/files?deleted=true&limit=100"));
    socket::on_frame(move |frame| {
        if matches!(frame, ServerBody::FileGone { .. } | ServerBody::Resync) {
            found.refetch();
        }
    });
    view! {
        <Transition fallback=|| view! { <Skeleton rows=2/> }>
            {move || Suspend::new(async move {
                match found.await {
                    Ok(page) if page.items.is_empty() => view! { <p class="list-empty">"No deleted files."</p> }.into_any(),
                    Ok(page) => view! {
                        <ul class="cards">
                            {page.items.into_iter().map(|file| deleted_view(files, file, Callback::new(move |()| found.refetch()))).collect_view()}
                        </ul>
                    }.into_any(),
                    Err(problem) => view! { <Trouble problem retry=move |()| found.refetch()/> }.into_any(),
                }
            })}
        </Transition>
    }
}

fn deleted_view(files: Files, file: FileSummary, done: Callback<()>) -> AnyView {
    let id = file.id;
    let restored = RwSignal::new(false);
    let restore = move || {
        restored.set(true);
        files.restore(
            id,
            Box::new(move || {
                done.run(());
                files.toasts.offer("Restored.", "Open", move || files.location.go(&Route::File(id).path()));
            }),
        );
    };
    view! {
        <li class="card-row" hidden=restored>
            <div class="card-row-text">
                <p class="card-row-title">{file.name}</p>
                <p class="card-row-note">
                    {words::size(file.size)}
                    {file.deleted_at.map(|at| view! { ", deleted " <Moment at=Signal::stored(at)/> })}
                </p>
            </div>
            <Button on_click=move |()| restore()>"Restore"</Button>
        </li>
    }
    .into_any()
}
