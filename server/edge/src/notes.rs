//! Notes: the list, opening, changing, the bin, the note of today and the scratchpad. Their text is
//! also reached through the socket; this is the door for programs.

use crate::authentication::By;
use crate::envelope::{Answer, Created, Data, Failure, Nothing};
use crate::input::{Asked, At, Json};
use crate::looking::Looking;
use crate::state::Edge;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::{ListNotes, Only};
use http::{HeaderMap, HeaderValue, header};
use serde::Deserialize;
use shared::note::{Backlinks, CreateNote, Note, NoteKind, NoteSummary, TagCount, TitledNote, UpdateNote};
use shared::page::Page;
use shared::{Envelope, FolderId, NoteId};
use std::sync::Arc;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

const MOST_LISTED: u32 = 200;
/// The longest text in JSON, with room for what JSON escapes.
const LONGEST_BODY: usize = 16 << 20;

pub fn routes() -> OpenApiRouter<Arc<Edge>> {
    OpenApiRouter::new()
        .routes(routes!(notes, create_note))
        .routes(routes!(note, update_note, delete_note))
        .routes(routes!(restore_note))
        .routes(routes!(duplicate_note))
        .routes(routes!(backlinks))
        .routes(routes!(note_titles))
        .routes(routes!(note_tags))
        .routes(routes!(daily_note, open_daily_note))
        .routes(routes!(scratchpad, open_scratchpad))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Only those that contain these words.
    q: Option<String>,
    /// Only those in this folder.
    #[param(value_type = Option<FolderId>)]
    folder_id: Option<FolderId>,
    /// Only those with this tag.
    tag: Option<String>,
    /// Only those of this kind; all but templates when absent.
    #[param(inline)]
    kind: Option<NoteKind>,
    /// `true` lists the archive.
    #[serde(default)]
    archived: bool,
    /// `true` lists the bin.
    #[serde(default)]
    deleted: bool,
    /// `true`: only what others share with one; `false`: only one's own.
    shared: Option<bool>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// At most 200.
    limit: Option<u32>,
}

/// The notes one may see, pinned ones first, then those changed last.
#[utoipa::path(get, path = "/api/v1/notes", tag = "notes", params(ListQuery),
    responses((status = 200, body = Envelope<Page<NoteSummary>>)))]
async fn notes(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    Asked(asked): Asked<ListQuery>,
) -> Answer<Page<NoteSummary>> {
    let list = ListNotes {
        query: asked.q,
        folder: asked.folder_id,
        tag: asked.tag,
        kind: asked.kind,
        archived: asked.archived,
        deleted: asked.deleted,
        shared: asked.shared,
        cursor: asked.cursor,
        limit: asked.limit.map(|limit| limit.clamp(1, MOST_LISTED)),
    };
    Ok(Data(edge.domain.notes(&caller, list).await?))
}

/// Makes a note.
#[utoipa::path(post, path = "/api/v1/notes", tag = "notes", request_body = CreateNote,
    responses((status = 201, body = Envelope<Note>)))]
async fn create_note(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    Json(request): Json<CreateNote, LONGEST_BODY>,
) -> Result<Response, Failure> {
    let note = edge.domain.create_note(&caller, request).await?;
    let tag = tag_of(&note);
    Ok(tagged(Created(note), tag))
}

/// Opens a note; the header `ETag` is its sequence.
#[utoipa::path(get, path = "/api/v1/notes/{id}", tag = "notes", params(("id" = NoteId, Path)),
    responses((status = 200, body = Envelope<Note>)))]
async fn note(
    State(edge): State<Arc<Edge>>,
    Looking(viewer): Looking,
    At(id): At<NoteId>,
) -> Result<Response, Failure> {
    answer(edge.domain.note(&viewer, id).await?)
}

/// Changes a note; what is absent stays. The content becomes the smallest edit of the text as it is
/// now, beside whoever else is writing. With `If-Match: "<seq>"` only if nothing has changed since.
#[utoipa::path(patch, path = "/api/v1/notes/{id}", tag = "notes",
    params(("id" = NoteId, Path), ("If-Match" = Option<String>, Header, description = "The `ETag` of the note as it was read.")),
    request_body = UpdateNote, responses((status = 200, body = Envelope<Note>)))]
async fn update_note(
    State(edge): State<Arc<Edge>>,
    Looking(viewer): Looking,
    At(id): At<NoteId>,
    headers: HeaderMap,
    Json(change): Json<UpdateNote, LONGEST_BODY>,
) -> Result<Response, Failure> {
    let expected = expected(&headers)?;
    answer(edge.domain.update_note(&viewer, id, change, expected).await?)
}

/// Puts a note in the bin, from where it can be restored for 30 days.
#[utoipa::path(delete, path = "/api/v1/notes/{id}", tag = "notes", params(("id" = NoteId, Path)),
    responses((status = 200, body = Envelope<Nothing>)))]
async fn delete_note(State(edge): State<Arc<Edge>>, By(caller): By, At(id): At<NoteId>) -> Answer<()> {
    edge.domain.delete_note(&caller, id).await?;
    Ok(Data(()))
}

