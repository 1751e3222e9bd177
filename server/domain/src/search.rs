//! Search over what a person may see. By words for now.

use crate::{Caller, Domain, Error, Result};
use shared::search::{SearchHit, SearchKind, Segment};
use shared::{ConversationId, MessageId, NoteId, UserId};
use time::OffsetDateTime;
use uuid::Uuid;

/// The longest query, in bytes.
const LONGEST_QUERY: usize = 1000;

impl Domain {
    /// The best passages for what was typed, best first.
    pub async fn search(&self, caller: &Caller, query: &str, limit: u32) -> Result<Vec<SearchHit>> {
        self.search_as(caller.user_id, query, limit).await
    }

    pub(crate) async fn search_as(&self, user: UserId, query: &str, limit: u32) -> Result<Vec<SearchHit>> {
        type Row = (String, Uuid, Uuid, String, String, OffsetDateTime);
        let query = query.trim();
        if query.len() > LONGEST_QUERY || query.contains('\0') {
            return Err(Error::invalid("q", "At most 1,000 characters can be searched for."));
        }
        if query.is_empty() {
            return Ok(Vec::new());
        }
        let mut tx = self.inner.db.as_user(user).await?;
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT source_kind, source_id, part_id, title, passage, created_at FROM search_words($1, $2)",
        )
        .bind(query)
        .bind(i32::try_from(limit.clamp(1, 100)).unwrap_or(100))
        .fetch_all(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(rows
            .into_iter()
            .map(|(kind, source, part, title, passage, created_at)| {
                let (kind, url) = match kind.as_str() {
                    "note" => (SearchKind::Note { note_id: NoteId(source) }, format!("/n/{source}")),
                    "conversation" => (
                        SearchKind::Conversation { conversation_id: ConversationId(source) },
                        format!("/c/{source}"),
                    ),
                    _ => (
                        SearchKind::Message {
                            conversation_id: ConversationId(source),
                            message_id: MessageId(part),
                        },
                        format!("/c/{source}#m-{part}"),
                    ),
                };
                SearchHit { kind, url, title, passage: segments(&passage), created_at }
            })
            .collect())
    }
}

/// Cuts a passage at the marks that `search_words` sets around what matched.
fn segments(marked: &str) -> Vec<Segment> {
    marked
        .split('\u{2}')
        .enumerate()
        .flat_map(|(i, part)| match part.split_once('\u{3}') {
            Some((hit, after)) if i > 0 => [(hit, true), (after, false)],
            _ => [(part, false), ("", false)],
        })
        .filter(|(text, _)| !text.is_empty())
        .map(|(text, hit)| Segment { text: text.to_owned(), hit })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_become_segments() {
        let cut: Vec<_> =
            segments("the \u{2}red\u{3} fox \u{2}ran\u{3}").into_iter().map(|s| (s.text, s.hit)).collect();
        let expected = [("the ", false), ("red", true), (" fox ", false), ("ran", true)];
        assert_eq!(cut, expected.map(|(t, h)| (t.to_owned(), h)));
    }
}
