//! The HTTP side of talking to providers. It must never follow a redirect to another host, use a
//! proxy from the environment, or log a key or a word of a prompt.

use crate::answer::{Answer, without_key};
use crate::openai::Dialect;
use crate::{ChunkStream, Error, Prompt, Target, error, wire};
use reqwest::header::CONTENT_TYPE;
use reqwest::redirect::Policy;
use reqwest::{Method, RequestBuilder, Response, Url};
use shared::provider::ProviderKind;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// How much of a body that is no stream is read: a list of models, what an error says.
const LONGEST_BODY_BYTES: usize = 4 << 20;
const LONGEST_ERROR_BYTES: usize = 64 << 10;
const ERROR_BODY_WAIT: Duration = Duration::from_secs(5);
const MOST_REDIRECTS: usize = 5;
/// How many models' dialects are remembered.
const MOST_DIALECTS: usize = 1000;

/// How long to wait.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub connect: Duration,
    /// For the answer's status, and then for its first piece: models are loaded and think meanwhile.
    pub first_chunk: Duration,
    /// Between two reads after that.
    pub stall: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            first_chunk: Duration::from_secs(180),
            stall: Duration::from_secs(60),
        }
    }
}

/// Talks to providers. Cheap to clone; connections are shared by the clones.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    limits: Limits,
    /// What servers turned out to speak, by address and model.
    dialects: Arc<Mutex<HashMap<(String, String), Dialect>>>,
}

impl Client {
    pub fn new() -> Result<Self, Error> {
        Self::with_limits(Limits::default())
    }

    pub fn with_limits(limits: Limits) -> Result<Self, Error> {
        let http = builder(limits)
            .build()
            // A machine without certificates of its own: those that Mozilla trusts.
            .or_else(|_| builder(limits).tls_certs_only(bundled_certificates()).build())
            .map_err(|e| Error::Settings(format!("encrypted connections cannot be made: {}", causes(&e))))?;
        Ok(Self { http, limits, dialects: Arc::default() })
    }

    /// Asks the model; resolves when the provider has accepted the request. Dropping the stream
    /// closes the connection, which is how a provider learns to stop.
    pub async fn stream(&self, target: &Target, prompt: &Prompt) -> Result<ChunkStream, Error> {
        let response =
            self.accepted(target, prompt).await.map_err(|e| without_key(e, target.api_key.as_ref()))?;
        let decoder = wire::decoder(target, prompt);
        Ok(Answer::new(response, decoder, self.limits, target.api_key.clone()).into_stream())
    }

    /// The provider's own names of the models it offers, in the provider's order.
    pub async fn list_models(&self, target: &Target) -> Result<Vec<String>, Error> {
        let list = async {
            let request = self.request(Method::GET, wire::models_url(target)?, target)?;
            let mut response = self.send(request).await?;
            let read = read_at_most(&mut response, LONGEST_BODY_BYTES);
            let body = tokio::time::timeout(self.limits.stall, read)
                .await
                .map_err(|_| Error::Stalled(self.limits.stall))?
                .map_err(|e| Error::Interrupted(causes(&e)))?;
            let answer = serde_json::from_slice(&body)
                .map_err(|_| Error::Malformed("it is not a list of models".to_owned()))?;
            wire::model_names(target.kind, &answer)
        };
        list.await.map_err(|e| without_key(e, target.api_key.as_ref()))
    }

    /// Sends the prompt, in the dialect that the server accepts.
    async fn accepted(&self, target: &Target, prompt: &Prompt) -> Result<Response, Error> {
        let url = wire::chat_url(target)?;
        let mut dialect = self.dialect(target);
        loop {
            let body = wire::body(target, prompt, dialect);
            let request = self.request(Method::POST, url.clone(), target)?.json(&body);
            let began = Instant::now();
            let outcome = self.send(request).await.and_then(streamed);
            tracing::debug!(
                provider = target.kind.as_str(),
                host = url.host_str().unwrap_or_default(),
                model = target.model,
                elapsed_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
                accepted = outcome.is_ok(),
                "asked a model"
            );
            let another = match &outcome {
                Err(error) if target.kind == ProviderKind::Openai => dialect.after(error),
                _ => None,
            };
            match another {
                Some(another) => dialect = another,
                None => {
                    if outcome.is_ok() {
                        self.remember(target, dialect);
                    }
                    return outcome;
                }
            }
        }
    }

    pub(crate) fn request(&self, method: Method, url: Url, target: &Target) -> Result<RequestBuilder, Error> {
        Ok(self.http.request(method, url).headers(wire::headers(target)?))
    }

