//! One reader of one answer, as server-sent events: what arrives is bundled, silence is filled with
//! comments, and when the server stops the stream just ends, to be resumed. It never waits for a
//! reader: what is not read stays with the answer.

use crate::bundler::{Bundler, Due};
use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use domain::AnswerStream;
use http::{HeaderName, HeaderValue, header};
use metrics::{Gauge, Histogram};
use shared::event::Sequenced;
use std::convert::Infallible;
use std::pin::Pin;
use std::time::Duration;
use tokio::time::{Instant, Sleep};
use tokio_util::sync::CancellationToken;

/// Proxies close a stream that is silent for long.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Where events come from. `next` may be given up at any time without losing one.
pub trait Events: Send + 'static {
    /// At least one event and all that are there; none when nothing more comes.
    fn next(&mut self) -> impl Future<Output = Option<Vec<Sequenced>>> + Send;
}

impl Events for AnswerStream {
    async fn next(&mut self) -> Option<Vec<Sequenced>> {
        AnswerStream::next(self).await
    }
}

/// The response that streams an answer.
pub fn answer(events: impl Events, shutdown: CancellationToken) -> Response {
    let reader = Reader::new(events, shutdown);
    let frames = futures::stream::unfold(reader, |mut reader| async move {
        let bytes = reader.next().await?;
        Some((Ok::<_, Infallible>(bytes), reader))
    });
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    (headers, Body::from_stream(frames)).into_response()
}

struct Reader<E> {
    events: E,
    bundler: Bundler,
    shutdown: CancellationToken,
    /// Nothing more is to come; what waits is still to be written.
    ended: bool,
    keep_alive: Pin<Box<Sleep>>,
    /// The sleep until a bundle is due.
    due: Pin<Box<Sleep>>,
    bundle_tokens: Histogram,
    open_streams: Gauge,
}

impl<E: Events> Reader<E> {
    fn new(events: E, shutdown: CancellationToken) -> Self {
        let open_streams = metrics::gauge!("sidebar_sse_streams");
        open_streams.increment(1.0);
        Self {
            events,
            bundler: Bundler::new(),
            shutdown,
            ended: false,
            keep_alive: Box::pin(tokio::time::sleep(KEEP_ALIVE)),
            due: Box::pin(tokio::time::sleep(Duration::ZERO)),
            bundle_tokens: metrics::histogram!("sidebar_bundle_tokens"),
            open_streams,
        }
    }

    /// The next bytes to write; none when the stream is over.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            let due = self.bundler.due();
            if due == Due::Now || (self.ended && due != Due::Never) {
                return Some(self.take());
            }
            if self.ended {
                return None;
            }
            if let Due::At(at) = due
                && self.due.deadline() != at
            {
                self.due.as_mut().reset(at);
            }
            tokio::select! {
                biased;
                () = self.shutdown.cancelled() => self.ended = true,
                batch = self.events.next() => match batch {
                    Some(batch) => {
                        self.ended = batch.iter().any(|one| one.event.is_last());
                        self.bundler.push(batch);
                    }
                    None => self.ended = true,
                },
                () = &mut self.due, if due != Due::Never => return Some(self.take()),
                () = &mut self.keep_alive => {
                    self.keep_alive.as_mut().reset(Instant::now() + KEEP_ALIVE);
                    return Some(Bytes::from_static(b": keep-alive\n\n"));
                }
            }
        }
    }

    fn take(&mut self) -> Bytes {
        let now = Instant::now();
        let (bytes, sizes) = self.bundler.take(now);
        for tokens in sizes {
            self.bundle_tokens.record(tokens as f64);
        }
        self.keep_alive.as_mut().reset(now + KEEP_ALIVE);
        bytes
    }
}

