//! What every request meets whatever it asks for: hosts, origins, methods, old paths, headers.

use crate::application::{Application, Person};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

async fn with(person: &Person, method: Method, path: &str, headers: &[(&str, &str)]) -> Response {
    let request = person.request(method, path);
    headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).send().await.unwrap()
}

#[tokio::test]
async fn a_host_that_is_not_ours_is_refused_on_every_path() {
    let app = Application::start().await;
    for path in ["/", "/api/health", "/api/v1/me", "/assets/x.js", "/metrics"] {
        let response = with(&app.visitor(), Method::GET, path, &[("host", "evil.example")]).await;
        assert_eq!(response.status().as_u16(), 421, "{path}");
        assert_eq!(response.json::<Value>().await.unwrap()["error_code"], "HOST_NOT_ALLOWED");
    }
    let response = with(&app.visitor(), Method::GET, "/api/health", &[("host", "localhost")]).await;
    assert_eq!(response.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_page_of_another_site_cannot_sign_anyone_in_or_send_a_beacon() {
    let app = Application::start().await;
    app.set_up().await;
    let post = |path: &'static str, origin: Option<String>, body: Value| {
        let request = app.visitor().request(Method::POST, path).json(&body);
        let request = origin.into_iter().fold(request, |request, origin| request.header("origin", origin));
        async move { request.send().await.unwrap().status() }
    };
    let sign_in = json!({"email": "owner@example.org", "password": "wrong password"});
    let vital = json!({"name": "lcp", "value": 12.5});
    let (ours, theirs) = (format!("http://{}", app.address), "http://evil.example".to_owned());
    assert_eq!(post("/api/v1/sessions", Some(theirs.clone()), sign_in.clone()).await, StatusCode::FORBIDDEN);
    assert_eq!(post("/api/v1/sessions", Some(ours.clone()), sign_in).await, StatusCode::UNAUTHORIZED);
    assert_eq!(post("/api/v1/metrics/web-vitals", Some(theirs), vital.clone()).await, StatusCode::FORBIDDEN);
    assert_eq!(post("/api/v1/metrics/web-vitals", None, vital.clone()).await, StatusCode::FORBIDDEN);
    assert_eq!(post("/api/v1/metrics/web-vitals", Some(ours.clone()), vital).await, StatusCode::NO_CONTENT);
    let wrong = json!({"name": "lcp", "value": -1});
    assert_eq!(post("/api/v1/metrics/web-vitals", Some(ours), wrong).await, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn paths_without_a_version_lead_to_the_version_and_say_that_they_end() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    let get = owner.send(Method::GET, "/api/conversations?limit=1", None).await;
    assert_eq!(get.status(), StatusCode::MOVED_PERMANENTLY);
    assert_eq!(get.headers()["location"], "/api/v1/conversations?limit=1");
    assert_eq!(get.headers()["deprecation"], "true");
    let post = owner.send(Method::POST, "/api/conversations", Some(json!({}))).await;
    assert_eq!(post.status(), StatusCode::PERMANENT_REDIRECT);
    assert!(post.headers().contains_key("sunset"));
}

#[tokio::test]
async fn unknown_addresses_and_methods_are_refused_in_the_envelope() {
    let app = Application::start().await;
    let visitor = app.visitor();
    visitor.get("/api/v1/nothing").await.refused(404, "NOT_FOUND");
    visitor.get("/api/v1").await.refused(404, "NOT_FOUND");
    let wrong = visitor.send(Method::DELETE, "/api/v1/models", None).await;
    assert_eq!(wrong.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert!(wrong.headers()["allow"].to_str().unwrap().contains("GET"));
}

#[tokio::test]
async fn every_answer_is_secured_and_named() {
    let app = Application::start().await;
    for path in ["/api/health", "/sign-in", "/api/v1/me", "/assets/none.js", "/api/v1/reference"] {
        let response = with(&app.visitor(), Method::GET, path, &[("x-request-id", "my-id-7")]).await;
        let headers = response.headers();
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(headers["x-request-id"], "my-id-7", "{path}");
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}");
        assert!(!policy.contains("unsafe-inline"), "{path}");
    }
    let made_up = with(&app.visitor(), Method::GET, "/api/v1/me", &[("x-request-id", "a b\"c")]).await;
    let id = made_up.headers()["x-request-id"].to_str().unwrap().to_owned();
    assert_ne!(id, "a b\"c");
    assert_eq!(made_up.json::<Value>().await.unwrap()["request_id"], id);
}

#[tokio::test]
async fn large_answers_are_compressed_and_streams_are_not() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    let br = [("accept-encoding", "br")];
    let document = with(&owner, Method::GET, "/api/v1/openapi.json", &br).await;
    assert_eq!(document.headers()["content-encoding"], "br");
    assert!(!with(&owner, Method::GET, "/api/health", &br).await.headers().contains_key("content-encoding"));
    let conversation = owner.conversation().await;
    let request = owner.request(Method::POST, &format!("/api/v1/conversations/{conversation}/messages"));
    let stream =
        request.header("accept-encoding", "br").json(&json!({"content": "hello"})).send().await.unwrap();
    assert!(!stream.headers().contains_key("content-encoding"));
    assert_eq!(stream.headers()["cache-control"], "no-store");
    assert_eq!(stream.headers()["x-accel-buffering"], "no");
}

#[tokio::test]
async fn metrics_are_for_this_machine() {
    let app = Application::start().await;
    let here = app.visitor().send(Method::GET, "/metrics", None).await;
    assert_eq!(here.status(), StatusCode::OK);
    let forwarded = with(&app.visitor(), Method::GET, "/metrics", &[("x-forwarded-for", "127.0.0.1")]).await;
    assert_eq!(forwarded.status(), StatusCode::FORBIDDEN);
}
