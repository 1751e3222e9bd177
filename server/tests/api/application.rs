//! A started application and what a person does with it.
//!
//! One Postgres serves all tests of the process; each application has a database of its own.

use embedded_postgres::{Cluster, Connection, Installation, Settings as ClusterSettings};
use metrics_exporter_prometheus::PrometheusBuilder;
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::{Value, json};
use shared::event::{AnswerEvent, Sequenced};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{Connection as _, Executor};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use upstream::{Running, Wire};
use uuid::Uuid;

pub const SECRET_KEY: &str = "a secret key that is long enough for tests";
pub const PASSWORD: &str = "correct horse battery";
/// Nothing in these tests takes longer than this, unless it hangs: also where the machine is slow and does other
/// things meanwhile.
pub const PATIENCE: Duration = Duration::from_secs(120);

static CLUSTER: OnceLock<Cluster> = OnceLock::new();

/// A place in the folder of this test process. A process cannot remove its own folder at its end, so the next
/// one removes those whose process is gone, meanwhile: on some disks that takes minutes.
pub fn folder(name: &str) -> PathBuf {
    static MINE: OnceLock<PathBuf> = OnceLock::new();
    MINE.get_or_init(|| {
        let all = std::env::temp_dir().join("sidebar-tests");
        let left: Vec<_> = std::fs::read_dir(&all).into_iter().flatten().flatten().collect();
        std::thread::spawn(move || {
            for folder in left {
                let name = folder.file_name().into_string().unwrap_or_default();
                let process = name.split('-').next().unwrap_or_default();
                if !PathBuf::from("/proc").join(process).exists() {
                    std::fs::remove_dir_all(folder.path()).ok();
                }
            }
        });
        // A number comes again.
        all.join(format!("{}-{:08x}", std::process::id(), Uuid::new_v4().as_fields().0))
    })
    .join(name)
}

/// The Postgres of this test process. It ends with the process.
fn cluster() -> Connection {
    CLUSTER
        .get_or_init(|| {
            std::thread::spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                let installation = match std::env::var_os("SIDEBAR_POSTGRES") {
                    Some(folder) => Installation::at(PathBuf::from(folder)),
                    None => Installation::cached(),
                };
                let data = folder("postgres");
                std::fs::create_dir_all(&data).unwrap();
                let settings =
                    ClusterSettings::new(installation.expect("run `cargo xtask setup` first"), data);
                runtime.block_on(Cluster::start(settings)).expect("Postgres starts")
            })
            .join()
            .unwrap()
        })
        .connection()
        .clone()
}

pub struct Application {
    pub address: SocketAddr,
    pub domain: domain::Domain,
    pub upstream: Running,
    pub database: domain::DatabaseAddress,
    /// The owner of the tables, whom no policy binds: to look at what is stored.
    pub owner: PgPool,
    pub server_id: Uuid,
    stop: CancellationToken,
}

/// How an application differs from the ordinary.
pub struct Differences {
    pub sign_in_per_minute: usize,
    pub database: Option<domain::DatabaseAddress>,
    pub server_id: Uuid,
    pub file_limits: domain::FileLimits,
    pub embedder: Option<std::sync::Arc<dyn domain::Embedder>>,
    pub storage: domain::Storage,
    /// Which addresses web pages are fetched from.
    pub reach: pages::Reach,
    pub memory_origins: Vec<String>,
    pub weather: Option<std::sync::Arc<domain::Weather>>,
    /// `provider/model` that is shown pictures.
    pub vision_model: Option<&'static str>,
    /// A model of the fake provider that hears recordings.
    pub speech_model: Option<&'static str>,
}

impl Default for Differences {
    fn default() -> Self {
        Self {
            sign_in_per_minute: 10_000,
            database: None,
            server_id: Uuid::now_v7(),
            file_limits: domain::FileLimits { largest: 100 << 20, per_person: 1 << 30 },
            embedder: None,
            storage: domain::Storage::Local,
            reach: pages::Reach::Public,
            memory_origins: Vec::new(),
            weather: None,
            vision_model: None,
            speech_model: None,
        }
    }
}

/// Without pauses: the only host is one of the tests'.
fn fetcher(reach: pages::Reach) -> pages::Fetcher {
    let limits = pages::Limits { pause: Duration::ZERO, ..pages::Limits::default() };
    pages::Fetcher::with(limits, reach, std::sync::Arc::new(pages::SystemResolver)).unwrap()
}

pub fn options(database: &domain::DatabaseAddress) -> PgConnectOptions {
    match database {
        domain::DatabaseAddress::Socket { directory, port, user, database } => {
            PgConnectOptions::new_without_pgpass()
                .socket(directory)
                .port(*port)
                .username(user)
                .database(database)
        }
        domain::DatabaseAddress::Url(url) => url.parse().unwrap(),
    }
}

