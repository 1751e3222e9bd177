//! A memory's row, and where it came from.

use crate::notices::Signal;
use crate::{Error, Result};
use serde_json::Value;
use shared::memory::{CitedSource, Memory, MemoryKind, MemoryScope, MemorySource, MemorySourceKind};
use shared::socket::ServerBody;
use shared::{MemoryId, UserId};
use sqlx::PgConnection;
use sqlx::types::Json;
use time::OffsetDateTime;
use uuid::Uuid;

/// The columns of [`Row`], of the row `m` of `memories`.
macro_rules! columns {
    () => {
        "m.id, m.kind, m.content, m.response, m.provider, m.conversation_ref, m.metadata, m.scope, m.scope_name,
         m.source_kind, m.source_id, m.source_part, m.source_url,
         CASE m.source_kind
             WHEN 'conversation' THEN (SELECT coalesce(nullif(c.title, ''), c.first_message) FROM conversations c
                                       WHERE c.id = m.source_id AND c.deleted_at IS NULL)
             WHEN 'note' THEN (SELECT n.title FROM notes n WHERE n.id = m.source_id AND n.deleted_at IS NULL)
             WHEN 'file' THEN (SELECT f.name FROM files f WHERE f.id = m.source_id AND f.deleted_at IS NULL)
         END AS source_title,
         m.held_from, m.held_until, m.superseded_by, m.pinned, m.local_only, m.created_at, m.updated_at"
    };
}
pub(super) use columns;

#[derive(sqlx::FromRow)]
pub(super) struct Row {
    pub id: Uuid,
    kind: String,
    pub content: String,
    pub response: Option<String>,
    provider: String,
    conversation_ref: String,
    metadata: Json<Value>,
    scope: String,
    scope_name: String,
    #[sqlx(flatten)]
    source: SourceRow,
    pub held_from: OffsetDateTime,
    held_until: Option<OffsetDateTime>,
    pub superseded_by: Option<Uuid>,
    pub pinned: bool,
    pub local_only: bool,
    pub created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
}

impl Row {
    pub fn is_exchange(&self) -> bool {
        self.kind == "exchange"
    }

    /// Whether it concerns every conversation.
    pub fn is_everywhere(&self) -> bool {
        matches!(self.scope.as_str(), "person" | "workspace")
    }

    /// All that is found of it.
    pub fn text(&self) -> String {
        match &self.response {
            Some(response) => format!("{}\n\n{response}", self.content),
            None => self.content.clone(),
        }
    }
}

/// Where something came from, as stored.
#[derive(sqlx::FromRow)]
pub(super) struct SourceRow {
    source_kind: String,
    source_id: Option<Uuid>,
    source_part: Option<Uuid>,
    source_url: String,
    #[sqlx(default)]
    source_title: Option<String>,
}

/// Where a memory comes from, before it is stored.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    pub kind: MemorySourceKind,
    pub id: Option<Uuid>,
    /// The message.
    pub part: Option<Uuid>,
    pub url: String,
}

impl Origin {
    /// Of something that has no place of its own.
    pub fn plain(kind: MemorySourceKind) -> Self {
        Self { kind, id: None, part: None, url: String::new() }
    }

    pub fn message(conversation: shared::ConversationId, message: shared::MessageId) -> Self {
        Self {
            kind: MemorySourceKind::Conversation,
            id: Some(conversation.0),
            part: Some(message.0),
            url: String::new(),
        }
    }
}

impl TryFrom<CitedSource> for Origin {
    type Error = Error;
    fn try_from(cited: CitedSource) -> Result<Self> {
        let of = |kind, id, part| Self { kind, id: Some(id), part, url: String::new() };
        Ok(match cited {
            CitedSource::Conversation { conversation_id, message_id } => of(
                MemorySourceKind::Conversation,
                conversation_id.0,
                message_id.map(|shared::MessageId(message)| message),
            ),
            CitedSource::Note { note_id } => of(MemorySourceKind::Note, note_id.0, None),
            CitedSource::File { file_id } => of(MemorySourceKind::File, file_id.0, None),
            CitedSource::Page { url } => Self {
                kind: MemorySourceKind::Page,
                id: None,
                part: None,
                url: web_address(&url).ok_or_else(|| {
                    Error::invalid("source", "A page's address begins with https:// or http://.")
                })?,
            },
        })
    }
}

/// An address that a browser may be sent to, as it is given.
pub(super) fn web_address(url: &str) -> Option<String> {
    let url = url.trim();
    let web = ["https://", "http://"].iter().any(|scheme| {
        url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
            && url.len() > scheme.len()
    });
    (web && url.len() <= 2000 && !url.chars().any(|c| c.is_whitespace() || c.is_control()))
        .then(|| url.to_owned())
}

impl From<SourceRow> for MemorySource {
    fn from(row: SourceRow) -> Self {
        let at = |start: &str| row.source_id.map(|id| format!("{start}{id}"));
        let (kind, url) = match row.source_kind.as_str() {
            "conversation" => {
                let part = row.source_part.map(|part| format!("#m-{part}")).unwrap_or_default();
                (MemorySourceKind::Conversation, at("/c/").map(|url| url + &part))
            }
            "note" => (MemorySourceKind::Note, at("/n/")),
            "file" => (MemorySourceKind::File, at("/f/")),
            "page" => (MemorySourceKind::Page, None),
            "hand" => (MemorySourceKind::Hand, None),
            _ => (MemorySourceKind::Program, None),
        };
        let elsewhere = Some(row.source_url).filter(|url| !url.is_empty());
        // what is gone cannot be opened
        let url = url.filter(|_| row.source_title.is_some()).or(elsewhere);
        Self { kind, url, title: row.source_title.filter(|title| !title.is_empty()) }
    }
}

impl From<Row> for Memory {
    fn from(row: Row) -> Self {
        let metadata = row.metadata.0;
        Self {
            id: MemoryId(row.id),
            kind: if row.kind == "exchange" { MemoryKind::Exchange } else { MemoryKind::Statement },
            content: row.content,
            response: row.response,
            provider: row.provider,
            conversation_ref: row.conversation_ref,
            metadata: if metadata.as_object().is_some_and(serde_json::Map::is_empty) {
                Value::Null
            } else {
                metadata
            },
            scope: MemoryScope::of(&row.scope, &row.scope_name).unwrap_or_default(),
            source: row.source.into(),
            held_from: row.held_from,
            held_until: row.held_until,
            superseded_by: row.superseded_by.map(MemoryId),
            pinned: row.pinned,
            local_only: row.local_only,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// The memory's row, also when another took its place.
pub(super) async fn find(tx: &mut PgConnection, id: MemoryId) -> Result<Row> {
    let row = sqlx::query_as(concat!("SELECT ", columns!(), " FROM memories m WHERE m.id = $1")).bind(id.0);
    row.fetch_optional(tx).await?.ok_or_else(|| Error::not_found("memory"))
}

/// Tells the person's open browsers, with the transaction.
pub(super) async fn tell(tx: &mut PgConnection, owner: UserId) -> Result<()> {
    Signal::chat(owner, ServerBody::MemoriesChanged).send(tx).await
}

#[cfg(test)]
mod tests {
    use super::web_address;

    #[test]
    fn only_addresses_of_the_web_are_links() {
        assert!(web_address(" https://example.org/a?b ").is_some() && web_address("HTTP://x").is_some());
        for hostile in ["javascript:alert(1)", "data:text/html,x", "https://", "//x", "https://a b", ""] {
            assert!(web_address(hostile).is_none(), "{hostile}");
        }
    }
}
