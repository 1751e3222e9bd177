//! Models that people may choose, and the providers behind them, which admins manage. A provider's
//! key goes in and never comes out.

use crate::authentication::By;
use crate::envelope::{Answer, Created, Data, Failure, Nothing};
use crate::input::{At, Json};
use crate::state::Edge;
use axum::extract::State;
use shared::provider::{AddProviderKey, CreateProvider, Model, Provider, ProviderTest, UpdateProvider};
use shared::{Envelope, ProviderId, ProviderKeyId};
use std::sync::Arc;
use utoipa_axum::{router::OpenApiRouter, routes};

pub fn routes() -> OpenApiRouter<Arc<Edge>> {
    OpenApiRouter::new()
        .routes(routes!(models))
        .routes(routes!(providers, create_provider))
        .routes(routes!(update_provider, delete_provider))
        .routes(routes!(add_provider_key))
        .routes(routes!(delete_provider_key))
        .routes(routes!(test_provider))
        .routes(routes!(available_models))
}

/// The models that one may choose.
#[utoipa::path(get, path = "/api/v1/models", tag = "models", responses((status = 200, body = Envelope<Vec<Model>>)))]
async fn models(State(edge): State<Arc<Edge>>, By(caller): By) -> Answer<Vec<Model>> {
    Ok(Data(edge.domain.models(&caller).await?))
}

/// The providers. For admins.
#[utoipa::path(get, path = "/api/v1/providers", tag = "models", responses((status = 200, body = Envelope<Vec<Provider>>)))]
async fn providers(State(edge): State<Arc<Edge>>, By(caller): By) -> Answer<Vec<Provider>> {
    Ok(Data(edge.domain.providers(&caller).await?))
}

/// Adds a provider. For admins.
#[utoipa::path(post, path = "/api/v1/providers", tag = "models", request_body = CreateProvider,
    responses((status = 201, body = Envelope<Provider>)))]
async fn create_provider(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    Json(provider): Json<CreateProvider>,
) -> Result<Created<Provider>, Failure> {
    Ok(Created(edge.domain.create_provider(&caller, provider).await?))
}

/// Changes a provider; what is absent stays. For admins.
#[utoipa::path(patch, path = "/api/v1/providers/{id}", tag = "models", params(("id" = ProviderId, Path)),
    request_body = UpdateProvider, responses((status = 200, body = Envelope<Provider>)))]
async fn update_provider(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At(id): At<ProviderId>,
    Json(change): Json<UpdateProvider>,
) -> Answer<Provider> {
    Ok(Data(edge.domain.update_provider(&caller, id, change).await?))
}

/// Removes a provider and its keys. For admins.
#[utoipa::path(delete, path = "/api/v1/providers/{id}", tag = "models", params(("id" = ProviderId, Path)),
    responses((status = 200, body = Envelope<Nothing>)))]
async fn delete_provider(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At(id): At<ProviderId>,
) -> Answer<()> {
    edge.domain.delete_provider(&caller, id).await?;
    Ok(Data(()))
}

/// Adds a key; load is shared among a provider's keys. For admins.
#[utoipa::path(post, path = "/api/v1/providers/{id}/keys", tag = "models", params(("id" = ProviderId, Path)),
    request_body = AddProviderKey, responses((status = 200, body = Envelope<Provider>)))]
async fn add_provider_key(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At(id): At<ProviderId>,
    Json(key): Json<AddProviderKey>,
) -> Answer<Provider> {
    Ok(Data(edge.domain.add_provider_key(&caller, id, key).await?))
}

/// Removes a key. For admins.
#[utoipa::path(delete, path = "/api/v1/providers/{id}/keys/{key_id}", tag = "models",
    params(("id" = ProviderId, Path), ("key_id" = ProviderKeyId, Path)),
    responses((status = 200, body = Envelope<Provider>)))]
async fn delete_provider_key(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At((id, key_id)): At<(ProviderId, ProviderKeyId)>,
) -> Answer<Provider> {
    Ok(Data(edge.domain.delete_provider_key(&caller, id, key_id).await?))
}

/// Asks the provider for a few words, to see whether it works. For admins.
#[utoipa::path(post, path = "/api/v1/providers/{id}/test", tag = "models", params(("id" = ProviderId, Path)),
    responses((status = 200, body = Envelope<ProviderTest>)))]
async fn test_provider(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At(id): At<ProviderId>,
) -> Answer<ProviderTest> {
    Ok(Data(edge.domain.test_provider(&caller, id).await?))
}

/// The models that the provider itself lists. For admins.
#[utoipa::path(get, path = "/api/v1/providers/{id}/available-models", tag = "models", params(("id" = ProviderId, Path)),
    responses((status = 200, body = Envelope<Vec<String>>)))]
async fn available_models(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At(id): At<ProviderId>,
) -> Answer<Vec<String>> {
    Ok(Data(edge.domain.available_models(&caller, id).await?))
}
