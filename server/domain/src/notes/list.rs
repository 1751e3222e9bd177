//! Lists of notes, and notes as lists show them.

use crate::conversations::Cursor;
use crate::notices::Signal;
use crate::{Caller, Domain, Error, Result};
use shared::note::{Access, NoteKind, NoteSummary, TagCount, TitledNote};
use shared::page::Page;
use shared::socket::ServerBody;
use shared::{FolderId, NoteId, UserId};
use sqlx::PgConnection;
use time::OffsetDateTime;
use time::macros::datetime;
use uuid::Uuid;

/// The longest page.
const MOST: u32 = 200;
/// Titles offered to complete a link.
const MOST_TITLES: i64 = 20;
/// A notification of Postgres holds 8,000 bytes, with all that is around a summary.
const LONGEST_SIGNAL: usize = 6000;
/// Later than any note.
const END_OF_TIME: OffsetDateTime = datetime!(9999-01-01 00:00 UTC);

#[derive(Clone, Debug, Default)]
pub struct ListNotes {
    /// Only those in which these words stand.
    pub query: Option<String>,
    pub folder: Option<FolderId>,
    /// Without `#`.
    pub tag: Option<String>,
    /// All but templates when absent.
    pub kind: Option<NoteKind>,
    /// The archive instead of the list.
    pub archived: bool,
    /// The bin instead of the list.
    pub deleted: bool,
    /// Only those of others that are shared with the caller, or only their own.
    pub shared: Option<bool>,
    pub cursor: Option<String>,
    pub limit: Option<u32>,
}

#[derive(sqlx::FromRow)]
pub(crate) struct SummaryRow {
    pub id: Uuid,
    pub kind: String,
    pub title: String,
    pub excerpt: String,
    pub folder_id: Option<Uuid>,
    pub pinned: bool,
    pub tags: Vec<String>,
    pub words: i32,
    pub access: String,
    pub shared: bool,
    pub created_at: OffsetDateTime,
    pub updated_at: OffsetDateTime,
    pub archived_at: Option<OffsetDateTime>,
    pub deleted_at: Option<OffsetDateTime>,
}

impl From<SummaryRow> for NoteSummary {
    fn from(row: SummaryRow) -> Self {
        Self {
            id: NoteId(row.id),
            kind: NoteKind::parse(&row.kind).unwrap_or_default(),
            title: row.title,
            excerpt: row.excerpt,
            folder_id: row.folder_id.map(FolderId),
            pinned: row.pinned,
            tags: row.tags,
            words: row.words,
            access: Access::parse(&row.access).unwrap_or(Access::View),
            shared: row.shared,
            created_at: row.created_at,
            updated_at: row.updated_at,
            archived_at: row.archived_at,
            deleted_at: row.deleted_at,
        }
    }
}

/// A query for [`SummaryRow`]s as the asker sees them: CTEs that may use `reach` and `given`, then
/// what stands behind `FROM notes n`.
macro_rules! summaries {
    ($with:literal, $from:literal) => {
        summaries!($with, "", $from)
    };
    ($with:literal, $more:literal, $from:literal) => {
        concat!(
            "WITH reach AS MATERIALIZED (SELECT note_id, access FROM shared_notes()),
                  given AS MATERIALIZED (SELECT g.id FROM notes_shared_by_me() AS g (id))",
            $with,
            " SELECT n.id, n.kind, n.title, n.excerpt,
                     CASE WHEN n.owner_id = app_user_id() OR n.folder_id IN (SELECT shared_folders())
                          THEN n.folder_id END AS folder_id,
                     n.pinned AND n.owner_id IS NOT DISTINCT FROM app_user_id() AS pinned, n.tags, n.words,
                     CASE WHEN n.owner_id = app_user_id() THEN 'owner'
                          ELSE coalesce((SELECT r.access FROM reach r WHERE r.note_id = n.id), 'view') END AS access,
                     n.owner_id IS DISTINCT FROM app_user_id() OR n.id IN (SELECT id FROM given) AS shared,
                     n.created_at, n.updated_at, n.archived_at, n.deleted_at",
            $more,
            " FROM notes n ",
            $from
        )
    };
}
pub(crate) use summaries;

