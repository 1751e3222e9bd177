//! Who asks: the session cookie, which needs the CSRF token with every change, or an API key. A
//! handler that takes [`By`] or [`Identified`] cannot be reached without.

use crate::envelope::Failure;
use crate::limits::{Limited, Who};
use crate::origin;
use crate::state::Edge;
use crate::visitor::Source;
use axum::extract::FromRequestParts;
use domain::{Authenticated, Caller, NewSession, Visitor};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use shared::ErrorCode;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use subtle::ConstantTimeEq as _;

const SESSION_COOKIE: &str = "sidebar_session";
const SESSION_LIFETIME: Duration = domain::SESSION_LIFETIME.unsigned_abs();
const CSRF_TOKEN: HeaderName = HeaderName::from_static("x-csrf-token");
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const API_KEY_PREFIX: &str = "sb_sk_";
/// Longer than any token this server ever gave out.
const LONGEST_TOKEN: usize = 256;
/// As much of a browser's description of itself as is kept.
const LONGEST_USER_AGENT: usize = 300;

/// The caller of a request.
pub struct By(pub Caller);

/// The caller with their profile and CSRF token.
pub struct Identified(pub Authenticated);

/// The caller, if there is one: never a reason to refuse.
pub struct Perhaps(pub Option<Caller>);

/// Marks calls that the server's own pages make in process: they are part of a request that was
/// counted already.
#[derive(Clone, Copy)]
pub struct InProcess;

impl FromRequestParts<Arc<Edge>> for By {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, edge: &Arc<Edge>) -> Result<Self, Failure> {
        identify(parts, edge).await.map(|known| Self(known.caller))
    }
}

impl FromRequestParts<Arc<Edge>> for Identified {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, edge: &Arc<Edge>) -> Result<Self, Failure> {
        identify(parts, edge).await.map(Self)
    }
}

impl FromRequestParts<Arc<Edge>> for Perhaps {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, edge: &Arc<Edge>) -> Result<Self, Infallible> {
        if credential(&parts.headers).is_none() {
            return Ok(Self(None));
        }
        Ok(Self(identify(parts, edge).await.ok().map(|known| known.caller)))
    }
}

impl FromRequestParts<Arc<Edge>> for Source {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Edge>) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Source>().copied().unwrap_or(Source::UNKNOWN))
    }
}

/// Whether the caller shows anything of a session or a key.
pub fn shows_credential(headers: &HeaderMap) -> bool {
    credential(headers).is_some()
}

enum Credential<'a> {
    ApiKey(&'a str),
    Session(&'a str),
}

/// What the caller shows. A key that is named counts before a cookie that a browser just adds.
fn credential(headers: &HeaderMap) -> Option<Credential<'_>> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        return Some(Credential::ApiKey(bearer(value).unwrap_or_default()));
    }
    if let Some(value) = headers.get(API_KEY) {
        return Some(Credential::ApiKey(value.to_str().unwrap_or_default()));
    }
    session_token(headers).map(Credential::Session)
}

/// The token of `Authorization: Bearer …`.
pub fn bearer(value: &HeaderValue) -> Option<&str> {
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The session in the cookie.
pub fn session_token(headers: &HeaderMap) -> Option<&str> {
    cookie_named(headers, SESSION_COOKIE)
}

/// The value of a cookie.
pub fn cookie_named<'a>(headers: &'a HeaderMap, wanted: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, value)| (name == wanted).then_some(value))
}

/// The caller, or why there is none.
pub async fn identify(parts: &mut Parts, edge: &Edge) -> Result<Authenticated, Failure> {
    let source = parts.extensions.get::<Source>().copied().unwrap_or(Source::UNKNOWN);
    let in_process = parts.extensions.get::<InProcess>().is_some();
    let credential = credential(&parts.headers).ok_or_else(Failure::unauthenticated)?;
    let known = match credential {
        Credential::ApiKey(key) if plausible(key) && key.starts_with(API_KEY_PREFIX) => {
            edge.domain.authenticate_key(key).await?
        }
        Credential::Session(token) if plausible(token) => edge.domain.authenticate_session(token).await?,
        Credential::ApiKey(_) | Credential::Session(_) => None,
    };
    let Some(known) = known else {
        if !in_process {
            edge.limits.check(Limited::Refused, Who::address(source.address))?;
        }
        return Err(Failure::unauthenticated());
    };
    if !in_process {
        edge.limits.check(Limited::Request, Who::User(known.caller.user_id))?;
    }
    if let Credential::Session(_) = credential
        && changes(&parts.method)
    {
        let sent = parts.headers.get(CSRF_TOKEN).map(HeaderValue::as_bytes);
        check_csrf(&known, sent)?;
    }
    Ok(known)
}

