//! Notes as files: one as Markdown, everything as a zip, and back in.

use crate::authentication::By;
use crate::disposition::attachment;
use crate::envelope::{Created, Failure, never_store};
use crate::input::{Asked, At, media_type, wrong_type};
use crate::looking::Looking;
use crate::state::Edge;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::{Import, NotesArchive};
use http::{HeaderMap, HeaderValue, header};
use serde::Deserialize;
use shared::note::ImportReport;
use shared::{Envelope, FolderId, NoteId};
use std::sync::Arc;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

pub fn routes() -> OpenApiRouter<Arc<Edge>> {
    OpenApiRouter::new()
        .routes(routes!(export_note))
        .routes(routes!(export_notes))
        .routes(routes!(import_notes))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ExportQuery {
    /// With the files that it mentions, in a zip, where it mentions any.
    #[serde(default)]
    attachments: bool,
}

/// The note as Markdown, with its title and times before it.
#[utoipa::path(get, path = "/api/v1/notes/{id}/export", tag = "notes", params(("id" = NoteId, Path), ExportQuery),
    responses((status = 200, description = "The file.",
               content((String = "text/markdown"), (Vec<u8> = "application/zip")))))]
async fn export_note(
    State(edge): State<Arc<Edge>>,
    Looking(viewer): Looking,
    At(id): At<NoteId>,
    Asked(asked): Asked<ExportQuery>,
) -> Result<Response, Failure> {
    if asked.attachments
        && let Some(archive) = edge.domain.export_with_files(&viewer, id).await?
    {
        return download(archive);
    }
    let export = edge.domain.export_note(&viewer, id).await?;
    let mut response = export.body.into_response();
    never_store(&mut response);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(export.content_type));
    response.headers_mut().insert(header::CONTENT_DISPOSITION, attachment(&export.file_name)?);
    Ok(response)
}

/// All notes of one's own as Markdown in a zip, in their folders, with their attachments.
#[utoipa::path(get, path = "/api/v1/notes/export", tag = "notes",
    responses((status = 200, description = "The archive.", body = Vec<u8>, content_type = "application/zip")))]
async fn export_notes(State(edge): State<Arc<Edge>>, By(caller): By) -> Result<Response, Failure> {
    download(edge.domain.export_notes(&caller).await?)
}

fn download(archive: NotesArchive) -> Result<Response, Failure> {
    let mut response = Body::from_stream(archive.bytes).into_response();
    never_store(&mut response);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/zip"));
    headers.insert(header::CONTENT_LENGTH, archive.size.into());
    headers.insert(header::CONTENT_DISPOSITION, attachment(&archive.file_name)?);
    Ok(response)
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ImportQuery {
    /// The folder to import into; the top when absent.
    #[param(value_type = Option<FolderId>)]
    folder_id: Option<FolderId>,
    /// What one file is called.
    name: Option<String>,
}

/// Imports Markdown: a zip of at most 200 MB with folders, links and attachments as Obsidian keeps
/// them, one file, or a page of HTML. The body is the file; everything is imported, or nothing.
#[utoipa::path(post, path = "/api/v1/notes/import", tag = "notes", params(ImportQuery),
    request_body(content((Vec<u8> = "application/zip"), (String = "text/markdown"), (String = "text/html"))),
    responses((status = 201, body = Envelope<ImportReport>)))]
async fn import_notes(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    Asked(asked): Asked<ImportQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<Created<ImportReport>, Failure> {
    let import = match media_type(&headers).as_deref() {
        Some("application/zip" | "application/x-zip-compressed") => Import::Zip,
        Some("text/markdown" | "text/plain") => Import::Markdown,
        Some("text/html") => Import::Html,
        _ => return Err(wrong_type("application/zip, text/markdown or text/html")),
    };
    let name = asked.name.as_deref();
    let report =
        edge.domain.import_notes(&caller, import, asked.folder_id, name, body.into_data_stream()).await?;
    Ok(Created(report))
}
