//! Comments: threads, their authors, and that they keep to what their note allows.

use crate::application::Application;
use crate::sharing::{id_of, note, share};
use reqwest::StatusCode;
use serde_json::{Value, json};

#[tokio::test]
async fn a_thread_is_begun_answered_resolved_and_opened_again() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    let ada = app.person(&owner, "ada@example.org", "viewer").await;
    let id = note(&owner, "We go by train. Or by 🚂, by train!").await;
    let path = format!("/api/v1/notes/{id}/comments");
    share(&owner, &format!("notes/{id}"), "ada@example.org", "comment").await;
    let anchor = json!({"from": "", "to": "", "quote": "Or by 🚂"});
    let first = ada.post(&path, json!({"body": " Why not by boat? ", "anchor": anchor})).await;
    let first = first.expect(StatusCode::CREATED);
    assert_eq!(
        (&first["body"], &first["author_name"], &first["own"], &first["anchor"]["quote"]),
        (&json!("Why not by boat?"), &json!("ada@example.org"), &json!(true), &json!("Or by 🚂"))
    );
    assert!(first["anchor"]["from"].as_str().is_some_and(|from| !from.is_empty()));
    let twice = json!({"from": "", "to": "", "quote": "by train"});
    owner.post(&path, json!({"body": "x", "anchor": twice})).await.refused(400, "INVALID_INPUT");
    let thread = id_of(&first);
    let answer =
        owner.post(&path, json!({"body": "Slow.", "thread_id": thread})).await.expect(StatusCode::CREATED);
    let answer = id_of(&answer);
    // Answers are not threads, and threads of other notes are not here.
    owner.post(&path, json!({"body": "x", "thread_id": answer})).await.refused(404, "NOT_FOUND");
    let other = note(&owner, "other").await;
    let elsewhere = format!("/api/v1/notes/{other}/comments");
    owner.post(&elsewhere, json!({"body": "x", "thread_id": thread})).await.refused(404, "NOT_FOUND");
    owner.patch(&format!("{elsewhere}/{thread}"), json!({"body": "x"})).await.refused(404, "NOT_FOUND");
    ada.patch(&format!("{path}/{answer}"), json!({"resolved": true})).await.ok();
    let all = owner.get(&path).await.ok();
    let resolved: Vec<_> = all.as_array().unwrap().iter().map(|c| c["resolved"].clone()).collect();
    assert_eq!(resolved, [true, true], "the whole thread");
    assert_eq!(
        owner.patch(&format!("{path}/{thread}"), json!({"resolved": false})).await.ok()["resolved"],
        false
    );
}

#[tokio::test]
async fn words_are_their_authors_and_the_owner_may_only_delete_them() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    let ada = app.person(&owner, "ada@example.org", "viewer").await;
    let eve = app.person(&owner, "eve@example.org", "viewer").await;
    let id = note(&owner, "text").await;
    let path = format!("/api/v1/notes/{id}/comments");
    share(&owner, &format!("notes/{id}"), "ada@example.org", "comment").await;
    let of_ada = id_of(&ada.post(&path, json!({"body": "mine"})).await.expect(StatusCode::CREATED));
    let one = format!("{path}/{of_ada}");
    owner.patch(&one, json!({"body": "yours"})).await.refused(403, "FORBIDDEN");
    for answer in [
        eve.get(&path).await,
        eve.post(&path, json!({"body": "x"})).await,
        eve.patch(&one, json!({"resolved": true})).await,
        eve.delete(&one).await,
    ] {
        answer.refused(404, "NOT_FOUND");
    }
    share(&owner, &format!("notes/{id}"), "eve@example.org", "view").await;
    assert_eq!(eve.get(&path).await.ok()[0]["own"], false);
    eve.post(&path, json!({"body": "x"})).await.refused(403, "FORBIDDEN");
    eve.patch(&one, json!({"resolved": true})).await.refused(403, "FORBIDDEN");
    eve.delete(&one).await.refused(403, "FORBIDDEN");
    let changed = ada.patch(&one, json!({"body": "mine, changed"})).await.ok();
    assert!(changed["edited_at"].is_string() && changed["body"] == "mine, changed");
    owner.post(&path, json!({"body": "an answer", "thread_id": of_ada})).await.expect(StatusCode::CREATED);
    ada.delete(&one).await.refused(409, "CONFLICT");
    owner.delete(&one).await.ok();
    assert_eq!(owner.get(&path).await.ok(), json!([]), "the thread is gone with its first");
    let back = format!("{one}/restore");
    ada.post(&back, json!({})).await.refused(404, "NOT_FOUND");
    assert_eq!(owner.post(&back, json!({})).await.ok()["body"], "mine, changed", "by whoever took it away");
    assert_eq!(ada.get(&path).await.ok().as_array().unwrap().len(), 2, "with its answer");
    owner.delete(&one).await.ok();
    for body in [
        json!({"body": " "}),
        json!({"body": "x".repeat(10_001)}),
        json!({"body": "x", "anchor": {"from": "?", "to": "?", "quote": ""}}),
    ] {
        owner.post(&path, body).await.refused(400, "INVALID_INPUT");
    }
    owner
        .post(&path, json!({"body": "x", "author_name": "Somebody else"}))
        .await
        .refused(400, "INVALID_JSON");
    let _: Value = owner.get(&path).await.ok();
}
