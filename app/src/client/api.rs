//! The app's one way to `/api/v1`. In the browser a call is a fetch; while the server renders, the
//! same call goes through the API's router in process. Nothing is described twice.
//!
//! A call is made where a Leptos owner is current (a component, a resource's fetcher) or, in the
//! browser, anywhere.

use super::json;
use serde::Serialize;
use serde::de::DeserializeOwned;
use shared::{Envelope, ErrorCode, Problem};
use std::future::Future;
use std::pin::Pin;

/// A call on its way. `Send`, so that resources accept it.
pub type Call<T> = Pin<Box<dyn Future<Output = Result<T, Problem>> + Send>>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

/// What a request carries.
pub(crate) enum Body {
    Empty,
    Json(String),
    /// Bytes of the media type named.
    Bytes(Vec<u8>, String),
}

/// Asks for `path`, which begins after `/api/v1`.
pub fn get<T: DeserializeOwned + 'static>(path: impl Into<String>) -> Call<T> {
    decoded(exchange(Method::Get, path.into(), Body::Empty))
}

/// Sends `body` as JSON.
pub fn send<T: DeserializeOwned + 'static>(
    method: Method,
    path: impl Into<String>,
    body: &impl Serialize,
) -> Call<T> {
    match serde_json::to_string(body) {
        Ok(json) => decoded(exchange(method, path.into(), Body::Json(json))),
        Err(cause) => refused(cause.to_string()),
    }
}

/// Sends a request without a body.
pub fn act<T: DeserializeOwned + 'static>(method: Method, path: impl Into<String>) -> Call<T> {
    decoded(exchange(method, path.into(), Body::Empty))
}

pub fn delete<T: DeserializeOwned + 'static>(path: impl Into<String>) -> Call<T> {
    act(Method::Delete, path)
}

/// Sends bytes of a media type, `image/png` for one.
pub fn send_bytes<T: DeserializeOwned + 'static>(
    method: Method,
    path: impl Into<String>,
    bytes: Vec<u8>,
    media_type: String,
) -> Call<T> {
    decoded(exchange(method, path.into(), Body::Bytes(bytes, media_type)))
}

/// Percent-encodes a value for a query string.
pub fn encode(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(byte as char),
            _ => {
                const HEX: &[u8; 16] = b"0123456789ABCDEF";
                out.push('%');
                out.push(HEX[usize::from(byte >> 4)] as char);
                out.push(HEX[usize::from(byte & 15)] as char);
            }
        }
    }
    out
}

/// Undoes [`encode`], and reads `+` as a space as forms write it.
pub fn decode(value: &str) -> String {
    let bytes = value.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = (bytes[at] == b'%')
            .then(|| bytes.get(at + 1..at + 3))
            .flatten()
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match hex {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(if bytes[at] == b'+' { b' ' } else { bytes[at] });
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The value of `name` in a query string without its `?`.
pub fn query_value(query: &str, name: &str) -> Option<String> {
    query.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (key == name).then(|| decode(value))
    })
}

/// What an answer with this text means.
pub(crate) fn problem_of(status: u16, text: &str) -> Problem {
    json::from_str(text).unwrap_or_else(|_| {
        let (code, error) = match status {
            413 => (ErrorCode::PayloadTooLarge, "That is too large to send.".to_owned()),
            429 => {
                (ErrorCode::RateLimited, "Too many requests at once. Wait a moment and try again.".to_owned())
            }
            502..=504 => {
                (ErrorCode::DatabaseUnavailable, "The server is not ready. Try again in a moment.".to_owned())
            }
            _ => (
                ErrorCode::Internal,
                format!("The server answered in an unexpected way ({status}). Try again."),
            ),
        };
        Problem::new(code, error)
    })
}

fn decoded<T: DeserializeOwned + 'static>(answer: Call<String>) -> Call<T> {
    Box::pin(async move { read(&answer.await?) })
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    json::from_str::<Envelope<T>>(text).map(|envelope| envelope.data).map_err(|cause| {
        Problem::new(
            ErrorCode::Internal,
            format!("The server's answer could not be read ({cause}). Reload the page."),
        )
    })
}

