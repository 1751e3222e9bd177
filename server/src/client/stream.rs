//! Reading a stream of server-sent events, and taking it up again where it broke off.

use anyhow::{Context, Result, bail};
use futures::StreamExt;
use reqwest::{Client, RequestBuilder, Response};
use shared::event::{AnswerEvent, Sequenced};
use shared::{ConversationId, Envelope, MessageId, Problem};
use std::time::Duration;
use url::Url;

/// Tries to take a stream up again before giving up, with a growing pause between them.
const TRIES: u32 = 30;

/// The API of one server, with a key.
#[derive(Clone)]
pub struct Api {
    http: Client,
    url: Url,
    key: String,
}

impl Api {
    pub fn new(url: Url, key: Option<String>) -> Result<Self> {
        let Some(key) = key else {
            bail!(
                "an API key is needed: set SIDEBAR_API_KEY (make one with `sidebar key create`, or in Settings)"
            );
        };
        let http = Client::builder().no_proxy().connect_timeout(Duration::from_secs(10)).build()?;
        Ok(Self { http, url, key })
    }

    fn path(&self, path: &str) -> Result<Url> {
        self.url.join(&format!("/api/v1{path}")).context("the server's URL cannot be used")
    }

    fn with_key(&self, request: RequestBuilder) -> RequestBuilder {
        request.bearer_auth(&self.key)
    }

    /// Sends JSON, gives what is in the envelope.
    pub async fn post<T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        body: &impl serde::Serialize,
    ) -> Result<T> {
        let response = self.accepted(self.with_key(self.http.post(self.path(path)?)).json(body)).await?;
        Ok(response.json::<Envelope<T>>().await.context("the answer is not what the API describes")?.data)
    }

    /// Asks, gives what is in the envelope.
    pub async fn get<T: serde::de::DeserializeOwned>(&self, path: &str) -> Result<T> {
        let response = self.accepted(self.with_key(self.http.get(self.path(path)?))).await?;
        Ok(response.json::<Envelope<T>>().await.context("the answer is not what the API describes")?.data)
    }

    /// Sends a change, only if the thing is still at this number where one is given.
    pub async fn patch<T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        body: &impl serde::Serialize,
        if_seq: Option<i64>,
    ) -> Result<T> {
        let mut request = self.with_key(self.http.patch(self.path(path)?)).json(body);
        if let Some(seq) = if_seq {
            request = request.header("if-match", format!("\"{seq}\""));
        }
        let response = self.accepted(request).await?;
        Ok(response.json::<Envelope<T>>().await.context("the answer is not what the API describes")?.data)
    }

    /// Sends JSON, gives the stream that answers.
    pub async fn open(&self, path: &str, body: &impl serde::Serialize) -> Result<Events> {
        let response = self.accepted(self.with_key(self.http.post(self.path(path)?)).json(body)).await?;
        Ok(Events::new(response))
    }

    /// The events of an answer after one of them, tried until the server is there.
    pub async fn resume(
        &self,
        conversation: ConversationId,
        message: MessageId,
        after: u64,
    ) -> Result<Events> {
        let url = self.path(&format!("/conversations/{conversation}/messages/{message}/events"))?;
        let mut failure = None;
        for attempt in 0..TRIES {
            let request =
                self.with_key(self.http.get(url.clone())).header("last-event-id", after.to_string());
            match self.accepted(request).await {
                Ok(response) => return Ok(Events::new(response)),
                Err(error) => failure = Some(error),
            }
            tokio::time::sleep(Duration::from_millis(100 * u64::from(attempt.min(20)))).await;
        }
        Err(failure.unwrap_or_else(|| anyhow::anyhow!("no try was made")))
            .context("the answer cannot be followed")
    }

    async fn accepted(&self, request: RequestBuilder) -> Result<Response> {
        let response = request.send().await.with_context(|| format!("{} cannot be reached", self.url))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let text = response.text().await.unwrap_or_default();
        match serde_json::from_str::<Problem>(&text) {
            Ok(problem) => Err(Refusal(problem).into()),
            Err(_) => bail!("the server answered {status}"),
        }
    }
}

/// What the server refused, and why.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(pub Problem);

/// Events as they arrive.
pub struct Events {
    body: futures::stream::BoxStream<'static, reqwest::Result<bytes::Bytes>>,
    buffer: Vec<u8>,
}

impl Events {
    fn new(response: Response) -> Self {
        Self { body: response.bytes_stream().boxed(), buffer: Vec::new() }
    }

    /// The next event; none when the connection ended.
    pub async fn next(&mut self) -> Result<Option<Sequenced>> {
        loop {
            while let Some(end) = find(&self.buffer, b"\n\n") {
                let block: Vec<u8> = self.buffer.drain(..end + 2).collect();
                if let Some(event) = parse(&block)? {
                    return Ok(Some(event));
                }
            }
            match self.body.next().await {
                Some(Ok(bytes)) => self.buffer.extend_from_slice(&bytes),
                // A cut is the end of this connection, not of the answer.
                Some(Err(_)) | None => return Ok(None),
            }
        }
    }
}

fn find(text: &[u8], mark: &[u8]) -> Option<usize> {
    text.windows(mark.len()).position(|window| window == mark)
}

/// One block of the stream; none for comments.
fn parse(block: &[u8]) -> Result<Option<Sequenced>> {
    let text = std::str::from_utf8(block).context("the stream is not UTF-8")?;
    let mut seq = None;
    let mut data = String::new();
    for line in text.lines() {
        if let Some(id) = line.strip_prefix("id:") {
            seq = id.trim().parse().ok();
        } else if let Some(more) = line.strip_prefix("data:") {
            data.push_str(more.strip_prefix(' ').unwrap_or(more));
        }
    }
    if data.is_empty() {
        return Ok(None);
    }
    let event: AnswerEvent =
        serde_json::from_str(&data).context("the stream has an event of another shape")?;
    Ok(Some(Sequenced { seq: seq.context("the stream has an event without an id")?, event }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_read_and_a_comment_passed_over() {
        let block = b"event: delta\nid: 7\ndata: {\"type\":\"delta\",\"text\":\"a\"}\n\n";
        let event = parse(block).unwrap().unwrap();
        assert_eq!(event, Sequenced { seq: 7, event: AnswerEvent::Delta { text: "a".into() } });
        assert!(parse(b": keep-alive\n\n").unwrap().is_none());
        assert!(parse(b"data: {}\n\n").is_err());
    }
}
