//! Files that somebody keeps: lists, uploads in one piece or in parts, downloads, and what was read in them.

use crate::authentication::By;
use crate::disposition;
use crate::envelope::{Answer, Created, Data, Failure, Nothing};
use crate::input::{Asked, At, Json};
use crate::served_file::{ServedFile, Showing, asked_part};
use crate::state::Edge;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::{Downloaded, LARGEST_FILE, ListFiles, Thumbnail};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserialize;
use shared::file::{BeginUpload, File, FileSummary, KnownFiles, StorageUse, UpdateFile, Upload};
use shared::page::Page;
use shared::{Envelope, FileId, UploadId};
use std::sync::Arc;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

pub fn routes() -> OpenApiRouter<Arc<Edge>> {
    OpenApiRouter::new()
        .routes(routes!(list_files, keep_file))
        .routes(routes!(storage_use))
        .routes(routes!(known_files))
        .routes(routes!(read_file, update_file, delete_file))
        .routes(routes!(restore_file))
        .routes(routes!(read_file_again, stop_reading))
        .routes(routes!(file_content))
        .routes(routes!(file_text))
        .routes(routes!(file_thumbnail))
        .routes(routes!(begin_upload))
        .routes(routes!(read_upload, cancel_upload))
        .routes(routes!(upload_part))
        .routes(routes!(complete_upload))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Only those in whose name or folder this stands.
    q: Option<String>,
    /// Only those right in this folder; empty: at the top.
    folder: Option<String>,
    /// The bin instead of the list.
    #[serde(default)]
    deleted: bool,
    cursor: Option<String>,
    /// At most 200; 50 when absent.
    limit: Option<u32>,
}

/// Files, newest first.
#[utoipa::path(get, path = "/api/v1/files", tag = "files", params(ListQuery),
    responses((status = 200, body = Envelope<Page<FileSummary>>)))]
async fn list_files(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    Asked(ListQuery { q, folder, deleted, cursor, limit }): Asked<ListQuery>,
) -> Answer<Page<FileSummary>> {
    let query = q.filter(|q| !q.trim().is_empty());
    Ok(Data(edge.domain.files(&caller, ListFiles { query, folder, deleted, cursor, limit }).await?))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct KeepQuery {
    /// What the file is called.
    #[serde(default)]
    name: String,
    /// Names of folders joined by `/`; the top when absent.
    #[serde(default)]
    folder: String,
}

/// Keeps a file of at most 100 MB: its bytes are the body. The same bytes in the same folder are kept
/// once: the answer is then 200 with the file that is there.
#[utoipa::path(post, path = "/api/v1/files", tag = "files", params(KeepQuery),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 201, body = Envelope<FileSummary>), (status = 200, body = Envelope<FileSummary>)))]
async fn keep_file(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    Asked(asked): Asked<KeepQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Failure> {
    let told =
        headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if told.is_some_and(|length| length > LARGEST_FILE) {
        return Err(Failure::too_large(usize::try_from(LARGEST_FILE).unwrap_or(usize::MAX)));
    }
    let kept = edge.domain.keep_file(&caller, &asked.name, &asked.folder, body.into_data_stream()).await?;
    Ok(match kept {
        (file, true) => Created(file).into_response(),
        (file, false) => Data(file).into_response(),
    })
}

/// What your files take up, and may.
#[utoipa::path(get, path = "/api/v1/files/use", tag = "files", responses((status = 200, body = Envelope<StorageUse>)))]
async fn storage_use(State(edge): State<Arc<Edge>>, By(caller): By) -> Answer<StorageUse> {
    Ok(Data(edge.domain.storage_use(&caller).await?))
}

/// For each of many files, in their order: the file of these bytes in that folder, or `null`. Asked before a folder
/// is sent again, it saves sending what is here.
#[utoipa::path(post, path = "/api/v1/files/known", tag = "files", request_body = KnownFiles,
    responses((status = 200, body = Envelope<Vec<Option<FileSummary>>>)))]
