//! Who else may do what with a note: members, links, folders, and that it ends when it is ended.

use crate::application::{Application, PATIENCE, Person};
use crate::socket::{self, Socket};
use futures::{SinkExt as _, StreamExt as _};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

pub async fn note(person: &Person, content: &str) -> String {
    let body = json!({"title": "Plans", "content": content});
    id_of(&person.post("/api/v1/notes", body).await.expect(StatusCode::CREATED))
}

pub fn id_of(made: &Value) -> String {
    made["id"].as_str().unwrap().to_owned()
}

/// Shares with a member by address.
pub async fn share(owner: &Person, thing: &str, email: &str, access: &str) -> String {
    let body = json!({"email": email, "access": access});
    id_of(&owner.post(&format!("/api/v1/{thing}/shares"), body).await.expect(StatusCode::CREATED))
}

/// Somebody without an account who opened a link.
pub async fn by_link(app: &Application, url: &str) -> Person {
    let mut visitor = app.visitor();
    let response = visitor.send(Method::GET, url, None).await;
    assert_eq!(response.status(), StatusCode::SEE_OTHER, "{}", response.text().await.unwrap());
    let cookie = response.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
    visitor.cookie = Some(cookie.split(';').next().unwrap().to_owned());
    visitor
}

async fn link(owner: &Person, thing: &str, body: Value) -> (String, String) {
    let made = owner.post(&format!("/api/v1/{thing}/shares"), body).await.expect(StatusCode::CREATED);
    (id_of(&made), made["url"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_member_may_do_what_the_share_says_and_nothing_once_it_ends() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    let ada = app.person(&owner, "ada@example.org", "developer").await;
    let id = note(&owner, "We go by train.").await;
    let path = format!("/api/v1/notes/{id}");
    ada.get(&path).await.refused(404, "NOT_FOUND");
    let first = share(&owner, &format!("notes/{id}"), "Ada@Example.org", "view").await;
    let seen = ada.get(&path).await.ok();
    assert_eq!((seen["content"].as_str(), seen["access"].as_str()), (Some("We go by train."), Some("view")));
    ada.patch(&path, json!({"content": "mine"})).await.refused(403, "FORBIDDEN");
    ada.post(&format!("{path}/comments"), json!({"body": "hm"})).await.refused(403, "FORBIDDEN");
    ada.get(&format!("{path}/shares")).await.refused(403, "FORBIDDEN");
    ada.post(&format!("{path}/shares"), json!({"access": "view"})).await.refused(403, "FORBIDDEN");
    ada.delete(&format!("{path}/shares/{first}")).await.refused(403, "FORBIDDEN");
    // Shared again, it is the same share with another access.
    let again = share(&owner, &format!("notes/{id}"), "ada@example.org", "edit").await;
    assert_eq!(again, first);
    ada.patch(&path, json!({"content": "We go by boat."})).await.ok();
    ada.delete(&path).await.refused(403, "FORBIDDEN");
    let shares = owner.get(&format!("{path}/shares")).await.ok();
    assert_eq!(shares.as_array().unwrap().len(), 1);
    assert_eq!(
        (&shares[0]["person"]["name"], &shares[0]["access"]),
        (&json!("ada@example.org"), &json!("edit"))
    );
    owner.delete(&format!("{path}/shares/{first}")).await.ok();
    ada.get(&path).await.refused(404, "NOT_FOUND");
    ada.patch(&path, json!({"content": "mine"})).await.refused(404, "NOT_FOUND");
    assert_eq!(owner.get(&path).await.ok()["content"], "We go by boat.");
}

#[tokio::test]
async fn another_persons_shares_are_not_there() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    let ada = app.person(&owner, "ada@example.org", "admin").await;
    let id = note(&owner, "text").await;
    let path = format!("/api/v1/notes/{id}/shares");
    let (share, _) = link(&owner, &format!("notes/{id}"), json!({"access": "view"})).await;
    ada.get(&path).await.refused(404, "NOT_FOUND");
    ada.post(&path, json!({"access": "edit"})).await.refused(404, "NOT_FOUND");
    ada.delete(&format!("{path}/{share}")).await.refused(404, "NOT_FOUND");
    // By way of a note of one's own neither.
    let own = note(&ada, "text").await;
    ada.delete(&format!("/api/v1/notes/{own}/shares/{share}")).await.refused(404, "NOT_FOUND");
    let nobody = app.visitor();
    nobody.get(&format!("/api/v1/notes/{id}")).await.refused(401, "UNAUTHENTICATED");
    for body in [
        json!({"access": "owner"}),
        json!({"access": "view", "email": "nobody@example.org"}),
        json!({"access": "view", "email": "owner@example.org"}),
        json!({"access": "view", "expires_at": "2020-01-01T00:00:00Z"}),
        json!({"access": "view", "email": "ada@example.org", "password": "long enough"}),
        json!({"access": "view", "password": "short"}),
    ] {
        owner.post(&path, body).await.refused(400, "INVALID_INPUT");
    }
}

#[tokio::test]
async fn whoever_has_a_link_may_do_what_it_says_until_it_is_taken_back() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    let id = note(&owner, "We go by train.").await;
    let path = format!("/api/v1/notes/{id}");
    let (share, url) = link(&owner, &format!("notes/{id}"), json!({"access": "comment"})).await;
    assert!(url.starts_with("/s/"));
    let listed = owner.get(&format!("{path}/shares")).await.ok();
    assert!(
        listed[0]["url"].is_null() && listed[0]["password"] == false,
        "the address is told once: {listed}"
    );
    let visitor = by_link(&app, &url).await;
    assert_eq!(visitor.get(&path).await.ok()["access"], "comment");
    let comment = visitor.post(&format!("{path}/comments"), json!({"body": "By boat?"})).await;
    let comment = comment.expect(StatusCode::CREATED);
    assert_eq!((&comment["author_name"], &comment["author_id"]), (&json!("Visitor by link"), &Value::Null));
    visitor.patch(&path, json!({"content": "mine"})).await.refused(403, "FORBIDDEN");
    let page = visitor.send(Method::GET, &format!("/n/{id}"), None).await;
    assert_eq!(page.status(), StatusCode::OK);
    assert!(page.text().await.unwrap().contains("We go by train."), "readable without a script");
    // Whoever is signed in and came by the link writes in their own name.
    let mut ada = app.person(&owner, "ada@example.org", "viewer").await;
    let session = ada.cookie.clone().unwrap();
    ada.cookie = Some(format!("{session}; {}", visitor.cookie.as_ref().unwrap()));
    let hers = ada.post(&format!("{path}/comments"), json!({"body": "On foot?"})).await;
    assert_eq!(hers.expect(StatusCode::CREATED)["author_name"], "ada@example.org");
    ada.csrf = None;
    ada.post(&format!("{path}/comments"), json!({"body": "x"})).await.refused(403, "CSRF_FAILED");
    // The link opens this note, and is no session.
    let other = note(&owner, "secret").await;
    visitor.get(&format!("/api/v1/notes/{other}")).await.refused(404, "NOT_FOUND");
    visitor.get("/api/v1/notes").await.refused(401, "UNAUTHENTICATED");
    visitor.get("/api/v1/people").await.refused(401, "UNAUTHENTICATED");
    visitor.get(&format!("{path}/shares")).await.refused(401, "UNAUTHENTICATED");
    // A page elsewhere cannot use the cookie.
    let foreign =
        visitor.request(Method::POST, &format!("{path}/comments")).header("origin", "https://evil.example");
    let refused = foreign.json(&json!({"body": "spam"})).send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    owner.delete(&format!("{path}/shares/{share}")).await.ok();
    visitor.get(&path).await.refused(404, "NOT_FOUND");
    let page = app.visitor().send(Method::GET, &url, None).await;
    assert_eq!(page.status(), StatusCode::NOT_FOUND);
    assert!(page.text().await.unwrap().contains("leads nowhere"));
}

