//! The parts of the app that are loaded by themselves, so that a conversation does not wait for the code
//! of notes, files and settings. A page comes with the code of its own area; the others follow once the line
//! to the server stands, and whenever it stands again, so that they are there when it does not. On the server, and in a test, everything is there.

use crate::client::socket::{Connection, Socket};
#[cfg(feature = "hydrate")]
use crate::client::uploads::{Chosen, Uploads};
use crate::components::button::Button;
use crate::components::palette::PaletteContent;
use crate::components::states::{Empty, Skeleton};
use crate::frame::commands::Command;
use crate::pages::bin::BinPage;
use crate::pages::chat::Meter;
use crate::pages::collections::{CollectDialog, CollectionsPage};
use crate::pages::files::{DropVeil, FileDialogs, FileList, Files, FilesPage, TransferNote, use_files};
use crate::pages::keys::KeysPage;
use crate::pages::memories::{MemoriesPage, MemoryPage, WaitingHere};
use crate::pages::notes::{NoteBeside, NoteDialogs, NoteList, Notes, NotesPage, use_desk};
use crate::pages::saved::{ClipPage, SavedList, SavedPages, SavedPagesPage, use_saved};
use crate::pages::search::SearchPage;
use crate::pages::settings::{SettingsList, SettingsPage};
use crate::route::{Route, Section, SettingsSection};
use futures::FutureExt;
use leptos::prelude::*;
use shared::{ConversationId, FileId, MemoryId, NoteId, PageId};
use wasm_split_helpers::{SplitLoaderError, wasm_split};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Area {
    Notes,
    /// Files and web pages.
    Files,
    /// What one visits now and then.
    Rest,
}

impl Area {
    pub const ALL: [Self; 3] = [Self::Notes, Self::Files, Self::Rest];

    /// The one that a page needs from its first render on.
    pub fn of(route: Option<Route>) -> Option<Self> {
        match route?.section() {
            Section::Conversations => None,
            Section::Notes => Some(Self::Notes),
            Section::Files | Section::Pages => Some(Self::Files),
            Section::Memories | Section::Search | Section::Bin | Section::Settings => Some(Self::Rest),
        }
    }

    /// What the address bar says.
    #[cfg(feature = "hydrate")]
    pub fn at_the_address() -> Option<Self> {
        let path = window().location().pathname().ok()?;
        Self::of(Route::parse(&path))
    }

    /// As the build names its files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Notes => "notes",
            Self::Files => "files",
            Self::Rest => "rest",
        }
    }

    /// Fetches the code, unless it is here.
    pub async fn load(self) -> Result<(), SplitLoaderError> {
        match self {
            Self::Notes => load_notes().await,
            Self::Files => load_files().await,
            Self::Rest => load_rest().await,
        }
    }
}

/// A place in the frame that an area fills.
#[derive(Clone, Copy)]
pub enum Part {
    Notes(NotesPart),
    Files(FilesPart),
    Rest(RestPart),
}

#[derive(Clone, Copy)]
pub enum NotesPart {
    Page(Memo<Option<NoteId>>),
    /// Of whoever came by a link.
    VisitedPage(Memo<Option<NoteId>>),
    List,
    Beside(Memo<Option<NoteId>>),
    Dialogs,
}

#[derive(Clone, Copy)]
pub enum FilesPart {
    Page(Memo<Option<FileId>>),
    List,
    SavedPage(Memo<Option<PageId>>),
    SavedList,
    Clip,
    Collections,
    Transfers(Memo<Section>),
    Dialogs(Memo<Section>),
}

