//! What can be done from anywhere, by key or from the command palette. One list for both.

use super::layout::{Layout, Pane, use_layout};
use super::theme::{ThemeChoice, use_theme};
use crate::areas;
use crate::client::document;
use crate::client::location::{Location, use_location};
use crate::components::toast::{Toasts, use_toasts};
use crate::pages::conversations::{Conversations, use_conversations};
use crate::pages::files::{Files, choose_files, use_files};
use crate::pages::notes::{Notes, use_notes};
use crate::pages::saved::{ADDRESS_FIELD, SavedPages, TITLE_FIELD, use_saved};
use crate::route::{Route, Section, SettingsSection};
use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::{ConversationId, FileId, NoteId, PageId};

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
    Memories,
    Collections,
    Upload,
    Pages,
    SavePage,
    Bin,
    Settings,
    ApiKeys,
    Models,
    Keys,
    Back,
}

/// What a command acts on, and where it was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    what: What,
    place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Conversation(ConversationId),
    Note(NoteId),
    File(FileId),
    Page(PageId),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// It is open.
    Page,
    /// A row of the list beside the page, where it can be renamed in place.
    List,
    /// A row elsewhere: found by a search, or in a collection.
    Found,
}

impl What {
    /// What an address shows, where that is something to act on from anywhere.
    fn of(route: Route) -> Option<Self> {
        match route {
            Route::Conversation(id) => Some(Self::Conversation(id)),
            Route::Note(id) => Some(Self::Note(id)),
            Route::File(id) => Some(Self::File(id)),
            Route::SavedPage(id) => Some(Self::Page(id)),
            _ => None,
        }
    }
}

