//! Whether the server works: `/api/health` for everyone, with detail for admins, and `/metrics` in
//! Prometheus' format for this machine or the holder of a token.

use crate::authentication::{Perhaps, bearer, same_secret};
use crate::envelope::{Data, Failure};
use crate::state::Edge;
use crate::visitor::{Place, Source};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, header};
use shared::account::Role;
use shared::health::{Health, HealthStatus};
use shared::{Envelope, ErrorCode};
use std::sync::Arc;
use utoipa_axum::{router::OpenApiRouter, routes};

pub fn routes() -> OpenApiRouter<Arc<Edge>> {
    OpenApiRouter::new().routes(routes!(health))
}

/// That the server is alive and whether all of it works; for admins also which part does not.
#[utoipa::path(get, path = "/api/health", tag = "health", responses((status = 200, body = Envelope<Health>)))]
async fn health(State(edge): State<Arc<Edge>>, Perhaps(caller): Perhaps) -> Data<Health> {
    let degraded = !edge.domain.degraded().borrow().is_empty();
    let is_admin = caller.is_some_and(|caller| caller.role == Role::Admin);
    let detail = if is_admin { Some(edge.domain.health().await) } else { None };
    let status = if degraded { HealthStatus::Degraded } else { HealthStatus::Ok };
    Data(Health { status, version: env!("CARGO_PKG_VERSION").to_owned(), detail })
}

/// `/metrics`; not part of the API.
pub async fn metrics(
    State(edge): State<Arc<Edge>>,
    source: Source,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let shown = headers.get(header::AUTHORIZATION).and_then(bearer);
    let by_token =
        matches!((&edge.metrics_token, shown), (Some(token), Some(shown)) if same_secret(token, shown));
    if source.place == Place::Elsewhere && !by_token {
        return Err(Failure::new(
            ErrorCode::Forbidden,
            "Metrics are for the server's own machine, or for who sends the token of SIDEBAR_METRICS_TOKEN.",
        ));
    }
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    Ok(([(header::CONTENT_TYPE, kind)], edge.metrics.render()).into_response())
}
