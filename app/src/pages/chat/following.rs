//! Which answers of the open conversation are followed, and what their events do to it. Browser only.
//! One stream is open at a time: an answer that waits its turn is followed once the one before it ended,
//! because a browser opens few connections.

use super::exchange::Exchange;
use super::thread::draft_message;
use crate::client::clock::browser_now;
use crate::client::stream::{Following, Line, News, Opening, follow};
use leptos::prelude::*;
use shared::MessageId;
use shared::conversation::{MessageRole, MessageStatus, StopReason};
use shared::event::AnswerEvent;
use shared::telemetry::ChatTiming;

#[derive(Default)]
pub struct Follows {
    open: Vec<Follow>,
    next: u64,
    /// Answers whose stream the server refused: not asked for again until something else happens.
    given_up: Vec<MessageId>,
}

struct Follow {
    number: u64,
    opening: Opening,
    answer: Option<MessageId>,
    timing: Timing,
    /// Reads while it is kept.
    _handle: Following,
}

#[derive(Clone, Copy)]
struct Timing {
    began_ms: f64,
    first_token_ms: Option<f64>,
    resumes: u32,
}

impl Exchange {
    pub(super) fn follow(self, opening: Opening) {
        let Some(conversation) = self.thread.id.get_untracked() else { return };
        let number = self.follows.try_update_value(|follows| {
            follows.next += 1;
            follows.next
        });
        let Some(number) = number else { return };
        let answer = match &opening {
            Opening::Resume { answer, .. } => Some(*answer),
            _ => None,
        };
        let handle = follow(conversation, opening.clone(), move |news| self.heard(number, news));
        let timing = Timing { began_ms: now_ms(), first_token_ms: None, resumes: 0 };
        self.follows.update_value(|follows| {
            follows.open.push(Follow { number, opening, answer, timing, _handle: handle });
        });
    }

    /// The answer whose events come in.
    pub(super) fn followed(self) -> Option<MessageId> {
        self.follows.with_value(|follows| follows.open.iter().find_map(|follow| follow.answer))
    }

    /// Follows the first answer that is being written or waits, unless one is followed already.
    pub(super) fn follow_first_active(self) {
        let busy = self.follows.with_value(|follows| !follows.open.is_empty());
        let Some(item) = self.thread.first_active().filter(|_| !busy) else { return };
        if self.follows.with_value(|follows| follows.given_up.contains(&item.id)) {
            return;
        }
        let after = item.message.with_untracked(|message| message.last_seq);
        if after.is_none() {
            // Its events come from the first on.
            item.message.update(|message| {
                message.content.clear();
                message.steps.clear();
            });
        }
        let (length, status) = item.message.with_untracked(|message| (message.content.len(), message.status));
        item.shown.set(length);
        if status == MessageStatus::Streaming {
            self.thread.running.set(Some(item.id));
        }
        self.follow(Opening::Resume { answer: item.id, after: after.unwrap_or(0) });
    }

    fn heard(self, number: u64, news: News) {
        if self.thread.id.is_disposed() {
            return;
        }
        match news {
            News::Event(AnswerEvent::Message { user_message_id, message_id, status, model, .. }) => {
                self.began(number, user_message_id, message_id, status, model);
            }
            News::Event(event) => self.happened(number, &event),
            News::Line(Line::Idle) => {}
            News::Line(line) => {
                if line == Line::Reconnecting {
                    self.with_timing(number, |timing| timing.resumes += 1);
                }
                let running = self.thread.running.get_untracked();
                if running.is_some() && self.answer_of(number) == running {
                    self.thread.line.set(line);
                }
            }
            News::Refused(problem) => {
                let Some(follow) = self.release(number) else { return };
                match follow.opening {
                    Opening::Send(message) => self.failed(message.user_message_id, problem),
                    Opening::Regenerate(..) | Opening::Continue(_) => self.toasts.problem(&problem),
                    Opening::Resume { answer, .. } => {
                        self.follows.update_value(|follows| follows.given_up.push(answer));
                    }
                }
                if self.followed().is_none() {
                    self.rest();
                }
                self.refresh();
            }
        }
    }

