//! Comments beside notes.

use crate::envelope::{Answer, Created, Data, Failure, Nothing};
use crate::input::{At, Json};
use crate::looking::Looking;
use crate::state::Edge;
use axum::extract::State;
use shared::note::{Comment, CreateComment, UpdateComment};
use shared::{CommentId, Envelope, NoteId};
use std::sync::Arc;
use utoipa_axum::{router::OpenApiRouter, routes};

pub fn routes() -> OpenApiRouter<Arc<Edge>> {
    OpenApiRouter::new()
        .routes(routes!(comments, add_comment))
        .routes(routes!(update_comment, delete_comment))
        .routes(routes!(restore_comment))
}

/// The comments of a note, the oldest first; those of a thread name its first.
#[utoipa::path(get, path = "/api/v1/notes/{id}/comments", tag = "notes", params(("id" = NoteId, Path)),
    responses((status = 200, body = Envelope<Vec<Comment>>)))]
async fn comments(
    State(edge): State<Arc<Edge>>,
    Looking(viewer): Looking,
    At(id): At<NoteId>,
) -> Answer<Vec<Comment>> {
    Ok(Data(edge.domain.comments(&viewer, id).await?))
}

/// Begins a thread, or answers in one. An anchor is two sticky positions, or only a quote that
/// stands in the text once.
#[utoipa::path(post, path = "/api/v1/notes/{id}/comments", tag = "notes", params(("id" = NoteId, Path)),
    request_body = CreateComment, responses((status = 201, body = Envelope<Comment>)))]
async fn add_comment(
    State(edge): State<Arc<Edge>>,
    Looking(viewer): Looking,
    At(id): At<NoteId>,
    Json(comment): Json<CreateComment>,
) -> Result<Created<Comment>, Failure> {
    Ok(Created(edge.domain.add_comment(&viewer, id, comment).await?))
}

/// Changes one's own words, or resolves a thread and opens it again.
#[utoipa::path(patch, path = "/api/v1/notes/{id}/comments/{comment}", tag = "notes",
    params(("id" = NoteId, Path), ("comment" = CommentId, Path)),
    request_body = UpdateComment, responses((status = 200, body = Envelope<Comment>)))]
async fn update_comment(
    State(edge): State<Arc<Edge>>,
    Looking(viewer): Looking,
    At((id, comment)): At<(NoteId, CommentId)>,
    Json(change): Json<UpdateComment>,
) -> Answer<Comment> {
    Ok(Data(edge.domain.update_comment(&viewer, id, comment, change).await?))
}

/// Takes one's own comment away; the note's owner may take any. Whoever did can bring it back for 30 days.
#[utoipa::path(delete, path = "/api/v1/notes/{id}/comments/{comment}", tag = "notes",
    params(("id" = NoteId, Path), ("comment" = CommentId, Path)), responses((status = 200, body = Envelope<Nothing>)))]
async fn delete_comment(
    State(edge): State<Arc<Edge>>,
    Looking(viewer): Looking,
    At((id, comment)): At<(NoteId, CommentId)>,
) -> Answer<()> {
    edge.domain.delete_comment(&viewer, id, comment).await?;
    Ok(Data(()))
}

/// Brings back a comment that one took away.
#[utoipa::path(post, path = "/api/v1/notes/{id}/comments/{comment}/restore", tag = "notes",
    params(("id" = NoteId, Path), ("comment" = CommentId, Path)), responses((status = 200, body = Envelope<Comment>)))]
async fn restore_comment(
    State(edge): State<Arc<Edge>>,
    Looking(viewer): Looking,
    At((id, comment)): At<(NoteId, CommentId)>,
) -> Answer<Comment> {
    Ok(Data(edge.domain.restore_comment(&viewer, id, comment).await?))
}