fn refused<T: 'static>(cause: String) -> Call<T> {
    let problem = Problem::new(ErrorCode::InvalidJson, format!("The request could not be written: {cause}"));
    Box::pin(async move { Err(problem) })
}

#[cfg(feature = "hydrate")]
fn exchange(method: Method, path: String, body: Body) -> Call<String> {
    Box::pin(send_wrapper::SendWrapper::new(fetch(method, path, body)))
}

#[cfg(feature = "hydrate")]
async fn fetch(method: Method, path: String, body: Body) -> Result<String, Problem> {
    let request = request(method, &path);
    let request = match body {
        Body::Empty => request.build(),
        Body::Json(json) => request.header("content-type", "application/json").body(json),
        Body::Bytes(bytes, media_type) => {
            request.header("content-type", &media_type).body(js_sys::Uint8Array::from(bytes.as_slice()))
        }
    };
    answered(request).await
}

/// Sends what lies outside of the app's memory, until `signal` says to stop. Browser only.
#[cfg(feature = "hydrate")]
pub async fn send_blob<T: DeserializeOwned + 'static>(
    method: Method,
    path: &str,
    blob: &web_sys::Blob,
    signal: &web_sys::AbortSignal,
) -> Result<T, Problem> {
    let request = request(method, path)
        .header("content-type", "application/octet-stream")
        .abort_signal(Some(signal))
        .body(blob.clone());
    read(&answered(request).await?)
}

#[cfg(feature = "hydrate")]
fn request(method: Method, path: &str) -> gloo_net::http::RequestBuilder {
    use gloo_net::http;

    let verb = match method {
        Method::Get => http::Method::GET,
        Method::Post => http::Method::POST,
        Method::Put => http::Method::PUT,
        Method::Patch => http::Method::PATCH,
        Method::Delete => http::Method::DELETE,
    };
    let request = http::RequestBuilder::new(&format!("/api/v1{path}"))
        .method(verb)
        .header("accept", "application/json");
    match super::session::csrf_token() {
        Some(token) if method != Method::Get => request.header("x-csrf-token", &token),
        _ => request,
    }
}

#[cfg(feature = "hydrate")]
async fn answered(request: Result<gloo_net::http::Request, gloo_net::Error>) -> Result<String, Problem> {
    let offline = |_| {
        Problem::new(
            ErrorCode::Offline,
            "The server cannot be reached. Nothing was lost; try again when you are online.",
        )
    };
    let answer = request.map_err(offline)?.send().await.map_err(offline)?;
    let status = answer.status();
    let text = answer.text().await.map_err(offline)?;
    if (200..300).contains(&status) {
        return Ok(text);
    }
    let problem = problem_of(status, &text);
    if problem.error_code == ErrorCode::Unauthenticated {
        super::session::ended();
    }
    Err(problem)
}

#[cfg(all(feature = "ssr", not(feature = "hydrate")))]
fn exchange(method: Method, path: String, body: Body) -> Call<String> {
    crate::server::exchange(method, path, body)
}

#[cfg(not(any(feature = "ssr", feature = "hydrate")))]
fn exchange(_method: Method, _path: String, _body: Body) -> Call<String> {
    refused("the app was built for neither side".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_survives_the_query_string() {
        for value in ["plain", "two words", "a&b=c", "ümläut 🙂", "100%"] {
            assert_eq!(decode(&encode(value)), value);
            assert_eq!(query_value(&format!("x=1&q={}", encode(value)), "q").as_deref(), Some(value));
        }
        assert_eq!(query_value("q=a+b", "q").as_deref(), Some("a b"));
        assert_eq!(query_value("x=1", "q"), None);
    }

    #[test]
    fn an_answer_that_is_no_envelope_still_says_what_to_do() {
        assert_eq!(problem_of(413, "<html>").error_code, ErrorCode::PayloadTooLarge);
        assert_eq!(problem_of(503, "").error_code, ErrorCode::DatabaseUnavailable);
        assert_eq!(problem_of(418, "").error_code, ErrorCode::Internal);
    }
}
