//! What can be done from anywhere, by key or from the command palette. One list for both.

use super::layout::{Layout, Pane, use_layout};
use super::theme::{ThemeChoice, use_theme};
use crate::client::document;
use crate::client::location::{Location, use_location};
use crate::components::toast::{Toasts, use_toasts};
use crate::pages::conversations::{Conversations, use_conversations};
use crate::pages::files::{Files, choose_files, use_files};
use crate::pages::notes::{Notes, use_notes};
use crate::route::{Route, Section, SettingsSection};
use leptos::prelude::*;
use shared::{ConversationId, FileId, NoteId};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    Palette,
    NewConversation,
    NewNote,
    DailyNote,
    Scratchpad,
    Search,
    NextRow,
    PreviousRow,
    Rename,
    Pin,
    Delete,
    OpenBeside,
    FoldList,
    FoldPanel,
    TurnTheme,
    Conversations,
    Notes,
    Files,
    Upload,
    Bin,
    Settings,
    ApiKeys,
    Models,
    Keys,
    Back,
}

/// What a command acts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    Conversation(ConversationId),
    Note(NoteId),
    File(FileId),
}

impl Command {
    pub const ALL: [Self; 24] = [
        Self::NewConversation,
        Self::NewNote,
        Self::DailyNote,
        Self::Scratchpad,
        Self::Upload,
        Self::Search,
        Self::Palette,
        Self::NextRow,
        Self::PreviousRow,
        Self::Rename,
        Self::Pin,
        Self::OpenBeside,
        Self::Delete,
        Self::FoldList,
        Self::FoldPanel,
        Self::TurnTheme,
        Self::Conversations,
        Self::Notes,
        Self::Files,
        Self::Bin,
        Self::Settings,
        Self::ApiKeys,
        Self::Models,
        Self::Keys,
    ];

    pub fn title(self) -> &'static str {
        match self {
            Self::Palette => "Find anything",
            Self::NewConversation => "New conversation",
            Self::NewNote => "New note",
            Self::DailyNote => "Today’s note",
            Self::Scratchpad => "Scratchpad",
            Self::Search => "Search",
            Self::NextRow => "Next in the list",
            Self::PreviousRow => "Previous in the list",
            Self::Rename => "Rename",
            Self::Pin => "Pin or unpin",
            Self::Delete => "Delete",
            Self::OpenBeside => "Open the conversation beside",
            Self::FoldList => "Fold or open the list",
            Self::FoldPanel => "Fold or open the side panel",
            Self::TurnTheme => "Switch between light, dark and system",
            Self::Conversations => "Go to the conversations",
            Self::Notes => "Go to the notes",
            Self::Files => "Go to the files",
            Self::Upload => "Upload files…",
            Self::Bin => "Go to the bin",
            Self::Settings => "Go to the settings",
            Self::ApiKeys => "Go to the API keys",
            Self::Models => "Go to the model providers",
            Self::Keys => "Show every key",
            Self::Back => "One step back",
        }
    }

    /// Whether the palette offers it: what only moves the hand is left to the keys.
    pub fn is_in_palette(self) -> bool {
        !matches!(self, Self::Palette | Self::NextRow | Self::PreviousRow)
    }

    /// Whether it can be done now, with what is open or chosen in the list.
    pub fn fits(self, target: Option<Target>) -> bool {
        match self {
            Self::Rename | Self::Delete => target.is_some(),
            Self::Pin => matches!(target, Some(Target::Conversation(_) | Target::Note(_))),
            Self::OpenBeside => matches!(target, Some(Target::Conversation(_))),
            _ => true,
        }
    }
}

/// Carries commands out. Given as context.
#[derive(Clone, Copy)]
pub struct Commands {
    pub palette_open: RwSignal<bool>,
    location: Location,
    layout: Layout,
    theme: ThemeChoice,
    toasts: Toasts,
    conversations: Conversations,
    notes: Notes,
    files: Files,
}

impl Commands {
    pub fn provide() -> Self {
        let commands = Self {
            palette_open: RwSignal::new(false),
            location: use_location(),
            layout: use_layout(),
            theme: use_theme(),
            toasts: use_toasts(),
            conversations: use_conversations(),
            notes: use_notes(),
            files: use_files(),
        };
        provide_context(commands);
        commands
    }

    pub fn run(self, command: Command) {
        match command {
            Command::Palette => self.palette_open.update(|open| *open = !*open),
            Command::NewConversation => self.go(Route::NewConversation),
            Command::NewNote => self.notes.create(),
            Command::DailyNote => self.notes.open_daily(),
            Command::Scratchpad => self.notes.open_scratchpad(),
            Command::Search => {
                self.go(Route::Search);
                document::focus("search-words");
            }
            Command::NextRow => step(1),
            Command::PreviousRow => step(-1),
            Command::FoldList => self.layout.toggle(Pane::List, self.section()),
            Command::FoldPanel => self.layout.toggle(Pane::Panel, self.section()),
            Command::TurnTheme => {
                let theme = self.theme.turn();
                self.toasts.say(format!("Theme: {}", theme.title().to_lowercase()));
            }
            Command::Conversations => self.go(Route::Home),
            Command::Notes => self.go(Route::Notes),
            Command::Files => self.go(Route::Files),
            Command::Upload => choose_files(),
            Command::Bin => self.go(Route::Bin),
            Command::Settings => self.go(Route::SettingsHome),
            Command::ApiKeys => self.go(Route::Settings(SettingsSection::ApiKeys)),
            Command::Models => self.go(Route::Settings(SettingsSection::Providers)),
            Command::Keys => self.go(Route::Keys),
            Command::Back => self.back(),
            Command::Rename | Command::Pin | Command::Delete | Command::OpenBeside => self.to_target(command),
        }
    }