/// Takes a note out of the bin.
#[utoipa::path(post, path = "/api/v1/notes/{id}/restore", tag = "notes", params(("id" = NoteId, Path)),
    responses((status = 200, body = Envelope<NoteSummary>)))]
async fn restore_note(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At(id): At<NoteId>,
) -> Answer<NoteSummary> {
    Ok(Data(edge.domain.restore_note(&caller, id).await?))
}

/// Makes a note of one's own with the same text and attachments.
#[utoipa::path(post, path = "/api/v1/notes/{id}/duplicate", tag = "notes", params(("id" = NoteId, Path)),
    responses((status = 201, body = Envelope<Note>)))]
async fn duplicate_note(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At(id): At<NoteId>,
) -> Result<Created<Note>, Failure> {
    Ok(Created(edge.domain.duplicate_note(&caller, id).await?))
}

/// What links to a note, and what has its title in its text without a link.
#[utoipa::path(get, path = "/api/v1/notes/{id}/backlinks", tag = "notes", params(("id" = NoteId, Path)),
    responses((status = 200, body = Envelope<Backlinks>)))]
async fn backlinks(State(edge): State<Arc<Edge>>, By(caller): By, At(id): At<NoteId>) -> Answer<Backlinks> {
    Ok(Data(edge.domain.backlinks(&caller, id).await?))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct TitlesQuery {
    /// What was typed.
    #[serde(default)]
    prefix: String,
}

/// Titles to complete a link with: 20 at most, one's own first.
#[utoipa::path(get, path = "/api/v1/notes/titles", tag = "notes", params(TitlesQuery),
    responses((status = 200, body = Envelope<Vec<TitledNote>>)))]
async fn note_titles(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    Asked(asked): Asked<TitlesQuery>,
) -> Answer<Vec<TitledNote>> {
    Ok(Data(edge.domain.note_titles(&caller, &asked.prefix).await?))
}

/// The tags of one's notes, the most used first.
#[utoipa::path(get, path = "/api/v1/notes/tags", tag = "notes",
    responses((status = 200, body = Envelope<Vec<TagCount>>)))]
async fn note_tags(State(edge): State<Arc<Edge>>, By(caller): By) -> Answer<Vec<TagCount>> {
    Ok(Data(edge.domain.note_tags(&caller).await?))
}

/// The note of today, if it was begun.
#[utoipa::path(get, path = "/api/v1/notes/daily", tag = "notes",
    responses((status = 200, body = Envelope<Note>)))]
async fn daily_note(State(edge): State<Arc<Edge>>, By(caller): By) -> Result<Response, Failure> {
    answer(edge.domain.only_note(&caller, Only::Today).await?)
}

/// The note of today, in one's own time zone; made now, from the template titled “Daily” if there is one.
#[utoipa::path(post, path = "/api/v1/notes/daily", tag = "notes",
    responses((status = 200, body = Envelope<Note>)))]
async fn open_daily_note(State(edge): State<Arc<Edge>>, By(caller): By) -> Result<Response, Failure> {
    answer(edge.domain.open_only_note(&caller, Only::Today).await?)
}

/// The scratchpad, if there is one.
#[utoipa::path(get, path = "/api/v1/notes/scratchpad", tag = "notes",
    responses((status = 200, body = Envelope<Note>)))]
async fn scratchpad(State(edge): State<Arc<Edge>>, By(caller): By) -> Result<Response, Failure> {
    answer(edge.domain.only_note(&caller, Only::Scratchpad).await?)
}

/// The scratchpad, made now if there is none.
#[utoipa::path(post, path = "/api/v1/notes/scratchpad", tag = "notes",
    responses((status = 200, body = Envelope<Note>)))]
async fn open_scratchpad(State(edge): State<Arc<Edge>>, By(caller): By) -> Result<Response, Failure> {
    answer(edge.domain.open_only_note(&caller, Only::Scratchpad).await?)
}

fn answer(note: Note) -> Result<Response, Failure> {
    let tag = tag_of(&note);
    Ok(tagged(Data(note), tag))
}

fn tag_of(note: &Note) -> String {
    format!("\"{}\"", note.seq)
}

fn tagged(answer: impl IntoResponse, tag: String) -> Response {
    let mut response = answer.into_response();
    if let Ok(tag) = HeaderValue::try_from(tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// The sequence that `If-Match` names; none where it is absent or `*`.
fn expected(headers: &HeaderMap) -> Result<Option<i64>, Failure> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let number = text.strip_prefix("W/").unwrap_or(text).trim_matches('"').parse();
    number.map(Some).map_err(|_| {
        Failure::invalid("If-Match", "If-Match is the ETag of the note as it was read, such as \"12\".")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn if_match_is_a_sequence_a_star_or_a_mistake() {
        let read = |value: &'static str| {
            let headers: HeaderMap =
                [(header::IF_MATCH, HeaderValue::from_static(value))].into_iter().collect();
            expected(&headers)
        };
        assert_eq!(expected(&HeaderMap::new()).unwrap(), None);
        assert_eq!(read("*").unwrap(), None);
        assert_eq!(read("\"12\"").unwrap(), Some(12));
        assert_eq!(read("W/\"12\"").unwrap(), Some(12));
        assert!(read("\"x\"").is_err() && read("").is_err());
    }
}
