//! Bundles the raw events of an answer into SSE frames: the first token at once, then 10 to 20 of
//! them or what came in 100 ms, so that a fast model costs few writes and a slow one no delay.
//!
//! A state machine without clock or I/O: the time comes in, bytes go out. It never reorders events
//! and never drops one.

use bytes::{BufMut, Bytes, BytesMut};
use shared::event::{AnswerEvent, Sequenced};
use std::fmt::Write as _;
use std::time::Duration;
use tokio::time::Instant;

/// From this many waiting tokens on nothing waits any longer.
pub const ENOUGH_TOKENS: usize = 10;
/// No SSE event carries more tokens than this.
pub const MOST_TOKENS: usize = 20;
/// A token waits no longer than this after the write before it.
pub const LONGEST_WAIT: Duration = Duration::from_millis(100);

/// The two kinds of token; a change of kind ends a bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Text,
    Reasoning,
}

impl Token {
    fn name(self) -> &'static str {
        match self {
            Self::Text => "delta",
            Self::Reasoning => "reasoning",
        }
    }
}

/// When the bundler wants to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    Now,
    At(Instant),
    /// Nothing waits.
    Never,
}

/// How many tokens each SSE event carried, for the metrics of one `take`.
pub type BundleSizes = Vec<usize>;

#[derive(Default)]
pub struct Bundler {
    /// Encoded frames that have not been taken.
    frames: BytesMut,
    sizes: BundleSizes,
    /// The bundle being collected: its kind, its text, its tokens, the sequence of its last one.
    token: Option<Token>,
    text: String,
    tokens: usize,
    last_seq: u64,
    /// Whether a token of each kind went out already.
    text_began: bool,
    reasoning_began: bool,
    /// Whether what waits goes out now whatever its size.
    at_once: bool,
    last_taken: Option<Instant>,
}

impl Bundler {
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in what arrived together.
    pub fn push(&mut self, batch: Vec<Sequenced>) {
        // More at once than one bundle holds is a replay or a burst: waiting would only add delay.
        let replay = batch.len() > MOST_TOKENS;
        for Sequenced { seq, event } in batch {
            match event {
                AnswerEvent::Delta { text } => self.push_token(Token::Text, seq, &text),
                AnswerEvent::Reasoning { text } => self.push_token(Token::Reasoning, seq, &text),
                event => {
                    self.close_bundle();
                    encode(&mut self.frames, seq, &event);
                }
            }
        }
        self.at_once |= replay;
    }

    fn push_token(&mut self, token: Token, seq: u64, text: &str) {
        if self.token.is_some_and(|kind| kind != token) || self.tokens == MOST_TOKENS {
            self.close_bundle();
        }
        let began = match token {
            Token::Text => &mut self.text_began,
            Token::Reasoning => &mut self.reasoning_began,
        };
        self.at_once |= !std::mem::replace(began, true);
        self.token = Some(token);
        self.text.push_str(text);
        self.tokens += 1;
        self.last_seq = seq;
    }

    /// When [`take`](Self::take) should be called.
    pub fn due(&self) -> Due {
        if !self.frames.is_empty() || self.tokens >= ENOUGH_TOKENS || (self.at_once && self.tokens > 0) {
            return Due::Now;
        }
        match (self.tokens, self.last_taken) {
            (0, _) => Due::Never,
            (_, None) => Due::Now,
            (_, Some(last)) => Due::At(last + LONGEST_WAIT),
        }
    }

    /// Everything that waits, as one write.
    pub fn take(&mut self, now: Instant) -> (Bytes, BundleSizes) {
        self.close_bundle();
        self.at_once = false;
        self.last_taken = Some(now);
        (self.frames.split().freeze(), std::mem::take(&mut self.sizes))
    }

    fn close_bundle(&mut self) {
        let Some(token) = self.token.take() else { return };
        encode_token(&mut self.frames, self.last_seq, token, &self.text);
        self.sizes.push(self.tokens);
        self.text.clear();
        self.tokens = 0;
    }
}

fn frame_head(frames: &mut BytesMut, seq: u64, name: &str) {
    // Writing to memory cannot fail.
    let _ = write!(frames, "event: {name}\nid: {seq}\ndata: ");
}

