//! Which names this server answers to, and which pages may send it forms, beacons and sockets.
//! A name from outside is compared, never resolved.

use crate::envelope::Failure;
use crate::state::Edge;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::uri::Authority;
use http::{HeaderMap, header};
use shared::ErrorCode;
use std::net::IpAddr;
use std::sync::Arc;
use url::Url;

/// The names this server answers to: loopback, its public name, and what the operator added.
pub struct Hosts {
    names: Vec<String>,
    public: Option<Url>,
}

/// What to do with a request that has no `Origin`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    /// A program may leave it out; a browser never does where it matters.
    Accept,
    Refuse,
}

impl Hosts {
    pub fn new(public: Option<Url>, allowed: &[String]) -> Self {
        let names = public
            .as_ref()
            .and_then(|url| url.host_str())
            .into_iter()
            .chain(allowed.iter().map(String::as_str))
            .map(|name| name.trim().to_ascii_lowercase())
            .filter(|name| !name.is_empty())
            .collect();
        Self { names, public }
    }

    /// Whether a `Host` header, with or without a port, names this server.
    pub fn allow(&self, host: &str) -> bool {
        let Some(name) = host_name(host) else { return false };
        is_loopback(&name) || self.names.contains(&name)
    }

    /// Refuses a request that a page of another site sent.
    pub fn check_origin(&self, headers: &HeaderMap, absent: Absent) -> Result<(), Failure> {
        let refused = || {
            Failure::new(
                ErrorCode::OriginNotAllowed,
                "This was sent by a page of another site. Open sideBar itself and try again.",
            )
        };
        let Some(origin) = headers.get(header::ORIGIN) else {
            let site = headers.get("sec-fetch-site").map(|site| site.as_bytes());
            let same = matches!(site, None | Some(b"same-origin" | b"none"));
            return if absent == Absent::Accept && same { Ok(()) } else { Err(refused()) };
        };
        let origin = origin.to_str().ok().and_then(|text| Url::parse(text).ok()).ok_or_else(refused)?;
        let ours = self.public.as_ref().is_some_and(|public| public.origin() == origin.origin())
            || host_header(headers).is_some_and(|host| self.allow(host) && is_origin_of(&origin, host));
        if ours { Ok(()) } else { Err(refused()) }
    }
}

/// Whether a page of `origin` was served under the `Host` header `host`, by HTTP or by HTTPS: a
/// proxy may have ended the TLS.
fn is_origin_of(origin: &Url, host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    if !matches!(origin.scheme(), "http" | "https") {
        return false;
    }
    let port = authority.port_u16().or(match origin.scheme() {
        "https" => Some(443),
        _ => Some(80),
    });
    origin.port_or_known_default() == port
        && origin.host_str().is_some_and(|name| name.eq_ignore_ascii_case(authority.host()))
}

fn host_header(headers: &HeaderMap) -> Option<&str> {
    let mut all = headers.get_all(header::HOST).iter();
    let one = all.next()?;
    if all.next().is_some() { None } else { one.to_str().ok() }
}

/// The name in a `Host` header, in lower case and without its port.
fn host_name(host: &str) -> Option<String> {
    let authority: Authority = host.parse().ok()?;
    let has_user = authority.as_str().contains('@');
    (!has_user).then(|| authority.host().to_ascii_lowercase())
}

fn is_loopback(name: &str) -> bool {
    let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    name == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Whether the request calls this server by a name of its own machine.
pub fn host_is_loopback(headers: &HeaderMap) -> bool {
    host_header(headers).and_then(host_name).is_some_and(|name| is_loopback(&name))
}

/// Refuses requests under a name that is not ours: a page elsewhere may have pointed its own name
/// at this machine.
pub async fn check_host(State(edge): State<Arc<Edge>>, request: Request, next: Next) -> Response {
    let by_header = host_header(request.headers()).is_some_and(|host| edge.hosts.allow(host));
    let by_target = request.uri().authority().is_none_or(|target| edge.hosts.allow(target.as_str()));
    if by_header && by_target {
        return next.run(request).await;
    }
    Failure::new(
        ErrorCode::HostNotAllowed,
        "This server does not answer under this name. Whoever runs it can add the name with SIDEBAR_PUBLIC_URL.",
    )
    .into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn hosts() -> Hosts {
        let public = Url::parse("https://sidebar.example").unwrap();
        Hosts::new(Some(public), &["Box.local".to_owned()])
    }

    fn check(origin: Option<&str>, host: &str, absent: Absent) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::try_from(host).unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, HeaderValue::try_from(origin).unwrap());
        }
        hosts().check_origin(&headers, absent).is_ok()
    }

    #[test]
    fn loopback_the_public_name_and_added_names_are_answered() {
        for host in [
            "localhost",
            "localhost:3000",
            "LOCALHOST",
            "127.0.0.1:3000",
            "127.9.9.9",
            "[::1]:3000",
            "sidebar.example",
            "Sidebar.Example:443",
            "box.local",
        ] {
            assert!(hosts().allow(host), "{host}");
        }
    }

    #[test]
    fn any_other_name_is_refused() {
        for host in [
            "evil.example",
            "localhost.evil.example",
            "sidebar.example.evil.example",
            "192.0.2.1",
            "",
            "localhost@evil.example",
            "evil.example@localhost",
            "a b",
            "[::2]",
        ] {
            assert!(!hosts().allow(host), "{host}");
        }
    }

    #[test]
    fn our_own_pages_may_send() {
        assert!(check(Some("http://localhost:3000"), "localhost:3000", Absent::Refuse));
        assert!(check(Some("http://[::1]:3000"), "[::1]:3000", Absent::Refuse));
        assert!(check(Some("https://sidebar.example"), "sidebar.example", Absent::Refuse));
        assert!(
            check(Some("https://sidebar.example"), "localhost:3000", Absent::Refuse),
            "behind a proxy that changes Host"
        );
        assert!(check(Some("https://box.local"), "box.local", Absent::Refuse));
    }

    #[test]
    fn pages_of_others_may_not() {
        for origin in [
            "https://evil.example",
            "http://localhost:4000",
            "http://localhost",
            "null",
            "",
            "https://sidebar.example:8443",
            "http://127.0.0.1:3000",
            "file://localhost:3000",
        ] {
            assert!(!check(Some(origin), "localhost:3000", Absent::Accept), "{origin}");
        }
    }

    #[test]
    fn a_missing_origin_is_accepted_only_where_programs_may_leave_it_out() {
        assert!(check(None, "localhost:3000", Absent::Accept));
        assert!(!check(None, "localhost:3000", Absent::Refuse));
    }

    #[test]
    fn a_browser_that_says_cross_site_is_refused_without_an_origin() {
        let headers = HeaderMap::from_iter([
            (header::HOST, HeaderValue::from_static("localhost")),
            (http::HeaderName::from_static("sec-fetch-site"), HeaderValue::from_static("cross-site")),
        ]);
        assert!(hosts().check_origin(&headers, Absent::Accept).is_err());
    }
}
