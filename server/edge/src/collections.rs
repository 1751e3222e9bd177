//! Collections: named sets of files, notes and pages, and with whom they are shared.

use crate::authentication::By;
use crate::envelope::{Answer, Created, Data, Failure, Nothing};
use crate::input::{At, Json};
use crate::state::Edge;
use axum::extract::State;
use domain::Shared;
use shared::context::{Collection, CollectionSummary, NameCollection, Thing, ThingKind};
use shared::note::{CreateShare, Share};
use shared::{CollectionId, Envelope, ShareId};
use std::sync::Arc;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

pub fn routes() -> OpenApiRouter<Arc<Edge>> {
    OpenApiRouter::new()
        .routes(routes!(collections, create_collection))
        .routes(routes!(collection, rename_collection, delete_collection))
        .routes(routes!(restore_collection))
        .routes(routes!(collect))
        .routes(routes!(uncollect))
        .routes(routes!(collection_shares, share_collection))
        .routes(routes!(unshare_collection))
}

/// One's own collections and those that are shared with one, by name.
#[utoipa::path(get, path = "/api/v1/collections", tag = "collections",
    responses((status = 200, body = Envelope<Vec<CollectionSummary>>)))]
async fn collections(State(edge): State<Arc<Edge>>, By(caller): By) -> Answer<Vec<CollectionSummary>> {
    Ok(Data(edge.domain.collections(&caller).await?))
}

/// Makes a collection, empty and private.
#[utoipa::path(post, path = "/api/v1/collections", tag = "collections", request_body = NameCollection,
    responses((status = 201, body = Envelope<Collection>)))]
async fn create_collection(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    Json(request): Json<NameCollection>,
) -> Result<Created<Collection>, Failure> {
    Ok(Created(edge.domain.create_collection(&caller, request.name).await?))
}

/// A collection with what of it one may see.
#[utoipa::path(get, path = "/api/v1/collections/{id}", tag = "collections", params(("id" = CollectionId, Path)),
    responses((status = 200, body = Envelope<Collection>)))]
async fn collection(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At(id): At<CollectionId>,
) -> Answer<Collection> {
    Ok(Data(edge.domain.collection(&caller, id).await?))
}

/// Renames a collection. For its owner.
#[utoipa::path(patch, path = "/api/v1/collections/{id}", tag = "collections", params(("id" = CollectionId, Path)),
    request_body = NameCollection, responses((status = 200, body = Envelope<CollectionSummary>)))]
async fn rename_collection(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At(id): At<CollectionId>,
    Json(request): Json<NameCollection>,
) -> Answer<CollectionSummary> {
    Ok(Data(edge.domain.rename_collection(&caller, id, request.name).await?))
}

/// Deletes a collection, with a way back for 30 days. What was in it stays.
#[utoipa::path(delete, path = "/api/v1/collections/{id}", tag = "collections", params(("id" = CollectionId, Path)),
    responses((status = 200, body = Envelope<Nothing>)))]
async fn delete_collection(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At(id): At<CollectionId>,
) -> Answer<()> {
    edge.domain.delete_collection(&caller, id).await?;
    Ok(Data(()))
}

/// Brings a deleted collection back.
#[utoipa::path(post, path = "/api/v1/collections/{id}/restore", tag = "collections", params(("id" = CollectionId, Path)),
    responses((status = 200, body = Envelope<Collection>)))]
async fn restore_collection(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At(id): At<CollectionId>,
) -> Answer<Collection> {
    Ok(Data(edge.domain.restore_collection(&caller, id).await?))
}

/// Adds a file, a note or a page. For the collection's owner, who must see the thing.
#[utoipa::path(post, path = "/api/v1/collections/{id}/items", tag = "collections", params(("id" = CollectionId, Path)),
    request_body = Thing, responses((status = 200, body = Envelope<Collection>)))]
async fn collect(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At(id): At<CollectionId>,
    Json(thing): Json<Thing>,
) -> Answer<Collection> {
    Ok(Data(edge.domain.collect(&caller, id, thing).await?))
}

/// Takes a thing out of a collection; the thing itself stays.
#[utoipa::path(delete, path = "/api/v1/collections/{id}/items/{kind}/{thing}", tag = "collections",
    params(("id" = CollectionId, Path), ("kind" = ThingKind, Path), ("thing" = Uuid, Path)),
    responses((status = 200, body = Envelope<Collection>)))]
async fn uncollect(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At((id, kind, thing)): At<(CollectionId, ThingKind, Uuid)>,
) -> Answer<Collection> {
    Ok(Data(edge.domain.uncollect(&caller, id, Thing { kind, id: thing }).await?))
}

/// With whom a collection is shared. For its owner.
#[utoipa::path(get, path = "/api/v1/collections/{id}/shares", tag = "collections", params(("id" = CollectionId, Path)),
    responses((status = 200, body = Envelope<Vec<Share>>)))]
async fn collection_shares(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At(id): At<CollectionId>,
) -> Answer<Vec<Share>> {
    Ok(Data(edge.domain.shares(&caller, Shared::Collection(id)).await?))
}

/// Shares the list with a member, to look at. They see those things in it that they may see anyway.
#[utoipa::path(post, path = "/api/v1/collections/{id}/shares", tag = "collections", params(("id" = CollectionId, Path)),
    request_body = CreateShare, responses((status = 201, body = Envelope<Share>)))]
async fn share_collection(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At(id): At<CollectionId>,
    Json(share): Json<CreateShare>,
) -> Result<Created<Share>, Failure> {
    Ok(Created(edge.domain.share(&caller, Shared::Collection(id), share).await?))
}

/// Ends a share at once.
#[utoipa::path(delete, path = "/api/v1/collections/{id}/shares/{share}", tag = "collections",
    params(("id" = CollectionId, Path), ("share" = ShareId, Path)), responses((status = 200, body = Envelope<Nothing>)))]
async fn unshare_collection(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At((id, share)): At<(CollectionId, ShareId)>,
) -> Answer<()> {
    edge.domain.unshare(&caller, Shared::Collection(id), share).await?;
    Ok(Data(()))
}
