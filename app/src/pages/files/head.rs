//! Above a file: its name, where it stands in words, what is known about it, what can be done.

use super::acts::{address_of, download_of, spoken};
use super::kind;
use super::menu::FileItems;
use super::store::Files;
use super::words;
use crate::components::button::{Button, Look};
use crate::components::icon::Icon;
use crate::components::menu::Menu;
use crate::components::moment::Moment;
use leptos::html;
use leptos::prelude::*;
use shared::file::{File, FileState, FileSummary};

#[component]
pub fn Head(store: Files, now: Memo<FileSummary>, read: RwSignal<File>) -> impl IntoView {
    let id = now.with_untracked(|file| file.id);
    view! {
        <header class="file-head">
            <div class="file-head-line">
                <NameField store now/>
                <div class="file-acts">
                    <a class="button" href=download_of(id) download="">{Icon::Download.draw()} "Download"</a>
                    <Menu id="open-file-menu".to_owned() label="More about this file">
                        <FileItems store file=Signal::derive(move || Some(now.get()))/>
                    </Menu>
                </div>
            </div>
            <Facts now read/>
            <State store now/>
            <Properties read/>
        </header>
    }
}

/// The name, written in place: sent when one leaves it or presses Enter.
#[component]
fn NameField(store: Files, now: Memo<FileSummary>) -> impl IntoView {
    let field = NodeRef::<html::Textarea>::new();
    let (id, name) = now.with_untracked(|file| (file.id, file.name.clone()));
    // it is renamed elsewhere too; what is being typed is never overwritten
    Effect::new(move |before: Option<()>| {
        let name = now.with(|file| file.name.clone());
        if before.is_some()
            && let Some(field) = field.get_untracked()
            && field.value().trim() != name
            && !is_focused(&field)
        {
            field.set_value(&name);
        }
    });
    let back = move || {
        if let Some(field) = field.get_untracked() {
            field.set_value(&now.with_untracked(|file| file.name.clone()));
        }
    };
    let keep = move |name: String| match name.trim().is_empty() {
        true => back(),
        false => store.rename(id, name),
    };
    view! {
        <h1 class="visually-hidden">{move || now.with(|file| file.name.clone())}</h1>
        <textarea id="file-name" class="file-name" node_ref=field rows="1" maxlength="255" aria-label="Name of the file"
            autocomplete="off" spellcheck="false" prop:value=name.clone()
            on:blur=move |event| keep(event_target_value(&event).replace('\n', " "))
            on:keydown=move |event| match event.key().as_str() {
                "Enter" if !event.is_composing() => {
                    event.prevent_default();
                    leave(field);
                }
                "Escape" => back(),
                _ => {}
            }>{name.clone()}</textarea>
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

/// What it is, how large, by whom, in which language, since when, and where it lies.
#[component]
fn Facts(now: Memo<FileSummary>, read: RwSignal<File>) -> impl IntoView {
    let facts =
        Memo::new(move |_| now.with(|file| (kind::name_of(file), words::size(file.size), pages(file))));
    let title = Memo::new(move |_| {
        let name = now.with(|file| file.name.clone());
        read.with(|file| file.title.clone()).filter(|title| *title != name)
    });
    let author = Memo::new(move |_| read.with(|file| file.author.clone()));
    let language = Memo::new(move |_| read.with(|file| file.language.as_deref().map(words::language)));
    let folder = Memo::new(move |_| now.with(|file| file.folder.clone()));
    view! {
        {move || title.get().map(|title| view! { <p class="file-title">{title}</p> })}
        <p class="file-about">
            <span>{move || facts.get().0}</span>
            <span class="number">{move || facts.get().1}</span>
            {move || facts.get().2.map(|pages| view! { <span class="number">{pages}</span> })}
            {move || author.get().map(|author| view! { <span>"By " {author}</span> })}
            {move || language.get().map(|language| view! { <span>{language}</span> })}
            <span>"Added " <Moment at=Signal::derive(move || now.with(|file| file.created_at))/></span>
            {move || {
                let folder = folder.get();
                (!folder.is_empty()).then(|| view! { <span>"In " <a href=address_of(&folder)>{spoken(&folder)}</a></span> })
            }}
        </p>
    }
}

fn pages(file: &FileSummary) -> Option<String> {
    file.pages.map(|pages| match pages {
        1 => "1 page".to_owned(),
        pages => format!("{pages} pages"),
    })
}

/// Where it stands; a failure says why and what to do.
#[component]
fn State(store: Files, now: Memo<FileSummary>) -> impl IntoView {
    let id = now.with_untracked(|file| file.id);
    let state = Memo::new(move |_| now.with(|file| file.state.clone()));
    let explained = move || match state.get() {
        FileState::Waiting => "Waiting to be read. It can be downloaded already.".to_owned(),
        FileState::Indexing => {
            "Indexing. Search finds its words already; what they mean is being worked out.".to_owned()
        }
        FileState::Reading { .. } => words::state(&state.get()).unwrap_or_default(),
        FileState::Failed { reason } => reason,
        FileState::Ready => String::new(),
        FileState::Kept => {
            "Kept as it is: there is no text to be read in such a file. Search finds it by its name."
                .to_owned()
        }
    };
    let bounds = Memo::new(move |_| match state.get() {
        FileState::Reading { done, of } if of > 0 => Some((done, of)),
        _ => None,
    });
    let failed = Memo::new(move |_| matches!(state.get(), FileState::Failed { .. }));
    let settled = Memo::new(move |_| matches!(state.get(), FileState::Ready));
    view! {
        <div class="file-standing" data-state=move || words::state_name(&state.get()) hidden=settled>
            <p role="status">
                {move || failed.get().then_some("This file could not be read. ")}
                {explained}
            </p>
            {move || bounds.get().map(|(done, of)| view! {
                <progress max=of.to_string() value=done.to_string() aria-label="Of the file read"></progress>
            })}
            {move || failed.get().then(|| view! {
                <Button look=Look::Quiet on_click=move |()| store.read_again(id)>"Try again"</Button>
            })}
        </div>
    }
}

/// What else the document says of itself.
#[component]
fn Properties(read: RwSignal<File>) -> impl IntoView {
    let properties = Memo::new(move |_| read.with(|file| file.properties.clone()));
    move || {
        let properties = properties.get();
        (!properties.is_empty()).then(|| {
            view! {
                <details class="file-properties">
                    <summary>"Properties"</summary>
                    <dl>
                        {properties.into_iter().map(|(name, value)| view! {
                            <div><dt>{named(&name)}</dt><dd>{value}</dd></div>
                        }).collect_view()}
                    </dl>
                </details>
            }
        })
    }
}

/// `duration_seconds` as people write it: `Duration seconds`.
fn named(name: &str) -> String {
    let name = name.replace('_', " ");
    let mut letters = name.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}
