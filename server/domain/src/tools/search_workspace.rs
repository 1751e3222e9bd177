//! The tool `search_workspace`.

use super::{Context, Tool};
use crate::memories::Audience;
use crate::{Error, Search};
use async_trait::async_trait;
use models::ToolSpec;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use shared::MemoryId;
use shared::search::SearchKind;
use std::collections::HashSet;

pub(crate) const NAME: &str = "search_workspace";

pub(super) struct SearchWorkspace;

/// A passage, as a model is told of it.
#[derive(Serialize, Deserialize)]
pub(crate) struct Found {
    pub title: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    pub url: String,
    pub passage: String,
}

#[async_trait]
impl Tool for SearchWorkspace {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: NAME.into(),
            description: "Searches the person's files, saved web pages, notes, memories and earlier conversations, by words and by meaning. Gives passages with a title and a url. An answer that rests on a passage cites it right there as a Markdown link to its url, such as [Lease, page 3](/f/…#p3)."
                .into(),
            parameters: json!({
                "type": "object",
                "properties": {
                    "query": {
                        "type": "string",
                        "description": "What to find, in words as they may stand there; OR between alternatives, quotes around a phrase, - before a word to leave out, kind:file, kind:page, kind:note or kind:conversation to search only those.",
                    },
                    "limit": { "type": "integer", "minimum": 1, "maximum": 20 },
                },
                "required": ["query"],
            }),
        }
    }

    async fn run(&self, context: &Context<'_>, arguments: &Value) -> Result<String, String> {
        let query =
            arguments["query"].as_str().ok_or("The argument ‘query’ is missing: give it as a string.")?;
        let limit = arguments["limit"].as_u64().unwrap_or(8).clamp(1, 20);
        let search = Search {
            query: query.to_owned(),
            limit: u32::try_from(limit + 1).unwrap_or(20),
            ..Search::default()
        };
        let failed = |error| format!("The search failed: {error}");
        let hits = context.domain.search_as(context.user_id, search).await.map_err(failed)?;
        let unsaid = kept_from(context, &hits).await.map_err(failed)?;
        let found: Vec<Found> = hits
            .into_iter()
            .filter(|found| !matches!(found.hit.kind, SearchKind::Memory { memory_id } if unsaid.contains(&memory_id)))
            // The question itself is no answer.
            .filter(|found| !matches!(found.hit.kind, SearchKind::Message { message_id, .. } if message_id == context.asked_by))
            .take(usize::try_from(limit).unwrap_or(20))
            .map(|found| Found {
                title: found.hit.display_title().to_owned(),
                place: found.hit.place,
                url: found.hit.url,
                passage: found.text,
            })
            .collect();
        serde_json::to_string(&found).map_err(|error| format!("The result could not be written: {error}"))
    }
}

/// The memories among these that the model which asks may not be told.
async fn kept_from(context: &Context<'_>, hits: &[crate::search::Found]) -> Result<HashSet<MemoryId>, Error> {
    let memories: Vec<uuid::Uuid> = hits
        .iter()
        .filter_map(|found| match found.hit.kind {
            SearchKind::Memory { memory_id: MemoryId(id) } => Some(id),
            _ => None,
        })
        .collect();
    if memories.is_empty() || context.domain.audience_named(context.model) == Audience::Near {
        return Ok(HashSet::new());
    }
    context.domain.local_only(context.user_id, &memories).await
}
