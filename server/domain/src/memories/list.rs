//! Lists of memories, the pinned first, then the newest; and all of them to take away.

use super::change::open;
use super::row::{Row, columns};
use crate::conversations::Cursor;
use crate::text::without_nul;
use crate::{Caller, Domain, Error, ExportFormat, Result};
use serde_json::json;
use shared::MemoryId;
use shared::memory::{Memory, MemoryEventKind, MemoryKind, OpenedMemory};
use shared::page::Page;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::{datetime, format_description};
use uuid::Uuid;

/// The longest page.
const MOST: u32 = 200;
/// Later than any memory.
const END_OF_TIME: OffsetDateTime = datetime!(9999-01-01 00:00 UTC);

#[derive(Clone, Debug, Default)]
pub struct ListMemories {
    /// Only those in which this stands.
    pub query: Option<String>,
    /// Only these, in any state.
    pub ids: Option<Vec<MemoryId>>,
    pub kind: Option<MemoryKind>,
    /// `person`, `workspace`, `project` or `agent`.
    pub scope: Option<String>,
    /// `hand`, `program`, `conversation`, `note`, `file` or `page`.
    pub source: Option<String>,
    pub pinned: Option<bool>,
    /// Those that were replaced instead of those that hold.
    pub superseded: bool,
    pub cursor: Option<String>,
    pub limit: Option<u32>,
}

/// A file with all memories.
pub struct MemoriesExport {
    pub file_name: &'static str,
    pub content_type: &'static str,
    pub body: String,
}

impl Domain {
    pub async fn memories(&self, caller: &Caller, list: ListMemories) -> Result<Page<Memory>> {
        let after = match &list.cursor {
            Some(text) => Cursor::read(text)
                .ok_or_else(|| Error::invalid("cursor", "This is not a cursor of this list."))?,
            None => Cursor { pinned: true, at: END_OF_TIME, id: Uuid::max() },
        };
        let limit = list.limit.unwrap_or(50).clamp(1, MOST);
        let ids: Option<Vec<Uuid>> = list.ids.map(|ids| ids.into_iter().map(|MemoryId(id)| id).collect());
        let kind = list.kind.map(|kind| match kind {
            MemoryKind::Statement => "statement",
            MemoryKind::Exchange => "exchange",
        });
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        let mut rows: Vec<Row> = sqlx::query_as(concat!(
            "SELECT ",
            columns!(),
            " FROM memories m
             WHERE m.owner_id = $1 AND ($2::uuid[] IS NULL AND (m.superseded_by IS NOT NULL) = $3 OR m.id = ANY ($2))
               AND ($4::text IS NULL OR strpos(lower(m.content || ' ' || coalesce(m.response, '')), $4) > 0)
               AND ($5::text IS NULL OR m.kind = $5) AND ($6::text IS NULL OR m.scope = $6)
               AND ($7::text IS NULL OR m.source_kind = $7) AND ($8::bool IS NULL OR m.pinned = $8)
               AND (m.pinned, m.created_at, m.id) < ($9, $10, $11)
             ORDER BY m.pinned DESC, m.created_at DESC, m.id DESC LIMIT $12"
        ))
        .bind(caller.user_id.0)
        .bind(ids)
        .bind(list.superseded)
        .bind(list.query.map(|words| without_nul(words).to_lowercase()))
        .bind(kind)
        .bind(list.scope.map(without_nul))
        .bind(list.source.map(without_nul))
        .bind(list.pinned)
        .bind(after.pinned)
        .bind(after.at)
        .bind(after.id)
        .bind(i64::from(limit) + 1)
        .fetch_all(&mut *tx)
        .await?;
        tx.commit().await?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let items: Vec<Memory> = rows.into_iter().map(Into::into).collect();
        let last = items.last().filter(|_| more);
        let next_cursor =
            last.map(|last| Cursor { pinned: last.pinned, at: last.created_at, id: last.id.0 }.write());
        Ok(Page { items, next_cursor })
    }

    /// Everything that is kept, with its history.
    pub async fn export_memories(&self, caller: &Caller, format: ExportFormat) -> Result<MemoriesExport> {
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        let ids: Vec<Uuid> = sqlx::query_scalar(
            "SELECT id FROM memories WHERE superseded_by IS NULL ORDER BY pinned DESC, created_at DESC, id DESC",
        )
        .fetch_all(&mut *tx)
        .await?;
        let mut all = Vec::with_capacity(ids.len());
        for id in ids {
            all.push(open(&mut tx, MemoryId(id)).await?);
        }
        tx.commit().await?;
        Ok(match format {
            ExportFormat::Markdown => MemoriesExport {
                file_name: "memories.md",
                content_type: "text/markdown; charset=utf-8",
                body: markdown(&all),
            },
            ExportFormat::Json => {
                let now = OffsetDateTime::now_utc().format(&Rfc3339).map_err(Error::internal)?;
                let whole = json!({ "exported_at": now, "memories": all });
                MemoriesExport {
                    file_name: "memories.json",
                    content_type: "application/json",
                    body: serde_json::to_string_pretty(&whole).map_err(Error::internal)?,
                }
            }
        })
    }
}

fn markdown(memories: &[OpenedMemory]) -> String {
    let mut text = String::from("# Memories\n");
    for OpenedMemory { memory, history } in memories {
        let one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut facts = vec![format!("since {}", day(memory.held_from))];
        facts.extend(memory.held_until.map(|until| format!("until {}", day(until))));
        facts.push(match &memory.source.title {
            Some(title) => format!("from {}", one_line(title)),
            None => format!("from {}", memory.source.kind.as_str()),
        });
        facts.extend(memory.local_only.then(|| "kept from cloud models".to_owned()));
        facts.extend(memory.pinned.then(|| "pinned".to_owned()));
        text.push_str(&format!("\n- {} *({})*\n", one_line(&memory.content), facts.join(", ")));
        if let Some(response) = &memory.response {
            text.push_str(&format!("  - {} answered: {}\n", memory.provider, one_line(response)));
        }
        for event in history {
            let what = match event.what {
                MemoryEventKind::Changed => "before",
                MemoryEventKind::SaidAgain => "said again",
                MemoryEventKind::Replaced => "replaced",
            };
            text.push_str(&format!("  - {what}, {}: {}\n", day(event.at), one_line(&event.text)));
        }
    }
    text
}

fn day(at: OffsetDateTime) -> String {
    at.format(format_description!("[year]-[month]-[day]")).unwrap_or_default()
}
