//! What the API answers, whole, as clients see it: a change in it is a difference to be read. What differs from run
//! to run (ids, times, secrets) is named by what it is.

use crate::application::{Answer, Application, Person};
use reqwest::{Method, StatusCode};
use serde_json::{Map, Value, json};
use shared::event::{AnswerEvent, Sequenced};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use upstream::Wire;
use uuid::Uuid;

const UUID_LENGTH: usize = 36;

fn plain(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.into_iter().map(|(name, value)| {
                let secret =
                    matches!(name.as_str(), "csrf_token" | "key" | "prefix" | "sha256" | "request_id");
                // depends on the day's name, and on how the answer came in bundles
                let count = name.ends_with("tokens") || name.ends_with("seq");
                let value = match value {
                    Value::String(_) if secret => json!(format!("[{name}]")),
                    Value::Number(_) if count => json!("[number]"),
                    other => plain(other),
                };
                (name, value)
            });
            Value::Object(fields.collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(plain).collect()),
        Value::String(text) if OffsetDateTime::parse(&text, &Rfc3339).is_ok() => json!("[time]"),
        Value::String(text) => json!(without_ids(&text)),
        other => other,
    }
}

fn without_ids(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let id = rest.get(..UUID_LENGTH).filter(|id| Uuid::try_parse(id).is_ok());
        let (shown, length) = match (id, rest.chars().next()) {
            (Some(_), _) => ("[id]".to_owned(), UUID_LENGTH),
            (None, Some(first)) => (first.to_string(), first.len_utf8()),
            (None, None) => break,
        };
        plain.push_str(&shown);
        rest = &rest[length..];
    }
    plain
}

fn whole(answer: Answer) -> Value {
    json!({"status": answer.status.as_u16(), "body": plain(answer.body)})
}

/// Events, the text of the answer as if it had come at once.
fn told(events: &[Sequenced]) -> Value {
    let mut told: Vec<Value> = Vec::new();
    for event in events {
        match (&event.event, told.last_mut()) {
            (AnswerEvent::Delta { text }, Some(last)) if last["type"] == "delta" => {
                last["text"] = json!(format!("{}{text}", last["text"].as_str().unwrap_or_default()));
            }
            _ => told.push(plain(serde_json::to_value(event).unwrap())),
        }
    }
    Value::Array(told)
}

async fn started() -> (Application, Person) {
    let app = Application::start().await;
    let owner = app.set_up().await;
    (app, owner)
}

#[tokio::test]
async fn a_person_and_their_sessions_and_keys() {
    let (_app, owner) = started().await;
    insta::assert_json_snapshot!("me", whole(owner.get("/api/v1/me").await));
    insta::assert_json_snapshot!("sessions", whole(owner.get("/api/v1/sessions").await));
    let made = owner.post("/api/v1/keys", json!({"name": "shell"})).await;
    insta::assert_json_snapshot!("key_made", whole(made));
    insta::assert_json_snapshot!("keys", whole(owner.get("/api/v1/keys").await));
}

#[tokio::test]
async fn a_conversation_its_events_and_its_messages() {
    let (app, owner) = started().await;
    app.add_provider(&owner, Wire::Openai).await;
    insta::assert_json_snapshot!("models", whole(owner.get("/api/v1/models").await));
    let made = owner.post("/api/v1/conversations", json!({"title": "Ferries"})).await;
    let id = made.body["data"]["id"].as_str().unwrap().to_owned();
    insta::assert_json_snapshot!("conversation_made", whole(made));
    let events = owner.ask(&id, "[[say when it sails]]").await;
    insta::assert_json_snapshot!("answer_events", told(&events));
    let opened = owner.get(&format!("/api/v1/conversations/{id}")).await;
    insta::assert_json_snapshot!("conversation_opened", whole(opened));
}

#[tokio::test]
async fn notes_and_what_is_found() {
    let (_app, owner) = started().await;
    let made = owner.post("/api/v1/notes", json!({"title": "Ferry", "content": "It sails at noon."})).await;
    let id = made.body["data"]["id"].as_str().unwrap().to_owned();
    insta::assert_json_snapshot!("note_made", whole(made));
    insta::assert_json_snapshot!("note_opened", whole(owner.get(&format!("/api/v1/notes/{id}")).await));
    insta::assert_json_snapshot!("note_list", whole(owner.get("/api/v1/notes").await));
}

#[tokio::test]
async fn refusals() {
    let (app, owner) = started().await;
    let nobody = app.visitor();
    insta::assert_json_snapshot!("not_signed_in", whole(nobody.get("/api/v1/me").await));
    let missing = owner.get(&format!("/api/v1/conversations/{}", Uuid::now_v7())).await;
    insta::assert_json_snapshot!("not_there", whole(missing));
    let mut forger = owner.clone();
    forger.csrf = None;
    insta::assert_json_snapshot!("no_csrf", whole(forger.post("/api/v1/conversations", json!({})).await));
    let wrong = owner.post("/api/v1/conversations", json!({"titel": "x"})).await;
    insta::assert_json_snapshot!("unknown_field", whole(wrong));
    let other = nobody
        .send(Method::POST, "/api/v1/sessions", Some(json!({"email": "a@b.example", "password": "x"})))
        .await;
    assert_eq!(other.status(), StatusCode::UNAUTHORIZED);
    insta::assert_json_snapshot!("wrong_password", plain(other.json().await.unwrap()));
}
