//! Links between notes, and how they follow a rename.

use crate::application::{Application, eventually};
use serde_json::{Value, json};

fn titles(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|link| link["title"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn links_and_mentions_point_back() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    owner.note(json!({"title": "Before", "content": "first\nsee [[the plan|it]] now\nlast"})).await;
    let plan = owner.note(json!({"title": "The Plan", "content": "itself: The Plan"})).await;
    owner.note(json!({"title": "After", "content": "[[The Plan#Goals]] and `[[The Plan]]`"})).await;
    owner.note(json!({"title": "Mention", "content": "one\nall hail the plan!\nend"})).await;
    owner.note(json!({"title": "Code", "content": "about planners"})).await;
    owner.note(json!({"title": "Alias", "content": "[[Scheme]]"})).await;
    let path = format!("/api/v1/notes/{plan}/backlinks");
    let links = owner.get(&path).await.ok();
    assert_eq!(titles(&links["linked"]), ["After", "Before"]);
    assert_eq!(links["linked"][1]["line"], "see [[the plan|it]] now");
    assert_eq!(titles(&links["unlinked"]), ["Mention"]);
    assert_eq!(links["unlinked"][0]["line"], "all hail the plan!");
    // A link begins to lead somewhere when there is something, and ends when there is not.
    let scheme = owner.note(json!({"title": "scheme", "content": "x"})).await;
    let links = owner.get(&format!("/api/v1/notes/{scheme}/backlinks")).await.ok();
    assert_eq!(titles(&links["linked"]), ["Alias"]);
}

#[tokio::test]
async fn a_rename_rewrites_links_and_leaves_the_rest() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    let plan = owner.note(json!({"title": "Old", "content": "me: [[Old]]"})).await;
    let text = "[[Old]] [[old|x]] [[OLD#h]] [[Older]] `[[Old]]` Old";
    let note = owner.note(json!({"title": "A", "content": text})).await;
    let stranger = app.person(&owner, "stranger@example.org", "developer").await;
    let theirs = stranger.note(json!({"title": "B", "content": "[[Old]]"})).await;
    owner.patch(&format!("/api/v1/notes/{plan}"), json!({"title": "New Name"})).await.ok();
    eventually("links follow", async || {
        owner.text_of(&note).await == "[[New Name]] [[New Name|x]] [[New Name#h]] [[Older]] `[[Old]]` Old"
    })
    .await;
    eventually("its own link follows", async || owner.text_of(&plan).await == "me: [[New Name]]").await;
    assert_eq!(stranger.text_of(&theirs).await, "[[Old]]");
    eventually("the rows follow", async || {
        let links = owner.get(&format!("/api/v1/notes/{plan}/backlinks")).await.ok();
        titles(&links["linked"]) == ["A"]
            && links["linked"][0]["line"].as_str().unwrap().starts_with("[[New Name]]")
    })
    .await;
}
