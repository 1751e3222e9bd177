//! The pages that the list shows and that other parts change; [`super::acts`] changes them.

use crate::client::api;
use crate::client::listing::{Listed, Listing, narrowed};
use crate::client::location::{Location, use_location};
use crate::client::socket;
use crate::components::toast::{Toasts, use_toasts};
use crate::route::Route;
use leptos::prelude::*;
use shared::PageId;
use shared::page::Page;
use shared::saved_page::PageSummary;
use shared::socket::ServerBody;
use std::cmp::Reverse;
use time::OffsetDateTime;

/// How many pages are fetched at once.
const PAGE_SIZE: usize = 100;

/// What the address narrows the list to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Narrowed {
    pub tag: Option<String>,
    /// What was put away, instead of the rest.
    pub archived: bool,
}

impl Narrowed {
    fn of(location: Location) -> Self {
        untrack(|| Self {
            tag: location.query_value("tag").filter(|tag| !tag.is_empty()),
            archived: location.query_value("archived").is_some_and(|value| value == "true"),
        })
    }

    pub fn path(&self) -> String {
        let tag = self.tag.as_ref().map(|tag| format!("tag={}", api::encode(tag)));
        let archived = self.archived.then(|| "archived=true".to_owned());
        let query: Vec<String> = tag.into_iter().chain(archived).collect();
        match query.is_empty() {
            true => Route::Pages.path(),
            false => format!("{}?{}", Route::Pages.path(), query.join("&")),
        }
    }

    fn holds(&self, page: &PageSummary) -> bool {
        let has_tag = |tag: &String| page.tags.iter().any(|one| one.to_lowercase() == tag.to_lowercase());
        page.archived == self.archived && self.tag.as_ref().is_none_or(has_tag)
    }
}

/// The pages of the list, pinned ones first, then the newest. Given as context.
#[derive(Clone, Copy)]
pub struct SavedPages {
    pub rows: Listing<PageSummary>,
    pub narrowed: RwSignal<Narrowed>,
    /// The words that the list is narrowed to.
    pub filter: RwSignal<String>,
    /// The page that is open.
    pub open: RwSignal<Option<PageSummary>>,
    /// The page whose menu is open.
    pub menu: RwSignal<Option<PageSummary>>,
    pub toasts: Toasts,
    pub location: Location,
}

pub fn use_saved() -> SavedPages {
    expect_context::<SavedPages>()
}

impl Listed for PageSummary {
    type Id = PageId;
    type Place = Reverse<(bool, OffsetDateTime, PageId)>;

    fn id(&self) -> PageId {
        self.id
    }

    fn place(&self) -> Self::Place {
        Reverse((self.pinned, self.created_at, self.id))
    }
}

impl SavedPages {
    pub fn provide() {
        let location = use_location();
        let store = Self {
            rows: Listing::new(use_toasts()),
            narrowed: RwSignal::new(Narrowed::of(location)),
            filter: RwSignal::new(String::new()),
            open: RwSignal::new(None),
            menu: RwSignal::new(None),
            toasts: use_toasts(),
            location,
        };
        provide_context(store);
    }

    /// Listens to the server and to the address, once the code of pages is here.
    pub fn listen(self) {
        let (store, location) = (self, self.location);
        // an address that narrows otherwise narrows the list
        Effect::new(move |before: Option<Narrowed>| {
            location.query.track();
            let is_list = location.route.get() == Some(Route::Pages);
            let narrowed = Narrowed::of(location);
            if is_list && before.is_some_and(|before| before != narrowed) {
                store.narrowed.set(narrowed.clone());
                store.rows.clear();
                store.reload();
            }
            if is_list { narrowed } else { store.narrowed.get_untracked() }
        });
        socket::on_frame(move |frame| match frame {
            ServerBody::PageChanged(summary) => store.upsert(summary.as_ref().clone()),
            ServerBody::PageGone { id } => store.rows.remove(*id),
            ServerBody::Resync if store.rows.is_seeded() => store.reload(),
            _ => {}
        });
    }

    /// What the list asks for.
    fn path(self, cursor: Option<&str>) -> String {
        let (by, words) = (self.narrowed.get_untracked(), self.filter.get_untracked());
        let words = Some(words.as_str()).filter(|words| !words.is_empty());
        let path = format!("/pages?limit={PAGE_SIZE}&archived={}", by.archived);
        narrowed(path, &[("tag", by.tag.as_deref()), ("q", words), ("cursor", cursor)])
    }

    /// The first pages, as the server gives them.
    pub fn first(self) -> api::Call<Page<PageSummary>> {
        api::get(self.path(None))
    }

    /// What is known of a page that is in the list or open.
    pub(super) fn known(self, id: PageId) -> Option<PageSummary> {
        self.rows.known(id).or_else(|| self.open.get_untracked().filter(|page| page.id == id))
    }

    /// Puts a page where it belongs, or changes the one that is there.
    pub fn upsert(self, summary: PageSummary) {
        let is_open = |page: &Option<PageSummary>| page.as_ref().is_some_and(|page| page.id == summary.id);
        if self.open.with_untracked(is_open) {
            self.open.set(Some(summary.clone()));
        }
        if summary.deleted_at.is_some() || !self.narrowed.with_untracked(|narrowed| narrowed.holds(&summary))
        {
            return self.rows.remove(summary.id);
        }
        // what is filtered shows what matches, and only the server knows that
        self.rows.put(summary, self.filter.with_untracked(String::is_empty));
    }

    /// Shows again what had left the list. Where that is filtered, the server says whether it matches.
    pub(super) fn bring_back(self, summary: PageSummary) {
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
}
