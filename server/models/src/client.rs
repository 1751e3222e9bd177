//! The HTTP side of talking to providers. It must never follow a redirect to another host, use a
//! proxy from the environment, or log a key or a word of a prompt.

use crate::{ChunkStream, Error, Prompt, Target};
use std::time::Duration;

/// How long to wait.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub connect: Duration,
    /// From the request to the first piece of the answer: models are loaded and think in it.
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
    #[allow(dead_code)]
    http: reqwest::Client,
}

impl Client {
    pub fn new() -> Result<Self, Error> {
        Self::with_limits(Limits::default())
    }

    pub fn with_limits(limits: Limits) -> Result<Self, Error> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .connect_timeout(limits.connect)
            .build()
            .map_err(|e| Error::Settings(e.to_string()))?;
        Ok(Self { http })
    }

    /// Asks the model; resolves when the provider has accepted the request.
    pub async fn stream(&self, _target: &Target, _prompt: &Prompt) -> Result<ChunkStream, Error> {
        Err(Error::Unreachable("no wire yet".to_owned()))
    }

    /// The provider's own names of the models it offers, in the provider's order.
    pub async fn list_models(&self, _target: &Target) -> Result<Vec<String>, Error> {
        Err(Error::Unreachable("no wire yet".to_owned()))
    }
}
