//! Memories are found by their meaning, or by their words where nothing measures meaning.

use super::nearness::Nearness;
use super::passages::Vector;
use super::row::{Row, columns};
use super::{Audience, preferences, quota};
use crate::{Caller, Domain, Error, Result, Via};
use shared::memory::{FoundMemories, FoundMemory, Memory, USUAL_THRESHOLD};
use shared::{MemoryId, UserId};
use sqlx::PgConnection;
use std::collections::HashSet;
use uuid::Uuid;

/// The longest query, in bytes.
const LONGEST_QUERY: usize = 1000;
/// As much of a message as is asked with, in characters: what is beyond says little more, and takes time.
const LONGEST_QUESTION: usize = 600;
/// Tokens of memories that a model is told before an answer, and how many of them, at most.
const BUDGET: usize = 800;
const MOST_TOLD: usize = 12;
/// Characters of one exchange that are told.
const LONGEST_TOLD: usize = 600;

#[derive(Clone, Debug, Default)]
pub struct SearchMemories {
    pub query: String,
    /// The least similarity; 0.7 when absent.
    pub threshold: Option<f32>,
    pub limit: u32,
}

/// What a model is told of a memory.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub id: MemoryId,
    pub text: String,
    pub held_from: time::OffsetDateTime,
}

#[derive(sqlx::FromRow)]
struct FoundRow {
    #[sqlx(flatten)]
    row: Row,
    passage: String,
    #[sqlx(default)]
    cosine: Option<f64>,
}

impl Domain {
    /// For programs: counted, with a threshold that means the same whatever the model.
    pub async fn search_memories(&self, caller: &Caller, search: SearchMemories) -> Result<FoundMemories> {
        let threshold = search.threshold.unwrap_or(USUAL_THRESHOLD);
        if !(0.0..=1.0).contains(&threshold) {
            return Err(Error::invalid("threshold", "A threshold is a number from 0 to 1."));
        }
        let query = checked_query(&search.query)?;
        let vector = self.vector_of(&query, false).await;
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        quota::count(&mut tx, caller.user_id).await?;
        let found = self.found(&mut tx, caller.user_id, &query, vector, threshold, search.limit).await?;
        tx.commit().await?;
        Ok(found)
    }

    /// For the person who looks for something: the nearest come first, and what is only a little near comes too.
    pub async fn look_for_memories(&self, caller: &Caller, query: &str) -> Result<Vec<Memory>> {
        let query = checked_query(query)?;
        let vector = self.vector_of(&query, false).await;
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        // A program that looks searches; a person who looks through what is theirs does not.
        if let Via::ApiKey(_) = caller.via {
            quota::count(&mut tx, caller.user_id).await?;
        }
        let near = self.found(&mut tx, caller.user_id, &query, vector, USUAL_THRESHOLD / 2.0, 50).await?;
        let worded = by_words(&mut tx, caller.user_id, &query, Audience::Near, 50).await?;
        tx.commit().await?;
        let mut seen = HashSet::new();
        let all = near.items.into_iter().map(|found| found.memory);
        let all = all.chain(worded.into_iter().map(|found| found.row.into()));
        Ok(all.filter(|memory| seen.insert(memory.id)).collect())
    }

    async fn found(
        &self,
        tx: &mut PgConnection,
        owner: UserId,
        query: &str,
        vector: Option<Vector>,
        threshold: f32,
        limit: u32,
    ) -> Result<FoundMemories> {
        let limit = i64::from(limit.clamp(1, 100));
        let nearness = self.inner.embedder.as_ref().map(|embedder| Nearness::of(embedder.as_ref()));
        let (rows, model) = match (&vector, nearness) {
            (Some(vector), Some(nearness)) => {
                let least = nearness.cosine(threshold);
                (
                    by_meaning(tx, owner, vector, least, Audience::Near, limit).await?,
                    Some(vector.model.clone()),
                )
            }
            _ => (by_words(tx, owner, query, Audience::Near, limit).await?, None),
        };
        let items = rows.into_iter().map(|found| {
            let cosine = found.cosine.map(|cosine| cosine as f32);
            let similarity = cosine.zip(nearness).map(|(cosine, nearness)| nearness.similarity(cosine));
            FoundMemory { memory: found.row.into(), passage: found.passage, similarity, cosine }
        });
        Ok(FoundMemories { items: items.collect(), model, threshold })
    }

