//! Search over what a person may see: by words, and by meaning where a model of embeddings is there.

use crate::files::Spot;
use crate::{Caller, Domain, Error, Result};
use embeddings::Purpose;
use shared::search::{SearchHit, SearchKind, Segment};
use shared::{ConversationId, FileId, MessageId, NoteId, UserId};
use sqlx::types::Json;
use std::time::Duration;
use time::OffsetDateTime;
use uuid::Uuid;

/// The longest query, in bytes.
const LONGEST_QUERY: usize = 1000;
/// A model that is not done by then is not waited for: words alone answer.
const LONGEST_THOUGHT: Duration = Duration::from_millis(1500);

/// How much further than a match a passage may be: in a list that one looks through, the best of what is there is
/// worth seeing.
const SLACK: f32 = 0.1;

/// What is searched for, and where.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// Words as one would say them. `kind:note`, `kind:file`, `kind:conversation`, `after:2026-01-31` and
    /// `before:2026-01-31` among them narrow the search.
    pub query: String,
    /// `conversation`, `note`, `file`; all when empty.
    pub kinds: Vec<String>,
    pub since: Option<OffsetDateTime>,
    pub until: Option<OffsetDateTime>,
    pub limit: u32,
}

/// A passage that was found.
pub(crate) struct Found {
    pub hit: SearchHit,
    /// The whole passage.
    pub text: String,
}

#[derive(sqlx::FromRow)]
struct Row {
    source_kind: String,
    source_id: Uuid,
    part_id: Uuid,
    place: Option<Json<Spot>>,
    title: String,
    passage: String,
    text: String,
    created_at: OffsetDateTime,
}

impl Domain {
    /// The best passages for what was typed, best first.
    pub async fn search(&self, caller: &Caller, search: Search) -> Result<Vec<SearchHit>> {
        let found = self.search_as(caller.user_id, search).await?;
        Ok(found.into_iter().map(|found| found.hit).collect())
    }

    pub(crate) async fn search_as(&self, user: UserId, search: Search) -> Result<Vec<Found>> {
        if search.query.len() > LONGEST_QUERY || search.query.contains('\0') {
            return Err(Error::invalid("q", "At most 1,000 characters can be searched for."));
        }
        let limit = i32::try_from(search.limit.clamp(1, 100)).unwrap_or(100);
        let Narrowed { words, kinds, since, until } = narrowed(search)?;
        if words.is_empty() {
            return Ok(Vec::new());
        }
        let near = self.meaning_of(&words).await;
        let space = self.inner.embedder.as_ref().map(|embedder| embedder.model().as_str());
        let farthest = self.inner.embedder.as_ref().map(|embedder| 1.0 - embedder.threshold() + SLACK);
        let mut tx = self.inner.db.as_user(user).await?;
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT source_kind, source_id, part_id, place, title, passage, text, created_at
             FROM search_passages($1, $2::text::halfvec, $3, $4, $5, $6, $7, $8)",
        )
        .bind(words)
        .bind(near)
        .bind(space)
        .bind(farthest)
        .bind(kinds)
        .bind(since)
        .bind(until)
        .bind(limit)
        .fetch_all(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(rows.into_iter().map(Row::found).collect())
    }

    /// The vector of a query, as Postgres reads it. Without one the search goes on by words.
    async fn meaning_of(&self, words: &str) -> Option<String> {
        let embedder = self.inner.embedder.as_ref()?;
        let thought = embedder.embed(vec![words.to_owned()], Purpose::Query);
        match tokio::time::timeout(LONGEST_THOUGHT, thought).await {
            Ok(Ok(vectors)) => vectors.first().map(|vector| written(vector)),
            Ok(Err(error)) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "a query has no vector: words alone answer"
                );
                None
            }
            Err(_) => {
                tracing::warn!("the model of embeddings is slow: words alone answer");
                None
            }
        }
    }
}

