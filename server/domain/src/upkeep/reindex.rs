//! Reads everything of a person anew from its sources: files, notes, conversations, pages, memories, one after the
//! other. What comes out as it was is not written. It is done in slices, each of which says how far it came, so that a server that
//! stops goes on where it was, and nobody waits behind it.

use crate::jobs::{Job, Kind, queue};
use crate::{Caller, Domain, Error, Result};
use shared::account::Role;
use shared::upkeep::{Reindexing, Scope};
use shared::{ConversationId, FileId, MemoryId, NoteId, PageId, UserId};
use sqlx::PgConnection;
use std::time::{Duration, Instant};
use time::OffsetDateTime;
use uuid::Uuid;

/// After so long others have their turn.
const SLICE: Duration = Duration::from_secs(20);
/// Things looked up at once.
const PORTION: i64 = 100;

/// How far it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reindexed {
    pub done: u32,
    pub of: u32,
    /// Things of which something was written.
    pub changed: u32,
}

/// What is read anew, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Files,
    Notes,
    Conversations,
    Pages,
    Memories,
}

impl Stage {
    const ALL: [Self; 5] = [Self::Files, Self::Notes, Self::Conversations, Self::Pages, Self::Memories];

    fn as_str(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Notes => "notes",
            Self::Conversations => "conversations",
            Self::Pages => "pages",
            Self::Memories => "memories",
        }
    }

    fn next(self) -> Option<Self> {
        let at = Self::ALL.iter().position(|stage| *stage == self)?;
        Self::ALL.get(at + 1).copied()
    }
}

/// Where it goes on.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Cursor {
    stage: Stage,
    after: Uuid,
}

impl Cursor {
    const START: Self = Self { stage: Stage::Files, after: Uuid::nil() };
}

#[derive(sqlx::FromRow)]
struct Row {
    done: i64,
    of: i64,
    changed: i64,
    running: bool,
    started_at: OffsetDateTime,
    ended_at: Option<OffsetDateTime>,
}

impl From<Row> for Reindexing {
    fn from(row: Row) -> Self {
        let count = |number: i64| u32::try_from(number).unwrap_or(u32::MAX);
        Self {
            done: count(row.done),
            of: count(row.of),
            changed: count(row.changed),
            running: row.running,
            started_at: row.started_at,
            ended_at: row.ended_at,
        }
    }
}

impl Domain {
    /// Begins to read everything anew: of the caller, or of everybody where an admin asks. What runs goes on.
    pub async fn reindex(&self, caller: &Caller, scope: Scope) -> Result<Reindexing> {
        let people = match scope {
            Scope::Mine => vec![caller.user_id],
            Scope::Everything => {
                caller.require(Role::Admin)?;
                self.everybody().await?
            }
        };
        for person in people {
            self.begin_reindexing(person).await?;
        }
        self.reindexing(caller, scope).await?.ok_or_else(|| Error::not_found("reading anew"))
    }

