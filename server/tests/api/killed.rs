//! The executable, killed in the middle of something and started again on the same data.

use crate::application::{
    PASSWORD, PATIENCE, Person, SECRET_KEY, data_folder, eventually, look_for_jobs, new_database, options,
    site, url_of,
};
use crate::files::send;
use http_body_util::BodyExt as _;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use shared::file::PART_SIZE;
use sqlx::postgres::{PgPool, PgPoolOptions};
use std::convert::Infallible;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use uuid::Uuid;

/// A place where a server runs, dies, and runs again.
struct Place {
    data: std::path::PathBuf,
    database: domain::DatabaseAddress,
    rows: PgPool,
    embeddings: String,
}

struct Server {
    child: Child,
    base: String,
}

impl Place {
    async fn new(embeddings: String) -> Self {
        let database = new_database().await;
        let rows = PgPoolOptions::new().max_connections(2).connect_lazy_with(options(&database));
        let data = data_folder(Uuid::now_v7());
        std::fs::create_dir_all(&data).unwrap();
        Self { data, database, rows, embeddings }
    }

    async fn serve(&self) -> Server {
        let mut child = Command::new(env!("CARGO_BIN_EXE_sidebar"))
            .args(["serve", "--addr", "127.0.0.1:0", "--database-connections", "6"])
            .env("SIDEBAR_DATA", &self.data)
            .env("DATABASE_URL", url_of(&self.database))
            .env("SIDEBAR_SECRET_KEY", SECRET_KEY)
            .env("SIDEBAR_SITE", site())
            .env("SIDEBAR_EMBEDDINGS", &self.embeddings)
            .env("SIDEBAR_LOG", "warn")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = tokio::time::timeout(PATIENCE, lines.next_line());
        let first = first.await.expect("it starts").unwrap().expect("it says where it is");
        let base = first.strip_prefix("sideBar is ready: ").unwrap().to_owned();
        // It may say more, and must not wait for anybody to hear it.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Server { child, base }
    }

    async fn count(&self, statement: &'static str) -> i64 {
        sqlx::query_scalar(statement).fetch_one(&self.rows).await.unwrap()
    }

    /// What waits for the dead is taken up now, not when their leases have run out.
    async fn hurry(&self) {
        sqlx::query("UPDATE jobs SET lease_until = now() WHERE status = 'running'")
            .execute(&self.rows)
            .await
            .unwrap();
        sqlx::query("UPDATE chunk_queue SET leased_until = now()").execute(&self.rows).await.unwrap();
        look_for_jobs(&self.rows).await;
    }
}

impl Server {
    async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    fn person(&self) -> Person {
        Person {
            base: self.base.clone(),
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            cookie: None,
            csrf: None,
            key: None,
        }
    }

    async fn set_up(&self) -> Person {
        let mut person = self.person();
        let body = json!({"email": "owner@example.org", "display_name": "The Owner", "password": PASSWORD});
        let response = person.send(Method::POST, "/api/v1/setup", Some(body)).await;
        assert_eq!(response.status(), StatusCode::OK);
        person.keep_session(response).await;
        person
    }

    /// The same person at the server that came after.
    fn again(&self, person: &Person) -> Person {
        Person { base: self.base.clone(), ..person.clone() }
    }
}

