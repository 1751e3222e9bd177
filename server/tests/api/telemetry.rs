//! What leaves the server where an operator asked for it: traces to a collector, errors to Sentry.

use crate::application::{PASSWORD, PATIENCE, Person, eventually, new_database};
use serde_json::json;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

/// Paths, and what was posted to each.
type Taken = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

/// A collector: takes whatever is posted to it, and keeps it.
struct Collector {
    address: std::net::SocketAddr,
    taken: Taken,
}

impl Collector {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let taken = Taken::default();
        let kept = taken.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(take(stream, kept.clone()));
            }
        });
        Self { address, taken }
    }

    /// What came to this path, as text.
    fn at(&self, path: &str) -> String {
        let taken = self.taken.lock().unwrap();
        let bodies = taken.iter().filter(|(at, _)| at == path).map(|(_, body)| String::from_utf8_lossy(body));
        bodies.collect::<Vec<_>>().join("\n")
    }
}

/// Reads requests until the connection ends, and says yes to each.
async fn take(mut stream: TcpStream, kept: Taken) {
    let mut bytes = Vec::new();
    loop {
        let end = loop {
            match bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                Some(end) => break end + 4,
                None if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 => return,
                None => {}
            }
        };
        let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
        let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
        let length: usize = length.expect("bodies of a known length");
        assert!(!head.contains("content-encoding"), "bodies as they are");
        while bytes.len() < end + length {
            if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
                return;
            }
        }
        kept.lock().unwrap().push((path, bytes[end..end + length].to_vec()));
        bytes.drain(..end + length);
        let answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";
        if stream.write_all(answer).await.is_err() {
            return;
        }
    }
}

/// The executable itself; it ends with the test.
struct Server {
    process: Child,
    base: String,
    folder: std::path::PathBuf,
}

impl Server {
    async fn start(options: &[(&str, String)]) -> Self {
        let domain::DatabaseAddress::Socket { directory, port, user, database } = new_database().await else {
            panic!("tests run on a socket")
        };
        let database = format!("postgres://{user}@localhost:{port}/{database}?host={}", directory.display());
        let folder =
            std::env::temp_dir().join(format!("sidebar-telemetry-{}", uuid::Uuid::now_v7().simple()));
        std::fs::create_dir_all(folder.join("site/assets")).unwrap();
        std::fs::write(folder.join("site/manifest.json"), "{}").unwrap();
        let process = Command::new(env!("CARGO_BIN_EXE_sidebar"))
            .args(["serve", "--embeddings", "none", "--addr", "127.0.0.1:0"])
            .env("SIDEBAR_DATA", folder.join("data"))
            .env("SIDEBAR_SITE", folder.join("site"))
            .env("SIDEBAR_SECRET_KEY", "a secret key that is long enough for tests")
            .env("DATABASE_URL", database)
            .envs(options.iter().map(|(name, value)| (*name, value.as_str())))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut server = Self { process, base: String::new(), folder };
        let mut lines = BufReader::new(server.process.stdout.take().unwrap()).lines();
        let (says, said) = oneshot::channel();
        std::thread::spawn(move || {
            // Nobody hears it where the test has failed by then.
            let _ = says.send(lines.next());
            // It may say more, and must not wait for anybody to hear it.
            lines.for_each(drop);
        });
        let first = tokio::time::timeout(PATIENCE, said).await.expect("it starts").unwrap();
        let first = first.expect("it says where it is").unwrap();
        server.base = first.strip_prefix("sideBar is ready: ").unwrap().to_owned();
        let (http, health) = (server.person().http, format!("{}/api/health", server.base));
        eventually("the server answers", async || {
            http.get(&health).send().await.is_ok_and(|answer| answer.status() == 200)
        })
        .await;
        server
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

    /// Asks it to end, as a service manager does; what waits to be sent is sent.
    async fn end(&mut self) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        let waited = async {
            while self.process.try_wait().unwrap().is_none() {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(PATIENCE, waited).await.expect("the server ends when it is asked to");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both may be gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[tokio::test]
async fn a_collector_gets_the_traces_of_requests_and_nothing_that_is_personal() {
    let collector = Collector::start().await;
    let endpoint = format!("http://{}", collector.address);
    let mut server = Server::start(&[("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)]).await;
    let body = json!({"email": "owner@example.org", "display_name": "The Owner", "password": PASSWORD});
    let mut owner = server.person();
    let response = owner.send(reqwest::Method::POST, "/api/v1/setup", Some(body)).await;
    assert_eq!(response.status(), 200);
    owner.keep_session(response).await;
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let search =
        owner.request(reqwest::Method::GET, "/api/v1/search?q=sandcastle").header("traceparent", parent);
    assert_eq!(search.send().await.unwrap().status(), 200);
    server.end().await;
    let traces = collector.at("/v1/traces");
    assert!(traces.contains("sidebar"), "the service is named");
    assert!(traces.contains("/api/v1/search"), "requests are spans: {traces}");
    let trace = u128::from_str_radix("4bf92f3577b34da6a3ce929d0e0e4736", 16).unwrap().to_be_bytes();
    let taken = collector.taken.lock().unwrap();
    assert!(
        taken.iter().any(|(_, body)| body.windows(16).any(|part| part == trace)),
        "the caller's trace goes on"
    );
    for secret in ["owner@example.org", PASSWORD, "sandcastle", owner.cookie.as_deref().unwrap()] {
        assert!(!traces.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn sentry_gets_what_broke_in_a_browser_and_no_one_is_named() {
    let collector = Collector::start().await;
    let dsn = format!("http://public@{}/7", collector.address);
    let mut server = Server::start(&[("SIDEBAR_SENTRY_DSN", dsn)]).await;
    let report = json!({"message": "RuntimeError: unreachable", "stack": "at app_bg.wasm:1:2"});
    let sent = server.person().request(reqwest::Method::POST, "/api/v1/metrics/errors");
    let answer = sent.header("origin", &server.base).json(&report).send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.status());
    server.end().await;
    let events = collector.at("/api/7/envelope/");
    assert!(
        events.contains("RuntimeError: unreachable") && events.contains("at app_bg.wasm:1:2"),
        "{events}"
    );
    assert!(!events.contains("ip_address") && !events.contains("127.0.0.1:"), "{events}");
}
