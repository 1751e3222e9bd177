//! The list beside the page: a field to save one more, then every page that is to be read.

use super::ADDRESS_FIELD;
use super::menu::SharedMenu;
use super::rows::Rows;
use super::store::{Narrowed, SavedPages, use_saved};
use crate::client::json::fetched;
use crate::components::icon::{Icon, IconButton};
use crate::components::list_filter::ListFilter;
use crate::components::list_title::ListTitle;
use crate::components::menu::Menu;
use crate::components::states::{Skeleton, Trouble};
use crate::route::Route;
use leptos::prelude::*;

#[component]
pub fn SavedList() -> impl IntoView {
    let store = use_saved();
    let put_away = Narrowed { tag: None, archived: true }.path();
    view! {
        <nav class="list saved-list" aria-label="Pages">
            <header class="list-bar">
                <ListTitle name="Pages"/>
                <span class="list-acts">
                    <Menu id="pages-menu".to_owned() label="More about pages">
                        <a class="menu-item" role="menuitem" href=Route::Pages.path()>{Icon::Web.draw()}<span>"To be read"</span></a>
                        <a class="menu-item" role="menuitem" href=put_away>
                            {Icon::Archive.draw()}<span>"Put away"</span>
                        </a>
                        <a class="menu-item" role="menuitem" href=Route::Bin.path()>{Icon::Bin.draw()}<span>"Bin"</span></a>
                    </Menu>
                </span>
            </header>
            <SaveField store/>
            <ListFilter words=store.filter reload=move |()| store.reload()/>
            <Shown store/>
            {if store.rows.is_seeded() { view! { <Rows store/> }.into_any() } else { view! { <FirstRows store/> }.into_any() }}
            <SharedMenu store/>
        </nav>
    }
}

/// Where an address is pasted.
#[component]
fn SaveField(store: SavedPages) -> impl IntoView {
    let url = RwSignal::new(String::new());
    let submit = move || {
        let typed = url.get_untracked();
        if typed.trim().is_empty() {
            return;
        }
        store.save(typed.clone(), move |page| {
            if url.try_get_untracked().is_some_and(|now| now == typed) {
                url.set(String::new());
            }
            let open = Route::SavedPage(page.id).path();
            store.toasts.offer("Saved. It is being fetched.", "Open", move || store.location.go(&open));
        });
    };
    view! {
        <form class="saved-add" on:submit=move |event| { event.prevent_default(); submit(); }>
            <input id=ADDRESS_FIELD type="text" inputmode="url" autocomplete="off" autocapitalize="off" spellcheck="false"
                aria-label="Address of a page to save" placeholder="Paste an address to save it"
                prop:value=move || url.get() on:input=move |event| url.set(event_target_value(&event))/>
            <button type="submit" class="icon-button" aria-label="Save this page" title="Save this page">{Icon::Plus.draw()}</button>
        </form>
    }
}

/// What came with the page, or a skeleton until it comes.
#[component]
fn FirstRows(store: SavedPages) -> impl IntoView {
    let first = fetched(|| (), move |()| store.first());
    view! {
        <Suspense fallback=|| view! { <div class="list-scroll"><Skeleton rows=8/></div> }>
            {move || Suspend::new(async move {
                match first.await {
                    Ok(found) => {
                        store.rows.seed(found);
                        view! { <Rows store/> }.into_any()
                    }
                    Err(problem) => view! {
                        <div class="list-scroll"><Trouble problem retry=move |()| first.refetch()/></div>
                    }.into_any(),
                }
            })}
        </Suspense>
    }
}

/// What the list is narrowed to, and the way out.
#[component]
fn Shown(store: SavedPages) -> impl IntoView {
    let narrowed = Memo::new(move |_| store.narrowed.get());
    move || {
        let narrowed = narrowed.get();
        let (icon, words) = match (&narrowed.tag, narrowed.archived) {
            (Some(tag), _) => (Icon::Tag, tag.clone()),
            (None, true) => (Icon::Archive, "Put away".to_owned()),
            (None, false) => return None,
        };
        let all = Narrowed::default().path();
        Some(view! {
            <p class="files-folder">
                {icon.draw()}
                <span class="row-title">{words}</span>
                <IconButton icon=Icon::Close label="Show all that is to be read" on_click=move |()| store.location.go(&all)/>
            </p>
        })
    }
}
