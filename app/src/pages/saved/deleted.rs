//! The pages in the bin.

use super::store::{SavedPages, use_saved};
use crate::client::api;
use crate::client::json::fetched;
use crate::client::socket;
use crate::components::button::Button;
use crate::components::moment::Moment;
use crate::components::states::{Skeleton, Trouble};
use crate::route::Route;
use leptos::prelude::*;
use shared::page::Page;
use shared::saved_page::PageSummary;
use shared::socket::ServerBody;

#[component]
pub fn DeletedPages() -> impl IntoView {
    let store = use_saved();
    let found = fetched(|| (), |()| api::get::<Page<PageSummary>>("/pages?deleted=true&limit=100"));
    socket::on_frame(move |frame| {
        if matches!(frame, ServerBody::PageGone { .. } | ServerBody::Resync) {
            found.refetch();
        }
    });
    view! {
        <Transition fallback=|| view! { <Skeleton rows=2/> }>
            {move || Suspend::new(async move {
                match found.await {
                    Ok(page) if page.items.is_empty() => view! { <p class="list-empty">"No deleted pages."</p> }.into_any(),
                    Ok(page) => view! {
                        <ul class="cards">
                            {page.items.into_iter().map(|page| deleted_view(store, page, Callback::new(move |()| found.refetch()))).collect_view()}
                        </ul>
                    }.into_any(),
                    Err(problem) => view! { <Trouble problem retry=move |()| found.refetch()/> }.into_any(),
                }
            })}
        </Transition>
    }
}

fn deleted_view(store: SavedPages, page: PageSummary, done: Callback<()>) -> AnyView {
    let id = page.id;
    let restored = RwSignal::new(false);
    let restore = move || {
        restored.set(true);
        store.restore(
            id,
            Box::new(move || {
                done.run(());
                store
                    .toasts
                    .offer("Restored.", "Open", move || store.location.go(&Route::SavedPage(id).path()));
            }),
        );
    };
    view! {
        <li class="card-row" hidden=restored>
            <div class="card-row-text">
                <p class="card-row-title">{page.title}</p>
                <p class="card-row-note">
                    {page.site}
                    {page.deleted_at.map(|at| view! { ", deleted " <Moment at=Signal::stored(at)/> })}
                </p>
            </div>
            <Button on_click=move |()| restore()>"Restore"</Button>
        </li>
    }
    .into_any()
}
