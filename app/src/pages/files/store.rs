//! The files that the list shows and that other parts change; [`super::acts`] changes them.

use crate::client::api;
use crate::client::location::{Location, use_location};
use crate::client::socket;
use crate::client::uploads::Uploads;
use crate::components::toast::{Toasts, use_toasts};
use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::FileId;
use shared::file::FileSummary;
use shared::page::Page;
use shared::socket::ServerBody;
use std::cmp::Reverse;
use std::collections::HashMap;

/// How many files are fetched at once.
const PAGE_SIZE: usize = 100;

/// One file in the list. Its own signal, so that a change redraws its row only.
#[derive(Clone)]
pub struct Row {
    pub id: FileId,
    pub summary: ArcRwSignal<FileSummary>,
}

impl Row {
    fn new(summary: FileSummary) -> Self {
        Self { id: summary.id, summary: ArcRwSignal::new(summary) }
    }
}

/// The files of the list, newest first. Given as context.
#[derive(Clone, Copy)]
pub struct Files {
    pub rows: RwSignal<Vec<Row>>,
    /// The folder that the list is narrowed to.
    pub folder: RwSignal<Option<String>>,
    /// The words that the list is narrowed to.
    pub filter: RwSignal<String>,
    /// The file on the page.
    pub open: RwSignal<Option<FileSummary>>,
    pub renaming: RwSignal<Option<FileId>>,
    /// The file whose menu is open.
    pub menu: RwSignal<Option<FileSummary>>,
    /// The file that is to be moved.
    pub moving: RwSignal<Option<FileSummary>>,
    next_cursor: RwSignal<Option<String>>,
    loading: RwSignal<bool>,
    seeded: RwSignal<bool>,
    pub uploads: Uploads,
    pub toasts: Toasts,
    pub location: Location,
}

pub fn use_files() -> Files {
    expect_context::<Files>()
}

/// What the list is asked for.
#[derive(Clone, PartialEq)]
struct Wanted {
    folder: Option<String>,
    words: String,
}

impl Wanted {
    fn path(&self, cursor: Option<&str>) -> String {
        let mut path = format!("/files?limit={PAGE_SIZE}");
        let words = Some(self.words.as_str()).filter(|words| !words.is_empty());
        for (name, value) in [("folder", self.folder.as_deref()), ("q", words), ("cursor", cursor)] {
            if let Some(value) = value {
                path.push_str(&format!("&{name}={}", api::encode(value)));
            }
        }
        path
    }
}

impl Files {
    pub fn provide() {
        let location = use_location();
        let newcomer: RwSignal<Option<FileSummary>> = RwSignal::new(None);
        let store = Self {
            rows: RwSignal::new(Vec::new()),
            folder: RwSignal::new(folder_of(location)),
            filter: RwSignal::new(String::new()),
            open: RwSignal::new(None),
            renaming: RwSignal::new(None),
            menu: RwSignal::new(None),
            moving: RwSignal::new(None),
            next_cursor: RwSignal::new(None),
            loading: RwSignal::new(false),
            seeded: RwSignal::new(false),
            uploads: Uploads::provide(move |file| newcomer.set(Some(file))),
            toasts: use_toasts(),
            location,
        };
        provide_context(store);
        store.follow_arrivals(newcomer);
        // an address with another folder narrows the list
        Effect::new(move |before: Option<Option<String>>| {
            location.query.track();
            let is_list = location.route.get() == Some(crate::route::Route::Files);
            let folder = folder_of(location);
            if is_list && before.is_some_and(|before| before != folder) {
                store.show_folder(folder.clone());
            }
            if is_list { folder } else { store.folder.get_untracked() }
        });
        socket::on_frame(move |frame| match frame {
            ServerBody::FileChanged(summary) => store.upsert(summary.clone()),
            ServerBody::FileGone { id } => store.remove(*id),
            ServerBody::Resync if store.is_seeded() => store.reload(),
            _ => {}
        });
    }

    /// Puts what was sent into the list, also while the socket is away, and says when all is there.
    fn follow_arrivals(self, newcomer: RwSignal<Option<FileSummary>>) {
        Effect::new(move |_| {
            if let Some(file) = newcomer.get() {
                // the socket may have told more about it by now
                if self.find(file.id).is_none() {
                    self.upsert(file);
                }
            }
        });
        let uploads = self.uploads;
        Effect::new(move |was_busy: Option<bool>| {
            let is_busy = uploads.jobs.with(|jobs| !jobs.is_empty());
            if was_busy == Some(true) && !is_busy {
                match uploads.arrived.get_untracked() {
                    0 => {}
                    1 => self.toasts.say("1 file uploaded."),
                    count => self.toasts.say(format!("{count} files uploaded.")),
                }
            }
            is_busy
        });
    }

