//! States of a note to look at and go back to. Going back is an edit like any other, so nothing is
//! lost by it. Automatic ones come with the projection.

use super::access::{annotated, person, require};
use super::diff::readable;
use crate::text::without_nul;
use crate::{Domain, Error, Result, Viewer};
use shared::note::{Access, Author, NameVersion, Version, VersionDiff, VersionKind};
use shared::{ErrorCode, NoteId, RunId, UserId, VersionId};
use sqlx::PgConnection;
use sqlx::types::Json;
use time::OffsetDateTime;
use uuid::Uuid;

/// Versions listed at most, the newest first.
const MOST_LISTED: i64 = 1000;
/// Longest name, in characters.
const LONGEST_NAME: usize = 200;
/// Versions that people may name in one note.
const MOST_NAMED: i64 = 500;

/// What a version is compared with.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Against {
    /// The version before it.
    #[default]
    Previous,
    Now,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    seq: i64,
    kind: String,
    name: String,
    authors: Json<Vec<Author>>,
    run_id: Option<Uuid>,
    created_at: OffsetDateTime,
}

impl From<Row> for Version {
    fn from(row: Row) -> Self {
        Self {
            id: VersionId(row.id),
            seq: row.seq,
            kind: match row.kind.as_str() {
                "named" => VersionKind::Named,
                "model" => VersionKind::Model,
                "restore" => VersionKind::Restore,
                _ => VersionKind::Automatic,
            },
            name: row.name,
            authors: row.authors.0,
            run_id: row.run_id.map(RunId),
            created_at: row.created_at,
        }
    }
}

/// A version to be kept.
pub(super) struct NewVersion<'a> {
    pub note: NoteId,
    pub seq: i64,
    pub kind: &'static str,
    pub name: &'a str,
    pub markdown: &'a str,
    pub run: Option<RunId>,
    pub by: Option<UserId>,
}

impl NewVersion<'_> {
    /// As the rooms' role.
    pub async fn keep(self, tx: &mut PgConnection) -> Result<VersionId> {
        let id = VersionId::new();
        sqlx::query(
            "INSERT INTO note_versions (id, note_id, seq, kind, name, markdown, authors, run_id, created_by)
             SELECT $1, $2, $3, $4, $5, $6,
                    coalesce(nullif(note_authors($2, coalesce(last.seq, 0), $3), '[]'), last.authors, '[]'), $7, $8
             FROM (SELECT) one LEFT JOIN LATERAL (
                 SELECT v.seq, v.authors FROM note_versions v
                 WHERE v.note_id = $2 ORDER BY v.seq DESC, v.id DESC LIMIT 1) last ON true",
        )
        .bind(id.0)
        .bind(self.note.0)
        .bind(self.seq)
        .bind(self.kind)
        .bind(self.name)
        .bind(self.markdown)
        .bind(self.run.map(|RunId(id)| id))
        .bind(self.by.map(|UserId(id)| id))
        .execute(tx)
        .await?;
        Ok(id)
    }
}

/// Keeps what stood there before a change that is committed as `seq`, if no version has it, and then
/// the change.
pub(super) async fn keep_around(
    tx: &mut PgConnection,
    before: &str,
    change: NewVersion<'_>,
) -> Result<VersionId> {
    let last: Option<String> = sqlx::query_scalar(
        "SELECT markdown FROM note_versions WHERE note_id = $1 ORDER BY seq DESC, id DESC LIMIT 1",
    )
    .bind(change.note.0)
    .fetch_optional(&mut *tx)
    .await?;
    if last.unwrap_or_default() != before {
        let seq = change.seq - 1;
        let (note, kind) = (change.note, "automatic");
        NewVersion { note, seq, kind, name: "", markdown: before, run: None, by: None }.keep(tx).await?;
    }
    change.keep(tx).await
}

