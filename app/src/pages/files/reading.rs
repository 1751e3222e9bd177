//! What was read in a file: its sections, each at an address of its own. The server sets them whole; a
//! section that the address names is marked, and found again when one comes by a link within the page.

use super::store::Files;
use crate::client::typesetter;
use crate::components::states::Skeleton;
use crate::pages::chat::code;
use crate::route::Route;
use leptos::html;
use leptos::prelude::*;
use shared::FileId;
use shared::file::{File, FileSection, FileState, FileSummary};

#[component]
pub fn Reading(store: Files, now: Memo<FileSummary>, read: RwSignal<File>) -> impl IntoView {
    let holder = NodeRef::<html::Div>::new();
    let id = now.with_untracked(|file| file.id);
    let sections = Memo::new(move |_| read.with(|file| file.sections.clone()));
    let language = Memo::new(move |_| read.with(|file| file.language.clone()));
    let more = Memo::new(move |_| read.with(|file| file.more));
    let unread = Memo::new(move |_| read.with(|file| file.unread.clone()));
    let is_read = Memo::new(move |_| {
        now.with(|file| matches!(file.state, FileState::Waiting | FileState::Reading { .. }))
    });
    let hash = store.location.hash;
    mark(holder, sections, hash);
    let contents = move || match (sections.with(Vec::is_empty), is_read.get()) {
        (true, true) => view! { <Skeleton rows=4/> }.into_any(),
        (true, false) => unread.get().map(|why| view! { <p class="file-unread">{why}</p> }).into_any(),
        (false, _) => sections
            .get()
            .into_iter()
            .map(|section| section_view(id, section, hash))
            .collect_view()
            .into_any(),
    };
    view! {
        <div class="file-text" node_ref=holder lang=move || language.get() on:click=code::clicked>{contents}</div>
        {move || more.get().then(|| view! {
            <p class="file-more">
                "The file goes on. " <a href=format!("/api/v1/files/{id}/text") target="_blank">"Everything that was read, as Markdown"</a>
            </p>
        })}
    }
}

fn section_view(id: FileId, section: FileSection, hash: RwSignal<String>) -> AnyView {
    let FileSection { anchor, label, markdown } = section;
    // while the browser takes the page over nothing can be set yet: what the server set stays
    let html = typesetter::html(&markdown, false);
    let address = format!("{}#{}", Route::File(id).path(), crate::client::api::encode(&anchor));
    let marked = {
        let anchor = anchor.clone();
        Memo::new(move |_| hash.with(|hash| is_of(hash, &anchor)))
    };
    let labelled = format!("label-of-{anchor}");
    // what is one whole has no label
    let heading =
        (!label.is_empty()).then(|| view! { <h2 id=labelled.clone()><a href=address>{label}</a></h2> });
    let labelled = heading.is_some().then_some(labelled);
    view! {
        <section class="file-section" class:is-marked=marked id=anchor tabindex="-1" aria-labelledby=labelled>
            {heading}
            <div class="markdown" inner_html=html></div>
        </section>
    }
    .into_any()
}

/// Whether the part of an address after its `#` names this section.
fn is_of(hash: &str, anchor: &str) -> bool {
    !hash.is_empty() && (hash == anchor || crate::client::api::decode(hash) == anchor)
}

/// Colours code, and goes to the section that the address names whenever another is named.
fn mark(holder: NodeRef<html::Div>, sections: Memo<Vec<FileSection>>, hash: RwSignal<String>) {
    #[cfg(feature = "hydrate")]
    Effect::new(move |before: Option<Option<String>>| {
        let count = sections.with(Vec::len);
        let holder = holder.get()?;
        let wanted = hash.get();
        if count > 0 {
            request_animation_frame(move || code::colour(&holder));
        }
        let anchor = sections.with(|sections| {
            sections.iter().find(|one| is_of(&wanted, &one.anchor)).map(|one| one.anchor.clone())
        });
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
