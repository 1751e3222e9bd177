//! The HTTP side: which request is which wire's, who may ask, and a log of what was asked.

use crate::script::{self, Pace, Script};
use crate::stream::Answer;
use crate::wire::{Asked, Encode, Refusal, Wire};
use crate::{anthropic, gemini, hearing, ollama, openai, seeing};
use bytes::Bytes;
use futures::TryStreamExt;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, Limited, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

const LONGEST_REQUEST_BYTES: usize = 64 << 20;
/// How many requests are remembered.
const LOG_LENGTH: usize = 1000;
const MODELS: [&str; 2] = ["fake-large", "fake-small"];

type Body = UnsyncBoxBody<Bytes, io::Error>;

/// What is answered to a message without directives; none: an echo.
#[derive(Clone, Copy, Debug, Default)]
pub struct Defaults {
    /// So many stamped tokens at this pace.
    pub stamped: Option<(u64, Pace)>,
}

/// A request for an answer, as it arrived.
#[derive(Clone, Debug, Serialize)]
pub struct Received {
    pub wire: Wire,
    pub path: String,
    pub api_key: Option<String>,
    pub body: Value,
}

/// A provider that runs until this is dropped; then all its connections are closed at once.
pub struct Running {
    pub addr: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    defaults: Defaults,
    log: Mutex<VecDeque<Received>>,
    answers: Arc<AtomicUsize>,
    ids: AtomicU64,
}

/// Starts a provider on the current runtime; port 0 takes a free one.
pub async fn serve(addr: SocketAddr) -> io::Result<Running> {
    serve_with(addr, Defaults::default()).await
}

pub async fn serve_with(addr: SocketAddr, defaults: Defaults) -> io::Result<Running> {
    let listener = TcpListener::bind(addr).await?;
    let addr = listener.local_addr()?;
    let shared = Arc::new(Shared { defaults, ..Shared::default() });
    let accepting = tokio::spawn(accept(listener, Arc::clone(&shared)));
    Ok(Running { addr, shared, accepting })
}

impl Running {
    /// What to configure as a provider's address, for each wire.
    pub fn base_url(&self, wire: Wire) -> String {
        let path = match wire {
            Wire::Openai | Wire::Anthropic => "v1/",
            Wire::Gemini => "v1beta/",
            Wire::Ollama => "",
        };
        format!("http://{}/{path}", self.addr)
    }

    /// The last requests for answers, oldest first.
    pub fn requests(&self) -> Vec<Received> {
        self.shared.log().iter().cloned().collect()
    }

    /// How many answers are being written right now. One whose reader went away is none.
    pub fn open_answers(&self) -> usize {
        self.shared.answers.load(Ordering::Relaxed)
    }

