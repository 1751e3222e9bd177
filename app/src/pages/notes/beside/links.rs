//! What links to the note, and what names it without a link yet.

use crate::client::api::{self, Method};
use crate::client::json::{Fetched, fetched};
use crate::components::button::{Button, Look};
use crate::components::states::{Skeleton, Trouble};
use crate::pages::notes::desk::use_desk;
use crate::route::Route;
use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::note::{Backlink, Backlinks, Note, UpdateNote};
use shared::{NoteId, Problem};

type Found = Fetched<Backlinks>;

#[component]
pub fn Links(id: NoteId) -> impl IntoView {
    let found: Found = fetched(|| (), move |()| api::get::<Backlinks>(format!("/notes/{id}/backlinks")));
    view! {
        <Transition fallback=|| view! { <Skeleton rows=4/> }>
            {move || Suspend::new(async move {
                match found.await {
                    Ok(links) => links_view(links, found),
                    Err(problem) => view! { <Trouble problem retry=move |()| found.refetch()/> }.into_any(),
                }
            })}
        </Transition>
    }
}

fn links_view(links: Backlinks, found: Found) -> AnyView {
    let Backlinks { linked, unlinked } = links;
    let nothing = linked.is_empty() && unlinked.is_empty();
    view! {
        {nothing.then(|| view! {
            <p class="list-empty">"No other note links here yet. Write [[ in a note and choose this one."</p>
        })}
        {(!linked.is_empty()).then(|| view! {
            <section class="beside-part">
                <h2>{match linked.len() { 1 => "1 note links here".to_owned(), n => format!("{n} notes link here") }}</h2>
                <ul>{linked.into_iter().map(|link| view! { <li>{line(&link)}</li> }).collect_view()}</ul>
            </section>
        })}
        {(!unlinked.is_empty()).then(|| view! {
            <section class="beside-part">
                <h2>"Named without a link"</h2>
                <ul>{unlinked.into_iter().map(|link| unlinked_view(link, found)).collect_view()}</ul>
            </section>
        })}
    }
    .into_any()
}

fn line(link: &Backlink) -> AnyView {
    let title = if link.title.is_empty() { "Untitled".to_owned() } else { link.title.clone() };
    view! {
        <a class="beside-link" href=Route::Note(link.id).path()>
            <strong>{title}</strong><span>{link.line.clone()}</span>
        </a>
    }
    .into_any()
}

fn unlinked_view(link: Backlink, found: Found) -> AnyView {
    let desk = use_desk();
    let busy = RwSignal::new(false);
    let link_it = {
        let link = link.clone();
        move || {
            let title = desk.notes.open.with_untracked(|note| note.as_ref().map(|note| note.title.clone()));
            let (Some(title), link) = (title, link.clone()) else { return };
            busy.set(true);
            spawn_local(async move {
                match write_link(link, title).await {
                    Ok(()) => found.refetch(),
                    Err(problem) => desk.notes.toasts.problem(&problem),
                }
                busy.try_set(false);
            });
        }
    };
    view! {
        <li>
            {line(&link)}
            <Button look=Look::Plain busy on_click=move |()| link_it()>"Link it"</Button>
        </li>
    }
    .into_any()
}

/// Makes the first mention in that line a link. The server turns the text into the smallest edit.
async fn write_link(link: Backlink, title: String) -> Result<(), Problem> {
    let path = format!("/notes/{}", link.id);
    let note = api::get::<Note>(path.clone()).await?;
    let Some(content) = linked_text(&note.content, &link.line, &title) else {
        let words = "The line has changed since. Open the note to link it there.";
        return Err(Problem::new(shared::ErrorCode::Conflict, words));
    };
    let change = UpdateNote { content: Some(content), ..Default::default() };
    api::send::<serde_json::Value>(Method::Patch, path, &change).await.map(|_| ())
}

/// The text with the first mention of `title` in the line made a link; as it is written, where only its
/// case differs.
fn linked_text(content: &str, line: &str, title: &str) -> Option<String> {
    let line = line.trim().trim_matches('…').trim();
    let start = if line.is_empty() { 0 } else { content.find(line)? };
    let wanted = title.to_lowercase();
    let mention = content[start..].char_indices().map(|(at, _)| start + at).find_map(|at| {
        let rest = &content[at..];
        let length = title_length(rest, &wanted)?;
        (!content[..at].ends_with("[[")).then_some(at..at + length)
    })?;
    let written = &content[mention.clone()];
    let link = if written == title { format!("[[{title}]]") } else { format!("[[{title}|{written}]]") };
    Some(format!("{}{link}{}", &content[..mention.start], &content[mention.end..]))
}

/// How many bytes of `text` are `wanted`, whatever their case.
fn title_length(text: &str, wanted: &str) -> Option<usize> {
    let mut rest = wanted.chars();
    let mut next = rest.next();
    for (at, letter) in text.char_indices() {
        if next.is_none() {
            return Some(at);
        }
        for lower in letter.to_lowercase() {
            if next != Some(lower) {
                return None;
            }
            next = rest.next();
        }
    }
    next.is_none().then_some(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mention_becomes_a_link_where_it_stands() {
        let linked = |content: &str, line: &str| linked_text(content, line, "Rose Garden");
        assert_eq!(linked("In Rose Garden.", "In Rose Garden.").as_deref(), Some("In [[Rose Garden]]."));
        assert_eq!(
            linked("a\nthe rose garden\n", "the rose garden").as_deref(),
            Some("a\nthe [[Rose Garden|rose garden]]\n")
        );
        assert_eq!(linked("[[Rose Garden]] x", "[[Rose Garden]] x"), None, "it is one already");
        assert_eq!(linked("Something else", "In Rose Garden."), None);
        assert_eq!(
            linked("Straße: Rose Garden", "Straße: Rose Garden").as_deref(),
            Some("Straße: [[Rose Garden]]")
        );
    }
}
