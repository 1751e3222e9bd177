//! What the conversation view does with the server: sends, regenerates, stops, fetches. The state is
//! in [`Thread`]; streams are followed by [`super::following`].

use super::thread::{Delivery, Thread, draft_message};
use crate::client::api::{self, Method};
use crate::client::location::Location;
use crate::client::session::Session;
use crate::client::socket;
use crate::client::stream::Opening;
use crate::client::typesetter;
use crate::client::{clock::Clock, drafts};
use crate::components::toast::Toasts;
use crate::pages::notes::Desk;
use crate::route::Route;
use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::context::Attached;
use shared::conversation::{
    Conversation, ConversationSummary, CreateConversation, Message, MessageRole, Regenerate, SendMessage,
    UpdateConversation,
};
use shared::socket::ServerBody;
use shared::{ConversationId, MessageId, Problem};
use std::time::Duration;

/// How many messages are fetched at once.
pub const PAGE: usize = 40;

/// The view's way to the server. Cheap to copy; made once for each open conversation.
#[derive(Clone, Copy)]
pub struct Exchange {
    pub thread: Thread,
    pub session: Session,
    pub toasts: Toasts,
    location: Location,
    clock: Clock,
    /// The note on the page, which a conversation beside it knows.
    desk: Desk,
    started: Callback<ConversationId>,
    /// What was sent and has not arrived, so that it can be sent again as it was.
    unsent: StoredValue<Vec<SendMessage>>,
    /// What goes into the conversation that is just being made.
    for_new: StoredValue<Option<Vec<SendMessage>>>,
    fetching: StoredValue<Fetching>,
    loading_earlier: StoredValue<Loading>,
    #[cfg(feature = "hydrate")]
    pub(super) follows: StoredValue<super::following::Follows, LocalStorage>,
}

/// Whether the newest state is being fetched.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fetching {
    No,
    Soon,
    Now,
    /// Something changed meanwhile: once more after this.
    AndAgain,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Loading {
    No,
    Yes,
}

impl Exchange {
    /// Must be called in a component: it listens to the socket until that is gone.
    pub fn new(thread: Thread, started: Callback<ConversationId>) -> Self {
        let exchange = Self {
            thread,
            started,
            session: expect_context(),
            toasts: expect_context(),
            location: expect_context(),
            clock: expect_context(),
            desk: expect_context(),
            unsent: StoredValue::new(Vec::new()),
            for_new: StoredValue::new(None),
            fetching: StoredValue::new(Fetching::No),
            loading_earlier: StoredValue::new(Loading::No),
            #[cfg(feature = "hydrate")]
            follows: StoredValue::new_local(super::following::Follows::default()),
        };
        socket::on_frame(move |body| exchange.hear(body));
        exchange
    }

    fn is_gone(self) -> bool {
        self.thread.id.is_disposed()
    }

    /// Follows what is being written. Once the page is taken over: before that it must look as the
    /// server made it.
    pub fn follow_what_runs(self) {
        #[cfg(feature = "hydrate")]
        self.follow_first_active();
    }

    /// The note that is open beside the conversation.
    pub fn note_beside(self) -> Option<shared::NoteId> {
        self.desk.context().map(|context| context.note_id)
    }

    pub fn send(
        self,
        content: String,
        model: Option<String>,
        replaces: Option<MessageId>,
        attached: Vec<Attached>,
    ) {
        let id = MessageId::new();
        let mut own = draft_message(id, MessageRole::User, content.clone(), self.clock.now.get_untracked());
        own.attachments = attached.clone();
        self.thread.put_own(own, replaces);
        let message = SendMessage {
            user_message_id: Some(id),
            content,
            model,
            replaces,
            context: self.desk.context(),
            attachments: attached.iter().map(|one| one.thing).collect(),
        };
        self.unsent.update_value(|unsent| unsent.push(message.clone()));
        self.deliver(message);
    }

    /// Sends a message once more that did not arrive. It has the same id, so it cannot arrive twice.
    pub fn send_again(self, id: MessageId) {
        let message =
            self.unsent.with_value(|unsent| unsent.iter().find(|m| m.user_message_id == Some(id)).cloned());
        if let (Some(message), Some(item)) = (message, self.thread.item(id)) {
            item.delivery.set(Delivery::Sending);
            self.deliver(message);
        }
    }

    /// Takes back a message that did not arrive, and gives its text and what it brought.
    pub fn take_back(self, id: MessageId) -> Option<(String, Vec<Attached>)> {
        let brought =
            self.thread.item(id).map(|item| item.message.with_untracked(|own| own.attachments.clone()));
        let mut text = None;
        self.unsent.update_value(|unsent| {
            text = unsent.iter().find(|m| m.user_message_id == Some(id)).map(|m| m.content.clone());
            unsent.retain(|m| m.user_message_id != Some(id));
        });
        self.thread.remove(id);
        Some((text?, brought.unwrap_or_default()))
    }

