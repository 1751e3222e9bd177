//! Paths of before there were versions: `/api/…` leads to `/api/v1/…` and says that it is going away.

use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header};

/// When unversioned paths stop working (RFC 8594).
const SUNSET: &str = "Fri, 31 Dec 2027 23:59:59 GMT";

/// Where an unversioned path leads, or none when it is not one.
fn successor(uri: &Uri) -> Option<String> {
    let rest = uri.path().strip_prefix("/api/")?;
    if rest == "health" || rest == "v1" || rest.starts_with("v1/") {
        return None;
    }
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    Some(format!("/api/v1/{rest}{query}"))
}

/// The redirect for an unversioned path. Reading moves with 301; anything else with 308, which
/// keeps the method and the body.
pub fn redirect(method: &Method, uri: &Uri) -> Option<Response> {
    let target = HeaderValue::try_from(successor(uri)?).ok()?;
    let link = format!("<{}>; rel=\"successor-version\"", target.to_str().ok()?);
    let status = match *method {
        Method::GET | Method::HEAD => StatusCode::MOVED_PERMANENTLY,
        _ => StatusCode::PERMANENT_REDIRECT,
    };
    let headers = [
        (header::LOCATION, target),
        (HeaderName::from_static("deprecation"), HeaderValue::from_static("true")),
        (HeaderName::from_static("sunset"), HeaderValue::from_static(SUNSET)),
        (header::LINK, HeaderValue::try_from(link).ok()?),
    ];
    Some((status, headers).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redirect(method: Method, uri: &'static str) -> Option<(u16, String)> {
        super::redirect(&method, &Uri::from_static(uri)).map(|response| {
            let location = response.headers()[header::LOCATION].to_str().unwrap().to_owned();
            assert_eq!(response.headers()["deprecation"], "true");
            assert!(response.headers().contains_key("sunset"));
            assert!(response.headers()[header::LINK].to_str().unwrap().contains(&location));
            (response.status().as_u16(), location)
        })
    }

    #[test]
    fn reading_moves_with_301_and_keeps_the_query() {
        assert_eq!(
            redirect(Method::GET, "/api/conversations?q=a%20b"),
            Some((301, "/api/v1/conversations?q=a%20b".into()))
        );
    }

    #[test]
    fn writing_moves_with_308_so_that_the_body_survives() {
        assert_eq!(redirect(Method::POST, "/api/sessions"), Some((308, "/api/v1/sessions".into())));
    }

    #[test]
    fn health_versioned_paths_and_pages_do_not_move() {
        for path in ["/api/health", "/api/v1", "/api/v1/nothing", "/api", "/c/1"] {
            assert_eq!(redirect(Method::GET, path), None, "{path}");
        }
    }

    #[test]
    fn a_redirect_never_leaves_this_server() {
        let (_, location) = redirect(Method::GET, "/api//elsewhere.example/x").unwrap();
        assert!(location.starts_with("/api/v1/"));
    }
}
