//! Pages and the three forms that work without scripts. The app renders; here is only the way in
//! and out. A redirect never leads to another site.

use crate::accounts::{begin_session, begin_setup};
use crate::authentication::{check_csrf, ended_cookie, session_cookie, session_token};
use crate::envelope::{Failure, never_store};
use crate::input::{media_type, read, wrong_type};
use crate::legacy;
use crate::origin::Absent;
use crate::state::Edge;
use crate::visitor::Source;
use app::server::Site;
use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use domain::NewSession;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use shared::ErrorCode;
use shared::account::{Setup, SignIn};
use std::sync::Arc;
use url::form_urlencoded;

const FORM_LIMIT: usize = 16 << 10;

/// The forms. Reading the same addresses shows their pages.
pub fn routes(site: &Site) -> Router<Arc<Edge>> {
    let page = || {
        let site = site.clone();
        get(move |request: Request| app::server::page(site.clone(), request))
    };
    Router::new()
        .route("/sign-in", page().merge(post(sign_in)))
        .route("/setup", page().merge(post(set_up)))
        .route("/sign-out", post(sign_out))
        .route("/robots.txt", get(|| async { "User-agent: *\nDisallow: /\n" }))
}

/// Whatever no route answers: an older API path, an unknown API path, or a page.
pub async fn anything_else(site: Site, request: Request) -> Response {
    let path = request.uri().path();
    if let Some(moved) = legacy::redirect(request.method(), request.uri()) {
        return moved;
    }
    if path == "/api" || path.starts_with("/api/") {
        return unknown_api_path().await.into_response();
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return wrong_method().await.into_response();
    }
    app::server::page(site, request).await
}

pub async fn unknown_api_path() -> Failure {
    Failure::new(
        ErrorCode::NotFound,
        "There is nothing at this address. The API is described at /api/v1/reference.",
    )
}

pub async fn wrong_method() -> Failure {
    Failure::new(
        ErrorCode::MethodNotAllowed,
        "This address does not take this method; the Allow header names those it takes.",
    )
}

/// The fields of a posted form.
pub struct Form(Vec<(String, String)>);

impl Form {
    pub async fn read(request: Request) -> Result<Self, Failure> {
        const KIND: &str = "application/x-www-form-urlencoded";
        if media_type(request.headers()).as_deref() != Some(KIND) {
            return Err(wrong_type(KIND));
        }
        let bytes = read(request, FORM_LIMIT).await?;
        Ok(Self(form_urlencoded::parse(&bytes).into_owned().collect()))
    }

    pub fn field(&self, name: &str) -> &str {
        self.0.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value)
    }
}

async fn sign_in(
    State(edge): State<Arc<Edge>>,
    source: Source,
    headers: HeaderMap,
    request: Request,
) -> Response {
    let form = match Form::read(request).await {
        Ok(form) => form,
        Err(failure) => return back_to("/sign-in", &failure, "/"),
    };
    let next = own_path(form.field("next"));
    let sign_in =
        SignIn { email: form.field("email").to_owned(), password: form.field("password").to_owned() };
    let begun = begin_session(&edge, source, &headers, sign_in).await;
    match begun.and_then(|session| welcome(&session, &headers, next)) {
        Ok(response) => response,
        Err(failure) => back_to("/sign-in", &failure, next),
    }
}

async fn set_up(
    State(edge): State<Arc<Edge>>,
    source: Source,
    headers: HeaderMap,
    request: Request,
) -> Response {
    let form = match Form::read(request).await {
        Ok(form) => form,
        Err(failure) => return back_to("/setup", &failure, "/"),
    };
    let setup = Setup {
        email: form.field("email").to_owned(),
        display_name: form.field("display_name").to_owned(),
        password: form.field("password").to_owned(),
        code: Some(form.field("code").to_owned()),
    };
    let begun = begin_setup(&edge, source, &headers, setup).await;
    match begun.and_then(|session| welcome(&session, &headers, "/")) {
        Ok(response) => response,
        Err(failure) => back_to("/setup", &failure, "/"),
    }
}

async fn sign_out(
    State(edge): State<Arc<Edge>>,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, Failure> {
    edge.hosts.check_origin(&headers, Absent::Accept)?;
    let form = Form::read(request).await?;
    if let Some(token) = session_token(&headers)
        && let Some(known) = edge.domain.authenticate_session(token).await?
    {
        check_csrf(&known, Some(form.field("csrf").as_bytes()))?;
        edge.domain.sign_out(&known.caller).await?;
    }
    let mut response = see_other("/sign-in");
    response.headers_mut().insert(header::SET_COOKIE, ended_cookie(&headers)?);
    Ok(response)
}

/// The redirect that begins a session.
pub fn welcome(session: &NewSession, headers: &HeaderMap, next: &str) -> Result<Response, Failure> {
    let mut response = see_other(next);
    response.headers_mut().insert(header::SET_COOKIE, session_cookie(session, headers)?);
    Ok(response)
}

/// Back to the form, which says what went wrong by the code.
fn back_to(form: &str, failure: &Failure, next: &str) -> Response {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("error", &code_name(failure.code()));
    if next != "/" {
        query.append_pair("next", next);
    }
    see_other(&format!("{form}?{}", query.finish()))
}

fn code_name(code: ErrorCode) -> String {
    serde_json::to_value(code).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}

/// Where to go after signing in: a path of ours, else the start.
fn own_path(next: &str) -> &str {
    let plain = next.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    if plain && next.starts_with('/') && !next.starts_with("//") { next } else { "/" }
}

/// A redirect to a path of ours, to be read.
pub fn see_other(path: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    let location = HeaderValue::try_from(path).unwrap_or(HeaderValue::from_static("/"));
    response.headers_mut().insert(header::LOCATION, location);
    never_store(&mut response);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_signing_in_one_stays_on_this_site() {
        for path in ["/", "/c/1?x=%2F", "/search?q=a%20b"] {
            assert_eq!(own_path(path), path);
        }
        for hostile in [
            "",
            "x",
            "//elsewhere.example",
            "/\\elsewhere.example",
            "https://elsewhere.example",
            "/a\r\nb",
            "/ä",
        ] {
            assert_eq!(own_path(hostile), "/", "{hostile:?}");
        }
    }

    #[test]
    fn a_failed_sign_in_leads_back_with_its_code_and_where_one_wanted_to_go() {
        let failure = Failure::new(ErrorCode::WrongCredentials, "…");
        let response = back_to("/sign-in", &failure, "/search?q=a&b");
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
        assert_eq!(
            response.headers()[header::LOCATION],
            "/sign-in?error=WRONG_CREDENTIALS&next=%2Fsearch%3Fq%3Da%26b"
        );
    }
}
