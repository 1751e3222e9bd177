//! Joining by an invitation: once, in time, with the role it was made for.

use crate::application::{Application, PASSWORD};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

fn token_of(invite: &Value) -> String {
    invite["url"].as_str().unwrap().strip_prefix("/join/").unwrap().to_owned()
}

fn joining(token: &str, email: &str) -> Value {
    json!({"token": token, "email": email, "display_name": "New here", "password": PASSWORD})
}

#[tokio::test]
async fn whoever_is_invited_joins_once_with_the_role_of_the_invitation() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    let invite =
        owner.post("/api/v1/invites", json!({"role": "developer"})).await.expect(StatusCode::CREATED);
    let token = token_of(&invite);
    let (one, two) = (app.visitor(), app.visitor());
    let (first, second) = tokio::join!(
        one.post("/api/v1/join", joining(&token, "one@example.org")),
        two.post("/api/v1/join", joining(&token, "two@example.org")),
    );
    let (won, lost) = if first.status == 200 { (first, second) } else { (second, first) };
    assert_eq!(won.ok()["profile"]["role"], "developer");
    lost.refused(404, "NOT_FOUND");
    let listed = owner.get("/api/v1/invites").await.ok();
    assert_eq!((&listed[0]["used"], &listed[0]["url"]), (&json!(true), &Value::Null));
    assert_eq!(owner.get("/api/v1/users").await.ok().as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn the_page_of_an_invitation_makes_the_account_and_signs_in_without_a_script() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    let invite = owner.post("/api/v1/invites", json!({"role": "viewer"})).await.expect(StatusCode::CREATED);
    let url = invite["url"].as_str().unwrap();
    let mut visitor = app.visitor();
    let page = visitor.send(Method::GET, url, None).await;
    assert_eq!(page.status(), StatusCode::OK);
    let html = page.text().await.unwrap();
    assert!(
        html.contains("<form") && html.contains("display_name") && !html.contains("<script type"),
        "{html}"
    );
    let form = |email: &str, password: &str| {
        let body = format!("email={email}&display_name=New+here&password={password}");
        let request = visitor.request(Method::POST, url);
        request.header("content-type", "application/x-www-form-urlencoded").body(body).send()
    };
    let taken = form("owner%40example.org", "correct+horse").await.unwrap();
    assert_eq!(taken.status(), StatusCode::CONFLICT);
    assert!(taken.text().await.unwrap().contains("/sign-in"));
    let short = form("new%40example.org", "short").await.unwrap();
    assert_eq!(short.status(), StatusCode::BAD_REQUEST);
    let joined = form("new%40example.org", "correct+horse").await.unwrap();
    assert_eq!(joined.status(), StatusCode::SEE_OTHER);
    let cookie = joined.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    visitor.cookie = Some(cookie);
    assert_eq!(visitor.get("/api/v1/me").await.ok()["profile"]["email"], "new@example.org");
    let again = app.visitor().send(Method::GET, url, None).await;
    assert_eq!(again.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_invitation_ends_in_time_or_when_it_is_taken_back_and_only_admins_invite() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    let ada = app.person(&owner, "ada@example.org", "developer").await;
    for answer in [
        ada.post("/api/v1/invites", json!({"role": "admin"})).await,
        ada.get("/api/v1/invites").await,
        ada.delete(&format!("/api/v1/invites/{}", uuid::Uuid::now_v7())).await,
    ] {
        answer.refused(403, "FORBIDDEN");
    }
    for hours in [0, 100_000] {
        let body = json!({"role": "viewer", "hours": hours});
        owner.post("/api/v1/invites", body).await.refused(400, "INVALID_INPUT");
    }
    let old = owner.post("/api/v1/invites", json!({"role": "viewer"})).await.expect(StatusCode::CREATED);
    sqlx::query("UPDATE invites SET expires_at = now() - interval '1 minute'")
        .execute(&app.owner)
        .await
        .unwrap();
    let gone = owner.post("/api/v1/invites", json!({"role": "viewer"})).await.expect(StatusCode::CREATED);
    owner.delete(&format!("/api/v1/invites/{}", gone["id"].as_str().unwrap())).await.ok();
    for invite in [old, gone] {
        let token = token_of(&invite);
        app.visitor()
            .post("/api/v1/join", joining(&token, "new@example.org"))
            .await
            .refused(404, "NOT_FOUND");
    }
    app.visitor().post("/api/v1/join", joining("made-up", "new@example.org")).await.refused(404, "NOT_FOUND");
}
