//! Search over what a person may see: by words, and by meaning where a model of embeddings is there.

mod facets;
mod shown;
mod turn;
mod typos;

use crate::context::collections::sources_in;
use crate::files::Spot;
use crate::{Caller, Domain, Error, Result};
use embeddings::Purpose;
use shared::search::query::Query;
use shared::search::{Correction, SearchAnswer, SearchHit, SearchKind, SourceKind};
use shared::upkeep::SearchState;
use shared::{CollectionId, ConversationId, FileId, MemoryId, MessageId, NoteId, PageId, UserId};
use sqlx::types::Json;
use std::time::Duration;
use time::OffsetDateTime;
use turn::Turn;
use uuid::Uuid;

/// The longest query, in bytes.
const LONGEST_QUERY: usize = 1000;
/// A model that is not done by then is not waited for: words alone answer. It thinks behind all other work, which in
/// the tests of builds for development is a lot.
const LONGEST_THOUGHT: Duration = Duration::from_millis(if cfg!(debug_assertions) { 6000 } else { 1500 });

/// How much further than a match a passage may be: in a list that one looks through, the best of what is there is
/// worth seeing.
const SLACK: f32 = 0.1;

/// What is fused how: `k`, then the weights of words, of the beginnings of words, and of meaning. Chosen by
/// `cargo xtask bench search` on one half of its questions.
pub const TUNING: [f32; 4] = [3.0, 1.0, 0.3, 1.6];

/// Fewer than these found by words are worth asking whether a word is misspelt.
const FEW: usize = 3;

/// What is searched for, and where.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// Words as one would say them, and what narrows the search: see [`Query`].
    pub query: String,
    /// `conversation`, `note`, `file`, `page`, `memory`; all when empty.
    pub kinds: Vec<String>,
    pub since: Option<OffsetDateTime>,
    pub until: Option<OffsetDateTime>,
    pub limit: u32,
    /// Of the page before.
    pub cursor: Option<String>,
    /// Only what is in it. `in:name` among the words goes by its name.
    pub collection: Option<CollectionId>,
}

/// The part of everything that a search is confined to.
#[derive(Clone, Debug)]
pub(crate) struct Within {
    pub sources: Vec<Uuid>,
    /// Passages of one source at most.
    pub each: i32,
    pub most: i32,
}

/// A passage of one of some sources.
pub(crate) struct PlacedHit {
    pub source: Uuid,
    /// In its source.
    pub ordinal: i32,
    pub hit: SearchHit,
    pub text: String,
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
    tags: Vec<String>,
    /// There on this page alone.
    passage: Option<String>,
    text: Option<String>,
    by_words: bool,
    created_at: OffsetDateTime,
}

impl Domain {
    /// The best passages for what was typed, best first.
    pub async fn search(&self, caller: &Caller, search: Search) -> Result<SearchAnswer> {
        let user = caller.user_id;
        let (mut query, mut turn) = asked(&search)?;
        let sources = match search.collection {
            Some(collection) => Some(self.collected(user, collection).await?),
            None => None,
        };
        let sources = sources.as_deref();
        let mut rows = self.found_rows(user, &query, &turn, sources).await?;
        let mut did_you_mean = None;
        if turn.is_first()
            && rows.iter().filter(|row| row.by_words).count() < FEW
            && let Some(words) = self.likely_words(user, &query.words).await?
        {
            let is_shown = !rows.iter().any(|row| row.by_words);
            query.words = words;
            if is_shown {
                turn.words = query.words.clone();
                rows = self.found_rows(user, &query, &turn, sources).await?;
            }
            did_you_mean = Some(Correction { query: query.to_string(), is_shown });
        }
        let next_cursor = turn.after(rows.len());
        let facets = facets::count(&rows);
        let items = rows.into_iter().filter_map(Row::found).map(|found| found.hit).collect();
        Ok(SearchAnswer { items, next_cursor, facets, did_you_mean })
    }

    /// The same with whole passages, for those who read them.
    pub(crate) async fn search_as(&self, user: UserId, search: Search) -> Result<Vec<Found>> {
        let (query, turn) = asked(&search)?;
        Ok(self.found_rows(user, &query, &turn, None).await?.into_iter().filter_map(Row::found).collect())
    }

    async fn collected(&self, user: UserId, collection: CollectionId) -> Result<Vec<Uuid>> {
        let mut tx = self.inner.db.as_user(user).await?;
        let sources = sources_in(&mut tx, collection).await?;
        tx.commit().await?;
        Ok(sources)
    }

