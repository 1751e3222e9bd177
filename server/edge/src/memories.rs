//! Memories: kept by people and programs, found by meaning, changed, forgotten, taken away; what waits for a decision.

use crate::authentication::By;
use crate::disposition::attachment;
use crate::envelope::{Answer, Created, Data, Failure, Nothing, never_store};
use crate::input::{Asked, At, Json, OptionalJson};
use crate::state::Edge;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::{ExportFormat, ListMemories, SearchMemories};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde::Deserialize;
use shared::account::SetTier;
use shared::memory::{
    AcceptSuggestion, CreateMemory, FoundMemories, KeptMemory, LookForMemories, Memory, MemoryKind,
    MemoryOutcome, MemoryQuota, MemorySettings, OpenedMemory, SavePrompt, SaveResponse, SavedExchange,
    UpdateMemory, UpdateMemorySettings, WaitingMemories,
};
use shared::page::Page;
use shared::{ConversationId, Envelope, ForgettingId, MemoryId, SuggestionId, UserId};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

const USUAL_HITS: u32 = 10;
/// Memories that may be asked for by their ids at once.
const MOST_IDS: usize = 100;

pub fn routes() -> OpenApiRouter<Arc<Edge>> {
    OpenApiRouter::new()
        .routes(routes!(list_memories, create_memory))
        .routes(routes!(save_prompt))
        .routes(routes!(save_response))
        .routes(routes!(search_memories))
        .routes(routes!(export_memories))
        .routes(routes!(memory_quota))
        .routes(routes!(memory_settings, update_memory_settings))
        .routes(routes!(waiting_memories))
        .routes(routes!(look_for_suggestions))
        .routes(routes!(accept_suggestion))
        .routes(routes!(refuse_suggestion))
        .routes(routes!(confirm_forgetting))
        .routes(routes!(refuse_forgetting))
        .routes(routes!(read_memory, update_memory, forget_memory))
        .routes(routes!(set_tier))
}

/// What was sent along so that a repeated request does nothing twice.
fn key_of(headers: &HeaderMap) -> Result<Option<String>, Failure> {
    let Some(value) = headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
    let text = value.to_str().map_err(|_| {
        Failure::invalid("Idempotency-Key", "An Idempotency-Key has 1 to 200 visible ASCII characters.")
    })?;
    Ok(Some(text.to_owned()))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Those that this is about, the nearest first, without pages; with `exact`, those in which it stands.
    q: Option<String>,
    #[serde(default)]
    exact: bool,
    /// Only these, in any state: ids separated by commas, at most 100.
    ids: Option<String>,
    #[param(inline)]
    kind: Option<MemoryKind>,
    /// `person`, `workspace`, `project` or `agent`.
    scope: Option<String>,
    /// Where they came from: `hand`, `program`, `conversation`, `note`, `file` or `page`.
    source: Option<String>,
    pinned: Option<bool>,
    /// What was replaced instead of what holds.
    #[serde(default)]
    superseded: bool,
    cursor: Option<String>,
    /// At most 200; 50 when absent.
    limit: Option<u32>,
}

/// Memories, the pinned first, then the newest.
#[utoipa::path(get, path = "/api/v1/memories", tag = "memories", params(ListQuery),
    responses((status = 200, body = Envelope<Page<Memory>>)))]
async fn list_memories(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    Asked(asked): Asked<ListQuery>,
) -> Answer<Page<Memory>> {
    let query = asked.q.filter(|q| !q.trim().is_empty());
    if let Some(query) = query.as_deref().filter(|_| !asked.exact) {
        let items = edge.domain.look_for_memories(&caller, query).await?;
        return Ok(Data(Page { items, next_cursor: None }));
    }
    let ids = asked.ids.as_deref().map(ids_of).transpose()?;
    let ListQuery { kind, scope, source, pinned, superseded, cursor, limit, .. } = asked;
    let list = ListMemories { query, ids, kind, scope, source, pinned, superseded, cursor, limit };
    Ok(Data(edge.domain.memories(&caller, list).await?))
}

fn ids_of(text: &str) -> Result<Vec<MemoryId>, Failure> {
    let wrong = || Failure::invalid("ids", "Give at most 100 ids of memories, separated by commas.");
    let ids: Result<Vec<MemoryId>, _> = text.split(',').map(|id| id.trim().parse()).collect();
    ids.ok().filter(|ids| ids.len() <= MOST_IDS).ok_or_else(wrong)
}