/// Two branches, each in the order of an index: one's own, and those of others.
const LIST: &str = summaries!(
    ", picked AS (
        (SELECT n.id, n.pinned, n.updated_at FROM notes n
         WHERE $10 AND n.owner_id = (SELECT app_user_id()) AND n.deleted_at IS NULL
           AND (n.pinned, n.updated_at, n.id) < ($1, $2, $3)
           AND (n.archived_at IS NOT NULL) = $5
           AND CASE WHEN $6::text IS NULL THEN n.kind <> 'template' ELSE n.kind = $6 END
           AND ($7::uuid IS NULL OR n.folder_id = $7)
           AND ($8::text IS NULL OR n.tags @> ARRAY[$8])
           AND ($9::text IS NULL OR strpos(lower(n.title), lower($9)) > 0
                OR n.id IN (SELECT notes_with_words($9)))
         ORDER BY n.pinned DESC, n.updated_at DESC, n.id DESC LIMIT $4)
        UNION ALL
        (SELECT n.id, false, n.updated_at FROM notes n
         WHERE $11 AND n.id IN (SELECT note_id FROM reach) AND n.deleted_at IS NULL
           AND n.owner_id IS DISTINCT FROM (SELECT app_user_id())
           AND (false, n.updated_at, n.id) < ($1, $2, $3)
           AND (n.archived_at IS NOT NULL) = $5
           AND CASE WHEN $6::text IS NULL THEN n.kind <> 'template' ELSE n.kind = $6 END
           AND ($7::uuid IS NULL OR n.folder_id = $7)
           AND ($8::text IS NULL OR n.tags @> ARRAY[$8])
           AND ($9::text IS NULL OR strpos(lower(n.title), lower($9)) > 0
                OR n.id IN (SELECT notes_with_words($9)))
         ORDER BY n.updated_at DESC, n.id DESC LIMIT $4))",
    "JOIN picked p ON p.id = n.id ORDER BY p.pinned DESC, p.updated_at DESC, p.id DESC LIMIT $4"
);

const BIN: &str = summaries!(
    "",
    "WHERE n.owner_id = (SELECT app_user_id()) AND n.deleted_at IS NOT NULL AND (n.deleted_at, n.id) < ($1, $2)
     ORDER BY n.deleted_at DESC, n.id DESC LIMIT $3"
);

impl Domain {
    /// Notes, pinned ones first, then those changed last; the bin by when they were deleted.
    pub async fn notes(&self, caller: &Caller, list: ListNotes) -> Result<Page<NoteSummary>> {
        let limit = list.limit.unwrap_or(50).clamp(1, MOST);
        let cursor = match &list.cursor {
            None => Cursor { pinned: true, at: END_OF_TIME, id: Uuid::max() },
            Some(text) => Cursor::read(text)
                .ok_or_else(|| Error::invalid("cursor", "This cursor was not made by this server."))?,
        };
        let query = list.query.as_deref().map(str::trim).filter(|query| !query.is_empty());
        if query.is_some_and(|query| query.len() > 1000 || query.contains('\0')) {
            return Err(Error::invalid("q", "At most 1,000 characters can be searched for."));
        }
        let tag = list.tag.as_deref().map(|tag| tag.trim().trim_start_matches('#').to_lowercase());
        if tag.as_deref().is_some_and(|tag| tag.contains('\0')) {
            return Err(Error::invalid("tag", "This is no tag."));
        }
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        let rows: Vec<SummaryRow> = if list.deleted {
            sqlx::query_as(BIN).bind(cursor.at).bind(cursor.id).bind(i64::from(limit) + 1)
        } else {
            sqlx::query_as(LIST)
                .bind(cursor.pinned)
                .bind(cursor.at)
                .bind(cursor.id)
                .bind(i64::from(limit) + 1)
                .bind(list.archived)
                .bind(list.kind.map(NoteKind::as_str))
                .bind(list.folder.map(|folder| folder.0))
                .bind(tag)
                .bind(query)
                .bind(list.shared != Some(true))
                .bind(list.shared != Some(false))
        }
        .fetch_all(&mut *tx)
        .await?;
        tx.commit().await?;
        let mut items: Vec<NoteSummary> = rows.into_iter().map(Into::into).collect();
        let more = items.len() > limit as usize;
        items.truncate(limit as usize);
        let next_cursor = items.last().filter(|_| more).map(|last| {
            Cursor {
                pinned: last.pinned && !list.deleted,
                at: last.deleted_at.unwrap_or(last.updated_at),
                id: last.id.0,
            }
            .write()
        });
        Ok(Page { items, next_cursor })
    }

