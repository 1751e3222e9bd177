//! Files in notes: sent as they are, read in parts, and never able to run anything here.

use crate::envelope::{Created, Failure};
use crate::input::{Asked, At};
use crate::looking::Looking;
use crate::served_file::{ServedFile, Showing, asked_part};
use crate::state::Edge;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use domain::{AskedFile, LARGEST_ATTACHMENT, OpenedAttachment, Viewer};
use http::{HeaderMap, header};
use serde::Deserialize;
use shared::note::Attachment;
use shared::{AttachmentId, Envelope, NoteId};
use std::sync::Arc;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

pub fn routes() -> OpenApiRouter<Arc<Edge>> {
    OpenApiRouter::new().routes(routes!(attach)).routes(routes!(read_attachment)).routes(routes!(read_named))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct NameQuery {
    /// What the file is called; its ending says what it is.
    #[serde(default)]
    name: String,
}

/// Attaches a file of at most 50 MB: its bytes are the body. `url` in the answer is what to write
/// into the note.
#[utoipa::path(post, path = "/api/v1/notes/{id}/attachments", tag = "notes", params(("id" = NoteId, Path), NameQuery),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 201, body = Envelope<Attachment>)))]
async fn attach(
    State(edge): State<Arc<Edge>>,
    Looking(viewer): Looking,
    At(id): At<NoteId>,
    Asked(asked): Asked<NameQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<Created<Attachment>, Failure> {
    let told =
        headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if told.is_some_and(|length| length > LARGEST_ATTACHMENT) {
        return Err(Failure::too_large(usize::try_from(LARGEST_ATTACHMENT).unwrap_or(usize::MAX)));
    }
    Ok(Created(edge.domain.attach(&viewer, id, &asked.name, body.into_data_stream()).await?))
}

/// A file's bytes, or the part that `Range` names. Pictures, sound, video and PDF are shown;
/// everything else, SVG and HTML above all, is a download.
#[utoipa::path(get, path = "/api/v1/notes/{id}/attachments/{attachment}/{name}", tag = "notes",
    params(("id" = NoteId, Path), ("attachment" = AttachmentId, Path), ("name" = String, Path)),
    responses((status = 200, description = "The file.", body = Vec<u8>, content_type = "application/octet-stream"),
              (status = 206, description = "The part asked for."), (status = 304, description = "As it was.")))]
async fn read_attachment(
    State(edge): State<Arc<Edge>>,
    Looking(viewer): Looking,
    At((id, attached, _)): At<(NoteId, AttachmentId, String)>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    serve(&edge, &viewer, id, AskedFile::Id(attached), &headers).await
}

/// The same of the note's file of this name, as `![[name]]` in a note means it; of several the one that came
/// last.
#[utoipa::path(get, path = "/api/v1/notes/{id}/attachments/named/{name}", tag = "notes",
    params(("id" = NoteId, Path), ("name" = String, Path)),
    responses((status = 200, description = "The file.", body = Vec<u8>, content_type = "application/octet-stream"),
              (status = 206, description = "The part asked for."), (status = 304, description = "As it was.")))]
async fn read_named(
    State(edge): State<Arc<Edge>>,
    Looking(viewer): Looking,
    At((id, name)): At<(NoteId, String)>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    serve(&edge, &viewer, id, AskedFile::Name(name), &headers).await
}

async fn serve(
    edge: &Edge,
    viewer: &Viewer,
    note: NoteId,
    file: AskedFile,
    headers: &HeaderMap,
) -> Result<Response, Failure> {
    let asked = asked_part(headers);
    let OpenedAttachment { name, media_type, sha256, size, part } =
        edge.domain.attachment(viewer, note, file, asked).await?;
    ServedFile { name, media_type, sha256, size, part }.answer(headers, asked, Showing::Alone)
}
