//! What is wrong with a request is said clearly, and nothing is half-written.

use crate::application::{Answer, Application, Person};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

const NEW: &str = "/api/v1/conversations";

async fn raw(
    person: &Person,
    method: Method,
    path: &str,
    kind: &str,
    body: impl Into<reqwest::Body>,
) -> Answer {
    let request = person.request(method, path).header("content-type", kind).body(body);
    let response = request.send().await.unwrap();
    let status = response.status();
    Answer { status, body: response.json().await.unwrap() }
}

async fn count(person: &Person) -> usize {
    person.get(NEW).await.ok()["items"].as_array().unwrap().len()
}

#[tokio::test]
async fn bodies_that_are_not_json_of_the_right_shape_are_refused() {
    let app = Application::start().await;
    let person = app.set_up().await.program().await;
    let deep = format!("{{\"title\":{}{}}}", "[".repeat(5000), "]".repeat(5000));
    for (kind, body, status, code) in [
        ("application/json", b"{".to_vec(), 400, "INVALID_JSON"),
        ("application/json", b"[]".to_vec(), 400, "INVALID_JSON"),
        ("application/json", b"{\"title\":7}".to_vec(), 400, "INVALID_JSON"),
        ("application/json", b"{\"titel\":\"x\"}".to_vec(), 400, "INVALID_JSON"),
        ("application/json", b"{\"title\":\"\xff\"}".to_vec(), 400, "INVALID_JSON"),
        ("application/json", deep.into_bytes(), 400, "INVALID_JSON"),
        ("text/plain", b"{}".to_vec(), 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("application/x-www-form-urlencoded", b"title=x".to_vec(), 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("application/json", vec![b' '; (1 << 20) + 1], 413, "PAYLOAD_TOO_LARGE"),
    ] {
        raw(&person, Method::POST, NEW, kind, body).await.refused(status, code);
    }
    assert_eq!(count(&person).await, 0);
}

#[tokio::test]
async fn a_message_of_a_megabyte_is_taken_and_a_larger_one_refused() {
    let app = Application::start().await;
    let person = app.set_up().await.program().await;
    let conversation = person.conversation().await;
    let path = format!("{NEW}/{conversation}/messages");
    let large = json!({"content": "x".repeat((1 << 20) + 1)});
    person.post(&path, large).await.refused(413, "PAYLOAD_TOO_LARGE");
    let huge = json!({"content": "x".repeat(8 << 20)});
    person.post(&path, huge).await.refused(413, "PAYLOAD_TOO_LARGE");
    let opened = person.get(&format!("{NEW}/{conversation}")).await.ok();
    assert_eq!(opened["messages"], json!([]));
    // Twice as long on the wire: each character is escaped.
    let events = person.ask(&conversation, &"\n".repeat((1 << 20) - 1).replacen('\n', "x", 1)).await;
    assert!(events.last().is_some_and(|last| last.event.is_last()));
}

#[tokio::test]
async fn ids_that_name_nothing_or_cannot_be_ids_are_not_found() {
    let app = Application::start().await;
    let person = app.set_up().await.program().await;
    let conversation = person.conversation().await;
    for id in
        [Uuid::now_v7().to_string(), "not-an-id".into(), "..%2f..".into(), "%ff".into(), "0".repeat(5000)]
    {
        person.get(&format!("{NEW}/{id}")).await.refused(404, "NOT_FOUND");
        person.delete(&format!("{NEW}/{id}")).await.refused(404, "NOT_FOUND");
        person.get(&format!("{NEW}/{conversation}/messages/{id}/events")).await.refused(404, "NOT_FOUND");
        person.delete(&format!("/api/v1/keys/{id}")).await.refused(404, "NOT_FOUND");
        person.delete(&format!("/api/v1/sessions/{id}")).await.refused(404, "NOT_FOUND");
        person.delete(&format!("/api/v1/providers/{id}")).await.refused(404, "NOT_FOUND");
    }
}

#[tokio::test]
async fn queries_that_make_no_sense_are_refused() {
    let app = Application::start().await;
    let person = app.set_up().await.program().await;
    let conversation = person.conversation().await;
    for path in [
        format!("{NEW}?limit=many"),
        format!("{NEW}?deleted=perhaps"),
        format!("{NEW}?q={}", "x".repeat(2000)),
        format!("{NEW}/{conversation}?before=x"),
        format!("{NEW}/{conversation}/export?format=exe"),
        format!("/api/v1/search?q={}", "x".repeat(2000)),
        "/api/v1/search?q=x&limit=-1".to_owned(),
    ] {
        person.get(&path).await.refused(400, "INVALID_INPUT");
    }
    let events = format!("{NEW}/{conversation}/messages/{}/events", Uuid::now_v7());
    let request = person.request(Method::GET, &events).header("last-event-id", "x").send().await.unwrap();
    assert_eq!(request.json::<Value>().await.unwrap()["error_code"], "INVALID_INPUT");
}

#[tokio::test]
async fn nul_in_an_address_is_no_fault_of_the_servers() {
    let app = Application::start().await;
    let person = app.set_up().await;
    let note = person.note(json!({"title": "Plans"})).await;
    let attached = format!("/api/v1/notes/{note}/attachments");
    for path in [
        format!("{attached}/named/%00"),
        format!("{attached}/{}/%00", Uuid::now_v7()),
        "/api/v1/notes?q=%00".to_owned(),
        "/api/v1/notes?tag=%00".to_owned(),
        "/api/v1/notes/titles?prefix=%00".to_owned(),
        "/api/v1/files?q=%00".to_owned(),
        "/api/v1/files?folder=%00".to_owned(),
        "/api/v1/pages?q=%00".to_owned(),
        "/api/v1/pages?tag=%00".to_owned(),
        "/api/v1/memories?q=%00".to_owned(),
        "/api/v1/memories?q=%00&exact=true".to_owned(),
        "/api/v1/memories?scope=%00".to_owned(),
        "/api/v1/memories?source=%00".to_owned(),
        "/api/v1/memories/search?q=%00".to_owned(),
        "/api/v1/search?q=%00".to_owned(),
        "/api/v1/search?q=x&kinds=%00".to_owned(),
        "/api/v1/attachable?q=%00".to_owned(),
        "/api/v1/people?prefix=%00".to_owned(),
        format!("{NEW}?q=%00"),
        "/s/%00".to_owned(),
        "/join/%00".to_owned(),
    ] {
        let status = person.send(Method::GET, &path, None).await.status();
        assert!(!status.is_server_error(), "{path}: {status}");
    }
    let sign_in = json!({"email": "a\u{0}@example.org", "password": "x"});
    app.visitor().post("/api/v1/sessions", sign_in).await.refused(401, "WRONG_CREDENTIALS");
}

#[tokio::test]
async fn values_that_cannot_be_are_refused_with_the_field() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    for (path, body) in [
        ("/api/v1/users", json!({"email": "nobody", "role": "viewer", "password": "a good long password"})),
        ("/api/v1/users", json!({"email": "a@example.org", "role": "viewer", "password": "short"})),
        ("/api/v1/keys", json!({"name": ""})),
        ("/api/v1/providers", json!({"kind": "openai", "name": "x", "base_url": "not a url"})),
    ] {
        let refused = owner.post(path, body).await.refused(400, "INVALID_INPUT");
        assert!(refused["details"]["field"].is_string(), "{refused}");
    }
    assert_eq!(owner.get("/api/v1/users").await.ok().as_array().unwrap().len(), 1);
    assert_eq!(owner.get("/api/v1/keys").await.ok(), json!([]));
}
