//! Above an article: what it is called, who wrote it and where, how long it is, where it stands.

use super::TITLE_FIELD;
use super::acts::archive_of;
use super::menu::PageItems;
use super::rows::{minutes, state_name};
use super::store::SavedPages;
use super::tags::Tags;
use crate::components::button::{Button, Look};
use crate::components::icon::Icon;
use crate::components::menu::Menu;
use crate::components::moment::Moment;
use leptos::html;
use leptos::prelude::*;
use shared::saved_page::{PageState, PageSummary, SavedPage};

#[component]
pub fn Head(store: SavedPages, now: Memo<PageSummary>, read: RwSignal<SavedPage>) -> impl IntoView {
    let id = now.with_untracked(|page| page.id);
    let image = Memo::new(move |_| now.with(|page| page.image));
    let is_archived = Memo::new(move |_| now.with(|page| page.archived));
    view! {
        <header class="saved-head">
            <div class="saved-from">
                <span class="saved-site">{move || now.with(|page| page.site.clone())}</span>
                <span class="saved-acts">
                    <Button look=Look::Plain on_click=move |()| store.turn_archived(id)>
                        {Icon::Archive.draw()}
                        {move || if is_archived.get() { "Back to the list" } else { "Put away" }}
                    </Button>
                    <Menu id="open-page-menu".to_owned() label="More about this page">
                        <PageItems store page=Signal::derive(move || Some(now.get()))/>
                    </Menu>
                </span>
            </div>
            <TitleField store now/>
            <Facts now read/>
            <Tags store now/>
            <State store now/>
            {move || image.get().then(|| view! { <img class="saved-image" src=format!("/api/v1/pages/{id}/image") alt=""/> })}
        </header>
    }
}

/// The title, written in place: sent when one leaves it or presses Enter.
#[component]
fn TitleField(store: SavedPages, now: Memo<PageSummary>) -> impl IntoView {
    let field = NodeRef::<html::Textarea>::new();
    let (id, title) = now.with_untracked(|page| (page.id, page.title.clone()));
    // it changes elsewhere too; what is being typed is never overwritten
    Effect::new(move |before: Option<()>| {
        let title = now.with(|page| page.title.clone());
        if before.is_some()
            && let Some(field) = field.get_untracked()
            && field.value().trim() != title
            && !is_focused(&field)
        {
            field.set_value(&title);
        }
    });
    let back = move || {
        if let Some(field) = field.get_untracked() {
            field.set_value(&now.with_untracked(|page| page.title.clone()));
        }
    };
    let keep = move |title: String| match title.trim().is_empty() {
        true => back(),
        false => store.rename(id, title),
    };
    view! {
        <h1 class="visually-hidden">{move || now.with(|page| page.title.clone())}</h1>
        <textarea id=TITLE_FIELD class="saved-title" node_ref=field rows="1" maxlength="200" aria-label="Title of the page"
            autocomplete="off" spellcheck="false" prop:value=title.clone()
            on:blur=move |event| keep(event_target_value(&event).replace('\n', " "))
            on:keydown=move |event| match event.key().as_str() {
                "Enter" if !event.is_composing() => {
                    event.prevent_default();
                    leave(field);
                }
                "Escape" => back(),
                _ => {}
            }>{title.clone()}</textarea>
    }
}

fn leave(field: NodeRef<html::Textarea>) {
    #[cfg(feature = "hydrate")]
    if let Some(field) = field.get_untracked() {
        crate::client::document::note(field.blur());
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = field;
}

fn is_focused(field: &leptos::web_sys::HtmlTextAreaElement) -> bool {
    #[cfg(feature = "hydrate")]
    {
        document().active_element().is_some_and(|active| active.is_same_node(Some(field)))
    }
    #[cfg(not(feature = "hydrate"))]
    {
        let _ = field;
        false
    }
}

/// By whom, of when, how long; the way to the original and to the copy.
#[component]
fn Facts(now: Memo<PageSummary>, read: RwSignal<SavedPage>) -> impl IntoView {
    let (id, url) = now.with_untracked(|page| (page.id, page.url.clone()));
    let author = Memo::new(move |_| now.with(|page| page.author.clone()));
    let length = Memo::new(move |_| now.with(|page| page.minutes.map(minutes)));
    let published = Memo::new(move |_| read.with(|page| page.published.as_deref().map(day_of)));
    let is_kept = Memo::new(move |_| now.with(|page| page.fetched_at.is_some()));
    let sent = Memo::new(move |_| now.with(|page| page.sent));
    view! {
        <p class="file-about">
            {move || author.get().map(|author| view! { <span>{author}</span> })}
            {move || published.get().map(|day| view! { <span class="number">{day}</span> })}
            {move || length.get().map(|length| view! { <span class="number">{length} " to read"</span> })}
            <a href=url target="_blank" rel="noopener noreferrer">"Original"</a>
            {move || is_kept.get().then(|| view! { <a href=archive_of(id) target="_blank" rel="noopener">"Kept copy"</a> })}
            <span>
                {move || if sent.get() { "Sent from your browser " } else { "Saved " }}
                <Moment at=Signal::derive(move || now.with(|page| page.created_at))/>
            </span>
        </p>
    }
}

/// The day of a moment in RFC 3339.
fn day_of(moment: &str) -> String {
    moment.split('T').next().unwrap_or(moment).to_owned()
}

/// Where it stands; a failure says why and what to do. What was read before stays below.
#[component]
fn State(store: SavedPages, now: Memo<PageSummary>) -> impl IntoView {
    let id = now.with_untracked(|page| page.id);
    let state = Memo::new(move |_| now.with(|page| page.state.clone()));
    let explained = move || match state.get() {
        PageState::Waiting => "Waiting to be fetched.".to_owned(),
        PageState::Reading => "Being fetched.".to_owned(),
        PageState::Failed { reason } => reason,
        PageState::Ready => String::new(),
    };
    let failed = Memo::new(move |_| matches!(state.get(), PageState::Failed { .. }));
    let settled = Memo::new(move |_| matches!(state.get(), PageState::Ready));
    view! {
        <div class="file-standing" data-state=move || state_name(&state.get()) hidden=settled>
            <p role="status">{explained}</p>
            {move || failed.get().then(|| view! {
                <Button look=Look::Quiet on_click=move |()| store.fetch_again(id)>"Try again"</Button>
            })}
        </div>
    }
}
