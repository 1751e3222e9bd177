//! The page of saved pages: one that is open, or how to begin.

use super::ADDRESS_FIELD;
use super::bookmarklet::Bookmarklet;
use super::head::Head;
use super::reading::Reading;
use super::store::{SavedPages, use_saved};
use crate::client::json::fetched;
use crate::client::{api, document, socket, typesetter};
use crate::components::button::{Button, Look};
use crate::components::states::{Skeleton, Trouble};
#[cfg(feature = "hydrate")]
use crate::route::Route;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_meta::Title;
use shared::saved_page::{PageSummary, SavedPage};
use shared::socket::ServerBody;
use shared::{ErrorCode, PageId, Problem};

#[component]
pub fn SavedPagesPage(#[prop(into)] id: Signal<Option<PageId>>) -> impl IntoView {
    move || match id.get() {
        Some(id) => view! { <Opened id/> }.into_any(),
        None => view! { <Beginning/> }.into_any(),
    }
}

#[component]
fn Opened(id: PageId) -> impl IntoView {
    let store = use_saved();
    let loaded = fetched(
        || (),
        move |()| async move {
            let found = api::get::<SavedPage>(format!("/pages/{id}"));
            futures::join!(found, typesetter::ready()).0
        },
    );
    on_cleanup(move || leave(store, id));
    view! {
        <article class="file saved" aria-label="Page">
            <Suspense fallback=|| view! { <div class="file-scroll"><div class="saved-inner"><Skeleton rows=6/></div></div> }>
                {move || Suspend::new(async move {
                    match loaded.await {
                        Ok(page) => {
                            store.open.set(Some(page.summary.clone()));
                            view! { <Sheet page/> }.into_any()
                        }
                        Err(problem) => missing(problem, Callback::new(move |()| loaded.refetch())),
                    }
                })}
            </Suspense>
        </article>
    }
}

/// Nothing is open any more, unless the next page is by then. Not at once: what is about to go away still
/// looks at it.
fn leave(store: SavedPages, id: PageId) {
    #[cfg(feature = "hydrate")]
    set_timeout(
        move || {
            let is_left = store.open.with_untracked(|page| page.as_ref().is_some_and(|page| page.id == id));
            let shown = store.location.route.try_get_untracked().flatten().and_then(Route::saved_page);
            if shown != Some(id) && is_left {
                store.open.set(None);
            }
        },
        std::time::Duration::ZERO,
    );
    #[cfg(not(feature = "hydrate"))]
    let _ = (store, id);
}

fn missing(problem: Problem, retry: Callback<()>) -> AnyView {
    if problem.error_code != ErrorCode::NotFound {
        return view! { <div class="file-scroll"><div class="saved-inner"><Trouble problem retry/></div></div> }.into_any();
    }
    #[cfg(feature = "ssr")]
    crate::server::not_found();
    view! {
        <div class="file-scroll">
            <div class="saved-inner empty">
                <h1 class="empty-title">"There is no such page"</h1>
                <p class="empty-text">
                    "It may have been deleted. What you deleted in the last 30 days is in " <a href="/bin">"the bin"</a>"."
                </p>
                <a class="button is-main" href="/p">"To your pages"</a>
            </div>
        </div>
    }
    .into_any()
}

#[component]
fn Sheet(page: SavedPage) -> impl IntoView {
    let store = use_saved();
    let fixed = StoredValue::new(page.summary.clone());
    let now = Memo::new(move |_| store.open.get().unwrap_or_else(|| fixed.get_value()));
    let read = RwSignal::new(page);
    let scroller = NodeRef::<leptos::html::Div>::new();
    follow(store, now, read);
    view! {
        <Title text=move || now.with(|page| page.title.clone())/>
        <div class="file-scroll" node_ref=scroller>
            <div class="saved-inner">
                <Head store now read/>
                <Reading store now read scroller/>
            </div>
        </div>
    }
}

/// Fetches the text again once there is another one.
fn follow(store: SavedPages, now: Memo<PageSummary>, read: RwSignal<SavedPage>) {
    let id = read.with_untracked(|page| page.summary.id);
    let fetch = move || {
        spawn_local(async move {
            let found = api::get::<SavedPage>(format!("/pages/{id}"));
            match futures::join!(found, typesetter::ready()).0 {
                Ok(page) => {
                    store.upsert(page.summary.clone());
                    drop(read.try_set(page));
                }
                // it is being deleted, or the line is away: the next frame tells
                Err(problem) => leptos::logging::warn!("{problem}"),
            }
        });
    };
    let fetched = Memo::new(move |_| now.with(|page| page.fetched_at));
    Effect::new(move |before: Option<()>| {
        fetched.track();
        if before.is_some() {
            fetch();
        }
    });
    socket::on_frame(move |frame| {
        if matches!(frame, ServerBody::Resync) {
            fetch();
        }
    });
}

/// Nothing is open: what saved pages are for and how to begin.
#[component]
fn Beginning() -> impl IntoView {
    view! {
        <div class="sheet">
            <header class="sheet-head">
                <h1>"Pages"</h1>
                <p class="sheet-lead">
                    "Articles from the web, kept to be read without anything around them. Search and conversations find what is in them, and a copy stays here when the page is gone."
                </p>
            </header>
            <div class="note-ways">
                <Button look=Look::Main on_click=|()| document::focus(ADDRESS_FIELD)>"Save a page" <kbd>"a"</kbd></Button>
            </div>
            <p class="file-hint">"Or paste an address into the palette: " <kbd>"Ctrl"</kbd> " " <kbd>"K"</kbd></p>
            <Bookmarklet/>
            <noscript><p>"Reading needs no scripts: choose a page in the list. Saving needs them."</p></noscript>
        </div>
    }
}
