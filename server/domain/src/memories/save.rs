//! Statements are kept: what says the same as another is one with it, what contradicts it takes its place.

use super::claim::{Relation, cues, relate};
use super::keys::Keyed;
use super::nearness::Nearness;
use super::passages::{Vector, index, remove};
use super::quota;
use super::row::{Origin, Row, columns, find, tell};
use crate::search::written;
use crate::text::without_nul;
use crate::{Caller, Domain, Error, Result, Via};
use embeddings::Purpose;
use shared::memory::{CreateMemory, KeptMemory, Memory, MemoryOutcome, MemoryScope, MemorySourceKind};
use shared::{MemoryId, UserId};
use sqlx::PgConnection;
use std::time::Duration;
use time::OffsetDateTime;
use uuid::Uuid;

/// Characters of a statement at most.
const LONGEST: usize = 4000;
/// Characters of the name of a project or an agent at most.
const LONGEST_NAME: usize = 100;
/// A model of embeddings that is not done by then is not waited for. It thinks behind all other work, which in the
/// tests of builds for development is a lot.
const LONGEST_THOUGHT: Duration = Duration::from_millis(if cfg!(debug_assertions) { 6000 } else { 1500 });

/// A statement to be kept, checked.
pub(crate) struct Statement {
    pub content: String,
    pub scope: MemoryScope,
    pub origin: Origin,
    pub held_from: Option<OffsetDateTime>,
    pub held_until: Option<OffsetDateTime>,
    pub supersedes: Option<MemoryId>,
    pub pinned: bool,
    pub local_only: bool,
}

impl Statement {
    /// What a person, or a tool for them, wants kept of themselves.
    pub fn new(content: String, origin: Origin) -> Result<Self> {
        Ok(Self {
            content: checked_content(content)?,
            scope: MemoryScope::Person,
            origin,
            held_from: None,
            held_until: None,
            supersedes: None,
            pinned: false,
            local_only: false,
        })
    }

    fn asked(caller: &Caller, request: CreateMemory) -> Result<Self> {
        let by = match caller.via {
            Via::Session(_) => MemorySourceKind::Hand,
            Via::ApiKey(_) => MemorySourceKind::Program,
        };
        let origin = request.source.map(Origin::try_from).transpose()?.unwrap_or(Origin::plain(by));
        if let (Some(from), Some(until)) = (request.held_from, request.held_until)
            && from > until
        {
            return Err(Error::invalid("held_until", "It ended before it began: check both times."));
        }
        Ok(Self {
            scope: checked_scope(request.scope)?,
            held_from: request.held_from,
            held_until: request.held_until,
            supersedes: request.supersedes,
            pinned: request.pinned,
            local_only: request.local_only,
            ..Self::new(request.content, origin)?
        })
    }
}

pub(super) fn checked_content(content: String) -> Result<String> {
    let content = without_nul(content).trim().to_owned();
    if content.is_empty() {
        return Err(Error::invalid("content", "Write what is to be kept."));
    }
    if content.chars().count() > LONGEST {
        return Err(Error::invalid(
            "content",
            "A memory has at most 4,000 characters; longer texts are notes.",
        ));
    }
    Ok(content)
}

pub(super) fn checked_scope(scope: MemoryScope) -> Result<MemoryScope> {
    let name = without_nul(scope.name().trim().to_owned());
    let needs_name = matches!(scope, MemoryScope::Project { .. } | MemoryScope::Agent { .. });
    if needs_name && (name.is_empty() || name.chars().count() > LONGEST_NAME) {
        return Err(Error::invalid("scope", "A project or an agent has a name of 1 to 100 characters."));
    }
    MemoryScope::of(scope.kind(), &name)
        .ok_or_else(|| Error::invalid("scope", "A scope is person, workspace, project or agent."))
}

