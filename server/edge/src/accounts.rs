//! Accounts: the first one, signing in and out, sessions, one's own profile, people.

use crate::authentication::{By, Identified, ended_cookie, same_secret, session_cookie, visitor};
use crate::envelope::{Answer, Created, Data, Failure, Nothing, never_store};
use crate::input::{At, Json, media_type, read, wrong_type};
use crate::limits::{Limited, Who};
use crate::origin::Absent;
use crate::state::Edge;
use crate::visitor::{Place, Source};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use domain::{NewSession, Picture};
use http::{HeaderMap, HeaderValue, header};
use shared::account::{
    ChangePassword, CreateUser, Me, Profile, SessionInfo, Setup, SetupState, SignIn, SignedIn, UpdateProfile,
    UserInfo,
};
use shared::{Envelope, ErrorCode, SessionId, UserId};
use std::sync::Arc;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The largest picture.
const PICTURE_LIMIT: usize = 256 << 10;

pub fn routes() -> OpenApiRouter<Arc<Edge>> {
    OpenApiRouter::new()
        .routes(routes!(setup_state, set_up))
        .routes(routes!(sign_in, sessions))
        .routes(routes!(sign_out))
        .routes(routes!(end_session))
        .routes(routes!(me, update_profile))
        .routes(routes!(change_password))
        .routes(routes!(set_picture, remove_picture))
        .routes(routes!(picture))
        .routes(routes!(users, create_user))
}

/// Whether the server is empty and waits for its first account.
#[utoipa::path(get, path = "/api/v1/setup", tag = "accounts", security(()), responses((status = 200, body = Envelope<SetupState>)))]
async fn setup_state(State(edge): State<Arc<Edge>>, source: Source) -> Answer<SetupState> {
    let needed = edge.domain.needs_setup().await?;
    Ok(Data(SetupState { needed, code_required: needed && source.place == Place::Elsewhere }))
}

/// Makes the owner's account, once. From elsewhere than the server's own machine it needs the code
/// that the server printed at its start.
#[utoipa::path(post, path = "/api/v1/setup", tag = "accounts", security(()), request_body = Setup,
    responses((status = 200, body = Envelope<SignedIn>, headers(("Set-Cookie" = String, description = "The session.")))))]
async fn set_up(
    State(edge): State<Arc<Edge>>,
    source: Source,
    headers: HeaderMap,
    Json(setup): Json<Setup>,
) -> Result<Response, Failure> {
    signed_in(begin_setup(&edge, source, &headers, setup).await?, &headers)
}

/// For the API and for the form.
pub async fn begin_setup(
    edge: &Edge,
    source: Source,
    headers: &HeaderMap,
    setup: Setup,
) -> Result<NewSession, Failure> {
    edge.hosts.check_origin(headers, Absent::Accept)?;
    edge.limits.check(Limited::Setup, Who::address(source.address))?;
    let code = setup.code.as_deref().map(str::trim).unwrap_or_default();
    if source.place == Place::Elsewhere
        && !same_secret(code, &edge.setup_code)
        && edge.domain.needs_setup().await?
    {
        return Err(Failure::new(
            ErrorCode::SetupCodeRequired,
            "The set-up code is missing or wrong. The server printed it when it started.",
        ));
    }
    Ok(edge.domain.set_up(setup, &visitor(source, headers)).await?)
}

/// Signs in. The session is in the cookie; the CSRF token goes with every change made with it.
#[utoipa::path(post, path = "/api/v1/sessions", tag = "accounts", security(()), request_body = SignIn,
    responses((status = 200, body = Envelope<SignedIn>, headers(("Set-Cookie" = String, description = "The session.")))))]
async fn sign_in(
    State(edge): State<Arc<Edge>>,
    source: Source,
    headers: HeaderMap,
    Json(sign_in): Json<SignIn>,
) -> Result<Response, Failure> {
    signed_in(begin_session(&edge, source, &headers, sign_in).await?, &headers)
}

/// For the API and for the form.
pub async fn begin_session(
    edge: &Edge,
    source: Source,
    headers: &HeaderMap,
    sign_in: SignIn,
) -> Result<NewSession, Failure> {
    edge.hosts.check_origin(headers, Absent::Accept)?;
    edge.limits.check(Limited::SignInToAccount, Who::account_from(source.address, &sign_in.email))?;
    edge.limits.check(Limited::SignIn, Who::address(source.address))?;
    Ok(edge.domain.sign_in(sign_in, &visitor(source, headers)).await?)
}

/// The answer that begins a session.
pub fn signed_in(session: NewSession, headers: &HeaderMap) -> Result<Response, Failure> {
    let cookie = session_cookie(&session, headers)?;
    let body = Data(SignedIn { profile: session.profile, csrf_token: session.csrf_token });
    Ok(([(header::SET_COOKIE, cookie)], body).into_response())
}

/// Ends the session that asks.
#[utoipa::path(delete, path = "/api/v1/sessions/current", tag = "accounts",
    responses((status = 200, body = Envelope<Nothing>)))]
