//! Making accounts, signing in and out, sessions, keys, and what protects them.

use crate::application::{Application, Differences, PASSWORD, Person};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and the rest of it";

async fn me(person: &Person) -> StatusCode {
    person.send(Method::GET, "/api/v1/me", None).await.status()
}

#[tokio::test]
async fn the_first_account_is_made_once() {
    let app = Application::start().await;
    let state = app.visitor().get("/api/v1/setup").await.ok();
    assert_eq!(state, json!({"needed": true, "code_required": false}));
    let owner = app.set_up().await;
    assert_eq!(owner.get("/api/v1/me").await.ok()["profile"]["role"], "admin");
    assert_eq!(app.visitor().get("/api/v1/setup").await.ok()["needed"], false);
    let again =
        json!({"email": "x@example.org", "display_name": "X", "password": PASSWORD, "code": "setup-code"});
    app.visitor().post("/api/v1/setup", again).await.refused(409, "SETUP_DONE");
}

#[tokio::test]
async fn set_up_from_elsewhere_needs_the_code() {
    let app = Application::start().await;
    let from_elsewhere = |code: Value| {
        let body = json!({"email": "o@example.org", "display_name": "O", "password": PASSWORD, "code": code});
        let request = app.visitor().request(Method::POST, "/api/v1/setup");
        request.header("x-forwarded-for", "127.0.0.1").json(&body).send()
    };
    for code in [Value::Null, json!(""), json!("setup-codf")] {
        let response = from_elsewhere(code).await.unwrap();
        assert_eq!(response.status(), StatusCode::FORBIDDEN);
        assert_eq!(response.json::<Value>().await.unwrap()["error_code"], "SETUP_CODE_REQUIRED");
    }
    assert_eq!(from_elsewhere(json!("setup-code")).await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn the_cookie_is_out_of_reach_of_scripts_and_of_other_sites() {
    let app = Application::start().await;
    app.set_up().await;
    let body = json!({"email": "owner@example.org", "password": PASSWORD});
    let response = app.visitor().send(Method::POST, "/api/v1/sessions", Some(body)).await;
    let cookie = response.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.starts_with("sidebar_session="));
    for attribute in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(!cookie.contains("Secure"), "on loopback there is no TLS: {cookie}");
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_account_get_the_same_answer() {
    let app = Application::start().await;
    app.set_up().await;
    let visitor = app.visitor();
    let mut answers = Vec::new();
    for email in ["owner@example.org", "nobody@example.org"] {
        let body = json!({"email": email, "password": "not the password"});
        let mut answer = visitor.post("/api/v1/sessions", body).await.refused(401, "WRONG_CREDENTIALS");
        answer["request_id"] = Value::Null;
        answers.push(answer);
    }
    assert_eq!(answers[0], answers[1]);
}

#[tokio::test]
async fn the_sixth_try_to_sign_in_within_a_minute_waits() {
    let app = Application::start_with(Differences { sign_in_per_minute: 5, ..Differences::default() }).await;
    app.set_up().await;
    let visitor = app.visitor();
    let body = json!({"email": "owner@example.org", "password": "not the password"});
    for _ in 0..5 {
        visitor.post("/api/v1/sessions", body.clone()).await.refused(401, "WRONG_CREDENTIALS");
    }
    let right = json!({"email": "owner@example.org", "password": PASSWORD});
    let response = visitor.send(Method::POST, "/api/v1/sessions", Some(right)).await;
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    let wait: u64 = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
}

#[tokio::test]
async fn a_change_with_the_cookie_needs_the_token_and_one_with_a_key_does_not() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    for csrf in [None, Some("another".to_owned()), Some(String::new())] {
        let person = Person { csrf, ..owner.clone() };
        person.post("/api/v1/conversations", json!({})).await.refused(403, "CSRF_FAILED");
        person.patch("/api/v1/me", json!({"display_name": "X"})).await.refused(403, "CSRF_FAILED");
        person.delete("/api/v1/sessions/current").await.refused(403, "CSRF_FAILED");
    }
    assert_eq!(owner.get("/api/v1/conversations").await.ok()["items"], json!([]));
    let program = owner.program().await;
    program.post("/api/v1/conversations", json!({})).await.expect(StatusCode::CREATED);
}

#[tokio::test]
async fn a_key_counts_in_both_headers_and_a_wrong_key_is_not_mended_by_a_cookie() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    let program = owner.program().await;
    let key = program.key.clone().unwrap();
    assert!(key.starts_with("sb_sk_"));
    let by_header = app.visitor().request(Method::GET, "/api/v1/me").header("x-api-key", &key).send().await;
    assert_eq!(by_header.unwrap().status(), StatusCode::OK);
    let both = Person { key: Some("sb_sk_wrong".into()), ..owner.clone() };
    assert_eq!(me(&both).await, StatusCode::UNAUTHORIZED);
    let listed = owner.get("/api/v1/keys").await.ok().to_string();
    assert!(!listed.contains(&key), "a key is shown once");
}