#[derive(Clone, Copy)]
pub enum RestPart {
    Search,
    Bin,
    Memories,
    Memory(Memo<Option<MemoryId>>),
    Settings(SettingsSection),
    SettingsList,
    Keys,
    Palette,
    /// What the model will be given next; the name of its list.
    Meter(&'static str),
    /// What waits for a decision below a conversation.
    Waiting(RwSignal<Option<ConversationId>>),
}

type View = Result<AnyView, SplitLoaderError>;

#[wasm_split(notes, fallible, preload(load_notes))]
fn notes(part: NotesPart) -> View {
    Ok(match part {
        NotesPart::Page(id) => view! { <NotesPage id/> }.into_any(),
        NotesPart::VisitedPage(id) => {
            use_desk().listen();
            view! { <NotesPage id/> }.into_any()
        }
        NotesPart::List => view! { <NoteList/> }.into_any(),
        NotesPart::Beside(id) => view! { <NoteBeside id/> }.into_any(),
        // once, in the frame
        NotesPart::Dialogs => {
            use_desk().listen();
            view! { <NoteDialogs/> }.into_any()
        }
    })
}

#[wasm_split(files, fallible, preload(load_files))]
fn files(part: FilesPart) -> View {
    Ok(match part {
        FilesPart::Page(id) => view! { <FilesPage id/> }.into_any(),
        FilesPart::List => view! { <FileList/> }.into_any(),
        FilesPart::SavedPage(id) => view! { <SavedPagesPage id/> }.into_any(),
        FilesPart::SavedList => view! { <SavedList/> }.into_any(),
        FilesPart::Clip => view! { <ClipPage/> }.into_any(),
        FilesPart::Collections => view! { <CollectionsPage/> }.into_any(),
        FilesPart::Transfers(section) => view! { <TransferNote section/> }.into_any(),
        // once, in the frame
        FilesPart::Dialogs(section) => {
            use_files().listen();
            use_saved().listen();
            view! { <FileDialogs/><CollectDialog/><DropVeil section/> }.into_any()
        }
    })
}

#[wasm_split(rest, fallible, preload(load_rest))]
fn rest(part: RestPart) -> View {
    Ok(match part {
        RestPart::Search => view! { <SearchPage/> }.into_any(),
        RestPart::Bin => view! { <BinPage/> }.into_any(),
        RestPart::Memories => view! { <MemoriesPage/> }.into_any(),
        RestPart::Memory(id) => view! { <MemoryPage id/> }.into_any(),
        RestPart::Settings(section) => view! { <SettingsPage section/> }.into_any(),
        RestPart::SettingsList => view! { <SettingsList/> }.into_any(),
        RestPart::Keys => view! { <KeysPage/> }.into_any(),
        RestPart::Palette => view! { <PaletteContent/> }.into_any(),
        RestPart::Meter(id) => view! { <Meter id/> }.into_any(),
        RestPart::Waiting(conversation) => view! { <WaitingHere conversation/> }.into_any(),
    })
}

/// What is said when an area that something was to be done in could not be fetched.
pub const NOT_LOADED: &str =
    "This part of the app is not loaded yet and the server does not answer. Nothing was changed.";

#[wasm_split(notes, fallible)]
pub fn act_on_notes(notes: Notes, command: Command, note: Option<NoteId>) -> Result<(), SplitLoaderError> {
    notes.carry_out(command, note);
    Ok(())
}

#[wasm_split(files, fallible)]
pub fn act_on_file(files: Files, command: Command, file: FileId) -> Result<(), SplitLoaderError> {
    files.carry_out(command, file);
    Ok(())
}

#[wasm_split(files, fallible)]
pub fn act_on_page(pages: SavedPages, command: Command, page: PageId) -> Result<(), SplitLoaderError> {
    pages.carry_out(command, page);
    Ok(())
}

#[cfg(feature = "hydrate")]
#[wasm_split(files, fallible)]
pub fn send_files(uploads: Uploads, chosen: Vec<Chosen>) -> Result<(), SplitLoaderError> {
    uploads.add(chosen);
    Ok(())
}

impl Part {
    fn area(self) -> Area {
        match self {
            Self::Notes(_) => Area::Notes,
            Self::Files(_) => Area::Files,
            Self::Rest(_) => Area::Rest,
        }
    }

    /// What it shows, where its area is here: then there is nothing to wait for.
    fn view(self) -> Option<AnyView> {
        match self {
            Self::Notes(part) => notes(part).now_or_never()?.ok(),
            Self::Files(part) => files(part).now_or_never()?.ok(),
            Self::Rest(part) => rest(part).now_or_never()?.ok(),
        }
    }

