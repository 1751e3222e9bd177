//! The text of an article, in sections that have addresses of their own. The server sets them whole.

use super::position;
use super::store::SavedPages;
use crate::client::typesetter;
use crate::components::states::Skeleton;
use crate::pages::chat::code;
use leptos::html;
use leptos::prelude::*;
use shared::saved_page::{PageSection, PageState, PageSummary, SavedPage};

#[component]
pub fn Reading(
    store: SavedPages,
    now: Memo<PageSummary>,
    read: RwSignal<SavedPage>,
    scroller: NodeRef<html::Div>,
) -> impl IntoView {
    let holder = NodeRef::<html::Div>::new();
    let id = now.with_untracked(|page| page.id);
    let sections = Memo::new(move |_| read.with(|page| page.sections.clone()));
    let language = Memo::new(move |_| read.with(|page| page.language.clone()));
    let direction = Memo::new(move |_| read.with(|page| if page.right_to_left { "rtl" } else { "ltr" }));
    let more = Memo::new(move |_| read.with(|page| page.more));
    let is_whole = Memo::new(move |_| read.with(|page| !page.readable && !page.sections.is_empty()));
    let is_coming =
        Memo::new(move |_| now.with(|page| matches!(page.state, PageState::Waiting | PageState::Reading)));
    let hash = store.location.hash;
    mark(holder, sections, hash);
    position::remember(store, id, scroller, holder, sections);
    let contents = move || match (sections.with(Vec::is_empty), is_coming.get()) {
        (true, true) => view! { <Skeleton rows=4/> }.into_any(),
        (true, false) => ().into_any(),
        (false, _) => {
            sections.get().into_iter().map(|section| section_view(section, hash)).collect_view().into_any()
        }
    };
    view! {
        {move || is_whole.get().then(|| view! {
            <p class="saved-remark">"No article was found in this page, so all of it is shown."</p>
        })}
        <h2 class="visually-hidden">"Text"</h2>
        <div class="saved-text" node_ref=holder lang=move || language.get() dir=direction on:click=code::clicked>{contents}</div>
        {move || more.get().then(|| view! {
            <p class="file-more">
                "The page goes on. " <a href=format!("/api/v1/pages/{id}/text") target="_blank">"All of it, as Markdown"</a>
            </p>
        })}
    }
}

fn section_view(section: PageSection, hash: RwSignal<String>) -> AnyView {
    let PageSection { anchor, markdown, .. } = section;
    // while the browser takes the page over nothing can be set yet: what the server set stays
    let html = typesetter::note(&markdown, None);
    let marked = {
        let anchor = anchor.clone();
        Memo::new(move |_| hash.with(|hash| *hash == anchor))
    };
    view! {
        <section class="saved-section" class:is-marked=marked id=anchor tabindex="-1">
            <div class="markdown" inner_html=html></div>
        </section>
    }
    .into_any()
}

/// Colours code, and goes to the section that the address names whenever another is named.
fn mark(holder: NodeRef<html::Div>, sections: Memo<Vec<PageSection>>, hash: RwSignal<String>) {
    #[cfg(feature = "hydrate")]
    Effect::new(move |before: Option<Option<String>>| {
        let count = sections.with(Vec::len);
        let holder = holder.get()?;
        let wanted = hash.get();
        if count > 0 {
            request_animation_frame(move || code::colour(&holder));
        }
        let anchor = sections
            .with(|sections| sections.iter().find(|one| one.anchor == wanted).map(|one| one.anchor.clone()));
        if let Some(anchor) = anchor.clone().filter(|_| before.flatten() != anchor) {
            // by then it stands in the page
            request_animation_frame(move || {
                if let Some(section) = crate::client::document::element(&anchor) {
                    section.scroll_into_view();
                }
            });
        }
        anchor
    });
    #[cfg(not(feature = "hydrate"))]
    let _ = (holder, sections, hash);
}
