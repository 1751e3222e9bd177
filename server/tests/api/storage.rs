//! Files in a bucket, by the real protocol, and what happens while the bucket or the disk does not play along.

use crate::application::{Application, Differences, Person, eventually};
use crate::bucket::{Bucket, Way};
use crate::files::{found, keep, kept, send, settled};
use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};
use shared::file::PART_SIZE;
use std::time::Duration;

const LEASE: &str = "# Lease\n\nEither side may end it with three months of warning, in writing.\n";

async fn with(bucket: &Bucket) -> Application {
    Application::start_with(Differences { storage: bucket.storage(), ..Differences::default() }).await
}

async fn status(person: &Person) -> Value {
    person.send(Method::GET, "/api/health", None).await.json::<Value>().await.unwrap()["data"].clone()
}

async fn content(person: &Person, id: &str, query: &str) -> reqwest::Response {
    person.request(Method::GET, &format!("/api/v1/files/{id}/content{query}")).send().await.unwrap()
}

/// Bytes that differ from place to place.
fn noise(size: u64) -> Vec<u8> {
    (0..size).map(|at| u8::try_from((at ^ (at >> 8).wrapping_mul(31)) & 0xFF).unwrap()).collect()
}

/// A file that came in parts.
async fn in_parts(person: &Person, name: &str, bytes: &[u8]) -> String {
    let begin = json!({"name": name, "size": bytes.len()});
    let upload = person.post("/api/v1/uploads", begin).await.expect(StatusCode::CREATED);
    let id = upload["id"].as_str().unwrap();
    for (number, part) in bytes.chunks(usize::try_from(PART_SIZE).unwrap()).enumerate() {
        let path = format!("/api/v1/uploads/{id}/parts/{number}");
        assert_eq!(send(person, Method::PUT, &path, part.to_vec()).await.status(), StatusCode::OK);
    }
    let file = person.post(&format!("/api/v1/uploads/{id}/complete"), json!({})).await.ok();
    file["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_keeps_files_as_a_folder_does() {
    let bucket = Bucket::start().await;
    let application = with(&bucket).await;
    let owner = application.set_up().await;
    let lease = kept(&owner, "lease.md", LEASE.as_bytes()).await;
    assert_eq!(settled(&owner, &lease).await["state"], "ready");
    assert_eq!(found(&owner, "warning in writing").await.len(), 1);
    let text = owner.request(Method::GET, &format!("/api/v1/files/{lease}/text")).send().await.unwrap();
    assert!(text.text().await.unwrap().contains("three months of warning"));
    let bytes = noise(2 * PART_SIZE + 100_000);
    let film = in_parts(&owner, "film.bin", &bytes).await;
    let range = format!("bytes={}-{}", PART_SIZE - 3, PART_SIZE + 3);
    let path = format!("/api/v1/files/{film}/content");
    let part = owner.request(Method::GET, &path).header(header::RANGE, range).send().await.unwrap();
    assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
    let at = usize::try_from(PART_SIZE).unwrap();
    assert_eq!(part.bytes().await.unwrap(), bytes[at - 3..=at + 3]);
    assert_eq!(content(&owner, &film, "").await.bytes().await.unwrap(), bytes);
    eventually("the film is looked at", async || {
        owner.get(&format!("/api/v1/files/{film}")).await.ok()["state"] == "kept"
    })
    .await;
    let objects = bucket.objects();
    assert_eq!(objects.iter().filter(|name| name.starts_with("blobs/")).count(), 2, "{objects:?}");
    assert!(objects.contains(&format!("files/{lease}/ai/ai.md")), "{objects:?}");
    assert!(!objects.iter().any(|name| name.starts_with("uploads/")), "{objects:?}");

    sqlx::query("DELETE FROM files").execute(&application.owner).await.unwrap();
    sqlx::query("UPDATE blobs SET claimed_at = now() - interval '3 hours'")
        .execute(&application.owner)
        .await
        .unwrap();
    application.run_job("collect_blobs").await;
    assert_eq!(bucket.objects(), Vec::<String>::new(), "nothing names them any more");
    application.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_download_comes_from_the_bucket_and_is_nothing_a_browser_would_run() {
    let bucket = Bucket::start().await;
    let application = with(&bucket).await;
    let owner = application.set_up().await;
    let bytes = noise(2 * PART_SIZE + 5);
    let id = in_parts(&owner, "page \"x\".html", &bytes).await;
    let sent = content(&owner, &id, "?download=true").await;
    assert_eq!(sent.status(), StatusCode::TEMPORARY_REDIRECT);
    assert_eq!(sent.headers()[header::CACHE_CONTROL], "no-store");
    let address = sent.headers()[header::LOCATION].to_str().unwrap().to_owned();
    let direct = owner.http.get(&address).send().await.unwrap();
    assert_eq!(direct.status(), StatusCode::OK, "{}", direct.text().await.unwrap());
    assert_eq!(direct.headers()[header::CONTENT_TYPE], "application/octet-stream");
    let disposition = direct.headers()[header::CONTENT_DISPOSITION].to_str().unwrap().to_owned();
    assert!(disposition.starts_with("attachment; filename="), "{disposition}");
    assert_eq!(direct.bytes().await.unwrap(), bytes);
    let shown = address.replace("application%2Foctet-stream", "text%2Fhtml");
    assert_ne!(shown, address);
    let shown = owner.http.get(shown).send().await.unwrap();
    assert_eq!(shown.status(), StatusCode::FORBIDDEN, "what is signed cannot be changed");
    let ranged = owner.request(Method::GET, &format!("/api/v1/files/{id}/content?download=true"));
    let ranged = ranged.header(header::RANGE, "bytes=0-9").send().await.unwrap();
    assert_eq!(ranged.status(), StatusCode::PARTIAL_CONTENT, "a part comes from here");
    let small = kept(&owner, "small.txt", b"small").await;
    assert_eq!(content(&owner, &small, "?download=true").await.status(), StatusCode::OK);
    let other = application.person(&owner, "other@example.org", "developer").await;
    assert_eq!(content(&other, &id, "?download=true").await.status(), StatusCode::NOT_FOUND);
    application.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_bucket_is_away_nothing_is_half_there_and_all_recovers_by_itself() {
    let bucket = Bucket::start().await;
    let application = with(&bucket).await;
    let owner = application.set_up().await;
    let before = kept(&owner, "before.md", LEASE.as_bytes()).await;
    settled(&owner, &before).await;
    for way in [Way::Cut, Way::Refusing] {
        bucket.set(way);
        let (status_of, answer) = keep(&owner, "lost.txt", "", format!("{way:?}").as_bytes()).await;
        assert_eq!(status_of, StatusCode::SERVICE_UNAVAILABLE, "{answer}");
        assert_eq!(answer["error_code"], "STORAGE_UNAVAILABLE");
        assert!(answer["error"].as_str().unwrap().contains("Nothing was changed"), "{answer}");
        let items = owner.get("/api/v1/files").await.ok()["items"].clone();
        assert_eq!(items.as_array().unwrap().len(), 1, "{items}");
        assert_eq!(content(&owner, &before, "").await.status(), StatusCode::SERVICE_UNAVAILABLE);
        eventually("the server says so", async || status(&owner).await["status"] == "degraded").await;
        let told = status(&owner).await;
        assert_eq!(
            (&told["detail"]["storage"]["ok"], &told["detail"]["database"]["ok"]),
            (&json!(false), &json!(true))
        );
        bucket.set(Way::Open);
        eventually("the server is well again", async || status(&owner).await["status"] == "ok").await;
        assert_eq!(content(&owner, &before, "").await.text().await.unwrap(), LEASE);
    }
    application.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_waits_for_the_bucket_and_is_read_when_it_is_back() {
    let bucket = Bucket::start().await;
    let application = with(&bucket).await;
    let owner = application.set_up().await;
    let id = kept(&owner, "lease.md", LEASE.as_bytes()).await;
    settled(&owner, &id).await;
    bucket.set(Way::Cut);
    owner.post(&format!("/api/v1/files/{id}/read"), json!({})).await.ok();
    let job = async || -> (String, i32, Option<String>) {
        sqlx::query_as("SELECT status, attempts, last_error FROM jobs WHERE kind = 'read_file' ORDER BY created_at DESC LIMIT 1")
            .fetch_one(&application.owner)
            .await
            .unwrap()
    };
    eventually("the job is put off", async || job().await.2.is_some()).await;
    let (state, attempts, _) = job().await;
    assert_eq!((state.as_str(), attempts), ("queued", 0), "a store that is away is no try of the job's");
    assert_eq!(owner.get("/api/v1/files?limit=1").await.ok()["items"][0]["state"], "waiting");
    bucket.set(Way::Open);
    assert_eq!(settled(&owner, &id).await["state"], "ready");
    application.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_waits_for_the_bucket_as_a_file_does() {
    let bucket = Bucket::start().await;
    let application = with(&bucket).await;
    let owner = application.set_up().await;
    let paragraph = "The old roses of the south wall are pruned late, after the last frost. ".repeat(20);
    let html = format!("<html><body><article><h1>Old Roses</h1><p>{paragraph}</p></article></body></html>");
    let page = json!({"url": "https://letters.example/roses", "html": html});
    let execute =
        async |statement: &'static str| sqlx::query(statement).execute(&application.owner).await.unwrap();
    execute("ALTER TABLE jobs ALTER run_at SET DEFAULT now() + interval '1 hour'").await;
    let made = owner.post("/api/v1/pages", page.clone()).await.expect(StatusCode::CREATED);
    let path = format!("/api/v1/pages/{}", made["id"].as_str().unwrap());
    let state = async || owner.get("/api/v1/pages").await.ok()["items"][0]["state"].clone();

    let come = async || {
        execute("UPDATE jobs SET run_at = now() WHERE kind = 'fetch_page'").await;
        execute("SELECT pg_notify('sidebar', '\"JobQueued\"')").await;
    };
    bucket.set(Way::Cut);
    come().await;
    let job = async || -> (String, i32, Option<String>) {
        sqlx::query_as("SELECT status, attempts, last_error FROM jobs WHERE kind = 'fetch_page'")
            .fetch_one(&application.owner)
            .await
            .unwrap()
    };
    eventually("the job is put off", async || job().await.2.is_some()).await;
    let (status, attempts, _) = job().await;
    assert_eq!((status.as_str(), attempts), ("queued", 0), "a store that is away is no try of the job's");
    assert_eq!(state().await, "waiting");

    bucket.set(Way::Open);
    come().await;
    eventually("the page is read", async || state().await == "ready").await;
    bucket.set(Way::Cut);
    owner.get(&path).await.refused(503, "STORAGE_UNAVAILABLE");
    owner.post("/api/v1/pages", page).await.refused(503, "STORAGE_UNAVAILABLE");
    assert_eq!(state().await, "ready", "nothing was changed");
    application.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_bucket_is_waited_for() {
    let bucket = Bucket::start().await;
    let application = with(&bucket).await;
    let owner = application.set_up().await;
    bucket.set(Way::Slow(Duration::from_millis(60)));
    let bytes = noise(300_000);
    let id = kept(&owner, "slow.bin", &bytes).await;
    assert_eq!(content(&owner, &id, "").await.bytes().await.unwrap(), bytes);
    assert_eq!(status(&owner).await["status"], "ok");
    application.stop().await;
}

/// A small disk of its own, where this process may make one.
struct Disk(std::path::PathBuf);

impl Disk {
    fn of(size: &str, at: std::path::PathBuf) -> Option<Self> {
        std::fs::create_dir_all(&at).unwrap();
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(&at)
            .output();
        mounted.is_ok_and(|done| done.status.success()).then_some(Self(at))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_and_loses_nothing() {
    let server_id = uuid::Uuid::now_v7();
    let data = crate::application::data_folder(server_id);
    // Where no disk can be made there is none to fill.
    let Some(_disk) = Disk::of("6m", data.clone()) else { return };
    let application = Application::start_with(Differences { server_id, ..Differences::default() }).await;
    let owner = application.set_up().await;
    let bytes = noise(2_500_000);
    let id = kept(&owner, "first.bin", &bytes).await;
    let other = noise(4_000_000);
    let (status, answer) = keep(&owner, "second.bin", "", &other).await;
    assert_eq!(status, StatusCode::INSUFFICIENT_STORAGE, "{answer}");
    assert_eq!(answer["error_code"], "STORAGE_FULL");
    assert!(answer["error"].as_str().unwrap().contains("Nothing was kept"), "{answer}");
    assert_eq!(std::fs::read_dir(data.join("incoming")).unwrap().count(), 0, "what came is gone again");
    let items = owner.get("/api/v1/files").await.ok()["items"].clone();
    assert_eq!(items.as_array().unwrap().len(), 1, "{items}");
    assert_eq!(content(&owner, &id, "").await.bytes().await.unwrap(), bytes);
    kept(&owner, "small.txt", b"still room for this").await;
    application.stop().await;
}
