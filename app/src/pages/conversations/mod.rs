//! The person's conversations: the store that lists show and that other parts change. Changes show
//! at once where the server cannot refuse, and go back when it does.

pub mod list;
pub mod prefetch;

use crate::client::api::{self, Method};
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

/// How many conversations a page of the list has.
const PAGE_SIZE: usize = 50;

/// One conversation in the list. Its own signal, so that a change redraws its row only.
#[derive(Clone)]
pub struct Row {
    pub id: ConversationId,
    pub summary: ArcRwSignal<ConversationSummary>,
}

/// The conversations that lists show, pinned first, then newest. Given as context.
#[derive(Clone, Copy)]
pub struct Conversations {
    rows: RwSignal<Vec<Row>>,
    next_cursor: RwSignal<Option<String>>,
    loading: RwSignal<bool>,
    seeded: RwSignal<bool>,
    /// The words that the list is narrowed to.
    pub filter: RwSignal<String>,
    pub renaming: RwSignal<Option<ConversationId>>,
    toasts: Toasts,
    location: Location,
}

pub fn use_conversations() -> Conversations {
    expect_context::<Conversations>()
}

fn list_path(filter: &str, cursor: Option<&str>) -> String {
    let mut path = format!("/conversations?limit={PAGE_SIZE}");
    if !filter.is_empty() {
        path.push_str(&format!("&q={}", api::encode(filter)));
    }
    if let Some(cursor) = cursor {
        path.push_str(&format!("&cursor={}", api::encode(cursor)));
    }
    path
}

impl Conversations {
    pub fn provide() {
        let store = Self {
            rows: RwSignal::new(Vec::new()),
            next_cursor: RwSignal::new(None),
            loading: RwSignal::new(false),
            seeded: RwSignal::new(false),
            filter: RwSignal::new(String::new()),
            renaming: RwSignal::new(None),
            toasts: use_toasts(),
            location: use_location(),
        };
        provide_context(store);
        socket::on_frame(move |frame| match frame {
            ServerBody::ConversationChanged(summary) => store.upsert(summary.clone()),
            ServerBody::ConversationDeleted { id } => store.remove(*id),
            ServerBody::Resync => store.reload(),
            _ => {}
        });
    }

    /// The first page as the server gave it.
    pub fn first_page() -> api::Call<Page<ConversationSummary>> {
        api::get(list_path("", None))
    }

    /// Begins with a page.
    pub fn seed(self, page: Page<ConversationSummary>) {
        self.rows.set(page.items.into_iter().map(Row::new).collect());
        self.next_cursor.set(page.next_cursor);
        self.seeded.set(true);
    }

    /// Whether a first page was here already.
    pub fn is_seeded(self) -> bool {
        self.seeded.get_untracked()
    }

    pub fn rows(self) -> Vec<Row> {
        self.rows.get()
    }

    pub fn has_more(self) -> bool {
        self.next_cursor.with(Option::is_some)
    }

    pub fn is_loading(self) -> bool {
        self.loading.get()
    }

    /// The newest, for other places than the list; read again when they change.
    pub fn newest(self, count: usize) -> Vec<ConversationSummary> {
        self.rows.with(|rows| rows.iter().take(count).map(|row| row.summary.get()).collect())
    }

    /// The newest as they are at this moment.
    pub fn newest_now(self, count: usize) -> Vec<ConversationSummary> {
        let summaries =
            |rows: &Vec<Row>| rows.iter().take(count).map(|row| row.summary.get_untracked()).collect();
        self.rows.with_untracked(summaries)
    }

    pub fn find(self, id: ConversationId) -> Option<Row> {
        self.rows.with_untracked(|rows| rows.iter().find(|row| row.id == id).cloned())
    }

    /// Puts a conversation where it belongs, or changes the one that is there.
    pub fn upsert(self, summary: ConversationSummary) {
        if summary.deleted_at.is_some() {
            return self.remove(summary.id);
        }
        match self.find(summary.id) {
            Some(row) => {
                let moved = row.summary.with_untracked(|now| {
                    now.pinned != summary.pinned || now.updated_at != summary.updated_at
                });
                row.summary.set(summary);
                if moved {
                    self.rows.update(|rows| sort(rows));
                }
            }
            // what is filtered shows what matches, and only the server knows that
            None if !self.filter.with_untracked(String::is_empty) => {}
            None => self.rows.update(|rows| {
                rows.push(Row::new(summary));
                sort(rows);
            }),
        }
    }

