//! The one URL policy: which addresses there are and what each shows.
//! Links are written with [`Route::path`] only, so an address changes in one place.

use shared::{CollectionId, ConversationId, FileId, MemoryId, NoteId, PageId};

/// A place in the workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// `/`: the list, and beside it a new conversation. On a phone: the list.
    Home,
    /// `/c`: a new conversation.
    NewConversation,
    /// `/c/{id}`
    Conversation(ConversationId),
    /// `/n`: the list of notes, and beside it how to begin. On a phone: the list. `?title=` opens the
    /// note of that title.
    Notes,
    /// `/n/{id}`
    Note(NoteId),
    /// `/f`: the list of files, and beside it how to begin. On a phone: the list. `?folder=` narrows it.
    Files,
    /// `/f/{id}`
    File(FileId),
    /// `/p`: the pages that are kept to be read, and beside them how to begin. On a phone: the list.
    /// `?tag=` and `?archived=true` narrow it.
    Pages,
    /// `/p/{id}`
    SavedPage(PageId),
    /// `/p/clip`: takes a page from the bookmark.
    Clip,
    /// `/memories`; `?q=` narrows them.
    Memories,
    /// `/memories/{id}`
    Memory(MemoryId),
    /// `/collections`: named sets of files, notes and pages.
    Collections,
    /// `/collections/{id}`
    Collection(CollectionId),
    /// `/search?q=…`
    Search,
    /// `/bin`: what was deleted and can be restored.
    Bin,
    /// `/settings`: on a phone the list of sections, else the first of them.
    SettingsHome,
    /// `/settings/{section}`
    Settings(SettingsSection),
    /// `/keys`: every key and what it does.
    Keys,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingsSection {
    Profile,
    Security,
    ApiKeys,
    Appearance,
    Notes,
    Index,
    Models,
    Providers,
    People,
}

impl SettingsSection {
    pub const ALL: [Self; 9] = [
        Self::Profile,
        Self::Models,
        Self::Appearance,
        Self::Notes,
        Self::Index,
        Self::Security,
        Self::ApiKeys,
        Self::Providers,
        Self::People,
    ];

    pub fn slug(self) -> &'static str {
        match self {
            Self::Profile => "profile",
            Self::Security => "security",
            Self::ApiKeys => "keys",
            Self::Appearance => "appearance",
            Self::Notes => "notes",
            Self::Index => "search",
            Self::Models => "models",
            Self::Providers => "providers",
            Self::People => "people",
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Self::Profile => "Profile",
            Self::Security => "Password and sessions",
            Self::ApiKeys => "API keys",
            Self::Appearance => "Appearance",
            Self::Notes => "Notes",
            Self::Index => "Search",
            Self::Models => "What models know of you",
            Self::Providers => "Providers",
            Self::People => "People",
        }
    }

    /// Whether only an admin sees it.
    pub fn is_for_admins(self) -> bool {
        matches!(self, Self::Providers | Self::People)
    }
}

/// The sections of the rail. Each remembers its own folded panes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    Conversations,
    Notes,
    Files,
    Pages,
    Memories,
    Search,
    Bin,
    Settings,
}

impl Section {
    /// A letter for the layout cookie.
    pub fn letter(self) -> char {
        match self {
            Self::Conversations => 'c',
            Self::Notes => 'n',
            Self::Files => 'f',
            Self::Pages => 'p',
            Self::Memories => 'm',
            Self::Search => 's',
            Self::Bin => 'b',
            Self::Settings => 'o',
        }
    }
}

impl Route {
    /// The place an address names, if there is one.
    pub fn parse(path: &str) -> Option<Self> {
        let mut parts = path.split('/').filter(|part| !part.is_empty());
        let route = match (parts.next(), parts.next()) {
            (None, _) => Self::Home,
            (Some("c"), None) => Self::NewConversation,
            (Some("c"), Some(id)) => Self::Conversation(id.parse().ok()?),
            (Some("n"), None) => Self::Notes,
            (Some("n"), Some(id)) => Self::Note(id.parse().ok()?),
            (Some("f"), None) => Self::Files,
            (Some("f"), Some(id)) => Self::File(id.parse().ok()?),
            (Some("p"), None) => Self::Pages,
            (Some("p"), Some("clip")) => Self::Clip,
            (Some("p"), Some(id)) => Self::SavedPage(id.parse().ok()?),
            (Some("memories"), None) => Self::Memories,
            (Some("memories"), Some(id)) => Self::Memory(id.parse().ok()?),
            (Some("collections"), None) => Self::Collections,
            (Some("collections"), Some(id)) => Self::Collection(id.parse().ok()?),
            (Some("search"), None) => Self::Search,
            (Some("bin"), None) => Self::Bin,
            (Some("keys"), None) => Self::Keys,
            (Some("settings"), None) => Self::SettingsHome,
            (Some("settings"), Some(slug)) => {
                Self::Settings(SettingsSection::ALL.into_iter().find(|section| section.slug() == slug)?)
            }
            _ => return None,
        };
        parts.next().is_none().then_some(route)
    }

