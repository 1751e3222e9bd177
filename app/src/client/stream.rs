//! Follows an answer while it is written: opens the stream, reads it, and after a cut resumes where it
//! was until the answer has ended. It keeps no text: each event goes to the listener, once and in order.

use super::{json, sse};
#[cfg(any(feature = "hydrate", test))]
use shared::ConversationId;
use shared::conversation::{Regenerate, SendMessage};
use shared::event::AnswerEvent;
use shared::{MessageId, Problem};

/// How an answer's stream begins.
#[derive(Clone, Debug)]
pub enum Opening {
    Send(SendMessage),
    Regenerate(MessageId, Regenerate),
    Continue(MessageId),
    /// Of an answer that is being written or waits: what comes after this event.
    Resume {
        answer: MessageId,
        after: u64,
    },
}

#[cfg(any(feature = "hydrate", test))]
impl Opening {
    #[cfg(feature = "hydrate")]
    fn path(&self, conversation: ConversationId) -> String {
        let messages = format!("/api/v1/conversations/{conversation}/messages");
        match self {
            Self::Send(_) => messages,
            Self::Regenerate(message, _) => format!("{messages}/{message}/regenerate"),
            Self::Continue(message) => format!("{messages}/{message}/continue"),
            Self::Resume { answer, after } => format!("{messages}/{answer}/events?after={after}"),
        }
    }

    #[cfg(feature = "hydrate")]
    /// What is posted; nothing for a stream that is only read.
    fn body(&self) -> Option<String> {
        fn json(value: &impl serde::Serialize) -> Option<String> {
            serde_json::to_string(value).ok()
        }
        match self {
            Self::Send(message) => json(message),
            Self::Regenerate(_, regenerate) => json(regenerate),
            Self::Continue(_) => Some(String::new()),
            Self::Resume { .. } => None,
        }
    }

    /// Whether the same request again does nothing twice.
    fn is_repeatable(&self) -> bool {
        match self {
            Self::Send(message) => message.user_message_id.is_some(),
            Self::Regenerate(..) | Self::Continue(_) => false,
            Self::Resume { .. } => true,
        }
    }
}

/// How the line to the answer stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Line {
    /// Nothing is followed.
    #[default]
    Idle,
    Open,
    /// It was cut; it is being opened again.
    Reconnecting,
}

/// What the listener is told.
#[derive(Clone, Debug)]
pub enum News {
    Event(AnswerEvent),
    Line(Line),
    /// The server refused, or could not be reached before anything began. Nothing more comes.
    Refused(Problem),
}

/// Where in the answer the reader is: lets each event through once.
#[derive(Debug, Default)]
pub struct Place {
    last: u64,
    answer: Option<MessageId>,
    ended: bool,
}

impl Place {
    pub fn after(opening: &Opening) -> Self {
        match opening {
            Opening::Resume { answer, after } => Self { last: *after, answer: Some(*answer), ended: false },
            _ => Self::default(),
        }
    }

    /// The event of this frame, unless it was seen, or is of a kind that this build does not know.
    pub fn take(&mut self, frame: &sse::Event) -> Option<AnswerEvent> {
        let seq: u64 = frame.id.parse().ok()?;
        if seq <= self.last && self.last > 0 {
            return None;
        }
        let event: AnswerEvent = json::tagged(&frame.data, None).ok()?;
        self.last = seq;
        if let AnswerEvent::Message { message_id, .. } = event {
            self.answer = Some(message_id);
        }
        self.ended |= event.is_last();
        Some(event)
    }

    #[cfg(any(feature = "hydrate", test))]
    /// How to go on after a cut; nothing when it is not known which answer it was.
    fn resume(&self) -> Option<Opening> {
        self.answer.map(|answer| Opening::Resume { answer, after: self.last })
    }
}

/// How long to wait before the next try, in milliseconds; `chance` in 0..1 spreads the crowd.
pub fn wait_ms(failures: u32, chance: f64) -> f64 {
    let longest = 250.0 * f64::from(1u32 << failures.min(5));
    longest.min(5_000.0) * (0.6 + 0.4 * chance)
}

#[cfg(feature = "hydrate")]
pub use browser::{Following, follow};

#[cfg(feature = "hydrate")]
mod browser {
    use super::{Line, News, Opening, Place, wait_ms};
    use crate::client::{api, document, session, sse};
    use futures::FutureExt;
    use futures::future::{Either, select};
    use js_sys::{Reflect, Uint8Array};
    use shared::{ConversationId, ErrorCode, Problem};
    use std::cell::Cell;
    use std::rc::Rc;
    use wasm_bindgen::{JsCast, JsValue};
    use wasm_bindgen_futures::JsFuture;
    use web_sys::{AbortController, ReadableStreamDefaultReader, RequestInit, Response};

    /// The server says something every 15 seconds. A line that was silent for longer is dead, though
    /// the browser does not know yet.
    const LONGEST_SILENCE_MS: f64 = 40_000.0;

