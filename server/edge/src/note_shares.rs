//! Sharing of notes and folders: with members, and by links.

use crate::authentication::By;
use crate::envelope::{Answer, Created, Data, Failure, Nothing};
use crate::input::{Asked, At, Json};
use crate::state::Edge;
use axum::extract::State;
use domain::Shared;
use serde::Deserialize;
use shared::note::{CreateShare, Person, Share};
use shared::{Envelope, FolderId, NoteId, ShareId};
use std::sync::Arc;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

pub fn routes() -> OpenApiRouter<Arc<Edge>> {
    OpenApiRouter::new()
        .routes(routes!(note_shares, share_note))
        .routes(routes!(unshare_note))
        .routes(routes!(folder_shares, share_folder))
        .routes(routes!(unshare_folder))
        .routes(routes!(people))
}

/// Who else has access to a note, also by a folder above it. For its owner.
#[utoipa::path(get, path = "/api/v1/notes/{id}/shares", tag = "sharing", params(("id" = NoteId, Path)),
    responses((status = 200, body = Envelope<Vec<Share>>)))]
async fn note_shares(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At(id): At<NoteId>,
) -> Answer<Vec<Share>> {
    Ok(Data(edge.domain.shares(&caller, Shared::Note(id)).await?))
}

/// Shares a note with a member, or makes a link: its address is told this once.
#[utoipa::path(post, path = "/api/v1/notes/{id}/shares", tag = "sharing", params(("id" = NoteId, Path)),
    request_body = CreateShare, responses((status = 201, body = Envelope<Share>)))]
async fn share_note(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At(id): At<NoteId>,
    Json(share): Json<CreateShare>,
) -> Result<Created<Share>, Failure> {
    Ok(Created(edge.domain.share(&caller, Shared::Note(id), share).await?))
}

/// Ends a share at once, also for whoever has the note open by it.
#[utoipa::path(delete, path = "/api/v1/notes/{id}/shares/{share}", tag = "sharing",
    params(("id" = NoteId, Path), ("share" = ShareId, Path)), responses((status = 200, body = Envelope<Nothing>)))]
async fn unshare_note(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At((id, share)): At<(NoteId, ShareId)>,
) -> Answer<()> {
    edge.domain.unshare(&caller, Shared::Note(id), share).await?;
    Ok(Data(()))
}

/// Who else has access to a folder, also by one above it. For its owner.
#[utoipa::path(get, path = "/api/v1/folders/{id}/shares", tag = "sharing", params(("id" = FolderId, Path)),
    responses((status = 200, body = Envelope<Vec<Share>>)))]
async fn folder_shares(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At(id): At<FolderId>,
) -> Answer<Vec<Share>> {
    Ok(Data(edge.domain.shares(&caller, Shared::Folder(id)).await?))
}

/// Shares a folder with all in it, now and later.
#[utoipa::path(post, path = "/api/v1/folders/{id}/shares", tag = "sharing", params(("id" = FolderId, Path)),
    request_body = CreateShare, responses((status = 201, body = Envelope<Share>)))]
async fn share_folder(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At(id): At<FolderId>,
    Json(share): Json<CreateShare>,
) -> Result<Created<Share>, Failure> {
    Ok(Created(edge.domain.share(&caller, Shared::Folder(id), share).await?))
}

/// Ends a share of a folder at once.
#[utoipa::path(delete, path = "/api/v1/folders/{id}/shares/{share}", tag = "sharing",
    params(("id" = FolderId, Path), ("share" = ShareId, Path)), responses((status = 200, body = Envelope<Nothing>)))]
async fn unshare_folder(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At((id, share)): At<(FolderId, ShareId)>,
) -> Answer<()> {
    edge.domain.unshare(&caller, Shared::Folder(id), share).await?;
    Ok(Data(()))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct PeopleQuery {
    /// How the name or the address begins.
    #[serde(default)]
    prefix: String,
}

/// People on this server, at most 20, for sharing and mentions.
#[utoipa::path(get, path = "/api/v1/people", tag = "sharing", params(PeopleQuery),
    responses((status = 200, body = Envelope<Vec<Person>>)))]
async fn people(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    Asked(asked): Asked<PeopleQuery>,
) -> Answer<Vec<Person>> {
    Ok(Data(edge.domain.people(&caller, &asked.prefix).await?))
}