    /// What a command means: the row with the focus in the list, else what is open.
    pub fn target(self) -> Option<Target> {
        let route = self.location.route.get_untracked();
        match self.section() {
            Section::Notes => focused_row().map(NoteId).or(route.and_then(Route::note)).map(Target::Note),
            Section::Files => focused_row().map(FileId).or(route.and_then(Route::file)).map(Target::File),
            _ => focused_row()
                .map(ConversationId)
                .or(route.and_then(Route::conversation))
                .map(Target::Conversation),
        }
    }

    /// Out of a field first, then out of the side panel, then to the conversations. Text stays.
    fn back(self) {
        let section = self.section();
        if leave_field() {
            return;
        }
        if self.layout.is_open_now(Pane::Panel, section) {
            self.layout.toggle(Pane::Panel, section);
        } else if !matches!(section, Section::Conversations | Section::Notes | Section::Files) {
            self.go(Route::Home);
        }
    }

    fn to_target(self, command: Command) {
        match (self.target(), command) {
            (Some(Target::Conversation(id)), Command::Rename) => self.conversations.begin_renaming(id),
            (Some(Target::Conversation(id)), Command::Pin) => self.conversations.turn_pin(id),
            (Some(Target::Conversation(id)), Command::Delete) => self.conversations.delete(id),
            (Some(Target::Conversation(id)), _) => self.layout.show_beside(Some(id), self.section()),
            (Some(Target::Note(_)), Command::Rename) if focused_row().is_none() => {
                document::focus("note-title")
            }
            (Some(Target::Note(id)), Command::Rename) => self.notes.begin_renaming(id),
            (Some(Target::Note(id)), Command::Pin) => self.notes.turn_pin(id),
            (Some(Target::Note(id)), Command::Delete) => self.notes.delete(id),
            (Some(Target::Note(_)), _) => self.toasts.say("A note is the page; beside it is a conversation."),
            (Some(Target::File(_)), Command::Rename) if focused_row().is_none() => {
                document::focus("file-name")
            }
            (Some(Target::File(id)), Command::Rename) => self.files.begin_renaming(id),
            (Some(Target::File(id)), Command::Delete) => self.files.delete(id),
            (Some(Target::File(_)), _) => self.toasts.say("That is not done with a file."),
            (None, _) => self.toasts.say("Open something first, or choose it in the list."),
        }
    }

    /// Goes to an address.
    pub fn open(self, address: &str) {
        self.location.go(address);
    }

    fn go(self, route: Route) {
        self.location.go(&route.path());
    }

    fn section(self) -> Section {
        self.location.route.get_untracked().map_or(Section::Conversations, Route::section)
    }
}

/// Every link that `j` and `k` step through, in the order they are seen.
#[cfg(feature = "hydrate")]
fn rows() -> Vec<web_sys::HtmlElement> {
    use wasm_bindgen::JsCast;
    let Ok(found) = leptos::prelude::document().query_selector_all("[data-row]") else { return Vec::new() };
    (0..found.length())
        .filter_map(|at| found.item(at)?.dyn_into::<web_sys::HtmlElement>().ok())
        .filter(|row| row.offset_parent().is_some())
        .collect()
}

#[cfg(feature = "hydrate")]
fn step(by: i32) {
    let rows = rows();
    let active = leptos::prelude::document().active_element();
    let at = rows.iter().position(|row| active.as_ref().is_some_and(|active| active.is_same_node(Some(row))));
    let open = rows.iter().position(|row| row.get_attribute("aria-current").is_some());
    let next = match at.or(open) {
        Some(at) => (at as i32 + by).clamp(0, rows.len() as i32 - 1),
        None => 0,
    };
    if let Some(row) = rows.get(next as usize) {
        document::note(row.focus());
    }
}

#[cfg(feature = "hydrate")]
fn focused_row() -> Option<uuid::Uuid> {
    leptos::prelude::document().active_element()?.get_attribute("data-row")?.parse().ok()
}

/// Takes the focus out of a field; whether it was in one.
#[cfg(feature = "hydrate")]
fn leave_field() -> bool {
    use wasm_bindgen::JsCast;
    let active = leptos::prelude::document().active_element();
    let field = active
        .filter(|active| active.matches("input, textarea, select, [contenteditable=true]").unwrap_or(false));
    let Some(field) = field.and_then(|field| field.dyn_into::<web_sys::HtmlElement>().ok()) else {
        return false;
    };
    document::note(field.blur());
    true
}

#[cfg(not(feature = "hydrate"))]
fn leave_field() -> bool {
    false
}

#[cfg(not(feature = "hydrate"))]
fn step(_by: i32) {}

#[cfg(not(feature = "hydrate"))]
fn focused_row() -> Option<uuid::Uuid> {
    None
}
