//! Answers as they are written: sending a message, following, stopping, trying again. Every stream
//! is server-sent events in bundles; one that ends without `done` or `error` is to be resumed with
//! `Last-Event-ID`. Nothing here decides what an answer is.

use crate::authentication::By;
use crate::bundler::{Bundler, Due};
use crate::envelope::{Answer, Data, Failure, Nothing};
use crate::input::{Asked, At, Json, OptionalJson};
use crate::state::Edge;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use domain::AnswerStream;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use metrics::{Gauge, Histogram};
use serde::Deserialize;
use shared::conversation::{Regenerate, SendMessage};
use shared::event::AnswerEvent;
use shared::{ConversationId, Envelope, MessageId};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, Sleep};
use tokio_util::sync::CancellationToken;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The largest text of one message.
const CONTENT_LIMIT: usize = 1 << 20;
/// Room for that text with every byte escaped as `\u00XX`, and the fields around it.
const BODY_LIMIT: usize = 6 * CONTENT_LIMIT + 4096;
/// Proxies close a stream that is silent for long.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

pub fn routes() -> OpenApiRouter<Arc<Edge>> {
    OpenApiRouter::new()
        .routes(routes!(send_message))
        .routes(routes!(follow_answer))
        .routes(routes!(stop_answer))
        .routes(routes!(regenerate))
        .routes(routes!(continue_answer))
}

/// Sends a message and streams its answer. The same `user_message_id` with the same content gives
/// the same answer's stream again.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/messages", tag = "answers", params(("id" = ConversationId, Path)),
    request_body = SendMessage,
    responses((status = 200, description = "The events of the answer.", body = AnswerEvent, content_type = "text/event-stream")))]
async fn send_message(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At(id): At<ConversationId>,
    Json(message): Json<SendMessage, BODY_LIMIT>,
) -> Result<Response, Failure> {
    if message.content.len() > CONTENT_LIMIT {
        return Err(Failure::too_large(CONTENT_LIMIT));
    }
    let answer = edge.domain.send_message(&caller, id, message).await?;
    Ok(stream(answer, edge.shutdown.clone()))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct FollowQuery {
    /// The last event that is known already; the header `Last-Event-ID` counts before it.
    after: Option<u64>,
}

/// Replays the events of an answer after a given one, and follows it to its end.
#[utoipa::path(get, path = "/api/v1/conversations/{id}/messages/{message_id}/events", tag = "answers",
    params(("id" = ConversationId, Path), ("message_id" = MessageId, Path), FollowQuery,
        ("Last-Event-ID" = Option<u64>, Header, description = "The last event that is known already.")),
    responses((status = 200, description = "The events of the answer.", body = AnswerEvent, content_type = "text/event-stream")))]
async fn follow_answer(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At((id, message_id)): At<(ConversationId, MessageId)>,
    Asked(query): Asked<FollowQuery>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let after = last_event_id(&headers)?.or(query.after).unwrap_or(0);
    let answer = edge.domain.follow_answer(&caller, id, message_id, after).await?;
    Ok(stream(answer, edge.shutdown.clone()))
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<u64>, Failure> {
    let Some(value) = headers.get(LAST_EVENT_ID) else { return Ok(None) };
    let number = value.to_str().ok().and_then(|text| text.trim().parse().ok());
    number
        .map(Some)
        .ok_or_else(|| Failure::invalid("Last-Event-ID", "Last-Event-ID is the number of an event."))
}

/// Stops an answer; what had arrived is kept.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/messages/{message_id}/stop", tag = "answers",
    params(("id" = ConversationId, Path), ("message_id" = MessageId, Path)),
    responses((status = 200, body = Envelope<Nothing>)))]
async fn stop_answer(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At((id, message_id)): At<(ConversationId, MessageId)>,
) -> Answer<()> {
    edge.domain.stop_answer(&caller, id, message_id).await?;
    Ok(Data(()))
}

/// Answers the same message once more; the earlier answer stays as a variant.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/messages/{message_id}/regenerate", tag = "answers",
    params(("id" = ConversationId, Path), ("message_id" = MessageId, Path)), request_body = Regenerate,
    responses((status = 200, description = "The events of the answer.", body = AnswerEvent, content_type = "text/event-stream")))]
