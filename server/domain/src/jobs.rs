//! Work that outlives a request: queued in Postgres, leased by a worker, tried again when it fails.

use crate::memories::Look;
use crate::notices::Signal;
use crate::{Domain, Error, Result};
use serde_json::Value;
use shared::{ConversationId, JobId, UserId};
use sqlx::PgConnection;
use sqlx::types::Json;
use std::time::Duration;
use time::OffsetDateTime;
use uuid::Uuid;

/// A job whose worker is silent for this long is taken up by another.
const LEASE: Duration = Duration::from_secs(60);
/// How often a running job's lease is renewed and its cancellation noticed.
const RENEWAL: Duration = Duration::from_secs(5);
/// The longest a job may run.
const TIME_LIMIT: Duration = Duration::from_secs(600);
/// Tries before a job is given up.
const MOST_ATTEMPTS: i32 = 5;
/// How often the queue is looked at when no notification comes.
const POLL: Duration = Duration::from_secs(15);
/// When a job is tried again that the store of files was away for.
const STORE_AWAY: Duration = Duration::from_secs(10);
/// Workers in one server. One of them leaves files to the others, so that a folder of them makes nobody wait
/// for a title.
const WORKERS: [Lane; 6] = [Lane::Short, Lane::Any, Lane::Any, Lane::Pages, Lane::Models, Lane::Models];

/// Which jobs a worker takes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Lane {
    Any,
    /// Those that take a moment.
    Short,
    /// Web pages: they mostly wait for others, and nobody who saves one waits for a folder of files.
    Pages,
    /// Questions to models about files: they wait longest, and nothing waits behind them.
    Models,
}

/// What jobs do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    /// Gives a conversation a title.
    Title,
    /// Deletes for good what has been in the bin for 30 days.
    PurgeDeleted,
    /// Empties the event log of answers that were stored a day ago.
    PruneStreamEvents,
    /// Removes sessions that have ended.
    PruneSessions,
    /// Removes jobs that ended a week ago.
    PruneJobs,
    /// Merges the logs of notes, and projects what a crash left behind.
    CompactNotes,
    /// Lets links follow a renamed note.
    RewriteLinks,
    /// Reads what somebody keeps into the search.
    ReadFile,
    /// Removes from the store what nothing names.
    CollectBlobs,
    /// Reads everything of somebody's anew.
    Reindex,
    /// Makes a web page readable.
    FetchPage,
    /// Cuts passages anew where the rules have changed.
    CutPassages,
    /// Asks a conversation's model what of it is worth keeping.
    SuggestMemories,
    /// Has a model read what the reader of files could not.
    AskModel,
}

impl Kind {
    const ALL: [Self; 14] = [
        Self::Title,
        Self::PurgeDeleted,
        Self::PruneStreamEvents,
        Self::PruneSessions,
        Self::PruneJobs,
        Self::CompactNotes,
        Self::RewriteLinks,
        Self::ReadFile,
        Self::CollectBlobs,
        Self::Reindex,
        Self::FetchPage,
        Self::CutPassages,
        Self::SuggestMemories,
        Self::AskModel,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::PurgeDeleted => "purge_deleted",
            Self::PruneStreamEvents => "prune_stream_events",
            Self::PruneSessions => "prune_sessions",
            Self::PruneJobs => "prune_jobs",
            Self::CompactNotes => "compact_notes",
            Self::RewriteLinks => "rewrite_links",
            Self::ReadFile => "read_file",
            Self::CollectBlobs => "collect_blobs",
            Self::Reindex => "reindex",
            Self::FetchPage => "fetch_page",
            Self::CutPassages => "cut_passages",
            Self::SuggestMemories => "suggest_memories",
            Self::AskModel => "ask_model",
        }
    }
}

/// A job to be queued.
pub(crate) struct Job {
    pub kind: Kind,
    /// On whose behalf; none for the server itself.
    pub user_id: Option<UserId>,
    pub payload: Value,
    /// While a job with this key is open, another is not queued.
    pub dedupe_key: Option<String>,
}

#[derive(sqlx::FromRow)]
struct Leased {
    id: Uuid,
    kind: String,
    user_id: Option<Uuid>,
    payload: Json<Value>,
    attempts: i32,
    /// When it was due as it was leased. Whoever puts it off meanwhile wants it once more.
    run_at: OffsetDateTime,
}