async fn sign_out(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    edge.domain.sign_out(&caller).await?;
    Ok(([(header::SET_COOKIE, ended_cookie(&headers)?)], Data(())).into_response())
}

/// The browsers that are signed in.
#[utoipa::path(get, path = "/api/v1/sessions", tag = "accounts", responses((status = 200, body = Envelope<Vec<SessionInfo>>)))]
async fn sessions(State(edge): State<Arc<Edge>>, By(caller): By) -> Answer<Vec<SessionInfo>> {
    Ok(Data(edge.domain.sessions(&caller).await?))
}

/// Ends one of one's own sessions.
#[utoipa::path(delete, path = "/api/v1/sessions/{id}", tag = "accounts", params(("id" = SessionId, Path)),
    responses((status = 200, body = Envelope<Nothing>)))]
async fn end_session(State(edge): State<Arc<Edge>>, By(caller): By, At(id): At<SessionId>) -> Answer<()> {
    edge.domain.end_session(&caller, id).await?;
    Ok(Data(()))
}

/// Who asks.
#[utoipa::path(get, path = "/api/v1/me", tag = "accounts", responses((status = 200, body = Envelope<Me>)))]
async fn me(Identified(known): Identified) -> Data<Me> {
    Data(Me { profile: known.profile, csrf_token: known.csrf_token })
}

/// Changes one's own profile; what is absent stays.
#[utoipa::path(patch, path = "/api/v1/me", tag = "accounts", request_body = UpdateProfile,
    responses((status = 200, body = Envelope<Profile>)))]
async fn update_profile(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    Json(change): Json<UpdateProfile>,
) -> Answer<Profile> {
    Ok(Data(edge.domain.update_profile(&caller, change).await?))
}

/// Changes the password and ends all other sessions.
#[utoipa::path(put, path = "/api/v1/me/password", tag = "accounts", request_body = ChangePassword,
    responses((status = 200, body = Envelope<Nothing>)))]
async fn change_password(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    source: Source,
    Json(change): Json<ChangePassword>,
) -> Answer<()> {
    let account = caller.user_id.to_string();
    edge.limits.check(Limited::SignInToAccount, Who::account_from(source.address, &account))?;
    edge.domain.change_password(&caller, change).await?;
    Ok(Data(()))
}

/// Sets one's own picture: PNG, JPEG or WebP, at most 256 KB.
#[utoipa::path(put, path = "/api/v1/me/picture", tag = "accounts",
    request_body(content((Vec<u8> = "image/png"), (Vec<u8> = "image/jpeg"), (Vec<u8> = "image/webp"))),
    responses((status = 200, body = Envelope<Profile>)))]
async fn set_picture(State(edge): State<Arc<Edge>>, By(caller): By, request: Request) -> Answer<Profile> {
    let content_type = media_type(request.headers())
        .filter(|kind| matches!(kind.as_str(), "image/png" | "image/jpeg" | "image/webp"))
        .ok_or_else(|| wrong_type("image/png, image/jpeg or image/webp"))?;
    let bytes = read(request, PICTURE_LIMIT).await?.to_vec();
    Ok(Data(edge.domain.set_picture(&caller, Picture { content_type, bytes }).await?))
}

/// Removes one's own picture.
#[utoipa::path(delete, path = "/api/v1/me/picture", tag = "accounts", responses((status = 200, body = Envelope<Profile>)))]
async fn remove_picture(State(edge): State<Arc<Edge>>, By(caller): By) -> Answer<Profile> {
    Ok(Data(edge.domain.remove_picture(&caller).await?))
}

/// The picture of a person.
#[utoipa::path(get, path = "/api/v1/users/{id}/picture", tag = "accounts", params(("id" = UserId, Path)),
    responses((status = 200, description = "The image.", body = Vec<u8>, content_type = "image/*")))]
async fn picture(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    At(id): At<UserId>,
) -> Result<Response, Failure> {
    let picture = edge.domain.picture(&caller, id).await?;
    let content_type = HeaderValue::try_from(picture.content_type).map_err(|_| Failure::internal())?;
    let mut response = picture.bytes.into_response();
    never_store(&mut response);
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    // Its address stays when the picture changes: keep it for a page or two, no longer.
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=60"));
    Ok(response)
}

/// Everyone with an account. For admins.
#[utoipa::path(get, path = "/api/v1/users", tag = "accounts", responses((status = 200, body = Envelope<Vec<UserInfo>>)))]
async fn users(State(edge): State<Arc<Edge>>, By(caller): By) -> Answer<Vec<UserInfo>> {
    Ok(Data(edge.domain.users(&caller).await?))
}

/// Makes an account. For admins.
#[utoipa::path(post, path = "/api/v1/users", tag = "accounts", request_body = CreateUser,
    responses((status = 201, body = Envelope<UserInfo>)))]
async fn create_user(
    State(edge): State<Arc<Edge>>,
    By(caller): By,
    Json(user): Json<CreateUser>,
) -> Result<Created<UserInfo>, Failure> {
    Ok(Created(edge.domain.create_user(&caller, user).await?))
}
