//! Invitations to this server: made by admins, used once by whoever gets the link. `/join/{token}`
//! is a form that works without scripts; programs join at `/api/v1/join`.

use crate::accounts::signed_in;
use crate::authentication::{By, visitor};
use crate::envelope::{Answer, Created, Data, Failure, Nothing};
use crate::input::{At, Json};
use crate::limits::{Limited, Who};
use crate::origin::Absent;
use crate::pages::{Form, welcome};
use crate::state::Edge;
use crate::visitor::Source;
use app::server::{PlainPage, Site, plain_page};
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use axum::routing::get;
use domain::NewSession;
use http::{HeaderMap, StatusCode};
use shared::account::{Join, SignedIn};
use shared::note::{CreateInvite, Invite};
use shared::{Envelope, ErrorCode, InviteId};
use std::sync::Arc;
use utoipa_axum::{router::OpenApiRouter, routes};

pub fn routes() -> OpenApiRouter<Arc<Edge>> {
    OpenApiRouter::new()
        .routes(routes!(invites, create_invite))
        .routes(routes!(delete_invite))
        .routes(routes!(join))
}

/// The page behind an invitation's address.
pub fn pages(site: &Site) -> Router<Arc<Edge>> {
    let (first, again) = (site.clone(), site.clone());
    let shown = move |State(edge): State<Arc<Edge>>,
                      source: Source,
                      Path(token): Path<String>,
                      request: Request| { show(edge, first, source, token, request) };
    let sent = move |State(edge): State<Arc<Edge>>,
                     source: Source,
                     Path(token): Path<String>,
                     request: Request| { send(edge, again, source, token, request) };
    Router::new().route("/join/{token}", get(shown).post(sent))
}

/// Invitations that wait, and those that were used or ended lately. For admins.
#[utoipa::path(get, path = "/api/v1/invites", tag = "sharing", responses((status = 200, body = Envelope<Vec<Invite>>)))]
async fn invites(State(edge): State<Arc<Edge>>, By(caller): By) -> Answer<Vec<Invite>> {
    Ok(Data(edge.domain.invites(&caller).await?))
}

/// Makes an invitation and tells its address this once. For admins.
#[utoipa::path(post, path = "/api/v1/invites", tag = "sharing", request_body = CreateInvite,
    responses((status = 201, body = Envelope<Invite>)))]
async fn create_invite(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    Json(invite): Json<CreateInvite>,
) -> Result<Created<Invite>, Failure> {
    Ok(Created(edge.domain.create_invite(&caller, invite).await?))
}

/// Takes an invitation back. For admins.
#[utoipa::path(delete, path = "/api/v1/invites/{id}", tag = "sharing", params(("id" = InviteId, Path)),
    responses((status = 200, body = Envelope<Nothing>)))]
async fn delete_invite(State(edge): State<Arc<Edge>>, By(caller): By, At(id): At<InviteId>) -> Answer<()> {
    edge.domain.delete_invite(&caller, id).await?;
    Ok(Data(()))
}

/// Makes the account that an invitation is for, and signs in.
#[utoipa::path(post, path = "/api/v1/join", tag = "sharing", security(()), request_body = Join,
    responses((status = 200, body = Envelope<SignedIn>, headers(("Set-Cookie" = String, description = "The session.")))))]
async fn join(
    State(edge): State<Arc<Edge>>,
    source: Source,
    headers: HeaderMap,
    Json(request): Json<Join>,
) -> Result<Response, Failure> {
    signed_in(begin(&edge, source, &headers, request).await?, &headers)
}

/// For the API and for the form.
async fn begin(
    edge: &Edge,
    source: Source,
    headers: &HeaderMap,
    request: Join,
) -> Result<NewSession, Failure> {
    edge.hosts.check_origin(headers, Absent::Accept)?;
    edge.limits.check(Limited::Join, Who::address(source.address))?;
    Ok(edge.domain.join(request, &visitor(source, headers)).await?)
}

async fn show(edge: Arc<Edge>, site: Site, source: Source, token: String, request: Request) -> Response {
    let holds = async {
        // Looked at by whoever has the link, and by whoever tries tokens.
        edge.limits.check(Limited::Refused, Who::address(source.address))?;
        Ok::<_, Failure>(edge.domain.invitation_holds(&token).await?)
    };
    match holds.await {
        Ok(true) => plain_page(&site, PlainPage::Join { error: None }, StatusCode::OK, request).await,
        Ok(false) => plain_page(&site, PlainPage::LinkEnded, StatusCode::NOT_FOUND, request).await,
        Err(failure) => {
            let error = Some(failure.code());
            plain_page(&site, PlainPage::Join { error }, failure.status(), request).await
        }
    }
}

async fn send(edge: Arc<Edge>, site: Site, source: Source, token: String, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let page = Request::from_parts(parts.clone(), Body::empty());
    let joined = async {
        let headers = parts.headers.clone();
        let form = Form::read(Request::from_parts(parts, body)).await?;
        let join = Join {
            token,
            email: form.field("email").to_owned(),
            display_name: form.field("display_name").to_owned(),
            password: form.field("password").to_owned(),
        };
        welcome(&begin(&edge, source, &headers, join).await?, &headers, "/")
    };
    match joined.await {
        Ok(response) => response,
        Err(failure) if failure.code() == ErrorCode::NotFound => {
            plain_page(&site, PlainPage::LinkEnded, StatusCode::NOT_FOUND, page).await
        }
        Err(failure) => {
            let error = Some(failure.code());
            plain_page(&site, PlainPage::Join { error }, failure.status(), page).await
        }
    }
}