/// Written by hand: the one event that comes ten thousand times a second.
fn encode_token(frames: &mut BytesMut, seq: u64, token: Token, text: &str) {
    frames.reserve(text.len() + 96);
    frame_head(frames, seq, token.name());
    let _ = write!(frames, "{{\"type\":\"{}\",\"text\":", token.name());
    write_json(frames, &text);
    frames.put_slice(b"}\n\n");
}

fn encode(frames: &mut BytesMut, seq: u64, event: &AnswerEvent) {
    frame_head(frames, seq, event.name());
    write_json(frames, event);
    frames.put_slice(b"\n\n");
}

/// JSON has no raw line breaks, so it is always one `data` line.
fn write_json<T: serde::Serialize>(frames: &mut BytesMut, value: &T) {
    // Strings, numbers and JSON values: none has a map key that is not a string, nothing can fail.
    if let Err(error) = serde_json::to_writer(frames.writer(), value) {
        tracing::error!(%error, "an event could not be written as JSON");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::conversation::StopReason;

    fn deltas(range: std::ops::Range<u64>) -> Vec<Sequenced> {
        range.map(|seq| Sequenced { seq, event: AnswerEvent::Delta { text: format!("t{seq} ") } }).collect()
    }

    fn done(seq: u64) -> Sequenced {
        Sequenced { seq, event: AnswerEvent::Done { stop_reason: StopReason::End } }
    }

    /// What a reader of the frames gets: (event, id, data).
    fn read(bytes: &[u8]) -> Vec<(String, u64, serde_json::Value)> {
        let text = std::str::from_utf8(bytes).unwrap();
        text.split_terminator("\n\n")
            .map(|frame| {
                let mut lines = frame.lines();
                let event = lines.next().unwrap().strip_prefix("event: ").unwrap().to_owned();
                let id = lines.next().unwrap().strip_prefix("id: ").unwrap().parse().unwrap();
                let data = lines.next().unwrap().strip_prefix("data: ").unwrap();
                assert_eq!(lines.next(), None);
                (event, id, serde_json::from_str(data).unwrap())
            })
            .collect()
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_token_goes_out_at_once() {
        let mut bundler = Bundler::new();
        assert_eq!(bundler.due(), Due::Never);
        bundler.push(deltas(1..2));
        assert_eq!(bundler.due(), Due::Now);
        let (bytes, sizes) = bundler.take(Instant::now());
        assert_eq!(&bytes[..], b"event: delta\nid: 1\ndata: {\"type\":\"delta\",\"text\":\"t1 \"}\n\n");
        assert_eq!(sizes, [1]);
        assert_eq!(bundler.due(), Due::Never);
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_token_goes_out_at_once_also_after_other_events() {
        let mut bundler = Bundler::new();
        bundler.push(vec![Sequenced { seq: 1, event: AnswerEvent::Usage(Default::default()) }]);
        bundler.take(Instant::now());
        bundler.push(deltas(2..3));
        assert_eq!(bundler.due(), Due::Now);
    }

    #[tokio::test(start_paused = true)]
    async fn later_tokens_wait_until_100_ms_after_the_write_before() {
        let mut bundler = Bundler::new();
        bundler.push(deltas(1..2));
        let first = Instant::now();
        bundler.take(first);
        tokio::time::advance(Duration::from_millis(40)).await;
        bundler.push(deltas(2..5));
        assert_eq!(bundler.due(), Due::At(first + LONGEST_WAIT));
        tokio::time::sleep_until(first + LONGEST_WAIT).await;
        let (bytes, sizes) = bundler.take(Instant::now());
        let frames = read(&bytes);
        assert_eq!(frames.len(), 1);
        assert_eq!(frames[0].1, 4, "its id is that of its last token");
        assert_eq!(frames[0].2["text"], "t2 t3 t4 ");
        assert_eq!(sizes, [3]);
    }

    #[tokio::test(start_paused = true)]
    async fn ten_tokens_do_not_wait() {
        let mut bundler = Bundler::new();
        bundler.push(deltas(1..2));
        bundler.take(Instant::now());
        bundler.push(deltas(2..11));
        assert!(matches!(bundler.due(), Due::At(_)));
        bundler.push(deltas(11..12));
        assert_eq!(bundler.due(), Due::Now);
        assert_eq!(bundler.take(Instant::now()).1, [10]);
    }

    #[tokio::test(start_paused = true)]
    async fn no_event_carries_more_than_twenty_tokens() {
        let mut bundler = Bundler::new();
        bundler.push(deltas(1..51));
        assert_eq!(bundler.due(), Due::Now);
        let (bytes, sizes) = bundler.take(Instant::now());
        assert_eq!(sizes, [20, 20, 10]);
        assert_eq!(read(&bytes).iter().map(|f| f.1).collect::<Vec<_>>(), [20, 40, 50]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_replay_leaves_nothing_waiting() {
        let mut bundler = Bundler::new();
        bundler.push(deltas(1..2));
        bundler.take(Instant::now());
        bundler.push(deltas(2..45));
        assert_eq!(bundler.due(), Due::Now);
        let (_, sizes) = bundler.take(Instant::now());
        assert_eq!(sizes, [20, 20, 3]);
        assert_eq!(bundler.due(), Due::Never);
    }

    #[tokio::test(start_paused = true)]
    async fn another_event_takes_the_waiting_tokens_with_it_in_order() {
        let mut bundler = Bundler::new();
        bundler.push(deltas(1..2));
        bundler.take(Instant::now());
        let mut batch = deltas(2..4);
        batch.push(done(4));
        bundler.push(batch);
        assert_eq!(bundler.due(), Due::Now);
        let frames = read(&bundler.take(Instant::now()).0);
        assert_eq!(
            frames.iter().map(|f| (f.0.as_str(), f.1)).collect::<Vec<_>>(),
            [("delta", 3), ("done", 4)]
        );
        assert_eq!(frames[1].2, serde_json::json!({"type": "done", "stop_reason": "end"}));
    }

    #[tokio::test(start_paused = true)]
    async fn reasoning_and_text_never_share_a_bundle() {
        let mut bundler = Bundler::new();
        bundler.push(vec![
            Sequenced { seq: 1, event: AnswerEvent::Reasoning { text: "a".into() } },
            Sequenced { seq: 2, event: AnswerEvent::Reasoning { text: "b".into() } },
            Sequenced { seq: 3, event: AnswerEvent::Delta { text: "c".into() } },
        ]);
        let frames = read(&bundler.take(Instant::now()).0);
        assert_eq!(
            frames.iter().map(|f| (f.0.as_str(), f.2["text"].as_str().unwrap())).collect::<Vec<_>>(),
            [("reasoning", "ab"), ("delta", "c")]
        );
    }

    #[test]
    fn text_that_looks_like_a_frame_stays_text() {
        let mut bundler = Bundler::new();
        let text = "\n\nevent: done\nid: 9\ndata: \"{\u{2028}\r\n😀".to_owned();
        bundler.push(vec![Sequenced { seq: 1, event: AnswerEvent::Delta { text: text.clone() } }]);
        let frames = read(&bundler.take(Instant::now()).0);
        assert_eq!(frames.len(), 1);
        assert_eq!(frames[0].2["text"], text);
    }

    #[test]
    fn every_token_comes_out_once_and_in_order_however_it_was_cut() {
        let mut bundler = Bundler::new();
        let (mut out, mut next) = (String::new(), 1u64);
        let now = Instant::now();
        for size in [1u64, 3, 9, 10, 11, 20, 21, 64, 2, 1] {
            bundler.push(deltas(next..next + size));
            next += size;
            if bundler.due() == Due::Now {
                for frame in read(&bundler.take(now).0) {
                    out.push_str(frame.2["text"].as_str().unwrap());
                }
            }
        }
        for frame in read(&bundler.take(now).0) {
            out.push_str(frame.2["text"].as_str().unwrap());
        }
        let all: String = (1..next).map(|seq| format!("t{seq} ")).collect();
        assert_eq!(out, all);
    }
}
