//! What browsers measure of themselves, sent by `sendBeacon`: no CSRF header, so the origin is
//! checked; limited by address; nothing personal is kept, and no text of an error is logged.

use crate::envelope::Failure;
use crate::input::{parse, read};
use crate::limits::{Limited, Who};
use crate::origin::Absent;
use crate::state::Edge;
use crate::visitor::Source;
use axum::extract::{Request, State};
use http::StatusCode;
use serde::de::DeserializeOwned;
use shared::telemetry::{BrowserError, ChatTiming, WebVital, WebVitalName};
use std::sync::Arc;
use utoipa_axum::{router::OpenApiRouter, routes};

const BEACON_LIMIT: usize = 16 << 10;
/// Longer measurements say more about a sleeping laptop than about us.
const LONGEST_MS: f64 = 600_000.0;
/// As much of an error as is passed on.
const LONGEST_TEXT: usize = 4096;

pub fn routes() -> OpenApiRouter<Arc<Edge>> {
    OpenApiRouter::new()
        .routes(routes!(web_vital))
        .routes(routes!(chat_timing))
        .routes(routes!(browser_error))
}

/// A beacon's body: browsers send it as `text/plain`, so its content type says nothing.
async fn beacon<T: DeserializeOwned>(
    edge: &Edge,
    source: Source,
    limited: Limited,
    request: Request,
) -> Result<T, Failure> {
    edge.hosts.check_origin(request.headers(), Absent::Refuse)?;
    edge.limits.check(limited, Who::address(source.address))?;
    parse(&read(request, BEACON_LIMIT).await?)
}

fn milliseconds(field: &str, value: f64) -> Result<f64, Failure> {
    if value.is_finite() && (0.0..=LONGEST_MS).contains(&value) {
        return Ok(value);
    }
    Err(Failure::invalid(field, "A measurement is between 0 and 600,000 milliseconds."))
}

/// One web vital.
#[utoipa::path(post, path = "/api/v1/metrics/web-vitals", tag = "telemetry", security(()), request_body = WebVital,
    responses((status = 204, description = "Counted.")))]
async fn web_vital(
    State(edge): State<Arc<Edge>>,
    source: Source,
    request: Request,
) -> Result<StatusCode, Failure> {
    let vital: WebVital = beacon(&edge, source, Limited::Beacon, request).await?;
    let value = milliseconds("value", vital.value)?;
    let name = match vital.name {
        WebVitalName::Ttfb => "ttfb",
        WebVitalName::Fcp => "fcp",
        WebVitalName::Lcp => "lcp",
        WebVitalName::Cls => "cls",
        WebVitalName::Inp => "inp",
    };
    match vital.name {
        WebVitalName::Cls => metrics::histogram!("sidebar_web_vital_cls").record(value),
        _ => metrics::histogram!("sidebar_web_vital_seconds", "name" => name).record(value / 1000.0),
    }
    Ok(StatusCode::NO_CONTENT)
}

/// How one answer felt.
#[utoipa::path(post, path = "/api/v1/metrics/chat", tag = "telemetry", security(()), request_body = ChatTiming,
    responses((status = 204, description = "Counted.")))]
async fn chat_timing(
    State(edge): State<Arc<Edge>>,
    source: Source,
    request: Request,
) -> Result<StatusCode, Failure> {
    let timing: ChatTiming = beacon(&edge, source, Limited::Beacon, request).await?;
    let first = milliseconds("first_token_ms", timing.first_token_ms)?;
    let total = milliseconds("total_ms", timing.total_ms)?;
    metrics::histogram!("sidebar_browser_first_token_seconds").record(first / 1000.0);
    metrics::histogram!("sidebar_browser_answer_seconds").record(total / 1000.0);
    metrics::counter!("sidebar_browser_resumes_total").increment(u64::from(timing.resumes.min(1000)));
    Ok(StatusCode::NO_CONTENT)
}

/// An error nobody caught.
#[utoipa::path(post, path = "/api/v1/metrics/errors", tag = "telemetry", security(()), request_body = BrowserError,
    responses((status = 204, description = "Counted, and passed on where that is configured.")))]
async fn browser_error(
    State(edge): State<Arc<Edge>>,
    source: Source,
    request: Request,
) -> Result<StatusCode, Failure> {
    let mut error: BrowserError = beacon(&edge, source, Limited::BrowserError, request).await?;
    metrics::counter!("sidebar_browser_errors_total").increment(1);
    if let Some(sink) = &edge.browser_error_sink {
        cut(&mut error.message);
        cut(&mut error.stack);
        sink(error);
    }
    Ok(StatusCode::NO_CONTENT)
}

fn cut(text: &mut String) {
    text.truncate(text.floor_char_boundary(LONGEST_TEXT));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measurement_that_cannot_be_one_is_refused() {
        for wrong in [-1.0, f64::NAN, f64::INFINITY, 600_001.0] {
            assert!(milliseconds("value", wrong).is_err(), "{wrong}");
        }
        assert_eq!(milliseconds("value", 12.5).unwrap(), 12.5);
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        let mut text = "é".repeat(4096);
        cut(&mut text);
        assert_eq!(text.len(), 4096);
    }
}
