//! Which notes the list shows, and the address of each choice.

use crate::client::location::Location;
use crate::route::Route;
use leptos::prelude::*;
use shared::FolderId;
use shared::note::{NoteKind, NoteSummary};

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
    /// For the address of the list, and for the API.
    pub fn query(self) -> String {
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

    pub fn of(location: Location) -> Self {
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
    pub fn has(self, note: &NoteSummary) -> bool {
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