async fn put(person: &Person, name: &str, bytes: Vec<u8>) -> String {
    let path = format!("/api/v1/files?name={name}");
    let answer: Value = send(person, Method::POST, &path, bytes).await.json().await.unwrap();
    answer["data"]["id"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_in_parts_goes_on_after_the_server_was_killed() {
    let place = Place::new("none".into()).await;
    let server = place.serve().await;
    let owner = server.set_up().await;
    let part = usize::try_from(PART_SIZE).unwrap();
    let bytes: Vec<u8> = (0..2 * part + 70_000).map(|at| u8::try_from(at % 251).unwrap()).collect();
    let begin = json!({"name": "big.bin", "size": bytes.len()});
    let upload = owner.post("/api/v1/uploads", begin).await.expect(StatusCode::CREATED);
    let id = upload["id"].as_str().unwrap().to_owned();
    let path = |number: usize| format!("/api/v1/uploads/{id}/parts/{number}");
    assert!(send(&owner, Method::PUT, &path(0), bytes[..part].to_vec()).await.status().is_success());
    // The second is on its way when the server dies.
    let half = bytes[part..part + part / 2].to_vec();
    let endless = futures::stream::once(async move { Ok::<_, std::io::Error>(half) });
    let endless = futures::StreamExt::chain(endless, futures::stream::pending());
    let request = owner.request(Method::PUT, &path(1)).header("content-type", "application/octet-stream");
    let cut = tokio::spawn(request.body(reqwest::Body::wrap_stream(endless)).send());
    eventually("the part is on its way", async || {
        let incoming = std::fs::read_dir(place.data.join("incoming")).unwrap().flatten();
        incoming.filter_map(|entry| entry.metadata().ok()).any(|known| known.len() > 1_000_000)
    })
    .await;
    server.kill().await;
    assert!(cut.await.unwrap().is_err());

    let server = place.serve().await;
    let owner = server.again(&owner);
    assert_eq!(owner.get(&format!("/api/v1/uploads/{id}")).await.ok()["received"], json!([0]));
    assert_eq!(owner.get("/api/v1/files").await.ok()["items"], json!([]), "nothing half visible");
    for (number, range) in [(1, part..2 * part), (2, 2 * part..bytes.len())] {
        assert!(send(&owner, Method::PUT, &path(number), bytes[range].to_vec()).await.status().is_success());
    }
    let file = owner.post(&format!("/api/v1/uploads/{id}/complete"), json!({})).await.ok();
    let whole = format!("/api/v1/files/{}/content", file["id"].as_str().unwrap());
    let whole = owner.request(Method::GET, &whole).send().await.unwrap().bytes().await.unwrap();
    assert!(whole == bytes, "byte for byte");
    assert_eq!(place.count("SELECT count(*) FROM files").await, 1);
    server.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_read_once_and_whole_after_the_server_was_killed_over_it() {
    let place = Place::new("none".into()).await;
    let server = place.serve().await;
    let owner = server.set_up().await;
    let text: String =
        (0..12_000).map(|n| format!("## Part {n}\n\nIn part {n} it says what {n} is.\n\n")).collect();
    let id = put(&owner, "long.md", text.into_bytes()).await;
    eventually("it is being read", async || {
        place.count("SELECT count(*) FROM files WHERE state = 'reading'").await == 1
    })
    .await;
    server.kill().await;
    assert_eq!(
        place.count("SELECT count(*) FROM files WHERE state = 'reading'").await,
        1,
        "in the middle of it"
    );
    assert_eq!(place.count("SELECT count(*) FROM chunks").await, 1, "its name, and nothing half");

    let server = place.serve().await;
    let owner = server.again(&owner);
    place.hurry().await;
    let started = std::time::Instant::now();
    while owner.get(&format!("/api/v1/files/{id}")).await.ok()["state"] != "ready" {
        assert!(started.elapsed() < 3 * PATIENCE, "it is never read");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(place.count("SELECT count(*) FROM chunks WHERE ordinal > 0").await, 12_000);
    assert_eq!(place.count("SELECT count(DISTINCT text) FROM chunks WHERE ordinal > 0").await, 12_000);
    server.kill().await;
}

/// An OpenAI-compatible server of embeddings that takes its time: a server is killed while it waits for some.
async fn embeddings() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            let connection = hyper::server::conn::http1::Builder::new();
            tokio::spawn(async move {
                connection.serve_connection(TokioIo::new(socket), service_fn(embed)).await.is_ok()
            });
        }
    });
    format!("http://{address}/v1")
}

async fn embed(
    request: hyper::Request<hyper::body::Incoming>,
) -> Result<hyper::Response<String>, Infallible> {
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let asked: Value = serde_json::from_slice(&body).unwrap();
    tokio::time::sleep(Duration::from_millis(400)).await;
    let data: Vec<Value> = asked["input"]
        .as_array()
        .unwrap()
        .iter()
        .enumerate()
        .map(|(index, text)| {
            let seed = text
                .as_str()
                .unwrap()
                .bytes()
                .fold(7_u32, |sum, byte| sum.wrapping_mul(31) + u32::from(byte));
            let vector: Vec<f32> = (0..384).map(|at| ((seed >> (at % 24)) & 7) as f32 + 0.5).collect();
            json!({"object": "embedding", "index": index, "embedding": vector})
        })
        .collect();
    let usage = json!({"prompt_tokens": 1, "total_tokens": 1});
    let answer = json!({"object": "list", "model": asked["model"], "data": data, "usage": usage});
    Ok(hyper::Response::builder()
        .header("content-type", "application/json")
        .body(answer.to_string())
        .unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_passage_gets_one_vector_after_the_server_was_killed_over_them() {
    let place = Place::new(embeddings().await).await;
    let server = place.serve().await;
    let owner = server.set_up().await;
    let text: String =
        (0..120).map(|n| format!("## Part {n}\n\nIn part {n} it says what {n} is.\n\n")).collect();
    let id = put(&owner, "long.md", text.into_bytes()).await;
    let vectors = "SELECT count(*) FROM chunk_vectors";
    eventually("some have vectors", async || place.count(vectors).await >= 32).await;
    server.kill().await;
    let (some, waiting) = (place.count(vectors).await, place.count("SELECT count(*) FROM chunk_queue").await);
    assert!(waiting > 0, "in the middle of it");
    assert_eq!(
        some + waiting,
        place.count("SELECT count(*) FROM chunks").await,
        "each has one or waits for it"
    );

    let server = place.serve().await;
    let owner = server.again(&owner);
    place.hurry().await;
    let file = format!("/api/v1/files/{id}");
    eventually("all have vectors", async || owner.get(&file).await.ok()["state"] == "ready").await;
    assert_eq!(place.count("SELECT count(*) FROM chunk_queue").await, 0);
    assert_eq!(place.count(vectors).await, place.count("SELECT count(*) FROM chunks").await);
    assert_eq!(place.count("SELECT count(*) FROM chunks").await, 121);
    server.kill().await;
}
