//! Which pages of others may call the memories: browser extensions and sites that the operator lists. They show an
//! API key; a cookie that came along counts for nothing, so that no other page acts as whoever is signed in.

use crate::state::Edge;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use std::sync::Arc;

const REACH: &str = "/api/v1/memories";
const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PATCH, DELETE");
const HEADERS: HeaderValue =
    HeaderValue::from_static("authorization, x-api-key, content-type, idempotency-key");
const EXPOSED: HeaderValue = HeaderValue::from_static("retry-after, x-request-id");
/// Seconds for which a browser need not ask again.
const MAX_AGE: HeaderValue = HeaderValue::from_static("3600");

pub async fn allow(State(edge): State<Arc<Edge>>, mut request: Request, next: Next) -> Response {
    let Some(origin) = listed_origin(&edge.memory_origins, &request) else { return next.run(request).await };
    if is_preflight(&request) {
        let mut response = StatusCode::NO_CONTENT.into_response();
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        admit(headers, origin);
        return response;
    }
    request.headers_mut().remove(header::COOKIE);
    let mut response = next.run(request).await;
    response.headers_mut().insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    admit(response.headers_mut(), origin);
    response
}

fn admit(headers: &mut HeaderMap, origin: HeaderValue) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.append(header::VARY, HeaderValue::from_static("origin"));
}

/// The request's origin, where it is listed and asks for memories.
fn listed_origin(listed: &[String], request: &Request) -> Option<HeaderValue> {
    let path = request.uri().path();
    let within = path.strip_prefix(REACH).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let origin = request.headers().get(header::ORIGIN).filter(|_| within)?;
    listed.iter().any(|one| one.as_bytes() == origin.as_bytes()).then(|| origin.clone())
}

fn is_preflight(request: &Request) -> bool {
    request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    #[test]
    fn only_what_is_listed_to_the_letter_may_ask_and_only_for_memories() {
        let listed = ["chrome-extension://abcdef".to_owned(), "https://notes.example".to_owned()];
        let asks = |origin: &str, path: &str| {
            let request =
                Request::builder().uri(path).header(header::ORIGIN, origin).body(Body::empty()).unwrap();
            listed_origin(&listed, &request).is_some()
        };
        assert!(asks("chrome-extension://abcdef", "/api/v1/memories"));
        assert!(asks("https://notes.example", "/api/v1/memories/prompt"));
        for (origin, path) in [
            ("chrome-extension://abcdeg", "/api/v1/memories"),
            ("https://notes.example.evil.example", "/api/v1/memories"),
            ("null", "/api/v1/memories"),
            ("https://notes.example", "/api/v1/memoriesandmore"),
            ("https://notes.example", "/api/v1/notes"),
        ] {
            assert!(!asks(origin, path), "{origin} {path}");
        }
    }
}