    /// The response when its status is a success, and what went wrong otherwise.
    async fn send(&self, request: RequestBuilder) -> Result<Response, Error> {
        self.send_within(self.limits.first_chunk, request).await
    }

    pub(crate) async fn send_within(
        &self,
        wait: Duration,
        request: RequestBuilder,
    ) -> Result<Response, Error> {
        let mut response = tokio::time::timeout(wait, request.send())
            .await
            .map_err(|_| Error::Stalled(wait))?
            .map_err(|e| Error::Unreachable(reason(&e)))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        if status.is_redirection() {
            return Err(elsewhere(&response));
        }
        let retry_after = error::retry_after(response.headers(), SystemTime::now());
        let read = read_at_most(&mut response, LONGEST_ERROR_BYTES);
        // The status says enough when the body does not come.
        let body =
            tokio::time::timeout(ERROR_BODY_WAIT, read).await.ok().and_then(Result::ok).unwrap_or_default();
        Err(Error::from_status(status.as_u16(), retry_after, &String::from_utf8_lossy(&body)))
    }

    fn dialect(&self, target: &Target) -> Dialect {
        let dialects = self.dialects.lock().unwrap_or_else(PoisonError::into_inner);
        dialects.get(&(target.base_url.clone(), target.model.clone())).copied().unwrap_or_default()
    }

    fn remember(&self, target: &Target, dialect: Dialect) {
        if dialect == Dialect::default() {
            return;
        }
        let mut dialects = self.dialects.lock().unwrap_or_else(PoisonError::into_inner);
        if dialects.len() >= MOST_DIALECTS {
            dialects.clear();
        }
        dialects.insert((target.base_url.clone(), target.model.clone()), dialect);
    }
}

fn builder(limits: Limits) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(concat!("sideBar/", env!("CARGO_PKG_VERSION")))
        .no_proxy()
        .redirect(Policy::custom(|attempt| {
            // A key goes with the request: it may only go where it was meant to go.
            let same_place =
                attempt.previous().last().is_some_and(|from| from.origin() == attempt.url().origin());
            if same_place && attempt.previous().len() <= MOST_REDIRECTS {
                attempt.follow()
            } else {
                attempt.stop()
            }
        }))
        .connect_timeout(limits.connect)
        .tcp_nodelay(true)
        .tcp_keepalive(Duration::from_secs(30))
        .pool_idle_timeout(Duration::from_secs(90))
}

fn bundled_certificates() -> impl Iterator<Item = reqwest::Certificate> {
    webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().filter_map(|der| reqwest::Certificate::from_der(der).ok())
}

/// Refuses what cannot be the stream that was asked for.
fn streamed(response: Response) -> Result<Response, Error> {
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    match kind.split(';').next().unwrap_or_default().trim() {
        "text/html" => {
            Err(Error::Malformed("it is a web page, so the address is not that of an API".to_owned()))
        }
        "application/json" => {
            Err(Error::Malformed("it is one JSON text where a stream was asked for".to_owned()))
        }
        _ => Ok(response),
    }
}

fn elsewhere(response: &Response) -> Error {
    let to = response.headers().get("location").and_then(|to| to.to_str().ok());
    let to = to.and_then(|to| response.url().join(to).ok()).map(|mut to| {
        to.set_query(None);
        to.to_string()
    });
    Error::Status { status: response.status().as_u16(), message: to.unwrap_or_default() }
}

pub(crate) async fn read_at_most(response: &mut Response, most: usize) -> Result<Vec<u8>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(bytes) = response.chunk().await? {
        let room = most - body.len();
        body.extend_from_slice(&bytes[..bytes.len().min(room)]);
        if body.len() == most {
            break;
        }
    }
    Ok(body)
}

/// Why a request did not get through, in words for a person where there are some.
fn reason(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "it took too long to connect".to_owned();
    }
    let causes = causes(error);
    for (sign, words) in [
        ("onnection refused", "nothing answers at that address"),
        ("failed to lookup address", "its host name is not known"),
        ("dns error", "its host name is not known"),
        ("certificate", "its certificate is not trusted"),
    ] {
        if causes.contains(sign) {
            return format!("{words} ({causes})");
        }
    }
    causes
}

/// The innermost cause, which is the one that says something. Without the address: it may hold a
/// key.
pub(crate) fn causes(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    if std::ptr::addr_eq(cause, error) {
        return "the connection failed".to_owned();
    }
    cause.to_string()
}
