//! Search over everything the caller may see.

use crate::authentication::By;
use crate::envelope::{Answer, Data, Failure};
use crate::input::Asked;
use crate::state::Edge;
use axum::extract::State;
use serde::Deserialize;
use shared::Envelope;
use shared::search::SearchHit;
use std::sync::Arc;
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
    /// Words, as one would say them; at most 1,000 bytes.
    #[serde(default)]
    q: String,
    /// At most 100; 20 when absent.
    limit: Option<u32>,
}

/// Passages that match, best first.
#[utoipa::path(get, path = "/api/v1/search", tag = "search", params(SearchQuery),
    responses((status = 200, body = Envelope<Vec<SearchHit>>)))]
async fn search(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    Asked(query): Asked<SearchQuery>,
) -> Answer<Vec<SearchHit>> {
    if query.q.len() > LONGEST_QUERY {
        return Err(Failure::invalid("q", "The query is too long: at most 1,000 bytes."));
    }
    let limit = query.limit.unwrap_or(USUAL_HITS).clamp(1, MOST_HITS);
    Ok(Data(edge.domain.search(&caller, &query.q, limit).await?))
}
