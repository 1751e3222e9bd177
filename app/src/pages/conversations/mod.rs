//! The person's conversations: the store that lists show and that other parts change. Changes show
//! at once where the server cannot refuse, and go back when it does.

pub mod list;
pub mod prefetch;

use crate::client::api::{self, Method};
use crate::client::listing::{Listed, Listing, narrowed};
use crate::client::location::{Location, use_location};
use crate::client::socket;
use crate::components::toast::{Toasts, use_toasts};
use crate::route::Route;
use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::conversation::{ConversationSummary, UpdateConversation};
use shared::page::Page;
use shared::socket::ServerBody;
use shared::{ConversationId, Problem};
use std::cmp::Reverse;
use time::OffsetDateTime;

/// How many conversations a page of the list has.
const PAGE_SIZE: usize = 50;

/// The conversations that lists show, pinned first, then newest. Given as context.
#[derive(Clone, Copy)]
pub struct Conversations {
    pub rows: Listing<ConversationSummary>,
    /// The words that the list is narrowed to.
    pub filter: RwSignal<String>,
    /// The one whose row is a field.
    pub renaming: RwSignal<Option<ConversationId>>,
    /// Asks the head of the open conversation to become a field.
    pub renaming_open: RwSignal<bool>,
    toasts: Toasts,
    location: Location,
}

pub fn use_conversations() -> Conversations {
    expect_context::<Conversations>()
}

impl Listed for ConversationSummary {
    type Id = ConversationId;
    type Place = (bool, Reverse<OffsetDateTime>);

    fn id(&self) -> ConversationId {
        self.id
    }

    fn place(&self) -> Self::Place {
        (!self.pinned, Reverse(self.updated_at))
    }
}

impl Conversations {
    pub fn provide() {
        let store = Self {
            rows: Listing::new(use_toasts()),
            filter: RwSignal::new(String::new()),
            renaming: RwSignal::new(None),
            renaming_open: RwSignal::new(false),
            toasts: use_toasts(),
            location: use_location(),
        };
        provide_context(store);
        socket::on_frame(move |frame| match frame {
            ServerBody::ConversationChanged(summary) => store.upsert(summary.clone()),
            ServerBody::ConversationDeleted { id } => store.rows.remove(*id),
            ServerBody::Resync => store.reload(),
            _ => {}
        });
    }

    /// What the list asks for.
    fn path(self, cursor: Option<&str>) -> String {
        let words = self.filter.get_untracked();
        let words = Some(words.as_str()).filter(|words| !words.is_empty());
        narrowed(format!("/conversations?limit={PAGE_SIZE}"), &[("q", words), ("cursor", cursor)])
    }

    /// The first page as the server gives it.
    pub fn first(self) -> api::Call<Page<ConversationSummary>> {
        api::get(self.path(None))
    }

    /// The newest, for other places than the list; read again when they change.
    pub fn newest(self, count: usize) -> Vec<ConversationSummary> {
        self.rows.with(|rows| rows.iter().take(count).map(|row| row.summary.get()).collect())
    }

    /// Puts a conversation where it belongs, or changes the one that is there.
    pub fn upsert(self, summary: ConversationSummary) {
        if summary.deleted_at.is_some() {
            return self.rows.remove(summary.id);
        }
        // what is filtered shows what matches, and only the server knows that
        self.rows.put(summary, self.filter.with_untracked(String::is_empty));
    }

    /// Shows again what had left the list. Where that is filtered, the server says whether it matches.
    pub fn bring_back(self, summary: ConversationSummary) {
        self.upsert(summary);
        if !self.filter.with_untracked(String::is_empty) {
            self.reload();
        }
    }

    pub fn reload(self) {
        self.rows.reload(move |cursor| self.path(cursor));
    }

    pub fn more(self) {
        self.rows.more(move |cursor| self.path(cursor));
    }

    pub fn begin_renaming(self, id: ConversationId) {
        self.renaming.set(Some(id));
    }

    pub fn rename(self, id: ConversationId, title: String) {
        self.renaming.set(None);
        let title = title.trim().to_owned();
        let same = self.rows.known(id).is_some_and(|now| now.title == title);
        if title.is_empty() || same {
            return;
        }
        self.change(id, UpdateConversation { title: Some(title), ..Default::default() });
    }

    pub fn turn_pin(self, id: ConversationId) {
        let pinned = self.rows.known(id).is_some_and(|now| now.pinned);
        self.change(id, UpdateConversation { pinned: Some(!pinned), ..Default::default() });
    }

    /// Shows a change at once and sends it; puts back what was when the server refuses.
    fn change(self, id: ConversationId, change: UpdateConversation) {
        let before = self.rows.known(id);
        if let Some(mut summary) = before.clone() {
            summary.title = change.title.clone().unwrap_or(summary.title);
            summary.pinned = change.pinned.unwrap_or(summary.pinned);
            self.upsert(summary);
        }
        spawn_local(async move {
            match api::send::<ConversationSummary>(Method::Patch, format!("/conversations/{id}"), &change)
                .await
            {
                Ok(summary) => self.upsert(summary),
                Err(problem) => {
                    if let Some(before) = before {
                        self.bring_back(before);
                    }
                    self.toasts.problem(&problem);
                }
            }
        });
    }

    /// Deletes at once, with a way back for 30 days and a button for it now.
    pub fn delete(self, id: ConversationId) {
        let before = self.rows.known(id);
        self.rows.remove(id);
        let open = self.location.route.get_untracked().and_then(Route::conversation) == Some(id);
        if open {
            self.location.go(&Route::NewConversation.path());
        }
        spawn_local(async move {
            match api::delete::<()>(format!("/conversations/{id}")).await {
                Ok(()) => {
                    self.toasts.undo("Conversation deleted. It stays in the bin for 30 days.", move || {
                        self.restore(id, if open { AfterRestoring::Open } else { AfterRestoring::Stay });
                    })
                }
                Err(problem) => self.put_back(before, &problem),
            }
        });
    }

    fn put_back(self, before: Option<ConversationSummary>, problem: &Problem) {
        if let Some(before) = before {
            self.bring_back(before);
        }
        self.toasts.problem(problem);
    }

    fn restore(self, id: ConversationId, after: AfterRestoring) {
        spawn_local(async move {
            match api::act::<ConversationSummary>(Method::Post, format!("/conversations/{id}/restore")).await
            {
                Ok(summary) => {
                    self.bring_back(summary);
                    if after == AfterRestoring::Open {
                        self.location.go(&Route::Conversation(id).path());
                    }
                }
                Err(problem) => self.toasts.problem(&problem),
            }
        });
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AfterRestoring {
    Open,
    Stay,
}