async fn known_files(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    Json(asked): Json<KnownFiles>,
) -> Answer<Vec<Option<FileSummary>>> {
    Ok(Data(edge.domain.known_files(&caller, asked).await?))
}

/// A file, and what was read in it.
#[utoipa::path(get, path = "/api/v1/files/{id}", tag = "files", params(("id" = FileId, Path)),
    responses((status = 200, body = Envelope<File>)))]
async fn read_file(State(edge): State<Arc<Edge>>, By(caller): By, At(id): At<FileId>) -> Answer<File> {
    Ok(Data(edge.domain.file(&caller, id).await?))
}

/// Renames or moves a file.
#[utoipa::path(patch, path = "/api/v1/files/{id}", tag = "files", params(("id" = FileId, Path)),
    request_body = UpdateFile, responses((status = 200, body = Envelope<FileSummary>)))]
async fn update_file(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At(id): At<FileId>,
    Json(change): Json<UpdateFile>,
) -> Answer<FileSummary> {
    Ok(Data(edge.domain.update_file(&caller, id, change).await?))
}

/// Puts a file into the bin.
#[utoipa::path(delete, path = "/api/v1/files/{id}", tag = "files", params(("id" = FileId, Path)),
    responses((status = 200, body = Envelope<Nothing>)))]
async fn delete_file(State(edge): State<Arc<Edge>>, By(caller): By, At(id): At<FileId>) -> Answer<()> {
    Ok(Data(edge.domain.delete_file(&caller, id).await?))
}

/// Takes a file out of the bin.
#[utoipa::path(post, path = "/api/v1/files/{id}/restore", tag = "files", params(("id" = FileId, Path)),
    responses((status = 200, body = Envelope<FileSummary>)))]
async fn restore_file(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At(id): At<FileId>,
) -> Answer<FileSummary> {
    Ok(Data(edge.domain.restore_file(&caller, id).await?))
}

/// Reads a file into the search again.
#[utoipa::path(post, path = "/api/v1/files/{id}/read", tag = "files", params(("id" = FileId, Path)),
    responses((status = 200, body = Envelope<FileSummary>)))]
async fn read_file_again(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At(id): At<FileId>,
) -> Answer<FileSummary> {
    Ok(Data(edge.domain.read_file_again(&caller, id).await?))
}

/// Ends the reading of a file that waits for it, or is read right now.
#[utoipa::path(delete, path = "/api/v1/files/{id}/read", tag = "files", params(("id" = FileId, Path)),
    responses((status = 200, body = Envelope<FileSummary>)))]
async fn stop_reading(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At(id): At<FileId>,
) -> Answer<FileSummary> {
    Ok(Data(edge.domain.stop_reading(&caller, id).await?))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ContentQuery {
    /// A download, also of what a browser could show.
    #[serde(default)]
    download: bool,
}

/// A file's bytes, or the part that `Range` names. Pictures, sound, video and PDF are shown;
/// everything else, SVG and HTML above all, is a download. Where the server's owner wants it, the download of a
/// large file is 307 to an address in the bucket that is good for five minutes.
#[utoipa::path(get, path = "/api/v1/files/{id}/content", tag = "files", params(("id" = FileId, Path), ContentQuery),
    responses((status = 200, description = "The file.", body = Vec<u8>, content_type = "application/octet-stream"),
              (status = 206, description = "The part asked for."),
              (status = 307, description = "In the bucket."), (status = 304, description = "As it was.")))]
async fn file_content(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At(id): At<FileId>,
    Asked(query): Asked<ContentQuery>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let asked = asked_part(&headers);
    if query.download && asked.is_none() {
        let named =
            |file: &FileSummary| disposition::attachment(&file.name).ok()?.to_str().ok().map(str::to_owned);
        if let Some(address) = edge.domain.download_link(&caller, id, named).await? {
            let location = HeaderValue::try_from(address).map_err(|_| Failure::internal())?;
            let store = (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            return Ok(
                (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, location), store]).into_response()
            );
        }
    }
    let Downloaded { file, part } = edge.domain.download(&caller, id, asked).await?;
    let FileSummary { name, media_type, sha256, size, .. } = file;
    let showing = if query.download { Showing::Never } else { Showing::Framed };
    ServedFile { name, media_type, sha256, size, part }.answer(&headers, asked, showing)
}