    fn deliver(self, message: SendMessage) {
        if self.thread.id.get_untracked().is_some() {
            return self.begin(Opening::Send(message));
        }
        // one conversation, however quickly the next message follows
        let is_being_made = self.for_new.try_update_value(|waiting| match waiting {
            Some(waiting) => {
                waiting.push(message.clone());
                true
            }
            None => {
                *waiting = Some(vec![message.clone()]);
                false
            }
        });
        if is_being_made != Some(false) {
            return;
        }
        spawn_local(async move {
            let create = CreateConversation { title: None, model: message.model.clone() };
            let made = api::send::<Conversation>(Method::Post, "/conversations", &create).await;
            if self.is_gone() {
                return;
            }
            let waiting = self.for_new.try_update_value(Option::take).flatten().unwrap_or_default();
            match made {
                Ok(conversation) => {
                    let id = conversation.summary.id;
                    drafts::write(self.session.profile.with_untracked(|p| p.id), Some(id), &message.content);
                    self.thread.id.set(Some(id));
                    self.thread.summary.set(Some(conversation.summary));
                    self.started.run(id);
                    waiting.into_iter().for_each(|message| self.begin(Opening::Send(message)));
                }
                Err(problem) => {
                    let failed = |message: SendMessage| self.failed(message.user_message_id, problem.clone());
                    waiting.into_iter().for_each(failed);
                }
            }
        });
    }

    pub(super) fn failed(self, id: Option<MessageId>, problem: Problem) {
        match id.and_then(|id| self.thread.item(id)) {
            Some(item) => item.delivery.set(Delivery::Failed(problem)),
            None => self.toasts.problem(&problem),
        }
    }

    #[cfg(feature = "hydrate")]
    /// The server has the message: it need not be kept here.
    pub(super) fn arrived(self, id: MessageId) {
        if let Some(item) = self.thread.item(id) {
            item.delivery.set(Delivery::Arrived);
        }
        let mut sent = None;
        self.unsent.update_value(|unsent| {
            sent = unsent.iter().find(|m| m.user_message_id == Some(id)).map(|m| m.content.clone());
            unsent.retain(|m| m.user_message_id != Some(id));
        });
        let Some(sent) = sent else { return };
        let user = self.session.profile.with_untracked(|profile| profile.id);
        for place in [None, self.thread.id.get_untracked()] {
            if drafts::read(user, place) == sent {
                drafts::write(user, place, "");
            }
        }
    }

    /// Another answer to the same message.
    pub fn regenerate(self, answer: MessageId, model: Option<String>) {
        self.begin(Opening::Regenerate(answer, Regenerate { model }));
    }

    /// Goes on where an answer ended too early.
    pub fn go_on(self, answer: MessageId) {
        self.begin(Opening::Continue(answer));
    }

    fn begin(self, opening: Opening) {
        #[cfg(feature = "hydrate")]
        self.follow(opening);
        #[cfg(not(feature = "hydrate"))]
        drop(opening);
    }

    pub fn stop(self) {
        let Some(running) = self.thread.running.get_untracked() else { return };
        self.act(Method::Post, format!("/messages/{running}/stop"), move |()| {});
    }

    pub fn show_variant(self, id: MessageId) {
        let change = UpdateConversation { head: Some(id), ..UpdateConversation::default() };
        self.change(change, move |exchange| exchange.refresh());
    }

    pub fn rename(self, title: String) {
        self.change(UpdateConversation { title: Some(title), ..UpdateConversation::default() }, |_| {});
    }

    pub fn set_model(self, model: String) {
        if self.thread.id.get_untracked().is_some() {
            self.change(UpdateConversation { model: Some(model), ..UpdateConversation::default() }, |_| {});
        }
    }

    pub fn toggle_pin(self) {
        let pinned = self.thread.summary.with_untracked(|summary| summary.as_ref().is_some_and(|s| s.pinned));
        self.change(UpdateConversation { pinned: Some(!pinned), ..UpdateConversation::default() }, |_| {});
    }

    fn change(self, change: UpdateConversation, then: impl FnOnce(Self) + 'static) {
        let Some(id) = self.thread.id.get_untracked() else { return };
        spawn_local(async move {
            let changed =
                api::send::<ConversationSummary>(Method::Patch, format!("/conversations/{id}"), &change)
                    .await;
            match changed {
                Ok(_) if self.is_gone() => {}
                Ok(summary) => {
                    self.thread.summary.set(Some(summary));
                    then(self);
                }
                Err(problem) => self.toasts.problem(&problem),
            }
        });
    }

    /// Deletes the conversation, which can be undone, and leads to a new one.
    pub fn delete(self) {
        let Some(id) = self.thread.id.get_untracked() else { return };
        let (toasts, location) = (self.toasts, self.location);
        spawn_local(async move {
            match api::delete::<()>(format!("/conversations/{id}")).await {
                Ok(()) => {
                    location.go(&Route::NewConversation.path());
                    toasts.undo("Conversation deleted. It stays in the bin for 30 days.", move || {
                        restore(id, toasts, location)
                    });
                }
                Err(problem) => toasts.problem(&problem),
            }
        });
    }

