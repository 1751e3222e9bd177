//! Pages from the server: who asks, which page answers, and the app's own API calls in process.
//! Only for the server half. It knows no table and no session store: it asks `/api/v1` like the
//! browser does, with the browser's headers.

use crate::assets::Assets;
use crate::client::api::{Body as ApiBody, Call, Method, encode, problem_of, query_value};
use crate::client::clock::offset_of_minutes;
use crate::frame::layout::LayoutState;
use crate::frame::theme::Theme;
use crate::route::Route;
pub use crate::shell::PlainPage;
use crate::shell::{plain_shell, shell};
use crate::workspace::Start;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header};
use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos_axum::ResponseOptions;
use serde::Deserialize;
use shared::account::{Me, Profile, Role};
use shared::{Envelope, ErrorCode, Problem, UserId};
use time::OffsetDateTime;
use tower::ServiceExt;

/// The largest answer of the API that a page may be made of.
const LARGEST_ANSWER_BYTES: usize = 32 * 1024 * 1024;

/// What the edge gives to the pages, once.
#[derive(Clone)]
pub struct Site {
    /// The API's routes, with their `/api/v1` prefix and everything that guards them.
    pub router: Router,
    pub assets: Assets,
    /// Told to the browser, which reloads when the socket names another.
    pub build: String,
    /// The `Content-Security-Policy` for a page whose scripts and styles carry this nonce.
    pub content_security_policy: fn(nonce: &str) -> String,
}

/// The request that a page is rendered for. Given as context.
#[derive(Clone)]
struct Asker {
    router: Router,
    /// The browser's, so that the API sees who asks and from where.
    headers: HeaderMap,
    extensions: axum::http::Extensions,
}

#[derive(Deserialize)]
struct SetupState {
    needed: bool,
    code_required: bool,
}

/// Answers a request for a page, whatever its path: to be mounted behind all other routes.
pub async fn page(site: Site, request: Request<Body>) -> Response<Body> {
    let asker = Asker {
        router: site.router.clone(),
        headers: request.headers().clone(),
        extensions: request.extensions().clone(),
    };
    let path = request.uri().path().to_owned();
    let query = request.uri().query().unwrap_or_default().to_owned();
    match asker.call::<Me>("/me").await {
        Ok(me) => match path.as_str() {
            "/sign-in" | "/setup" => redirect(&next_of(&query)),
            _ if Route::parse(&path).is_none() => {
                plain(&site, PlainPage::NotFound, StatusCode::NOT_FOUND, request).await
            }
            _ => workspace(&site, asker, me, request).await,
        },
        Err(problem) if problem.error_code == ErrorCode::Unauthenticated => {
            signed_out(&site, &asker, &path, &query, request).await
        }
        Err(problem) => failed(&site, problem, request).await,
    }
}

async fn signed_out(
    site: &Site,
    asker: &Asker,
    path: &str,
    query: &str,
    request: Request<Body>,
) -> Response<Body> {
    let setup = match asker.call::<SetupState>("/setup").await {
        Ok(setup) => setup,
        Err(problem) => return failed(site, problem, request).await,
    };
    let error = query_value(query, "error").and_then(|code| serde_json::from_value(code.into()).ok());
    match path {
        "/setup" if setup.needed => {
            let page = PlainPage::Setup { code_required: setup.code_required, error };
            plain(site, page, StatusCode::OK, request).await
        }
        _ if setup.needed => redirect("/setup"),
        "/setup" => redirect("/sign-in"),
        "/sign-in" => {
            plain(site, PlainPage::SignIn { next: next_of(query), error }, StatusCode::OK, request).await
        }
        _ if Route::parse(path).is_none() => {
            plain(site, PlainPage::NotFound, StatusCode::NOT_FOUND, request).await
        }
        "/" => redirect("/sign-in"),
        // somebody may have come by a link to this note
        _ if visits(asker, path).await => workspace(site, asker.clone(), visitor(), request).await,
        _ => {
            let here = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
            redirect(&format!("/sign-in?next={}", encode(&here)))
        }
    }
}

/// Whether this is a note that who asks may see without an account.
async fn visits(asker: &Asker, path: &str) -> bool {
    match Route::parse(path).and_then(Route::note) {
        Some(id) => asker.call::<serde::de::IgnoredAny>(&format!("/notes/{id}")).await.is_ok(),
        None => false,
    }
}

/// Stands for whoever came by a link.
fn visitor() -> Me {
    let profile = Profile {
        id: UserId(uuid::Uuid::nil()),
        email: String::new(),
        display_name: "Visitor".to_owned(),
        role: Role::Viewer,
        time_zone: String::new(),
        place: String::new(),
        picture_url: None,
        created_at: OffsetDateTime::UNIX_EPOCH,
    };
    Me { profile, csrf_token: None }
}

async fn failed(site: &Site, problem: Problem, request: Request<Body>) -> Response<Body> {
    let status =
        StatusCode::from_u16(problem.error_code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = plain(site, PlainPage::Failed(problem), status, request).await;
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    }
    response
}

/// Where to go after signing in: only ever a path of ours.
fn next_of(query: &str) -> String {
    query_value(query, "next")
        .filter(|next| next.starts_with('/') && !next.starts_with("//") && !next.contains(['\\', '\r', '\n']))
        .unwrap_or_else(|| "/".to_owned())
}

