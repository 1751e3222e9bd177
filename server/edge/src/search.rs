//! Search over everything the caller may see.

use crate::authentication::By;
use crate::envelope::{Answer, Data, Failure};
use crate::input::Asked;
use crate::state::Edge;
use axum::extract::State;
use domain::Search;
use serde::Deserialize;
use shared::search::SearchAnswer;
use shared::{CollectionId, Envelope};
use std::sync::Arc;
use time::OffsetDateTime;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

const USUAL_HITS: u32 = 20;
const MOST_HITS: u32 = 100;
const LONGEST_QUERY: usize = 1000;

pub fn routes() -> OpenApiRouter<Arc<Edge>> {
    OpenApiRouter::new().routes(routes!(search))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct SearchQuery {
    /// Words, as one would say them; at most 1,000 bytes. `kind:file`, `tag:home`,
    /// `in:"Name of a folder"`, `after:2026-01-31` and `before:2026-01-31` among them narrow the search.
    #[serde(default)]
    q: String,
    /// Of these kinds, separated by commas: `conversation`, `note`, `file`, `page`, `memory`; all when absent.
    kinds: Option<String>,
    /// Not older than this (RFC 3339).
    #[serde(default, with = "time::serde::rfc3339::option")]
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<OffsetDateTime>,
    /// Older than this (RFC 3339).
    #[serde(default, with = "time::serde::rfc3339::option")]
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<OffsetDateTime>,
    /// At most 100; 20 when absent.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Only in this collection; `in:name` among the words goes by its name.
    #[param(value_type = Option<CollectionId>)]
    collection: Option<CollectionId>,
}

/// Passages that match by their words or by their meaning, best first.
#[utoipa::path(get, path = "/api/v1/search", tag = "search", params(SearchQuery),
    responses((status = 200, body = Envelope<SearchAnswer>)))]
async fn search(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    Asked(query): Asked<SearchQuery>,
) -> Answer<SearchAnswer> {
    if query.q.len() > LONGEST_QUERY {
        return Err(Failure::invalid("q", "The query is too long: at most 1,000 bytes."));
    }
    let limit = query.limit.unwrap_or(USUAL_HITS).clamp(1, MOST_HITS);
    let kinds = query.kinds.as_deref().unwrap_or_default();
    let kinds = kinds.split(',').map(str::trim).filter(|kind| !kind.is_empty()).map(str::to_owned).collect();
    let SearchQuery { q, from: since, to: until, cursor, collection, .. } = query;
    let search = Search { query: q, kinds, since, until, limit, cursor, collection };
    Ok(Data(edge.domain.search(&caller, search).await?))
}
