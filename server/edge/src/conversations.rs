//! Conversations: the list, opening, changing, the bin, taking away. What happens inside one while
//! it is answered is in `answers`.

use crate::authentication::By;
use crate::disposition::attachment;
use crate::envelope::{Answer, Created, Data, Failure, Nothing, never_store};
use crate::input::{Asked, At, Json, OptionalJson};
use crate::state::Edge;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::{ExportFormat, ListConversations, Window};
use http::{HeaderValue, header};
use serde::Deserialize;
use shared::conversation::{
    Conversation, ConversationSummary, CreateConversation, Message, UpdateConversation,
};
use shared::page::Page;
use shared::{ConversationId, Envelope, MessageId};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

const MOST_LISTED: u32 = 200;
const LONGEST_QUERY: usize = 1000;

pub fn routes() -> OpenApiRouter<Arc<Edge>> {
    OpenApiRouter::new()
        .routes(routes!(conversations, create_conversation))
        .routes(routes!(conversation, update_conversation, delete_conversation))
        .routes(routes!(restore_conversation))
        .routes(routes!(export_conversation))
        .routes(routes!(set_reaction, clear_reaction))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// `true` lists the bin.
    #[serde(default)]
    deleted: bool,
    /// Only those that contain these words.
    q: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// At most 200.
    limit: Option<u32>,
}

/// One's conversations, pinned ones first, then the newest.
#[utoipa::path(get, path = "/api/v1/conversations", tag = "conversations", params(ListQuery),
    responses((status = 200, body = Envelope<Page<ConversationSummary>>)))]
async fn conversations(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    Asked(asked): Asked<ListQuery>,
) -> Answer<Page<ConversationSummary>> {
    if asked.q.as_ref().is_some_and(|q| q.len() > LONGEST_QUERY) {
        return Err(Failure::invalid("q", "The query is too long: at most 1,000 bytes."));
    }
    let list = ListConversations {
        deleted: asked.deleted,
        query: asked.q.filter(|q| !q.trim().is_empty()),
        cursor: asked.cursor,
        limit: asked.limit.map(|limit| limit.clamp(1, MOST_LISTED)),
    };
    Ok(Data(edge.domain.conversations(&caller, list).await?))
}

/// Begins a conversation.
#[utoipa::path(post, path = "/api/v1/conversations", tag = "conversations", request_body = CreateConversation,
    responses((status = 201, body = Envelope<Conversation>)))]
async fn create_conversation(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    OptionalJson(conversation): OptionalJson<CreateConversation>,
) -> Result<Created<Conversation>, Failure> {
    Ok(Created(edge.domain.create_conversation(&caller, conversation).await?))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct WindowQuery {
    /// Only the last so many messages.
    limit: Option<u32>,
    /// Only messages before this one.
    #[param(value_type = Option<MessageId>)]
    before: Option<MessageId>,
}

/// Opens a conversation.
#[utoipa::path(get, path = "/api/v1/conversations/{id}", tag = "conversations",
    params(("id" = ConversationId, Path), WindowQuery), responses((status = 200, body = Envelope<Conversation>)))]
async fn conversation(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At(id): At<ConversationId>,
    Asked(window): Asked<WindowQuery>,
) -> Answer<Conversation> {
    let window = Window { limit: window.limit, before: window.before };
    Ok(Data(edge.domain.conversation(&caller, id, window).await?))
}

/// Renames, pins, chooses the model or the path shown; what is absent stays.
#[utoipa::path(patch, path = "/api/v1/conversations/{id}", tag = "conversations", params(("id" = ConversationId, Path)),
    request_body = UpdateConversation, responses((status = 200, body = Envelope<ConversationSummary>)))]
async fn update_conversation(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At(id): At<ConversationId>,
    Json(change): Json<UpdateConversation>,
) -> Answer<ConversationSummary> {
    Ok(Data(edge.domain.update_conversation(&caller, id, change).await?))
}

/// Puts a conversation in the bin, from where it can be restored for 30 days.
#[utoipa::path(delete, path = "/api/v1/conversations/{id}", tag = "conversations", params(("id" = ConversationId, Path)),
    responses((status = 200, body = Envelope<Nothing>)))]
async fn delete_conversation(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At(id): At<ConversationId>,
) -> Answer<()> {
    edge.domain.delete_conversation(&caller, id).await?;
    Ok(Data(()))
}

/// Takes a conversation out of the bin.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/restore", tag = "conversations",
    params(("id" = ConversationId, Path)), responses((status = 200, body = Envelope<ConversationSummary>)))]
async fn restore_conversation(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At(id): At<ConversationId>,
) -> Answer<ConversationSummary> {
    Ok(Data(edge.domain.restore_conversation(&caller, id).await?))
}

#[derive(Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Format {
    #[default]
    Markdown,
    Json,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ExportQuery {
    /// `markdown` when absent.
    #[serde(default)]
    #[param(inline)]
    format: Format,
}

/// The conversation as a file.
#[utoipa::path(get, path = "/api/v1/conversations/{id}/export", tag = "conversations",
    params(("id" = ConversationId, Path), ExportQuery),
    responses((status = 200, description = "The file.", content((String = "text/markdown"), (String = "application/json")))))]
async fn export_conversation(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At(id): At<ConversationId>,
    Asked(asked): Asked<ExportQuery>,
) -> Result<Response, Failure> {
    let format = match asked.format {
        Format::Markdown => ExportFormat::Markdown,
        Format::Json => ExportFormat::Json,
    };
    let export = edge.domain.export_conversation(&caller, id, format).await?;
    let mut response = export.body.into_response();
    never_store(&mut response);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(export.content_type));
    response.headers_mut().insert(header::CONTENT_DISPOSITION, attachment(&export.file_name)?);
    Ok(response)
}

/// Reacts to a message.
#[utoipa::path(put, path = "/api/v1/conversations/{id}/messages/{message_id}/reactions/{emoji}", tag = "conversations",
    params(("id" = ConversationId, Path), ("message_id" = MessageId, Path), ("emoji" = String, Path)),
    responses((status = 200, body = Envelope<Message>)))]
async fn set_reaction(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At((id, message_id, emoji)): At<(ConversationId, MessageId, String)>,
) -> Answer<Message> {
    Ok(Data(edge.domain.set_reaction(&caller, id, message_id, &emoji).await?))
}

/// Takes a reaction back.
#[utoipa::path(delete, path = "/api/v1/conversations/{id}/messages/{message_id}/reactions/{emoji}", tag = "conversations",
    params(("id" = ConversationId, Path), ("message_id" = MessageId, Path), ("emoji" = String, Path)),
    responses((status = 200, body = Envelope<Message>)))]
async fn clear_reaction(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At((id, message_id, emoji)): At<(ConversationId, MessageId, String)>,
) -> Answer<Message> {
    Ok(Data(edge.domain.clear_reaction(&caller, id, message_id, &emoji).await?))
}
