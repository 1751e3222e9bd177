//! Search over everything one may see. The words are in the address, so a search can be linked, and
//! the form works without scripts.

use super::Sheet;
use crate::client::api;
use crate::client::location::{Location, use_location};
use crate::components::icon::Icon;
use crate::components::moment::Moment;
use crate::components::states::{Empty, Skeleton, Trouble};
use crate::route::Route;
use leptos::prelude::*;
use shared::search::{SearchHit, SearchKind, Segment};
use std::time::Duration;

/// How many passages are asked for.
const HITS: usize = 40;

#[component]
pub fn SearchPage() -> impl IntoView {
    let location = use_location();
    let words = Memo::new(move |_| location.query_value("q").unwrap_or_default().trim().to_owned());
    let hits = Resource::new(
        move || words.get(),
        |words| async move {
            match words.is_empty() {
                true => Ok(Vec::new()),
                false => {
                    api::get::<Vec<SearchHit>>(format!("/search?limit={HITS}&q={}", api::encode(&words)))
                        .await
                }
            }
        },
    );
    view! {
        <Sheet title="Search">
            <SearchField location words/>
            <div class="hits-place" aria-live="polite">
                <Transition fallback=|| view! { <Skeleton rows=5/> }>
                    {move || {
                        let asked = words.get();
                        Suspend::new(async move {
                            match hits.await {
                                Ok(found) => found_view(asked, found),
                                Err(problem) => view! { <Trouble problem retry=move |()| hits.refetch()/> }.into_any(),
                            }
                        })
                    }}
                </Transition>
            </div>
        </Sheet>
    }
}

#[component]
fn SearchField(location: Location, words: Memo<String>) -> impl IntoView {
    let typed = StoredValue::new(0_u32);
    let search = move |value: String| {
        let query =
            if value.trim().is_empty() { String::new() } else { format!("?q={}", api::encode(value.trim())) };
        location.replace(&format!("{}{query}", Route::Search.path()));
    };
    let later = move |value: String| {
        typed.update_value(|count| *count += 1);
        let this = typed.get_value();
        set_timeout(
            move || {
                if typed.try_get_value() == Some(this) {
                    search(value);
                }
            },
            Duration::from_millis(200),
        );
    };
    let field = NodeRef::<leptos::html::Input>::new();
    // the address may change under the field; what is being typed is never overwritten
    Effect::new(move |before: Option<()>| {
        let words = words.get();
        if before.is_some()
            && let Some(field) = field.get_untracked()
            && field.value().trim() != words
        {
            field.set_value(&words);
        }
    });
    let now = move || field.get_untracked().map(|field| field.value()).unwrap_or_default();
    view! {
        <form class="search-field" role="search" method="get" action=Route::Search.path()
            on:submit=move |event| { event.prevent_default(); search(now()); }>
            {Icon::Search.draw()}
            <input node_ref=field
                id="search-words" type="search" name="q" aria-label="Words to search for" placeholder="Words you remember"
                autocomplete="off" value=words.get_untracked()
                on:input=move |event| later(event_target_value(&event))/>
        </form>
    }
}

fn found_view(words: String, hits: Vec<SearchHit>) -> AnyView {
    if words.is_empty() {
        return view! { <Empty title="Search everything" text="Every note, every file and every message of every conversation of yours. Put words in “quotes” to find them in that order."/> }
            .into_any();
    }
    if hits.is_empty() {
        return view! { <Empty title="Nothing found" text="No note, no file, no message and no title has these words. Fewer or other words may find it."/> }
            .into_any();
    }
    let count = match hits.len() {
        1 => "1 found".to_owned(),
        HITS => format!("The best {HITS}"),
        count => format!("{count} found"),
    };
    view! {
        <p class="hits-count">{count}</p>
        <ol class="hits">{hits.into_iter().map(hit_view).collect_view()}</ol>
    }
    .into_any()
}

fn hit_view(hit: SearchHit) -> AnyView {
    let at = hit.created_at;
    let title = hit.display_title().to_owned();
    // What was found by its title shows what matched there.
    let (title, passage) = match hit.kind {
        SearchKind::Conversation { .. } => (marked(hit.passage), None),
        _ => (title.into_any(), Some(hit.passage)),
    };
    let row = match hit.kind {
        SearchKind::Message { conversation_id, .. } | SearchKind::Conversation { conversation_id } => {
            conversation_id.to_string()
        }
        SearchKind::Note { note_id } => note_id.to_string(),
        SearchKind::File { file_id } => file_id.to_string(),
    };
    let (icon, kind) = kind_of(hit.kind);
    view! {
        <li>
            <a class="hit" href=hit.url data-row=row>
                <span class="hit-head">
                    <span class="hit-kind" title=kind>{icon.draw()}<span class="visually-hidden">{kind} ": "</span></span>
                    <span class="hit-title">{title}{hit.place.map(|place| view! { <span class="hit-place">{place}</span> })}</span>
                    <Moment at=Signal::stored(at)/>
                </span>
                {passage.map(|passage| view! { <span class="hit-passage">{marked(passage)}</span> })}
            </a>
        </li>
    }
    .into_any()
}

/// What was found, for the eye and in a word.
fn kind_of(kind: SearchKind) -> (Icon, &'static str) {
    match kind {
        SearchKind::Message { .. } => (Icon::Chat, "Message"),
        SearchKind::Conversation { .. } => (Icon::Chat, "Conversation"),
        SearchKind::Note { .. } => (Icon::Note, "Note"),
        SearchKind::File { .. } => (Icon::Clip, "File"),
    }
}

fn marked(passage: Vec<Segment>) -> AnyView {
    let segments = passage.into_iter().map(|segment| match segment.hit {
        true => view! { <mark>{segment.text}</mark> }.into_any(),
        false => segment.text.into_any(),
    });
    segments.collect_view().into_any()
}
