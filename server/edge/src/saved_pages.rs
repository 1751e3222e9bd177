//! Web pages that somebody keeps to read: saved by address or as a browser shows them, listed, read, changed,
//! and the copy of how they looked.

use crate::authentication::By;
use crate::disposition::{attachment, inline};
use crate::envelope::{Answer, Created, Data, Failure, Nothing};
use crate::input::{Asked, At, Json};
use crate::state::Edge;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::{Archive, ListPages};
use http::{HeaderName, HeaderValue, header};
use serde::Deserialize;
use shared::page::Page;
use shared::saved_page::{LARGEST_SENT_PAGE, PageSummary, SavePage, SavedPage, UpdatePage};
use shared::{Envelope, PageId};
use std::sync::Arc;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

/// A page as a string of JSON: quotes and line ends take two bytes.
const SENT_LIMIT: usize = 2 * LARGEST_SENT_PAGE + (1 << 16);

/// The copy runs nothing, loads nothing, sends nothing, and has an origin of its own. Its own policy says
/// the same.
const COPY_POLICY: HeaderValue = HeaderValue::from_static(
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
);

/// It may be kept by the browser, but whether it may still be seen is asked each time.
const CACHING: (HeaderName, HeaderValue) =
    (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));

pub fn routes() -> OpenApiRouter<Arc<Edge>> {
    OpenApiRouter::new()
        .routes(routes!(list_pages, save_page))
        .routes(routes!(read_page, update_page, delete_page))
        .routes(routes!(restore_page))
        .routes(routes!(fetch_page_again))
        .routes(routes!(page_text))
        .routes(routes!(page_archive))
        .routes(routes!(page_image))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Only those in whose title, address, site or tags this stands.
    q: Option<String>,
    /// Only those with this tag.
    tag: Option<String>,
    /// Those that were put away instead of the others.
    #[serde(default)]
    archived: bool,
    /// The bin instead of the list.
    #[serde(default)]
    deleted: bool,
    cursor: Option<String>,
    /// At most 200; 50 when absent.
    limit: Option<u32>,
}

/// Saved pages, pinned ones first, then the newest.
#[utoipa::path(get, path = "/api/v1/pages", tag = "pages", params(ListQuery),
    responses((status = 200, body = Envelope<Page<PageSummary>>)))]
async fn list_pages(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    Asked(ListQuery { q, tag, archived, deleted, cursor, limit }): Asked<ListQuery>,
) -> Answer<Page<PageSummary>> {
    let given = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    let list = ListPages { query: given(q), tag: given(tag), archived, deleted, cursor, limit };
    Ok(Data(edge.domain.pages(&caller, list).await?))
}

/// Saves a page: by its address, which is then fetched, or with `html` as a browser shows it, of at most
/// 10 MB. An address that is saved already is the same page, read again; the answer is then 200. What a
/// browser sent is not fetched over.
#[utoipa::path(post, path = "/api/v1/pages", tag = "pages", request_body = SavePage,
    responses((status = 201, body = Envelope<PageSummary>), (status = 200, body = Envelope<PageSummary>)))]
async fn save_page(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    Json(save): Json<SavePage, SENT_LIMIT>,
) -> Result<Response, Failure> {
    Ok(match edge.domain.save_page(&caller, save).await? {
        (page, true) => Created(page).into_response(),
        (page, false) => Data(page).into_response(),
    })
}

/// A page, and what is to be read in it.
#[utoipa::path(get, path = "/api/v1/pages/{id}", tag = "pages", params(("id" = PageId, Path)),
    responses((status = 200, body = Envelope<SavedPage>)))]
async fn read_page(State(edge): State<Arc<Edge>>, By(caller): By, At(id): At<PageId>) -> Answer<SavedPage> {
    Ok(Data(edge.domain.page(&caller, id).await?))
}

/// Changes a page's title, tags, whether it is pinned or put away, and how far it was read.
#[utoipa::path(patch, path = "/api/v1/pages/{id}", tag = "pages", params(("id" = PageId, Path)),
    request_body = UpdatePage, responses((status = 200, body = Envelope<PageSummary>)))]
async fn update_page(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At(id): At<PageId>,
    Json(change): Json<UpdatePage>,
) -> Answer<PageSummary> {
    Ok(Data(edge.domain.update_page(&caller, id, change).await?))
}

/// Puts a page into the bin.
#[utoipa::path(delete, path = "/api/v1/pages/{id}", tag = "pages", params(("id" = PageId, Path)),
    responses((status = 200, body = Envelope<Nothing>)))]
async fn delete_page(State(edge): State<Arc<Edge>>, By(caller): By, At(id): At<PageId>) -> Answer<()> {
    Ok(Data(edge.domain.delete_page(&caller, id).await?))
}

/// Takes a page out of the bin.
#[utoipa::path(post, path = "/api/v1/pages/{id}/restore", tag = "pages", params(("id" = PageId, Path)),
    responses((status = 200, body = Envelope<PageSummary>)))]
async fn restore_page(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At(id): At<PageId>,
) -> Answer<PageSummary> {
    Ok(Data(edge.domain.restore_page(&caller, id).await?))
}

/// Fetches a page again; what was kept stays until there is something new.
#[utoipa::path(post, path = "/api/v1/pages/{id}/fetch", tag = "pages", params(("id" = PageId, Path)),
    responses((status = 200, body = Envelope<PageSummary>)))]
async fn fetch_page_again(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At(id): At<PageId>,
) -> Answer<PageSummary> {
    Ok(Data(edge.domain.fetch_page_again(&caller, id).await?))
}

/// What is to be read in a page, as a model is given it: Markdown, with what the page is in front.
#[utoipa::path(get, path = "/api/v1/pages/{id}/text", tag = "pages", params(("id" = PageId, Path)),
    responses((status = 200, body = String, content_type = "text/markdown")))]
async fn page_text(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At(id): At<PageId>,
) -> Result<Response, Failure> {
    let text = edge.domain.page_text(&caller, id).await?;
    let media_type = (header::CONTENT_TYPE, HeaderValue::from_static("text/markdown; charset=utf-8"));
    Ok(([media_type, CACHING], text).into_response())
}

/// The page as it looked when it was saved. It can run nothing and load nothing; a PDF is a download.
#[utoipa::path(get, path = "/api/v1/pages/{id}/archive", tag = "pages", params(("id" = PageId, Path)),
    responses((status = 200, body = String, content_type = "text/html")))]
async fn page_archive(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At(id): At<PageId>,
) -> Result<Response, Failure> {
    let Archive { title, media_type, bytes } = edge.domain.page_archive(&caller, id).await?;
    let (kind, disposition) = match media_type {
        "text/html" => ("text/html; charset=utf-8", inline(&format!("{title}.html"))?),
        "text/plain" => ("text/plain; charset=utf-8", inline(&format!("{title}.txt"))?),
        other => (other, attachment(&format!("{title}.pdf"))?),
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CONTENT_DISPOSITION, disposition),
        (header::CONTENT_SECURITY_POLICY, COPY_POLICY),
        CACHING,
    ];
    Ok((headers, bytes).into_response())
}

/// A small picture that the page names as its own.
#[utoipa::path(get, path = "/api/v1/pages/{id}/image", tag = "pages", params(("id" = PageId, Path)),
    responses((status = 200, body = Vec<u8>, content_type = "image/jpeg")))]
async fn page_image(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At(id): At<PageId>,
) -> Result<Response, Failure> {
    let (media_type, bytes) = edge.domain.page_image(&caller, id).await?;
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static(media_type)), CACHING], bytes).into_response())
}
