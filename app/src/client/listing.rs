//! The rows of a list: in its order, fetched page by page, changed in place. What is asked for, and what of it
//! belongs into the list, is the matter of the store that has one.

use crate::client::api;
use crate::components::toast::Toasts;
use leptos::prelude::*;
use leptos::task::spawn_local;
use serde::de::DeserializeOwned;
use shared::page::Page;

/// What a list holds.
pub trait Listed: Clone + DeserializeOwned + Send + Sync + 'static {
    type Id: Copy + Eq + Send + Sync + 'static;
    /// Rows stand by this, the smallest first.
    type Place: Ord;

    fn id(&self) -> Self::Id;
    fn place(&self) -> Self::Place;
}

/// One row. Its own signal, so that a change redraws it only.
#[derive(Clone)]
pub struct Row<T: Listed> {
    pub id: T::Id,
    pub summary: ArcRwSignal<T>,
}

impl<T: Listed> Row<T> {
    fn new(summary: T) -> Self {
        Self { id: summary.id(), summary: ArcRwSignal::new(summary) }
    }
}

pub struct Listing<T: Listed> {
    rows: RwSignal<Vec<Row<T>>>,
    next_cursor: RwSignal<Option<String>>,
    loading: RwSignal<bool>,
    seeded: RwSignal<bool>,
    toasts: Toasts,
}

impl<T: Listed> Clone for Listing<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Listed> Copy for Listing<T> {}

impl<T: Listed> Listing<T> {
    pub fn new(toasts: Toasts) -> Self {
        Self {
            rows: RwSignal::new(Vec::new()),
            next_cursor: RwSignal::new(None),
            loading: RwSignal::new(false),
            seeded: RwSignal::new(false),
            toasts,
        }
    }

    /// Begins with a page.
    pub fn seed(self, page: Page<T>) {
        self.take(page.items.into_iter().map(Row::new).collect(), page.next_cursor);
    }

    fn take(self, rows: Vec<Row<T>>, next_cursor: Option<String>) {
        self.rows.set(rows);
        self.next_cursor.set(next_cursor);
        self.seeded.set(true);
    }

    /// Whether a first page was here already.
    pub fn is_seeded(self) -> bool {
        self.seeded.get_untracked()
    }

    pub fn with<R>(self, look: impl FnOnce(&Vec<Row<T>>) -> R) -> R {
        self.rows.with(look)
    }

    pub fn with_untracked<R>(self, look: impl FnOnce(&Vec<Row<T>>) -> R) -> R {
        self.rows.with_untracked(look)
    }

    pub fn has_more(self) -> bool {
        self.next_cursor.with(Option::is_some)
    }

    pub fn is_loading(self) -> bool {
        self.loading.get()
    }

    /// The first of the list as they are at this moment.
    pub fn newest_now(self, count: usize) -> Vec<T> {
        self.with_untracked(|rows| rows.iter().take(count).map(|row| row.summary.get_untracked()).collect())
    }

    pub fn find(self, id: T::Id) -> Option<Row<T>> {
        self.with_untracked(|rows| rows.iter().find(|row| row.id == id).cloned())
    }

    /// What the list knows of it.
    pub fn known(self, id: T::Id) -> Option<T> {
        self.find(id).map(|row| row.summary.get_untracked())
    }

    /// Changes the row that is there, or adds one if it `may_join`.
    pub fn put(self, summary: T, may_join: bool) {
        match self.find(summary.id()) {
            Some(row) => {
                let moves = row.summary.with_untracked(|now| now.place() != summary.place());
                row.summary.set(summary);
                if moves {
                    self.rows.update(|rows| sort(rows));
                }
            }
            None if may_join => self.rows.update(|rows| {
                rows.push(Row::new(summary));
                sort(rows);
            }),
            None => {}
        }
    }

    pub fn remove(self, id: T::Id) {
        if self.find(id).is_some() {
            self.rows.update(|rows| rows.retain(|row| row.id != id));
        }
    }

    /// Nothing is in it until something is fetched.
    pub fn clear(self) {
        self.next_cursor.set(None);
        self.rows.set(Vec::new());
    }

    /// Fetches the first page again. `path` names what is wanted at the moment, behind a cursor if there is one.
    pub fn reload(self, path: impl Fn(Option<&str>) -> String + 'static) {
        let wanted = path(None);
        let page = api::get::<Page<T>>(wanted.clone());
        spawn_local(async move {
            match page.await {
                // what was asked for meanwhile has a request of its own
                _ if path(None) != wanted => {}
                Ok(page) => self.merge_first(page),
                Err(problem) => self.toasts.problem(&problem),
            }
        });
    }

    /// Takes a fresh first page without losing rows' places in the document.
    fn merge_first(self, page: Page<T>) {
        let rows = page.items.into_iter().map(|summary| match self.find(summary.id()) {
            Some(row) => {
                row.summary.set(summary);
                row
            }
            None => Row::new(summary),
        });
        self.take(rows.collect(), page.next_cursor);
    }

    /// Fetches the next page, if there is one and none is on its way.
    pub fn more(self, path: impl Fn(Option<&str>) -> String + 'static) {
        let Some(cursor) = self.next_cursor.get_untracked() else { return };
        if self.loading.get_untracked() {
            return;
        }
        self.loading.set(true);
        let wanted = path(Some(&cursor));
        let page = api::get::<Page<T>>(wanted.clone());
        spawn_local(async move {
            let page = page.await;
            self.loading.set(false);
            // the first page may have come anew meanwhile, or another list is wanted
            let is_next = self.next_cursor.with_untracked(|next| next.as_ref() == Some(&cursor));
            match page {
                _ if !is_next || path(Some(&cursor)) != wanted => {}
                Ok(page) => {
                    let new = page.items.into_iter().filter(|summary| self.find(summary.id()).is_none());
                    let mut new: Vec<Row<T>> = new.map(Row::new).collect();
                    self.rows.update(|rows| {
                        rows.append(&mut new);
                        sort(rows);
                    });
                    self.next_cursor.set(page.next_cursor);
                }
                Err(problem) => self.toasts.problem(&problem),
            }
        });
    }
}

fn sort<T: Listed>(rows: &mut [Row<T>]) {
    rows.sort_by_key(|row| row.summary.with_untracked(T::place));
}

/// The path of a list with what narrows it.
pub fn narrowed(path: String, by: &[(&str, Option<&str>)]) -> String {
    by.iter().filter_map(|(name, value)| Some((name, (*value)?))).fold(path, |path, (name, value)| {
        let sign = if path.contains('?') { '&' } else { '?' };
        format!("{path}{sign}{name}={}", api::encode(value))
    })
}
