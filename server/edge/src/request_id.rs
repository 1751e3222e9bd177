//! Every request has an id, a span and one log line, and is counted. The line has the route, never
//! the path or the query string, and nothing about the person.

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState};
use std::time::Instant;
use tracing::Instrument as _;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use uuid::Uuid;

pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

tokio::task_local! {
    static CURRENT: String;
}

/// The id of the request that is being answered.
pub fn current() -> Option<String> {
    CURRENT.try_with(Clone::clone).ok()
}

/// Runs `work` as part of the request `id`.
pub async fn scope<F: Future>(id: String, work: F) -> F::Output {
    CURRENT.scope(id, work).await
}

/// The outermost layer: names the request, logs it, counts it.
pub async fn record(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = accepted(request.headers()).unwrap_or_else(|| Uuid::now_v7().to_string());
    let caller = traceparent(request.headers());
    let trace_id = caller.as_ref().map(|caller| caller.trace_id().to_string());
    let method = method_name(request.method());
    let route = route(&request);
    let span = tracing::info_span!("request", request_id = %id, trace_id = trace_id.as_deref(), method, route = %route);
    if let Some(caller) = caller {
        // Fails only where no trace is recorded.
        let _ = span.set_parent(Context::new().with_remote_span_context(caller));
    }

    let mut response = scope(id.clone(), next.run(request).instrument(span)).await;

    let elapsed = started.elapsed();
    let status = response.status().as_u16();
    tracing::info!(
        target: "request",
        method,
        route = %route,
        status,
        duration_ms = elapsed.as_secs_f64() * 1000.0,
        request_id = %id,
        trace_id = trace_id.as_deref(),
        "answered"
    );
    metrics::histogram!(
        "sidebar_http_request_duration_seconds",
        "method" => method, "route" => route, "status" => status.to_string(),
    )
    .record(elapsed);
    if let Ok(value) = HeaderValue::try_from(id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// The route as a label: a caller cannot make up labels.
fn route(request: &Request) -> String {
    let matched = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    matched.or_else(|| page(request.uri().path())).unwrap_or_else(|| "(none)".to_owned())
}

/// A page of the app or a file of the site, with its own part left out.
fn page(path: &str) -> Option<String> {
    if path.starts_with("/assets/") {
        return Some("/assets/{…}".to_owned());
    }
    app::route::Route::parse(path)?;
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    Some(match (parts.next(), parts.next()) {
        (None, _) => "/".to_owned(),
        (Some(first), None) => format!("/{first}"),
        (Some(first), Some(_)) => format!("/{first}/{{…}}"),
    })
}

/// A caller's own id, when it is short and plain enough to be written to a log.
fn accepted(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(REQUEST_ID)?.to_str().ok()?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    ((1..=64).contains(&id.len()) && id.bytes().all(plain)).then(|| id.to_owned())
}

/// The caller's span in a well-formed `traceparent` (W3C Trace Context, version 00).
fn traceparent(headers: &HeaderMap) -> Option<SpanContext> {
    let mut parts = headers.get(TRACEPARENT)?.to_str().ok()?.split('-');
    let (version, trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let hex = |s: &str, len| s.len() == len && s.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let complete = parts.next().is_none() && version == "00";
    if !complete || !hex(trace, 32) || !hex(parent, 16) || !hex(flags, 2) {
        return None;
    }
    let context = SpanContext::new(
        TraceId::from_hex(trace).ok()?,
        SpanId::from_hex(parent).ok()?,
        TraceFlags::new(u8::from_str_radix(flags, 16).ok()?),
        true,
        TraceState::default(),
    );
    context.is_valid().then_some(context)
}

/// The method as a label: a caller cannot make up labels.
fn method_name(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "OTHER",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::try_from(value).unwrap())])
    }

    #[test]
    fn a_plain_id_of_the_caller_is_kept_and_any_other_replaced() {
        assert_eq!(accepted(&with(REQUEST_ID, "job-7.a_B")).as_deref(), Some("job-7.a_B"));
        for bad in ["", "a b", "{\"a\":1}", &"x".repeat(65)] {
            assert_eq!(accepted(&with(REQUEST_ID, bad)), None, "{bad:?}");
        }
    }

    #[test]
    fn a_page_is_counted_without_its_id_and_what_is_none_is_not() {
        assert_eq!(page("/c/0198f3d2-8f6b-7d7e-9d3f-1f2a3b4c5d6e").as_deref(), Some("/c/{…}"));
        assert_eq!(page("/").as_deref(), Some("/"));
        assert_eq!(page("/wp-login.php"), None);
    }

    #[test]
    fn a_well_formed_traceparent_gives_its_trace_id() {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        let header = format!("00-{trace}-00f067aa0ba902b7-01");
        let caller = traceparent(&with(TRACEPARENT, &header)).unwrap();
        assert_eq!(caller.trace_id().to_string(), trace);
        for bad in [
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "4bf92f3577b34da6a3ce929d0e0e4736",
        ] {
            assert!(traceparent(&with(TRACEPARENT, bad)).is_none(), "{bad}");
        }
    }
}