    async fn found_rows(
        &self,
        user: UserId,
        query: &Query,
        turn: &Turn,
        sources: Option<&[Uuid]>,
    ) -> Result<Vec<Row>> {
        if turn.words.is_empty() && !query.is_narrowed() && sources.is_none() {
            return Ok(Vec::new());
        }
        let embedder = self.inner.embedder.as_ref();
        let near = match turn.words.is_empty() {
            true => None,
            false => self.meaning_of(&turn.words).await,
        };
        let kinds = stored_kinds(query);
        let mut tx = self.inner.db.as_user(user).await?;
        let rows = sqlx::query_as(
            "SELECT source_kind, source_id, part_id, place, title, tags, passage, text, by_words, created_at
             FROM find_passages($1, $2::text::halfvec, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        )
        .bind(&turn.words)
        .bind(near)
        .bind(embedder.map(|embedder| embedder.model().as_str()))
        .bind(embedder.map(|embedder| 1.0 - embedder.threshold() + SLACK))
        .bind(some(&kinds))
        .bind(turn.since)
        .bind(turn.until)
        .bind(some(&query.folders))
        .bind(some(&query.tags))
        .bind(sources)
        .bind(TUNING.as_slice())
        .bind(turn.skip)
        .bind(turn.most)
        .fetch_all(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(rows)
    }

    /// Whether search goes by meaning, and what of the caller's is not there yet.
    pub async fn search_state(&self, caller: &Caller) -> Result<SearchState> {
        let by_meaning = self.inner.embedder.is_some();
        if !by_meaning {
            return Ok(SearchState { by_meaning, waiting: 0 });
        }
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        let waiting: i64 = sqlx::query_scalar("SELECT count(*) FROM chunk_queue WHERE owner_id = $1")
            .bind(caller.user_id.0)
            .fetch_one(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(SearchState { by_meaning, waiting: u32::try_from(waiting).unwrap_or(u32::MAX) })
    }

    /// The passages of some sources that fit best, best first. `words` may be whole sentences.
    pub(crate) async fn search_within(
        &self,
        user: UserId,
        words: &str,
        within: Within,
    ) -> Result<Vec<PlacedHit>> {
        let words = &words[..words.floor_char_boundary(LONGEST_QUERY.min(words.len()))];
        if within.sources.is_empty() || words.trim().is_empty() {
            return Ok(Vec::new());
        }
        let near = self.meaning_of(words).await;
        let space = self.inner.embedder.as_ref().map(|embedder| embedder.model().as_str());
        let farthest = self.inner.embedder.as_ref().map(|embedder| 1.0 - embedder.threshold() + SLACK);
        let mut tx = self.inner.db.as_user(user).await?;
        let rows: Vec<PlacedRow> = sqlx::query_as(
            "SELECT source_kind, source_id, part_id, ordinal, place, coalesce(title, '') AS title, '{}'::text[] AS tags,
                    passage, text, true AS by_words, created_at
             FROM search_within($1, $2::text::halfvec, $3, $4, $5, $6, $7)",
        )
        .bind(words)
        .bind(near)
        .bind(space)
        .bind(farthest)
        .bind(within.sources)
        .bind(within.each)
        .bind(within.most)
        .fetch_all(&mut *tx)
        .await?;
        tx.commit().await?;
        let placed = rows.into_iter().filter_map(|PlacedRow { ordinal, row }| {
            let source = row.source_id;
            let Found { hit, text } = row.found()?;
            Some(PlacedHit { source, ordinal, hit, text })
        });
        Ok(placed.collect())
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

#[derive(sqlx::FromRow)]
struct PlacedRow {
    ordinal: i32,
    #[sqlx(flatten)]
    row: Row,
}

impl Row {
    fn found(self) -> Option<Found> {
        let (passage, text) = (self.passage?, self.text?);
        let (source, part) = (self.source_id, self.part_id);
        let place = self.place.map(|place| place.0);
        let anchor = place.as_ref().map(|place| format!("#{}", place.anchor)).unwrap_or_default();
        let (kind, url) = match self.source_kind.as_str() {
            "note" => (SearchKind::Note { note_id: NoteId(source) }, format!("/n/{source}{anchor}")),
            "file" => (SearchKind::File { file_id: FileId(source) }, format!("/f/{source}{anchor}")),
            "page" => (SearchKind::Page { page_id: PageId(source) }, format!("/p/{source}{anchor}")),
            "memory" => (SearchKind::Memory { memory_id: MemoryId(source) }, format!("/memories/{source}")),
            "conversation" => {
                (SearchKind::Conversation { conversation_id: ConversationId(source) }, format!("/c/{source}"))
            }
            _ => (
                SearchKind::Message { conversation_id: ConversationId(source), message_id: MessageId(part) },
                format!("/c/{source}#m-{part}"),
            ),
        };
        let is_code = place.as_ref().is_some_and(Spot::is_of_lines);
        let hit = SearchHit {
            kind,
            url,
            title: self.title,
            place: place.map(|place| place.label).filter(|label| !label.is_empty()),
            passage: shown::segments(&passage, is_code),
            created_at: self.created_at,
        };
        Some(Found { hit, text })
    }
}

/// A vector as pgvector reads it.
pub(crate) fn written(vector: &[f32]) -> String {
    let numbers: Vec<String> = vector.iter().map(f32::to_string).collect();
    format!("[{}]", numbers.join(","))
}

/// What was typed and what was asked for beside it, in one.
fn asked(search: &Search) -> Result<(Query, Turn)> {
    if search.query.len() > LONGEST_QUERY || search.query.contains('\0') {
        return Err(Error::invalid("q", "At most 1,000 characters can be searched for."));
    }
    let mut query = Query::parse(&search.query).map_err(|error| Error::invalid("q", error.to_string()))?;
    for kind in &search.kinds {
        let kind = SourceKind::named(kind).ok_or_else(|| {
            let known: Vec<&str> = SourceKind::ALL.iter().map(|kind| kind.as_str()).collect();
            Error::invalid("kinds", format!("There is no kind ‘{kind}’: {}.", known.join(", ")))
        })?;
        query.kinds.push(kind);
    }
    let turn = Turn::of(search, &query)?;
    Ok((query, turn))
}

/// The kinds of passages that are asked for; none for all.
fn stored_kinds(query: &Query) -> Vec<String> {
    let stored = |kind: &SourceKind| kind.stored().iter().map(|kind| (*kind).to_owned()).collect::<Vec<_>>();
    query.kinds.iter().flat_map(stored).collect()
}

fn some<T>(list: &[T]) -> Option<&[T]> {
    (!list.is_empty()).then_some(list)
}
