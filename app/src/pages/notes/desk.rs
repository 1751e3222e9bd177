//! The note on the page, while it is open: its editor, how safe the text is, who else is here. What
//! stands beside the page reads it too.

use super::store::{Notes, use_notes};
use crate::client::api::{self, Method};
use crate::client::document;
use crate::client::editor::{
    CommentRange, Count, Editor, Heading, Preferences, Presence, Selected, Status, Told,
};
use crate::client::socket;
use crate::frame::layout::{Layout, Tab, use_layout};
use crate::route::Section;
use leptos::prelude::*;
use shared::conversation::NoteContext;
use shared::note::{Comment, NoteSummary, UpdateNote, headings};
use shared::socket::ServerBody;
use shared::{CommentId, NoteId};

/// A thing of the browser stays on its thread. The server has several, and no editor.
#[cfg(feature = "hydrate")]
type Held = StoredValue<Option<Editor>, LocalStorage>;
#[cfg(not(feature = "hydrate"))]
type Held = StoredValue<Option<Editor>>;

#[cfg(feature = "hydrate")]
fn hold() -> Held {
    StoredValue::new_local(None)
}
#[cfg(not(feature = "hydrate"))]
fn hold() -> Held {
    StoredValue::new(None)
}

/// Given as context.
#[derive(Clone, Copy)]
pub struct Desk {
    pub notes: Notes,
    layout: Layout,
    pub preferences: RwSignal<Preferences>,
    /// Nothing before the editor is there.
    pub status: RwSignal<Option<Status>>,
    pub people: RwSignal<Vec<Presence>>,
    pub outline: RwSignal<Vec<Heading>>,
    pub count: RwSignal<Option<Count>>,
    pub selection: RwSignal<Option<Selected>>,
    pub following: RwSignal<Option<u32>>,
    /// The comment that was pressed in the text.
    pub comment: RwSignal<Option<CommentId>>,
    /// Whether the editor stands where the text was.
    pub is_editing: RwSignal<bool>,
    /// Rises when comments, versions, shares or proposals of the note changed.
    pub annotated: RwSignal<u32>,
    /// What was typed for the text before the editor was there to take it.
    early: StoredValue<Option<String>>,
    editor: Held,
    comments: StoredValue<Vec<Comment>>,
}

pub fn use_desk() -> Desk {
    expect_context::<Desk>()
}

impl Desk {
    pub fn provide(preferences: Preferences) {
        let desk = Self {
            notes: use_notes(),
            layout: use_layout(),
            preferences: RwSignal::new(preferences),
            status: RwSignal::new(None),
            people: RwSignal::new(Vec::new()),
            outline: RwSignal::new(Vec::new()),
            count: RwSignal::new(None),
            selection: RwSignal::new(None),
            following: RwSignal::new(None),
            comment: RwSignal::new(None),
            is_editing: RwSignal::new(false),
            annotated: RwSignal::new(0),
            early: StoredValue::new(None),
            editor: hold(),
            comments: StoredValue::new(Vec::new()),
        };
        provide_context(desk);
    }

    /// Listens to the server, once the code of notes is here.
    pub fn listen(self) {
        self.notes.listen();
        socket::on_frame(move |frame| match frame {
            ServerBody::NoteAnnotated { id } if self.id() == Some(*id) => self.annotated.update(|n| *n += 1),
            ServerBody::Resync => self.annotated.update(|n| *n += 1),
            _ => {}
        });
    }

    pub fn id(self) -> Option<NoteId> {
        self.notes.open.with_untracked(|note| note.as_ref().map(|note| note.id))
    }

    /// Puts a note on the desk.
    pub fn lay(self, note: NoteSummary) {
        let is_another = self.id() != Some(note.id);
        self.notes.open.set(Some(note));
        if is_another {
            self.forget();
        }
    }

    pub fn clear(self) {
        self.notes.open.set(None);
        self.forget();
    }

    /// Forgets what the editor told of the note before.
    pub fn forget(self) {
        self.status.set(None);
        self.people.set(Vec::new());
        self.outline.set(Vec::new());
        self.count.set(None);
        self.selection.set(None);
        self.following.set(None);
        self.comment.set(None);
        self.is_editing.set(false);
        self.early.set_value(None);
        self.comments.set_value(Vec::new());
    }

    pub fn set_editor(self, editor: Option<Editor>) {
        self.editor.set_value(editor);
        // it may have told that it is ready before it was here
        if self.is_editing.get_untracked() {
            self.hand_over_early();
        }
        self.show_comments();
    }

    /// Does something with the editor, where there is one.
    pub fn with_editor<T>(self, act: impl FnOnce(&Editor) -> T) -> Option<T> {
        self.editor.with_value(|editor| editor.as_ref().map(act))
    }

    /// Takes in what the editor tells.
    pub fn hear(self, told: Told) {
        match told {
            Told::Ready(()) => {
                self.is_editing.set(true);
                if self.with_editor(|_| ()).is_some() {
                    self.hand_over_early();
                }
            }
            Told::Status(status) => self.status.set(Some(status)),
            Told::Presence(people) => self.people.set(people),
            Told::Outline(headings) => self.outline.set(headings),
            Told::Count(count) => self.count.set(Some(count)),
            Told::Comment(id) => {
                self.comment.set(id.parse().ok());
                self.layout.show_tab(Tab::Comments, Section::Notes);
            }
            Told::Selection(selection) => self.selection.set(selection),
            Told::Navigate(url) => self.navigate(&url),
            Told::Trouble(words) => self.notes.toasts.say(words),
        }
    }