    /// Serves until the process ends.
    pub async fn forever(mut self) {
        // The task ends only by being aborted, which dropping this does.
        let _ = (&mut self.accepting).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Shared {
    fn log(&self) -> std::sync::MutexGuard<'_, VecDeque<Received>> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, received: Received) {
        let mut log = self.log();
        if log.len() == LOG_LENGTH {
            log.pop_front();
        }
        log.push_back(received);
    }
}

/// The connections live in this task, so that they end with it.
async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((socket, _)) => {
                connections.spawn(connection(socket, Arc::clone(&shared)));
            }
            // Out of descriptors: those that close give some back.
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn connection(socket: TcpStream, shared: Arc<Shared>) {
    // Without it tokens would wait for each other; a socket that cannot is closed already.
    if socket.set_nodelay(true).is_err() {
        return;
    }
    let service = hyper::service::service_fn(move |request| {
        let shared = Arc::clone(&shared);
        async move { Ok::<_, Infallible>(respond(request, &shared).await) }
    });
    // An error here is a client that went away, or a connection that was to be cut.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(socket), service).await;
}

async fn respond(request: Request<Incoming>, shared: &Shared) -> Response<Body> {
    let path = request.uri().path().to_owned();
    if request.method() == Method::GET {
        return look_up(&path, request.headers(), shared);
    }
    if request.method() == Method::DELETE && path == "/requests" {
        shared.log().clear();
        return json_response(200, &Value::Null);
    }
    if path == "/v1/audio/transcriptions" {
        return transcribe(request, &path, shared)
            .await
            .unwrap_or_else(|refusal| refused(Wire::Openai, &refusal));
    }
    let Some((wire, model)) = wire_of(&path) else {
        return json_response(404, &json!({ "error": { "message": format!("no such path: {path}") } }));
    };
    match answer(request, &path, wire, model, shared).await {
        Ok(answer) => stream_response(wire, answer),
        Err(refusal) => refused(wire, &refusal),
    }
}

/// Which wire a path belongs to, and the model that it names.
fn wire_of(path: &str) -> Option<(Wire, &str)> {
    match path {
        "/v1/chat/completions" => Some((Wire::Openai, "")),
        "/v1/messages" => Some((Wire::Anthropic, "")),
        "/api/chat" => Some((Wire::Ollama, "")),
        _ => {
            let model = path.strip_prefix("/v1beta/models/")?.strip_suffix(":streamGenerateContent")?;
            Some((Wire::Gemini, model))
        }
    }
}

async fn answer(
    request: Request<Incoming>,
    path: &str,
    wire: Wire,
    model: &str,
    shared: &Shared,
) -> Result<Answer, Refusal> {
    let api_key = key_of(request.headers());
    let has_version = request.headers().contains_key("anthropic-version");
    let body = Limited::new(request.into_body(), LONGEST_REQUEST_BYTES).collect().await;
    let body = body.map_err(|e| Refusal::bad_request(e.to_string()))?.to_bytes();
    let body: Value = serde_json::from_slice(&body).map_err(|e| Refusal::bad_request(e.to_string()))?;
    shared.remember(Received { wire, path: path.to_owned(), api_key: api_key.clone(), body: body.clone() });
    check_key(api_key.as_deref())?;
    if wire == Wire::Anthropic && !has_version {
        return Err(Refusal::bad_request("anthropic-version: header is required"));
    }
    let asked = match wire {
        Wire::Openai => openai::read(&body)?,
        Wire::Anthropic => anthropic::read(&body)?,
        Wire::Gemini => gemini::read(&body, model)?,
        Wire::Ollama => ollama::read(&body)?,
    };
    if wire != Wire::Gemini && body["stream"] == false {
        return Err(Refusal::bad_request("this fake only streams"));
    }
    let script = script_for(&asked, &body, shared.defaults);
    if let Some((status, retry_after)) = script.failure {
        let message = "The fake provider was told to fail.".to_owned();
        return Err(Refusal { status, message, retry_after });
    }
    match wire {
        Wire::Openai => openai::check_fields(&body, &script)?,
        Wire::Anthropic => anthropic::check_thinking(&body, &asked.user, &asked)?,
        Wire::Gemini | Wire::Ollama => {}
    }
    let id = shared.ids.fetch_add(1, Ordering::Relaxed);
    Ok(Answer::new(script, encoder(wire, &asked, &body, id), Arc::clone(&shared.answers)))
}

async fn transcribe(
    request: Request<Incoming>,
    path: &str,
    shared: &Shared,
) -> Result<Response<Body>, Refusal> {
    let api_key = key_of(request.headers());
    let kind = request.headers().get("content-type").and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or_default().to_owned();
    let body = Limited::new(request.into_body(), LONGEST_REQUEST_BYTES).collect().await;
    let body = body.map_err(|e| Refusal::bad_request(e.to_string()))?.to_bytes();
    let heard = hearing::read(&kind, &body)?;
    let told = heard.told();
    shared.remember(Received {
        wire: Wire::Openai,
        path: path.to_owned(),
        api_key: api_key.clone(),
        body: told,
    });
    check_key(api_key.as_deref())?;
    Ok(json_response(200, &hearing::answer(&heard)?))
}

fn encoder(wire: Wire, asked: &Asked, body: &Value, id: u64) -> Box<dyn Encode> {
    match wire {
        Wire::Openai => {
            let created = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
            Box::new(openai::Encoder::new(asked, body, id, created))
        }
        Wire::Anthropic => Box::new(anthropic::Encoder::new(asked, id)),
        Wire::Gemini => Box::new(gemini::Encoder::new(asked)),
        Wire::Ollama => Box::new(ollama::Encoder::new(asked)),
    }
}

fn script_for(asked: &Asked, body: &Value, defaults: Defaults) -> Script {
    if asked.system.to_lowercase().contains("title") {
        return Script::say(script::title(&asked.user));
    }
    if asked.has_picture && !asked.user.contains("[[") {
        return Script::say(seeing::SEEN);
    }
    // The benchmark's other clients ask with a field of their own.
    if let Some(mock) = body.get("mock") {
        let number = |name: &str, otherwise: f64| mock[name].as_f64().unwrap_or(otherwise);
        let ms = |ms: f64| Duration::try_from_secs_f64(ms / 1000.0).unwrap_or_default();
        let pace = Pace { every: ms(number("ms", 5.0)), first: ms(number("first", 20.0)) };
        return Script::stamped(mock["n"].as_u64().unwrap_or(200), pace);
    }
    match defaults.stamped {
        Some((count, pace)) if !asked.user.contains("[[") => Script::stamped(count, pace),
        _ => Script::read(&asked.user, &asked.results),
    }
}

fn key_of(headers: &HeaderMap) -> Option<String> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let bearer = text("authorization").and_then(|value| value.strip_prefix("Bearer "));
    bearer.or(text("x-api-key")).or(text("x-goog-api-key")).map(str::to_owned)
}

