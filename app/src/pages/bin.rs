//! What was deleted and can still be had back.

use super::Sheet;
use crate::client::api::{self, Method};
use crate::client::json::fetched;
use crate::client::location::use_location;
use crate::client::socket;
use crate::components::button::{Button, Look};
use crate::components::moment::Moment;
use crate::components::states::{Skeleton, Trouble};
use crate::components::toast::use_toasts;
use crate::pages::conversations::use_conversations;
use crate::pages::files::DeletedFiles;
use crate::pages::notes::DeletedNotes;
use crate::pages::saved::DeletedPages;
use crate::route::Route;
use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::conversation::ConversationSummary;
use shared::page::Page;
use shared::socket::ServerBody;
use shared::{ConversationId, Problem};

fn fetch(cursor: Option<&str>) -> api::Call<Page<ConversationSummary>> {
    let cursor = cursor.map(|cursor| format!("&cursor={}", api::encode(cursor))).unwrap_or_default();
    api::get(format!("/conversations?deleted=true&limit=50{cursor}"))
}

#[component]
pub fn BinPage() -> impl IntoView {
    let page = fetched(|| (), |()| fetch(None));
    socket::on_frame(move |frame| {
        if matches!(frame, ServerBody::ConversationDeleted { .. } | ServerBody::Resync) {
            page.refetch();
        }
    });
    view! {
        <Sheet title="Bin" lead="What you deleted stays here for 30 days. Then it is gone for good. Deleted files may take up as much room as your files may; the oldest make way for more.">
            <h2 class="bin-kind">"Notes"</h2>
            <DeletedNotes/>
            <h2 class="bin-kind">"Files"</h2>
            <DeletedFiles/>
            <h2 class="bin-kind">"Pages"</h2>
            <DeletedPages/>
            <h2 class="bin-kind">"Conversations"</h2>
            <Transition fallback=|| view! { <Skeleton rows=4/> }>
                {move || Suspend::new(async move {
                    match page.await {
                        Ok(first) => view! { <Deleted page=first/> }.into_any(),
                        Err(problem) => view! { <Trouble problem retry=move |()| page.refetch()/> }.into_any(),
                    }
                })}
            </Transition>
        </Sheet>
    }
}

#[component]
fn Deleted(page: Page<ConversationSummary>) -> impl IntoView {
    let rows = RwSignal::new(page.items);
    let cursor = RwSignal::new(page.next_cursor);
    let toasts = use_toasts();
    let more = move || {
        let asked = cursor.get_untracked();
        spawn_local(async move {
            match fetch(asked.as_deref()).await {
                Ok(page) => {
                    rows.update(|rows| rows.extend(page.items));
                    cursor.set(page.next_cursor);
                }
                Err(problem) => toasts.problem(&problem),
            }
        });
    };
    view! {
        <ul class="cards">
            <For each=move || rows.get() key=|row| row.id let:row>{deleted_view(rows, row)}</For>
        </ul>
        {move || rows.with(Vec::is_empty).then(|| view! {
            <p class="list-empty">"No deleted conversations."</p>
        })}
        {move || cursor.with(Option::is_some).then(|| view! { <Button on_click=move |()| more()>"Show more"</Button> })}
    }
}

fn deleted_view(rows: RwSignal<Vec<ConversationSummary>>, summary: ConversationSummary) -> AnyView {
    let store = use_conversations();
    let toasts = use_toasts();
    let location = use_location();
    let id = summary.id;
    let restore = move || {
        rows.update(|rows| rows.retain(|row| row.id != id));
        spawn_local(async move {
            match restored(id).await {
                Ok(summary) => {
                    store.bring_back(summary);
                    toasts.offer("Restored.", "Open", move || location.go(&Route::Conversation(id).path()));
                }
                Err(problem) => toasts.problem(&problem),
            }
        });
    };
    view! {
        <li class="card-row">
            <div class="card-row-text">
                <p class="card-row-title">{summary.display_title().to_owned()}</p>
                <p class="card-row-note">
                    {match summary.message_count { 1 => "1 message".to_owned(), count => format!("{count} messages") }}
                    {summary.deleted_at.map(|at| view! { ", deleted " <Moment at=Signal::stored(at)/> })}
                </p>
            </div>
            <Button look=Look::Quiet on_click=move |()| restore()>"Restore"</Button>
        </li>
    }
    .into_any()
}

async fn restored(id: ConversationId) -> Result<ConversationSummary, Problem> {
    api::act(Method::Post, format!("/conversations/{id}/restore")).await
}
