//! What models did or want to do in notes. A run's row says who it was and what became of each of
//! its hunks; the document shows what is proposed. A row is locked while its hunks are decided, so
//! that each is decided once, whichever server is asked.

use super::access::{annotated, require};
use super::hunks::{Done, Kept, Standing, anchored, carry_out, in_order, place, withdrawal};
use super::versions::{NewVersion, keep_around};
use crate::text::without_nul;
use crate::{Domain, Error, Result, Viewer};
use serde_json::json;
use shared::note::{Access, Hunk, Person, Propose, Run, RunKind, RunStatus, UndoneRun};
use shared::{ConversationId, ErrorCode, NoteId, RunId, UserId};
use sqlx::PgConnection;
use sqlx::types::Json;
use sync::{Author, Refused};
use time::OffsetDateTime;
use tokio::sync::Semaphore;
use uuid::Uuid;

/// Runs listed at most, the newest first.
const MOST_LISTED: i64 = 200;
/// Longest reason, and longest name of a model, in characters.
const LONGEST_REASON: usize = 2000;
const LONGEST_MODEL: usize = 200;

/// Each decision holds a connection while the room commits by another: few at a time, so that there
/// is always one left.
pub(super) static DECISIONS: Semaphore = Semaphore::const_new(2);

const COLUMNS: &str = "r.id, r.kind, r.status, r.user_id, person_name(r.user_id) AS name,
    CASE WHEN r.user_id = app_user_id() THEN r.conversation_id END AS conversation_id,
    r.model, r.reason, r.hunks, r.created_at";

#[derive(sqlx::FromRow)]
pub(super) struct Row {
    pub id: Uuid,
    pub kind: String,
    pub status: String,
    user_id: Uuid,
    name: Option<String>,
    conversation_id: Option<Uuid>,
    pub model: String,
    reason: String,
    pub hunks: Json<Vec<Kept>>,
    created_at: OffsetDateTime,
}

impl From<Row> for Run {
    fn from(row: Row) -> Self {
        let status = match row.status.as_str() {
            "open" => RunStatus::Open,
            "applied" => RunStatus::Applied,
            "rejected" => RunStatus::Rejected,
            _ => RunStatus::Undone,
        };
        // While a proposal is open, only what is still to be decided is of interest.
        let shown = |kept: &Kept| status != RunStatus::Open || kept.standing == Standing::Open;
        Self {
            id: RunId(row.id),
            kind: if row.kind == "edit" { RunKind::Edit } else { RunKind::Proposal },
            status,
            model: row.model,
            on_behalf: Person { id: UserId(row.user_id), name: row.name.unwrap_or_default() },
            conversation_id: row.conversation_id.map(ConversationId),
            reason: row.reason,
            hunks: row.hunks.0.into_iter().filter(shown).map(|kept| kept.hunk).collect(),
            created_at: row.created_at,
        }
    }
}

/// A run about to be: who, by what, why.
pub(super) struct NewRun {
    pub id: RunId,
    pub note: NoteId,
    pub by: UserId,
    pub conversation: Option<ConversationId>,
    pub model: String,
    pub reason: String,
}

impl NewRun {
    pub fn checked(
        note: NoteId,
        by: UserId,
        conversation: Option<ConversationId>,
        asked: &Propose,
    ) -> Result<Self> {
        let model = without_nul(asked.model.trim().to_owned());
        if model.is_empty() || model.chars().count() > LONGEST_MODEL {
            return Err(Error::invalid(
                "model",
                format!("A model's name has 1 to {LONGEST_MODEL} characters."),
            ));
        }
        let reason = without_nul(asked.reason.trim().to_owned());
        if reason.chars().count() > LONGEST_REASON {
            return Err(Error::invalid(
                "reason",
                format!("A reason has at most {LONGEST_REASON} characters."),
            ));
        }
        Ok(Self { id: RunId::new(), note, by, conversation, model, reason })
    }

