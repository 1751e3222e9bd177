//! The notes and folders that lists show and that other parts change; [`super::acts`] changes them.

use super::dialogs::Asking;
use super::scope::Scope;
use crate::client::api;
use crate::client::listing::{Listed, Listing, narrowed};
use crate::client::location::{Location, use_location};
use crate::client::socket;
use crate::components::toast::{Toasts, use_toasts};
use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::note::{Folder, Note, NoteSummary, UpdateNote};
use shared::page::Page;
use shared::socket::ServerBody;
use shared::{NoteId, Problem};
use std::cmp::Reverse;
use time::OffsetDateTime;

/// How many notes are fetched at once.
const PAGE_SIZE: usize = 200;

/// What the list begins with.
pub type FirstNotes = Result<(Page<NoteSummary>, Vec<Folder>), Problem>;

/// The notes of the list, pinned first, then newest. Given as context.
#[derive(Clone, Copy)]
pub struct Notes {
    pub rows: Listing<NoteSummary>,
    pub folders: RwSignal<Vec<Folder>>,
    pub scope: RwSignal<Scope>,
    /// The tag that the list is narrowed to.
    pub tag: RwSignal<Option<String>>,
    /// The note on the page.
    pub open: RwSignal<Option<NoteSummary>>,
    /// The words that the list is narrowed to.
    pub filter: RwSignal<String>,
    pub renaming: RwSignal<Option<NoteId>>,
    /// Titles that were written while the server was away.
    unsent_titles: StoredValue<Vec<(NoteId, String)>>,
    /// The note whose menu is open.
    pub menu: RwSignal<Option<NoteSummary>>,
    pub asking: RwSignal<Asking>,
    pub toasts: Toasts,
    pub location: Location,
}

pub fn use_notes() -> Notes {
    expect_context::<Notes>()
}

impl Listed for NoteSummary {
    type Id = NoteId;
    type Place = (bool, Reverse<OffsetDateTime>);

    fn id(&self) -> NoteId {
        self.id
    }

    fn place(&self) -> Self::Place {
        (!self.pinned, Reverse(self.updated_at))
    }
}

impl Notes {
    pub fn provide() {
        let location = use_location();
        let store = Self {
            rows: Listing::new(use_toasts()),
            folders: RwSignal::new(Vec::new()),
            scope: RwSignal::new(Scope::of(location)),
            tag: RwSignal::new(untrack(|| location.query_value("tag"))),
            open: RwSignal::new(None),
            filter: RwSignal::new(String::new()),
            renaming: RwSignal::new(None),
            unsent_titles: StoredValue::new(Vec::new()),
            menu: RwSignal::new(None),
            asking: RwSignal::new(Asking::Nothing),
            toasts: use_toasts(),
            location,
        };
        provide_context(store);
    }

    /// Listens to the server, once the code of notes is here.
    pub fn listen(self) {
        socket::on_frame(move |frame| match frame {
            ServerBody::NoteChanged(summary) => self.upsert(summary.clone()),
            ServerBody::NoteGone { id } => self.rows.remove(*id),
            ServerBody::FoldersChanged => self.reload_folders(),
            ServerBody::Resync => self.catch_up(),
            _ => {}
        });
    }

    /// Sends what could not be sent, and learns what was missed.
    fn catch_up(self) {
        for (id, title) in self.unsent_titles.try_update_value(std::mem::take).unwrap_or_default() {
            self.change(id, UpdateNote { title: Some(title), ..Default::default() });
        }
        if self.rows.is_seeded() {
            self.reload();
            self.reload_folders();
        }
        if let Some(id) = self.open.with_untracked(|note| note.as_ref().map(|note| note.id)) {
            spawn_local(async move {
                // the page itself says when it cannot be had any more
                if let Ok(note) = api::get::<Note>(format!("/notes/{id}")).await {
                    self.upsert(note.summary);
                }
            });
        }
    }

    /// Keeps a title until the server can be reached.
    pub(super) fn keep_title(self, id: NoteId, title: String) {
        self.unsent_titles.update_value(|titles| {
            titles.retain(|(note, _)| *note != id);
            titles.push((id, title));
        });
        self.toasts.say("The title is sent when the server can be reached.");
    }

    /// What the list asks for.
    fn path(self, cursor: Option<&str>) -> String {
        let mut path = format!("/notes?limit={PAGE_SIZE}");
        let query = self.scope.get_untracked().query();
        if !query.is_empty() {
            path.push_str(&format!("&{query}"));
        }
        let (tag, words) = (self.tag.get_untracked(), self.filter.get_untracked());
        let words = Some(words.as_str()).filter(|words| !words.is_empty());
        narrowed(path, &[("tag", tag.as_deref()), ("q", words), ("cursor", cursor)])
    }

    /// The first notes and all folders, as the server gives them.
    pub fn first(self) -> impl Future<Output = FirstNotes> + Send {
        let notes = api::get::<Page<NoteSummary>>(self.path(None));
        let folders = api::get::<Vec<Folder>>("/folders");
        async move { futures::try_join!(notes, folders) }
    }

    pub fn seed(self, (page, folders): (Page<NoteSummary>, Vec<Folder>)) {
        self.folders.set(folders);
        self.rows.seed(page);
    }

    /// What is known of a note that is in the list or on the page.
    pub(super) fn known(self, id: NoteId) -> Option<NoteSummary> {
        self.rows.known(id).or_else(|| self.open.get_untracked().filter(|note| note.id == id))
    }

    /// Puts a note where it belongs, or changes the one that is there.
    pub fn upsert(self, summary: NoteSummary) {
        let is_open = |note: &Option<NoteSummary>| note.as_ref().is_some_and(|note| note.id == summary.id);
        if self.open.with_untracked(is_open) {
            self.open.set(Some(summary.clone()));
        }
        if summary.deleted_at.is_some() || !self.is_shown(&summary) {
            return self.rows.remove(summary.id);
        }
        // what is filtered shows what matches, and only the server knows that
        self.rows.put(summary, self.filter.with_untracked(String::is_empty));
    }

    /// Shows again what had left the list. Where that is filtered, the server says whether it matches.
    pub(super) fn bring_back(self, summary: NoteSummary) {
        self.upsert(summary);
        if !self.filter.with_untracked(String::is_empty) {
            self.reload();
        }
    }

    /// Whether it belongs into the list, as far as its summary tells.
    fn is_shown(self, summary: &NoteSummary) -> bool {
        let has_tag = |tag: &Option<String>| tag.as_ref().is_none_or(|tag| summary.tags.contains(tag));
        self.scope.get_untracked().has(summary) && self.tag.with_untracked(has_tag)
    }

    /// Shows other notes in the list. What is open stays open.
    pub fn show(self, scope: Scope) {
        self.scope.set(scope);
        self.tag.set(None);
        self.rows.clear();
        self.reload();
    }

    /// Shows the notes with this tag.
    pub fn show_tag(self, tag: String) {
        self.scope.set(Scope::All);
        self.tag.set(Some(tag));
        self.rows.clear();
        self.reload();
    }

    pub fn reload(self) {
        self.rows.reload(move |cursor| self.path(cursor));
    }

    pub fn more(self) {
        self.rows.more(move |cursor| self.path(cursor));
    }

    pub fn reload_folders(self) {
        spawn_local(async move {
            match api::get::<Vec<Folder>>("/folders").await {
                Ok(folders) => self.folders.set(folders),
                Err(problem) => self.toasts.problem(&problem),
            }
        });
    }
}
