//! The open conversation as the page holds it: each message has a signal of its own, so that an answer
//! that grows changes nothing but itself. It talks to nobody; [`super::exchange`] does.

use super::parts::{ALL, is_active};
use crate::client::stream::Line;
use leptos::prelude::*;
use shared::conversation::{Conversation, ConversationSummary, Message, MessageRole, MessageStatus};
use shared::{ConversationId, MessageId, Problem};
use time::OffsetDateTime;

/// Whether the server has a message of ours.
#[derive(Clone, Debug, PartialEq)]
pub enum Delivery {
    Arrived,
    Sending,
    Failed(Problem),
}

/// A message on the page.
#[derive(Clone)]
pub struct Item {
    pub id: MessageId,
    pub message: ArcRwSignal<Message>,
    pub delivery: ArcRwSignal<Delivery>,
    /// How many bytes of the text are shown; [`ALL`] unless it is being written.
    pub shown: ArcRwSignal<usize>,
    /// What it may be high, in pixels, until it was measured.
    #[cfg(feature = "hydrate")]
    pub likely_height: f64,
}

impl Item {
    fn new(message: Message, delivery: Delivery, shown: usize) -> Self {
        Self {
            id: message.id,
            #[cfg(feature = "hydrate")]
            likely_height: super::heights::guess(message.role, message.content.len()),
            message: ArcRwSignal::new(message),
            delivery: ArcRwSignal::new(delivery),
            shown: ArcRwSignal::new(shown),
        }
    }

    #[cfg(feature = "hydrate")]
    pub fn is_active(&self) -> bool {
        self.message
            .with_untracked(|message| message.role == MessageRole::Assistant && is_active(message.status))
    }

    fn has_arrived(&self) -> bool {
        self.delivery.with_untracked(|delivery| *delivery == Delivery::Arrived)
    }
}

/// The open conversation.
#[derive(Clone, Copy)]
pub struct Thread {
    /// `None`: not begun yet.
    pub id: RwSignal<Option<ConversationId>>,
    pub summary: RwSignal<Option<ConversationSummary>>,
    pub items: RwSignal<Vec<Item>>,
    /// How many messages come before the first item.
    pub earlier: RwSignal<u32>,
    /// The answer that is being written.
    pub running: RwSignal<Option<MessageId>>,
    pub line: RwSignal<Line>,
    /// Rises when something new is at the end.
    pub grown: RwSignal<u64>,
    /// For people who do not see the page: that an answer began or ended.
    pub announcement: RwSignal<&'static str>,
    /// Counts what was changed here, so that an older state from the server is recognised.
    pub version: StoredValue<u64>,
}

impl Thread {
    pub fn new(id: Option<ConversationId>) -> Self {
        Self {
            id: RwSignal::new(id),
            summary: RwSignal::new(None),
            items: RwSignal::new(Vec::new()),
            earlier: RwSignal::new(0),
            running: RwSignal::new(None),
            line: RwSignal::new(Line::Idle),
            grown: RwSignal::new(0),
            announcement: RwSignal::new(""),
            version: StoredValue::new(0),
        }
    }

    /// Something was put in or taken out here.
    fn changed(self) {
        self.version.update_value(|version| *version += 1);
        self.grow();
    }

    pub fn grow(self) {
        self.grown.update(|grown| *grown += 1);
    }

    /// Takes what the server has: the end of the path, from its first message on. `followed` is the
    /// answer whose events come in by themselves.
    pub fn take(self, conversation: Conversation, followed: Option<MessageId>) {
        let Conversation { summary, messages, earlier } = conversation;
        self.summary.set(Some(summary));
        let items = self.items.get_untracked();
        let kept = kept_before(&items.iter().map(|item| item.id).collect::<Vec<_>>(), &messages);
        let mut next: Vec<Item> = items[..kept].to_vec();
        for message in messages {
            next.push(match items.iter().find(|item| item.id == message.id) {
                Some(known) => refreshed(known, message, followed),
                None => Item::new(message, Delivery::Arrived, ALL),
            });
        }
        let unsent = items[kept..]
            .iter()
            .filter(|item| !item.has_arrived() && next.iter().all(|other| other.id != item.id));
        let unsent: Vec<Item> = unsent.cloned().collect();
        next.extend(unsent);
        if kept == 0 {
            self.earlier.set(earlier);
        }
        if followed.is_none() && self.running.get_untracked().is_some() {
            self.running.set(None);
        }
        let same = next.len() == items.len() && next.iter().zip(&items).all(|(a, b)| a.id == b.id);
        if !same {
            self.items.set(next);
        }
    }

