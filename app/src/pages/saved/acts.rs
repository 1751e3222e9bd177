//! What is done with pages. It shows at once where the server cannot refuse, and goes back when it does.

use super::store::{Narrowed, SavedPages};
use crate::client::api::{self, Method};
use crate::frame::commands::Command;
use crate::route::Route;
use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::PageId;
use shared::saved_page::{PageState, PageSummary, SavePage, UpdatePage};

impl SavedPages {
    /// Carries out what was asked for by key or from the palette.
    pub fn carry_out(self, command: Command, page: PageId) {
        match command {
            Command::Pin => self.turn_pin(page),
            Command::Delete => self.delete(page),
            Command::Rename => self.toasts.say("Open the page to give it another title."),
            _ => self.toasts.say("That is not done with a page."),
        }
    }

    /// Saves the page of an address, and then does `then`. A refusal is said.
    pub fn save(self, url: String, then: impl FnOnce(PageSummary) + 'static) {
        let save = SavePage { url, ..Default::default() };
        spawn_local(async move {
            match api::send::<PageSummary>(Method::Post, "/pages", &save).await {
                Ok(summary) => {
                    self.upsert(summary.clone());
                    then(summary);
                }
                Err(problem) => self.toasts.problem(&problem),
            }
        });
    }

    pub fn rename(self, id: PageId, title: String) {
        let title = title.trim().to_owned();
        if !title.is_empty() && self.known(id).is_none_or(|page| page.title != title) {
            self.change(id, UpdatePage { title: Some(title), ..Default::default() });
        }
    }

    pub fn set_tags(self, id: PageId, tags: Vec<String>) {
        self.change(id, UpdatePage { tags: Some(tags), ..Default::default() });
    }

    pub fn turn_pin(self, id: PageId) {
        if let Some(page) = self.known(id) {
            self.change(id, UpdatePage { pinned: Some(!page.pinned), ..Default::default() });
        }
    }

    /// Puts a page away, or back among those to be read, with a way back.
    pub fn turn_archived(self, id: PageId) {
        let Some(page) = self.known(id) else { return };
        let set = move |archived: bool| {
            self.change(id, UpdatePage { archived: Some(archived), ..Default::default() })
        };
        set(!page.archived);
        let said = if page.archived { "Back in the list." } else { "Put away. Search still finds it." };
        self.toasts.undo(said, move || set(page.archived));
    }

    /// Remembers how far the page was read. Nobody waits for it.
    pub fn set_position(self, id: PageId, position: f64) {
        let change = UpdatePage { position: Some(position), ..Default::default() };
        let sent = api::send::<PageSummary>(Method::Patch, format!("/pages/{id}"), &change);
        spawn_local(async move {
            match sent.await {
                Ok(summary) => self.upsert(summary),
                // the next step of reading is remembered again
                Err(problem) => leptos::logging::warn!("{problem}"),
            }
        });
    }

    /// Shows a change at once and sends it; puts back what was when the server refuses.
    fn change(self, id: PageId, change: UpdatePage) {
        let before = self.known(id);
        if let Some(mut summary) = before.clone() {
            summary.title = change.title.clone().unwrap_or(summary.title);
            summary.tags = change.tags.clone().unwrap_or(summary.tags);
            summary.pinned = change.pinned.unwrap_or(summary.pinned);
            summary.archived = change.archived.unwrap_or(summary.archived);
            self.upsert(summary);
        }
        self.settle(before, api::send(Method::Patch, format!("/pages/{id}"), &change));
    }

    /// Has a page fetched once more, also after a failure.
    pub fn fetch_again(self, id: PageId) {
        let before = self.known(id);
        if let Some(summary) = before.clone() {
            self.upsert(PageSummary { state: PageState::Waiting, ..summary });
        }
        self.settle(before, api::act(Method::Post, format!("/pages/{id}/fetch")));
    }

    fn settle(self, before: Option<PageSummary>, sent: api::Call<PageSummary>) {
        spawn_local(async move {
            match sent.await {
                Ok(summary) => self.bring_back(summary),
                Err(problem) => {
                    before.into_iter().for_each(|before| self.bring_back(before));
                    self.toasts.problem(&problem);
                }
            }
        });
    }

    /// Deletes at once, with a way back for 30 days and a button for it now.
    pub fn delete(self, id: PageId) {
        let before = self.rows.known(id);
        self.rows.remove(id);
        let was_open = self.location.route.get_untracked().and_then(Route::saved_page) == Some(id);
        if was_open {
            self.location.go(&self.narrowed.with_untracked(Narrowed::path));
        }
        spawn_local(async move {
            match api::delete::<serde::de::IgnoredAny>(format!("/pages/{id}")).await {
                Ok(_) => self.toasts.undo("Page deleted. It stays in the bin for 30 days.", move || {
                    let open = move || {
                        if was_open {
                            self.location.go(&Route::SavedPage(id).path())
                        }
                    };
                    self.restore(id, Box::new(open));
                }),
                Err(problem) => {
                    before.into_iter().for_each(|before| self.bring_back(before));
                    self.toasts.problem(&problem);
                }
            }
        });
    }

    /// Has a page back from the bin, and then does `then`. What asked may be gone by that time.
    pub fn restore(self, id: PageId, then: Box<dyn FnOnce()>) {
        spawn_local(async move {
            match api::act::<PageSummary>(Method::Post, format!("/pages/{id}/restore")).await {
                Ok(summary) => {
                    self.bring_back(summary);
                    then();
                }
                Err(problem) => self.toasts.problem(&problem),
            }
        });
    }
}

/// Where the list of a tag is.
pub fn address_of(tag: &str) -> String {
    Narrowed { tag: Some(tag.to_owned()), archived: false }.path()
}

/// Where the copy of a page as it looked is.
pub fn archive_of(id: PageId) -> String {
    format!("/api/v1/pages/{id}/archive")
}