impl Leased {
    fn user(&self) -> Result<UserId> {
        self.user_id.map(UserId).ok_or_else(|| Error::internal(anyhow::anyhow!("a job of nobody's")))
    }

    fn asked<T: serde::de::DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_value(self.payload.0.clone()).map_err(Error::internal)
    }
}

/// Queues with the transaction: the job exists if and only if the change does.
pub(crate) async fn queue(tx: &mut PgConnection, job: Job) -> Result<()> {
    sqlx::query(
        "INSERT INTO jobs (id, kind, user_id, payload, dedupe_key) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (dedupe_key) WHERE status IN ('queued', 'running') DO NOTHING",
    )
    .bind(JobId::new().0)
    .bind(job.kind.as_str())
    .bind(job.user_id.map(|id| id.0))
    .bind(Json(job.payload))
    .bind(job.dedupe_key)
    .execute(&mut *tx)
    .await?;
    Signal::JobQueued.send(tx).await
}

impl Domain {
    pub(crate) fn start_jobs(&self) {
        for lane in WORKERS {
            let domain = self.clone();
            self.inner.tasks.spawn(async move { domain.work(lane).await });
        }
        let domain = self.clone();
        self.inner.tasks.spawn(async move {
            loop {
                if let Err(error) = domain.queue_scheduled().await {
                    tracing::debug!(
                        error = &error as &dyn std::error::Error,
                        "schedules could not be looked at"
                    );
                }
                tokio::select! {
                    () = domain.inner.stop.cancelled() => break,
                    () = tokio::time::sleep(Duration::from_secs(30)) => {}
                }
            }
        });
    }

    /// Cancels the person's open jobs with these keys; one that runs is ended within seconds.
    pub(crate) async fn cancel_jobs(&self, user: UserId, keys: &[String]) -> Result<()> {
        let mut tx = self.inner.db.as_system().await?;
        sqlx::query(
            "UPDATE jobs SET status = 'cancelled', ended_at = now()
             WHERE dedupe_key = ANY ($1) AND user_id = $2 AND status IN ('queued', 'running')",
        )
        .bind(keys)
        .bind(user.0)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }

    async fn work(&self, lane: Lane) {
        let stop = &self.inner.stop;
        let mut queued = self.inner.notices.jobs_queued.subscribe();
        while !stop.is_cancelled() {
            match self.lease_job(lane).await {
                Ok(Some(job)) => {
                    tokio::select! {
                        () = stop.cancelled() => break,
                        result = self.run_leased(&job) => if let Err(error) = result {
                            tracing::warn!(job = %job.id, error = &error as &dyn std::error::Error, "the end of a job could not be noted");
                        },
                    }
                }
                Ok(None) => {
                    tokio::select! {
                        () = stop.cancelled() => break,
                        _ = queued.changed() => {}
                        () = tokio::time::sleep(POLL) => {}
                    }
                }
                Err(error) => {
                    tracing::debug!(
                        error = &error as &dyn std::error::Error,
                        "the queue could not be looked at"
                    );
                    tokio::time::sleep(Duration::from_secs(2)).await;
                }
            }
        }
    }

