//! The fake provider and a client that talks to it, for the tests beside.

#![allow(dead_code, reason = "each test file uses a part")]

use futures::StreamExt;
use models::{CallRequest, Chunk, ChunkStream, Client, Error, Limits, Prompt, Target, ToolSpec, Turn};
use serde_json::{Value, json};
use shared::provider::ProviderKind;
use std::time::Duration;
use upstream::{Running, Wire};

/// Longer than any answer of these tests takes; a test that waits for it has failed.
const TOO_LONG: Duration = Duration::from_secs(30);

pub struct Fake {
    pub upstream: Running,
    pub client: Client,
}

impl Fake {
    pub async fn start() -> Self {
        Self::with_limits(Limits::default()).await
    }

    pub async fn with_limits(limits: Limits) -> Self {
        let addr = ([127, 0, 0, 1], 0).into();
        let upstream = upstream::serve(addr).await.expect("a free port");
        Self { upstream, client: Client::with_limits(limits).expect("a client") }
    }

    pub fn target(&self, kind: ProviderKind) -> Target {
        let wire = match kind {
            ProviderKind::Openai => Wire::Openai,
            ProviderKind::Anthropic => Wire::Anthropic,
            ProviderKind::Gemini => Wire::Gemini,
            ProviderKind::Ollama => Wire::Ollama,
        };
        let api_key = Some("good-key".to_owned().into());
        Target { kind, base_url: self.upstream.base_url(wire), api_key, model: "fake-large".to_owned() }
    }

    pub async fn stream(&self, kind: ProviderKind, user: &str) -> Result<ChunkStream, Error> {
        self.client.stream(&self.target(kind), &prompt(user)).await
    }

    pub async fn ask(&self, kind: ProviderKind, user: &str) -> Result<Vec<Chunk>, Error> {
        self.ask_all(kind, &prompt(user)).await
    }

    /// The whole answer; an error when it did not come to its end.
    pub async fn ask_all(&self, kind: ProviderKind, prompt: &Prompt) -> Result<Vec<Chunk>, Error> {
        let (chunks, error) = read(self.client.stream(&self.target(kind), prompt).await?).await;
        error.map_or(Ok(chunks), Err)
    }
}

pub async fn next(stream: &mut ChunkStream) -> Option<Result<Chunk, Error>> {
    tokio::time::timeout(TOO_LONG, stream.next()).await.expect("the stream goes on")
}

/// What came, and the error that it ended with.
pub async fn read(mut stream: ChunkStream) -> (Vec<Chunk>, Option<Error>) {
    let mut chunks = Vec::new();
    while let Some(next) = next(&mut stream).await {
        match next {
            Ok(chunk) => chunks.push(chunk),
            Err(error) => {
                assert!(stream.next().await.is_none(), "nothing comes after an error");
                return (chunks, Some(error));
            }
        }
    }
    assert!(matches!(chunks.last(), Some(Chunk::End { .. })), "the end is the last: {chunks:?}");
    (chunks, None)
}

pub fn prompt(user: &str) -> Prompt {
    let tool = |name: &str| ToolSpec {
        name: name.to_owned(),
        description: "A tool.".to_owned(),
        parameters: json!({ "type": "object", "properties": {}, "additionalProperties": false }),
    };
    Prompt {
        system: "Be brief.".to_owned(),
        turns: vec![Turn::User(user.to_owned())],
        tools: [tool("clock"), tool("search")].into(),
        max_tokens: 1000,
    }
}

pub fn text(chunks: &[Chunk]) -> String {
    let text = |chunk: &Chunk| if let Chunk::Text(text) = chunk { text.clone() } else { String::new() };
    chunks.iter().map(text).collect()
}

pub fn reasoning(chunks: &[Chunk]) -> String {
    let text = |chunk: &Chunk| if let Chunk::Reasoning(text) = chunk { text.clone() } else { String::new() };
    chunks.iter().map(text).collect()
}

pub fn calls(chunks: &[Chunk]) -> Vec<CallRequest> {
    let call = |chunk: &Chunk| if let Chunk::ToolCall(call) = chunk { Some(call.clone()) } else { None };
    chunks.iter().filter_map(call).collect()
}

pub fn arguments(chunks: &[Chunk]) -> Vec<Value> {
    calls(chunks).into_iter().map(|call| call.arguments).collect()
}
