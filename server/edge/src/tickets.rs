//! Tickets for the door of one note, for clients that can set no header.

use crate::envelope::{Created, Failure};
use crate::input::At;
use crate::looking::Looking;
use crate::state::Edge;
use axum::extract::State;
use shared::note::Ticket;
use shared::{Envelope, NoteId};
use std::sync::Arc;
use utoipa_axum::{router::OpenApiRouter, routes};

pub fn routes() -> OpenApiRouter<Arc<Edge>> {
    OpenApiRouter::new().routes(routes!(ticket))
}

/// A token for `/api/v1/sync/{id}?token=`, with which to connect within a minute.
#[utoipa::path(post, path = "/api/v1/notes/{id}/ticket", tag = "notes", params(("id" = NoteId, Path)),
    responses((status = 201, body = Envelope<Ticket>)))]
async fn ticket(
    State(edge): State<Arc<Edge>>,
    Looking(viewer): Looking,
    At(id): At<NoteId>,
) -> Result<Created<Ticket>, Failure> {
    Ok(Created(edge.domain.ticket(&viewer, id).await?))
}
