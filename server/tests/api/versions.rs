//! Versions: named, compared, gone back to, with nothing lost.

use crate::application::Application;
use crate::sharing::{id_of, note, share};
use reqwest::StatusCode;
use serde_json::{Value, json};

fn changes(diff: &Value) -> Vec<(String, String)> {
    let parts = diff["diff"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    parts
        .iter()
        .map(|part| (text(&part["change"]), text(&part["text"])))
        .filter(|(c, _)| c != "same")
        .collect()
}

#[tokio::test]
async fn a_version_is_named_compared_and_gone_back_to_without_loss() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    let id = note(&owner, "We go by train.\n\nIn May.").await;
    let (path, versions) = (format!("/api/v1/notes/{id}"), format!("/api/v1/notes/{id}/versions"));
    let first = owner.post(&versions, json!({"name": " By  train "})).await.expect(StatusCode::CREATED);
    assert_eq!((&first["name"], &first["kind"]), (&json!("By train"), &json!("named")));
    assert_eq!(first["authors"][0]["name"], "The Owner");
    owner.patch(&path, json!({"content": "We go by boat.\n\nIn May."})).await.ok();
    let second = owner.post(&versions, json!({"name": "By boat"})).await.expect(StatusCode::CREATED);
    let expected = [("removed".to_owned(), "train".to_owned()), ("added".to_owned(), "boat".to_owned())];
    let diff = owner.get(&format!("{versions}/{}", id_of(&second))).await.ok();
    assert_eq!(changes(&diff), expected);
    assert_eq!(diff["content"], "We go by boat.\n\nIn May.");
    let now = owner.get(&format!("{versions}/{}?against=now", id_of(&first))).await.ok();
    assert_eq!(changes(&now), expected);
    // Typed after the last version, then gone back: what was typed is a version too.
    owner.patch(&path, json!({"content": "We go on foot.\n\nIn May."})).await.ok();
    let restored = owner.post(&format!("{versions}/{}/restore", id_of(&first)), json!({})).await.ok();
    assert_eq!(restored["kind"], "restore");
    assert_eq!(owner.get(&path).await.ok()["content"], "We go by train.\n\nIn May.");
    let all = owner.get(&versions).await.ok();
    let kinds: Vec<_> = all.as_array().unwrap().iter().map(|v| v["kind"].as_str().unwrap()).take(4).collect();
    assert_eq!(kinds, ["restore", "automatic", "named", "named"]);
    let lost = owner.get(&format!("{versions}/{}", id_of(&all[1]))).await.ok();
    assert_eq!(lost["content"], "We go on foot.\n\nIn May.");
}

#[tokio::test]
async fn versions_are_seen_with_the_note_and_made_by_who_may_edit() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    let ada = app.person(&owner, "ada@example.org", "viewer").await;
    let id = note(&owner, "text").await;
    let versions = format!("/api/v1/notes/{id}/versions");
    let first = id_of(&owner.post(&versions, json!({"name": "one"})).await.expect(StatusCode::CREATED));
    let restore = format!("{versions}/{first}/restore");
    for answer in [
        ada.get(&versions).await,
        ada.post(&versions, json!({"name": "x"})).await,
        ada.get(&format!("{versions}/{first}")).await,
        ada.post(&restore, json!({})).await,
    ] {
        answer.refused(404, "NOT_FOUND");
    }
    share(&owner, &format!("notes/{id}"), "ada@example.org", "comment").await;
    ada.get(&format!("{versions}/{first}")).await.ok();
    ada.post(&versions, json!({"name": "x"})).await.refused(403, "FORBIDDEN");
    ada.post(&restore, json!({})).await.refused(403, "FORBIDDEN");
    // A version of another note is not one of this.
    let other = note(&owner, "other").await;
    owner.get(&format!("/api/v1/notes/{other}/versions/{first}")).await.refused(404, "NOT_FOUND");
    owner
        .post(&format!("/api/v1/notes/{other}/versions/{first}/restore"), json!({}))
        .await
        .refused(404, "NOT_FOUND");
    owner.post(&versions, json!({"name": "  "})).await.refused(400, "INVALID_INPUT");
}
