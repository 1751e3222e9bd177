//! From what a handler returns to what goes over the wire: the envelope of every JSON answer, and
//! the one place where an error of the inside becomes an answer. What went wrong inside is logged
//! here and never shown.

use crate::request_id;
use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::{Value, json};
use shared::{Envelope, ErrorCode, Problem};
use std::time::Duration;
use utoipa::openapi::schema::{SchemaType, Type};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema};

/// What handlers return.
pub type Answer<T> = Result<Data<T>, Failure>;

/// 200 with the envelope.
#[derive(Debug)]
pub struct Data<T>(pub T);

impl<T: Serialize> IntoResponse for Data<T> {
    fn into_response(self) -> Response {
        let mut response = Json(Envelope::of(self.0)).into_response();
        never_store(&mut response);
        response
    }
}

/// 201 with the envelope.
#[derive(Debug)]
pub struct Created<T>(pub T);

impl<T: Serialize> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        let mut response = Data(self.0).into_response();
        *response.status_mut() = StatusCode::CREATED;
        response
    }
}

/// Stands for `null` in the description of an answer that has nothing to say.
pub struct Nothing;

impl utoipa::PartialSchema for Nothing {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(SchemaType::Type(Type::Null)).build().into()
    }
}

impl utoipa::ToSchema for Nothing {}

/// Answers are about one person: no cache may keep them.
pub fn never_store(response: &mut Response) {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
}

/// A refusal or a failure on its way to the caller.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    code: ErrorCode,
    message: String,
    details: Option<Value>,
    retry_after: Option<Duration>,
}

impl Failure {
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), details: None, retry_after: None }
    }

    /// A value that is wrong, and where it is.
    pub fn invalid(field: &str, message: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidInput, message).with_details(json!({ "field": field }))
    }

    pub fn not_found() -> Self {
        Self::new(ErrorCode::NotFound, "There is no such thing here, or none that you may see.")
    }

    pub fn unauthenticated() -> Self {
        Self::new(
            ErrorCode::Unauthenticated,
            "Not signed in, or the session or key has ended. Sign in, or use another key.",
        )
    }

    pub fn too_large(limit: usize) -> Self {
        Self::new(
            ErrorCode::PayloadTooLarge,
            format!("This is larger than the {} allowed here.", size(limit)),
        )
        .with_details(json!({ "limit_bytes": limit }))
    }

    pub fn internal() -> Self {
        Self::new(
            ErrorCode::Internal,
            "Something went wrong on the server. Try again; if it happens again, give the request id to whoever runs this server.",
        )
    }

    pub fn with_details(mut self, details: Value) -> Self {
        self.details = Some(details);
        self
    }

    pub fn with_retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    pub fn code(&self) -> ErrorCode {
        self.code
    }

    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

fn size(bytes: usize) -> String {
    match bytes {
        b if b >= 1 << 20 => format!("{} MB", b >> 20),
        b => format!("{} KB", b >> 10),
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = self.status();
        let retry_after = self.retry_after;
        let mut problem = Problem::new(self.code, self.message);
        problem.details = self.details;
        problem.request_id = request_id::current().unwrap_or_default();
        let mut response = (status, Json(problem)).into_response();
        never_store(&mut response);
        if let Some(wait) = retry_after {
            let seconds = wait.as_secs_f64().ceil().max(1.0) as u64;
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<domain::Error> for Failure {
    fn from(error: domain::Error) -> Self {
        match error {
            domain::Error::Problem { code, message, details, retry_after } => {
                Self { code, message, details, retry_after }
            }
            domain::Error::DatabaseUnavailable(cause) => {
                tracing::warn!(cause = %chain(&cause), "the database is away");
                Self::new(
                    ErrorCode::DatabaseUnavailable,
                    "The database is away for a moment. Nothing was changed; try again shortly.",
                )
                .with_retry_after(Duration::from_secs(2))
            }
            domain::Error::Internal(cause) => {
                tracing::error!(cause = %format!("{cause:#}"), "a request failed inside");
                Self::internal()
            }
        }
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    async fn read(response: Response) -> (StatusCode, http::HeaderMap, Value) {
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        (parts.status, parts.headers, serde_json::from_slice(&bytes).unwrap())
    }

    #[tokio::test]
    async fn data_comes_in_the_envelope_and_is_never_cached() {
        let (status, headers, body) = read(Data(vec![1, 2]).into_response()).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(headers[header::CACHE_CONTROL], "no-store");
        assert_eq!(body, json!({"success": true, "data": [1, 2]}));
    }

    #[tokio::test]
    async fn nothing_is_null_in_the_envelope() {
        let (_, _, body) = read(Data(()).into_response()).await;
        assert_eq!(body, json!({"success": true, "data": null}));
    }

    #[tokio::test]
    async fn a_problem_of_the_domain_keeps_its_code_its_words_and_its_wait() {
        let failure = Failure::from(domain::Error::Problem {
            code: ErrorCode::Conflict,
            message: "Taken.".into(),
            details: Some(json!({"field": "name"})),
            retry_after: Some(Duration::from_millis(1500)),
        });
        let (status, headers, body) = read(failure.into_response()).await;
        assert_eq!(status, StatusCode::CONFLICT);
        assert_eq!(headers[header::RETRY_AFTER], "2");
        assert_eq!(
            body,
            json!({"success": false, "error": "Taken.", "error_code": "CONFLICT", "details": {"field": "name"}})
        );
    }

    #[tokio::test]
    async fn what_went_wrong_inside_is_not_shown() {
        let failure = Failure::from(domain::Error::Internal(anyhow::anyhow!("column secret does not exist")));
        let (status, _, body) = read(failure.into_response()).await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(body["error_code"], "INTERNAL");
        assert!(!body.to_string().contains("secret"));
    }

    #[tokio::test]
    async fn a_failure_names_the_request_it_belongs_to() {
        let failure = request_id::scope("abc-1".into(), async { Failure::not_found().into_response() });
        let (_, _, body) = read(failure.await).await;
        assert_eq!(body["request_id"], "abc-1");
    }
}