    /// What a model is told before it answers this: the pinned, then what is near, within the budget.
    pub(crate) async fn memories_for(
        &self,
        owner: UserId,
        question: &str,
        audience: Audience,
    ) -> Result<Vec<Told>> {
        let question: String = question.chars().take(LONGEST_QUESTION).collect();
        let mut tx = self.inner.db.as_user(owner).await?;
        if !preferences::read(&mut tx).await?.use_in_answers {
            return Ok(Vec::new());
        }
        let most = MOST_TOLD as i64;
        let pinned = pinned(&mut tx, owner, audience, most).await?;
        tx.commit().await?;
        // No connection is held while a model of embeddings thinks.
        let near = self.near(owner, &question, audience, most, |nearness| nearness.helps).await?;
        Ok(within_budget(pinned.into_iter().chain(near)))
    }

    /// What a tool or a job finds.
    pub(crate) async fn recall(&self, owner: UserId, query: &str, audience: Audience) -> Result<Vec<Memory>> {
        let query: String = query.chars().take(LONGEST_QUESTION).collect();
        let rows = self.near(owner, &query, audience, 20, |nearness| nearness.helps).await?;
        Ok(rows.into_iter().map(|found| found.row.into()).collect())
    }

    async fn near(
        &self,
        owner: UserId,
        text: &str,
        audience: Audience,
        most: i64,
        least: fn(Nearness) -> f32,
    ) -> Result<Vec<FoundRow>> {
        let vector = self.vector_of(text, false).await;
        let mut tx = self.inner.db.as_user(owner).await?;
        let rows = match (&vector, self.inner.embedder.as_ref()) {
            (Some(vector), Some(embedder)) => {
                let least = least(Nearness::of(embedder.as_ref()));
                by_meaning(&mut tx, owner, vector, least, audience, most).await?
            }
            _ => by_words(&mut tx, owner, text, audience, most).await?,
        };
        tx.commit().await?;
        Ok(rows)
    }

    /// Those of these memories that no model elsewhere may be told.
    pub(crate) async fn local_only(&self, owner: UserId, ids: &[Uuid]) -> Result<HashSet<MemoryId>> {
        let mut tx = self.inner.db.as_user(owner).await?;
        let kept: Vec<Uuid> =
            sqlx::query_scalar("SELECT id FROM memories WHERE id = ANY ($1) AND local_only")
                .bind(ids)
                .fetch_all(&mut *tx)
                .await?;
        tx.commit().await?;
        Ok(kept.into_iter().map(MemoryId).collect())
    }
}

fn checked_query(query: &str) -> Result<String> {
    let query = query.trim();
    if query.is_empty() {
        return Err(Error::invalid("q", "Say what to look for."));
    }
    if query.len() > LONGEST_QUERY || query.contains('\0') {
        return Err(Error::invalid("q", "At most 1,000 characters can be looked for."));
    }
    Ok(query.to_owned())
}

/// What holds now, and may be told.
macro_rules! tellable {
    () => {
        " m.superseded_by IS NULL AND (m.held_until IS NULL OR m.held_until > now()) AND NOT ($1 AND m.local_only)"
    };
}

async fn pinned(
    tx: &mut PgConnection,
    owner: UserId,
    audience: Audience,
    most: i64,
) -> Result<Vec<FoundRow>> {
    let rows = sqlx::query_as(concat!(
        "SELECT ",
        columns!(),
        ", m.content AS passage FROM memories m WHERE m.owner_id = $2 AND m.pinned AND",
        tellable!(),
        " ORDER BY m.created_at DESC LIMIT $3"
    ))
    .bind(audience == Audience::Elsewhere)
    .bind(owner.0)
    .bind(most)
    .fetch_all(tx)
    .await?;
    Ok(rows)
}