#[tokio::test]
async fn a_link_with_a_password_asks_for_it() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    let id = note(&owner, "the codeword is zanzibar").await;
    let body = json!({"access": "edit", "password": "open sesame"});
    let (_, url) = link(&owner, &format!("notes/{id}"), body).await;
    let mut visitor = app.visitor();
    let page = visitor.send(Method::GET, &url, None).await;
    assert_eq!(page.status(), StatusCode::OK);
    let html = page.text().await.unwrap();
    assert!(
        html.contains("type=\"password\"") && !html.contains("<script type") && !html.contains("zanzibar"),
        "{html}"
    );
    let typed = |password: &'static str| {
        let form = format!("password={}", password.replace(' ', "+"));
        let request = visitor.request(Method::POST, &url);
        request.header("content-type", "application/x-www-form-urlencoded").body(form).send()
    };
    let wrong = typed("open barley").await.unwrap();
    assert_eq!(wrong.status(), StatusCode::UNAUTHORIZED);
    assert!(wrong.headers().get("set-cookie").is_none());
    assert!(wrong.text().await.unwrap().contains("not the password"));
    let right = typed("open sesame").await.unwrap();
    assert_eq!(right.status(), StatusCode::SEE_OTHER);
    assert_eq!(right.headers()["location"], format!("/n/{id}").as_str());
    let cookie = right.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    visitor.cookie = Some(cookie.clone());
    visitor.patch(&format!("/api/v1/notes/{id}"), json!({"content": "written by link"})).await.ok();
    // The cookie cannot be made up from what it is about.
    let other = if cookie.ends_with('x') { 'y' } else { 'x' };
    visitor.cookie = Some(format!("{}{other}", &cookie[..cookie.len() - 1]));
    visitor.get(&format!("/api/v1/notes/{id}")).await.refused(401, "UNAUTHENTICATED");
}

