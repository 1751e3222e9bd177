//! What is done with notes. It shows at once where the server cannot refuse, and goes back when it does.

use super::scope::Scope;
use super::store::Notes;
use crate::client::api::{self, Method};
use crate::frame::commands::Command;
use crate::route::Route;
use leptos::prelude::*;
use leptos::task::spawn_local;
use serde::Deserialize;
use shared::note::{CreateNote, NoteKind, NoteSummary, UpdateNote};
use shared::{ErrorCode, FolderId, NoteId, Problem};

/// Just the id of a note that was made or opened.
#[derive(Deserialize)]
struct Opened {
    id: NoteId,
}

impl Notes {
    /// Carries out what was asked for by key or from the palette.
    pub fn carry_out(self, command: Command, note: Option<NoteId>) {
        match (command, note) {
            (Command::NewNote, _) => self.create(),
            (Command::DailyNote, _) => self.open_daily(),
            (Command::Scratchpad, _) => self.open_scratchpad(),
            (Command::Rename, Some(id)) => self.begin_renaming(id),
            (Command::Pin, Some(id)) => self.turn_pin(id),
            (Command::Delete, Some(id)) => self.delete(id),
            _ => self.toasts.say("A note is the page; beside it is a conversation."),
        }
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
        self.rows.remove(id);
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
                Ok(summary) => self.bring_back(summary),
                Err(problem) if problem.error_code == ErrorCode::Offline && change.title.is_some() => {
                    self.keep_title(id, change.title.unwrap_or_default());
                }
                Err(problem) => self.put_back(before, &problem),
            }
        });
    }

    fn put_back(self, before: Option<NoteSummary>, problem: &Problem) {
        if let Some(before) = before {
            self.bring_back(before);
        }
        self.toasts.problem(problem);
    }

    /// Deletes at once, with a way back for 30 days and a button for it now.
    pub fn delete(self, id: NoteId) {
        let before = self.rows.known(id);
        self.rows.remove(id);
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
                    self.bring_back(summary);
                    then();
                }
                Err(problem) => self.toasts.problem(&problem),
            }
        });
    }
}