async fn by_meaning(
    tx: &mut PgConnection,
    owner: UserId,
    vector: &Vector,
    least: f32,
    audience: Audience,
    most: i64,
) -> Result<Vec<FoundRow>> {
    let rows = sqlx::query_as(concat!(
        "WITH near AS (
             SELECT DISTINCT ON (v.source_id) v.source_id AS id, v.chunk_id, 1 - (v.embedding <=> $3::text::halfvec) AS cosine
             FROM chunk_vectors v WHERE v.owner_id = $2 AND v.source_kind = 'memory' AND v.model = $4
               AND 1 - (v.embedding <=> $3::text::halfvec) >= $5
             ORDER BY v.source_id, v.embedding <=> $3::text::halfvec)
         SELECT ",
        columns!(),
        ", k.text AS passage, near.cosine FROM near JOIN chunks k ON k.id = near.chunk_id JOIN memories m ON m.id = near.id
         WHERE",
        tellable!(),
        " ORDER BY near.cosine DESC, m.created_at DESC LIMIT $6"
    ))
    .bind(audience == Audience::Elsewhere)
    .bind(owner.0)
    .bind(&vector.numbers)
    .bind(&vector.model)
    .bind(f64::from(least))
    .bind(most)
    .fetch_all(tx)
    .await?;
    Ok(rows)
}

/// Two words in common, or a third of what a memory says, make it worth a look.
async fn by_words(
    tx: &mut PgConnection,
    owner: UserId,
    text: &str,
    audience: Audience,
    most: i64,
) -> Result<Vec<FoundRow>> {
    let rows = sqlx::query_as(concat!(
        "WITH asked AS (SELECT tsvector_to_array(to_tsvector('english', $3)) AS words),
         found AS (
             SELECT k.source_id, k.text, s.shared, length(to_tsvector('english', k.text)) AS whole
             FROM asked, chunks k, LATERAL (
                 SELECT count(*) AS shared FROM unnest(tsvector_to_array(to_tsvector('english', k.text))) AS word
                 WHERE word = ANY (asked.words)) AS s
             WHERE k.owner_id = $2 AND k.source_kind = 'memory'
               AND k.tsv @@ nullif(replace(plainto_tsquery('english', $3)::text, '&', '|'), '')::tsquery),
         best AS (
             SELECT DISTINCT ON (source_id) source_id, text, shared, shared::float8 / greatest(whole, 1) AS part FROM found
             WHERE shared >= 2 OR shared * 3 >= whole ORDER BY source_id, shared DESC)
         SELECT ",
        columns!(),
        ", best.text AS passage FROM best JOIN memories m ON m.id = best.source_id WHERE",
        tellable!(),
        " ORDER BY best.shared DESC, best.part DESC, m.created_at DESC LIMIT $4"
    ))
    .bind(audience == Audience::Elsewhere)
    .bind(owner.0)
    .bind(text)
    .bind(most)
    .fetch_all(tx)
    .await?;
    Ok(rows)
}

fn within_budget(found: impl Iterator<Item = FoundRow>) -> Vec<Told> {
    let mut seen = HashSet::new();
    let mut room = BUDGET;
    let mut told = Vec::new();
    for FoundRow { row, passage, .. } in found {
        let text = if row.is_exchange() {
            passage.chars().take(LONGEST_TOLD).collect()
        } else {
            row.content.clone()
        };
        let cost = crate::passages::tokens(&text);
        // That of a project or an agent is told where that is at work.
        if !row.is_everywhere() || told.len() == MOST_TOLD || cost > room || !seen.insert(row.id) {
            continue;
        }
        room -= cost;
        told.push(Told { id: MemoryId(row.id), text, held_from: row.held_from });
    }
    told
}
