//! The notes and folders that lists show and that other parts change; [`super::acts`] changes them.

use super::dialogs::Asking;
use super::scope::Scope;
use crate::client::api;
use crate::client::location::{Location, use_location};
use crate::client::socket;
use crate::components::toast::{Toasts, use_toasts};
use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::note::{Folder, NoteSummary};
use shared::page::Page;
use shared::socket::ServerBody;
use shared::{NoteId, Problem};
use std::cmp::Reverse;

/// How many notes are fetched at once.
const PAGE_SIZE: usize = 200;

/// One note in the list. Its own signal, so that a change redraws its row only.
#[derive(Clone)]
pub struct Row {
    pub id: NoteId,
    pub summary: ArcRwSignal<NoteSummary>,
}

impl Row {
    fn new(summary: NoteSummary) -> Self {
        Self { id: summary.id, summary: ArcRwSignal::new(summary) }
    }
}

/// What the list begins with.
pub type FirstNotes = Result<(Page<NoteSummary>, Vec<Folder>), Problem>;

/// The notes of the list, pinned first, then newest. Given as context.
#[derive(Clone, Copy)]
pub struct Notes {
    pub rows: RwSignal<Vec<Row>>,
    pub folders: RwSignal<Vec<Folder>>,
    pub scope: RwSignal<Scope>,
    /// The tag that the list is narrowed to.
    pub tag: RwSignal<Option<String>>,
    /// The note on the page.
    pub open: RwSignal<Option<NoteSummary>>,
    /// The words that the list is narrowed to.
    pub filter: RwSignal<String>,
    pub renaming: RwSignal<Option<NoteId>>,
    /// The note whose menu is open.
    pub menu: RwSignal<Option<NoteSummary>>,
    pub asking: RwSignal<Asking>,
    next_cursor: RwSignal<Option<String>>,
    loading: RwSignal<bool>,
    seeded: RwSignal<bool>,
    pub toasts: Toasts,
    pub location: Location,
}

pub fn use_notes() -> Notes {
    expect_context::<Notes>()
}

/// What the list is asked for.
#[derive(Clone, PartialEq)]
struct Wanted {
    scope: Scope,
    tag: Option<String>,
    words: String,
}

impl Wanted {
    fn path(&self, cursor: Option<&str>) -> String {
        let mut path = format!("/notes?limit={PAGE_SIZE}");
        let query = self.scope.query();
        if !query.is_empty() {
            path.push_str(&format!("&{query}"));
        }
        let words = Some(self.words.as_str()).filter(|words| !words.is_empty());
        for (name, value) in [("tag", self.tag.as_deref()), ("q", words), ("cursor", cursor)] {
            if let Some(value) = value {
                path.push_str(&format!("&{name}={}", api::encode(value)));
            }
        }
        path
    }
}

impl Notes {
    pub fn provide() {
        let location = use_location();
        let store = Self {
            rows: RwSignal::new(Vec::new()),
            folders: RwSignal::new(Vec::new()),
            scope: RwSignal::new(Scope::of(location)),
            tag: RwSignal::new(untrack(|| location.query_value("tag"))),
            open: RwSignal::new(None),
            filter: RwSignal::new(String::new()),
            renaming: RwSignal::new(None),
            menu: RwSignal::new(None),
            asking: RwSignal::new(Asking::Nothing),
            next_cursor: RwSignal::new(None),
            loading: RwSignal::new(false),
            seeded: RwSignal::new(false),
            toasts: use_toasts(),
            location,
        };
        provide_context(store);
        socket::on_frame(move |frame| match frame {
            ServerBody::NoteChanged(summary) => store.upsert(summary.clone()),
            ServerBody::NoteGone { id } => store.remove(*id),
            ServerBody::FoldersChanged => store.reload_folders(),
            ServerBody::Resync if store.is_seeded() => {
                store.reload();
                store.reload_folders();
            }
            _ => {}
        });
    }

    fn wanted(self) -> Wanted {
        Wanted {
            scope: self.scope.get_untracked(),
            tag: self.tag.get_untracked(),
            words: self.filter.get_untracked(),
        }
    }

    /// The first notes and all folders, as the server gives them.
    pub fn first(self) -> impl Future<Output = FirstNotes> + Send {
        let notes = api::get::<Page<NoteSummary>>(self.wanted().path(None));
        let folders = api::get::<Vec<Folder>>("/folders");
        async move { futures::try_join!(notes, folders) }
    }

    pub fn seed(self, (page, folders): (Page<NoteSummary>, Vec<Folder>)) {
        self.folders.set(folders);
        self.rows.set(page.items.into_iter().map(Row::new).collect());
        self.next_cursor.set(page.next_cursor);
        self.seeded.set(true);
    }

