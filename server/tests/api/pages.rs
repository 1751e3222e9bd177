//! Pages and forms as a browser without scripts uses them.

use crate::application::{Application, PASSWORD, Person};
use reqwest::{Method, Response, StatusCode};

async fn open(person: &Person, path: &str) -> Response {
    person.send(Method::GET, path, None).await
}

async fn post(person: &Person, path: &str, fields: &[(&str, &str)]) -> Response {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let request = person.request(Method::POST, path).header("origin", &person.base);
    request.header("content-type", "application/x-www-form-urlencoded").body(body).send().await.unwrap()
}

fn location(response: &Response) -> &str {
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    response.headers()["location"].to_str().unwrap()
}

#[tokio::test]
async fn an_empty_server_leads_to_set_up_and_set_up_leads_in() {
    let app = Application::start().await;
    let visitor = app.visitor();
    assert_eq!(location(&open(&visitor, "/").await), "/setup");
    assert_eq!(open(&visitor, "/setup").await.status(), StatusCode::OK);
    let fields = [("email", "o@example.org"), ("display_name", "O"), ("password", PASSWORD), ("code", "")];
    let done = post(&visitor, "/setup", &fields).await;
    assert_eq!(location(&done), "/");
    assert!(done.headers()["set-cookie"].to_str().unwrap().contains("HttpOnly"));
    assert_eq!(location(&post(&visitor, "/setup", &fields).await), "/setup?error=SETUP_DONE");
}

#[tokio::test]
async fn signed_out_one_is_led_to_sign_in_and_back() {
    let app = Application::start().await;
    app.set_up().await;
    let visitor = app.visitor();
    let led = open(&visitor, "/search?q=a%20b").await;
    assert_eq!(location(&led), "/sign-in?next=%2Fsearch%3Fq%3Da%2520b");
    let page = open(&visitor, location(&led)).await;
    assert_eq!(page.status(), StatusCode::OK);
    assert!(page.text().await.unwrap().contains("value=\"/search?q=a%20b\""));
    let sign_in = |password: &'static str, next: &'static str| {
        let visitor = visitor.clone();
        async move {
            let fields = [("email", "owner@example.org"), ("password", password), ("next", next)];
            location(&post(&visitor, "/sign-in", &fields).await).to_owned()
        }
    };
    assert_eq!(sign_in(PASSWORD, "/search?q=a%20b").await, "/search?q=a%20b");
    assert_eq!(sign_in(PASSWORD, "//evil.example").await, "/");
    assert_eq!(sign_in(PASSWORD, "https://evil.example").await, "/");
    assert_eq!(sign_in("wrong password", "/bin").await, "/sign-in?error=WRONG_CREDENTIALS&next=%2Fbin");
}

#[tokio::test]
async fn signing_out_by_the_form_needs_the_token() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    assert_eq!(post(&owner, "/sign-out", &[("csrf", "wrong")]).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(open(&owner, "/api/v1/me").await.status(), StatusCode::OK);
    let csrf = owner.csrf.clone().unwrap();
    let out = post(&owner, "/sign-out", &[("csrf", &csrf)]).await;
    assert_eq!(location(&out), "/sign-in");
    assert!(out.headers()["set-cookie"].to_str().unwrap().contains("Max-Age=0"));
    assert_eq!(open(&owner, "/api/v1/me").await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_page_runs_only_scripts_with_its_own_nonce() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    let mut nonces = Vec::new();
    for _ in 0..2 {
        let page = open(&owner, "/c").await;
        assert_eq!(page.status(), StatusCode::OK);
        let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
        let script = policy.split(';').find(|part| part.trim().starts_with("script-src")).unwrap();
        assert!(!script.contains("unsafe-inline") && !script.contains("'unsafe-eval'"), "{script}");
        let nonce = script.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap().to_owned();
        let html = page.text().await.unwrap();
        for tag in html.split("<script").skip(1) {
            let tag = tag.split('>').next().unwrap();
            assert!(tag.contains(&format!("nonce=\"{nonce}\"")), "<script{tag}>");
        }
        nonces.push(nonce);
    }
    assert_ne!(nonces[0], nonces[1]);
}

#[tokio::test]
async fn a_page_carries_the_persons_data_without_any_script() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    let conversation = owner.conversation().await;
    let rename = serde_json::json!({"title": "The plan for the garden"});
    owner.patch(&format!("/api/v1/conversations/{conversation}"), rename).await.ok();
    for path in ["/".to_owned(), format!("/c/{conversation}")] {
        let html = open(&owner, &path).await.text().await.unwrap();
        assert!(html.contains("The plan for the garden"), "{path}");
    }
    assert_eq!(open(&owner, "/no/such/page").await.status(), StatusCode::NOT_FOUND);
}