    /// A stream that is read. Dropping it stops the reading, not the answer.
    pub struct Following {
        ended: Rc<Cell<bool>>,
        abort: Rc<std::cell::RefCell<Option<AbortController>>>,
    }

    impl Drop for Following {
        fn drop(&mut self) {
            self.ended.set(true);
            if let Some(abort) = self.abort.borrow_mut().take() {
                abort.abort();
            }
        }
    }

    /// Follows an answer and tells `listener` everything, until it ended or the handle is dropped.
    pub fn follow(
        conversation: ConversationId,
        opening: Opening,
        listener: impl Fn(News) + 'static,
    ) -> Following {
        let ended = Rc::new(Cell::new(false));
        let abort = Rc::new(std::cell::RefCell::new(None));
        let reader = Reader {
            conversation,
            place: Place::after(&opening),
            ended: ended.clone(),
            abort: abort.clone(),
            listener: Box::new(listener),
        };
        leptos::task::spawn_local(reader.run(opening));
        Following { ended, abort }
    }

    struct Reader {
        conversation: ConversationId,
        place: Place,
        ended: Rc<Cell<bool>>,
        abort: Rc<std::cell::RefCell<Option<AbortController>>>,
        listener: Box<dyn Fn(News)>,
    }

    /// The server may close a stream early (it restarts, its database is away). If it does so again
    /// and again without a word, it has nothing more to say: the answer has ended elsewhere.
    const MOST_EMPTY: u32 = 3;

    /// Why a try ended before the answer did.
    enum Cut {
        /// The line; another try may go through.
        Line,
        /// The server closed it.
        Closed,
        Refused(Problem),
    }

    impl Reader {
        async fn run(mut self, mut opening: Opening) {
            let (mut failures, mut empty) = (0, 0);
            loop {
                let before = self.place.last;
                let outcome = self.attempt(&opening).await;
                if self.ended.get() {
                    return;
                }
                if self.place.ended {
                    return self.tell(News::Line(Line::Idle));
                }
                let went_on = self.place.last > before;
                match outcome {
                    Err(Cut::Refused(problem)) => return self.tell(News::Refused(problem)),
                    Err(Cut::Closed) if !went_on => empty += 1,
                    _ => empty = 0,
                }
                if empty >= MOST_EMPTY {
                    return self.tell(News::Refused(silent()));
                }
                failures = if went_on { 0 } else { failures + 1 };
                match self.place.resume() {
                    Some(resume) => opening = resume,
                    None if opening.is_repeatable() && failures < 2 => {}
                    None => return self.tell(News::Refused(unreachable())),
                }
                self.tell(News::Line(Line::Reconnecting));
                sleep(wait_ms(failures, js_sys::Math::random())).await;
                if self.ended.get() {
                    return;
                }
            }
        }

        fn tell(&self, news: News) {
            if !self.ended.get() {
                (self.listener)(news);
            }
        }

        async fn attempt(&mut self, opening: &Opening) -> Result<(), Cut> {
            let response = self.open(opening).await?;
            self.tell(News::Line(Line::Open));
            let stream = response.body().ok_or(Cut::Line)?;
            let reader: ReadableStreamDefaultReader = stream.get_reader().unchecked_into();
            let mut parser = sse::Parser::default();
            while let Some(bytes) = next(&reader).await? {
                for frame in parser.push(&bytes) {
                    if let Some(event) = self.place.take(&frame) {
                        self.tell(News::Event(event));
                    }
                }
                // Dropping the handle cuts the line: who has heard the end has dropped it.
                if self.ended.get() || self.place.ended {
                    return Ok(());
                }
            }
            Err(Cut::Closed)
        }

        async fn open(&self, opening: &Opening) -> Result<Response, Cut> {
            let abort = AbortController::new().map_err(|_| Cut::Line)?;
            let init = RequestInit::new();
            init.set_signal(Some(&abort.signal()));
            let headers = web_sys::Headers::new().map_err(|_| Cut::Line)?;
            document::note(headers.set("accept", "text/event-stream"));
            if let Some(body) = opening.body() {
                init.set_method("POST");
                if !body.is_empty() {
                    document::note(headers.set("content-type", "application/json"));
                    init.set_body(&JsValue::from_str(&body));
                }
                if let Some(token) = session::csrf_token() {
                    document::note(headers.set("x-csrf-token", &token));
                }
            }
            init.set_headers(&headers);
            *self.abort.borrow_mut() = Some(abort);
            let path = opening.path(self.conversation);
            let response = JsFuture::from(leptos::prelude::window().fetch_with_str_and_init(&path, &init));
            let response: Response = response.await.map_err(|_| Cut::Line)?.unchecked_into();
            if response.ok() {
                return Ok(response);
            }
            let text = match response.text() {
                Ok(text) => {
                    JsFuture::from(text).await.ok().and_then(|text| text.as_string()).unwrap_or_default()
                }
                Err(_) => String::new(),
            };
            let problem = api::problem_of(response.status(), &text);
            if problem.error_code == ErrorCode::Unauthenticated {
                session::ended();
            }
            // A server that stops, or whose database is away, will be back: an answer that began is
            // followed again then. A question that was not taken is not asked again behind one's back.
            let passes =
                matches!(response.status(), 429 | 500..=599) && matches!(opening, Opening::Resume { .. });
            Err(if passes { Cut::Line } else { Cut::Refused(problem) })
        }
    }