impl Domain {
    /// Keeps a statement, and says what became of it.
    pub async fn create_memory(
        &self,
        caller: &Caller,
        request: CreateMemory,
        key: Option<String>,
    ) -> Result<KeptMemory> {
        let keyed = Keyed::new(key, "statement", &request)?;
        let statement = Statement::asked(caller, request)?;
        let vector = self.vector_of(&statement.content, statement.local_only).await;
        let owner = caller.user_id;
        let mut tx = self.inner.db.as_user(owner).await?;
        hold(&mut tx, owner).await?;
        if let Some(keyed) = &keyed
            && let Some(before) = keyed.before(&mut tx).await?
        {
            let memory = find(&mut tx, before.id).await?.into();
            return kept(&mut tx, memory, before.outcome).await;
        }
        quota::count(&mut tx, owner).await?;
        let made = self.keep(&mut tx, owner, &statement, vector.as_ref()).await?;
        if let Some(keyed) = keyed {
            keyed.keep(&mut tx, owner, made.memory.id, made.outcome).await?;
        }
        tx.commit().await?;
        Ok(made)
    }

    /// The same for a tool or an accepted suggestion: no request of the API's.
    pub(crate) async fn keep_statement(&self, owner: UserId, statement: &Statement) -> Result<KeptMemory> {
        let vector = self.vector_of(&statement.content, statement.local_only).await;
        let mut tx = self.inner.db.as_user(owner).await?;
        hold(&mut tx, owner).await?;
        let made = self.keep(&mut tx, owner, statement, vector.as_ref()).await?;
        tx.commit().await?;
        Ok(made)
    }

    /// The text's vector; none where there is no model, where it is slow, and where the text is not to leave.
    pub(super) async fn vector_of(&self, text: &str, local_only: bool) -> Option<Vector> {
        let embedder = self.inner.embedder.as_ref()?;
        if local_only && !embedder.is_near() {
            return None;
        }
        // somebody waits for it
        let thought = embedder.embed(vec![text.to_owned()], Purpose::Query);
        let vector = match tokio::time::timeout(LONGEST_THOUGHT, thought).await {
            Ok(Ok(vectors)) => vectors.into_iter().next()?,
            Ok(Err(error)) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "a memory has no vector yet");
                return None;
            }
            Err(_) => return None,
        };
        Some(Vector { numbers: written(&vector), model: embedder.model().as_str().to_owned() })
    }

    /// In a transaction that holds the owner's lock.
    pub(super) async fn keep(
        &self,
        tx: &mut PgConnection,
        owner: UserId,
        statement: &Statement,
        vector: Option<&Vector>,
    ) -> Result<KeptMemory> {
        refuse_unseen(tx, &statement.origin).await?;
        let mut replaced = Vec::new();
        if let Some(id) = statement.supersedes {
            replaced.push(replaceable(tx, id).await?.id);
        }
        let mut same = None;
        // What is said of a time that is over contradicts nothing now.
        if statement.held_until.is_none() {
            let nearness = self.inner.embedder.as_ref().map(|embedder| Nearness::of(embedder.as_ref()));
            let nearness = nearness.unwrap_or(Nearness { matches: 1.0, helps: 1.0, same: 1.0 });
            for (id, content, cosine) in candidates(tx, owner, statement, vector).await? {
                let cosine = cosine.map(|cosine| cosine as f32);
                match relate(&statement.content, &content, cosine, &nearness) {
                    _ if replaced.contains(&id) => {}
                    Relation::Same => same = same.or(Some(id)),
                    Relation::Contradicts => replaced.push(id),
                    Relation::Unrelated => {}
                }
            }
        }
        let (id, outcome) = match same {
            Some(id) => (merge(tx, owner, MemoryId(id), statement).await?, MemoryOutcome::Merged),
            None => (insert(tx, owner, statement, vector).await?, MemoryOutcome::Kept),
        };
        let outcome = if replaced.is_empty() { outcome } else { MemoryOutcome::Superseded };
        supersede(tx, &replaced, id).await?;
        tell(tx, owner).await?;
        let memory = find(tx, id).await?.into();
        kept(tx, memory, outcome).await
    }
}

