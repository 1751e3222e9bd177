//! Lists of conversations.

use crate::{Caller, Domain, Error, Result};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use shared::ConversationId;
use shared::conversation::ConversationSummary;
use shared::page::Page;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

/// The longest page.
const MOST: u32 = 200;

#[derive(Clone, Debug, Default)]
pub struct ListConversations {
    /// The bin instead of the list.
    pub deleted: bool,
    /// Only those in which these words stand.
    pub query: Option<String>,
    pub cursor: Option<String>,
    pub limit: Option<u32>,
}

#[derive(sqlx::FromRow)]
pub(crate) struct SummaryRow {
    id: Uuid,
    title: String,
    first_message: String,
    message_count: i32,
    pinned: bool,
    model: String,
    answering: bool,
    created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
    deleted_at: Option<OffsetDateTime>,
}

impl From<SummaryRow> for ConversationSummary {
    fn from(row: SummaryRow) -> Self {
        Self {
            id: ConversationId(row.id),
            title: row.title,
            first_message: row.first_message,
            message_count: row.message_count,
            pinned: row.pinned,
            model: row.model,
            answering: row.answering,
            created_at: row.created_at,
            updated_at: row.updated_at,
            deleted_at: row.deleted_at,
        }
    }
}

/// Where a page ended. In the bin the order is by time of deletion, else pinned first, then newest.
pub(crate) struct Cursor {
    pub pinned: bool,
    pub at: OffsetDateTime,
    pub id: Uuid,
}

impl Cursor {
    pub fn write(&self) -> String {
        URL_SAFE_NO_PAD.encode(format!(
            "{}|{}|{}",
            u8::from(self.pinned),
            self.at.unix_timestamp_nanos(),
            self.id
        ))
    }

    pub fn read(text: &str) -> Option<Self> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let mut parts = text.split('|');
        let cursor = Self {
            pinned: parts.next()? == "1",
            at: OffsetDateTime::from_unix_timestamp_nanos(parts.next()?.parse().ok()?).ok()?,
            id: parts.next()?.parse().ok()?,
        };
        parts.next().is_none().then_some(cursor)
    }
}

impl Domain {
    pub async fn conversations(
        &self,
        caller: &Caller,
        list: ListConversations,
    ) -> Result<Page<ConversationSummary>> {
        let limit = list.limit.unwrap_or(50).clamp(1, MOST);
        let cursor = match &list.cursor {
            None => None,
            Some(text) => Some(
                Cursor::read(text)
                    .ok_or_else(|| Error::invalid("cursor", "This cursor was not made by this server."))?,
            ),
        };
        let query = list.query.as_deref().map(str::trim).filter(|q| !q.is_empty());
        if query.is_some_and(|q| q.len() > 1000 || q.contains('\0')) {
            return Err(Error::invalid("q", "At most 1,000 characters can be searched for."));
        }
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        let rows: Vec<SummaryRow> = sqlx::query_as(
            "SELECT c.id, c.title, c.first_message, c.message_count, c.pinned, c.model, c.created_at,
                    c.updated_at, c.deleted_at,
                    EXISTS (SELECT FROM answers a WHERE a.conversation_id = c.id
                            AND a.status IN ('pending', 'streaming')) AS answering
             FROM conversations c
             WHERE CASE WHEN $1 THEN c.deleted_at IS NOT NULL ELSE c.deleted_at IS NULL END
               AND ($2::boolean IS NULL OR
                    (c.pinned AND NOT $1, coalesce(c.deleted_at, c.updated_at), c.id) < ($2, $3, $4))
               AND ($5::text IS NULL
                    OR strpos(lower(c.title), lower($5)) > 0
                    OR strpos(lower(c.first_message), lower($5)) > 0
                    OR c.id IN (SELECT source_id FROM search_words($5, 100)))
             ORDER BY c.pinned AND NOT $1 DESC, coalesce(c.deleted_at, c.updated_at) DESC, c.id DESC
             LIMIT $6",
        )
        .bind(list.deleted)
        .bind(cursor.as_ref().map(|c| c.pinned))
        .bind(cursor.as_ref().map(|c| c.at))
        .bind(cursor.as_ref().map(|c| c.id))
        .bind(query)
        .bind(i64::from(limit) + 1)
        .fetch_all(&mut *tx)
        .await?;
        let mut items: Vec<ConversationSummary> = rows.into_iter().map(Into::into).collect();
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
}

/// The conversation as lists show it, as it is in this transaction.
pub(crate) async fn summary_of(tx: &mut PgConnection, id: ConversationId) -> Result<ConversationSummary> {
    let row: Option<SummaryRow> = sqlx::query_as(
        "SELECT c.id, c.title, c.first_message, c.message_count, c.pinned, c.model, c.created_at,
                c.updated_at, c.deleted_at,
                EXISTS (SELECT FROM answers a WHERE a.conversation_id = c.id
                        AND a.status IN ('pending', 'streaming')) AS answering
         FROM conversations c WHERE c.id = $1",
    )
    .bind(id.0)
    .fetch_optional(tx)
    .await?;
    row.map(Into::into).ok_or_else(|| Error::not_found("conversation"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_and_a_forged_one_is_refused() {
        let cursor = Cursor { pinned: true, at: OffsetDateTime::UNIX_EPOCH, id: Uuid::now_v7() };
        let read = Cursor::read(&cursor.write()).unwrap();
        assert_eq!((read.pinned, read.at, read.id), (cursor.pinned, cursor.at, cursor.id));
        for forged in ["", "x", "MXwx", "💥"] {
            assert!(Cursor::read(forged).is_none(), "{forged}");
        }
    }
}