    pub fn author(&self) -> Author {
        Author { user_id: Some(self.by), run_id: Some(self.id) }
    }

    pub async fn insert(
        &self,
        tx: &mut PgConnection,
        kind: &str,
        status: &str,
        hunks: &[Kept],
    ) -> Result<()> {
        sqlx::query(
            "INSERT INTO note_runs (id, note_id, kind, status, user_id, conversation_id, model, reason, hunks, ended_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, CASE WHEN $4 <> 'open' THEN now() END)",
        )
        .bind(self.id.0)
        .bind(self.note.0)
        .bind(kind)
        .bind(status)
        .bind(self.by.0)
        .bind(self.conversation.map(|ConversationId(id)| id))
        .bind(&self.model)
        .bind(&self.reason)
        .bind(Json(hunks))
        .execute(tx)
        .await?;
        Ok(())
    }
}

impl Domain {
    /// What models did or proposed in a note, the newest first.
    pub async fn runs(&self, viewer: &Viewer, note: NoteId) -> Result<Vec<Run>> {
        let mut tx = self.inner.db.as_viewer(viewer).await?;
        require(&mut tx, note, Access::View).await?;
        let rows: Vec<Row> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "SELECT {COLUMNS} FROM note_runs r WHERE r.note_id = $1 ORDER BY r.id DESC LIMIT $2"
        )))
        .bind(note.0)
        .bind(MOST_LISTED)
        .fetch_all(&mut *tx)
        .await?;
        Ok(rows.into_iter().map(Run::from).collect())
    }

    /// Edits at once, where the note's owner allows that to models; a proposal everywhere else.
    pub(crate) async fn edit_by_model(
        &self,
        viewer: &Viewer,
        note: NoteId,
        conversation: Option<ConversationId>,
        asked: Propose,
    ) -> Result<Run> {
        let mut tx = self.inner.db.as_viewer(viewer).await?;
        require(&mut tx, note, Access::Edit).await?;
        let allowed: bool = sqlx::query_scalar("SELECT model_edits FROM notes WHERE id = $1")
            .bind(note.0)
            .fetch_one(&mut *tx)
            .await?;
        tx.commit().await?;
        if !allowed {
            return self.propose(viewer, note, conversation, asked).await;
        }
        let by = super::access::person(viewer)?.user_id;
        let run = NewRun::checked(note, by, conversation, &asked)?;
        let edits = asked.edits;
        let edited = self
            .inner
            .rooms
            .edit(note, run.author(), move |draft| {
                let before = draft.text();
                let mut hunks = anchored(draft, &before, place(&before, &edits).map_err(Refused)?);
                let steps: Vec<_> = hunks
                    .iter()
                    .enumerate()
                    .filter_map(|(n, kept)| super::hunks::acceptance(draft, &before, n, &kept.hunk))
                    .collect();
                let (steps, _) = in_order(steps);
                mark(&mut hunks, carry_out(draft, &steps));
                Ok((before, draft.text(), hunks))
            })
            .await?;
        let (before, after, hunks) = edited.value;
        let mut tx = self.inner.db.as_viewer(viewer).await?;
        run.insert(&mut tx, "edit", "applied", &hunks).await?;
        annotated(&mut tx, note).await?;
        let row = locked(&mut tx, note, run.id).await?;
        tx.commit().await?;
        self.keep_model_version(note, edited.seq, run.id, run.by, (&before, &after)).await?;
        Ok(row.into())
    }

    /// Takes back what a run changed, as one step, though others typed since; says what could not
    /// be taken back.
    pub async fn undo_run(&self, viewer: &Viewer, note: NoteId, run: RunId) -> Result<UndoneRun> {
        let _turn = DECISIONS.acquire().await.map_err(Error::internal)?;
        let mut tx = self.inner.db.as_viewer(viewer).await?;
        require(&mut tx, note, Access::Edit).await?;
        let row = locked(&mut tx, note, run).await?;
        let applied: Vec<(usize, Done)> = row
            .hunks
            .iter()
            .enumerate()
            .filter(|(_, kept)| kept.standing == Standing::Applied)
            .filter_map(|(n, kept)| kept.done.clone().map(|done| (n, done)))
            .collect();
        if applied.is_empty() {
            return Err(Error::problem(ErrorCode::Conflict, "Nothing of this is in the note any more."));
        }
        let author = Author { user_id: viewer.user_id(), run_id: None };
        let edited = self
            .inner
            .rooms
            .edit(note, author, move |draft| {
                let text = draft.text();
                let steps: Vec<_> =
                    applied.iter().filter_map(|(n, done)| withdrawal(draft, &text, *n, done)).collect();
                let (steps, _) = in_order(steps);
                Ok(carry_out(draft, &steps).into_iter().map(|(n, _)| n).collect::<Vec<_>>())
            })
            .await?;
        let mut hunks = row.hunks.0.clone();
        for n in &edited.value {
            hunks[*n].standing = Standing::Undone;
        }
        let kept: Vec<Hunk> =
            hunks.iter().filter(|k| k.standing == Standing::Applied).map(|k| k.hunk.clone()).collect();
        if edited.value.is_empty() {
            return Err(conflict(
                "Others changed the same words since, so nothing could be taken back. An earlier version has the text as it was.",
                &kept,
            ));
        }
        let status = if kept.is_empty() { "undone" } else { "applied" };
        let row = settle(&mut tx, note, run, status, &hunks).await?;
        tx.commit().await?;
        Ok(UndoneRun { run: row.into(), kept })
    }

    /// Marks in the timeline what a model wrote, with what stood there before.
    pub(super) async fn keep_model_version(
        &self,
        note: NoteId,
        seq: i64,
        run: RunId,
        by: UserId,
        (before, after): (&str, &str),
    ) -> Result<()> {
        let mut tx = self.inner.db.as_sync().await?;
        let version =
            NewVersion { note, seq, kind: "model", name: "", markdown: after, run: Some(run), by: Some(by) };
        keep_around(&mut tx, before, version).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// Notes which hunks were applied and what they made of what.
pub(super) fn mark(hunks: &mut [Kept], done: Vec<(usize, Done)>) {
    for (n, done) in done {
        hunks[n].standing = Standing::Applied;
        hunks[n].done = Some(done);
    }
}

pub(super) fn conflict(message: &str, hunks: &[Hunk]) -> Error {
    let ids: Vec<&str> = hunks.iter().map(|hunk| hunk.id.as_str()).collect();
    Error::Problem {
        code: ErrorCode::Conflict,
        message: message.to_owned(),
        details: Some(json!({ "hunks": ids })),
        retry_after: None,
    }
}

/// The run, locked until the transaction ends.
pub(super) async fn locked(tx: &mut PgConnection, note: NoteId, run: RunId) -> Result<Row> {
    let row: Option<Row> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "SELECT {COLUMNS} FROM note_runs r WHERE r.note_id = $1 AND r.id = $2 FOR UPDATE"
    )))
    .bind(note.0)
    .bind(run.0)
    .fetch_optional(tx)
    .await?;
    row.ok_or_else(|| Error::not_found("run of a model"))
}

/// Writes what became of a run's hunks, and tells everybody.
pub(super) async fn settle(
    tx: &mut PgConnection,
    note: NoteId,
    run: RunId,
    status: &str,
    hunks: &[Kept],
) -> Result<Row> {
    sqlx::query(
        "UPDATE note_runs SET status = $2, hunks = $3, ended_at = CASE WHEN $2 <> 'open' THEN now() END WHERE id = $1",
    )
    .bind(run.0)
    .bind(status)
    .bind(Json(hunks))
    .execute(&mut *tx)
    .await?;
    annotated(tx, note).await?;
    locked(tx, note, run).await
}