    /// Whether a first page was here already.
    pub fn is_seeded(self) -> bool {
        self.seeded.get_untracked()
    }

    pub fn has_more(self) -> bool {
        self.next_cursor.with(Option::is_some)
    }

    /// The newest as they are at this moment.
    pub fn newest_now(self, count: usize) -> Vec<NoteSummary> {
        self.rows
            .with_untracked(|rows| rows.iter().take(count).map(|row| row.summary.get_untracked()).collect())
    }

    pub fn find(self, id: NoteId) -> Option<Row> {
        self.rows.with_untracked(|rows| rows.iter().find(|row| row.id == id).cloned())
    }

    /// What is known of a note that is in the list or on the page.
    pub(super) fn known(self, id: NoteId) -> Option<NoteSummary> {
        let listed = self.find(id).map(|row| row.summary.get_untracked());
        listed.or_else(|| self.open.get_untracked().filter(|note| note.id == id))
    }

    /// Puts a note where it belongs, or changes the one that is there.
    pub fn upsert(self, summary: NoteSummary) {
        let is_open = |note: &Option<NoteSummary>| note.as_ref().is_some_and(|note| note.id == summary.id);
        if self.open.with_untracked(is_open) {
            self.open.set(Some(summary.clone()));
        }
        if summary.deleted_at.is_some() || !self.is_shown(&summary) {
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

    /// Whether it belongs into the list, as far as its summary tells.
    fn is_shown(self, summary: &NoteSummary) -> bool {
        let has_tag = |tag: &Option<String>| tag.as_ref().is_none_or(|tag| summary.tags.contains(tag));
        self.scope.get_untracked().has(summary) && self.tag.with_untracked(has_tag)
    }

    pub fn remove(self, id: NoteId) {
        if self.find(id).is_some() {
            self.rows.update(|rows| rows.retain(|row| row.id != id));
        }
    }

    /// Shows other notes in the list. What is open stays open.
    pub fn show(self, scope: Scope) {
        self.scope.set(scope);
        self.tag.set(None);
        self.rows.set(Vec::new());
        self.reload();
    }

    /// Shows the notes with this tag.
    pub fn show_tag(self, tag: String) {
        self.scope.set(Scope::All);
        self.tag.set(Some(tag));
        self.rows.set(Vec::new());
        self.reload();
    }

    /// Fetches the first page again.
    pub fn reload(self) {
        let wanted = self.wanted();
        let page = api::get::<Page<NoteSummary>>(wanted.path(None));
        spawn_local(async move {
            let page = page.await;
            // what was asked for meanwhile has a request of its own
            if self.wanted() != wanted {
                return;
            }
            match page {
                Ok(page) => self.merge_first(page),
                Err(problem) => self.toasts.problem(&problem),
            }
        });
    }

    pub fn reload_folders(self) {
        spawn_local(async move {
            match api::get::<Vec<Folder>>("/folders").await {
                Ok(folders) => self.folders.set(folders),
                Err(problem) => self.toasts.problem(&problem),
            }
        });
    }

    /// Takes a fresh first page without losing rows' places in the document.
    fn merge_first(self, page: Page<NoteSummary>) {
        let known: std::collections::HashMap<NoteId, Row> =
            self.rows.with_untracked(|rows| rows.iter().map(|row| (row.id, row.clone())).collect());
        let rows = page.items.into_iter().map(|summary| match known.get(&summary.id) {
            Some(row) => {
                row.summary.set(summary);
                row.clone()
            }
            None => Row::new(summary),
        });
        self.rows.set(rows.collect());
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
        let wanted = self.wanted();
        spawn_local(async move {
            let page = api::get::<Page<NoteSummary>>(wanted.path(Some(&cursor))).await;
            self.loading.set(false);
            let same = self.wanted() == wanted;
            match page {
                Ok(page) if same => {
                    let known: std::collections::HashSet<NoteId> =
                        self.rows.with_untracked(|rows| rows.iter().map(|row| row.id).collect());
                    let new = page.items.into_iter().filter(|summary| !known.contains(&summary.id));
                    let mut new: Vec<Row> = new.map(Row::new).collect();
                    self.rows.update(|rows| rows.append(&mut new));
                    self.next_cursor.set(page.next_cursor);
                }
                Ok(_) => {}
                Err(problem) => self.toasts.problem(&problem),
            }
        });
    }
}

fn sort(rows: &mut [Row]) {
    rows.sort_by_key(|row| row.summary.with_untracked(|note| (!note.pinned, Reverse(note.updated_at))));
}
