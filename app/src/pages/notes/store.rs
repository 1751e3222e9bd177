//! The notes and folders that lists show and that other parts change. Changes show at once where the
//! server cannot refuse, and go back when it does.

use super::dialogs::Asking;
use crate::client::api::{self, Method};
use crate::client::location::{Location, use_location};
use crate::client::socket;
use crate::components::toast::{Toasts, use_toasts};
use crate::route::Route;
use leptos::prelude::*;
use leptos::task::spawn_local;
use serde::Deserialize;
use shared::note::{CreateNote, Folder, NoteKind, NoteSummary, UpdateNote};
use shared::page::Page;
use shared::socket::ServerBody;
use shared::{FolderId, NoteId, Problem};
use std::cmp::Reverse;

/// How many notes are fetched at once.
const PAGE_SIZE: usize = 200;

/// Which notes the list shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    All,
    Folder(FolderId),
    Shared,
    Templates,
    Archive,
}

impl Scope {
    /// For the address of the list and, with [`list_path`], of the API.
    fn query(self) -> String {
        match self {
            Self::All => String::new(),
            Self::Folder(id) => format!("folder_id={id}"),
            Self::Shared => "shared=true".to_owned(),
            Self::Templates => "kind=template".to_owned(),
            Self::Archive => "archived=true".to_owned(),
        }
    }

    /// Where the list is with this scope, for those without scripts.
    pub fn address(self) -> String {
        match self.query() {
            query if query.is_empty() => Route::Notes.path(),
            query => format!("{}?{query}", Route::Notes.path()),
        }
    }

    fn of(location: Location) -> Self {
        let value = |name: &str| untrack(|| location.query_value(name));
        if let Some(id) = value("folder_id").and_then(|id| id.parse().ok()) {
            return Self::Folder(id);
        }
        [Self::Shared, Self::Templates, Self::Archive]
            .into_iter()
            .find(|scope| location.query.with_untracked(|query| *query == scope.query()))
            .unwrap_or(Self::All)
    }

    /// Whether a note belongs here, as far as that can be told from its summary.
    fn has(self, note: &NoteSummary) -> bool {
        let archived = note.archived_at.is_some();
        match self {
            Self::All => !archived && note.kind != NoteKind::Template,
            Self::Folder(id) => !archived && note.folder_id == Some(id),
            Self::Shared => !archived && note.access != shared::note::Access::Owner,
            Self::Templates => note.kind == NoteKind::Template,
            Self::Archive => archived,
        }
    }
}

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

