//! Files: they come whole or in parts, are read, found and downloaded, and are nobody else's.

use crate::application::{Application, Differences, Person, eventually};
use domain::FileLimits;
use reqwest::Response;
use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};
use shared::file::PART_SIZE;

const LEASE: &str = "# Lease\n\nThe tenant pays 900 a month.\n\n## Notice\n\nEither side may end it with three months of warning, in writing.\n";

pub async fn send(person: &Person, method: Method, path: &str, bytes: Vec<u8>) -> Response {
    let request = person.request(method, path).header(header::CONTENT_TYPE, "application/octet-stream");
    request.body(bytes).send().await.unwrap()
}

pub async fn keep(person: &Person, name: &str, folder: &str, bytes: &[u8]) -> (StatusCode, Value) {
    let query = format!("/api/v1/files?name={}&folder={}", encoded(name), encoded(folder));
    let response = send(person, Method::POST, &query, bytes.to_vec()).await;
    let status = response.status();
    (status, response.json().await.unwrap())
}

pub fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

pub async fn kept(person: &Person, name: &str, bytes: &[u8]) -> String {
    let (status, answer) = keep(person, name, "", bytes).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    answer["data"]["id"].as_str().unwrap().to_owned()
}

pub async fn settled(person: &Person, id: &str) -> Value {
    let path = format!("/api/v1/files/{id}");
    let state = async || person.get(&path).await.ok()["state"].clone();
    eventually("the file is read", async || {
        matches!(state().await.as_str(), Some("ready" | "kept" | "failed"))
    })
    .await;
    person.get(&path).await.ok()
}