/// The same address as a URL.
pub fn url_of(database: &domain::DatabaseAddress) -> String {
    match database {
        domain::DatabaseAddress::Socket { directory, port, user, database } => {
            format!("postgres://{user}@localhost/{database}?host={}&port={port}", directory.display())
        }
        domain::DatabaseAddress::Url(url) => url.clone(),
    }
}

pub async fn new_database() -> domain::DatabaseAddress {
    let connection = cluster();
    let name = format!("t{}", Uuid::now_v7().simple());
    let address = |database: &str| domain::DatabaseAddress::Socket {
        directory: connection.socket_folder.clone(),
        port: connection.port,
        user: connection.user.to_owned(),
        database: database.to_owned(),
    };
    let mut admin = sqlx::PgConnection::connect_with(&options(&address("postgres"))).await.unwrap();
    admin.execute(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
    admin.close().await.unwrap();
    address(&name)
}

/// The same for a server that starts again.
pub fn data_folder(server_id: Uuid) -> PathBuf {
    folder(&format!("data-{}", server_id.simple()))
}

pub fn site() -> PathBuf {
    let site = folder(&format!("site-{}", Uuid::now_v7().simple()));
    std::fs::create_dir_all(site.join("assets")).unwrap();
    let manifest = json!({
        "app.js": "/assets/app.00000000.js",
        "app_bg.wasm": "/assets/app_bg.00000000.wasm",
        "main.css": "/assets/main.00000000.css",
    });
    std::fs::write(site.join("manifest.json"), manifest.to_string()).unwrap();
    site
}

impl Application {
    pub async fn start() -> Self {
        Self::start_with(Differences::default()).await
    }

    pub async fn start_with(differences: Differences) -> Self {
        // The first test of the process installs it; the others find it there.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let database = match differences.database {
            Some(database) => database,
            None => new_database().await,
        };
        let upstream = upstream::serve("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let reading_models = domain::ReadingModels {
            pictures: differences.vision_model.map(str::to_owned),
            speech: differences.speech_model.map(|model| domain::SpeechModel {
                url: upstream.base_url(Wire::Openai),
                key: Some("speech-key".to_owned().into()),
                model: model.to_owned(),
                largest: 1 << 20,
            }),
        };
        let domain = domain::Domain::start(domain::Settings {
            database: database.clone(),
            secret_key: domain::SecretKey::new(SECRET_KEY).unwrap(),
            server_id: differences.server_id,
            pool_size: 6,
            data: data_folder(differences.server_id),
            storage: differences.storage,
            file_limits: differences.file_limits,
            extractor: domain::Extractor::new(
                env!("CARGO_BIN_EXE_sidebar").into(),
                vec!["extract".to_owned()],
                domain::ExtractLimits::default(),
            ),
            reading_models,
            fetcher: fetcher(differences.reach),
            embedder: differences.embedder,
            weather: differences.weather,
        })
        .await
        .unwrap();
        let stop = CancellationToken::new();
        let config = edge::Config {
            site: site(),
            public_url: None,
            allowed_hosts: Vec::new(),
            memory_origins: differences.memory_origins,
            trusted_proxies: Vec::new(),
            metrics_token: None,
            setup_code: "setup-code".into(),
            build: "test".into(),
            sign_in_limit: edge::Rate::per_minute(differences.sign_in_per_minute),
            request_limit: edge::Rate::per_minute(1_000_000),
            browser_error_sink: None,
            metrics: PrometheusBuilder::new().build_recorder().handle(),
        };
        let router = edge::router(domain.clone(), config, stop.clone()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(edge::serve(listener, router, stop.clone()));
        let owner = PgPoolOptions::new().max_connections(2).connect_lazy_with(options(&database));
        Self { address, domain, upstream, database, owner, server_id: differences.server_id, stop }
    }

    /// Runs a job of the server's own now, to its end.
    pub async fn run_job(&self, kind: &str) {
        let id: Uuid = sqlx::query_scalar(
            "WITH queued AS (INSERT INTO jobs (id, kind) VALUES ($1, $2) RETURNING id)
             SELECT id FROM queued, pg_notify('sidebar', '\"JobQueued\"')",
        )
        .bind(Uuid::now_v7())
        .bind(kind)
        .fetch_one(&self.owner)
        .await
        .unwrap();
        eventually("the job is done", async || {
            let (status, error): (String, Option<String>) =
                sqlx::query_as("SELECT status, last_error FROM jobs WHERE id = $1")
                    .bind(id)
                    .fetch_one(&self.owner)
                    .await
                    .unwrap();
            assert!(error.is_none(), "{error:?}");
            status == "done"
        })
        .await;
    }

    /// What the executable is told by its environment, to work on this server's data beside it.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("SIDEBAR_DATA", data_folder(self.server_id).display().to_string()),
            ("DATABASE_URL", url_of(&self.database)),
            ("SIDEBAR_SECRET_KEY", SECRET_KEY.to_owned()),
        ]
    }

    /// Ends this server in order, as SIGTERM does.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.domain.shut_down().await;
    }

    pub fn visitor(&self) -> Person {
        Person {
            base: format!("http://{}", self.address),
            http: Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap(),
            cookie: None,
            csrf: None,
            key: None,
        }
    }

    /// The owner, signed in.
    pub async fn set_up(&self) -> Person {
        let mut person = self.visitor();
        let body = json!({"email": "owner@example.org", "display_name": "The Owner", "password": PASSWORD});
        let response = person.send(Method::POST, "/api/v1/setup", Some(body)).await;
        assert_eq!(response.status(), 200, "{}", response.text().await.unwrap());
        person.keep_session(response).await;
        person
    }

    /// Another account, signed in.
    pub async fn person(&self, owner: &Person, email: &str, role: &str) -> Person {
        let body = json!({"email": email, "display_name": email, "role": role, "password": PASSWORD});
        owner.post("/api/v1/users", body).await.expect(StatusCode::CREATED);
        self.sign_in(email, PASSWORD).await
    }

    pub async fn sign_in(&self, email: &str, password: &str) -> Person {
        let mut person = self.visitor();
        let body = json!({"email": email, "password": password});
        let response = person.send(Method::POST, "/api/v1/sessions", Some(body)).await;
        assert_eq!(response.status(), 200, "{}", response.text().await.unwrap());
        person.keep_session(response).await;
        person
    }

    /// Lets the fake provider answer, over the wire named.
    pub async fn add_provider(&self, owner: &Person, wire: Wire) -> Value {
        let kind = match wire {
            Wire::Openai => "openai",
            Wire::Anthropic => "anthropic",
            Wire::Gemini => "gemini",
            Wire::Ollama => "ollama",
        };
        let body = json!({
            "kind": kind,
            "name": format!("fake-{kind}"),
            "base_url": self.upstream.base_url(wire),
            "models": ["small"],
            "api_key": "good-key",
        });
        owner.post("/api/v1/providers", body).await.expect(StatusCode::CREATED)
    }
}