    /// Titles that begin with what was typed, then those that contain it.
    pub async fn note_titles(&self, caller: &Caller, prefix: &str) -> Result<Vec<TitledNote>> {
        let prefix = prefix.trim();
        if prefix.len() > 1000 || prefix.contains('\0') {
            return Err(Error::invalid("prefix", "No title is that long."));
        }
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        let rows: Vec<(Uuid, String)> = sqlx::query_as(
            "SELECT n.id, n.title FROM notes n
             WHERE n.deleted_at IS NULL AND n.title <> '' AND n.kind <> 'template'
               AND strpos(lower(n.title), lower($1)) > 0
             ORDER BY n.owner_id IS DISTINCT FROM app_user_id(), NOT starts_with(lower(n.title), lower($1)),
                      n.updated_at DESC
             LIMIT $2",
        )
        .bind(prefix)
        .bind(MOST_TITLES)
        .fetch_all(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(rows.into_iter().map(|(id, title)| TitledNote { id: NoteId(id), title }).collect())
    }

    /// The tags of one's own notes, the most used first.
    pub async fn note_tags(&self, caller: &Caller) -> Result<Vec<TagCount>> {
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "SELECT tag, count(*) FROM notes n, unnest(n.tags) AS tag
             WHERE n.owner_id = app_user_id() AND n.deleted_at IS NULL AND n.tags <> '{}'
             GROUP BY tag ORDER BY count(*) DESC, tag LIMIT 1000",
        )
        .fetch_all(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(rows.into_iter().map(|(tag, notes)| TagCount { tag, notes }).collect())
    }
}

/// Tells everybody who sees the note how it is now.
pub(crate) async fn announce(tx: &mut PgConnection, id: NoteId) -> Result<()> {
    #[derive(sqlx::FromRow)]
    struct Told {
        user_id: Uuid,
        #[sqlx(flatten)]
        summary: SummaryRow,
    }
    let told: Vec<Told> = sqlx::query_as(
        "SELECT r.user_id, n.id, n.kind, n.title, n.excerpt, CASE WHEN r.sees_folder THEN n.folder_id END AS folder_id,
                n.pinned AND r.access = 'owner' AS pinned, n.tags, n.words, r.access,
                r.access <> 'owner' OR note_is_shared(n.id) AS shared,
                n.created_at, n.updated_at, n.archived_at, n.deleted_at
         FROM notes n CROSS JOIN LATERAL note_readers(n.id) r WHERE n.id = $1",
    )
    .bind(id.0)
    .fetch_all(&mut *tx)
    .await?;
    let signals: Vec<Signal> = told
        .into_iter()
        .map(|told| {
            let body = ServerBody::NoteChanged(short(told.summary.into()));
            Signal::notes(UserId(told.user_id), body)
        })
        .collect();
    Signal::send_all(&signals, tx).await
}

/// Small enough for a notification: a browser asks for the rest when it shows it.
fn short(mut summary: NoteSummary) -> NoteSummary {
    let length = |summary: &NoteSummary| serde_json::to_string(summary).map_or(0, |text| text.len());
    if length(&summary) > LONGEST_SIGNAL {
        summary.tags.truncate(8);
    }
    if length(&summary) > LONGEST_SIGNAL {
        summary.excerpt.clear();
    }
    summary
}