    /// The last reading anew; none where there was none.
    pub async fn reindexing(&self, caller: &Caller, scope: Scope) -> Result<Option<Reindexing>> {
        let mut tx = match scope {
            Scope::Mine => self.inner.db.as_user(caller.user_id).await?,
            Scope::Everything => {
                caller.require(Role::Admin)?;
                self.inner.db.as_system().await?
            }
        };
        let row: Option<Row> = sqlx::query_as(
            "SELECT sum(done)::bigint AS done, sum(of)::bigint AS of, sum(changed)::bigint AS changed,
                    bool_or(ended_at IS NULL) AS running, max(started_at) AS started_at,
                    CASE WHEN bool_or(ended_at IS NULL) THEN NULL ELSE max(ended_at) END AS ended_at
             FROM reindexings HAVING count(*) > 0",
        )
        .fetch_optional(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(row.map(Into::into))
    }

    async fn everybody(&self) -> Result<Vec<UserId>> {
        let mut tx = self.inner.db.as_system().await?;
        let people: Vec<Uuid> =
            sqlx::query_scalar("SELECT id FROM users ORDER BY id").fetch_all(&mut *tx).await?;
        tx.commit().await?;
        Ok(people.into_iter().map(UserId).collect())
    }

    async fn begin_reindexing(&self, owner: UserId) -> Result<()> {
        let mut tx = self.inner.db.as_user(owner).await?;
        let of = things(&mut tx, owner).await?;
        // One that runs is left alone; one whose job was given up begins again.
        let began = sqlx::query(
            "INSERT INTO reindexings AS r (owner_id, of) VALUES ($1, $2)
             ON CONFLICT (owner_id) DO UPDATE
             SET done = 0, of = $2, changed = 0, stage = 'files', after = $3, started_at = now(), ended_at = NULL
             WHERE r.ended_at IS NOT NULL OR NOT EXISTS (
                 SELECT FROM jobs WHERE kind = 'reindex' AND user_id = $1 AND status IN ('queued', 'running'))",
        )
        .bind(owner.0)
        .bind(of)
        .bind(Uuid::nil())
        .execute(&mut *tx)
        .await?;
        if began.rows_affected() > 0 {
            queue_slice(&mut tx, owner, Cursor::START).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// One slice; queues the next.
    pub(crate) async fn go_on_reindexing(&self, owner: UserId) -> Result<()> {
        let started = Instant::now();
        let mut tx = self.inner.db.as_user(owner).await?;
        let row: Option<(String, Uuid)> =
            sqlx::query_as("SELECT stage, after FROM reindexings WHERE ended_at IS NULL")
                .fetch_optional(&mut *tx)
                .await?;
        tx.commit().await?;
        let Some((stage, after)) = row else { return Ok(()) };
        let stage = Stage::ALL.into_iter().find(|known| known.as_str() == stage).unwrap_or(Stage::Files);
        let mut cursor = Cursor { stage, after };
        loop {
            let portion = self.portion(owner, cursor).await?;
            let last = portion.is_empty();
            for id in portion {
                let changed = Box::pin(self.read_anew(owner, cursor.stage, id)).await?;
                cursor.after = id;
                self.note_progress(owner, cursor, changed).await?;
                if started.elapsed() > SLICE {
                    let mut tx = self.inner.db.as_user(owner).await?;
                    queue_slice(&mut tx, owner, cursor).await?;
                    return Ok(tx.commit().await?);
                }
            }
            if !last {
                continue;
            }
            match cursor.stage.next() {
                Some(stage) => cursor = Cursor { stage, after: Uuid::nil() },
                None => return self.end_reindexing(owner).await,
            }
        }
    }

    async fn note_progress(&self, owner: UserId, cursor: Cursor, changed: bool) -> Result<()> {
        let mut tx = self.inner.db.as_user(owner).await?;
        sqlx::query(
            "UPDATE reindexings SET done = done + 1, changed = changed + $2, stage = $3, after = $4 WHERE owner_id = $1",
        )
        .bind(owner.0)
        .bind(i32::from(changed))
        .bind(cursor.stage.as_str())
        .bind(cursor.after)
        .execute(&mut *tx)
        .await?;
        Ok(tx.commit().await?)
    }

    async fn end_reindexing(&self, owner: UserId) -> Result<()> {
        let mut tx = self.inner.db.as_user(owner).await?;
        // What was added or removed meanwhile leaves the count where it ended.
        sqlx::query("UPDATE reindexings SET ended_at = now(), of = done WHERE owner_id = $1")
            .bind(owner.0)
            .execute(&mut *tx)
            .await?;
        Ok(tx.commit().await?)
    }

    /// At the shell: of the person with this address, or of everybody. `tell` hears of each thing.
    pub async fn reindex_at_shell(
        &self,
        email: Option<&str>,
        mut tell: impl FnMut(Reindexed),
    ) -> Result<Reindexed> {
        let people = match email {
            Some(email) => vec![self.user_by_email(email).await?.user_id],
            None => self.everybody().await?,
        };
        let mut reindexed = Reindexed::default();
        for person in &people {
            let mut tx = self.inner.db.as_user(*person).await?;
            reindexed.of += u32::try_from(things(&mut tx, *person).await?).unwrap_or(0);
            tx.commit().await?;
        }
        for person in people {
            for stage in Stage::ALL {
                let mut cursor = Cursor { stage, after: Uuid::nil() };
                loop {
                    let portion = self.portion(person, cursor).await?;
                    let Some(last) = portion.last().copied() else { break };
                    cursor.after = last;
                    for id in portion {
                        reindexed.changed += u32::from(Box::pin(self.read_anew(person, stage, id)).await?);
                        reindexed.done += 1;
                        tell(reindexed);
                    }
                }
            }
        }
        Ok(reindexed)
    }

    async fn portion(&self, owner: UserId, cursor: Cursor) -> Result<Vec<Uuid>> {
        let statement = match cursor.stage {
            Stage::Files => {
                "SELECT id FROM files WHERE owner_id = $1 AND deleted_at IS NULL AND id > $2 ORDER BY id LIMIT $3"
            }
            Stage::Notes => {
                "SELECT id FROM notes WHERE owner_id = $1 AND deleted_at IS NULL AND id > $2 ORDER BY id LIMIT $3"
            }
            Stage::Conversations => {
                "SELECT id FROM conversations WHERE owner_id = $1 AND deleted_at IS NULL AND id > $2 ORDER BY id LIMIT $3"
            }
            Stage::Pages => {
                "SELECT id FROM pages WHERE owner_id = $1 AND deleted_at IS NULL AND id > $2 ORDER BY id LIMIT $3"
            }
            Stage::Memories => "SELECT id FROM memories WHERE owner_id = $1 AND id > $2 ORDER BY id LIMIT $3",
        };
        let mut tx = self.inner.db.as_user(owner).await?;
        let portion = sqlx::query_scalar(statement)
            .bind(owner.0)
            .bind(cursor.after)
            .bind(PORTION)
            .fetch_all(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(portion)
    }

    /// Whether anything changed. What is wrong with one thing does not keep the others from being read.
    async fn read_anew(&self, owner: UserId, stage: Stage, id: Uuid) -> Result<bool> {
        let read = match stage {
            Stage::Files => self.read_file_anew(owner, FileId(id)).await,
            Stage::Notes => self.recut_note(NoteId(id)).await,
            Stage::Conversations => self.recut_conversation(owner, ConversationId(id)).await,
            Stage::Pages => self.read_page_anew(owner, PageId(id)).await,
            Stage::Memories => self.read_memory_anew(owner, MemoryId(id)).await,
        };
        match read {
            Err(error) if error.is_database_away() || error.is_storage_away() => Err(error),
            Err(error) => {
                let cause = format!("{:#}", anyhow::Error::from(error));
                tracing::warn!(stage = stage.as_str(), %id, cause, "something could not be read anew");
                Ok(false)
            }
            Ok(changed) => Ok(changed),
        }
    }
}

async fn queue_slice(tx: &mut PgConnection, owner: UserId, cursor: Cursor) -> Result<()> {
    let job = Job {
        kind: Kind::Reindex,
        user_id: Some(owner),
        payload: serde_json::json!({}),
        // The slice before still runs when this one is queued: the place in the key tells them apart.
        dedupe_key: Some(format!("reindex {owner} {} {}", cursor.stage.as_str(), cursor.after)),
    };
    queue(tx, job).await
}

/// Everything of the person's own that is read.
async fn things(tx: &mut PgConnection, owner: UserId) -> Result<i32> {
    Ok(sqlx::query_scalar(
        "SELECT ((SELECT count(*) FROM files WHERE owner_id = $1 AND deleted_at IS NULL)
               + (SELECT count(*) FROM notes WHERE owner_id = $1 AND deleted_at IS NULL)
               + (SELECT count(*) FROM conversations WHERE owner_id = $1 AND deleted_at IS NULL)
               + (SELECT count(*) FROM pages WHERE owner_id = $1 AND deleted_at IS NULL)
               + (SELECT count(*) FROM memories WHERE owner_id = $1))::int",
    )
    .bind(owner.0)
    .fetch_one(tx)
    .await?)
}