#[tokio::test]
async fn a_share_ends_by_itself_when_it_was_to_end() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    let ada = app.person(&owner, "ada@example.org", "viewer").await;
    let id = note(&owner, "text").await;
    let soon = "2100-01-01T00:00:00Z";
    let (_, url) = link(&owner, &format!("notes/{id}"), json!({"access": "view", "expires_at": soon})).await;
    link_member(&owner, &id, soon).await;
    let visitor = by_link(&app, &url).await;
    let path = format!("/api/v1/notes/{id}");
    visitor.get(&path).await.ok();
    ada.get(&path).await.ok();
    sqlx::query("UPDATE note_shares SET expires_at = now() - interval '1 second'")
        .execute(&app.owner)
        .await
        .unwrap();
    visitor.get(&path).await.refused(404, "NOT_FOUND");
    ada.get(&path).await.refused(404, "NOT_FOUND");
    assert_eq!(app.visitor().send(Method::GET, &url, None).await.status(), StatusCode::NOT_FOUND);
}

async fn link_member(owner: &Person, note: &str, until: &str) {
    let body = json!({"email": "ada@example.org", "access": "view", "expires_at": until});
    owner.post(&format!("/api/v1/notes/{note}/shares"), body).await.expect(StatusCode::CREATED);
}

async fn folder(owner: &Person, name: &str, parent: Option<&str>) -> String {
    let body = json!({"name": name, "parent_id": parent});
    id_of(&owner.post("/api/v1/folders", body).await.expect(StatusCode::CREATED))
}

