//! How long a request may take until its answer begins. Where much comes or goes that depends on the line and on
//! how much there is; what is bounded then is silence.

use crate::envelope::Failure;
use axum::body::{Body, BodyDataStream};
use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures::stream::{self, StreamExt as _};
use shared::ErrorCode;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// How long a request may take until its answer begins; a stream may go on.
const USUAL: Duration = Duration::from_secs(30);
/// The same for what is [`LARGE`].
const LONGEST: Duration = Duration::from_secs(60 * 60);
/// How long nothing may come of such a body while it is waited for.
const SILENCE: Duration = Duration::from_secs(30);
/// How much of such a body is thrown away so that its sender sees the answer, in bytes.
const THROWN_AWAY: usize = 128 << 20;

/// Where files and archives come or are put together before the answer begins.
const LARGE: &[(&str, &str)] = &[
    ("POST", "/api/v1/files"),
    ("PUT", "/api/v1/uploads/{id}/parts/{number}"),
    ("POST", "/api/v1/uploads/{id}/complete"),
    ("POST", "/api/v1/pages"),
    ("POST", "/api/v1/notes/{id}/attachments"),
    ("POST", "/api/v1/notes/import"),
    ("GET", "/api/v1/notes/export"),
    ("GET", "/api/v1/notes/{id}/export"),
];

pub async fn end_in_time(request: Request, next: Next) -> Response {
    if !is_large(&request) {
        let answer = timeout(USUAL, next.run(request)).await;
        return answer.unwrap_or_else(|_| given_up("This took longer than 30 seconds and was given up."));
    }
    let silent = CancellationToken::new();
    let request = request.map(|body| heard(body, silent.clone()));
    tokio::select! {
        answer = timeout(LONGEST, next.run(request)) => {
            answer.unwrap_or_else(|_| given_up("This took longer than an hour and was given up."))
        }
        () = silent.cancelled() => given_up("Nothing more of this came for 30 seconds, and it was given up."),
    }
}

fn is_large(request: &Request) -> bool {
    let matched = request.extensions().get::<MatchedPath>();
    matched.is_some_and(|path| LARGE.contains(&(request.method().as_str(), path.as_str())))
}

fn given_up(why: &str) -> Response {
    Failure::new(ErrorCode::Timeout, format!("{why} Try again.")).into_response()
}

/// The body, which says `silent` where nothing came of it for too long. Only waiting for it counts: while nobody
/// reads, nothing can come. It gives no error then, which its reader would take for one of the connection.
fn heard(body: Body, silent: CancellationToken) -> Body {
    let rest = Rest(Some(body.into_data_stream()));
    let chunks = stream::unfold((rest, silent), |(mut rest, silent)| async move {
        match timeout(SILENCE, rest.0.as_mut()?.next()).await {
            Ok(Some(chunk)) => Some((chunk, (rest, silent))),
            Ok(None) => {
                drop(rest.0.take());
                None
            }
            Err(_) => {
                drop(rest.0.take());
                silent.cancel();
                std::future::pending().await
            }
        }
    });
    Body::from_stream(chunks)
}

/// What nobody has read yet. Where a body is refused before its end the rest is thrown away: most senders look for
/// an answer only once all is sent, and take a connection that ends before for a fault of the network.
struct Rest(Option<BodyDataStream>);

impl Drop for Rest {
    fn drop(&mut self) {
        let (Some(mut rest), Ok(runtime)) = (self.0.take(), Handle::try_current()) else { return };
        runtime.spawn(timeout(SILENCE, async move {
            let mut left = THROWN_AWAY;
            while let Some(Ok(chunk)) = rest.next().await {
                match left.checked_sub(chunk.len()) {
                    Some(less) => left = less,
                    None => break,
                }
            }
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::middleware::from_fn;
    use axum::routing::post;
    use http::StatusCode;
    use http_body_util::BodyExt as _;
    use serde_json::Value;
    use tower::ServiceExt as _;

    const MINUTE: Duration = Duration::from_secs(60);

    async fn length(body: Body) -> String {
        body.collect().await.unwrap().to_bytes().len().to_string()
    }

    async fn thinking() -> &'static str {
        tokio::time::sleep(MINUTE).await;
        "done"
    }

    /// Sends a body of bytes that come after these pauses, in seconds.
    async fn send(path: &str, pauses: &'static [u64]) -> (StatusCode, String) {
        let routes = Router::new()
            .route("/api/v1/files", post(length))
            .route("/api/v1/uploads/{id}/complete", post(thinking))
            .route("/api/v1/folders", post(length))
            .layer(from_fn(end_in_time));
        let bytes = stream::iter(pauses).then(|pause| async move {
            tokio::time::sleep(Duration::from_secs(*pause)).await;
            Ok::<_, std::io::Error>("x")
        });
        let request = Request::post(path).body(Body::from_stream(bytes)).unwrap();
        let answer = routes.oneshot(request).await.unwrap();
        let status = answer.status();
        let text = answer.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(text.to_vec()).unwrap())
    }

    fn is_given_up((status, text): &(StatusCode, String), why: &str) -> bool {
        let body: Value = serde_json::from_str(text).unwrap_or_default();
        let says_so = body["error"].as_str().is_some_and(|error| error.contains(why));
        *status == StatusCode::GATEWAY_TIMEOUT && body["error_code"] == "TIMEOUT" && says_so
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_may_come_slowly_and_other_things_may_not() {
        let slow: &[u64] = &[20, 20, 20, 20];
        assert_eq!(send("/api/v1/files", slow).await, (StatusCode::OK, "4".to_owned()));
        let folder = send("/api/v1/folders", slow).await;
        assert!(is_given_up(&folder, "longer than 30 seconds"), "{folder:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_that_stops_coming_or_never_ends_is_given_up() {
        let silent = send("/api/v1/files", &[1, 31]).await;
        assert!(is_given_up(&silent, "Nothing more"), "{silent:?}");
        let endless = send("/api/v1/files", &[25; 200]).await;
        assert!(is_given_up(&endless, "longer than an hour"), "{endless:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_nobody_reads_is_not_silent() {
        let joined = send("/api/v1/uploads/1/complete", &[100]).await;
        assert_eq!(joined, (StatusCode::OK, "done".to_owned()));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_refused_before_its_end_is_read_to_its_end() {
        let routes = Router::new()
            .route("/api/v1/files", post(|| async { StatusCode::INSUFFICIENT_STORAGE }))
            .layer(from_fn(end_in_time));
        let (all, mut is_read) = tokio::sync::oneshot::channel();
        let mut all = Some(all);
        let bytes = stream::iter(1..=9).then(move |number| {
            let all = all.take_if(|_| number == 9);
            async move {
                tokio::time::sleep(Duration::from_secs(1)).await;
                if let Some(all) = all {
                    all.send(()).unwrap();
                }
                Ok::<_, std::io::Error>("x")
            }
        });
        let request = Request::post("/api/v1/files").body(Body::from_stream(bytes)).unwrap();
        let answer = routes.oneshot(request).await.unwrap();
        assert_eq!(answer.status(), StatusCode::INSUFFICIENT_STORAGE);
        assert!(is_read.try_recv().is_err(), "the answer waits for nothing");
        is_read.await.unwrap();
    }

    #[test]
    fn what_may_take_long_is_there() {
        let document = crate::openapi();
        for (method, path) in LARGE {
            let there = document.paths.paths.get(*path).expect(path);
            let operation = match *method {
                "GET" => &there.get,
                "PUT" => &there.put,
                _ => &there.post,
            };
            assert!(operation.is_some(), "{method} {path}");
        }
    }
}