    fn wanted(self) -> Wanted {
        Wanted { folder: self.folder.get_untracked(), words: self.filter.get_untracked() }
    }

    /// The first files, as the server gives them.
    pub fn first(self) -> api::Call<Page<FileSummary>> {
        api::get(self.wanted().path(None))
    }

    pub fn seed(self, page: Page<FileSummary>) {
        self.rows.set(page.items.into_iter().map(Row::new).collect());
        self.next_cursor.set(page.next_cursor);
        self.seeded.set(true);
    }

    /// Whether a first page was here already.
    pub fn is_seeded(self) -> bool {
        self.seeded.get_untracked()
    }

    /// The newest as they are at this moment.
    pub fn newest_now(self, count: usize) -> Vec<FileSummary> {
        self.rows
            .with_untracked(|rows| rows.iter().take(count).map(|row| row.summary.get_untracked()).collect())
    }

    pub fn find(self, id: FileId) -> Option<Row> {
        self.rows.with_untracked(|rows| rows.iter().find(|row| row.id == id).cloned())
    }

    /// What is known of a file that is in the list or on the page.
    pub(super) fn known(self, id: FileId) -> Option<FileSummary> {
        let listed = self.find(id).map(|row| row.summary.get_untracked());
        listed.or_else(|| self.open.get_untracked().filter(|file| file.id == id))
    }

    /// The folders of the files that are in the list, in order.
    pub(super) fn folders_now(self) -> Vec<String> {
        let of = |rows: &Vec<Row>| {
            rows.iter().map(|row| row.summary.with_untracked(|file| file.folder.clone())).collect()
        };
        let mut folders: Vec<String> = self.rows.with_untracked(of);
        folders.retain(|folder| !folder.is_empty());
        folders.sort();
        folders.dedup();
        folders
    }

    /// Puts a file where it belongs, or changes the one that is there.
    pub fn upsert(self, summary: FileSummary) {
        let is_open = |file: &Option<FileSummary>| file.as_ref().is_some_and(|file| file.id == summary.id);
        if self.open.with_untracked(is_open) {
            self.open.set(Some(summary.clone()));
        }
        let elsewhere = self
            .folder
            .with_untracked(|folder| folder.as_ref().is_some_and(|folder| *folder != summary.folder));
        if summary.deleted_at.is_some() || elsewhere {
            return self.remove(summary.id);
        }
        match self.find(summary.id) {
            Some(row) => row.summary.set(summary),
            // what is filtered shows what matches, and only the server knows that
            None if !self.filter.with_untracked(String::is_empty) => {}
            None => self.rows.update(|rows| {
                rows.push(Row::new(summary));
                rows.sort_by_key(|row| {
                    row.summary.with_untracked(|file| Reverse((file.created_at, file.id)))
                });
            }),
        }
    }

    pub fn remove(self, id: FileId) {
        if self.find(id).is_some() {
            self.rows.update(|rows| rows.retain(|row| row.id != id));
        }
    }

    /// Shows the files of this folder; all of them for none.
    pub fn show_folder(self, folder: Option<String>) {
        self.folder.set(folder);
        self.rows.set(Vec::new());
        self.reload();
    }

    /// Fetches the first page again.
    pub fn reload(self) {
        let wanted = self.wanted();
        let page = self.first();
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

    /// Takes a fresh first page without losing rows' places in the document.
    fn merge_first(self, page: Page<FileSummary>) {
        let known: HashMap<FileId, Row> =
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
            let page = api::get::<Page<FileSummary>>(wanted.path(Some(&cursor))).await;
            self.loading.set(false);
            match page {
                Ok(page) if self.wanted() == wanted => {
                    let new = page.items.into_iter().filter(|summary| self.find(summary.id).is_none());
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

fn folder_of(location: Location) -> Option<String> {
    untrack(|| location.query_value("folder")).filter(|folder| !folder.is_empty())
}

#[cfg(test)]
pub(super) fn sample(name: &str) -> FileSummary {
    FileSummary {
        id: FileId::new(),
        name: name.to_owned(),
        folder: String::new(),
        media_type: "text/plain".to_owned(),
        size: 1,
        sha256: String::new(),
        state: shared::file::FileState::Ready,
        pages: None,
        thumbnail: false,
        created_at: time::OffsetDateTime::UNIX_EPOCH,
        updated_at: time::OffsetDateTime::UNIX_EPOCH,
        deleted_at: None,
    }
}