impl Drop for Application {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// A client: a browser with its cookie, or a program with its key.
#[derive(Clone)]
pub struct Person {
    pub base: String,
    pub http: Client,
    pub cookie: Option<String>,
    pub csrf: Option<String>,
    pub key: Option<String>,
}

/// An answer, read.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub body: Value,
}

impl Answer {
    /// The data of a success with this status.
    pub fn expect(self, status: StatusCode) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body["data"].clone()
    }

    pub fn ok(self) -> Value {
        self.expect(StatusCode::OK)
    }

    /// Checks a refusal: its status, its code, and that it is in the envelope.
    pub fn refused(self, status: u16, code: &str) -> Value {
        assert_eq!(
            (self.status.as_u16(), self.body["error_code"].as_str()),
            (status, Some(code)),
            "{}",
            self.body
        );
        assert_eq!(self.body["success"], false);
        assert!(self.body["error"].as_str().is_some_and(|text| !text.is_empty()));
        assert!(self.body["request_id"].as_str().is_some_and(|id| !id.is_empty()));
        self.body
    }
}

impl Person {
    pub async fn keep_session(&mut self, response: Response) -> Value {
        let cookie = response.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        self.cookie = Some(cookie);
        let body: Value = response.json().await.unwrap();
        self.csrf = Some(body["data"]["csrf_token"].as_str().unwrap().to_owned());
        body["data"].clone()
    }

