//! The wire of `POST /embeddings`, against a server in this process that speaks it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use embeddings::{Embedder, EmbeddingError, OpenAiCompatible, Purpose};
use secrecy::SecretString;
use serde_json::{Value, json};

const KEY: &str = "sk-test-0123456789";

/// A provider that answers from a list first and properly after that.
#[derive(Clone, Default)]
struct Provider {
    answers: Arc<Mutex<VecDeque<Response>>>,
    asked: Arc<Mutex<Vec<(HeaderMap, Value)>>>,
}

impl Provider {
    fn then(self, status: u16, headers: &[(&'static str, &str)], body: Value) -> Self {
        let mut response = (StatusCode::from_u16(status).unwrap(), Json(body)).into_response();
        for (name, value) in headers {
            response.headers_mut().insert(*name, value.parse().unwrap());
        }
        self.answers.lock().unwrap().push_back(response);
        self
    }

    async fn start(&self, key: &str) -> OpenAiCompatible {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/v1/", listener.local_addr().unwrap());
        let router = axum::Router::new().route("/v1/embeddings", post(answer)).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        OpenAiCompatible::new(&base, SecretString::from(key), "text-embedding-3-small", 3).unwrap()
    }

    fn asked(&self) -> Vec<Value> {
        self.asked.lock().unwrap().iter().map(|(_, body)| body.clone()).collect()
    }
}

async fn answer(State(provider): State<Provider>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    provider.asked.lock().unwrap().push((headers, body.clone()));
    if let Some(response) = provider.answers.lock().unwrap().pop_front() {
        return response;
    }
    // In reverse, as servers may: the index says which is which.
    let inputs = body["input"].as_array().unwrap();
    let data: Vec<Value> = inputs.iter().enumerate().rev().map(|(index, text)| item(index, text)).collect();
    Json(json!({ "object": "list", "data": data, "model": body["model"], "usage": { "prompt_tokens": 1, "total_tokens": 1 } }))
        .into_response()
}

fn item(index: usize, text: &Value) -> Value {
    let length = text.as_str().unwrap().len();
    json!({ "object": "embedding", "index": index, "embedding": [3.0, 4.0, length as f64] })
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

async fn fails(provider: Provider, purpose: Purpose) -> (EmbeddingError, usize) {
    let error = provider.start(KEY).await.embed(texts(&["text"]), purpose).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains(KEY), "{error:?}");
    (error, provider.asked().len())
}

#[tokio::test]
async fn the_question_is_the_wire_and_vectors_come_in_the_order_of_the_texts() {
    let provider = Provider::default();
    let model = provider.start(KEY).await;
    let vectors = model.embed(texts(&["a", "", "twelve bytes"]), Purpose::Passage).await.unwrap();
    for (vector, length) in vectors.iter().zip([1.0_f32, 1.0, 12.0]) {
        let norm = (25.0 + length * length).sqrt();
        let expected = [3.0 / norm, 4.0 / norm, length / norm];
        assert!(vector.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-6));
    }
    assert_eq!(
        provider.asked(),
        [
            json!({ "model": "text-embedding-3-small", "input": ["a", ".", "twelve bytes"], "encoding_format": "float", "dimensions": 3 })
        ]
    );
    assert_eq!(provider.asked.lock().unwrap()[0].0["authorization"], format!("Bearer {KEY}"));
    assert_eq!((model.model().as_str(), model.dimensions()), ("text-embedding-3-small/3", 3));
    assert!(model.embed(vec![], Purpose::Query).await.unwrap().is_empty());
    assert_eq!(provider.asked().len(), 1);
}

#[tokio::test]
async fn an_empty_key_is_not_sent() {
    let provider = Provider::default();
    provider.start("").await.embed(texts(&["a"]), Purpose::Query).await.unwrap();
    assert!(!provider.asked.lock().unwrap()[0].0.contains_key("authorization"));
}

#[tokio::test]
async fn many_texts_go_in_batches_and_come_back_in_order() {
    let provider = Provider::default();
    let many: Vec<String> = (0..200).map(|number| "x".repeat(number + 1)).collect();
    let vectors = provider.start(KEY).await.embed(many, Purpose::Passage).await.unwrap();
    assert!(vectors.is_sorted_by(|a, b| a[2] < b[2]));
    let sizes: Vec<usize> =
        provider.asked().iter().map(|body| body["input"].as_array().unwrap().len()).collect();
    assert_eq!(sizes, [96, 96, 8]);
}

#[tokio::test]
async fn a_limit_is_waited_for_as_long_as_the_provider_asks() {
    let provider =
        Provider::default().then(429, &[("retry-after", "0.2")], json!({ "error": { "message": "slow" } }));
    let began = Instant::now();
    provider.start(KEY).await.embed(texts(&["a"]), Purpose::Passage).await.unwrap();
    assert!(began.elapsed() >= Duration::from_millis(200));
    assert_eq!(provider.asked().len(), 2);
}

#[tokio::test]
async fn a_limit_too_long_to_wait_for_is_told() {
    let limit = json!({ "error": { "message": "tokens per min" } });
    let (error, asked) =
        fails(Provider::default().then(429, &[("retry-after", "3000")], limit), Purpose::Passage).await;
    let EmbeddingError::RateLimited { retry_after, message } = &error else { panic!("{error}") };
    assert_eq!(
        (*retry_after, message.as_str(), asked),
        (Some(Duration::from_secs(3000)), "tokens per min", 1)
    );
}

#[tokio::test]
async fn a_fault_of_the_provider_is_tried_again_but_not_for_ever() {
    let fault = || json!("fault");
    let provider = Provider::default().then(503, &[], fault());
    provider.start(KEY).await.embed(texts(&["a"]), Purpose::Query).await.unwrap();
    assert_eq!(provider.asked().len(), 2);
    let (error, asked) =
        fails(Provider::default().then(500, &[], fault()).then(502, &[], fault()), Purpose::Query).await;
    assert!(matches!(error, EmbeddingError::Status { status: 502, .. }), "{error}");
    assert_eq!(asked, 2);
}

#[tokio::test]
async fn what_the_provider_refuses_is_told_once_and_without_the_key() {
    let said = json!({ "error": { "message": format!("Incorrect API key provided: {KEY}.") } });
    let (error, asked) = fails(Provider::default().then(401, &[], said), Purpose::Passage).await;
    assert!(error.to_string().contains("Incorrect API key provided: [key]"), "{error}");
    assert_eq!(asked, 1);
    let said = json!({ "error": { "message": "You exceeded your quota", "code": "insufficient_quota" } });
    let (error, asked) = fails(Provider::default().then(429, &[], said), Purpose::Passage).await;
    assert!(matches!(error, EmbeddingError::Status { status: 429, .. }), "{error}");
    assert_eq!(asked, 1);
    let (error, asked) = fails(
        Provider::default().then(302, &[("location", "http://elsewhere/")], json!({})),
        Purpose::Passage,
    )
    .await;
    assert!(matches!(error, EmbeddingError::Status { status: 302, .. }), "{error}");
    assert_eq!(asked, 1);
}

#[tokio::test]
async fn a_server_that_knows_no_dimensions_is_asked_without_from_then_on() {
    let said = json!({ "error": { "message": "this model does not support specifying dimensions" } });
    let provider = Provider::default().then(400, &[], said);
    let model = provider.start(KEY).await;
    model.embed(texts(&["a"]), Purpose::Query).await.unwrap();
    model.embed(texts(&["b"]), Purpose::Query).await.unwrap();
    let dimensions: Vec<bool> =
        provider.asked().iter().map(|body| body.get("dimensions").is_some()).collect();
    assert_eq!(dimensions, [true, false, false]);
}

#[tokio::test]
async fn an_answer_that_is_not_what_was_asked_for_is_an_error() {
    let of = |embedding: Value| json!({ "data": [{ "index": 0, "embedding": embedding }] });
    let (error, _) = fails(Provider::default().then(200, &[], of(json!([1.0, 2.0]))), Purpose::Query).await;
    assert!(matches!(error, EmbeddingError::Dimensions { wanted: 3, given: 2, .. }), "{error}");
    let two =
        json!({ "data": [{ "index": 0, "embedding": [1, 0, 0] }, { "index": 1, "embedding": [1, 0, 0] }] });
    for body in [of(json!([0, 0, 0])), of(json!("AAAA")), json!({ "data": [] }), two, json!("hello")] {
        let (error, asked) = fails(Provider::default().then(200, &[], body.clone()), Purpose::Query).await;
        assert!(matches!(error, EmbeddingError::Malformed(_)), "{body}: {error}");
        assert_eq!(asked, 1);
    }
}

#[tokio::test]
async fn an_answer_without_indices_is_in_the_order_of_the_question() {
    let data = json!({ "data": [{ "embedding": [1, 0, 0] }, { "embedding": [0, 1, 0] }] });
    let provider = Provider::default().then(200, &[], data);
    let vectors = provider.start(KEY).await.embed(texts(&["a", "b"]), Purpose::Query).await.unwrap();
    assert_eq!(vectors, [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unreachable() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let model = OpenAiCompatible::new(&base, SecretString::from(KEY), "m", 3).unwrap();
    let error = model.embed(texts(&["a"]), Purpose::Query).await.unwrap_err();
    assert!(matches!(error, EmbeddingError::Unreachable(_)), "{error}");
}