/// Keeps a statement. What says the same as another is one with it (200, `merged`), what contradicts one takes its
/// place (`superseded`). Sent again with its `Idempotency-Key` it does nothing twice. Counts towards the day's quota.
#[utoipa::path(post, path = "/api/v1/memories", tag = "memories", request_body = CreateMemory,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = Envelope<KeptMemory>), (status = 200, body = Envelope<KeptMemory>)))]
async fn create_memory(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    headers: HeaderMap,
    Json(memory): Json<CreateMemory>,
) -> Result<Response, Failure> {
    let kept = edge.domain.create_memory(&caller, memory, key_of(&headers)?).await?;
    Ok(match kept.outcome {
        MemoryOutcome::Merged => Data(kept).into_response(),
        MemoryOutcome::Kept | MemoryOutcome::Superseded => Created(kept).into_response(),
    })
}

/// Keeps what was asked of a model elsewhere. Counts towards the day's quota.
#[utoipa::path(post, path = "/api/v1/memories/prompt", tag = "memories", request_body = SavePrompt,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = Envelope<SavedExchange>)))]
async fn save_prompt(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    headers: HeaderMap,
    Json(prompt): Json<SavePrompt>,
) -> Result<Created<SavedExchange>, Failure> {
    Ok(Created(edge.domain.save_prompt(&caller, prompt, key_of(&headers)?).await?))
}

/// Adds what was answered. Another answer takes the place of the one before, which stays in the history. Counts
/// towards the day's quota.
#[utoipa::path(post, path = "/api/v1/memories/response", tag = "memories", request_body = SaveResponse,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = Envelope<SavedExchange>)))]
async fn save_response(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    headers: HeaderMap,
    Json(response): Json<SaveResponse>,
) -> Answer<SavedExchange> {
    Ok(Data(edge.domain.save_response(&caller, response, key_of(&headers)?).await?))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct SearchQuery {
    /// What it is about; at most 1,000 bytes.
    #[serde(default)]
    q: String,
    /// The least similarity, from 0 to 1; 0.7 when absent. The scale is that of larger models, whichever is in use.
    threshold: Option<f32>,
    /// At most 100; 10 when absent.
    limit: Option<u32>,
}

/// Memories by their meaning, nearest first. Without a model for that, by their words, and `model` is absent. Counts
/// towards the day's quota.
#[utoipa::path(get, path = "/api/v1/memories/search", tag = "memories", params(SearchQuery),
    responses((status = 200, body = Envelope<FoundMemories>)))]
async fn search_memories(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    Asked(SearchQuery { q, threshold, limit }): Asked<SearchQuery>,
) -> Answer<FoundMemories> {
    let search = SearchMemories { query: q, threshold, limit: limit.unwrap_or(USUAL_HITS) };
    Ok(Data(edge.domain.search_memories(&caller, search).await?))
}

#[derive(Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum MemoriesFormat {
    Markdown,
    #[default]
    Json,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ExportQuery {
    /// `json` when absent.
    #[serde(default)]
    #[param(inline)]
    format: MemoriesFormat,
}

/// All memories with their history, as a file.
#[utoipa::path(get, path = "/api/v1/memories/export", tag = "memories", params(ExportQuery),
    responses((status = 200, description = "The file.", content((String = "text/markdown"), (String = "application/json")))))]
async fn export_memories(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    Asked(asked): Asked<ExportQuery>,
) -> Result<Response, Failure> {
    let format = match asked.format {
        MemoriesFormat::Markdown => ExportFormat::Markdown,
        MemoriesFormat::Json => ExportFormat::Json,
    };
    let export = edge.domain.export_memories(&caller, format).await?;
    let mut response = export.body.into_response();
    never_store(&mut response);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(export.content_type));
    response.headers_mut().insert(header::CONTENT_DISPOSITION, attachment(export.file_name)?);
    Ok(response)
}

/// How many requests that save or search were made today, and may be.
#[utoipa::path(get, path = "/api/v1/memories/quota", tag = "memories",
    responses((status = 200, body = Envelope<MemoryQuota>)))]
async fn memory_quota(State(edge): State<Arc<Edge>>, By(caller): By) -> Answer<MemoryQuota> {
    Ok(Data(edge.domain.memory_quota(&caller).await?))
}

/// Whether models suggest what to keep, and are told what is kept.
#[utoipa::path(get, path = "/api/v1/memories/settings", tag = "memories",
    responses((status = 200, body = Envelope<MemorySettings>)))]
async fn memory_settings(State(edge): State<Arc<Edge>>, By(caller): By) -> Answer<MemorySettings> {
    Ok(Data(edge.domain.memory_settings(&caller).await?))
}

/// Changes what is given.
#[utoipa::path(patch, path = "/api/v1/memories/settings", tag = "memories", request_body = UpdateMemorySettings,
    responses((status = 200, body = Envelope<MemorySettings>)))]
async fn update_memory_settings(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    Json(change): Json<UpdateMemorySettings>,
) -> Answer<MemorySettings> {
    Ok(Data(edge.domain.update_memory_settings(&caller, change).await?))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct WaitingQuery {
    /// Of this conversation alone.
    conversation_id: Option<ConversationId>,
}

/// What models suggest to keep, and what they ask to forget.
#[utoipa::path(get, path = "/api/v1/memories/waiting", tag = "memories", params(WaitingQuery),
    responses((status = 200, body = Envelope<WaitingMemories>)))]
