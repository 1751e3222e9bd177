//! Comments: threads beside a note, anchored to its text by sticky positions. They live in rows;
//! whoever wrote one is stamped here and never believed from outside.

use super::access::{annotated, require, require_sight};
use crate::text::without_nul;
use crate::{Domain, Error, Result, Viewer};
use base64::{Engine, engine::general_purpose::STANDARD};
use shared::note::{Access, Anchor, Comment, CreateComment, UpdateComment};
use shared::{CommentId, ErrorCode, NoteId, UserId};
use sqlx::PgConnection;
use sync::{Author, StickyRange};
use time::OffsetDateTime;
use uuid::Uuid;

/// Longest comment, in characters.
const LONGEST_BODY: usize = 10_000;
/// Longest quote that is kept, in characters.
const LONGEST_QUOTE: usize = 1000;
/// Longest encoded position, in bytes.
const LONGEST_POSITION: usize = 512;
/// Comments that one note may have.
const MOST: i64 = 5000;
/// How others see whoever has no account.
const VISITOR: &str = "Visitor by link";

/// Comments of a note whose thread is still there. `$1` is the note.
const LIST: &str =
    "SELECT c.id, c.thread_id, c.author_id, c.author_name, c.body, c.anchor_from, c.anchor_to, c.quote,
           coalesce(t.resolved_at, c.resolved_at) IS NOT NULL AS resolved,
           coalesce(c.author_id = app_user_id(), false) AS own, c.created_at, c.edited_at
    FROM note_comments c LEFT JOIN note_comments t ON t.id = c.thread_id
    WHERE c.note_id = $1 AND c.deleted_at IS NULL AND t.deleted_at IS NULL";

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    thread_id: Option<Uuid>,
    author_id: Option<Uuid>,
    author_name: String,
    body: String,
    anchor_from: Option<Vec<u8>>,
    anchor_to: Option<Vec<u8>>,
    quote: String,
    resolved: bool,
    own: bool,
    created_at: OffsetDateTime,
    edited_at: Option<OffsetDateTime>,
}

impl From<Row> for Comment {
    fn from(row: Row) -> Self {
        let anchor = match (row.anchor_from, row.anchor_to) {
            (Some(from), Some(to)) => {
                Some(Anchor { from: STANDARD.encode(from), to: STANDARD.encode(to), quote: row.quote })
            }
            _ => None,
        };
        Self {
            id: CommentId(row.id),
            thread_id: row.thread_id.map(CommentId),
            author_id: row.author_id.map(UserId),
            author_name: row.author_name,
            body: row.body,
            anchor,
            resolved: row.resolved,
            own: row.own,
            created_at: row.created_at,
            edited_at: row.edited_at,
        }
    }
}

/// An anchor as rows hold it.
struct Position {
    from: Vec<u8>,
    to: Vec<u8>,
    quote: String,
}

impl Domain {
    /// All comments of a note, the oldest first; as with its text, its owner reads them in the bin too.
    pub async fn comments(&self, viewer: &Viewer, note: NoteId) -> Result<Vec<Comment>> {
        let mut tx = self.inner.db.as_viewer(viewer).await?;
        require_sight(&mut tx, note).await?;
        let rows: Vec<Row> = sqlx::query_as(sqlx::AssertSqlSafe(format!("{LIST} ORDER BY c.id")))
            .bind(note.0)
            .fetch_all(&mut *tx)
            .await?;
        Ok(rows.into_iter().map(Comment::from).collect())
    }