fn plausible(token: &str) -> bool {
    (1..=LONGEST_TOKEN).contains(&token.len()) && token.bytes().all(|b| b.is_ascii_graphic())
}

/// Whether a request with this method may change something.
pub fn changes(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Refuses a change that did not come from a page of this session.
pub fn check_csrf(known: &Authenticated, sent: Option<&[u8]>) -> Result<(), Failure> {
    let expected = known.csrf_token.as_deref();
    let same = matches!((expected, sent), (Some(e), Some(s)) if bool::from(e.as_bytes().ct_eq(s)));
    if same {
        return Ok(());
    }
    Err(Failure::new(
        ErrorCode::CsrfFailed,
        "The X-CSRF-Token header is missing or is not this session's. Load the page again, or take the token from GET /api/v1/me.",
    ))
}

/// Whether two secrets are the same, in a time that tells nothing about where they differ.
pub fn same_secret(a: &str, b: &str) -> bool {
    a.as_bytes().ct_eq(b.as_bytes()).into()
}

/// Where a sign-in comes from, as the list of sessions will show it.
pub fn visitor(source: Source, headers: &HeaderMap) -> Visitor {
    let user_agent =
        headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    Visitor { address: source.address, user_agent: user_agent.chars().take(LONGEST_USER_AGENT).collect() }
}

/// The `Set-Cookie` that begins a session in the browser.
pub fn session_cookie(session: &NewSession, headers: &HeaderMap) -> Result<HeaderValue, Failure> {
    cookie(SESSION_COOKIE, &session.token, SESSION_LIFETIME, headers)
}

/// The `Set-Cookie` that ends it.
pub fn ended_cookie(headers: &HeaderMap) -> Result<HeaderValue, Failure> {
    cookie(SESSION_COOKIE, "", Duration::ZERO, headers)
}

/// A `Set-Cookie` that no script reads and no other site's form sends along.
pub fn cookie(
    name: &str,
    value: &str,
    lifetime: Duration,
    headers: &HeaderMap,
) -> Result<HeaderValue, Failure> {
    // On loopback there is no TLS, and nothing on the way that could listen.
    let secure = if origin::host_is_loopback(headers) { "" } else { "; Secure" };
    let seconds = lifetime.as_secs();
    HeaderValue::try_from(format!(
        "{name}={value}; HttpOnly; SameSite=Lax; Path=/; Max-Age={seconds}{secure}"
    ))
    .map_err(|_| Failure::internal())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::try_from(*value).unwrap())).collect()
    }

    #[test]
    fn the_session_is_found_among_other_cookies() {
        let headers = headers(&[(header::COOKIE, "theme=dark; sidebar_session=abc; layout=%7B%7D")]);
        assert_eq!(session_token(&headers), Some("abc"));
    }

    #[test]
    fn a_cookie_of_a_similar_name_is_not_the_session() {
        let headers = headers(&[(header::COOKIE, "xsidebar_session=abc; sidebar_sessions=def")]);
        assert_eq!(session_token(&headers), None);
    }

    #[test]
    fn a_key_counts_before_a_cookie() {
        let cookie = (header::COOKIE, "sidebar_session=abc");
        for key in [(header::AUTHORIZATION, "bearer sb_sk_1"), (API_KEY, "sb_sk_1")] {
            let headers = headers(&[cookie.clone(), key]);
            assert!(matches!(credential(&headers), Some(Credential::ApiKey("sb_sk_1"))));
        }
    }

    #[test]
    fn another_scheme_never_falls_back_to_the_cookie() {
        let headers =
            headers(&[(header::COOKIE, "sidebar_session=abc"), (header::AUTHORIZATION, "Basic YTpi")]);
        assert!(matches!(credential(&headers), Some(Credential::ApiKey(""))));
    }

    #[test]
    fn the_cookie_is_secure_everywhere_but_on_loopback() {
        let at = |host: &str| {
            let value =
                cookie(SESSION_COOKIE, "t", SESSION_LIFETIME, &headers(&[(header::HOST, host)])).unwrap();
            value.to_str().unwrap().to_owned()
        };
        assert_eq!(
            at("sidebar.example"),
            "sidebar_session=t; HttpOnly; SameSite=Lax; Path=/; Max-Age=2592000; Secure"
        );
        assert!(!at("127.0.0.1:3000").contains("Secure"));
        assert!(at("localhost.evil.example").contains("Secure"));
    }
}
