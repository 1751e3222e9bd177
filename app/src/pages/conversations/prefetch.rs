//! Fetches a conversation while the pointer rests on its link, so that a click shows it at once. What
//! was fetched is used once and soon, and not at all when anything changed meanwhile.

use crate::client::api;
use crate::client::socket;
use crate::pages::chat::conversation_path;
use futures::FutureExt;
use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::conversation::Conversation;
use shared::socket::ServerBody;
use shared::{ConversationId, Problem};
use std::time::Duration;

/// A pointer that only passes by does not rest so long.
const RESTS: Duration = Duration::from_millis(80);
const FRESH: Duration = Duration::from_secs(10);

type Fetched = futures::future::Shared<api::Call<Conversation>>;

/// What was fetched ahead. Given as context.
#[derive(Clone, Copy)]
pub struct Prefetch {
    ahead: StoredValue<Option<Ahead>>,
    /// Counts what the pointer did, so that it is known whether it still rests.
    moves: StoredValue<u64>,
}

struct Ahead {
    /// The move of the pointer that it was fetched at.
    number: u64,
    id: ConversationId,
    fetched: Fetched,
}

pub fn use_prefetch() -> Prefetch {
    expect_context::<Prefetch>()
}

impl Prefetch {
    pub fn provide() {
        let prefetch = Self { ahead: StoredValue::new(None), moves: StoredValue::new(0) };
        provide_context(prefetch);
        socket::on_frame(move |frame| {
            if !matches!(frame, ServerBody::Pong) {
                prefetch.ahead.set_value(None);
            }
        });
    }

    /// The pointer is on the link of this conversation.
    pub fn near(self, id: ConversationId) {
        let number = self.moved();
        set_timeout(
            move || {
                if self.moves.get_value() == number {
                    self.fetch(id, number);
                }
            },
            RESTS,
        );
    }

    pub fn gone(self) {
        self.moved();
    }

    fn moved(self) -> u64 {
        self.moves.update_value(|moves| *moves += 1);
        self.moves.get_value()
    }

    fn fetch(self, id: ConversationId, number: u64) {
        let call: api::Call<Conversation> = api::get(conversation_path(id));
        let fetched = call.shared();
        self.ahead.set_value(Some(Ahead { number, id, fetched: fetched.clone() }));
        // whoever takes it hears of a failure
        spawn_local(fetched.map(drop));
        set_timeout(
            move || {
                if self.ahead.with_value(|ahead| ahead.as_ref().is_some_and(|ahead| ahead.number == number)) {
                    self.ahead.set_value(None);
                }
            },
            FRESH,
        );
    }

    /// What was fetched of this conversation, or is on its way.
    pub fn take(self, id: ConversationId) -> Option<impl Future<Output = Result<Conversation, Problem>>> {
        let ahead = self.ahead.try_update_value(Option::take).flatten()?;
        (ahead.id == id).then_some(ahead.fetched)
    }
}
