//! Search over everything one may see. The words are in the address, so a search can be linked, and
//! the form, the filters and the pages work without scripts.

use super::Sheet;
use super::search_mode::SearchMode;
use crate::client::api;
use crate::client::json::fetched;
use crate::client::location::{Location, use_location};
use crate::components::icon::Icon;
use crate::components::moment::Moment;
use crate::components::states::{Empty, Skeleton, Trouble};
use crate::route::Route;
use leptos::prelude::*;
use shared::search::query::Query;
use shared::search::{Correction, SearchAnswer, SearchFacets, SearchHit, SearchKind, Segment};
use std::time::Duration;

/// How many passages a page has.
const HITS: usize = 40;

#[component]
pub fn SearchPage() -> impl IntoView {
    let location = use_location();
    let words = Memo::new(move |_| location.query_value("q").unwrap_or_default().trim().to_owned());
    let cursor = Memo::new(move |_| location.query_value("cursor"));
    let answer = fetched(
        move || (words.get(), cursor.get()),
        |(words, cursor)| async move {
            if words.is_empty() {
                return Ok(SearchAnswer::default());
            }
            let cursor = cursor.map(|cursor| format!("&cursor={}", api::encode(&cursor))).unwrap_or_default();
            api::get::<SearchAnswer>(format!("/search?limit={HITS}&q={}{cursor}", api::encode(&words))).await
        },
    );
    view! {
        <Sheet title="Search">
            <SearchField location words/>
            <SearchMode/>
            <div class="hits-place" aria-live="polite">
                <Transition fallback=|| view! { <Skeleton rows=5/> }>
                    {move || {
                        let (asked, first) = (words.get(), cursor.get().is_none());
                        Suspend::new(async move {
                            match answer.await {
                                Ok(found) => found_view(asked, found, first),
                                Err(problem) => view! { <Trouble problem retry=move |()| answer.refetch()/> }.into_any(),
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

fn found_view(words: String, found: SearchAnswer, first: bool) -> AnyView {
    if words.is_empty() {
        return view! { <Empty title="Search everything" text="Your notes, files, saved pages, memories and every message of your conversations. Put words in “quotes” to find them in that order; kind:note, in:folder, tag:name, after:2026-01-31 and before:2026-01-31 narrow it."/> }
            .into_any();
    }
    let query = Query::parse(&words).unwrap_or_default();
    let SearchAnswer { items, next_cursor, facets, did_you_mean } = found;
    let count = match (items.len(), &next_cursor, first) {
        (0, ..) => None,
        (1, None, true) => Some("1 found".to_owned()),
        (count, None, true) => Some(format!("{count} found")),
        (count, Some(_), true) => Some(format!("The best {count}")),
        (count, _, false) => Some(format!("{count} more")),
    };
    let shown = match &did_you_mean {
        Some(Correction { query, is_shown: true }) => Query::parse(query).unwrap_or_default(),
        _ => query.clone(),
    };
    view! {
        {did_you_mean.map(|correction| correction_view(&query, correction))}
        {filters_view(&shown, &facets)}
        {match count {
            None => view! { <Empty title="Nothing found" text="Nothing of yours has these words. Fewer or other words may find it."/> }.into_any(),
            Some(count) => view! {
                <p class="hits-count">{count}</p>
                <ol class="hits">{items.into_iter().map(hit_view).collect_view()}</ol>
            }.into_any(),
        }}
        {next_cursor.map(|cursor| {
            let more = format!("{}&cursor={}", address(&words), api::encode(&cursor));
            view! { <p class="hits-more"><a class="button" href=more>"More"</a></p> }
        })}
    }
    .into_any()
}

fn address(query: &str) -> String {
    format!("{}?q={}", Route::Search.path(), api::encode(query))
}

fn correction_view(typed: &Query, correction: Correction) -> AnyView {
    let right = Query::parse(&correction.query).unwrap_or_default().words;
    match correction.is_shown {
        true => view! {
            <p class="hits-meant">"Nothing has “" {typed.words.clone()} "”. This is for “" <b>{right}</b> "”."</p>
        }
        .into_any(),
        false => view! {
            <p class="hits-meant">"Did you mean " <a href=address(&correction.query)>{right}</a> "?"</p>
        }
        .into_any(),
    }
}

/// What narrows the search, each to be taken away, and what could.
fn filters_view(query: &Query, facets: &SearchFacets) -> AnyView {
    let chosen = query.filters().into_iter().map(|(name, without)| {
        let label = format!("{name}: take this filter away");
        view! { <li><a class="facet is-on" href=address(&without.to_string()) aria-label=label>{name}<span aria-hidden="true">"×"</span></a></li> }
    });
    let offer = |name: String, count: u32, narrowed: Query| {
        view! { <li><a class="facet" href=address(&narrowed.to_string())>{name}<span class="facet-count">{count}</span></a></li> }
    };
    let kinds = facets.kinds.iter().filter(|_| query.kinds.is_empty() && facets.kinds.len() > 1);
    let kinds =
        kinds.map(|facet| offer(facet.kind.title().to_owned(), facet.count, query.of_kind(facet.kind)));
    let tags = facets.tags.iter().filter(|facet| !query.tags.contains(&facet.tag.to_lowercase()));
    let tags = tags.map(|facet| offer(format!("#{}", facet.tag), facet.count, query.with_tag(&facet.tag)));
    let all: Vec<_> = chosen.map(IntoAny::into_any).chain(kinds.chain(tags).map(IntoAny::into_any)).collect();
    if all.is_empty() {
        return ().into_any();
    }
    view! { <ul class="facets" aria-label="Narrow the search">{all}</ul> }.into_any()
}

fn hit_view(hit: SearchHit) -> AnyView {
    let at = hit.created_at;
    let title = hit.display_title().to_owned();
    // What was found by its title shows what matched there.
    let (title, passage) = match hit.kind {
        SearchKind::Conversation { .. } | SearchKind::Memory { .. } => (marked(hit.passage), None),
        _ => (title.into_any(), Some(hit.passage)),
    };
    let row = match hit.kind {
        SearchKind::Message { conversation_id, .. } | SearchKind::Conversation { conversation_id } => {
            conversation_id.to_string()
        }
        SearchKind::Note { note_id } => note_id.to_string(),
        SearchKind::File { file_id } => file_id.to_string(),
        SearchKind::Page { page_id } => page_id.to_string(),
        SearchKind::Memory { memory_id } => memory_id.to_string(),
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
        SearchKind::Page { .. } => (Icon::Web, "Page"),
        SearchKind::Memory { .. } => (Icon::Bulb, "Memory"),
    }
}

fn marked(passage: Vec<Segment>) -> AnyView {
    let segments = passage.into_iter().map(|segment| match segment.hit {
        true => view! { <mark>{segment.text}</mark> }.into_any(),
        false => segment.text.into_any(),
    });
    segments.collect_view().into_any()
}