/// What was read in a file, as a model is given it: Markdown, with what the file is in front.
#[utoipa::path(get, path = "/api/v1/files/{id}/text", tag = "files", params(("id" = FileId, Path)),
    responses((status = 200, body = String, content_type = "text/markdown")))]
async fn file_text(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At(id): At<FileId>,
) -> Result<Response, Failure> {
    let text = edge.domain.file_text(&caller, id).await?;
    let media_type = (header::CONTENT_TYPE, HeaderValue::from_static("text/markdown; charset=utf-8"));
    Ok(([media_type, CACHING], text).into_response())
}

/// A small picture of a file that has one.
#[utoipa::path(get, path = "/api/v1/files/{id}/thumbnail", tag = "files", params(("id" = FileId, Path)),
    responses((status = 200, body = Vec<u8>, content_type = "image/jpeg")))]
async fn file_thumbnail(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At(id): At<FileId>,
) -> Result<Response, Failure> {
    let Thumbnail { media_type, bytes } = edge.domain.thumbnail(&caller, id).await?;
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static(media_type)), CACHING], bytes).into_response())
}

/// It may be kept by the browser, but whether it may still be seen is asked each time.
const CACHING: (header::HeaderName, HeaderValue) =
    (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));

/// Announces a file that comes in parts, so that a broken connection costs one part. With `sha256`, bytes
/// that are here already need not be sent: `file` is then set.
#[utoipa::path(post, path = "/api/v1/uploads", tag = "files", request_body = BeginUpload,
    responses((status = 201, body = Envelope<Upload>)))]
async fn begin_upload(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    Json(begin): Json<BeginUpload>,
) -> Result<Created<Upload>, Failure> {
    Ok(Created(edge.domain.begin_upload(&caller, begin).await?))
}

/// Which parts of an upload are here.
#[utoipa::path(get, path = "/api/v1/uploads/{id}", tag = "files", params(("id" = UploadId, Path)),
    responses((status = 200, body = Envelope<Upload>)))]
async fn read_upload(State(edge): State<Arc<Edge>>, By(caller): By, At(id): At<UploadId>) -> Answer<Upload> {
    Ok(Data(edge.domain.upload(&caller, id).await?))
}

/// Gives an upload up.
#[utoipa::path(delete, path = "/api/v1/uploads/{id}", tag = "files", params(("id" = UploadId, Path)),
    responses((status = 200, body = Envelope<Nothing>)))]
async fn cancel_upload(State(edge): State<Arc<Edge>>, By(caller): By, At(id): At<UploadId>) -> Answer<()> {
    Ok(Data(edge.domain.cancel_upload(&caller, id).await?))
}

/// One part, numbered from 0; all but the last have `part_size` bytes. Sent again it is taken again.
#[utoipa::path(put, path = "/api/v1/uploads/{id}/parts/{number}", tag = "files",
    params(("id" = UploadId, Path), ("number" = u32, Path)),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = Envelope<Upload>)))]
async fn upload_part(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At((id, number)): At<(UploadId, u32)>,
    body: Body,
) -> Answer<Upload> {
    Ok(Data(edge.domain.upload_part(&caller, id, number, body.into_data_stream()).await?))
}

/// Makes a file of the parts, once all are here. Asked again it answers the same file.
#[utoipa::path(post, path = "/api/v1/uploads/{id}/complete", tag = "files", params(("id" = UploadId, Path)),
    responses((status = 200, body = Envelope<FileSummary>)))]
async fn complete_upload(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At(id): At<UploadId>,
) -> Answer<FileSummary> {
    Ok(Data(edge.domain.complete_upload(&caller, id).await?))
}