async fn regenerate(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At((id, message_id)): At<(ConversationId, MessageId)>,
    OptionalJson(request): OptionalJson<Regenerate>,
) -> Result<Response, Failure> {
    let answer = edge.domain.regenerate(&caller, id, message_id, request).await?;
    Ok(stream(answer, edge.shutdown.clone()))
}

/// Goes on where an answer broke off, as a variant that begins with what had arrived.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/messages/{message_id}/continue", tag = "answers",
    params(("id" = ConversationId, Path), ("message_id" = MessageId, Path)),
    responses((status = 200, description = "The events of the answer.", body = AnswerEvent, content_type = "text/event-stream")))]
async fn continue_answer(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At((id, message_id)): At<(ConversationId, MessageId)>,
) -> Result<Response, Failure> {
    let answer = edge.domain.continue_answer(&caller, id, message_id).await?;
    Ok(stream(answer, edge.shutdown.clone()))
}

fn stream(answer: AnswerStream, shutdown: CancellationToken) -> Response {
    let live = LiveStream::new(answer, shutdown);
    let frames = futures::stream::unfold(live, |mut live| async move {
        let bytes = live.next().await?;
        Some((Ok::<_, Infallible>(bytes), live))
    });
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    (headers, Body::from_stream(frames)).into_response()
}

/// One reader of one answer.
struct LiveStream {
    answer: AnswerStream,
    bundler: Bundler,
    shutdown: CancellationToken,
    /// Nothing more is to come; what waits is still to be written.
    ended: bool,
    keep_alive: Pin<Box<Sleep>>,
    /// The sleep until a bundle is due.
    due: Pin<Box<Sleep>>,
    bundle_tokens: Histogram,
    open_streams: Gauge,
}

impl LiveStream {
    fn new(answer: AnswerStream, shutdown: CancellationToken) -> Self {
        let open_streams = metrics::gauge!("sidebar_sse_streams");
        open_streams.increment(1.0);
        Self {
            answer,
            bundler: Bundler::new(),
            shutdown,
            ended: false,
            keep_alive: Box::pin(tokio::time::sleep(KEEP_ALIVE)),
            due: Box::pin(tokio::time::sleep(Duration::ZERO)),
            bundle_tokens: metrics::histogram!("sidebar_bundle_tokens"),
            open_streams,
        }
    }

    /// The next bytes to write; none when the stream is over.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            let due = self.bundler.due();
            if due == Due::Now || (self.ended && due != Due::Never) {
                return Some(self.take());
            }
            if self.ended {
                return None;
            }
            if let Due::At(at) = due
                && self.due.deadline() != at
            {
                self.due.as_mut().reset(at);
            }
            tokio::select! {
                biased;
                () = self.shutdown.cancelled() => self.ended = true,
                batch = self.answer.next() => match batch {
                    Some(batch) => {
                        self.ended = batch.iter().any(|one| one.event.is_last());
                        self.bundler.push(batch);
                    }
                    None => self.ended = true,
                },
                () = &mut self.due, if due != Due::Never => return Some(self.take()),
                () = &mut self.keep_alive => {
                    self.keep_alive.as_mut().reset(Instant::now() + KEEP_ALIVE);
                    return Some(Bytes::from_static(b": keep-alive\n\n"));
                }
            }
        }
    }

    fn take(&mut self) -> Bytes {
        let now = Instant::now();
        let (bytes, sizes) = self.bundler.take(now);
        for tokens in sizes {
            self.bundle_tokens.record(tokens as f64);
        }
        self.keep_alive.as_mut().reset(now + KEEP_ALIVE);
        bytes
    }
}

impl Drop for LiveStream {
    fn drop(&mut self) {
        self.open_streams.decrement(1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::ErrorCode;

    #[test]
    fn last_event_id_is_a_number_or_an_error() {
        let with = |value: &'static str| {
            last_event_id(&HeaderMap::from_iter([(LAST_EVENT_ID, HeaderValue::from_static(value))]))
        };
        assert_eq!(last_event_id(&HeaderMap::new()).unwrap(), None);
        assert_eq!(with("17").unwrap(), Some(17));
        for wrong in ["", "-1", "x", "1.5"] {
            assert_eq!(with(wrong).unwrap_err().code(), ErrorCode::InvalidInput, "{wrong:?}");
        }
    }
}