    /// A program with a key of this person's.
    pub async fn program(&self) -> Self {
        let made = self.post("/api/v1/keys", json!({"name": "a program"})).await.expect(StatusCode::CREATED);
        Self { cookie: None, csrf: None, key: Some(made["key"].as_str().unwrap().into()), ..self.clone() }
    }

    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        if let Some(csrf) = &self.csrf {
            request = request.header("x-csrf-token", csrf);
        }
        if let Some(key) = &self.key {
            request = request.bearer_auth(key);
        }
        request
    }

    pub async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Response {
        let mut request = self.request(method, path);
        if let Some(body) = body {
            request = request.json(&body);
        }
        request.send().await.unwrap()
    }

    async fn answer(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let response = self.send(method, path, body).await;
        let status = response.status();
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{status}, not JSON: {text}"));
        Answer { status, body }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.answer(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.answer(Method::POST, path, Some(body)).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.answer(Method::PATCH, path, Some(body)).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.answer(Method::PUT, path, Some(body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.answer(Method::DELETE, path, None).await
    }

    pub async fn conversation(&self) -> String {
        let made = self.post("/api/v1/conversations", json!({})).await.expect(StatusCode::CREATED);
        made["id"].as_str().unwrap().to_owned()
    }

    /// Sends a message and reads the answer to its end.
    pub async fn ask(&self, conversation: &str, content: &str) -> Vec<Sequenced> {
        let path = format!("/api/v1/conversations/{conversation}/messages");
        self.stream(&path, json!({"content": content})).await.rest().await
    }

    /// Opens the stream that answers a POST.
    pub async fn stream(&self, path: &str, body: Value) -> Stream {
        Stream::of(self.send(Method::POST, path, Some(body)).await).await
    }

    /// Follows an answer after one of its events.
    pub async fn follow(&self, conversation: &str, message: &str, after: u64) -> Stream {
        let path = format!("/api/v1/conversations/{conversation}/messages/{message}/events");
        let request = self.request(Method::GET, &path).header("last-event-id", after.to_string());
        let response = tokio::time::timeout(PATIENCE, request.send()).await.expect("the stream never begins");
        Stream::of(response.unwrap()).await
    }
}

/// Server-sent events, read one by one.
pub struct Stream {
    response: Response,
    buffer: String,
}

impl Stream {
    async fn of(response: Response) -> Self {
        let status = response.status();
        if status != 200 {
            panic!("{status}: {}", response.text().await.unwrap());
        }
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, buffer: String::new() }
    }

    /// The next event; none when the stream ended.
    pub async fn next(&mut self) -> Option<Sequenced> {
        loop {
            if let Some(end) = self.buffer.find("\n\n") {
                let block: String = self.buffer.drain(..end + 2).collect();
                let field =
                    |name: &str| block.lines().find_map(|line| line.strip_prefix(name).map(str::trim));
                let Some(data) = field("data:") else { continue };
                let event: AnswerEvent = serde_json::from_str(data).unwrap();
                assert_eq!(field("event:"), Some(event.name()));
                return Some(Sequenced { seq: field("id:").unwrap().parse().unwrap(), event });
            }
            let chunk =
                tokio::time::timeout(PATIENCE, self.response.chunk()).await.expect("the stream hangs");
            match chunk {
                Ok(Some(bytes)) => self.buffer.push_str(std::str::from_utf8(&bytes).unwrap()),
                Ok(None) | Err(_) => return None,
            }
        }
    }

    /// Everything until the end, with numbers that rise.
    pub async fn rest(mut self) -> Vec<Sequenced> {
        let mut events: Vec<Sequenced> = Vec::new();
        while let Some(event) = self.next().await {
            assert!(events.last().is_none_or(|last| last.seq < event.seq), "numbers must rise: {event:?}");
            events.push(event);
        }
        events
    }

    /// Reads until an event is as described.
    pub async fn until(&mut self, described: impl Fn(&AnswerEvent) -> bool) -> Sequenced {
        loop {
            let event = self.next().await.expect("the stream ended before that");
            if described(&event.event) {
                return event;
            }
        }
    }
}

/// The text of an answer, as a reader of its events ends up with it.
pub fn text_of(events: &[Sequenced]) -> String {
    let mut text = String::new();
    for event in events {
        match &event.event {
            AnswerEvent::Delta { text: more } => text.push_str(more),
            AnswerEvent::Reset { content, .. } => text.clone_from(content),
            _ => {}
        }
    }
    text
}

/// The id of the answer that a stream begins with.
pub fn answer_id(event: &Sequenced) -> String {
    match &event.event {
        AnswerEvent::Message { message_id, .. } => message_id.to_string(),
        other => panic!("an answer begins with which it is, not with {other:?}"),
    }
}

/// Lets jobs come that were put off or queued by hand, without waiting until somebody looks.
pub async fn look_for_jobs(owner: &PgPool) {
    sqlx::query("SELECT pg_notify('sidebar', '\"JobQueued\"')").execute(owner).await.unwrap();
}

/// Waits where so many seconds, as the clock counts them (a day, an hour), are about to end: what is counted within
/// them would begin anew in the middle of a test.
pub async fn well_within(stretch: i64, margin: i64) {
    let left = stretch - time::OffsetDateTime::now_utc().unix_timestamp() % stretch;
    if left <= margin {
        tokio::time::sleep(Duration::from_secs(left.unsigned_abs() + 1)).await;
    }
}

/// Waits until it is so.
pub async fn eventually(what: &str, mut check: impl AsyncFnMut() -> bool) {
    let started = std::time::Instant::now();
    while !check().await {
        assert!(started.elapsed() < PATIENCE, "it never came to be that {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