/// Just the id of a note that was made or opened.
#[derive(Deserialize)]
struct Opened {
    id: NoteId,
}

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
    fn known(self, id: NoteId) -> Option<NoteSummary> {
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

    /// Makes a note in the folder that is shown, and opens it.
    pub fn create(self) {
        let folder_id = match self.scope.get_untracked() {
            Scope::Folder(id) => Some(id),
            _ => None,
        };
        self.create_from(CreateNote { folder_id, ..Default::default() });
    }

    pub fn create_from(self, note: CreateNote) {
        self.open_made(api::send::<Opened>(Method::Post, "/notes", &note), Some("note-title"));
    }

    pub fn open_daily(self) {
        self.open_made(api::act::<Opened>(Method::Post, "/notes/daily"), None);
    }

    pub fn open_scratchpad(self) {
        self.open_made(api::act::<Opened>(Method::Post, "/notes/scratchpad"), None);
    }

    pub fn duplicate(self, id: NoteId) {
        self.open_made(
            api::act::<Opened>(Method::Post, format!("/notes/{id}/duplicate")),
            Some("note-title"),
        );
    }

    fn open_made(self, made: api::Call<Opened>, focus: Option<&'static str>) {
        spawn_local(async move {
            match made.await {
                Ok(Opened { id }) => {
                    self.location.go(&Route::Note(id).path());
                    if let Some(field) = focus {
                        super::page::focus_when_there(field);
                    }
                }
                Err(problem) => self.toasts.problem(&problem),
            }
        });
    }

    pub fn begin_renaming(self, id: NoteId) {
        self.renaming.set(Some(id));
    }

    pub fn rename(self, id: NoteId, title: String) {
        self.renaming.set(None);
        let title = title.trim().to_owned();
        if self.known(id).is_some_and(|note| note.title == title) {
            return;
        }
        self.change(id, UpdateNote { title: Some(title), ..Default::default() });
    }

    pub fn turn_pin(self, id: NoteId) {
        let pinned = self.known(id).is_some_and(|note| note.pinned);
        self.change(id, UpdateNote { pinned: Some(!pinned), ..Default::default() });
    }

    pub fn move_to(self, id: NoteId, folder: Option<FolderId>) {
        self.change(id, UpdateNote { folder_id: Some(folder), ..Default::default() });
    }

    pub fn set_archived(self, summary: &NoteSummary) {
        let (id, archived) = (summary.id, summary.archived_at.is_none());
        self.change(id, UpdateNote { archived: Some(archived), ..Default::default() });
        let back = move || self.change(id, UpdateNote { archived: Some(!archived), ..Default::default() });
        self.remove(id);
        self.toasts.undo(if archived { "Archived." } else { "Taken out of the archive." }, back);
    }

    pub fn set_template(self, summary: &NoteSummary) {
        let template = summary.kind != NoteKind::Template;
        self.change(summary.id, UpdateNote { template: Some(template), ..Default::default() });
        self.toasts.say(if template {
            "It is a template now. New notes can begin with it."
        } else {
            "It is a note now."
        });
    }

    /// Shows a change at once and sends it; puts back what was when the server refuses.
    pub fn change(self, id: NoteId, change: UpdateNote) {
        let before = self.known(id);
        if let Some(mut summary) = before.clone() {
            summary.title = change.title.clone().unwrap_or(summary.title);
            summary.pinned = change.pinned.unwrap_or(summary.pinned);
            summary.folder_id = change.folder_id.unwrap_or(summary.folder_id);
            self.upsert(summary);
        }
        let sent = api::send::<NoteSummary>(Method::Patch, format!("/notes/{id}"), &change);
        spawn_local(async move {
            match sent.await {
                Ok(summary) => self.upsert(summary),
                Err(problem) => self.put_back(before, &problem),
            }
        });
    }

    fn put_back(self, before: Option<NoteSummary>, problem: &Problem) {
        if let Some(before) = before {
            self.upsert(before);
        }
        self.toasts.problem(problem);
    }

    /// Deletes at once, with a way back for 30 days and a button for it now.
    pub fn delete(self, id: NoteId) {
        let before = self.find(id).map(|row| row.summary.get_untracked());
        self.remove(id);
        let was_open = self.location.route.get_untracked().and_then(Route::note) == Some(id);
        if was_open {
            self.location.go(&Route::Notes.path());
        }
        spawn_local(async move {
            match api::delete::<()>(format!("/notes/{id}")).await {
                Ok(()) => self.toasts.undo("Note deleted. It stays in the bin for 30 days.", move || {
                    let open = move || {
                        if was_open {
                            self.location.go(&Route::Note(id).path())
                        }
                    };
                    self.restore(id, Box::new(open));
                }),
                Err(problem) => self.put_back(before, &problem),
            }
        });
    }

    /// Has a note back from the bin, and then does `then`. What asked may be gone by that time.
    pub fn restore(self, id: NoteId, then: Box<dyn FnOnce()>) {
        spawn_local(async move {
            match api::act::<NoteSummary>(Method::Post, format!("/notes/{id}/restore")).await {
                Ok(summary) => {
                    self.upsert(summary);
                    then();
                }
                Err(problem) => self.toasts.problem(&problem),
            }
        });
    }
}

fn sort(rows: &mut [Row]) {
    rows.sort_by_key(|row| row.summary.with_untracked(|note| (!note.pinned, Reverse(note.updated_at))));
}
