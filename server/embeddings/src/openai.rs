//! Embeddings from a server that speaks OpenAI's `POST /embeddings`. It must never follow a redirect
//! or use a proxy from the environment, for a key goes with each request, and never log a word of
//! what it sends.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Response, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::approximate::within;
use crate::retry::{Patience, retry_after};
use crate::{Embedder, EmbeddingError, ModelId, Purpose, approximate_tokens};

/// Fewer than any provider's limit on inputs that is known.
const MOST_INPUTS: usize = 96;
/// A third of OpenAI's limit on the tokens of one request.
const MOST_BATCH_TOKENS: usize = 100_000;
/// Of OpenAI's models and most others; a text beyond it would be refused, so it is cut.
const WINDOW: usize = 8_000;
/// Where OpenAI's third generation begins to mean it; others differ, and say so nowhere.
const THRESHOLD: f32 = 0.3;
const LONGEST_ANSWER_BYTES: usize = 64 << 20;
const LONGEST_ERROR_BYTES: usize = 64 << 10;
const MESSAGE_CHARS: usize = 400;
const CONNECT: Duration = Duration::from_secs(10);
/// For one request with its answer: a batch on a small machine takes long.
const WHOLE: Duration = Duration::from_secs(120);

/// A model at an OpenAI-compatible server.
pub struct OpenAiCompatible {
    id: ModelId,
    http: reqwest::Client,
    url: Url,
    key: SecretString,
    model: String,
    dimensions: usize,
    /// Cleared when the server turns out not to know how to shorten its vectors.
    asks_for_dimensions: AtomicBool,
}

impl OpenAiCompatible {
    /// `base_url` is what comes before `/embeddings`. An empty key sends none, as local servers
    /// like it.
    pub fn new(
        base_url: &str,
        key: SecretString,
        model: &str,
        dimensions: usize,
    ) -> Result<Self, EmbeddingError> {
        let url = format!("{}/embeddings", base_url.trim().trim_end_matches('/'));
        let url = Url::parse(&url).map_err(|error| settings(format!("the address is not one ({error})")))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(settings("the address must begin with https:// or http://".to_owned()));
        }
        if model.trim().is_empty() || dimensions == 0 {
            return Err(settings("a model needs a name and a number of dimensions".to_owned()));
        }
        let http = builder()
            .build()
            // A machine without certificates of its own: those that Mozilla trusts.
            .or_else(|_| builder().tls_certs_only(bundled_certificates()).build())
            .map_err(|error| settings(format!("encrypted connections cannot be made ({})", cause(&error))))?;
        Ok(Self {
            id: ModelId::new(&format!("{model}/{dimensions}")),
            http,
            url,
            key,
            model: model.to_owned(),
            dimensions,
            asks_for_dimensions: AtomicBool::new(true),
        })
    }

    async fn embed_batch(
        &self,
        texts: &[String],
        patience: Patience,
    ) -> Result<Vec<Vec<f32>>, EmbeddingError> {
        let mut tried = 1;
        loop {
            let dimensions = self.asks_for_dimensions.load(Ordering::Relaxed).then_some(self.dimensions);
            let error = match self.ask(texts, dimensions).await {
                Ok(vectors) => return Ok(vectors),
                Err(error) => error,
            };
            // Many servers know only one number of dimensions, and none that one may ask for.
            if dimensions.is_some() && refuses_dimensions(&error) {
                self.asks_for_dimensions.store(false, Ordering::Relaxed);
                continue;
            }
            let Some(wait) = patience.wait_after(tried, &error) else { return Err(error) };
            tracing::debug!(tried, wait_ms = wait.as_millis(), "the embedding provider is asked again");
            tokio::time::sleep(wait).await;
            tried += 1;
        }
    }

    async fn ask(
        &self,
        texts: &[String],
        dimensions: Option<usize>,
    ) -> Result<Vec<Vec<f32>>, EmbeddingError> {
        let question = Question { model: &self.model, input: texts, encoding_format: "float", dimensions };
        let mut request = self.http.post(self.url.clone()).json(&question);
        if !self.key.expose_secret().is_empty() {
            request = request.header(AUTHORIZATION, self.authorization()?);
        }
        let response = request.send().await.map_err(|error| EmbeddingError::Unreachable(cause(&error)))?;
        let response = self.accepted(response).await?;
        let body = read_at_most(response, LONGEST_ANSWER_BYTES).await?;
        let answer: Answer = serde_json::from_slice(&body)
            .map_err(|error| malformed(format!("it is not a list of vectors (column {})", error.column())))?;
        self.in_order(answer, texts.len())
    }

    fn authorization(&self) -> Result<HeaderValue, EmbeddingError> {
        let mut value = HeaderValue::from_str(&format!("Bearer {}", self.key.expose_secret()))
            .map_err(|_| settings("the key holds characters that cannot be sent".to_owned()))?;
        value.set_sensitive(true);
        Ok(value)
    }

    async fn accepted(&self, response: Response) -> Result<Response, EmbeddingError> {
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let retry_after = retry_after(response.headers(), SystemTime::now());
        // The status says enough when the body does not come.
        let body = read_at_most(response, LONGEST_ERROR_BYTES).await.unwrap_or_default();
        let message = self.without_key(said(&body));
        Err(match status.as_u16() {
            401 | 403 => EmbeddingError::Unauthorized(message),
            // OpenAI calls an account without money one that asks too often.
            429 if !String::from_utf8_lossy(&body).contains("insufficient_quota") => {
                EmbeddingError::RateLimited { retry_after, message }
            }
            status => EmbeddingError::Status { status, message },
        })
    }

    fn in_order(&self, answer: Answer, wanted: usize) -> Result<Vec<Vec<f32>>, EmbeddingError> {
        let mut vectors: Vec<Option<Vec<f32>>> = vec![None; wanted];
        for (position, item) in answer.data.into_iter().enumerate() {
            let given = item.embedding.len();
            if given != self.dimensions {
                let (model, wanted) = (self.model.clone(), self.dimensions);
                return Err(EmbeddingError::Dimensions { model, wanted, given });
            }
            let place = vectors.get_mut(item.index.unwrap_or(position));
            let place =
                place.ok_or_else(|| malformed("it has more vectors than there were texts".to_owned()))?;
            *place = Some(normalised(item.embedding)?);
        }
        let vectors: Option<Vec<_>> = vectors.into_iter().collect();
        vectors.ok_or_else(|| malformed("it has fewer vectors than there were texts".to_owned()))
    }

    fn without_key(&self, said: String) -> String {
        match self.key.expose_secret() {
            "" => said,
            key => said.replace(key, "[key]"),
        }
    }
}