    async fn lease_job(&self, lane: Lane) -> Result<Option<Leased>> {
        let mut tx = self.inner.db.as_system().await?;
        let job = sqlx::query_as(
            "UPDATE jobs SET status = 'running', attempts = attempts + 1, lease_until = now() + make_interval(secs => $1)
             WHERE id = (SELECT id FROM jobs LEFT JOIN (
                             SELECT user_id AS whose, count(*) AS running FROM jobs
                             WHERE status = 'running' AND lease_until >= now() GROUP BY user_id) AS busy ON whose = user_id
                         WHERE (status = 'queued' AND run_at <= now() OR status = 'running' AND lease_until < now())
                           AND (NOT $2 OR kind NOT IN ('read_file', 'fetch_page', 'collect_blobs', 'reindex'))
                           AND (NOT $3 OR kind = 'fetch_page')
                           AND $4 = (kind = 'ask_model')
                         -- whoever has least under way comes first: a folder of somebody's makes nobody else wait
                         ORDER BY coalesce(running, 0), run_at LIMIT 1 FOR UPDATE OF jobs SKIP LOCKED)
             RETURNING id, kind, user_id, payload, attempts, run_at",
        )
        .bind(LEASE.as_secs_f64())
        .bind(lane == Lane::Short)
        .bind(lane == Lane::Pages)
        .bind(lane == Lane::Models)
        .fetch_optional(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(job)
    }

    async fn run_leased(&self, job: &Leased) -> Result<()> {
        let outcome = tokio::select! {
            outcome = tokio::time::timeout(TIME_LIMIT, self.run_job(job)) => match outcome {
                Ok(outcome) => outcome,
                Err(_) => Err(Error::internal(anyhow::anyhow!("it ran longer than {} s", TIME_LIMIT.as_secs()))),
            },
            () = self.until_cancelled(job.id) => return Ok(()),
        };
        metrics::counter!("sidebar_jobs_total", "kind" => job.kind.clone(), "outcome" => if outcome.is_ok() { "done" } else { "failed" })
            .increment(1);
        let mut tx = self.inner.db.as_system().await?;
        match outcome {
            Ok(()) => {
                sqlx::query(
                    "UPDATE jobs SET last_error = NULL,
                            status = CASE WHEN run_at = $2 THEN 'done' ELSE 'queued' END,
                            ended_at = CASE WHEN run_at = $2 THEN now() END,
                            attempts = CASE WHEN run_at = $2 THEN attempts ELSE 0 END
                     WHERE id = $1 AND status = 'running'",
                )
                .bind(job.id)
                .bind(job.run_at)
                .execute(&mut *tx)
                .await?;
            }
            Err(error) if error.is_storage_away() => {
                drop(tx);
                return self.put_off(job).await;
            }
            Err(error) => {
                let chain = format!("{:#}", anyhow::Error::from(error));
                tracing::warn!(job = %job.id, kind = job.kind, attempt = job.attempts, error = chain, "a job failed");
                if job.attempts >= MOST_ATTEMPTS {
                    self.give_up(job).await?;
                }
                let delay =
                    Duration::from_secs(5) * 4_u32.pow(u32::try_from(job.attempts.clamp(0, 8)).unwrap_or(0));
                sqlx::query(
                    "UPDATE jobs SET last_error = $2, run_at = now() + make_interval(secs => $3),
                            status = CASE WHEN attempts < $4 THEN 'queued' ELSE 'failed' END,
                            ended_at = CASE WHEN attempts < $4 THEN NULL ELSE now() END
                     WHERE id = $1 AND status = 'running'",
                )
                .bind(job.id)
                .bind(chain)
                .bind(delay.as_secs_f64())
                .bind(MOST_ATTEMPTS)
                .execute(&mut *tx)
                .await?;
            }
        }
        tx.commit().await?;
        Ok(())
    }

    /// Renews the lease; returns when the job was cancelled.
    async fn until_cancelled(&self, job: Uuid) {
        loop {
            tokio::time::sleep(RENEWAL).await;
            let renewed = async {
                let mut tx = self.inner.db.as_system().await?;
                let renewed = sqlx::query(
                    "UPDATE jobs SET lease_until = now() + make_interval(secs => $2) WHERE id = $1 AND status = 'running'",
                )
                .bind(job)
                .bind(LEASE.as_secs_f64())
                .execute(&mut *tx)
                .await?;
                tx.commit().await?;
                Ok::<_, Error>(renewed.rows_affected())
            };
            // While the database is away the job goes on: what it does will fail or succeed by itself.
            if matches!(renewed.await, Ok(0)) {
                return;
            }
        }
    }

    async fn run_job(&self, job: &Leased) -> Result<()> {
        let kind = Kind::ALL.into_iter().find(|kind| kind.as_str() == job.kind);
        let kind =
            kind.ok_or_else(|| Error::internal(anyhow::anyhow!("no such kind of job: {}", job.kind)))?;
        match kind {
            Kind::Title => {
                let user = job.user()?;
                let conversation: ConversationId =
                    serde_json::from_value(job.payload.0["conversation_id"].clone())
                        .map_err(Error::internal)?;
                match self.make_title(user, conversation).await {
                    // Purged meanwhile: there is nothing left to name.
                    Err(Error::Problem { code: shared::ErrorCode::NotFound, .. }) => Ok(()),
                    other => other,
                }
            }
            Kind::PurgeDeleted => {
                self.maintain("SELECT purge_deleted(now() - interval '30 days')").await?;
                self.maintain("SELECT purge_collections(now() - interval '30 days')").await?;
                self.maintain("SELECT purge_comments(now() - interval '30 days')").await?;
                self.purge_pages().await
            }
            Kind::PruneStreamEvents => {
                self.maintain(
                    "DELETE FROM stream_events WHERE answer_id IN
                     (SELECT id FROM answers WHERE ended_at < now() - interval '1 day')",
                )
                .await
            }
            Kind::PruneSessions => self.maintain("DELETE FROM sessions WHERE expires_at < now()").await,
            Kind::PruneJobs => {
                self.maintain("DELETE FROM jobs WHERE ended_at < now() - interval '7 days'").await
            }
            Kind::CompactNotes => self.compact_notes().await,
            Kind::RewriteLinks => self.rewrite_links(job.user()?, job.payload.0.clone()).await,
            Kind::ReadFile => self.read_file(job.user()?, job.asked()?).await,
            Kind::CollectBlobs => Box::pin(self.collect_store()).await,
            Kind::Reindex => Box::pin(self.go_on_reindexing(job.user()?)).await,
            Kind::FetchPage => self.fetch_page(job.user()?, job.asked()?).await,
            Kind::CutPassages => self.cut_passages().await,
            Kind::AskModel => Box::pin(self.ask_model(job.user()?, job.asked()?)).await,
            Kind::SuggestMemories => {
                let Look { conversation_id } = job.asked()?;
                match self.suggest_memories(job.user()?, conversation_id).await {
                    // Purged meanwhile: there is nothing left to look at.
                    Err(Error::Problem { code: shared::ErrorCode::NotFound, .. }) => Ok(()),
                    other => other,
                }
            }
        }
    }

    /// The store is away: that is not the job's fault, so it is no try of its own.
    async fn put_off(&self, job: &Leased) -> Result<()> {
        // Both are told the file alone.
        if [Kind::ReadFile, Kind::AskModel].iter().any(|kind| kind.as_str() == job.kind) {
            self.let_file_wait(job.user()?, job.asked()?).await?;
        }
        if job.kind == Kind::FetchPage.as_str() {
            self.let_page_wait(job.user()?, job.asked()?).await?;
        }
        let mut tx = self.inner.db.as_system().await?;
        sqlx::query(
            "UPDATE jobs SET status = 'queued', attempts = attempts - 1, run_at = now() + make_interval(secs => $2),
                    last_error = 'the store of files is away'
             WHERE id = $1 AND status = 'running'",
        )
        .bind(job.id)
        .bind(STORE_AWAY.as_secs_f64())
        .execute(&mut *tx)
        .await?;
        Ok(tx.commit().await?)
    }

    /// What is to be said where somebody waits for the outcome.
    async fn give_up(&self, job: &Leased) -> Result<()> {
        match Kind::ALL.into_iter().find(|kind| kind.as_str() == job.kind) {
            Some(Kind::ReadFile) => self.give_file_up(job.user()?, job.asked()?).await,
            Some(Kind::AskModel) => self.give_asking_up(job.user()?, job.asked()?).await,
            Some(Kind::FetchPage) => self.give_page_up(job.user()?, job.asked()?).await,
            _ => Ok(()),
        }
    }

    async fn maintain(&self, statement: &'static str) -> Result<()> {
        let mut tx = self.inner.db.as_system().await?;
        sqlx::query(statement).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn queue_scheduled(&self) -> Result<()> {
        let mut tx = self.inner.db.as_system().await?;
        let due: Vec<String> = sqlx::query_scalar(
            "UPDATE schedules SET next_run_at = now() + every WHERE next_run_at <= now() RETURNING kind",
        )
        .fetch_all(&mut *tx)
        .await?;
        for kind in Kind::ALL.into_iter().filter(|kind| due.iter().any(|due| due == kind.as_str())) {
            let job = Job {
                kind,
                user_id: None,
                payload: Value::Object(Default::default()),
                dedupe_key: Some(kind.as_str().into()),
            };
            queue(&mut tx, job).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}