#[tokio::test]
async fn a_shared_folder_shares_all_below_it_and_nothing_that_is_moved_out() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    let ada = app.person(&owner, "ada@example.org", "developer").await;
    let top = folder(&owner, "Trips", None).await;
    let below = folder(&owner, "Lisbon", Some(&top)).await;
    let body = json!({"title": "Budget", "content": "500", "folder_id": below});
    let id = id_of(&owner.post("/api/v1/notes", body).await.expect(StatusCode::CREATED));
    let path = format!("/api/v1/notes/{id}");
    ada.get(&format!("/api/v1/folders/{top}/shares")).await.refused(404, "NOT_FOUND");
    ada.post(&format!("/api/v1/folders/{top}/shares"), json!({"access": "edit"}))
        .await
        .refused(404, "NOT_FOUND");
    let share = share(&owner, &format!("folders/{top}"), "ada@example.org", "edit").await;
    ada.patch(&path, json!({"content": "600"})).await.ok();
    ada.post(&format!("/api/v1/folders/{top}/shares"), json!({"access": "edit"}))
        .await
        .refused(403, "FORBIDDEN");
    // The note's own list says where it comes from.
    let inherited = owner.get(&format!("{path}/shares")).await.ok();
    assert_eq!((&inherited[0]["id"], &inherited[0]["folder_id"]), (&json!(share), &json!(top)));
    // The most that is granted counts.
    self::share(&owner, &format!("notes/{id}"), "ada@example.org", "view").await;
    assert_eq!(ada.get(&path).await.ok()["access"], "edit");
    let own = owner.get(&format!("{path}/shares")).await.ok();
    let own = own.as_array().unwrap().iter().find(|s| s["folder_id"].is_null()).unwrap();
    owner.delete(&format!("{path}/shares/{}", own["id"].as_str().unwrap())).await.ok();
    // Moved out, and in again, and the folder between moved out.
    owner.patch(&path, json!({"folder_id": null})).await.ok();
    ada.get(&path).await.refused(404, "NOT_FOUND");
    owner.patch(&path, json!({"folder_id": below})).await.ok();
    ada.get(&path).await.ok();
    owner.patch(&format!("/api/v1/folders/{below}"), json!({"parent_id": null})).await.ok();
    ada.get(&path).await.refused(404, "NOT_FOUND");
    owner.patch(&format!("/api/v1/folders/{below}"), json!({"parent_id": top})).await.ok();
    owner.delete(&format!("/api/v1/folders/{top}/shares/{share}")).await.ok();
    ada.get(&path).await.refused(404, "NOT_FOUND");
}

#[tokio::test]
async fn a_link_to_a_folder_leads_to_a_list_of_it() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    let top = folder(&owner, "Trips", None).await;
    let below = folder(&owner, "Lisbon", Some(&top)).await;
    let body = json!({"title": "Budget <b>", "content": "500", "folder_id": below});
    let id = id_of(&owner.post("/api/v1/notes", body).await.expect(StatusCode::CREATED));
    let (_, url) = link(&owner, &format!("folders/{top}"), json!({"access": "view"})).await;
    let visitor = by_link(&app, &url).await;
    let list = visitor.send(Method::GET, &format!("/s/folder/{top}"), None).await;
    assert_eq!(list.status(), StatusCode::OK);
    let html = list.text().await.unwrap();
    assert!(
        html.contains(&format!("/n/{id}")) && html.contains("Lisbon / ") && html.contains("Budget &lt;b"),
        "{html}"
    );
    assert!(!html.contains("<script type"));
    visitor.get(&format!("/api/v1/notes/{id}")).await.ok();
    let stranger = app.visitor().send(Method::GET, &format!("/s/folder/{top}"), None).await;
    assert_eq!(stranger.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn people_are_found_by_the_beginning_of_their_names() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    app.person(&owner, "grace@example.org", "viewer").await;
    let found = owner.get("/api/v1/people?prefix=gra").await.ok();
    assert_eq!(found.as_array().unwrap().len(), 1);
    assert!(found[0].get("email").is_none(), "an address is not for everybody: {found}");
    let found = owner.get("/api/v1/people?prefix=own").await.ok();
    assert_eq!(found[0]["name"], "The Owner", "by any of their names");
    assert!(owner.get("/api/v1/people?prefix=%25").await.ok().as_array().unwrap().is_empty());
}

