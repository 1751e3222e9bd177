//! What comes in with a request, bounded and read once: JSON bodies, ids in the path, the query.
//! Whatever is wrong with it is a `Failure` that says what to do, before any handler runs.

use crate::envelope::Failure;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use shared::ErrorCode;

/// The largest JSON body.
pub const JSON_LIMIT: usize = 1 << 20;

/// A JSON body of at most `LIMIT` bytes.
pub struct Json<T, const LIMIT: usize = JSON_LIMIT>(pub T);

impl<S: Sync, T: DeserializeOwned, const LIMIT: usize> FromRequest<S> for Json<T, LIMIT> {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        if !is_json(request.headers()) {
            return Err(wrong_type("application/json"));
        }
        parse(&read(request, LIMIT).await?).map(Self)
    }
}

/// A JSON body that may be left out, for requests where every field may.
pub struct OptionalJson<T>(pub T);

impl<S: Sync, T: DeserializeOwned + Default> FromRequest<S> for OptionalJson<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        let json = is_json(request.headers());
        let bytes = read(request, JSON_LIMIT).await?;
        match (bytes.is_empty(), json) {
            (true, _) => Ok(Self(T::default())),
            (false, true) => parse(&bytes).map(Self),
            (false, false) => Err(wrong_type("application/json")),
        }
    }
}

/// Ids and names in the path. What cannot be one names nothing.
pub struct At<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for At<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        match Path::from_request_parts(parts, state).await {
            Ok(Path(value)) => Ok(Self(value)),
            Err(_) => Err(Failure::not_found()),
        }
    }
}

/// The query string.
pub struct Asked<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let Query(value) =
            Query::from_request_parts(parts, state).await.map_err(|rejection: QueryRejection| {
                Failure::new(
                    ErrorCode::InvalidInput,
                    format!("The query was not understood: {}.", rejection.body_text()),
                )
            })?;
        Ok(Self(value))
    }
}

/// The whole body, or a refusal when it is larger than `limit` bytes.
pub async fn read(request: Request, limit: usize) -> Result<Bytes, Failure> {
    if content_length(request.headers()).is_some_and(|length| length > limit) {
        return Err(Failure::too_large(limit));
    }
    collect(request.into_body(), limit).await
}

async fn collect(body: Body, limit: usize) -> Result<Bytes, Failure> {
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.downcast_ref::<LengthLimitError>().is_some() => Err(Failure::too_large(limit)),
        Err(_) => {
            Err(Failure::new(ErrorCode::InvalidInput, "The body of the request was cut off. Send it again."))
        }
    }
}

fn content_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// A JSON object in UTF-8 of the shape `T`. serde_json stops at 128 levels by itself.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Failure> {
    let text = std::str::from_utf8(bytes).map_err(|_| {
        Failure::new(ErrorCode::InvalidJson, "The body is not valid UTF-8. Send JSON in UTF-8.")
    })?;
    // serde would also fill a type's fields from a list, in an order that nobody promised.
    if !text.trim_start().starts_with('{') {
        return Err(Failure::new(ErrorCode::InvalidJson, "The body is not a JSON object."));
    }
    serde_json::from_str(text).map_err(|error| {
        Failure::new(
            ErrorCode::InvalidJson,
            format!("The body is not JSON of the documented shape: {error}."),
        )
    })
}

/// The media type of the body, without its parameters, in lower case.
pub fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let essence = value.split(';').next().unwrap_or_default().trim();
    (!essence.is_empty()).then(|| essence.to_ascii_lowercase())
}

fn is_json(headers: &HeaderMap) -> bool {
    media_type(headers).is_some_and(|kind| {
        kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
    })
}

pub fn wrong_type(expected: &str) -> Failure {
    Failure::new(ErrorCode::UnsupportedMediaType, format!("Send this with Content-Type: {expected}."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn request(kind: &str, body: impl Into<Body>) -> Request {
        Request::builder().header(header::CONTENT_TYPE, kind).body(body.into()).unwrap()
    }

    async fn code(request: Request) -> Option<ErrorCode> {
        Json::<Value, 1024>::from_request(request, &()).await.err().map(|failure| failure.code())
    }

    #[tokio::test]
    async fn json_is_read_whatever_its_parameters() {
        for kind in
            ["application/json", "application/json; charset=utf-8", "Application/JSON", "application/x+json"]
        {
            assert_eq!(code(request(kind, "{}")).await, None, "{kind}");
        }
    }

    #[tokio::test]
    async fn another_content_type_is_refused() {
        for kind in ["text/plain", "application/x-www-form-urlencoded", "", "json"] {
            assert_eq!(code(request(kind, "{}")).await, Some(ErrorCode::UnsupportedMediaType), "{kind}");
        }
    }

    #[tokio::test]
    async fn a_body_past_the_limit_is_refused_with_and_without_a_length() {
        let large = vec![b' '; 1025];
        let mut told = request("application/json", large.clone());
        told.headers_mut().insert(header::CONTENT_LENGTH, 1025.into());
        assert_eq!(code(told).await, Some(ErrorCode::PayloadTooLarge));
        let chunks = futures::stream::iter(
            large.chunks(100).map(|c| Ok::<_, std::io::Error>(c.to_vec())).collect::<Vec<_>>(),
        );
        assert_eq!(
            code(request("application/json", Body::from_stream(chunks))).await,
            Some(ErrorCode::PayloadTooLarge)
        );
    }

    #[tokio::test]
    async fn what_is_not_utf8_or_not_json_or_too_deep_is_refused() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(200), "]".repeat(200));
        for body in
            [b"{\"a\":\"\xff\"}".to_vec(), b"{".to_vec(), b"[]".to_vec(), Vec::new(), deep.into_bytes()]
        {
            assert_eq!(code(request("application/json", body)).await, Some(ErrorCode::InvalidJson));
        }
    }

    #[tokio::test]
    async fn a_body_that_may_be_left_out_may_be_left_out() {
        #[derive(Default, serde::Deserialize, PartialEq, Debug)]
        struct Options {
            #[serde(default)]
            model: Option<String>,
        }
        let none = Request::builder().body(Body::empty()).unwrap();
        let OptionalJson(options) = OptionalJson::<Options>::from_request(none, &()).await.unwrap();
        assert_eq!(options, Options::default());
        let some = request("application/json", r#"{"model":"a/b"}"#);
        let OptionalJson(options) = OptionalJson::<Options>::from_request(some, &()).await.unwrap();
        assert_eq!(options.model.as_deref(), Some("a/b"));
    }
}