    pub fn react(self, message: MessageId, emoji: &'static str) {
        let me = self.session.profile.with_untracked(|profile| profile.id);
        let has = self.thread.item(message).is_some_and(|item| {
            item.message.with_untracked(|m| m.reactions.iter().any(|r| r.user_id == me && r.emoji == emoji))
        });
        let method = if has { Method::Delete } else { Method::Put };
        let path = format!("/messages/{message}/reactions/{}", api::encode(emoji));
        self.act(method, path, move |fresh: Message| {
            if let Some(item) = self.thread.item(message) {
                item.message.update(|message| message.reactions = fresh.reactions);
            }
        });
    }

    fn act<T>(self, method: Method, path: String, then: impl FnOnce(T) + 'static)
    where
        T: serde::de::DeserializeOwned + 'static,
    {
        let Some(id) = self.thread.id.get_untracked() else { return };
        spawn_local(async move {
            match api::act::<T>(method, format!("/conversations/{id}{path}")).await {
                Ok(_) if self.is_gone() => {}
                Ok(done) => then(done),
                Err(problem) => self.toasts.problem(&problem),
            }
        });
    }

    /// Fetches the messages before the first, unless they are on their way. `then` is called once they
    /// are in place.
    pub fn load_earlier(self, limit: usize, then: impl FnOnce() + 'static) {
        let first = self.thread.items.with_untracked(|items| items.first().map(|item| item.id));
        let (Some(id), Some(first)) = (self.thread.id.get_untracked(), first) else { return };
        if self.thread.earlier.get_untracked() == 0 || self.loading_earlier.get_value() == Loading::Yes {
            return;
        }
        self.loading_earlier.set_value(Loading::Yes);
        spawn_local(async move {
            let path = format!("/conversations/{id}?limit={limit}&before={first}");
            let (fetched, ()) = futures::join!(api::get::<Conversation>(path), typesetter::ready());
            if self.is_gone() {
                return;
            }
            self.loading_earlier.set_value(Loading::No);
            match fetched {
                Ok(earlier) => {
                    self.thread.take_earlier(earlier);
                    then();
                }
                Err(problem) => self.toasts.problem(&problem),
            }
        });
    }

    /// Fetches the newest state, soon; several calls at once are one.
    pub fn refresh(self) {
        let next = match self.fetching.get_value() {
            Fetching::No => Fetching::Soon,
            Fetching::Now => return self.fetching.set_value(Fetching::AndAgain),
            Fetching::Soon | Fetching::AndAgain => return,
        };
        self.fetching.set_value(next);
        set_timeout(
            move || {
                if !self.is_gone() {
                    self.fetching.set_value(Fetching::Now);
                    spawn_local(self.fetch());
                }
            },
            Duration::from_millis(60),
        );
    }

    async fn fetch(self) {
        let Some(id) = self.thread.id.get_untracked() else { return self.fetching.set_value(Fetching::No) };
        let version = self.thread.version.get_value();
        let fetched = api::get::<Conversation>(format!("/conversations/{id}?limit={PAGE}")).await;
        if self.is_gone() {
            return;
        }
        let again = self.fetching.get_value() == Fetching::AndAgain;
        self.fetching.set_value(Fetching::No);
        // A failure is not told: the line's own state says it, and once it is back this is tried again.
        if let Ok(conversation) = fetched {
            // What was sent meanwhile is not in there: it would vanish for a moment.
            if again || self.thread.version.get_value() != version {
                return self.refresh();
            }
            #[cfg(feature = "hydrate")]
            {
                self.thread.take(conversation, self.followed());
                self.follow_first_active();
            }
            #[cfg(not(feature = "hydrate"))]
            self.thread.take(conversation, None);
        }
    }

    fn knows_running(self, answer: MessageId) -> bool {
        self.thread.item(answer).is_some() && self.thread.running.get_untracked().is_some()
    }

    /// What other tabs and devices did.
    fn hear(self, body: &ServerBody) {
        if self.is_gone() {
            return;
        }
        let here = self.thread.id.get_untracked();
        let is_here = |id: &ConversationId| here == Some(*id);
        match body {
            ServerBody::ConversationChanged(summary) if is_here(&summary.id) => {
                self.thread.summary.set(Some(summary.clone()));
                if self.thread.running.get_untracked().is_none() {
                    self.refresh();
                }
            }
            ServerBody::AnswerStarted { conversation_id, message_id }
                if is_here(conversation_id) && !self.knows_running(*message_id) =>
            {
                self.refresh();
            }
            ServerBody::AnswerEnded { conversation_id, .. } if is_here(conversation_id) => self.refresh(),
            ServerBody::Resync if here.is_some() => self.refresh(),
            _ => {}
        }
    }
}

fn restore(id: ConversationId, toasts: Toasts, location: Location) {
    spawn_local(async move {
        match api::act::<ConversationSummary>(Method::Post, format!("/conversations/{id}/restore")).await {
            Ok(_) => location.go(&Route::Conversation(id).path()),
            Err(problem) => toasts.problem(&problem),
        }
    });
}