impl<E> Drop for Reader<E> {
    fn drop(&mut self) {
        self.open_streams.decrement(1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::conversation::StopReason;
    use shared::event::AnswerEvent;
    use tokio::sync::mpsc;

    struct Sent(mpsc::UnboundedReceiver<Sequenced>);

    impl Events for Sent {
        async fn next(&mut self) -> Option<Vec<Sequenced>> {
            let mut batch = Vec::new();
            (self.0.recv_many(&mut batch, 1000).await > 0).then_some(batch)
        }
    }

    fn reader() -> (mpsc::UnboundedSender<Sequenced>, CancellationToken, Reader<Sent>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let shutdown = CancellationToken::new();
        (sender, shutdown.clone(), Reader::new(Sent(receiver), shutdown))
    }

    fn delta(seq: u64) -> Sequenced {
        Sequenced { seq, event: AnswerEvent::Delta { text: "x".into() } }
    }

    fn done(seq: u64) -> Sequenced {
        Sequenced { seq, event: AnswerEvent::Done { stop_reason: StopReason::End } }
    }

    fn ids(bytes: &Bytes) -> Vec<u64> {
        let text = std::str::from_utf8(bytes).unwrap();
        text.lines().filter_map(|line| line.strip_prefix("id: ")).map(|id| id.parse().unwrap()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn fifty_tokens_a_second_come_as_ten_writes_a_second_and_the_first_at_once() {
        let (sender, _shutdown, mut reader) = reader();
        tokio::spawn(async move {
            for seq in 1..=50 {
                sender.send(delta(seq)).unwrap();
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            sender.send(done(51)).unwrap();
        });
        let start = Instant::now();
        let mut writes = Vec::new();
        while let Some(bytes) = reader.next().await {
            writes.push((start.elapsed().as_millis(), ids(&bytes)));
        }
        assert_eq!(writes[0], (0, vec![1]));
        assert!((10..=13).contains(&writes.len()), "{writes:?}");
        assert!(writes.windows(2).all(|pair| pair[1].0 - pair[0].0 <= 110), "{writes:?}");
        assert_eq!(writes.last().unwrap().1.last(), Some(&51));
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_model_is_not_made_slower() {
        let (sender, _shutdown, mut reader) = reader();
        tokio::spawn(async move {
            for seq in 1..=3 {
                sender.send(delta(seq)).unwrap();
                tokio::time::sleep(Duration::from_millis(150)).await;
            }
        });
        let start = Instant::now();
        for at in [0, 150, 300] {
            reader.next().await.unwrap();
            assert_eq!(start.elapsed().as_millis(), at);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_filled_every_fifteen_seconds() {
        let (sender, _shutdown, mut reader) = reader();
        sender.send(delta(1)).unwrap();
        reader.next().await.unwrap();
        let start = Instant::now();
        for n in 1..=3 {
            assert_eq!(&reader.next().await.unwrap()[..], b": keep-alive\n\n");
            assert_eq!(start.elapsed(), KEEP_ALIVE * n);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_stream_closes_after_the_last_event_though_the_source_stays_open() {
        let (sender, _shutdown, mut reader) = reader();
        sender.send(delta(1)).unwrap();
        sender.send(done(2)).unwrap();
        assert_eq!(ids(&reader.next().await.unwrap()), [1, 2]);
        assert_eq!(reader.next().await, None);
        drop(sender);
    }

    #[tokio::test(start_paused = true)]
    async fn at_a_stop_of_the_server_what_waits_is_written_and_no_end_is_made_up() {
        let (sender, shutdown, mut reader) = reader();
        sender.send(delta(1)).unwrap();
        reader.next().await.unwrap();
        sender.send(delta(2)).unwrap();
        let waiting = tokio::spawn(async move {
            let bytes = reader.next().await.unwrap();
            (ids(&bytes), reader.next().await)
        });
        tokio::time::sleep(Duration::from_millis(10)).await;
        shutdown.cancel();
        assert_eq!(waiting.await.unwrap(), (vec![2], None));
    }

    #[tokio::test(start_paused = true)]
    async fn a_source_that_goes_away_ends_the_stream_without_done() {
        let (sender, _shutdown, mut reader) = reader();
        sender.send(delta(1)).unwrap();
        drop(sender);
        assert_eq!(ids(&reader.next().await.unwrap()), [1]);
        assert_eq!(reader.next().await, None);
    }
}
