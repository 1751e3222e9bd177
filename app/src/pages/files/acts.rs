//! What is done with files. It shows at once where the server cannot refuse, and goes back when it does.

use super::store::Files;
use crate::client::api::{self, Method};
use crate::frame::commands::Command;
use crate::route::Route;
use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::FileId;
use shared::file::{FileState, FileSummary, UpdateFile};

impl Files {
    /// Carries out what was asked for by key or from the palette.
    pub fn carry_out(self, command: Command, file: FileId) {
        match command {
            Command::Rename => self.begin_renaming(file),
            Command::Delete => self.delete(file),
            _ => self.toasts.say("That is not done with a file."),
        }
    }

    pub fn begin_renaming(self, id: FileId) {
        self.renaming.set(Some(id));
    }

    /// A file has a name: an empty one changes nothing.
    pub fn rename(self, id: FileId, name: String) {
        self.renaming.set(None);
        let name = name.trim().to_owned();
        if name.is_empty() || self.known(id).is_some_and(|file| file.name == name) {
            return;
        }
        self.change(id, UpdateFile { name: Some(name), ..Default::default() });
    }

    pub fn move_to(self, id: FileId, folder: &str) {
        let folder = tidied(folder);
        if self.known(id).is_none_or(|file| file.folder != folder) {
            self.change(id, UpdateFile { folder: Some(folder), ..Default::default() });
        }
    }

    /// Shows a change at once and sends it; puts back what was when the server refuses.
    fn change(self, id: FileId, change: UpdateFile) {
        let before = self.known(id);
        if let Some(mut summary) = before.clone() {
            summary.name = change.name.clone().unwrap_or(summary.name);
            summary.folder = change.folder.clone().unwrap_or(summary.folder);
            self.upsert(summary);
        }
        self.settle(before, api::send(Method::Patch, format!("/files/{id}"), &change));
    }

    /// Has a file read once more, also after a failure.
    pub fn read_again(self, id: FileId) {
        let before = self.known(id);
        if let Some(summary) = before.clone() {
            self.upsert(FileSummary { state: FileState::Waiting, ..summary });
        }
        self.settle(before, api::act(Method::Post, format!("/files/{id}/read")));
    }

    /// Of a file that waits to be read, or is read.
    pub fn stop_reading(self, id: FileId) {
        self.settle(None, api::act(Method::Delete, format!("/files/{id}/read")));
    }

    fn settle(self, before: Option<FileSummary>, sent: api::Call<FileSummary>) {
        spawn_local(async move {
            match sent.await {
                Ok(summary) => self.upsert(summary),
                Err(problem) => {
                    before.into_iter().for_each(|before| self.bring_back(before));
                    self.toasts.problem(&problem);
                }
            }
        });
    }

    /// Deletes at once, with a way back for 30 days and a button for it now.
    pub fn delete(self, id: FileId) {
        let before = self.rows.known(id);
        self.rows.remove(id);
        let was_open = self.location.route.get_untracked().and_then(Route::file) == Some(id);
        if was_open {
            self.location.go(&Route::Files.path());
        }
        spawn_local(async move {
            match api::delete::<serde::de::IgnoredAny>(format!("/files/{id}")).await {
                Ok(_) => self.toasts.undo("File deleted. It stays in the bin for 30 days.", move || {
                    let open = move || {
                        if was_open {
                            self.location.go(&Route::File(id).path())
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

    /// Has a file back from the bin, and then does `then`. What asked may be gone by that time.
    pub fn restore(self, id: FileId, then: Box<dyn FnOnce()>) {
        spawn_local(async move {
            match api::act::<FileSummary>(Method::Post, format!("/files/{id}/restore")).await {
                Ok(summary) => {
                    self.bring_back(summary);
                    then();
                }
                Err(problem) => self.toasts.problem(&problem),
            }
        });
    }
}

/// A folder as it is stored: names without space around them, joined by `/`.
pub fn tidied(folder: &str) -> String {
    let names: Vec<&str> = folder.split('/').map(str::trim).filter(|name| !name.is_empty()).collect();
    names.join("/")
}

/// Names of folders in words: `Plans › Spring`.
pub fn spoken(folder: &str) -> String {
    folder.replace('/', " › ")
}

/// Where the list of a folder is.
pub fn address_of(folder: &str) -> String {
    match folder {
        "" => Route::Files.path(),
        folder => format!("{}?folder={}", Route::Files.path(), api::encode(folder)),
    }
}

/// Where the bytes of a file are; `download` never shows them in place.
pub fn content_of(id: FileId) -> String {
    format!("/api/v1/files/{id}/content")
}

pub fn download_of(id: FileId) -> String {
    format!("{}?download=true", content_of(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_stored_without_what_is_empty() {
        assert_eq!(tidied(" Plans / Spring //"), "Plans/Spring");
        assert_eq!(tidied(" / "), "");
    }
}
