//! The body of an answer, read as its bytes arrive. A chunk is handed on as soon as it is parsed,
//! and nothing is read ahead of the reader: what waits here must never exceed one network read.

use crate::frames::{Frames, Framing};
use crate::wire::Decode;
use crate::{Chunk, ChunkStream, Error, Limits};
use futures::StreamExt;
use secrecy::{ExposeSecret, SecretString};
use std::collections::VecDeque;

pub(crate) struct Answer {
    response: reqwest::Response,
    frames: Frames,
    decoder: Box<dyn Decode>,
    ready: VecDeque<Chunk>,
    failure: Option<Error>,
    limits: Limits,
    key: Option<SecretString>,
    begun: bool,
    over: bool,
}

impl Answer {
    pub fn new(
        response: reqwest::Response,
        (framing, decoder): (Framing, Box<dyn Decode>),
        limits: Limits,
        key: Option<SecretString>,
    ) -> Self {
        let frames = Frames::new(framing);
        Self {
            response,
            frames,
            decoder,
            ready: VecDeque::new(),
            failure: None,
            limits,
            key,
            begun: false,
            over: false,
        }
    }

    pub fn into_stream(self) -> ChunkStream {
        futures::stream::unfold(self, |mut answer| async move {
            let next = answer.next().await?;
            Some((next, answer))
        })
        .boxed()
    }

    async fn next(&mut self) -> Option<Result<Chunk, Error>> {
        loop {
            if let Some(chunk) = self.ready.pop_front() {
                self.begun = true;
                self.over |= matches!(chunk, Chunk::End { .. });
                return Some(Ok(chunk));
            }
            if let Some(error) = self.failure.take() {
                self.over = true;
                return Some(Err(without_key(error, self.key.as_ref())));
            }
            if self.over {
                return None;
            }
            // What the frames before a broken one said goes out before the failure.
            self.failure = self.read().await.err();
        }
    }

    /// One read from the network, parsed.
    async fn read(&mut self) -> Result<(), Error> {
        let limit = if self.begun { self.limits.stall } else { self.limits.first_chunk };
        match tokio::time::timeout(limit, self.response.chunk()).await {
            Ok(Ok(Some(bytes))) => {
                self.frames.push(&bytes);
                while let Some(frame) = self.frames.next()? {
                    self.decoder.frame(&frame, &mut self.ready)?;
                }
                Ok(())
            }
            Ok(Ok(None)) => {
                if let Some(frame) = self.frames.finish()? {
                    self.decoder.frame(&frame, &mut self.ready)?;
                }
                self.close(Error::Interrupted("it ended without its end mark".to_owned()))
            }
            Ok(Err(error)) => self.close(Error::Interrupted(crate::client::causes(&error))),
            Err(_elapsed) => self.close(Error::Stalled(limit)),
        }
    }

    /// No more will come, for the reason `otherwise`; which is no fault when the answer is whole.
    fn close(&mut self, otherwise: Error) -> Result<(), Error> {
        let ended = |ready: &VecDeque<Chunk>| matches!(ready.back(), Some(Chunk::End { .. }));
        if ended(&self.ready) {
            return Ok(());
        }
        if !self.decoder.is_whole() {
            return Err(otherwise);
        }
        self.decoder.close(&mut self.ready)?;
        if ended(&self.ready) { Ok(()) } else { Err(otherwise) }
    }
}

pub(crate) fn without_key(error: Error, key: Option<&SecretString>) -> Error {
    match key {
        Some(key) => error.without(key.expose_secret().trim()),
        None => error,
    }
}
