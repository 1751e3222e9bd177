//! Answers that this server is writing, in memory: the event log's head and the message so far.

use shared::conversation::Message;
use shared::event::{AnswerEvent, Sequenced};
use shared::{ConversationId, MessageId, UserId};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Events kept in memory after they were stored, for readers that lag a little.
const KEPT: usize = 256;

pub(crate) struct Live {
    pub id: MessageId,
    pub conversation_id: ConversationId,
    pub user_id: UserId,
    /// Cancelled when a person stops the answer.
    pub stop: CancellationToken,
    /// Held while events of this answer are on their way to the database.
    pub storing: tokio::sync::Mutex<()>,
    state: Mutex<State>,
    moved: watch::Sender<u64>,
}

struct State {
    log: VecDeque<Sequenced>,
    message: Message,
    /// The newest event.
    last: u64,
    /// Everything up to here is in the database.
    stored: u64,
    ended: bool,
}

/// What a reader gets.
#[derive(Debug, PartialEq)]
pub(crate) enum Since {
    Events(Vec<Sequenced>),
    /// The events are older than what is kept here: they are in the database.
    Older,
    /// Nothing yet.
    Nothing,
    /// Nothing more will come.
    Ended,
}

impl Live {
    /// An answer that begins; `last` is the newest event that was stored for it before.
    pub fn new(conversation_id: ConversationId, user_id: UserId, message: Message, last: u64) -> Self {
        Self {
            id: message.id,
            conversation_id,
            user_id,
            stop: CancellationToken::new(),
            storing: tokio::sync::Mutex::default(),
            state: Mutex::new(State { log: VecDeque::new(), message, last, stored: last, ended: false }),
            moved: watch::channel(last).0,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn push(&self, event: AnswerEvent) {
        let mut state = self.state();
        state.last += 1;
        state.message.apply(&event);
        state.ended = event.is_last();
        let seq = state.last;
        state.log.push_back(Sequenced { seq, event });
        drop(state);
        self.moved.send_replace(seq);
    }

    /// The message so far, with the event that it contains last.
    pub fn snapshot(&self) -> Message {
        let state = self.state();
        Message { last_seq: Some(state.last), ..state.message.clone() }
    }

    /// Text and reasoning so far, in bytes.
    pub fn length(&self) -> usize {
        let state = self.state();
        let steps = state.message.steps.iter().map(|step| match &step.kind {
            shared::conversation::StepKind::Reasoning { text } => text.len(),
            shared::conversation::StepKind::ToolCall(_) => 0,
        });
        state.message.content.len() + steps.sum::<usize>()
    }

    pub fn since(&self, after: u64) -> Since {
        let state = self.state();
        if after >= state.last {
            return if state.ended { Since::Ended } else { Since::Nothing };
        }
        match state.log.front() {
            Some(first) if first.seq <= after + 1 => {
                let skip = usize::try_from(after + 1 - first.seq).unwrap_or(usize::MAX);
                Since::Events(state.log.iter().skip(skip).cloned().collect())
            }
            _ => Since::Older,
        }
    }

    pub fn watch(&self) -> watch::Receiver<u64> {
        self.moved.subscribe()
    }

    /// What the database does not have yet.
    pub fn unstored(&self) -> Vec<Sequenced> {
        let state = self.state();
        let from = state.log.partition_point(|e| e.seq <= state.stored);
        state.log.iter().skip(from).cloned().collect()
    }

    pub fn unstored_count(&self) -> u64 {
        let state = self.state();
        state.last - state.stored
    }

    pub fn mark_stored(&self, through: u64) {
        let mut state = self.state();
        state.stored = state.stored.max(through);
        let stored = state.stored;
        while state.log.len() > KEPT && state.log.front().is_some_and(|e| e.seq <= stored) {
            state.log.pop_front();
        }
    }
}

/// The answers that this server is writing.
#[derive(Default)]
pub(crate) struct Registry {
    answers: Mutex<HashMap<MessageId, Arc<Live>>>,
    /// Woken when some answer has many events that are not stored.
    pub many_unstored: tokio::sync::Notify,
}

impl Registry {
    fn answers(&self) -> MutexGuard<'_, HashMap<MessageId, Arc<Live>>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn insert(&self, live: Arc<Live>) {
        self.answers().insert(live.id, live);
    }

    pub fn remove(&self, id: MessageId) {
        self.answers().remove(&id);
    }

    pub fn get(&self, id: MessageId) -> Option<Arc<Live>> {
        self.answers().get(&id).cloned()
    }

    pub fn all(&self) -> Vec<Arc<Live>> {
        self.answers().values().cloned().collect()
    }

    pub fn count(&self) -> usize {
        self.answers().len()
    }

    pub fn stop(&self, id: MessageId) {
        if let Some(live) = self.get(id) {
            live.stop.cancel();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversations::path::tests::message;
    use shared::conversation::{MessageRole, MessageStatus, StopReason};

    fn live(last: u64) -> Live {
        let message = message(MessageId::new(), None, MessageRole::Assistant);
        let message = Message { status: MessageStatus::Streaming, ..message };
        Live::new(ConversationId::new(), UserId::new(), message, last)
    }

    fn delta(text: &str) -> AnswerEvent {
        AnswerEvent::Delta { text: text.into() }
    }

    #[test]
    fn a_reader_gets_exactly_what_came_after_its_place() {
        let live = live(7);
        live.push(delta("a"));
        live.push(delta("b"));
        let Since::Events(events) = live.since(8) else { panic!("events expected") };
        assert_eq!(events, [Sequenced { seq: 9, event: delta("b") }]);
        assert_eq!(live.since(9), Since::Nothing);
        assert_eq!(live.since(3), Since::Older);
        live.push(AnswerEvent::Done { stop_reason: StopReason::End });
        assert_eq!(live.since(10), Since::Ended);
        assert_eq!(live.snapshot().content, "ab");
    }

    #[test]
    fn only_stored_events_leave_memory() {
        let live = live(0);
        for _ in 0..3 * KEPT {
            live.push(delta("x"));
        }
        live.mark_stored(KEPT as u64 / 2);
        assert_eq!(live.unstored().len(), 3 * KEPT - KEPT / 2);
        assert_eq!(live.since(KEPT as u64 / 4), Since::Older);
        live.mark_stored(3 * KEPT as u64);
        assert!(live.unstored().is_empty());
        assert!(matches!(live.since(2 * KEPT as u64), Since::Events(e) if e.len() == KEPT));
    }
}
