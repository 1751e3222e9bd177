//! Versions of notes: the timeline, a readable diff, going back.

use crate::envelope::{Answer, Created, Data, Failure};
use crate::input::{Asked, At, Json};
use crate::looking::Looking;
use crate::state::Edge;
use axum::extract::State;
use domain::Against;
use serde::Deserialize;
use shared::note::{NameVersion, Version, VersionDiff};
use shared::{Envelope, NoteId, VersionId};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

pub fn routes() -> OpenApiRouter<Arc<Edge>> {
    OpenApiRouter::new()
        .routes(routes!(versions, name_version))
        .routes(routes!(version))
        .routes(routes!(restore_version))
}

/// The states of a note that were kept, the newest first.
#[utoipa::path(get, path = "/api/v1/notes/{id}/versions", tag = "notes", params(("id" = NoteId, Path)),
    responses((status = 200, body = Envelope<Vec<Version>>)))]
async fn versions(
    State(edge): State<Arc<Edge>>,
    Looking(viewer): Looking,
    At(id): At<NoteId>,
) -> Answer<Vec<Version>> {
    Ok(Data(edge.domain.versions(&viewer, id).await?))
}

/// Keeps the note as it is now, under a name.
#[utoipa::path(post, path = "/api/v1/notes/{id}/versions", tag = "notes", params(("id" = NoteId, Path)),
    request_body = NameVersion, responses((status = 201, body = Envelope<Version>)))]
async fn name_version(
    State(edge): State<Arc<Edge>>,
    Looking(viewer): Looking,
    At(id): At<NoteId>,
    Json(name): Json<NameVersion>,
) -> Result<Created<Version>, Failure> {
    Ok(Created(edge.domain.name_version(&viewer, id, name).await?))
}

#[derive(Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Other {
    #[default]
    Previous,
    Now,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct VersionQuery {
    /// `now` compares the version with the note as it is; else with the version before it.
    #[serde(default)]
    #[param(inline)]
    against: Other,
}

/// A version's text and how it differs, by words.
#[utoipa::path(get, path = "/api/v1/notes/{id}/versions/{version}", tag = "notes",
    params(("id" = NoteId, Path), ("version" = VersionId, Path), VersionQuery),
    responses((status = 200, body = Envelope<VersionDiff>)))]
async fn version(
    State(edge): State<Arc<Edge>>,
    Looking(viewer): Looking,
    At((id, version)): At<(NoteId, VersionId)>,
    Asked(asked): Asked<VersionQuery>,
) -> Answer<VersionDiff> {
    let against = match asked.against {
        Other::Previous => Against::Previous,
        Other::Now => Against::Now,
    };
    Ok(Data(edge.domain.version(&viewer, id, version, against).await?))
}

/// Goes back to a version, as an edit. What stood there is kept as a version too.
#[utoipa::path(post, path = "/api/v1/notes/{id}/versions/{version}/restore", tag = "notes",
    params(("id" = NoteId, Path), ("version" = VersionId, Path)), responses((status = 200, body = Envelope<Version>)))]
async fn restore_version(
    State(edge): State<Arc<Edge>>,
    Looking(viewer): Looking,
    At((id, version)): At<(NoteId, VersionId)>,
) -> Answer<Version> {
    Ok(Data(edge.domain.restore_version(&viewer, id, version).await?))
}