impl Domain {
    /// The newest first.
    pub async fn versions(&self, viewer: &Viewer, note: NoteId) -> Result<Vec<Version>> {
        let mut tx = self.inner.db.as_viewer(viewer).await?;
        require(&mut tx, note, Access::View).await?;
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT id, seq, kind, name, authors, run_id, created_at FROM note_versions
             WHERE note_id = $1 ORDER BY seq DESC, id DESC LIMIT $2",
        )
        .bind(note.0)
        .bind(MOST_LISTED)
        .fetch_all(&mut *tx)
        .await?;
        Ok(rows.into_iter().map(Version::from).collect())
    }

    /// Keeps the note as it is now, under a name.
    pub async fn name_version(&self, viewer: &Viewer, note: NoteId, request: NameVersion) -> Result<Version> {
        let name = without_nul(request.name).split_whitespace().collect::<Vec<_>>().join(" ");
        if name.is_empty() || name.chars().count() > LONGEST_NAME {
            return Err(Error::invalid("name", format!("A name has 1 to {LONGEST_NAME} characters.")));
        }
        let by = person(viewer)?.user_id;
        let mut tx = self.inner.db.as_viewer(viewer).await?;
        require(&mut tx, note, Access::Edit).await?;
        let named: i64 =
            sqlx::query_scalar("SELECT count(id) FROM note_versions WHERE note_id = $1 AND kind = 'named'")
                .bind(note.0)
                .fetch_one(&mut *tx)
                .await?;
        tx.commit().await?;
        if named >= MOST_NAMED {
            return Err(Error::problem(
                ErrorCode::Conflict,
                format!("This note has {MOST_NAMED} named versions already."),
            ));
        }
        let reading = self.inner.rooms.read(note).await?;
        let version = NewVersion {
            note,
            seq: reading.seq,
            kind: "named",
            name: &name,
            markdown: &reading.text,
            run: None,
            by: Some(by),
        };
        let mut tx = self.inner.db.as_sync().await?;
        let id = version.keep(&mut tx).await?;
        annotated(&mut tx, note).await?;
        tx.commit().await?;
        self.kept(viewer, note, id).await.map(|(version, _)| version)
    }

    /// A version's text, and how it differs.
    pub async fn version(
        &self,
        viewer: &Viewer,
        note: NoteId,
        id: VersionId,
        against: Against,
    ) -> Result<VersionDiff> {
        let (version, content) = self.kept(viewer, note, id).await?;
        let (before, after) = match against {
            Against::Now => (content.clone(), self.inner.rooms.read(note).await?.text),
            Against::Previous => {
                let mut tx = self.inner.db.as_viewer(viewer).await?;
                let before: Option<String> = sqlx::query_scalar(
                    "SELECT markdown FROM note_versions WHERE note_id = $1 AND (seq, id) < ($2, $3)
                     ORDER BY seq DESC, id DESC LIMIT 1",
                )
                .bind(note.0)
                .bind(version.seq)
                .bind(id.0)
                .fetch_optional(&mut *tx)
                .await?;
                (before.unwrap_or_default(), content.clone())
            }
        };
        // A long note takes a while to compare.
        let diff =
            tokio::task::spawn_blocking(move || readable(&before, &after)).await.map_err(Error::internal)?;
        Ok(VersionDiff { version, content, diff })
    }

    /// Makes the text what it was, by small changes, and keeps both what stood there and what stands
    /// there now.
    pub async fn restore_version(&self, viewer: &Viewer, note: NoteId, id: VersionId) -> Result<Version> {
        let mut tx = self.inner.db.as_viewer(viewer).await?;
        require(&mut tx, note, Access::Edit).await?;
        tx.commit().await?;
        let (version, content) = self.kept(viewer, note, id).await?;
        let author = sync::Author { user_id: viewer.user_id(), run_id: None };
        let wanted = content.clone();
        let edited = self
            .inner
            .rooms
            .edit(note, author, move |draft| {
                let before = draft.text();
                draft.set_text(&wanted)?;
                Ok(before)
            })
            .await?;
        let restored = NewVersion {
            note,
            seq: edited.seq,
            kind: "restore",
            name: &version.name,
            markdown: &content,
            run: None,
            by: viewer.user_id(),
        };
        let mut tx = self.inner.db.as_sync().await?;
        let id = keep_around(&mut tx, &edited.value, restored).await?;
        annotated(&mut tx, note).await?;
        tx.commit().await?;
        self.kept(viewer, note, id).await.map(|(version, _)| version)
    }

    async fn kept(&self, viewer: &Viewer, note: NoteId, id: VersionId) -> Result<(Version, String)> {
        #[derive(sqlx::FromRow)]
        struct Whole {
            #[sqlx(flatten)]
            version: Row,
            markdown: String,
        }
        let mut tx = self.inner.db.as_viewer(viewer).await?;
        require(&mut tx, note, Access::View).await?;
        let row: Option<Whole> = sqlx::query_as(
            "SELECT id, seq, kind, name, authors, run_id, created_at, markdown FROM note_versions
             WHERE note_id = $1 AND id = $2",
        )
        .bind(note.0)
        .bind(id.0)
        .fetch_optional(&mut *tx)
        .await?;
        let row = row.ok_or_else(|| Error::not_found("version"))?;
        Ok((row.version.into(), row.markdown))
    }
}