#[async_trait]
impl Embedder for OpenAiCompatible {
    fn model(&self) -> &ModelId {
        &self.id
    }

    fn dimensions(&self) -> usize {
        self.dimensions
    }

    fn threshold(&self) -> f32 {
        THRESHOLD
    }

    async fn embed(&self, texts: Vec<String>, purpose: Purpose) -> Result<Vec<Vec<f32>>, EmbeddingError> {
        let patience = Patience::of(purpose);
        let texts: Vec<String> = texts.into_iter().map(acceptable).collect();
        let mut vectors = Vec::with_capacity(texts.len());
        let mut rest = texts.as_slice();
        while !rest.is_empty() {
            let (batch, after) = rest.split_at(batch_length(rest));
            vectors.extend(self.embed_batch(batch, patience).await?);
            rest = after;
        }
        Ok(vectors)
    }

    fn is_near(&self) -> bool {
        crate::is_near(self.url.as_str())
    }

    /// Approximate, and rather too many: the provider's tokenizer is not known.
    fn count_tokens(&self, text: &str) -> usize {
        approximate_tokens(text)
    }
}

#[derive(Serialize)]
struct Question<'a> {
    model: &'a str,
    input: &'a [String],
    encoding_format: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    dimensions: Option<usize>,
}

#[derive(Deserialize)]
struct Answer {
    data: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    /// Some servers leave it out; then the order is that of the question.
    index: Option<usize>,
    embedding: Vec<f32>,
}

fn refuses_dimensions(error: &EmbeddingError) -> bool {
    matches!(error, EmbeddingError::Status { status: 400 | 422, message }
        if ["dimensions", "matryoshka"].iter().any(|word| message.to_lowercase().contains(word)))
}

fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(concat!("sideBar/", env!("CARGO_PKG_VERSION")))
        .no_proxy()
        .redirect(Policy::none())
        .connect_timeout(CONNECT)
        .timeout(WHOLE)
        .tcp_nodelay(true)
}

fn bundled_certificates() -> impl Iterator<Item = reqwest::Certificate> {
    webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().filter_map(|der| reqwest::Certificate::from_der(der).ok())
}

/// How many of the texts go into the next request; at least one.
fn batch_length(texts: &[String]) -> usize {
    let mut tokens = 0;
    let fitting = texts.iter().take(MOST_INPUTS).take_while(|text| {
        tokens += approximate_tokens(text);
        tokens <= MOST_BATCH_TOKENS
    });
    fitting.count().max(1)
}

/// Cut at the window. Providers refuse empty texts; a full stop says as little.
fn acceptable(mut text: String) -> String {
    if text.trim().is_empty() {
        return ".".to_owned();
    }
    text.truncate(within(&text, WINDOW).len());
    text
}

fn normalised(mut vector: Vec<f32>) -> Result<Vec<f32>, EmbeddingError> {
    let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
    if !length.is_finite() || length <= 0.0 {
        return Err(malformed("it has a vector without a direction".to_owned()));
    }
    vector.iter_mut().for_each(|value| *value /= length);
    Ok(vector)
}

/// What a provider says of an error, in OpenAI's form or as plain text.
fn said(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let json: Option<serde_json::Value> = serde_json::from_str(&text).ok();
    let message = json.as_ref().and_then(|json| {
        ["/error/message", "/message", "/detail", "/error"]
            .iter()
            .find_map(|path| json.pointer(path)?.as_str())
    });
    let message = message.unwrap_or(&text).trim().trim_end_matches('.');
    if message.is_empty() {
        "it said nothing".to_owned()
    } else {
        message.chars().take(MESSAGE_CHARS).collect()
    }
}

async fn read_at_most(mut response: Response, most: usize) -> Result<Vec<u8>, EmbeddingError> {
    let mut body = Vec::new();
    while let Some(bytes) =
        response.chunk().await.map_err(|error| EmbeddingError::Unreachable(cause(&error)))?
    {
        if body.len() + bytes.len() > most {
            return Err(malformed(format!("it is longer than {} MB", most >> 20)));
        }
        body.extend_from_slice(&bytes);
    }
    Ok(body)
}

/// The innermost cause, which is the one that says something; without the address, which may hold a
/// key.
fn cause(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "it took too long".to_owned();
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    if std::ptr::addr_eq(cause, error) { "the connection failed".to_owned() } else { cause.to_string() }
}

fn settings(why: String) -> EmbeddingError {
    EmbeddingError::Settings(why)
}

fn malformed(what: String) -> EmbeddingError {
    EmbeddingError::Malformed(what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_beyond_the_window_is_cut_at_it() {
        for word in ["word ", "東", "한국어 ", "🎉"] {
            let cut = acceptable(word.repeat(20_000));
            let tokens = approximate_tokens(&cut);
            assert!((WINDOW - 8..=WINDOW).contains(&tokens), "{tokens} of {word}");
        }
        assert_eq!(acceptable(" \n".to_owned()), ".");
        assert_eq!(acceptable("short".to_owned()), "short");
    }

    #[test]
    fn a_batch_is_bounded_by_inputs_and_by_tokens() {
        assert_eq!(batch_length(&vec!["short".to_owned(); 200]), MOST_INPUTS);
        assert_eq!(batch_length(&vec!["東".repeat(8_000); 50]), 12);
        assert_eq!(batch_length(&["東".repeat(200_000)]), 1);
    }

    #[test]
    fn settings_that_cannot_work_are_refused_before_anything_is_sent() {
        let make = |url: &str, model: &str, dimensions| {
            OpenAiCompatible::new(url, SecretString::from("k"), model, dimensions)
                .err()
                .map(|e| e.to_string())
        };
        assert!(make("not a url", "m", 3).unwrap().contains("address"));
        assert!(make("ftp://localhost", "m", 3).unwrap().contains("https://"));
        assert!(make("http://localhost/v1/", "m", 0).unwrap().contains("dimensions"));
        assert!(make("http://localhost/v1/", " ", 3).unwrap().contains("name"));
        assert_eq!(make("http://localhost/v1/", "m", 3), None);
    }
}