    /// Puts earlier messages before the first.
    pub fn take_earlier(self, conversation: Conversation) {
        self.earlier.set(conversation.earlier);
        self.items.update(|items| {
            let known: Vec<MessageId> = items.iter().map(|item| item.id).collect();
            let new = conversation.messages.into_iter().filter(|message| !known.contains(&message.id));
            let mut all: Vec<Item> = new.map(|message| Item::new(message, Delivery::Arrived, ALL)).collect();
            all.append(items);
            *items = all;
        });
    }

    /// Shows an own message before the server has it, in place of `replaced` and what follows it.
    pub fn put_own(self, message: Message, replaced: Option<MessageId>) {
        self.changed();
        self.items.update(|items| {
            if let Some(place) = replaced.and_then(|id| items.iter().position(|item| item.id == id)) {
                items.truncate(place);
            }
            match items.iter().find(|item| item.id == message.id) {
                Some(again) => again.delivery.set(Delivery::Sending),
                None => items.push(Item::new(message, Delivery::Sending, ALL)),
            }
        });
    }

    #[cfg(any(feature = "hydrate", test))]
    /// Makes room for an answer that begins, after the message it answers and in place of another
    /// answer to it. `shown` bytes of it are shown at once.
    pub fn put_answer(self, answer: Message, shown: usize) {
        self.changed();
        if let Some(known) = self.item(answer.id) {
            return known.message.update(|message| {
                message.status = answer.status;
                message.model = answer.model;
            });
        }
        self.items.update(|items| {
            let question = items.iter().position(|item| Some(item.id) == answer.parent_id);
            let place = question.map_or(items.len(), |place| place + 1);
            let replaces = items.get(place).is_some_and(|next| {
                next.message.with_untracked(|next| {
                    next.role == MessageRole::Assistant && next.parent_id == answer.parent_id
                })
            });
            if replaces {
                items.truncate(place);
            }
            items.insert(place, Item::new(answer, Delivery::Arrived, shown));
        });
    }

    pub fn remove(self, id: MessageId) {
        self.changed();
        self.items.update(|items| items.retain(|item| item.id != id));
    }

    pub fn item(self, id: MessageId) -> Option<Item> {
        self.items.with_untracked(|items| items.iter().find(|item| item.id == id).cloned())
    }

    #[cfg(feature = "hydrate")]
    /// The first answer that is being written or waits.
    pub fn first_active(self) -> Option<Item> {
        self.items.with_untracked(|items| items.iter().find(|item| item.is_active()).cloned())
    }
}

fn refreshed(known: &Item, message: Message, followed: Option<MessageId>) -> Item {
    if followed == Some(message.id) {
        known.message.update(|now| now.variants = message.variants);
        return known.clone();
    }
    known.delivery.set(Delivery::Arrived);
    let now = known.message.get_untracked();
    // An answer that ended stays so: the server stores the end a moment after it was sent.
    let is_older = is_active(message.status) && !is_active(now.status) && now.role == MessageRole::Assistant;
    if now != message && !is_older {
        known.message.set(message);
    }
    known.clone()
}

/// How many of the messages shown stay before what was fetched: those before its first message, or all
/// up to the one that its first message answers. None if the two do not meet.
fn kept_before(shown: &[MessageId], fetched: &[Message]) -> usize {
    let Some(first) = fetched.first() else { return 0 };
    let same = shown.iter().position(|id| *id == first.id);
    let parent = || {
        first.parent_id.and_then(|parent| shown.iter().position(|id| *id == parent)).map(|place| place + 1)
    };
    same.or_else(parent).unwrap_or(0)
}