pub async fn found(person: &Person, query: &str) -> Vec<Value> {
    let hits = person.get(&format!("/api/v1/search?q={}", encoded(query))).await.ok();
    hits["items"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_read_and_found_at_its_place() {
    let application = Application::start().await;
    let owner = application.set_up().await;
    let id = kept(&owner, "lease.md", LEASE.as_bytes()).await;
    let file = settled(&owner, &id).await;
    assert_eq!((file["state"].as_str(), file["name"].as_str()), (Some("ready"), Some("lease.md")), "{file}");
    let labels: Vec<&str> = file["sections"]
        .as_array()
        .unwrap()
        .iter()
        .map(|section| section["label"].as_str().unwrap())
        .collect();
    assert_eq!(labels, ["Lease", "Lease › Notice"]);
    let anchor = file["sections"][1]["anchor"].as_str().unwrap();
    let hits = found(&owner, "warning in writing").await;
    assert_eq!(hits.len(), 1, "{hits:?}");
    assert_eq!(hits[0]["kind"], "file");
    assert_eq!(hits[0]["url"], format!("/f/{id}#{anchor}"));
    assert_eq!(hits[0]["place"], "Lease › Notice");
    assert_eq!(found(&owner, "lease.md").await.len(), 1, "by its name too");
    let text = owner
        .request(Method::GET, &format!("/api/v1/files/{id}/text"))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(text.starts_with("---\nfile_id: ") && text.contains("three months of warning"), "{text}");
    application.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_bytes_in_one_place_are_kept_once() {
    let application = Application::start().await;
    let owner = application.set_up().await;
    let (first, made) = keep(&owner, "a.txt", "Taxes/2024", b"the same").await;
    let (again, there) = keep(&owner, "b.txt", "Taxes/2024/", b"the same").await;
    let (elsewhere, _) = keep(&owner, "a.txt", "Taxes/2025", b"the same").await;
    assert_eq!((first, again, elsewhere), (StatusCode::CREATED, StatusCode::OK, StatusCode::CREATED));
    assert_eq!(made["data"]["id"], there["data"]["id"]);
    assert_eq!(owner.get("/api/v1/files").await.ok()["items"].as_array().unwrap().len(), 2);
    assert_eq!(
        owner.get("/api/v1/files?folder=Taxes%2F2024").await.ok()["items"].as_array().unwrap().len(),
        1
    );
    assert_eq!(owner.get("/api/v1/files/use").await.ok()["used"], 8, "one blob");
    let id = made["data"]["id"].as_str().unwrap();
    settled(&owner, id).await;
    let passages = passages(&application, id).await;
    owner.post(&format!("/api/v1/files/{id}/read"), json!({})).await.ok();
    settled(&owner, id).await;
    assert_eq!(passages, self::passages(&application, id).await, "read again, nothing changed");
    application.stop().await;
}

/// Ids of the passages' rows.
async fn passages(application: &Application, id: &str) -> Vec<i64> {
    let id: uuid::Uuid = id.parse().unwrap();
    sqlx::query_scalar("SELECT id FROM chunks WHERE source_id = $1 ORDER BY id")
        .bind(id)
        .fetch_all(&application.owner)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_comes_in_parts_in_any_order_and_once() {
    let application = Application::start().await;
    let owner = application.set_up().await;
    let size = PART_SIZE + 5;
    let begin = json!({"name": "big.bin", "folder": "../up", "size": size});
    let upload = owner.post("/api/v1/uploads", begin).await.expect(StatusCode::CREATED);
    let id = upload["id"].as_str().unwrap().to_owned();
    assert_eq!((upload["folder"].as_str(), &upload["received"]), (Some("up"), &json!([])));
    let part = async |number: u32, bytes: Vec<u8>| {
        send(&owner, Method::PUT, &format!("/api/v1/uploads/{id}/parts/{number}"), bytes).await
    };
    assert_eq!(part(1, vec![2; 5]).await.status(), StatusCode::OK);
    assert_eq!(part(0, vec![1; 100]).await.status(), StatusCode::BAD_REQUEST, "a part is whole or not there");
    assert_eq!(part(2, vec![1]).await.status(), StatusCode::BAD_REQUEST);
    assert_eq!(part(1, vec![2; 6]).await.status(), StatusCode::PAYLOAD_TOO_LARGE);
    owner.post(&format!("/api/v1/uploads/{id}/complete"), json!({})).await.refused(409, "CONFLICT");
    assert!(
        owner.get("/api/v1/files").await.ok()["items"].as_array().unwrap().is_empty(),
        "nothing half visible"
    );
    assert_eq!(part(0, vec![1; usize::try_from(PART_SIZE).unwrap()]).await.status(), StatusCode::OK);
    assert_eq!(part(0, vec![9; 100]).await.status(), StatusCode::BAD_REQUEST, "and what is there stays");
    assert_eq!(owner.get(&format!("/api/v1/uploads/{id}")).await.ok()["received"], json!([0, 1]));
    let file = owner.post(&format!("/api/v1/uploads/{id}/complete"), json!({})).await.ok();
    let again = owner.post(&format!("/api/v1/uploads/{id}/complete"), json!({})).await.ok();
    assert_eq!((&file["id"], &file["size"]), (&again["id"], &json!(size)));
    let path = format!("/api/v1/files/{}/content", file["id"].as_str().unwrap());
    let range = format!("bytes={}-{}", PART_SIZE - 2, PART_SIZE + 1);
    let middle = owner.request(Method::GET, &path).header(header::RANGE, range).send().await.unwrap();
    assert_eq!(middle.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(middle.bytes().await.unwrap(), [1, 1, 2, 2].as_slice());
    let known = json!({"name": "again.bin", "size": size, "sha256": file["sha256"]});
    let known = owner.post("/api/v1/uploads", known).await.expect(StatusCode::CREATED);
    assert!(known["file"]["id"].as_str().is_some(), "its bytes are here: {known}");
    application.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_is_not_what_was_announced_becomes_no_file() {
    let application = Application::start().await;
    let owner = application.set_up().await;
    let begin = json!({"name": "x", "size": 3, "sha256": "00".repeat(32)});
    let upload = owner.post("/api/v1/uploads", begin).await.expect(StatusCode::CREATED);
    let id = upload["id"].as_str().unwrap();
    send(&owner, Method::PUT, &format!("/api/v1/uploads/{id}/parts/0"), b"abc".to_vec()).await;
    owner.post(&format!("/api/v1/uploads/{id}/complete"), json!({})).await.refused(400, "INVALID_INPUT");
    owner.delete(&format!("/api/v1/uploads/{id}")).await.ok();
    owner.get(&format!("/api/v1/uploads/{id}")).await.refused(404, "NOT_FOUND");
    assert!(owner.get("/api/v1/files").await.ok()["items"].as_array().unwrap().is_empty());
    application.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_read_says_why_and_is_still_there() {
    let application = Application::start().await;
    let owner = application.set_up().await;
    let id = kept(&owner, "broken.pdf", b"%PDF-1.7\nnot really").await;
    let file = settled(&owner, &id).await;
    assert_eq!(file["state"], "failed");
    assert!(file["reason"].as_str().unwrap().ends_with('.'), "{file}");
    let bytes = owner.request(Method::GET, &format!("/api/v1/files/{id}/content")).send().await.unwrap();
    assert_eq!(bytes.headers()[header::CONTENT_TYPE], "application/pdf");
    assert_eq!(bytes.text().await.unwrap(), "%PDF-1.7\nnot really");
    application.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_the_bin_is_not_found_and_comes_back_whole() {
    let application = Application::start().await;
    let owner = application.set_up().await;
    let id = kept(&owner, "lease.md", LEASE.as_bytes()).await;
    settled(&owner, &id).await;
    owner.delete(&format!("/api/v1/files/{id}")).await.ok();
    assert!(found(&owner, "three months of warning").await.is_empty());
    assert!(owner.get("/api/v1/files").await.ok()["items"].as_array().unwrap().is_empty());
    assert_eq!(owner.get("/api/v1/files?deleted=true").await.ok()["items"][0]["id"], *id);
    owner.post(&format!("/api/v1/files/{id}/restore"), json!({})).await.ok();
    assert_eq!(found(&owner, "three months of warning").await.len(), 1);
    let renamed = owner
        .patch(&format!("/api/v1/files/{id}"), json!({"name": "../rent.md", "folder": "Home"}))
        .await
        .ok();
    assert_eq!((renamed["name"].as_str(), renamed["folder"].as_str()), (Some("rent.md"), Some("Home")));
    assert_eq!(found(&owner, "rent.md").await.len(), 1);
    application.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_nobody_elses() {
    let application = Application::start().await;
    let owner = application.set_up().await;
    let other = application.person(&owner, "other@example.org", "developer").await;
    let id = kept(&owner, "lease.md", LEASE.as_bytes()).await;
    settled(&owner, &id).await;
    for path in ["", "/content", "/text", "/thumbnail"] {
        other.get(&format!("/api/v1/files/{id}{path}")).await.refused(404, "NOT_FOUND");
    }
    other.patch(&format!("/api/v1/files/{id}"), json!({"name": "mine"})).await.refused(404, "NOT_FOUND");
    other.delete(&format!("/api/v1/files/{id}")).await.refused(404, "NOT_FOUND");
    other.post(&format!("/api/v1/files/{id}/read"), json!({})).await.refused(404, "NOT_FOUND");
    assert!(found(&other, "three months of warning").await.is_empty());
    assert!(found(&other, "lease.md").await.is_empty());
    assert!(other.get("/api/v1/files").await.ok()["items"].as_array().unwrap().is_empty());
    let upload =
        owner.post("/api/v1/uploads", json!({"name": "x", "size": 3})).await.expect(StatusCode::CREATED);
    let upload = upload["id"].as_str().unwrap();
    other.get(&format!("/api/v1/uploads/{upload}")).await.refused(404, "NOT_FOUND");
    let part = send(&other, Method::PUT, &format!("/api/v1/uploads/{upload}/parts/0"), b"abc".to_vec()).await;
    assert_eq!(part.status(), StatusCode::NOT_FOUND);
    application.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn beyond_the_quota_nothing_is_kept() {
    let file_limits = FileLimits { largest: 1000, per_person: 1500 };
    let application = Application::start_with(Differences { file_limits, ..Differences::default() }).await;
    let owner = application.set_up().await;
    kept(&owner, "a.txt", &[b'a'; 900]).await;
    let (status, answer) = keep(&owner, "b.txt", "", &[b'b'; 900]).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE, "{answer}");
    let (status, _) = keep(&owner, "c.txt", "", &[b'c'; 1001]).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    let begun =
        owner.post("/api/v1/uploads", json!({"name": "e", "size": 500})).await.expect(StatusCode::CREATED);
    owner.post("/api/v1/uploads", json!({"name": "f", "size": 500})).await.refused(413, "PAYLOAD_TOO_LARGE");
    owner.delete(&format!("/api/v1/uploads/{}", begun["id"].as_str().unwrap())).await.ok();
    owner.post("/api/v1/uploads", json!({"name": "d", "size": 1001})).await.refused(413, "PAYLOAD_TOO_LARGE");
    assert_eq!(owner.get("/api/v1/files").await.ok()["items"].as_array().unwrap().len(), 1);
    assert_eq!(owner.get("/api/v1/files/use").await.ok()["used"], 900);
    let there = owner.get("/api/v1/files").await.ok()["items"][0]["id"].as_str().unwrap().to_owned();
    owner.delete(&format!("/api/v1/files/{there}")).await.ok();
    assert_eq!(owner.get("/api/v1/files/use").await.ok()["used"], 0, "deleting makes room");
    kept(&owner, "b.txt", &[b'b'; 900]).await;
    application.stop().await;
}
