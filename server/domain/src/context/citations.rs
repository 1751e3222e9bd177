//! What an answer's links lead to, as far as its reader may see it. A link to what is not there, or not theirs,
//! is in no list of sources, so that it cannot look like one.

use super::things::titles;
use crate::Result;
use pulldown_cmark::{Event, Options, Parser, Tag};
use shared::context::{Source, Thing, ThingKind};
use shared::conversation::{Message, MessageRole, MessageStatus};
use sqlx::PgConnection;
use std::collections::HashMap;
use uuid::Uuid;

/// Notes on each finished answer that links to things which of them the reader may see.
pub(crate) async fn note_sources(tx: &mut PgConnection, messages: &mut [Message]) -> Result<()> {
    let linked: Vec<(usize, Vec<String>)> = messages
        .iter()
        .enumerate()
        .filter(|(_, message)| {
            message.role == MessageRole::Assistant
                && matches!(message.status, MessageStatus::Complete | MessageStatus::Error)
        })
        .map(|(at, message)| (at, links(&message.content)))
        .filter(|(_, links)| !links.is_empty())
        .collect();
    let named: Vec<(Thing, Option<&str>)> =
        linked.iter().flat_map(|(_, links)| links).filter_map(|link| Thing::of_url(link)).collect();
    let things: Vec<Thing> = named.iter().map(|(thing, _)| *thing).collect();
    let titles = titles(tx, &things).await?;
    let labels = labels(tx, &named).await?;
    for (at, links) in linked {
        let sources = links.into_iter().filter_map(|url| {
            let (thing, place) = Thing::of_url(&url)?;
            let title = titles.get(&thing)?.clone();
            let place = place.and_then(|place| labels.get(&(thing.id, place.to_owned())).cloned());
            Some(Source { kind: thing.kind, title, place, url })
        });
        messages[at].sources = Some(sources.collect());
    }
    Ok(())
}

/// What people call the places in files, pages and notes.
async fn labels(
    tx: &mut PgConnection,
    named: &[(Thing, Option<&str>)],
) -> Result<HashMap<(Uuid, String), String>> {
    let places = named
        .iter()
        .filter(|(thing, _)| matches!(thing.kind, ThingKind::Note | ThingKind::File | ThingKind::Page));
    let (ids, anchors): (Vec<Uuid>, Vec<&str>) =
        places.filter_map(|(thing, place)| Some((thing.id, (*place)?))).unzip();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(Uuid, String, String)> = sqlx::query_as(
        "SELECT DISTINCT k.source_id, k.place->>'anchor', k.place->>'label'
         FROM unnest($1::uuid[], $2::text[]) AS w (id, anchor)
         JOIN chunks k ON k.source_id = w.id AND k.place->>'anchor' = w.anchor",
    )
    .bind(ids)
    .bind(anchors)
    .fetch_all(tx)
    .await?;
    let rows = rows.into_iter().filter(|(_, _, label)| !label.is_empty());
    Ok(rows.map(|(id, anchor, label)| ((id, anchor), label)).collect())
}

/// Addresses of things that a text links to, each once, in order.
fn links(text: &str) -> Vec<String> {
    // most answers link to nothing: they need not be read
    if !ThingKind::ALL.iter().any(|kind| text.contains(kind.path())) {
        return Vec::new();
    }
    let mut links: Vec<String> = Vec::new();
    for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
        if let Event::Start(Tag::Link { dest_url, .. }) = event
            && Thing::of_url(&dest_url).is_some()
            && !links.iter().any(|link| **link == *dest_url)
        {
            links.push(dest_url.into_string());
        }
    }
    links
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_to_things_are_found_once_and_in_order() {
        let (a, b) = (Uuid::now_v7(), Uuid::now_v7());
        let text = format!(
            "One [x](/f/{a}#p3), two [y](/n/{b}), `[z](/f/{b})`, [x again](/f/{a}#p3), [out](https://e.example/f/{a}), [bad](/f/1)"
        );
        assert_eq!(links(&text), [format!("/f/{a}#p3"), format!("/n/{b}")]);
        assert!(links("nothing").is_empty());
    }
}