fn redirect(to: &str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    if let Ok(location) = HeaderValue::from_str(to) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn workspace(site: &Site, asker: Asker, me: Me, request: Request<Body>) -> Response<Body> {
    let start = Start {
        me,
        address: request.uri().path_and_query().map(ToString::to_string).unwrap_or_else(|| "/".to_owned()),
        now: OffsetDateTime::now_utc(),
        offset: offset_of_minutes(
            cookie(&asker.headers, "tz").and_then(|minutes| minutes.parse().ok()).unwrap_or(0),
        ),
        theme: theme_of(&asker.headers),
        layout: cookie(&asker.headers, "layout").map(|text| LayoutState::parse(&text)).unwrap_or_default(),
        writing: cookie(&asker.headers, "notes")
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default(),
        build: site.build.clone(),
    };
    let assets = site.assets.clone();
    let policy = site.content_security_policy;
    let render = leptos_axum::render_app_async_with_context(
        move || {
            provide_context(asker.clone());
            provide_context(start.clone());
            provide_context(assets.clone());
            guard(policy);
        },
        shell,
    );
    let is_clip = Route::parse(request.uri().path()) == Some(Route::Clip);
    let mut response = private(render(request).await);
    if is_clip {
        // The one page that takes something from the page that opened it: see `pages::saved::clip`.
        let policy = HeaderName::from_static("cross-origin-opener-policy");
        response.headers_mut().insert(policy, HeaderValue::from_static("unsafe-none"));
    }
    response
}

/// A page without the workspace around it and without any script.
pub async fn plain_page(
    site: &Site,
    page: PlainPage,
    status: StatusCode,
    request: Request<Body>,
) -> Response<Body> {
    plain(site, page, status, request).await
}

async fn plain(site: &Site, page: PlainPage, status: StatusCode, request: Request<Body>) -> Response<Body> {
    let theme = theme_of(request.headers());
    let assets = site.assets.clone();
    let policy = site.content_security_policy;
    let render = leptos_axum::render_app_async_with_context(
        move || {
            provide_context(assets.clone());
            guard(policy);
            if let Some(options) = use_context::<ResponseOptions>() {
                options.set_status(status);
            }
        },
        move || plain_shell(page.clone(), theme),
    );
    private(render(request).await)
}

/// Puts the content security policy with this page's nonce on the answer.
fn guard(policy: fn(&str) -> String) {
    if let (Some(nonce), Some(options)) = (use_nonce(), use_context::<ResponseOptions>())
        && let Ok(value) = HeaderValue::from_str(&policy(&nonce))
    {
        options.insert_header(header::CONTENT_SECURITY_POLICY, value);
    }
}

/// Pages hold what only one person may see: no store keeps them.
fn private(mut response: Response<Body>) -> Response<Body> {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Says with the status that the thing of this page does not exist. For pages whose data is missing.
pub fn not_found() {
    if let Some(options) = use_context::<ResponseOptions>() {
        options.set_status(StatusCode::NOT_FOUND);
    }
}

fn theme_of(headers: &HeaderMap) -> Theme {
    cookie(headers, "theme").map(|name| Theme::named(&name)).unwrap_or_default()
}

fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .find_map(|pair| {
            let (key, value) = pair.trim().split_once('=')?;
            (key == name).then(|| crate::client::api::decode(value))
        })
}

/// A call of [`crate::client::api`], in process.
pub(crate) fn exchange(method: Method, path: String, body: ApiBody) -> Call<String> {
    let Some(asker) = use_context::<Asker>() else {
        let problem = Problem::new(ErrorCode::Internal, "This page was rendered without a server behind it.");
        return Box::pin(std::future::ready(Err(problem)));
    };
    Box::pin(async move { asker.exchange(method, &path, body).await })
}

impl Asker {
    async fn call<T: serde::de::DeserializeOwned>(&self, path: &str) -> Result<T, Problem> {
        let text = self.exchange(Method::Get, path, ApiBody::Empty).await?;
        serde_json::from_str::<Envelope<T>>(&text).map(|envelope| envelope.data).map_err(|cause| {
            Problem::new(ErrorCode::Internal, format!("The server's own answer could not be read: {cause}"))
        })
    }

    async fn exchange(&self, method: Method, path: &str, body: ApiBody) -> Result<String, Problem> {
        let internal =
            |cause: String| Problem::new(ErrorCode::Internal, format!("The page could not be made: {cause}"));
        let request = self.request(method, path, body).map_err(|cause| internal(cause.to_string()))?;
        let response = match self.router.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let status = response.status();
        let bytes = axum::body::to_bytes(response.into_body(), LARGEST_ANSWER_BYTES)
            .await
            .map_err(|cause| internal(cause.to_string()))?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if status.is_success() { Ok(text) } else { Err(problem_of(status.as_u16(), &text)) }
    }

    fn request(&self, method: Method, path: &str, body: ApiBody) -> Result<Request<Body>, axum::http::Error> {
        let verb = match method {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        };
        let (body, media_type) = match body {
            ApiBody::Empty => (Body::empty(), None),
            ApiBody::Json(json) => (Body::from(json), Some("application/json".to_owned())),
            ApiBody::Bytes(bytes, media_type) => (Body::from(bytes), Some(media_type)),
        };
        let mut request = Request::builder().method(verb).uri(format!("/api/v1{path}")).body(body)?;
        *request.headers_mut() = self.headers.clone();
        // what describes the page's own body and encoding says nothing about this call
        for name in
            [header::CONTENT_LENGTH, header::CONTENT_TYPE, header::ACCEPT_ENCODING, header::TRANSFER_ENCODING]
        {
            request.headers_mut().remove(name);
        }
        if let Some(media_type) = media_type {
            request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_str(&media_type)?);
        }
        *request.extensions_mut() = self.extensions.clone();
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_signing_in_one_stays_on_this_site() {
        assert_eq!(next_of("next=%2Fc%2F1"), "/c/1");
        for hostile in
            ["next=https%3A%2F%2Felsewhere", "next=%2F%2Felsewhere", "next=%2F%5Celsewhere", "next=x", ""]
        {
            assert_eq!(next_of(hostile), "/", "{hostile}");
        }
    }
}