/// Whoever saves for this person takes turns: two that say the same at once are one.
pub(super) async fn hold(tx: &mut PgConnection, owner: UserId) -> Result<()> {
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('memories ' || $1::text, 0))")
        .bind(owner.0)
        .execute(tx)
        .await?;
    Ok(())
}

async fn kept(tx: &mut PgConnection, memory: Memory, outcome: MemoryOutcome) -> Result<KeptMemory> {
    let superseded: Vec<Uuid> = match outcome {
        MemoryOutcome::Superseded => {
            sqlx::query_scalar("SELECT id FROM memories WHERE superseded_by = $1 ORDER BY id")
                .bind(memory.id.0)
                .fetch_all(tx)
                .await?
        }
        MemoryOutcome::Kept | MemoryOutcome::Merged => Vec::new(),
    };
    Ok(KeptMemory { memory, outcome, superseded: superseded.into_iter().map(MemoryId).collect() })
}

/// A source that the person cannot see is none.
async fn refuse_unseen(tx: &mut PgConnection, origin: &Origin) -> Result<()> {
    let (statement, what) = match origin.kind {
        MemorySourceKind::Conversation => {
            ("SELECT EXISTS (SELECT FROM conversations WHERE id = $1 AND deleted_at IS NULL)", "conversation")
        }
        MemorySourceKind::Note => {
            ("SELECT EXISTS (SELECT FROM notes WHERE id = $1 AND deleted_at IS NULL)", "note")
        }
        MemorySourceKind::File => {
            ("SELECT EXISTS (SELECT FROM files WHERE id = $1 AND deleted_at IS NULL)", "file")
        }
        MemorySourceKind::Hand | MemorySourceKind::Program | MemorySourceKind::Page => return Ok(()),
    };
    let seen: bool = sqlx::query_scalar(statement).bind(origin.id).fetch_one(tx).await?;
    if seen { Ok(()) } else { Err(Error::not_found(what)) }
}

/// What holds now and can be replaced.
async fn replaceable(tx: &mut PgConnection, id: MemoryId) -> Result<Row> {
    let row = find(tx, id).await?;
    match row.superseded_by {
        None => Ok(row),
        Some(by) => Err(Error::Problem {
            code: shared::ErrorCode::Conflict,
            message: "Another memory took this one's place already.".into(),
            details: Some(serde_json::json!({ "superseded_by": by })),
            retry_after: None,
        }),
    }
}

/// Statements of the same scope that may say the same or the opposite: those whose meaning is near, and those with
/// words in common.
async fn candidates(
    tx: &mut PgConnection,
    owner: UserId,
    statement: &Statement,
    vector: Option<&Vector>,
) -> Result<Vec<(Uuid, String, Option<f64>)>> {
    let words = format!("{} {}", statement.content, cues(&statement.content));
    let rows = sqlx::query_as(
        "WITH near AS (
             SELECT v.source_id AS id, 1 - (v.embedding <=> $2::text::halfvec) AS cosine FROM chunk_vectors v
             WHERE v.owner_id = $1 AND v.source_kind = 'memory' AND v.model = $3
             ORDER BY (v.embedding <=> $2::text::halfvec) + 0 LIMIT 16),
         words AS (
             SELECT nullif(replace(plainto_tsquery('english', $4)::text, '&', '|'), '')::tsquery AS some),
         alike AS (
             SELECT k.source_id AS id, NULL::float8 AS cosine FROM words, chunks k
             WHERE k.owner_id = $1 AND k.source_kind = 'memory' AND k.tsv @@ words.some
             ORDER BY ts_rank_cd(k.tsv, words.some) DESC LIMIT 40)
         SELECT m.id, m.content, max(a.cosine) FROM (SELECT * FROM near UNION ALL SELECT * FROM alike) a
         JOIN memories m ON m.id = a.id
         WHERE m.kind = 'statement' AND m.superseded_by IS NULL AND m.scope = $5 AND m.scope_name = $6
           AND (m.held_until IS NULL OR m.held_until > now())
         GROUP BY m.id, m.content ORDER BY max(a.cosine) DESC NULLS LAST, m.id",
    )
    .bind(owner.0)
    .bind(vector.map(|vector| vector.numbers.as_str()))
    .bind(vector.map(|vector| vector.model.as_str()))
    .bind(words)
    .bind(statement.scope.kind())
    .bind(statement.scope.name())
    .fetch_all(tx)
    .await?;
    Ok(rows)
}

