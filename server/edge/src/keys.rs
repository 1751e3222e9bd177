//! API keys: a person's programs. A key is shown once, when it is made.

use crate::authentication::By;
use crate::envelope::{Answer, Created, Data, Failure, Nothing};
use crate::input::{At, Json};
use crate::state::Edge;
use axum::extract::State;
use shared::account::{ApiKeyInfo, CreateApiKey, CreatedApiKey};
use shared::{ApiKeyId, Envelope};
use std::sync::Arc;
use utoipa_axum::{router::OpenApiRouter, routes};

pub fn routes() -> OpenApiRouter<Arc<Edge>> {
    OpenApiRouter::new().routes(routes!(keys, create_key)).routes(routes!(revoke_key))
}

/// One's own keys, without the keys themselves.
#[utoipa::path(get, path = "/api/v1/keys", tag = "keys", responses((status = 200, body = Envelope<Vec<ApiKeyInfo>>)))]
async fn keys(State(edge): State<Arc<Edge>>, By(caller): By) -> Answer<Vec<ApiKeyInfo>> {
    Ok(Data(edge.domain.api_keys(&caller).await?))
}

/// Makes a key and shows it this once.
#[utoipa::path(post, path = "/api/v1/keys", tag = "keys", request_body = CreateApiKey,
    responses((status = 201, body = Envelope<CreatedApiKey>)))]
async fn create_key(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    Json(key): Json<CreateApiKey>,
) -> Result<Created<CreatedApiKey>, Failure> {
    Ok(Created(edge.domain.create_api_key(&caller, key).await?))
}

/// Ends a key at once.
#[utoipa::path(delete, path = "/api/v1/keys/{id}", tag = "keys", params(("id" = ApiKeyId, Path)),
    responses((status = 200, body = Envelope<Nothing>)))]
async fn revoke_key(State(edge): State<Arc<Edge>>, By(caller): By, At(id): At<ApiKeyId>) -> Answer<()> {
    edge.domain.revoke_api_key(&caller, id).await?;
    Ok(Data(()))
}
