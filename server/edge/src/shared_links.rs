//! `/s/{token}`: the way in for whoever was sent a link. Pages without any script; the way leads on
//! to the note, or to the list of what is in a shared folder.

use crate::envelope::Failure;
use crate::limits::{Limited, Who};
use crate::looking::{Looking, share_cookie};
use crate::origin::Absent;
use crate::pages::{Form, see_other};
use crate::state::Edge;
use crate::visitor::Source;
use app::server::{PlainPage, Site, plain_page};
use axum::Router;
use axum::extract::{FromRequestParts as _, Path, Request, State};
use axum::response::Response;
use axum::routing::get;
use domain::{Shared, Visit};
use http::{HeaderMap, StatusCode, header};
use shared::{ErrorCode, FolderId, Problem};
use std::sync::Arc;

/// Longer than any token of a link.
const LONGEST_TOKEN: usize = 100;

pub fn routes(site: &Site) -> Router<Arc<Edge>> {
    let (opened, unlocked, listed) = (site.clone(), site.clone(), site.clone());
    let shown = move |State(edge): State<Arc<Edge>>,
                      source: Source,
                      Path(token): Path<String>,
                      request: Request| { open(edge, opened, source, token, request) };
    let sent = move |State(edge): State<Arc<Edge>>,
                     source: Source,
                     Path(token): Path<String>,
                     request: Request| { unlock(edge, unlocked, source, token, request) };
    let folders = move |State(edge): State<Arc<Edge>>, request: Request| folder(edge, listed, request);
    Router::new().route("/s/{token}", get(shown).post(sent)).route("/s/folder/{id}", get(folders))
}

async fn open(edge: Arc<Edge>, site: Site, source: Source, token: String, request: Request) -> Response {
    let visit = knock(&edge, source, &token, None).await;
    answer(&site, visit, None, request).await
}

async fn unlock(edge: Arc<Edge>, site: Site, source: Source, token: String, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let page = Request::from_parts(parts.clone(), axum::body::Body::empty());
    let visit = async {
        edge.hosts.check_origin(&parts.headers, Absent::Accept)?;
        let form = Form::read(Request::from_parts(parts, body)).await?;
        edge.limits.check(Limited::LinkPassword, Who::address(source.address))?;
        knock(&edge, source, &token, Some(form.field("password").to_owned())).await
    };
    match visit.await {
        Err(failure) if asks_again(failure.code()) => {
            let error = Some(failure.code());
            plain_page(&site, PlainPage::LinkPassword { error }, failure.status(), page).await
        }
        visit => answer(&site, visit, None, page).await,
    }
}

fn asks_again(code: ErrorCode) -> bool {
    matches!(code, ErrorCode::WrongCredentials | ErrorCode::RateLimited | ErrorCode::DatabaseUnavailable)
}

async fn knock(edge: &Edge, source: Source, token: &str, password: Option<String>) -> Result<Visit, Failure> {
    // Tokens cannot be guessed; trying many is bounded all the same.
    edge.limits.check(Limited::Refused, Who::address(source.address))?;
    if token.len() > LONGEST_TOKEN {
        return Err(Failure::not_found());
    }
    Ok(edge.domain.open_link(token, password).await?)
}

async fn answer(
    site: &Site,
    visit: Result<Visit, Failure>,
    error: Option<ErrorCode>,
    request: Request,
) -> Response {
    let entered = visit.and_then(|visit| match visit {
        Visit::PasswordNeeded => Ok(None),
        Visit::Opened { to, proof } => enter(to, &proof, request.headers()).map(Some),
    });
    match entered {
        Ok(Some(response)) => response,
        Ok(None) => plain_page(site, PlainPage::LinkPassword { error }, StatusCode::OK, request).await,
        Err(failure) => refused(site, failure, request).await,
    }
}

fn enter(to: Shared, proof: &str, headers: &HeaderMap) -> Result<Response, Failure> {
    let mut response = match to {
        Shared::Note(note) => see_other(&format!("/n/{note}")),
        Shared::Folder(folder) => see_other(&format!("/s/folder/{folder}")),
        // only members have one, and they sign in there
        Shared::Collection(collection) => see_other(&format!("/collections/{collection}")),
    };
    response.headers_mut().insert(header::SET_COOKIE, share_cookie(proof, headers)?);
    Ok(response)
}

async fn folder(edge: Arc<Edge>, site: Site, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let listed = async {
        let Path(id) = Path::<FolderId>::from_request_parts(&mut parts, &edge)
            .await
            .map_err(|_| Failure::not_found())?;
        let Looking(viewer) = Looking::from_request_parts(&mut parts, &edge).await?;
        Ok::<_, Failure>(edge.domain.shared_folder(&viewer, id).await?)
    };
    let listed = listed.await;
    let request = Request::from_parts(parts, body);
    match listed {
        Ok(folder) => {
            let page = PlainPage::SharedFolder { name: folder.name, notes: folder.notes };
            plain_page(&site, page, StatusCode::OK, request).await
        }
        Err(failure) => refused(&site, failure, request).await,
    }
}

async fn refused(site: &Site, failure: Failure, request: Request) -> Response {
    let status = failure.status();
    let page = match failure.code() {
        ErrorCode::NotFound | ErrorCode::Unauthenticated => {
            return plain_page(site, PlainPage::LinkEnded, StatusCode::NOT_FOUND, request).await;
        }
        code => PlainPage::Failed(Problem::new(code, failure.to_string())),
    };
    plain_page(site, page, status, request).await
}