async fn waiting_memories(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    Asked(WaitingQuery { conversation_id }): Asked<WaitingQuery>,
) -> Answer<WaitingMemories> {
    Ok(Data(edge.domain.waiting_memories(&caller, conversation_id).await?))
}

/// Has a conversation looked through now, instead of once it rests. What is found waits for the person.
#[utoipa::path(post, path = "/api/v1/memories/suggestions", tag = "memories", request_body = LookForMemories,
    responses((status = 200, body = Envelope<Nothing>)))]
async fn look_for_suggestions(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    Json(LookForMemories { conversation_id }): Json<LookForMemories>,
) -> Answer<()> {
    Ok(Data(edge.domain.look_for_suggestions(&caller, conversation_id).await?))
}

/// Keeps what was suggested, in these words or in one's own.
#[utoipa::path(post, path = "/api/v1/memories/suggestions/{id}/accept", tag = "memories",
    params(("id" = SuggestionId, Path)), request_body = AcceptSuggestion,
    responses((status = 200, body = Envelope<KeptMemory>)))]
async fn accept_suggestion(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At(id): At<SuggestionId>,
    OptionalJson(accept): OptionalJson<AcceptSuggestion>,
) -> Answer<KeptMemory> {
    Ok(Data(edge.domain.accept_suggestion(&caller, id, accept).await?))
}

/// Lets a suggestion go.
#[utoipa::path(delete, path = "/api/v1/memories/suggestions/{id}", tag = "memories",
    params(("id" = SuggestionId, Path)), responses((status = 200, body = Envelope<Nothing>)))]
async fn refuse_suggestion(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At(id): At<SuggestionId>,
) -> Answer<()> {
    Ok(Data(edge.domain.refuse_suggestion(&caller, id).await?))
}

/// Forgets what a model asked to forget, for good.
#[utoipa::path(post, path = "/api/v1/memories/forgetting/{id}/confirm", tag = "memories",
    params(("id" = ForgettingId, Path)), responses((status = 200, body = Envelope<Nothing>)))]
async fn confirm_forgetting(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At(id): At<ForgettingId>,
) -> Answer<()> {
    Ok(Data(edge.domain.confirm_forgetting(&caller, id).await?))
}

/// Keeps what a model asked to forget.
#[utoipa::path(delete, path = "/api/v1/memories/forgetting/{id}", tag = "memories",
    params(("id" = ForgettingId, Path)), responses((status = 200, body = Envelope<Nothing>)))]
async fn refuse_forgetting(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At(id): At<ForgettingId>,
) -> Answer<()> {
    Ok(Data(edge.domain.refuse_forgetting(&caller, id).await?))
}

/// A memory, with what happened to it and what it took the place of.
#[utoipa::path(get, path = "/api/v1/memories/{id}", tag = "memories", params(("id" = MemoryId, Path)),
    responses((status = 200, body = Envelope<OpenedMemory>)))]
async fn read_memory(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At(id): At<MemoryId>,
) -> Answer<OpenedMemory> {
    Ok(Data(edge.domain.memory(&caller, id).await?))
}

/// Changes what is given. What it said before stays in its history.
#[utoipa::path(patch, path = "/api/v1/memories/{id}", tag = "memories", params(("id" = MemoryId, Path)),
    request_body = UpdateMemory, responses((status = 200, body = Envelope<OpenedMemory>)))]
async fn update_memory(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At(id): At<MemoryId>,
    Json(change): Json<UpdateMemory>,
) -> Answer<OpenedMemory> {
    Ok(Data(edge.domain.update_memory(&caller, id, change).await?))
}

/// Forgets a memory: at once and for good, with its history, what it had replaced, and its vectors.
#[utoipa::path(delete, path = "/api/v1/memories/{id}", tag = "memories", params(("id" = MemoryId, Path)),
    responses((status = 200, body = Envelope<Nothing>)))]
async fn forget_memory(State(edge): State<Arc<Edge>>, By(caller): By, At(id): At<MemoryId>) -> Answer<()> {
    Ok(Data(edge.domain.forget_memory(&caller, id).await?))
}

/// Sets how many requests to memories an account may make a day. For admins.
#[utoipa::path(put, path = "/api/v1/users/{id}/tier", tag = "accounts", params(("id" = UserId, Path)),
    request_body = SetTier, responses((status = 200, body = Envelope<Nothing>)))]
async fn set_tier(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At(id): At<UserId>,
    Json(SetTier { tier }): Json<SetTier>,
) -> Answer<()> {
    Ok(Data(edge.domain.set_tier(&caller, id, tier).await?))
}