    pub fn remove(self, id: ConversationId) {
        self.rows.update(|rows| rows.retain(|row| row.id != id));
    }

    /// Fetches the first page again.
    pub fn reload(self) {
        let filter = self.filter.get_untracked();
        spawn_local(async move {
            match api::get::<Page<ConversationSummary>>(list_path(&filter, None)).await {
                // words typed meanwhile have a request of their own
                Ok(page) if self.filter.with_untracked(|now| *now == filter) => self.merge_first(page),
                Ok(_) => {}
                Err(problem) => self.toasts.problem(&problem),
            }
        });
    }

    /// Takes a fresh first page without losing rows' places in the document.
    fn merge_first(self, page: Page<ConversationSummary>) {
        let rows = page
            .items
            .into_iter()
            .map(|summary| match self.find(summary.id) {
                Some(row) => {
                    row.summary.set(summary);
                    row
                }
                None => Row::new(summary),
            })
            .collect();
        self.rows.set(rows);
        self.next_cursor.set(page.next_cursor);
        self.seeded.set(true);
    }

    /// Fetches the next page, if there is one and none is on its way.
    pub fn more(self) {
        let Some(cursor) = self.next_cursor.get_untracked() else { return };
        if self.loading.get_untracked() {
            return;
        }
        self.loading.set(true);
        let filter = self.filter.get_untracked();
        spawn_local(async move {
            match api::get::<Page<ConversationSummary>>(list_path(&filter, Some(&cursor))).await {
                Ok(page) => {
                    self.rows.update(|rows| {
                        for summary in page.items {
                            if rows.iter().all(|row| row.id != summary.id) {
                                rows.push(Row::new(summary));
                            }
                        }
                    });
                    self.next_cursor.set(page.next_cursor);
                }
                Err(problem) => self.toasts.problem(&problem),
            }
            self.loading.set(false);
        });
    }

    pub fn begin_renaming(self, id: ConversationId) {
        self.renaming.set(Some(id));
    }

    pub fn rename(self, id: ConversationId, title: String) {
        self.renaming.set(None);
        let title = title.trim().to_owned();
        let same = self.find(id).is_some_and(|row| row.summary.with_untracked(|now| now.title == title));
        if title.is_empty() || same {
            return;
        }
        self.change(id, UpdateConversation { title: Some(title), ..Default::default() });
    }

    pub fn turn_pin(self, id: ConversationId) {
        let pinned = self.find(id).is_some_and(|row| row.summary.with_untracked(|now| now.pinned));
        self.change(id, UpdateConversation { pinned: Some(!pinned), ..Default::default() });
    }

    /// Shows a change at once and sends it; puts back what was when the server refuses.
    fn change(self, id: ConversationId, change: UpdateConversation) {
        let before = self.find(id).map(|row| row.summary.get_untracked());
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
                        self.upsert(before);
                    }
                    self.toasts.problem(&problem);
                }
            }
        });
    }

    /// Deletes at once, with a way back for 30 days and a button for it now.
    pub fn delete(self, id: ConversationId) {
        let before = self.find(id).map(|row| row.summary.get_untracked());
        self.remove(id);
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
            self.upsert(before);
        }
        self.toasts.problem(problem);
    }

    fn restore(self, id: ConversationId, after: AfterRestoring) {
        spawn_local(async move {
            match api::act::<ConversationSummary>(Method::Post, format!("/conversations/{id}/restore")).await
            {
                Ok(summary) => {
                    self.upsert(summary);
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

impl Row {
    fn new(summary: ConversationSummary) -> Self {
        Self { id: summary.id, summary: ArcRwSignal::new(summary) }
    }
}

fn sort(rows: &mut [Row]) {
    rows.sort_by_key(|row| {
        row.summary.with_untracked(|summary| (!summary.pinned, std::cmp::Reverse(summary.updated_at)))
    });
}
