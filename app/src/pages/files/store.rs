//! The files that the list shows and that other parts change; [`super::acts`] changes them.

use crate::client::api;
use crate::client::listing::{Listed, Listing, Row, narrowed};
use crate::client::location::{Location, use_location};
use crate::client::socket;
use crate::client::uploads::Uploads;
use crate::components::toast::{Toasts, use_toasts};
use leptos::prelude::*;
use shared::FileId;
use shared::file::FileSummary;
use shared::page::Page;
use shared::socket::ServerBody;
use std::cmp::Reverse;
use time::OffsetDateTime;

/// How many files are fetched at once.
const PAGE_SIZE: usize = 100;

/// The files of the list, newest first. Given as context.
#[derive(Clone, Copy)]
pub struct Files {
    pub rows: Listing<FileSummary>,
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
    pub uploads: Uploads,
    pub toasts: Toasts,
    pub location: Location,
}

pub fn use_files() -> Files {
    expect_context::<Files>()
}

impl Listed for FileSummary {
    type Id = FileId;
    type Place = Reverse<(OffsetDateTime, FileId)>;

    fn id(&self) -> FileId {
        self.id
    }

    fn place(&self) -> Self::Place {
        Reverse((self.created_at, self.id))
    }
}

impl Files {
    pub fn provide() {
        let location = use_location();
        let store = Self {
            rows: Listing::new(use_toasts()),
            folder: RwSignal::new(folder_of(location)),
            filter: RwSignal::new(String::new()),
            open: RwSignal::new(None),
            renaming: RwSignal::new(None),
            menu: RwSignal::new(None),
            moving: RwSignal::new(None),
            uploads: Uploads::provide(),
            toasts: use_toasts(),
            location,
        };
        provide_context(store);
    }

    /// Listens to the server and to the address, once the code of files is here.
    pub fn listen(self) {
        let (store, location) = (self, self.location);
        store.uploads.listen();
        store.follow_arrivals();
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
            ServerBody::FileGone { id } => store.rows.remove(*id),
            ServerBody::Resync if store.rows.is_seeded() => store.reload(),
            _ => {}
        });
    }

    /// Puts what was sent into the list, also while the socket is away, and says when all is there.
    fn follow_arrivals(self) {
        let newcomer = self.uploads.newcomer;
        Effect::new(move |_| {
            if let Some(file) = newcomer.get() {
                // the socket may have told more about it by now
                if self.rows.find(file.id).is_none() {
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
        Effect::new(move |_| match uploads.here.get() {
            0 => {}
            1 => self.toasts.say("1 file is here already."),
            count => self.toasts.say(format!("{count} files are here already.")),
        });
    }

    /// What the list asks for.
    fn path(self, cursor: Option<&str>) -> String {
        let (folder, words) = (self.folder.get_untracked(), self.filter.get_untracked());
        let words = Some(words.as_str()).filter(|words| !words.is_empty());
        let by = [("folder", folder.as_deref()), ("q", words), ("cursor", cursor)];
        narrowed(format!("/files?limit={PAGE_SIZE}"), &by)
    }

    /// The first files, as the server gives them.
    pub fn first(self) -> api::Call<Page<FileSummary>> {
        api::get(self.path(None))
    }

    /// What is known of a file that is in the list or on the page.
    pub(super) fn known(self, id: FileId) -> Option<FileSummary> {
        self.rows.known(id).or_else(|| self.open.get_untracked().filter(|file| file.id == id))
    }

    /// The folders of the files that are in the list, in order.
    pub(super) fn folders_now(self) -> Vec<String> {
        let of = |rows: &Vec<Row<FileSummary>>| {
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
            return self.rows.remove(summary.id);
        }
        // what is filtered shows what matches, and only the server knows that
        self.rows.put(summary, self.filter.with_untracked(String::is_empty));
    }

    /// Shows again what had left the list. Where that is filtered, the server says whether it matches.
    pub(super) fn bring_back(self, summary: FileSummary) {
        self.upsert(summary);
        if !self.filter.with_untracked(String::is_empty) {
            self.reload();
        }
    }

    /// Shows the files of this folder; all of them for none.
    pub fn show_folder(self, folder: Option<String>) {
        self.folder.set(folder);
        self.rows.clear();
        self.reload();
    }

    pub fn reload(self) {
        self.rows.reload(move |cursor| self.path(cursor));
    }

    pub fn more(self) {
        self.rows.more(move |cursor| self.path(cursor));
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