    /// What stands there meanwhile.
    fn meanwhile(self) -> Meanwhile {
        match self {
            Self::Notes(NotesPart::Page(_) | NotesPart::VisitedPage(_)) => Meanwhile::Page,
            Self::Files(
                FilesPart::Page(_) | FilesPart::SavedPage(_) | FilesPart::Clip | FilesPart::Collections,
            ) => Meanwhile::Page,
            Self::Notes(NotesPart::List) | Self::Files(FilesPart::List | FilesPart::SavedList) => {
                Meanwhile::List
            }
            Self::Notes(NotesPart::Beside(_)) => Meanwhile::List,
            Self::Rest(RestPart::SettingsList | RestPart::Palette) => Meanwhile::List,
            Self::Rest(RestPart::Meter(_) | RestPart::Waiting(_)) => Meanwhile::Nothing,
            Self::Rest(_) => Meanwhile::Page,
            Self::Notes(NotesPart::Dialogs)
            | Self::Files(FilesPart::Transfers(_) | FilesPart::Dialogs(_)) => Meanwhile::Nothing,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Meanwhile {
    Page,
    List,
    Nothing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Presence {
    Away,
    Here,
    /// Could not be fetched.
    Failed,
}

/// Which areas are here. Given as context.
#[derive(Clone, Copy)]
pub struct Areas([RwSignal<Presence>; Area::ALL.len()]);

impl Areas {
    /// At the first render, on both sides: what the address needs.
    pub fn provide(route: Option<Route>) -> Self {
        let first = Area::of(route);
        let areas =
            Self(Area::ALL.map(|area| {
                RwSignal::new(if Some(area) == first { Presence::Here } else { Presence::Away })
            }));
        provide_context(areas);
        areas
    }

    fn presence(self, area: Area) -> RwSignal<Presence> {
        let [notes, files, rest] = self.0;
        match area {
            Area::Notes => notes,
            Area::Files => files,
            Area::Rest => rest,
        }
    }

    /// Fetches what is not here yet.
    pub fn fetch(self, area: Area) {
        let presence = self.presence(area);
        if presence.get_untracked() == Presence::Here {
            return;
        }
        leptos::task::spawn_local(async move {
            let now = if area.load().await.is_ok() { Presence::Here } else { Presence::Failed };
            if presence.try_get_untracked().is_some_and(|before| before != now) {
                presence.set(now);
            }
        });
    }

    /// Fetches all of them whenever the line to the server stands.
    pub fn follow(self, socket: Socket) {
        Effect::new(move |_| {
            if !matches!(socket.connection.get(), Connection::Starting | Connection::Offline) {
                Area::ALL.into_iter().for_each(|area| self.fetch(area));
            }
        });
    }
}

/// A part of another area: at once where it is here, else as soon as it came.
#[component]
pub fn Apart(part: Part) -> impl IntoView {
    let areas = expect_context::<Areas>();
    let presence = areas.presence(part.area());
    if part.meanwhile() != Meanwhile::Nothing {
        // an effect: in the browser only
        Effect::new(move |_| areas.fetch(part.area()));
    }
    move || match (presence.get(), part.meanwhile()) {
        (Presence::Here, _) => part.view(),
        (_, Meanwhile::Nothing) => None,
        (Presence::Away, Meanwhile::List) => Some(view! { <Skeleton rows=8/> }.into_any()),
        (Presence::Away, Meanwhile::Page) => {
            Some(view! { <div class="sheet"><Skeleton rows=3/></div> }.into_any())
        }
        (Presence::Failed, _) => Some(view! { <NotLoaded area=part.area()/> }.into_any()),
    }
}

#[component]
fn NotLoaded(area: Area) -> impl IntoView {
    let areas = expect_context::<Areas>();
    view! {
        <Empty title="This part could not be loaded" text="The server did not answer. Nothing is lost.">
            <Button on_click=move |()| areas.fetch(area)>"Try again"</Button>
        </Empty>
    }
}