/// It was said before: that memory stays, and its history says that it was said again.
async fn merge(
    tx: &mut PgConnection,
    owner: UserId,
    id: MemoryId,
    statement: &Statement,
) -> Result<MemoryId> {
    let origin = &statement.origin;
    sqlx::query(
        "INSERT INTO memory_events (memory_id, owner_id, what, text, source_kind, source_id, source_part, source_url)
         VALUES ($1, $2, 'said_again', $3, $4, $5, $6, $7)",
    )
    .bind(id.0)
    .bind(owner.0)
    .bind(&statement.content)
    .bind(origin.kind.as_str())
    .bind(origin.id)
    .bind(origin.part)
    .bind(&origin.url)
    .execute(&mut *tx)
    .await?;
    sqlx::query(
        "UPDATE memories SET pinned = pinned OR $2, local_only = local_only OR $3, updated_at = now() WHERE id = $1",
    )
    .bind(id.0)
    .bind(statement.pinned)
    .bind(statement.local_only)
    .execute(tx)
    .await?;
    Ok(id)
}

async fn insert(
    tx: &mut PgConnection,
    owner: UserId,
    statement: &Statement,
    vector: Option<&Vector>,
) -> Result<MemoryId> {
    let (id, origin) = (MemoryId::new(), &statement.origin);
    sqlx::query(
        "INSERT INTO memories (id, owner_id, kind, content, scope, scope_name, source_kind, source_id, source_part,
                               source_url, held_from, held_until, pinned, local_only)
         VALUES ($1, $2, 'statement', $3, $4, $5, $6, $7, $8, $9, coalesce($10, least(now(), $11)), $11, $12, $13)",
    )
    .bind(id.0)
    .bind(owner.0)
    .bind(&statement.content)
    .bind(statement.scope.kind())
    .bind(statement.scope.name())
    .bind(origin.kind.as_str())
    .bind(origin.id)
    .bind(origin.part)
    .bind(&origin.url)
    .bind(statement.held_from)
    .bind(statement.held_until)
    .bind(statement.pinned)
    .bind(statement.local_only)
    .execute(&mut *tx)
    .await?;
    index(tx, owner, id, &statement.content, vector).await?;
    Ok(id)
}

/// These no longer hold, from when the other does: they are found no more, and stay in its history.
async fn supersede(tx: &mut PgConnection, replaced: &[Uuid], by: MemoryId) -> Result<()> {
    if replaced.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "UPDATE memories m SET superseded_by = $2, updated_at = now(),
                held_until = greatest(m.held_from, least(coalesce(m.held_until, 'infinity'), n.held_from))
         FROM memories n WHERE n.id = $2 AND m.id = ANY ($1)",
    )
    .bind(replaced)
    .bind(by.0)
    .execute(&mut *tx)
    .await?;
    sqlx::query("DELETE FROM memory_forgetting WHERE memory_id = ANY ($1)")
        .bind(replaced)
        .execute(&mut *tx)
        .await?;
    remove(tx, replaced).await
}

/// The columns again, for those who read many.
pub(super) const ALL: &str = concat!("SELECT ", columns!(), " FROM memories m WHERE m.id = ANY ($1)");