    fn navigate(self, url: &str) {
        let location = self.notes.location;
        if let Some(place) = url.strip_prefix('#') {
            // an address that stays the same leads nowhere
            return match location.hash.with_untracked(|now| now == place) {
                true => self.go_to_place(place),
                false => location.go(&format!("{}{url}", location.path.get_untracked())),
            };
        }
        let path = url.split(['?', '#']).next().unwrap_or_default();
        if crate::route::Route::parse(path).is_some() && url.starts_with('/') {
            return location.go(url);
        }
        document::open_window(url);
    }

    /// Goes to the heading that the end of an address names.
    pub fn go_to_place(self, place: &str) {
        let place = api::decode(place);
        let from = self.outline.with_untracked(|headings| {
            let at = headings::named(headings.iter().map(|heading| &*heading.text), &place)?;
            headings.get(at).map(|heading| heading.from)
        });
        if let Some(from) = from {
            self.go_to(from);
        }
    }

    /// Goes on writing in the text. Before the editor is there, what is typed is kept for it.
    pub fn write_on(self) {
        match self.is_editing.get_untracked() {
            true => drop(self.with_editor(|editor| editor.call("focus", &()))),
            false => self.early.set_value(Some(String::new())),
        }
    }

    /// Keeps a key that was pressed for the text; whether it was one.
    pub fn keep_early(self, key: &str) -> bool {
        let mut kept = false;
        self.early.update_value(|early| {
            if let Some(text) = early {
                kept = true;
                match key {
                    "Enter" => text.push('\n'),
                    "Backspace" => drop(text.pop()),
                    key if key.chars().count() == 1 => text.push_str(key),
                    _ => kept = false,
                }
            }
        });
        kept
    }

    /// What was kept, to be put elsewhere.
    pub fn take_early(self) -> Option<String> {
        let early = self.early.get_value();
        self.early.set_value(None);
        early
    }

    /// Once the editor is in view: what is hidden takes no focus. Keys are kept until then.
    fn hand_over_early(self) {
        request_animation_frame(move || {
            if let Some(text) = self.take_early() {
                self.with_editor(|editor| {
                    editor.call("focus", &());
                    if !text.is_empty() {
                        editor.call("insert", &text);
                    }
                });
            }
        });
    }

    /// What a conversation beside the note is told of it.
    pub fn context(self) -> Option<NoteContext> {
        let selection =
            self.selection.with_untracked(|selected| selected.as_ref().map(|one| one.text.clone()));
        self.id().map(|note_id| NoteContext { note_id, selection })
    }

    pub fn go_to(self, from: u32) {
        self.with_editor(|editor| editor.call("goTo", &from));
    }

    /// Keeps somebody's cursor in view; the same again ends it.
    pub fn follow(self, client: u32) {
        let next = (self.following.get_untracked() != Some(client)).then_some(client);
        self.following.set(next);
        self.with_editor(|editor| editor.call("follow", &next));
    }

    pub fn set_preferences(self, change: impl FnOnce(&mut Preferences)) {
        self.preferences.update(change);
        let now = self.preferences.get_untracked();
        if let Ok(text) = serde_json::to_string(&now) {
            document::set_cookie("notes", &text);
        }
        self.with_editor(|editor| editor.call("setPreferences", &now));
    }

    /// Keeps the comments marked in the text. In the component of the note.
    pub fn follow_comments(self, id: NoteId) {
        Effect::new(move |_| {
            self.annotated.get();
            leptos::task::spawn_local(async move {
                // what cannot be fetched is not marked; the tab of comments says why
                if let Ok(comments) = api::get::<Vec<Comment>>(format!("/notes/{id}/comments")).await
                    && self.id() == Some(id)
                {
                    self.take_comments(&comments);
                }
            });
        });
    }

    /// Marks the comments in the text.
    pub fn take_comments(self, comments: &[Comment]) {
        self.comments.set_value(comments.to_vec());
        self.show_comments();
    }

    fn show_comments(self) {
        let range = |comment: &Comment| {
            let anchor = comment.anchor.clone()?;
            let (id, resolved) = (comment.id.to_string(), comment.resolved);
            Some(CommentRange { id, from: anchor.from, to: anchor.to, resolved })
        };
        let ranges: Vec<CommentRange> =
            self.comments.with_value(|comments| comments.iter().filter_map(range).collect());
        self.with_editor(|editor| editor.call("showComments", &ranges));
    }

    /// Lets models write here directly, or propose only.
    pub fn set_model_edits(self, model_edits: bool) {
        let Some(id) = self.id() else { return };
        let change = UpdateNote { model_edits: Some(model_edits), ..Default::default() };
        let sent = api::send::<serde_json::Value>(Method::Patch, format!("/notes/{id}"), &change);
        leptos::task::spawn_local(async move {
            if let Err(problem) = sent.await {
                self.notes.toasts.problem(&problem);
            }
        });
    }
}