#[tokio::test]
async fn a_ticket_is_for_one_note_and_ends_with_its_session() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    let ada = app.person(&owner, "ada@example.org", "viewer").await;
    let (id, other) = (note(&owner, "text").await, note(&owner, "other").await);
    let path = format!("/api/v1/notes/{id}/ticket");
    ada.post(&path, json!({})).await.refused(404, "NOT_FOUND");
    let ticket = owner.post(&path, json!({})).await.expect(StatusCode::CREATED);
    let token = ticket["token"].as_str().unwrap();
    let note_id = id.parse().unwrap();
    let viewer = app.domain.check_ticket(token, note_id).await.unwrap();
    let me = owner.get("/api/v1/me").await.ok();
    assert_eq!(viewer.user_id().unwrap().to_string(), me["profile"]["id"]);
    assert!(app.domain.check_ticket(token, other.parse().unwrap()).await.is_err(), "another note");
    assert!(app.domain.check_ticket(&token[1..], note_id).await.is_err(), "a changed one");
    owner.delete("/api/v1/sessions/current").await.ok();
    assert!(app.domain.check_ticket(token, note_id).await.is_err(), "its session has ended");
}

/// The next frame of this type.
async fn heard(socket: &mut Socket, kind: &str) -> Value {
    loop {
        let frame = socket::next(socket).await.unwrap();
        if frame["type"] == kind {
            return frame["payload"].clone();
        }
    }
}

#[tokio::test]
async fn an_open_browser_hears_what_is_shared_annotated_and_not_shared_any_more() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    let ada = app.person(&owner, "ada@example.org", "viewer").await;
    let id = note(&owner, "text").await;
    let mut browser = socket::open(&ada, Some(&ada.base)).await.unwrap();
    socket::say(&mut browser, json!({"type": "subscribe", "channel": "notes"})).await;
    socket::say(&mut browser, json!({"type": "ping", "channel": "system"})).await;
    heard(&mut browser, "pong").await;
    let share = share(&owner, &format!("notes/{id}"), "ada@example.org", "view").await;
    let told = heard(&mut browser, "note_changed").await;
    assert_eq!((&told["id"], &told["access"], &told["shared"]), (&json!(id), &json!("view"), &json!(true)));
    assert!(ada.get("/api/v1/notes").await.ok().to_string().contains(&id));
    owner
        .post(&format!("/api/v1/notes/{id}/comments"), json!({"body": "hm"}))
        .await
        .expect(StatusCode::CREATED);
    assert_eq!(heard(&mut browser, "note_annotated").await["id"], id);
    owner.delete(&format!("/api/v1/notes/{id}/shares/{share}")).await.ok();
    assert_eq!(heard(&mut browser, "note_gone").await["id"], id);
    assert!(!ada.get("/api/v1/notes").await.ok().to_string().contains(&id));
}

/// Joins a note's line, as the page does that has it open.
async fn attach(socket: &mut Socket, note: &str) {
    let mut frame = uuid::Uuid::parse_str(note).unwrap().as_bytes().to_vec();
    frame.push(u8::try_from(shared::note::frame::ATTACH).unwrap());
    socket.send(Message::Binary(frame.into())).await.unwrap();
    loop {
        match tokio::time::timeout(PATIENCE, socket.next()).await.expect("the socket is silent") {
            Some(Ok(Message::Binary(_))) => return,
            Some(Ok(_)) => {}
            ended => panic!("the socket ended: {ended:?}"),
        }
    }
}

#[tokio::test]
async fn a_visitor_hears_what_is_said_beside_the_note_that_they_are_in() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    let (id, other) = (note(&owner, "text").await, note(&owner, "other").await);
    let (_, url) = link(&owner, &format!("notes/{id}"), json!({"access": "view"})).await;
    let visitor = by_link(&app, &url).await;
    let mut browser = socket::open(&visitor, Some(&visitor.base)).await.unwrap();
    socket::say(&mut browser, json!({"type": "subscribe", "channel": "notes"})).await;
    attach(&mut browser, &id).await;
    for note in [&other, &id] {
        let comments = format!("/api/v1/notes/{note}/comments");
        owner.post(&comments, json!({"body": "hm"})).await.expect(StatusCode::CREATED);
    }
    assert_eq!(heard(&mut browser, "note_annotated").await["id"], id, "and nothing of another note");
}