    fn began(
        self,
        number: u64,
        question: MessageId,
        answer: MessageId,
        status: MessageStatus,
        model: String,
    ) {
        self.arrived(question);
        self.follows.update_value(|follows| {
            if let Some(follow) = follows.open.iter_mut().find(|follow| follow.number == number) {
                follow.answer = Some(answer);
            }
        });
        let mut message = draft_message(answer, MessageRole::Assistant, String::new(), browser_now());
        message.parent_id = Some(question);
        message.status = status;
        message.model = Some(model);
        self.thread.put_answer(message, 0);
        let other = self.thread.running.get_untracked().filter(|running| *running != answer);
        if status == MessageStatus::Pending && other.is_some() {
            drop(self.release(number));
        } else {
            self.thread.running.set(Some(answer));
            self.thread.line.set(Line::Open);
            if status == MessageStatus::Streaming {
                self.thread.announcement.set("An answer is being written");
            }
        }
    }

    fn happened(self, number: u64, event: &AnswerEvent) {
        if matches!(event, AnswerEvent::Delta { .. }) {
            self.with_timing(number, |timing| {
                timing.first_token_ms.get_or_insert_with(|| now_ms() - timing.began_ms);
            });
        }
        if let Some(item) = self.answer_of(number).and_then(|answer| self.thread.item(answer)) {
            item.message.update(|message| {
                message.apply(event);
                if message.status == MessageStatus::Pending {
                    message.status = MessageStatus::Streaming;
                }
            });
            self.thread.grow();
            if let AnswerEvent::Reset { content, .. } = event {
                item.shown.set(content.len());
            }
        }
        if event.is_last() {
            self.ended(number, event);
        }
    }

    fn ended(self, number: u64, event: &AnswerEvent) {
        let Some(follow) = self.release(number) else { return };
        self.rest();
        self.thread.announcement.set(match event {
            AnswerEvent::Done { stop_reason: StopReason::Stopped } => "The answer was stopped",
            AnswerEvent::Error { .. } => "The answer ended early",
            _ => "The answer is complete",
        });
        if let (Opening::Send(_) | Opening::Regenerate(..), AnswerEvent::Done { .. }) =
            (&follow.opening, event)
        {
            report(follow.timing);
        }
        self.follows.update_value(|follows| follows.given_up.clear());
        self.follow_first_active();
        self.refresh();
    }

    fn rest(self) {
        self.thread.running.set(None);
        self.thread.line.set(Line::Idle);
    }

    fn answer_of(self, number: u64) -> Option<MessageId> {
        self.follows
            .with_value(|follows| follows.open.iter().find(|f| f.number == number).and_then(|f| f.answer))
    }

    fn with_timing(self, number: u64, change: impl FnOnce(&mut Timing)) {
        self.follows.update_value(|follows| {
            if let Some(follow) = follows.open.iter_mut().find(|follow| follow.number == number) {
                change(&mut follow.timing);
            }
        });
    }

    fn release(self, number: u64) -> Option<Follow> {
        self.follows
            .try_update_value(|follows| {
                let place = follows.open.iter().position(|follow| follow.number == number)?;
                Some(follows.open.remove(place))
            })
            .flatten()
    }
}

fn now_ms() -> f64 {
    window().performance().map_or_else(js_sys::Date::now, |performance| performance.now())
}

/// Tells the server how the answer felt. If it cannot be told, nothing is lost.
fn report(timing: Timing) {
    let Some(first_token_ms) = timing.first_token_ms else { return };
    let timing = ChatTiming { first_token_ms, total_ms: now_ms() - timing.began_ms, resumes: timing.resumes };
    let Ok(json) = serde_json::to_string(&timing) else { return };
    let options = web_sys::BlobPropertyBag::new();
    options.set_type("application/json");
    let parts = js_sys::Array::of1(&json.into());
    let Ok(blob) = web_sys::Blob::new_with_str_sequence_and_options(&parts, &options) else { return };
    crate::client::document::note(
        window().navigator().send_beacon_with_opt_blob("/api/v1/metrics/chat", Some(&blob)),
    );
}