/// A message as it looks before the server has said more about it.
pub fn draft_message(id: MessageId, role: MessageRole, content: String, at: OffsetDateTime) -> Message {
    Message {
        id,
        parent_id: None,
        role,
        status: MessageStatus::Complete,
        content,
        steps: Vec::new(),
        model: None,
        usage: None,
        stop_reason: None,
        error: None,
        reactions: Vec::new(),
        created_at: at,
        variants: Vec::new(),
        last_seq: None,
        context: None,
        memories: Vec::new(),
        attachments: Vec::new(),
        given: None,
        sources: None,
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    pub fn message(content: &str) -> Message {
        draft_message(
            MessageId::new(),
            MessageRole::Assistant,
            content.to_owned(),
            OffsetDateTime::UNIX_EPOCH,
        )
    }

    fn conversation(messages: Vec<Message>, earlier: u32) -> Conversation {
        let at = OffsetDateTime::UNIX_EPOCH;
        let summary = ConversationSummary {
            id: ConversationId::new(),
            title: String::new(),
            first_message: String::new(),
            message_count: 0,
            pinned: false,
            model: String::new(),
            answering: false,
            created_at: at,
            updated_at: at,
            deleted_at: None,
        };
        Conversation { summary, messages, earlier }
    }

    fn path(length: usize) -> Vec<Message> {
        let mut path: Vec<Message> = (0..length).map(|n| message(&n.to_string())).collect();
        for at in 1..length {
            path[at].parent_id = Some(path[at - 1].id);
        }
        path
    }

    fn shown(thread: Thread) -> Vec<String> {
        thread.items.with_untracked(|items| {
            items.iter().map(|item| item.message.with_untracked(|m| m.content.clone())).collect()
        })
    }

    #[test]
    fn earlier_messages_stay_when_the_end_is_fetched_again() {
        let owner = Owner::new();
        owner.with(|| {
            let path = path(6);
            let thread = Thread::new(None);
            thread.take(conversation(path[2..4].to_vec(), 2), None);
            thread.take_earlier(conversation(path[..2].to_vec(), 0));
            thread.take(conversation(path[3..].to_vec(), 3), None);
            assert_eq!(shown(thread), ["0", "1", "2", "3", "4", "5"]);
            assert_eq!(thread.earlier.get_untracked(), 0);
            // Fetched from just after what is shown.
            let thread = Thread::new(None);
            thread.take(conversation(path[..3].to_vec(), 0), None);
            thread.take(conversation(path[3..].to_vec(), 3), None);
            assert_eq!(shown(thread).len(), 6);
        });
    }

    #[test]
    fn another_path_takes_the_place_of_the_one_shown() {
        let owner = Owner::new();
        owner.with(|| {
            let thread = Thread::new(None);
            thread.take(conversation(path(4), 0), None);
            let other = path(2);
            thread.take(conversation(other, 7), None);
            assert_eq!(shown(thread), ["0", "1"]);
            assert_eq!(thread.earlier.get_untracked(), 7);
        });
    }

    #[test]
    fn a_message_that_was_not_sent_stays_at_the_end() {
        let owner = Owner::new();
        owner.with(|| {
            let path = path(2);
            let thread = Thread::new(None);
            thread.take(conversation(path.clone(), 0), None);
            let own = draft_message(
                MessageId::new(),
                MessageRole::User,
                "mine".to_owned(),
                OffsetDateTime::UNIX_EPOCH,
            );
            thread.put_own(own.clone(), None);
            thread.take(conversation(path.clone(), 0), None);
            assert_eq!(shown(thread), ["0", "1", "mine"]);
            thread.take(conversation([path, vec![own.clone()]].concat(), 0), None);
            assert_eq!(shown(thread), ["0", "1", "mine"]);
            let delivery = thread.item(own.id).map(|item| item.delivery.get_untracked());
            assert_eq!(delivery, Some(Delivery::Arrived));
        });
    }

    #[test]
    fn another_answer_takes_the_place_of_the_first_and_of_what_followed() {
        let owner = Owner::new();
        owner.with(|| {
            let path = path(4);
            let thread = Thread::new(None);
            thread.take(conversation(path.clone(), 0), None);
            let mut answer = message("new");
            answer.parent_id = Some(path[0].id);
            thread.put_answer(answer, 0);
            assert_eq!(shown(thread), ["0", "new"]);
        });
    }

    #[test]
    fn what_is_followed_is_not_overwritten_by_an_older_state() {
        let owner = Owner::new();
        owner.with(|| {
            let path = path(2);
            let thread = Thread::new(None);
            thread.take(conversation(path.clone(), 0), None);
            if let Some(item) = thread.item(path[1].id) {
                item.message.update(|message| message.content.push_str(" and more"));
            }
            thread.take(conversation(path.clone(), 0), Some(path[1].id));
            assert_eq!(shown(thread), ["0", "1 and more"]);
            thread.take(conversation(path, 0), None);
            assert_eq!(shown(thread), ["0", "1"]);
        });
    }
}
