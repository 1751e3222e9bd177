//! What models did or want to do in notes: proposals and the decisions on them, edits and their undoing.

use crate::envelope::{Answer, Created, Data, Failure};
use crate::input::{At, Json, OptionalJson};
use crate::looking::Looking;
use crate::state::Edge;
use axum::extract::State;
use domain::Decision;
use shared::note::{Decide, Propose, Run, UndoneRun};
use shared::{Envelope, NoteId, RunId};
use std::sync::Arc;
use utoipa_axum::{router::OpenApiRouter, routes};

pub fn routes() -> OpenApiRouter<Arc<Edge>> {
    OpenApiRouter::new()
        .routes(routes!(runs))
        .routes(routes!(propose))
        .routes(routes!(accept_proposal))
        .routes(routes!(reject_proposal))
        .routes(routes!(undo_run))
}

/// What models did or proposed in a note, the newest first.
#[utoipa::path(get, path = "/api/v1/notes/{id}/runs", tag = "notes", params(("id" = NoteId, Path)),
    responses((status = 200, body = Envelope<Vec<Run>>)))]
async fn runs(
    State(edge): State<Arc<Edge>>,
    Looking(viewer): Looking,
    At(id): At<NoteId>,
) -> Answer<Vec<Run>> {
    Ok(Data(edge.domain.runs(&viewer, id).await?))
}

/// Proposes edits in a model's name, on one's own behalf. Everybody who has the note open sees them.
#[utoipa::path(post, path = "/api/v1/notes/{id}/proposals", tag = "notes", params(("id" = NoteId, Path)),
    request_body = Propose, responses((status = 201, body = Envelope<Run>)))]
async fn propose(
    State(edge): State<Arc<Edge>>,
    Looking(viewer): Looking,
    At(id): At<NoteId>,
    Json(asked): Json<Propose>,
) -> Result<Created<Run>, Failure> {
    Ok(Created(edge.domain.propose(&viewer, id, None, asked).await?))
}

/// Makes proposed hunks part of the text. 409 names those that cannot be placed any more in
/// `details.hunks`, or those that were decided already; then none was applied.
#[utoipa::path(post, path = "/api/v1/notes/{id}/proposals/{run}/accept", tag = "notes",
    params(("id" = NoteId, Path), ("run" = RunId, Path)), request_body = Decide,
    responses((status = 200, body = Envelope<Run>)))]
async fn accept_proposal(
    State(edge): State<Arc<Edge>>,
    Looking(viewer): Looking,
    At((id, run)): At<(NoteId, RunId)>,
    OptionalJson(asked): OptionalJson<Decide>,
) -> Answer<Run> {
    Ok(Data(edge.domain.decide(&viewer, id, run, Decision::Accept, asked).await?))
}

/// Takes proposed hunks away.
#[utoipa::path(post, path = "/api/v1/notes/{id}/proposals/{run}/reject", tag = "notes",
    params(("id" = NoteId, Path), ("run" = RunId, Path)), request_body = Decide,
    responses((status = 200, body = Envelope<Run>)))]
async fn reject_proposal(
    State(edge): State<Arc<Edge>>,
    Looking(viewer): Looking,
    At((id, run)): At<(NoteId, RunId)>,
    OptionalJson(asked): OptionalJson<Decide>,
) -> Answer<Run> {
    Ok(Data(edge.domain.decide(&viewer, id, run, Decision::Reject, asked).await?))
}

/// Takes back what a model changed, as one step, though others typed since. What they changed
/// themselves stays and is named.
#[utoipa::path(post, path = "/api/v1/notes/{id}/runs/{run}/undo", tag = "notes",
    params(("id" = NoteId, Path), ("run" = RunId, Path)), responses((status = 200, body = Envelope<UndoneRun>)))]
async fn undo_run(
    State(edge): State<Arc<Edge>>,
    Looking(viewer): Looking,
    At((id, run)): At<(NoteId, RunId)>,
) -> Answer<UndoneRun> {
    Ok(Data(edge.domain.undo_run(&viewer, id, run).await?))
}
