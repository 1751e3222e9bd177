//! Gives passages their vectors, in the background and in the order they came. A passage is queued with its
//! row, so none is forgotten; a worker that dies lets its lease run out.

use crate::files::settle;
use crate::search::written;
use crate::{Domain, Error, Result};
use embeddings::{Embedder, Purpose};
use shared::UserId;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// Passages embedded at once.
const BATCH: i64 = 16;
/// A batch whose worker is silent for this long is taken up by another.
const LEASE: Duration = Duration::from_secs(120);
/// How often the queue is looked at when nothing was heard.
const POLL: Duration = Duration::from_secs(3);
/// After a failure, as of a model that is somewhere else.
const REST: Duration = Duration::from_secs(20);
/// Numbers of a vector, as the table keeps them.
pub const DIMENSIONS: usize = 384;

impl Domain {
    pub(crate) fn start_embedding(&self) {
        let Some(embedder) = self.inner.embedder.clone() else { return };
        let domain = self.clone();
        self.inner.tasks.spawn(async move {
            let stop = domain.inner.stop.clone();
            tokio::select! {
                () = stop.cancelled() => {}
                () = domain.embed_for_good(embedder) => {}
            }
        });
    }

    async fn embed_for_good(&self, embedder: Arc<dyn Embedder>) {
        while let Err(error) = self.queue_for_model(&*embedder).await {
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "what has no vector could not be queued"
            );
            tokio::time::sleep(REST).await;
        }
        let mut last = UserId(Uuid::nil());
        loop {
            let rest = match self.embed_some(&*embedder, &mut last).await {
                Ok(true) => continue,
                Ok(false) => POLL,
                Err(error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "passages wait for their vectors"
                    );
                    REST
                }
            };
            tokio::time::sleep(rest).await;
        }
    }

    /// Another model than before: everything is embedded anew, while the search goes on with what there is.
    async fn queue_for_model(&self, embedder: &dyn Embedder) -> Result<()> {
        let model = embedder.model().as_str();
        let mut tx = self.inner.db.as_system().await?;
        let before: Option<Vec<u8>> =
            sqlx::query_scalar("SELECT value FROM settings WHERE name = 'embedding_model'")
                .fetch_optional(&mut *tx)
                .await?;
        if before.as_deref() == Some(model.as_bytes()) {
            return Ok(());
        }
        let queued: i64 =
            sqlx::query_scalar("SELECT queue_for_model($1)").bind(model).fetch_one(&mut *tx).await?;
        sqlx::query(
            "INSERT INTO settings (name, value) VALUES ('embedding_model', $1) ON CONFLICT (name) DO UPDATE SET value = $1",
        )
        .bind(model.as_bytes())
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        tracing::info!(model, queued, "passages are embedded by this model from now on");
        Ok(())
    }

    /// Whether there were any. People take turns: `last` is whose it was.
    async fn embed_some(&self, embedder: &dyn Embedder, last: &mut UserId) -> Result<bool> {
        let Some(owner) = self.next_owner(*last).await? else { return Ok(false) };
        *last = owner;
        if !embedder.is_near() {
            self.keep_here(owner).await?;
        }
        let batch = self.lease_passages(owner).await?;
        if batch.is_empty() {
            return Ok(false);
        }
        let (ids, texts): (Vec<i64>, Vec<String>) = batch.into_iter().unzip();
        let vectors = embedder.embed(texts, Purpose::Passage).await.map_err(Error::internal)?;
        if vectors.iter().any(|vector| vector.len() != DIMENSIONS) {
            return Err(Error::internal(anyhow::anyhow!("a vector does not have {DIMENSIONS} numbers")));
        }
        let vectors: Vec<String> = vectors.iter().map(|vector| written(vector)).collect();
        metrics::counter!("sidebar_passages_embedded_total").increment(ids.len() as u64);
        self.keep_vectors(owner, embedder.model().as_str(), &ids, &vectors).await?;
        Ok(true)
    }

    /// The one after `last`, in a circle: a folder of somebody's makes nobody else wait.
    async fn next_owner(&self, last: UserId) -> Result<Option<UserId>> {
        let mut tx = self.inner.db.as_system().await?;
        let owner: Option<Uuid> = sqlx::query_scalar(
            "(SELECT owner_id FROM chunk_queue WHERE leased_until < now() AND owner_id > $1 ORDER BY owner_id LIMIT 1)
             UNION ALL
             (SELECT owner_id FROM chunk_queue WHERE leased_until < now() ORDER BY owner_id LIMIT 1)
             LIMIT 1",
        )
        .bind(last.0)
        .fetch_optional(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(owner.map(UserId))
    }

    /// What is kept from models elsewhere is not sent to one of embeddings either: it is found by its words.
    async fn keep_here(&self, owner: UserId) -> Result<()> {
        let mut tx = self.inner.db.as_user(owner).await?;
        sqlx::query(
            "DELETE FROM chunk_queue WHERE chunk_id IN
             (SELECT k.id FROM memories m JOIN chunks k ON k.source_id = m.id AND k.source_kind = 'memory'
              WHERE m.local_only)",
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }

    async fn lease_passages(&self, owner: UserId) -> Result<Vec<(i64, String)>> {
        let mut tx = self.inner.db.as_user(owner).await?;
        let batch = sqlx::query_as(
            "WITH leased AS (
                 UPDATE chunk_queue SET leased_until = now() + make_interval(secs => $1)
                 WHERE chunk_id IN (SELECT chunk_id FROM chunk_queue WHERE leased_until < now()
                                    ORDER BY chunk_id LIMIT $2 FOR UPDATE SKIP LOCKED)
                 RETURNING chunk_id)
             SELECT k.id, k.text FROM leased l JOIN chunks k ON k.id = l.chunk_id ORDER BY k.id",
        )
        .bind(LEASE.as_secs_f64())
        .bind(BATCH)
        .fetch_all(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(batch)
    }

    /// Passages that went meanwhile are gone from the queue too.
    async fn keep_vectors(&self, owner: UserId, model: &str, ids: &[i64], vectors: &[String]) -> Result<()> {
        let mut tx = self.inner.db.as_user(owner).await?;
        sqlx::query(
            "INSERT INTO chunk_vectors (owner_id, chunk_id, source_kind, source_id, created_at, model, embedding)
             SELECT k.owner_id, k.id, k.source_kind, k.source_id, k.created_at, $1, v.vector::halfvec
             FROM unnest($2::bigint[], $3::text[]) AS v (id, vector) JOIN chunks k ON k.id = v.id
             ON CONFLICT (owner_id, chunk_id) DO UPDATE SET model = $1, embedding = excluded.embedding",
        )
        .bind(model)
        .bind(ids)
        .bind(vectors)
        .execute(&mut *tx)
        .await?;
        sqlx::query("DELETE FROM chunk_queue WHERE chunk_id = ANY ($1)").bind(ids).execute(&mut *tx).await?;
        settle(&mut tx, owner, ids).await?;
        tx.commit().await?;
        Ok(())
    }
}