#[tokio::test]
async fn revoked_and_expired_keys_and_sessions_open_nothing() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    let (revoked, expired) = (owner.program().await, owner.program().await);
    assert_eq!(me(&revoked).await, StatusCode::OK);
    let keys = owner.get("/api/v1/keys").await.ok();
    let prefix = revoked.key.clone().unwrap();
    let id = keys.as_array().unwrap().iter().find_map(|key| {
        let shown = key["prefix"].as_str().unwrap().trim_end_matches('…');
        prefix.starts_with(shown).then(|| key["id"].as_str().unwrap().to_owned())
    });
    owner.delete(&format!("/api/v1/keys/{}", id.unwrap())).await.ok();
    revoked.get("/api/v1/me").await.refused(401, "UNAUTHENTICATED");
    let past = "UPDATE api_keys SET expires_at = now() - interval '1 second'";
    sqlx::query(past).execute(&app.owner).await.unwrap();
    expired.get("/api/v1/me").await.refused(401, "UNAUTHENTICATED");
    let past = "UPDATE sessions SET expires_at = now() - interval '1 second'";
    sqlx::query(past).execute(&app.owner).await.unwrap();
    owner.get("/api/v1/me").await.refused(401, "UNAUTHENTICATED");
    owner.post("/api/v1/conversations", json!({})).await.refused(401, "UNAUTHENTICATED");
}

#[tokio::test]
async fn a_session_can_be_ended_from_another_and_by_itself() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    let other = app.sign_in("owner@example.org", PASSWORD).await;
    let sessions = owner.get("/api/v1/sessions").await.ok();
    assert_eq!(sessions.as_array().unwrap().len(), 2);
    let theirs = sessions.as_array().unwrap().iter().find(|session| session["current"] == false).unwrap();
    owner.delete(&format!("/api/v1/sessions/{}", theirs["id"].as_str().unwrap())).await.ok();
    assert_eq!(me(&other).await, StatusCode::UNAUTHORIZED);
    owner.delete("/api/v1/sessions/current").await.ok();
    assert_eq!(me(&owner).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_new_password_ends_all_other_sessions() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    let other = app.sign_in("owner@example.org", PASSWORD).await;
    let wrong = json!({"current_password": "wrong", "new_password": "another good password"});
    assert!(owner.put("/api/v1/me/password", wrong).await.status.is_client_error());
    let right = json!({"current_password": PASSWORD, "new_password": "another good password"});
    owner.put("/api/v1/me/password", right).await.ok();
    assert_eq!(me(&owner).await, StatusCode::OK);
    assert_eq!(me(&other).await, StatusCode::UNAUTHORIZED);
    app.sign_in("owner@example.org", "another good password").await;
}

#[tokio::test]
async fn a_picture_is_kept_as_it_came_and_only_pictures_are_taken() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    let put = |kind: &'static str, bytes: Vec<u8>| {
        let request = owner.request(Method::PUT, "/api/v1/me/picture").header("content-type", kind);
        async move { request.body(bytes).send().await.unwrap() }
    };
    let profile: Value = put("image/png", PNG.to_vec()).await.json().await.unwrap();
    let url = profile["data"]["picture_url"].as_str().unwrap().to_owned();
    let shown = owner.send(Method::GET, &url, None).await;
    assert_eq!(shown.headers()["content-type"], "image/png");
    assert_eq!(shown.headers()["x-content-type-options"], "nosniff");
    assert_eq!(shown.bytes().await.unwrap(), PNG);
    assert_eq!(put("image/svg+xml", b"<svg/>".to_vec()).await.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(put("image/png", b"<svg/>".to_vec()).await.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let large = [PNG, &vec![0; 256 << 10]].concat();
    assert_eq!(put("image/png", large).await.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let removed = owner.delete("/api/v1/me/picture").await.ok();
    assert!(removed.get("picture_url").is_none());
    assert_eq!(owner.send(Method::GET, &url, None).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_is_for_admins_is_refused_to_others() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    let developer = app.person(&owner, "dev@example.org", "developer").await;
    for path in ["/api/v1/users", "/api/v1/providers"] {
        developer.get(path).await.refused(403, "FORBIDDEN");
        app.visitor().get(path).await.refused(401, "UNAUTHENTICATED");
    }
    let user = json!({"email": "n@example.org", "role": "admin", "password": PASSWORD});
    developer.post("/api/v1/users", user).await.refused(403, "FORBIDDEN");
    assert!(developer.get("/api/health").await.ok().get("detail").is_none());
    assert_eq!(owner.get("/api/health").await.ok()["detail"]["database"]["ok"], true);
}
