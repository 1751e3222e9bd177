//! Reading everything anew, and what the search can do just now.

use crate::authentication::By;
use crate::envelope::{Answer, Data, Failure};
use crate::input::{Asked, Json};
use crate::state::Edge;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use shared::Envelope;
use shared::upkeep::{Reindex, Reindexing, Scope, SearchState};
use std::sync::Arc;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

pub fn routes() -> OpenApiRouter<Arc<Edge>> {
    OpenApiRouter::new().routes(routes!(reindexing, reindex)).routes(routes!(search_state))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ReindexingQuery {
    /// `mine`, or `everything` for admins.
    #[serde(default)]
    #[param(inline)]
    scope: Scope,
}

/// How far reading everything anew is; `null` where nobody ever asked for it.
#[utoipa::path(get, path = "/api/v1/reindex", tag = "search", params(ReindexingQuery),
    responses((status = 200, body = Envelope<Option<Reindexing>>)))]
async fn reindexing(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    Asked(ReindexingQuery { scope }): Asked<ReindexingQuery>,
) -> Answer<Option<Reindexing>> {
    Ok(Data(edge.domain.reindexing(&caller, scope).await?))
}

/// Reads all files anew and cuts notes, conversations, saved pages and memories into passages again. What comes
/// out as it was is not written. Asked while it runs, it goes on.
#[utoipa::path(post, path = "/api/v1/reindex", tag = "search", request_body = Reindex,
    responses((status = 202, body = Envelope<Reindexing>)))]
async fn reindex(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    Json(Reindex { scope }): Json<Reindex>,
) -> Result<Response, Failure> {
    let begun = edge.domain.reindex(&caller, scope).await?;
    Ok((StatusCode::ACCEPTED, Data(begun)).into_response())
}

/// Whether search goes by meaning too, and how many of your passages still wait for that.
#[utoipa::path(get, path = "/api/v1/search/state", tag = "search",
    responses((status = 200, body = Envelope<SearchState>)))]
async fn search_state(State(edge): State<Arc<Edge>>, By(caller): By) -> Answer<SearchState> {
    Ok(Data(edge.domain.search_state(&caller).await?))
}
