//! Answers as they are written: sending a message, following, stopping, trying again. Every stream
//! is server-sent events in bundles; one that ends without `done` or `error` is to be resumed with
//! `Last-Event-ID`. Nothing here decides what an answer is.

use crate::authentication::By;
use crate::envelope::{Answer, Data, Failure, Nothing};
use crate::event_stream;
use crate::input::{Asked, At, Json, OptionalJson};
use crate::state::Edge;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, HeaderName};
use serde::Deserialize;
use shared::conversation::{Regenerate, SendMessage};
use shared::event::AnswerEvent;
use shared::{ConversationId, Envelope, MessageId};
use std::sync::Arc;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The largest text of one message.
const CONTENT_LIMIT: usize = 1 << 20;
/// Room for that text with every byte escaped as `\u00XX`, and the fields around it.
const BODY_LIMIT: usize = 6 * CONTENT_LIMIT + 4096;

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
    Ok(event_stream::answer(answer, edge.shutdown.clone()))
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
    Ok(event_stream::answer(answer, edge.shutdown.clone()))
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
    Ok(event_stream::answer(answer, edge.shutdown.clone()))
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
    Ok(event_stream::answer(answer, edge.shutdown.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
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
