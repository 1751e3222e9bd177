//! The bytes of somebody's file as an answer: in parts, by the tag of what they are, and never able to run
//! anything here.

use crate::disposition::{attachment, inline};
use crate::envelope::Failure;
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use domain::Part;
use futures::stream::BoxStream;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use std::ops::Range;

/// A file is shown by itself, in a sandbox, or not at all.
const POLICY: HeaderValue = HeaderValue::from_static(
    "sandbox; default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
);
/// A PDF is shown by the browser's own reader, which a sandbox would keep from working; ours may frame it.
const POLICY_OF_PDF: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; frame-ancestors 'self'; base-uri 'none'; form-action 'none'; object-src 'self'",
);
/// It may be kept by the browser, but whether it may still be seen is asked each time.
const CACHING: HeaderValue = HeaderValue::from_static("private, no-cache");

pub struct ServedFile {
    pub name: String,
    pub media_type: String,
    /// Hexadecimal.
    pub sha256: String,
    /// Bytes of the whole file.
    pub size: u64,
    /// The part that comes; none where what was asked for lies outside.
    pub part: Option<(Range<u64>, BoxStream<'static, std::io::Result<Bytes>>)>,
}

/// What is done with a file that a browser could show.
#[derive(Clone, Copy, PartialEq)]
pub enum Showing {
    /// By itself.
    Alone,
    /// Also in a page of ours.
    Framed,
    /// It is a download, whatever it is.
    Never,
}

impl ServedFile {
    /// The answer to a request with these headers; `asked` is the part that they name.
    pub fn answer(
        self,
        headers: &HeaderMap,
        asked: Option<Part>,
        showing: Showing,
    ) -> Result<Response, Failure> {
        let tag = format!("\"{}\"", self.sha256);
        let mut response = Response::new(Body::empty());
        let answer = response.headers_mut();
        let shown = is_shown(&self.media_type) && showing != Showing::Never;
        let media_type =
            HeaderValue::try_from(&self.media_type).ok().filter(|_| shown || is_plain(&self.media_type));
        let octets = HeaderValue::from_static("application/octet-stream");
        answer.insert(header::CONTENT_TYPE, media_type.unwrap_or(octets));
        let disposition = if shown { inline(&self.name)? } else { attachment(&self.name)? };
        answer.insert(header::CONTENT_DISPOSITION, disposition);
        let is_framed = shown && showing == Showing::Framed && self.media_type == "application/pdf";
        answer.insert(header::CONTENT_SECURITY_POLICY, if is_framed { POLICY_OF_PDF } else { POLICY });
        if is_framed {
            answer.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
        }
        answer.insert(header::CACHE_CONTROL, CACHING);
        answer.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        answer.insert(header::ETAG, HeaderValue::try_from(&tag).map_err(|_| Failure::internal())?);
        let known = headers.get(header::IF_NONE_MATCH).and_then(|tags| tags.to_str().ok());
        if known.is_some_and(|tags| tags.split(',').any(|known| known.trim().trim_start_matches("W/") == tag))
        {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return Ok(response);
        }
        match self.part {
            None => {
                *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
                let all = HeaderValue::try_from(format!("bytes */{}", self.size))
                    .map_err(|_| Failure::internal())?;
                response.headers_mut().insert(header::CONTENT_RANGE, all);
            }
            Some((range, bytes)) => {
                if asked.is_some() {
                    *response.status_mut() = StatusCode::PARTIAL_CONTENT;
                    let what = format!("bytes {}-{}/{}", range.start, range.end.saturating_sub(1), self.size);
                    let what = HeaderValue::try_from(what).map_err(|_| Failure::internal())?;
                    response.headers_mut().insert(header::CONTENT_RANGE, what);
                }
                response.headers_mut().insert(header::CONTENT_LENGTH, (range.end - range.start).into());
                *response.body_mut() = Body::from_stream(bytes);
            }
        }
        Ok(response)
    }
}

/// The one range that the headers ask for (RFC 9110); several, and other units, are answered with the whole.
pub fn asked_part(headers: &HeaderMap) -> Option<Part> {
    part(headers.get(header::RANGE)?.to_str().ok()?)
}

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
