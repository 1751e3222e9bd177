//! Files in notes: sent as they are, read in parts, and never able to run anything here.

use crate::disposition::{attachment, inline};
use crate::envelope::{Created, Failure};
use crate::input::{Asked, At};
use crate::looking::Looking;
use crate::state::Edge;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use domain::{LARGEST_ATTACHMENT, Part};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserialize;
use shared::note::Attachment;
use shared::{AttachmentId, Envelope, NoteId};
use std::sync::Arc;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

/// A file is shown by itself, in a sandbox, or not at all.
const POLICY: HeaderValue = HeaderValue::from_static(
    "sandbox; default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
);
/// It may be kept by the browser, but whether it may still be seen is asked each time.
const CACHING: HeaderValue = HeaderValue::from_static("private, no-cache");

pub fn routes() -> OpenApiRouter<Arc<Edge>> {
    OpenApiRouter::new().routes(routes!(attach)).routes(routes!(read_attachment))
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
    let part = headers.get(header::RANGE).and_then(|range| part(range.to_str().ok()?));
    let file = edge.domain.attachment(&viewer, id, attached, part).await?;
    let tag = format!("\"{}\"", file.sha256);
    let mut response = Response::new(Body::empty());
    let answer = response.headers_mut();
    let shown = is_shown(&file.media_type);
    let media_type =
        HeaderValue::try_from(&file.media_type).ok().filter(|_| shown || is_plain(&file.media_type));
    let octets = HeaderValue::from_static("application/octet-stream");
    answer.insert(header::CONTENT_TYPE, media_type.unwrap_or(octets));
    let disposition = if shown { inline(&file.name)? } else { attachment(&file.name)? };
    answer.insert(header::CONTENT_DISPOSITION, disposition);
    answer.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    answer.insert(header::CACHE_CONTROL, CACHING);
    answer.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    answer.insert(header::ETAG, HeaderValue::try_from(&tag).map_err(|_| Failure::internal())?);
    let known = headers.get(header::IF_NONE_MATCH).and_then(|tags| tags.to_str().ok());
    if known.is_some_and(|tags| tags.split(',').any(|known| known.trim().trim_start_matches("W/") == tag)) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return Ok(response);
    }
    match file.part {
        None => {
            *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
            let all =
                HeaderValue::try_from(format!("bytes */{}", file.size)).map_err(|_| Failure::internal())?;
            response.headers_mut().insert(header::CONTENT_RANGE, all);
        }
        Some((range, bytes)) => {
            if part.is_some() {
                *response.status_mut() = StatusCode::PARTIAL_CONTENT;
                let what = format!("bytes {}-{}/{}", range.start, range.end.saturating_sub(1), file.size);
                let what = HeaderValue::try_from(what).map_err(|_| Failure::internal())?;
                response.headers_mut().insert(header::CONTENT_RANGE, what);
            }
            response.headers_mut().insert(header::CONTENT_LENGTH, (range.end - range.start).into());
            *response.body_mut() = Body::from_stream(bytes);
        }
    }
    Ok(response)
}

/// What a browser may show by itself: nothing that can run.
fn is_shown(media_type: &str) -> bool {
    matches!(
        media_type,
        "image/png" | "image/jpeg" | "image/gif" | "image/webp" | "image/avif" | "application/pdf"
    ) || media_type.starts_with("audio/")
        || media_type.starts_with("video/")
}

/// What keeps its name as a download: no document that some browser could take for a page.
fn is_plain(media_type: &str) -> bool {
    !media_type.contains("html") && !media_type.contains("xml") && !media_type.contains("script")
}

/// One range of bytes (RFC 9110); several, and other units, are answered with the whole.
fn part(range: &str) -> Option<Part> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    match (first.trim(), last.trim()) {
        ("", last) => Some(Part::Last(last.parse().ok()?)),
        (first, "") => Some(Part::From(first.parse().ok()?)),
        (first, last) => {
            let (first, last) = (first.parse().ok()?, last.parse().ok()?);
            (first <= last).then_some(Part::Between { first, last })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_is_read_and_nothing_else() {
        assert_eq!(part("bytes=0-99"), Some(Part::Between { first: 0, last: 99 }));
        assert_eq!(part("bytes=5-"), Some(Part::From(5)));
        assert_eq!(part("bytes=-7"), Some(Part::Last(7)));
        for other in ["bytes=9-5", "bytes=0-1,4-5", "lines=1-2", "bytes=a-b", ""] {
            assert_eq!(part(other), None, "{other}");
        }
    }

    #[test]
    fn nothing_that_can_run_is_shown() {
        for shown in ["image/png", "application/pdf", "video/mp4", "audio/ogg"] {
            assert!(is_shown(shown));
        }
        for kept in ["image/svg+xml", "text/html", "application/xhtml+xml", "text/xml", "text/javascript"] {
            assert!(!is_shown(kept) && !is_plain(kept), "{kept}");
        }
    }
}