    /// Begins a thread, or answers in one.
    pub async fn add_comment(
        &self,
        viewer: &Viewer,
        note: NoteId,
        request: CreateComment,
    ) -> Result<Comment> {
        let body = checked_body(request.body)?;
        if request.thread_id.is_some() && request.anchor.is_some() {
            return Err(Error::invalid("anchor", "Only the first comment of a thread has an anchor."));
        }
        let mut tx = self.inner.db.as_viewer(viewer).await?;
        require(&mut tx, note, Access::Comment).await?;
        // No connection is held while the room is asked.
        tx.commit().await?;
        let position = match request.anchor {
            Some(anchor) => Some(self.position(viewer, note, anchor).await?),
            None => None,
        };
        let mut tx = self.inner.db.as_viewer(viewer).await?;
        require(&mut tx, note, Access::Comment).await?;
        if let Some(thread) = request.thread_id {
            let first: Option<bool> = sqlx::query_scalar(
                "SELECT true FROM note_comments
                 WHERE id = $1 AND note_id = $2 AND thread_id IS NULL AND deleted_at IS NULL",
            )
            .bind(thread.0)
            .bind(note.0)
            .fetch_optional(&mut *tx)
            .await?;
            first.ok_or_else(|| Error::not_found("thread"))?;
        }
        let count: i64 = sqlx::query_scalar("SELECT count(id) FROM note_comments WHERE note_id = $1")
            .bind(note.0)
            .fetch_one(&mut *tx)
            .await?;
        if count >= MOST {
            return Err(Error::problem(
                ErrorCode::Conflict,
                format!("This note has {MOST} comments already."),
            ));
        }
        let id = CommentId::new();
        let (from, to, quote) = match position {
            Some(Position { from, to, quote }) => (Some(from), Some(to), quote),
            None => (None, None, String::new()),
        };
        sqlx::query(
            "INSERT INTO note_comments (id, note_id, thread_id, author_id, author_name, body, anchor_from, anchor_to, quote)
             VALUES ($1, $2, $3, app_user_id(), coalesce(person_name(app_user_id()), $4), $5, $6, $7, $8)",
        )
        .bind(id.0)
        .bind(note.0)
        .bind(request.thread_id.map(|CommentId(id)| id))
        .bind(VISITOR)
        .bind(body)
        .bind(from)
        .bind(to)
        .bind(quote)
        .execute(&mut *tx)
        .await?;
        let comment = read(&mut tx, note, id).await?;
        annotated(&mut tx, note).await?;
        tx.commit().await?;
        Ok(comment)
    }

    /// Changes one's own words, or resolves a thread and opens it again.
    pub async fn update_comment(
        &self,
        viewer: &Viewer,
        note: NoteId,
        id: CommentId,
        change: UpdateComment,
    ) -> Result<Comment> {
        let body = change.body.map(checked_body).transpose()?;
        let mut tx = self.inner.db.as_viewer(viewer).await?;
        require(&mut tx, note, Access::View).await?;
        let comment = read(&mut tx, note, id).await?;
        require(&mut tx, note, Access::Comment).await?;
        if let Some(body) = body {
            if !comment.own {
                return Err(Error::problem(ErrorCode::Forbidden, "Only its author may change a comment."));
            }
            sqlx::query("UPDATE note_comments SET body = $2, edited_at = now() WHERE id = $1")
                .bind(id.0)
                .bind(body)
                .execute(&mut *tx)
                .await?;
        }
        if let Some(resolved) = change.resolved {
            sqlx::query(
                "UPDATE note_comments SET resolved_at = CASE WHEN $2 THEN coalesce(resolved_at, now()) END,
                        resolved_by = CASE WHEN $2 THEN coalesce(resolved_by, app_user_id()) END
                 WHERE id = $1",
            )
            .bind(comment.thread_id.unwrap_or(id).0)
            .bind(resolved)
            .execute(&mut *tx)
            .await?;
        }
        let comment = read(&mut tx, note, id).await?;
        annotated(&mut tx, note).await?;
        tx.commit().await?;
        Ok(comment)
    }

