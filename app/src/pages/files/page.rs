//! The page of files: one that is open, or how to begin.

use super::head::Head;
use super::intake::{choose_files, choose_folder};
use super::reading::Reading;
use super::shown::Shown;
use super::store::{Files, use_files};
use crate::client::json::fetched;
use crate::client::{api, socket, typesetter};
use crate::components::button::{Button, Look};
use crate::components::states::{Skeleton, Trouble};
#[cfg(feature = "hydrate")]
use crate::route::Route;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_meta::Title;
use shared::file::{File, FileState, FileSummary};
use shared::socket::ServerBody;
use shared::{ErrorCode, FileId, Problem};

#[component]
pub fn FilesPage(#[prop(into)] id: Signal<Option<FileId>>) -> impl IntoView {
    move || match id.get() {
        Some(id) => view! { <Opened id/> }.into_any(),
        None => view! { <Beginning/> }.into_any(),
    }
}

#[component]
fn Opened(id: FileId) -> impl IntoView {
    let store = use_files();
    let loaded = fetched(
        || (),
        move |()| async move {
            let found = api::get::<File>(format!("/files/{id}"));
            futures::join!(found, typesetter::ready()).0
        },
    );
    on_cleanup(move || leave(store, id));
    view! {
        <article class="file" aria-label="File">
            <Suspense fallback=|| view! { <div class="file-scroll"><div class="file-inner"><Skeleton rows=6/></div></div> }>
                {move || Suspend::new(async move {
                    match loaded.await {
                        Ok(file) => {
                            store.open.set(Some(file.summary.clone()));
                            view! { <Sheet file/> }.into_any()
                        }
                        Err(problem) => missing(problem, Callback::new(move |()| loaded.refetch())),
                    }
                })}
            </Suspense>
        </article>
    }
}

/// Nothing is open any more, unless the next file is by then. Not at once: what is about to go away still
/// looks at it.
fn leave(store: Files, id: FileId) {
    #[cfg(feature = "hydrate")]
    set_timeout(
        move || {
            let is_left = store.open.with_untracked(|file| file.as_ref().is_some_and(|file| file.id == id));
            let shown = store.location.route.try_get_untracked().flatten().and_then(Route::file);
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
        return view! { <div class="file-scroll"><div class="file-inner"><Trouble problem retry/></div></div> }.into_any();
    }
    #[cfg(feature = "ssr")]
    crate::server::not_found();
    view! {
        <div class="file-scroll">
            <div class="file-inner empty">
                <h1 class="empty-title">"There is no such file"</h1>
                <p class="empty-text">
                    "It may have been deleted. What you deleted in the last 30 days is in " <a href="/bin">"the bin"</a>"."
                </p>
                <a class="button is-main" href="/f">"To your files"</a>
            </div>
        </div>
    }
    .into_any()
}

#[component]
fn Sheet(file: File) -> impl IntoView {
    let store = use_files();
    let fixed = StoredValue::new(file.summary.clone());
    let now = Memo::new(move |_| store.open.get().unwrap_or_else(|| fixed.get_value()));
    let read = RwSignal::new(file);
    follow(store, now, read);
    view! {
        <Title text=move || now.with(|file| file.name.clone())/>
        <div class="file-scroll">
            <div class="file-inner">
                <Head store now read/>
                <Shown now/>
                <Reading store now read/>
            </div>
        </div>
    }
}

/// Fetches what was read once more of it can be there.
fn follow(store: Files, now: Memo<FileSummary>, read: RwSignal<File>) {
    let id = read.with_untracked(|file| file.summary.id);
    let fetch = move || {
        spawn_local(async move {
            let found = api::get::<File>(format!("/files/{id}"));
            match futures::join!(found, typesetter::ready()).0 {
                Ok(file) => {
                    store.upsert(file.summary.clone());
                    drop(read.try_set(file));
                }
                // it is being deleted, or the line is away: the next frame tells
                Err(problem) => leptos::logging::warn!("{problem}"),
            }
        });
    };
    let is_readable = Memo::new(move |_| {
        now.with(|file| (matches!(file.state, FileState::Indexing | FileState::Ready), file.sha256.clone()))
    });
    Effect::new(move |before: Option<()>| {
        let (is_readable, _) = is_readable.get();
        if before.is_some() && is_readable {
            fetch();
        }
    });
    socket::on_frame(move |frame| {
        if matches!(frame, ServerBody::Resync) {
            fetch();
        }
    });
}

/// Nothing is open: what files are for and how to begin.
#[component]
fn Beginning() -> impl IntoView {
    view! {
        <div class="sheet">
            <header class="sheet-head">
                <h1>"Files"</h1>
                <p class="sheet-lead">
                    "Documents, tables, slides, images, code: what is in them is read once, so that search and conversations find the very page. The file itself stays as it is."
                </p>
            </header>
            <div class="note-ways">
                <Button look=Look::Main on_click=|()| choose_files()>"Upload files" <kbd>"u"</kbd></Button>
                <Button on_click=|()| choose_folder()>"Upload a folder"</Button>
            </div>
            <p class="file-hint">"Or drop files and folders anywhere here, or paste them."</p>
            <noscript><p>"Reading needs no scripts: choose a file in the list. Uploading needs them."</p></noscript>
        </div>
    }
}
