//! The body of an answer: a performance, encoded for its wire, each piece written when it is due.

use crate::performance::{Beat, Performance};
use crate::script::{Ending, Script};
use crate::wire::{Encode, End};
use bytes::{Bytes, BytesMut};
use futures::Stream;
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::Instant;

const BEFORE_CLOSING: Duration = Duration::from_millis(30);

pub(crate) struct Answer {
    performance: Performance,
    encoder: Box<dyn Encode>,
    start: Instant,
    /// Bytes that go out as soon as the network takes them.
    ready: VecDeque<Bytes>,
    buffer: BytesMut,
    called: bool,
    bytewise: bool,
    then: Then,
    _open: Open,
}

#[derive(Clone, Copy, PartialEq)]
enum Then {
    Play,
    Finish,
    Stall,
    Cut,
}

/// Counts the answers that are being written, until they are over or their reader has gone.
struct Open(Arc<AtomicUsize>);

impl Open {
    fn new(count: Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Answer {
    pub fn new(script: Script, encoder: Box<dyn Encode>, open: Arc<AtomicUsize>) -> Self {
        let mut answer = Self {
            bytewise: script.bytewise,
            performance: Performance::new(script),
            encoder,
            start: Instant::now(),
            ready: VecDeque::new(),
            buffer: BytesMut::with_capacity(4096),
            called: false,
            then: Then::Play,
            _open: Open::new(open),
        };
        answer.encoder.open(&mut answer.buffer);
        answer.flush();
        answer
    }

    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes, io::Error>> + Send + 'static {
        futures::stream::unfold(self, |mut answer| async move {
            let next = answer.next().await?;
            Some((next, answer))
        })
    }

    async fn next(&mut self) -> Option<Result<Bytes, io::Error>> {
        loop {
            if let Some(bytes) = self.ready.pop_front() {
                return Some(Ok(bytes));
            }
            match self.then {
                Then::Play => self.play().await,
                Then::Finish => return None,
                Then::Stall => std::future::pending().await,
                Then::Cut => {
                    // What was written has to leave first.
                    tokio::time::sleep(BEFORE_CLOSING).await;
                    return Some(Err(io::Error::other("told to cut the connection")));
                }
            }
        }
    }

    /// Waits for the next piece and writes it.
    async fn play(&mut self) {
        let Some(due) = self.performance.due() else {
            self.then = Then::Finish;
            return;
        };
        let due = self.start + due;
        if due > Instant::now() {
            tokio::time::sleep_until(due).await;
        }
        match self.performance.beat() {
            Some(Beat::Text(text)) => self.encoder.text(&text, &mut self.buffer),
            Some(Beat::Reasoning(text)) => self.encoder.reasoning(&text, &mut self.buffer),
            Some(Beat::Calls(calls)) => {
                self.called = true;
                self.ready.extend(self.encoder.calls(&calls));
            }
            Some(Beat::End(ending)) => self.end(ending),
            None => self.then = Then::Finish,
        }
        self.flush();
    }

    fn end(&mut self, ending: Ending) {
        let out = &mut self.buffer;
        self.then = Then::Finish;
        match ending {
            Ending::Stop | Ending::Length | Ending::Refuse => {
                let end = End { ending, called: self.called, output_tokens: self.performance.tokens };
                self.encoder.end(end, out);
            }
            Ending::Error(kind) => self.encoder.error(&kind, out),
            Ending::Malformed => {
                self.encoder.malformed(out);
                self.then = Then::Stall;
            }
            Ending::Stall => self.then = Then::Stall,
            Ending::Cut => {
                self.encoder.half(out);
                self.then = Then::Cut;
            }
        }
    }

    fn flush(&mut self) {
        if self.buffer.is_empty() {
            return;
        }
        let bytes = self.buffer.split().freeze();
        if self.bytewise {
            self.ready.extend((0..bytes.len()).map(|at| bytes.slice(at..=at)));
        } else {
            self.ready.push_back(bytes);
        }
    }
}