fn check_key(key: Option<&str>) -> Result<(), Refusal> {
    let refusal = |status, message: &str, retry_after| {
        Err(Refusal { status, message: message.to_owned(), retry_after })
    };
    match key {
        // Real services repeat the key too.
        Some("bad-key") => refusal(401, "Incorrect API key provided: bad-key.", None),
        Some("limited-key") => refusal(429, "Rate limit reached for this key.", Some(2)),
        _ => Ok(()),
    }
}

fn look_up(path: &str, headers: &HeaderMap, shared: &Shared) -> Response<Body> {
    let (wire, list) = match path {
        "/requests" => {
            let log: Vec<Received> = shared.log().iter().cloned().collect();
            return json_response(200, &json!(log));
        }
        "/open-answers" => return json_response(200, &shared.answers.load(Ordering::Relaxed).into()),
        "/v1/models" if headers.contains_key("anthropic-version") => {
            let model = |id| json!({ "type": "model", "id": id, "display_name": id });
            (Wire::Anthropic, json!({ "data": MODELS.map(model), "has_more": false }))
        }
        "/v1/models" => {
            let model = |id| json!({ "id": id, "object": "model", "created": 0, "owned_by": "fake" });
            (Wire::Openai, json!({ "object": "list", "data": MODELS.map(model) }))
        }
        "/v1beta/models" => {
            let model = |id, method| json!({ "name": format!("models/{id}"), "supportedGenerationMethods": [method] });
            let mut models = MODELS.map(|id| model(id, "generateContent")).to_vec();
            models.push(model("fake-embedding", "embedContent"));
            (Wire::Gemini, json!({ "models": models }))
        }
        "/api/tags" => {
            (Wire::Ollama, json!({ "models": MODELS.map(|id| json!({ "name": id, "model": id })) }))
        }
        _ => return json_response(404, &json!({ "error": { "message": format!("no such path: {path}") } })),
    };
    match check_key(key_of(headers).as_deref()) {
        Ok(()) => json_response(200, &list),
        Err(refusal) => refused(wire, &refusal),
    }
}

fn refused(wire: Wire, refusal: &Refusal) -> Response<Body> {
    let (status, message) = (refusal.status, refusal.message.as_str());
    let body = match wire {
        Wire::Openai => openai::error_body(status, message),
        Wire::Anthropic => anthropic::error_body(anthropic::error_kind(status), message),
        Wire::Gemini => gemini::error_body(status, message),
        Wire::Ollama => json!({ "error": message }),
    };
    let mut response = json_response(status, &body);
    if let Some(seconds) = refusal.retry_after {
        response.headers_mut().insert("retry-after", seconds.into());
    }
    response
}

fn json_response(status: u16, body: &Value) -> Response<Body> {
    let body = Full::from(body.to_string()).map_err(|never| match never {}).boxed_unsync();
    response(status, "application/json", body)
}

fn stream_response(wire: Wire, answer: Answer) -> Response<Body> {
    let kind = if wire == Wire::Ollama { "application/x-ndjson" } else { "text/event-stream" };
    let body = StreamBody::new(answer.into_stream().map_ok(Frame::data)).boxed_unsync();
    response(200, kind, body)
}

fn response(status: u16, kind: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert("content-type", http::HeaderValue::from_static(kind));
    response.headers_mut().insert("cache-control", http::HeaderValue::from_static("no-cache"));
    response
}
