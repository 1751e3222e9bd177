//! What models are given: attachments of conversations, the prompt as it would be, what a person wants every model
//! to know, the weather where they are.

use crate::authentication::By;
use crate::envelope::{Answer, Data, Nothing};
use crate::input::{Asked, At, Json};
use crate::state::Edge;
use axum::extract::State;
use serde::Deserialize;
use shared::context::{Attached, PreviewPrompt, PromptPreview, PromptSettings, Thing, ThingKind, Weather};
use shared::{ConversationId, Envelope};
use std::sync::Arc;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

/// A message of 1 MB with every byte escaped, and the fields around it.
const PREVIEW_LIMIT: usize = 6 * (1 << 20) + (64 << 10);

pub fn routes() -> OpenApiRouter<Arc<Edge>> {
    OpenApiRouter::new()
        .routes(routes!(attachments, attach_to_conversation))
        .routes(routes!(detach))
        .routes(routes!(attachable))
        .routes(routes!(preview_prompt))
        .routes(routes!(prompt_settings, set_prompt_settings))
        .routes(routes!(weather))
}

/// What is attached to a conversation, as it is called now; `gone` where it cannot be seen any more.
#[utoipa::path(get, path = "/api/v1/conversations/{id}/attachments", tag = "context", params(("id" = ConversationId, Path)),
    responses((status = 200, body = Envelope<Vec<Attached>>)))]
async fn attachments(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At(id): At<ConversationId>,
) -> Answer<Vec<Attached>> {
    Ok(Data(edge.domain.attachments(&caller, id).await?))
}

/// Attaches a thing: every later answer is given it, as far as it fits. Gives all that is attached.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/attachments", tag = "context", params(("id" = ConversationId, Path)),
    request_body = Thing, responses((status = 200, body = Envelope<Vec<Attached>>)))]
async fn attach_to_conversation(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At(id): At<ConversationId>,
    Json(thing): Json<Thing>,
) -> Answer<Vec<Attached>> {
    Ok(Data(edge.domain.attach_things(&caller, id, &[thing]).await?))
}

/// Takes a thing off a conversation; the thing itself stays.
#[utoipa::path(delete, path = "/api/v1/conversations/{id}/attachments/{kind}/{thing}", tag = "context",
    params(("id" = ConversationId, Path), ("kind" = ThingKind, Path), ("thing" = Uuid, Path)),
    responses((status = 200, body = Envelope<Nothing>)))]
async fn detach(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At((id, kind, thing)): At<(ConversationId, ThingKind, Uuid)>,
) -> Answer<()> {
    edge.domain.detach_thing(&caller, id, Thing { kind, id: thing }).await?;
    Ok(Data(()))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct NameQuery {
    /// Words in the name; without any, what changed last.
    #[serde(default)]
    q: String,
}

/// Files, notes, pages and collections that can be attached, by name: at most 8.
#[utoipa::path(get, path = "/api/v1/attachable", tag = "context", params(NameQuery),
    responses((status = 200, body = Envelope<Vec<Attached>>)))]
async fn attachable(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    Asked(query): Asked<NameQuery>,
) -> Answer<Vec<Attached>> {
    Ok(Data(edge.domain.attachable(&caller, &query.q).await?))
}

/// What a model would be given if this were sent now, and what would be left out. Nothing is stored or sent.
#[utoipa::path(post, path = "/api/v1/prompt/preview", tag = "context", request_body = PreviewPrompt,
    responses((status = 200, body = Envelope<PromptPreview>)))]
async fn preview_prompt(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    Json(wanted): Json<PreviewPrompt, PREVIEW_LIMIT>,
) -> Answer<PromptPreview> {
    Ok(Data(Box::pin(edge.domain.preview_prompt(&caller, wanted)).await?))
}

/// What one wants every model to know, and where one is.
#[utoipa::path(get, path = "/api/v1/me/prompt", tag = "context",
    responses((status = 200, body = Envelope<PromptSettings>)))]
async fn prompt_settings(State(edge): State<Arc<Edge>>, By(caller): By) -> Answer<PromptSettings> {
    Ok(Data(edge.domain.prompt_settings(&caller).await?))
}

/// Sets it. Without a location the one that was kept is forgotten; a location is rounded to two decimals.
#[utoipa::path(put, path = "/api/v1/me/prompt", tag = "context", request_body = PromptSettings,
    responses((status = 200, body = Envelope<PromptSettings>)))]
async fn set_prompt_settings(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    Json(settings): Json<PromptSettings>,
) -> Answer<PromptSettings> {
    Ok(Data(edge.domain.set_prompt_settings(&caller, settings).await?))
}

/// The weather where one is; `null` where one does not say, or where it cannot be had.
#[utoipa::path(get, path = "/api/v1/weather", tag = "context",
    responses((status = 200, body = Envelope<Option<Weather>>)))]
async fn weather(State(edge): State<Arc<Edge>>, By(caller): By) -> Answer<Option<Weather>> {
    Ok(Data(edge.domain.weather(&caller).await?))
}