impl Command {
    pub const ALL: [Self; 28] = [
        Self::NewConversation,
        Self::NewNote,
        Self::DailyNote,
        Self::Scratchpad,
        Self::Upload,
        Self::SavePage,
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
        Self::Pages,
        Self::Memories,
        Self::Collections,
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
            Self::Memories => "Go to the memories",
            Self::Collections => "Go to the collections",
            Self::Upload => "Upload files…",
            Self::Pages => "Go to the web pages",
            Self::SavePage => "Save a web page…",
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
            Self::Pin => target.is_some_and(|target| !matches!(target.what, What::File(_))),
            Self::OpenBeside => target.is_some_and(|target| matches!(target.what, What::Conversation(_))),
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
    saved: SavedPages,
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
            saved: use_saved(),
        };
        provide_context(commands);
        commands
    }

    pub fn run(self, command: Command) {
        self.run_on(command, self.target());
    }

    /// Runs a command on what was its target when it was offered: the palette has the focus by now.
    pub fn run_on(self, command: Command, target: Option<Target>) {
        match command {
            Command::Palette => self.palette_open.update(|open| *open = !*open),
            Command::NewConversation => self.go(Route::NewConversation),
            Command::NewNote | Command::DailyNote | Command::Scratchpad => self.elsewhere(command, None),
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
            Command::Memories => self.go(Route::Memories),
            Command::Collections => self.go(Route::Collections),
            Command::Upload => choose_files(),
            Command::Pages => self.go(Route::Pages),
            Command::SavePage => {
                self.go(Route::Pages);
                document::focus(ADDRESS_FIELD);
            }
            Command::Bin => self.go(Route::Bin),
            Command::Settings => self.go(Route::SettingsHome),
            Command::ApiKeys => self.go(Route::Settings(SettingsSection::ApiKeys)),
            Command::Models => self.go(Route::Settings(SettingsSection::Providers)),
            Command::Keys => self.go(Route::Keys),
            Command::Back => self.back(),
            Command::Rename | Command::Pin | Command::Delete | Command::OpenBeside => {
                self.to_target(command, target)
            }
        }
    }

    /// What a command means: what the row with the focus leads to, of whatever kind it is, else what is open.
    pub fn target(self) -> Option<Target> {
        let open = || self.location.route.get_untracked().map(|route| (route, Place::Page));
        let (route, place) = focused_row().or_else(open)?;
        Some(Target { what: What::of(route)?, place })
    }

    /// Out of a field first, then out of the side panel, then to where this is listed. Text stays.
    fn back(self) {
        let section = self.section();
        if leave_field() {
            return;
        }
        if self.layout.is_open_now(Pane::Panel, section) {
            return self.layout.toggle(Pane::Panel, section);
        }
        match (self.location.route.get_untracked(), section) {
            (Some(Route::Memory(_)), _) => self.go(Route::Memories),
            (Some(Route::Collection(_)), _) => self.go(Route::Collections),
            (Some(Route::Collections), _) => self.go(Route::Files),
            (_, Section::Conversations | Section::Notes | Section::Files | Section::Pages) => {}
            _ => self.go(Route::Home),
        }
    }

    fn to_target(self, command: Command, target: Option<Target>) {
        let Some(Target { what, place }) = target else {
            return self.toasts.say("Open something first, or choose it in the list.");
        };
        if command == Command::Delete && place == Place::List {
            leave_row();
        }
        match (what, command) {
            (_, Command::Rename) if place == Place::Found => {
                self.toasts.say("Open it to give it another name.")
            }
            (What::Conversation(_), Command::Rename) if place == Place::Page => {
                self.conversations.renaming_open.set(true)
            }
            (What::Conversation(id), Command::Rename) => self.conversations.begin_renaming(id),
            (What::Conversation(id), Command::Pin) => self.conversations.turn_pin(id),
            (What::Conversation(id), Command::Delete) => self.conversations.delete(id),
            (What::Conversation(id), _) => self.layout.show_beside(Some(id), self.section()),
            (What::Note(_), Command::Rename) if place == Place::Page => document::focus("note-title"),
            (What::File(_), Command::Rename) if place == Place::Page => document::focus("file-name"),
            (What::Page(_), Command::Rename) if place == Place::Page => document::focus(TITLE_FIELD),
            (what, _) => self.elsewhere(command, Some(what)),
        }
    }

    /// Has the area of a thing carry it out.
    fn elsewhere(self, command: Command, what: Option<What>) {
        let Self { notes, files, saved, toasts, .. } = self;
        spawn_local(async move {
            let done = match what {
                None => areas::act_on_notes(notes, command, None).await,
                Some(What::Note(id)) => areas::act_on_notes(notes, command, Some(id)).await,
                Some(What::File(id)) => areas::act_on_file(files, command, id).await,
                Some(What::Page(id)) => areas::act_on_page(saved, command, id).await,
                Some(What::Conversation(_)) => Ok(()),
            };
            if done.is_err() {
                toasts.say(areas::NOT_LOADED);
            }
        });
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

/// From a row that is about to go: to the one after it, or to the one before it at the end, so that `j` goes on
/// from there.
#[cfg(feature = "hydrate")]
fn leave_row() {
    if focused_row().is_none() {
        return;
    }
    let is_last = rows().last().is_some_and(|last| {
        leptos::prelude::document().active_element().is_some_and(|active| active.is_same_node(Some(last)))
    });
    step(if is_last { -1 } else { 1 });
}

/// What the row with the focus leads to.
#[cfg(feature = "hydrate")]
fn focused_row() -> Option<(Route, Place)> {
    let row = leptos::prelude::document().active_element()?;
    let address = row.get_attribute("href").filter(|_| row.has_attribute("data-row"))?;
    let path = address.split(['?', '#']).next().unwrap_or_default();
    let is_in_list = row.closest(".list-pane").is_ok_and(|list| list.is_some());
    Some((Route::parse(path)?, if is_in_list { Place::List } else { Place::Found }))
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
fn leave_row() {}

#[cfg(not(feature = "hydrate"))]
fn focused_row() -> Option<(Route, Place)> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::MemoryId;

    #[test]
    fn a_row_is_taken_for_what_its_address_shows_and_a_memory_for_nothing_else() {
        let note = NoteId::new();
        assert_eq!(What::of(Route::Note(note)), Some(What::Note(note)));
        let conversation = ConversationId::new();
        assert_eq!(What::of(Route::Conversation(conversation)), Some(What::Conversation(conversation)));
        assert_eq!(What::of(Route::Memory(MemoryId::new())), None);
        assert_eq!(What::of(Route::Collections), None);
    }

    #[test]
    fn what_is_offered_fits_what_it_is_done_to() {
        let file = Target { what: What::File(FileId::new()), place: Place::Page };
        assert!(Command::Delete.fits(Some(file)));
        assert!(!Command::Pin.fits(Some(file)));
        assert!(!Command::OpenBeside.fits(Some(file)));
        assert!(!Command::Rename.fits(None));
    }
}