    /// Takes a comment away; the first of a thread takes the thread along, if nobody else wrote in
    /// it. The note's owner may delete any.
    pub async fn delete_comment(&self, viewer: &Viewer, note: NoteId, id: CommentId) -> Result<()> {
        let mut tx = self.inner.db.as_viewer(viewer).await?;
        let access = require(&mut tx, note, Access::View).await?;
        let comment = read(&mut tx, note, id).await?;
        require(&mut tx, note, Access::Comment).await?;
        if access < Access::Owner {
            if !comment.own {
                return Err(Error::problem(ErrorCode::Forbidden, "Only its author may delete a comment."));
            }
            let answered: bool = sqlx::query_scalar(
                "SELECT EXISTS (SELECT FROM note_comments WHERE thread_id = $1 AND deleted_at IS NULL
                                AND author_id IS DISTINCT FROM app_user_id())",
            )
            .bind(id.0)
            .fetch_one(&mut *tx)
            .await?;
            if answered {
                return Err(Error::problem(
                    ErrorCode::Conflict,
                    "Others answered in this thread. Resolve it instead; the note's owner can delete it.",
                ));
            }
        }
        sqlx::query("UPDATE note_comments SET deleted_at = now(), deleted_by = app_user_id() WHERE id = $1")
            .bind(id.0)
            .execute(&mut *tx)
            .await?;
        annotated(&mut tx, note).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Brings back what the same person took away.
    pub async fn restore_comment(&self, viewer: &Viewer, note: NoteId, id: CommentId) -> Result<Comment> {
        let mut tx = self.inner.db.as_viewer(viewer).await?;
        require(&mut tx, note, Access::Comment).await?;
        sqlx::query(
            "UPDATE note_comments SET deleted_at = NULL, deleted_by = NULL
             WHERE id = $1 AND note_id = $2 AND deleted_by = app_user_id()",
        )
        .bind(id.0)
        .bind(note.0)
        .execute(&mut *tx)
        .await?;
        let comment = read(&mut tx, note, id).await?;
        annotated(&mut tx, note).await?;
        tx.commit().await?;
        Ok(comment)
    }

    /// The anchor's positions; where only the words are given, the place where they stand once.
    async fn position(&self, viewer: &Viewer, note: NoteId, anchor: Anchor) -> Result<Position> {
        let quote: String = without_nul(anchor.quote).chars().take(LONGEST_QUOTE).collect();
        let range = if anchor.from.is_empty() && anchor.to.is_empty() {
            if quote.trim().is_empty() {
                return Err(Error::invalid("anchor", "Give the words that the comment is about."));
            }
            let words = quote.clone();
            let author = Author { user_id: viewer.user_id(), run_id: None };
            let found = self
                .inner
                .rooms
                .edit(note, author, move |draft| {
                    let text = draft.text();
                    let mut places = text.match_indices(&words).map(|(at, _)| at..at + words.len());
                    let first = places.next().filter(|_| places.next().is_none());
                    Ok(first.map(|range| draft.anchor(range)))
                })
                .await?
                .value;
            found.ok_or_else(|| {
                Error::invalid("anchor", "These words do not stand in the note exactly once.")
            })?
        } else {
            StickyRange { from: anchor.from, to: anchor.to }
        };
        Ok(Position { from: decoded(&range.from)?, to: decoded(&range.to)?, quote })
    }
}

fn decoded(position: &str) -> Result<Vec<u8>> {
    STANDARD
        .decode(position)
        .ok()
        .filter(|bytes| (1..=LONGEST_POSITION).contains(&bytes.len()))
        .ok_or_else(|| Error::invalid("anchor", "An anchor is two relative positions of Yjs in base64."))
}

fn checked_body(body: String) -> Result<String> {
    let body = without_nul(body).trim().to_owned();
    if body.is_empty() || body.chars().count() > LONGEST_BODY {
        return Err(Error::invalid("body", format!("A comment has 1 to {LONGEST_BODY} characters.")));
    }
    Ok(body)
}

async fn read(tx: &mut PgConnection, note: NoteId, id: CommentId) -> Result<Comment> {
    let row: Option<Row> = sqlx::query_as(sqlx::AssertSqlSafe(format!("{LIST} AND c.id = $2")))
        .bind(note.0)
        .bind(id.0)
        .fetch_optional(tx)
        .await?;
    row.map(Comment::from).ok_or_else(|| Error::not_found("comment"))
}