    fn unreachable() -> Problem {
        Problem::new(
            ErrorCode::Offline,
            "The server cannot be reached. Your message is kept here; try again when you are online.",
        )
    }

    fn silent() -> Problem {
        Problem::new(ErrorCode::NotFound, "The server has nothing more of this answer.")
    }

    /// The next bytes, or nothing at the end.
    async fn next(reader: &ReadableStreamDefaultReader) -> Result<Option<Vec<u8>>, Cut> {
        let read = JsFuture::from(reader.read()).fuse();
        let silence = sleep(LONGEST_SILENCE_MS).fuse();
        futures::pin_mut!(read, silence);
        let chunk = match select(read, silence).await {
            Either::Left((chunk, _)) => chunk.map_err(|_| Cut::Line)?,
            Either::Right(_) => return Err(Cut::Line),
        };
        let done = Reflect::get(&chunk, &"done".into()).is_ok_and(|done| done.is_truthy());
        let value = Reflect::get(&chunk, &"value".into()).map_err(|_| Cut::Line)?;
        Ok((!done).then(|| value.unchecked_into::<Uint8Array>().to_vec()))
    }

    /// Sleeps, and wakes early when the network comes back.
    async fn sleep(milliseconds: f64) {
        let promise = js_sys::Promise::new(&mut |resolve, _| {
            let timer = leptos::prelude::window()
                .set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, milliseconds as i32);
            document::note(timer);
            let options = web_sys::AddEventListenerOptions::new();
            options.set_once(true);
            if milliseconds < LONGEST_SILENCE_MS {
                let window = leptos::prelude::window();
                document::note(window.add_event_listener_with_callback_and_add_event_listener_options(
                    "online", &resolve, &options,
                ));
            }
        });
        if let Err(cause) = JsFuture::from(promise).await {
            leptos::logging::warn!("a wait was cut short: {cause:?}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::conversation::{MessageStatus, StopReason};

    fn frame(seq: u64, event: &AnswerEvent) -> sse::Event {
        let data = serde_json::to_string(event).unwrap_or_default();
        sse::Event { name: event.name().to_owned(), id: seq.to_string(), data }
    }

    fn delta(text: &str) -> AnswerEvent {
        AnswerEvent::Delta { text: text.to_owned() }
    }

    #[test]
    fn each_event_comes_through_once_and_the_way_back_is_known() {
        let answer = MessageId::new();
        let begin = AnswerEvent::Message {
            conversation_id: ConversationId::new(),
            user_message_id: MessageId::new(),
            message_id: answer,
            status: MessageStatus::Streaming,
            model: "a/b".to_owned(),
        };
        let mut place = Place::default();
        assert!(place.resume().is_none());
        assert_eq!(place.take(&frame(1, &begin)), Some(begin));
        assert_eq!(place.take(&frame(2, &delta("a"))), Some(delta("a")));
        assert_eq!(place.take(&frame(2, &delta("a"))), None);
        assert!(matches!(place.resume(), Some(Opening::Resume { answer: to, after: 2 }) if to == answer));
        // After a crash the numbers jump.
        assert_eq!(place.take(&frame(1_000, &delta("b"))), Some(delta("b")));
        assert!(!place.ended);
        place.take(&frame(1_001, &AnswerEvent::Done { stop_reason: StopReason::End }));
        assert!(place.ended);
    }

    #[test]
    fn what_is_not_understood_is_passed_over() {
        let mut place = Place::default();
        for data in ["{", "{\"type\":\"of a later version\"}"] {
            let frame = sse::Event { name: String::new(), id: "3".to_owned(), data: data.to_owned() };
            assert_eq!(place.take(&frame), None);
        }
        assert_eq!(place.take(&frame(3, &delta("a"))), Some(delta("a")));
    }

    #[test]
    fn waits_grow_to_five_seconds_and_no_further() {
        assert!(wait_ms(0, 0.0) < 200.0);
        assert!(wait_ms(40, 1.0) <= 5_000.0);
        assert!((0..9).all(|n| wait_ms(n, 0.5) <= wait_ms(n + 1, 0.5)));
    }

    #[test]
    fn only_what_does_nothing_twice_is_repeated() {
        let send = |id| {
            Opening::Send(SendMessage {
                user_message_id: id,
                content: "x".to_owned(),
                ..SendMessage::default()
            })
        };
        assert!(send(Some(MessageId::new())).is_repeatable());
        assert!(!send(None).is_repeatable());
        assert!(!Opening::Continue(MessageId::new()).is_repeatable());
    }
}
