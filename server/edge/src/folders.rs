//! Folders of notes.

use crate::authentication::By;
use crate::envelope::{Answer, Created, Data, Failure, Nothing};
use crate::input::{At, Json};
use crate::state::Edge;
use axum::extract::State;
use shared::note::{CreateFolder, Folder, UpdateFolder};
use shared::{Envelope, FolderId};
use std::sync::Arc;
use utoipa_axum::{router::OpenApiRouter, routes};

pub fn routes() -> OpenApiRouter<Arc<Edge>> {
    OpenApiRouter::new().routes(routes!(folders, create_folder)).routes(routes!(update_folder, delete_folder))
}

/// One's folders and those shared with one, by name.
#[utoipa::path(get, path = "/api/v1/folders", tag = "notes",
    responses((status = 200, body = Envelope<Vec<Folder>>)))]
async fn folders(State(edge): State<Arc<Edge>>, By(caller): By) -> Answer<Vec<Folder>> {
    Ok(Data(edge.domain.folders(&caller).await?))
}

/// Makes a folder.
#[utoipa::path(post, path = "/api/v1/folders", tag = "notes", request_body = CreateFolder,
    responses((status = 201, body = Envelope<Folder>)))]
async fn create_folder(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    Json(request): Json<CreateFolder>,
) -> Result<Created<Folder>, Failure> {
    Ok(Created(edge.domain.create_folder(&caller, request).await?))
}

/// Renames or moves a folder; `parent_id: null` moves it to the top.
#[utoipa::path(patch, path = "/api/v1/folders/{id}", tag = "notes", params(("id" = FolderId, Path)),
    request_body = UpdateFolder, responses((status = 200, body = Envelope<Folder>)))]
async fn update_folder(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At(id): At<FolderId>,
    Json(change): Json<UpdateFolder>,
) -> Answer<Folder> {
    Ok(Data(edge.domain.update_folder(&caller, id, change).await?))
}

/// Takes a folder and those in it away; their notes go to the folder above.
#[utoipa::path(delete, path = "/api/v1/folders/{id}", tag = "notes", params(("id" = FolderId, Path)),
    responses((status = 200, body = Envelope<Nothing>)))]
async fn delete_folder(State(edge): State<Arc<Edge>>, By(caller): By, At(id): At<FolderId>) -> Answer<()> {
    edge.domain.delete_folder(&caller, id).await?;
    Ok(Data(()))
}