impl Row {
    fn found(self) -> Found {
        let (source, part) = (self.source_id, self.part_id);
        let place = self.place.map(|place| place.0);
        let (kind, url) = match self.source_kind.as_str() {
            "note" => (SearchKind::Note { note_id: NoteId(source) }, format!("/n/{source}")),
            "file" => {
                let anchor = place.as_ref().map(|place| format!("#{}", place.anchor)).unwrap_or_default();
                (SearchKind::File { file_id: FileId(source) }, format!("/f/{source}{anchor}"))
            }
            "conversation" => {
                (SearchKind::Conversation { conversation_id: ConversationId(source) }, format!("/c/{source}"))
            }
            _ => (
                SearchKind::Message { conversation_id: ConversationId(source), message_id: MessageId(part) },
                format!("/c/{source}#m-{part}"),
            ),
        };
        let hit = SearchHit {
            kind,
            url,
            title: self.title,
            place: place.map(|place| place.label).filter(|label| !label.is_empty()),
            passage: segments(&self.passage),
            created_at: self.created_at,
        };
        Found { hit, text: self.text }
    }
}

/// A vector as pgvector reads it.
pub(crate) fn written(vector: &[f32]) -> String {
    let numbers: Vec<String> = vector.iter().map(f32::to_string).collect();
    format!("[{}]", numbers.join(","))
}

struct Narrowed {
    words: String,
    kinds: Option<Vec<String>>,
    since: Option<OffsetDateTime>,
    until: Option<OffsetDateTime>,
}

/// Takes the words that narrow the search out of the query.
fn narrowed(search: Search) -> Result<Narrowed> {
    let Search { query, mut kinds, mut since, mut until, .. } = search;
    let mut words = Vec::new();
    for word in query.split_whitespace() {
        match word.split_once(':') {
            Some(("kind", kind)) => kinds.push(kind.to_lowercase()),
            Some(("after", day)) => since = Some(day_of("after", day)?),
            Some(("before", day)) => until = Some(day_of("before", day)?),
            _ => words.push(word),
        }
    }
    let mut stored = Vec::new();
    for kind in kinds {
        match kind.trim_end_matches('s') {
            "conversation" | "chat" | "message" => {
                stored.extend(["message".to_owned(), "conversation".to_owned()])
            }
            "note" => stored.push("note".to_owned()),
            "file" => stored.push("file".to_owned()),
            _ => {
                return Err(Error::invalid(
                    "kinds",
                    format!("There is no kind ‘{kind}’: conversation, note, file."),
                ));
            }
        }
    }
    Ok(Narrowed { words: words.join(" "), kinds: (!stored.is_empty()).then_some(stored), since, until })
}

fn day_of(name: &'static str, day: &str) -> Result<OffsetDateTime> {
    let format = time::macros::format_description!("[year]-[month]-[day]");
    let day = time::Date::parse(day, format)
        .map_err(|_| Error::invalid("q", format!("‘{name}:’ takes a day, as in {name}:2026-01-31.")))?;
    Ok(day.midnight().assume_utc())
}

/// Cuts a passage at the marks that `search_passages` sets around what matched.
fn segments(marked: &str) -> Vec<Segment> {
    marked
        .split('\u{2}')
        .enumerate()
        .flat_map(|(i, part)| match part.split_once('\u{3}') {
            Some((hit, after)) if i > 0 => [(hit, true), (after, false)],
            _ => [(part, false), ("", false)],
        })
        .filter(|(text, _)| !text.is_empty())
        .map(|(text, hit)| Segment { text: text.to_owned(), hit })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_become_segments() {
        let cut: Vec<_> =
            segments("the \u{2}red\u{3} fox \u{2}ran\u{3}").into_iter().map(|s| (s.text, s.hit)).collect();
        let expected = [("the ", false), ("red", true), (" fox ", false), ("ran", true)];
        assert_eq!(cut, expected.map(|(t, h)| (t.to_owned(), h)));
    }

    #[test]
    fn words_that_narrow_are_taken_out() {
        let search = |query: &str| narrowed(Search { query: query.into(), ..Search::default() });
        let found = search("lease kind:files before:2026-02-01 notice: soon").unwrap();
        assert_eq!(found.words, "lease notice: soon");
        assert_eq!(found.kinds.unwrap(), ["file"]);
        assert_eq!(found.until.unwrap(), time::macros::datetime!(2026-02-01 00:00 UTC));
        assert!(search("kind:spoon x").is_err() && search("after:soon x").is_err());
    }
}