    pub fn path(self) -> String {
        match self {
            Self::Home => "/".to_owned(),
            Self::NewConversation => "/c".to_owned(),
            Self::Conversation(id) => format!("/c/{id}"),
            Self::Notes => "/n".to_owned(),
            Self::Note(id) => format!("/n/{id}"),
            Self::Files => "/f".to_owned(),
            Self::File(id) => format!("/f/{id}"),
            Self::Pages => "/p".to_owned(),
            Self::SavedPage(id) => format!("/p/{id}"),
            Self::Clip => "/p/clip".to_owned(),
            Self::Memories => "/memories".to_owned(),
            Self::Memory(id) => format!("/memories/{id}"),
            Self::Collections => "/collections".to_owned(),
            Self::Collection(id) => format!("/collections/{id}"),
            Self::Search => "/search".to_owned(),
            Self::Bin => "/bin".to_owned(),
            Self::SettingsHome => "/settings".to_owned(),
            Self::Settings(section) => format!("/settings/{}", section.slug()),
            Self::Keys => "/keys".to_owned(),
        }
    }

    pub fn section(self) -> Section {
        match self {
            Self::Home | Self::NewConversation | Self::Conversation(_) => Section::Conversations,
            Self::Notes | Self::Note(_) => Section::Notes,
            Self::Files | Self::File(_) | Self::Collections | Self::Collection(_) => Section::Files,
            Self::Pages | Self::SavedPage(_) | Self::Clip => Section::Pages,
            Self::Memories | Self::Memory(_) => Section::Memories,
            Self::Search => Section::Search,
            Self::Bin => Section::Bin,
            Self::SettingsHome | Self::Settings(_) | Self::Keys => Section::Settings,
        }
    }

    /// The conversation on the page, where the page is one that is stored already.
    pub fn conversation(self) -> Option<ConversationId> {
        match self {
            Self::Conversation(id) => Some(id),
            _ => None,
        }
    }

    /// The note on the page.
    pub fn note(self) -> Option<NoteId> {
        match self {
            Self::Note(id) => Some(id),
            _ => None,
        }
    }

    /// The memory on the page.
    pub fn memory(self) -> Option<MemoryId> {
        match self {
            Self::Memory(id) => Some(id),
            _ => None,
        }
    }

    /// The file on the page.
    pub fn file(self) -> Option<FileId> {
        match self {
            Self::File(id) => Some(id),
            _ => None,
        }
    }

    /// The saved page that is open.
    pub fn saved_page(self) -> Option<PageId> {
        match self {
            Self::SavedPage(id) => Some(id),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_leads_back_to_its_route() {
        let mut routes = vec![
            Route::Home,
            Route::NewConversation,
            Route::Conversation(ConversationId::new()),
            Route::Notes,
            Route::Note(NoteId::new()),
            Route::Files,
            Route::File(FileId::new()),
            Route::Pages,
            Route::SavedPage(PageId::new()),
            Route::Clip,
            Route::Memories,
            Route::Memory(MemoryId::new()),
            Route::Collections,
            Route::Collection(CollectionId::new()),
            Route::Search,
            Route::Bin,
            Route::SettingsHome,
            Route::Keys,
        ];
        routes.extend(SettingsSection::ALL.map(Route::Settings));
        for route in routes {
            assert_eq!(Route::parse(&route.path()), Some(route));
        }
    }

    #[test]
    fn an_address_with_something_extra_or_unknown_is_no_route() {
        for path in [
            "/c/not-an-id",
            "/n/not-an-id",
            "/f/x",
            "/p/x",
            "/search/x",
            "/settings/nothing",
            "/nope",
            "/c/0198/x",
        ] {
            assert_eq!(Route::parse(path), None, "{path}");
        }
    }
}
