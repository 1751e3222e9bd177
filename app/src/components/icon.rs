//! The icons: our own small set, drawn on 24 with strokes of 1.5, in the colour of the text.

use leptos::prelude::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Icon {
    Plus,
    Chat,
    Search,
    Bin,
    Settings,
    Close,
    More,
    Pin,
    Pencil,
    Undo,
    Check,
    Copy,
    ListPane,
    SidePane,
    Person,
    Key,
    Shield,
    Palette,
    Spark,
    People,
    Keyboard,
    ArrowLeft,
    ArrowRight,
    ArrowUp,
    Stop,
    Refresh,
    Download,
    Chevron,
    Out,
    Smile,
    Sun,
    Note,
    Folder,
    Day,
    Archive,
    Share,
    Clock,
    Link,
    Outline,
    Source,
    Print,
    Upload,
    Move,
    Template,
    Clip,
    File,
    Image,
    Sound,
    Film,
    Table,
    Slides,
    Mail,
    Pause,
    Play,
    Web,
    Tag,
    Bulb,
}

impl Icon {
    fn path(self) -> &'static str {
        match self {
            Self::Plus => "M12 5v14M5 12h14",
            Self::Chat => {
                "M20 12a7.5 7.5 0 0 1-7.5 7.5c-1.3 0-2.5-.3-3.6-.9L4 20l1.4-4.6A7.5 7.5 0 1 1 20 12Z"
            }
            Self::Search => "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM20 20l-4-4",
            Self::Bin => "M5 7h14M10 7V4.5h4V7M7 7l.8 12.5h8.4L17 7M10.3 11v5M13.7 11v5",
            Self::Settings => {
                "M4 7h9M17 7h3M4 17h3M11 17h9M15 9.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5ZM9 19.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Z"
            }
            Self::Close => "M6.5 6.5l11 11M17.5 6.5l-11 11",
            Self::More => {
                "M5.5 12a.5.5 0 1 0 1 0 .5.5 0 1 0-1 0M11.5 12a.5.5 0 1 0 1 0 .5.5 0 1 0-1 0M17.5 12a.5.5 0 1 0 1 0 .5.5 0 1 0-1 0"
            }
            Self::Pin => "M9 4h6l-.7 6 3.2 3.5H6.5L9.7 10 9 4ZM12 13.5V20",
            Self::Pencil => {
                "M4.5 19.5l.9-3.8L16.2 4.9a1.7 1.7 0 0 1 2.4 0l.5.5a1.7 1.7 0 0 1 0 2.4L8.3 18.6l-3.8.9Z"
            }
            Self::Undo => "M8.5 5.5 4.5 9.5l4 4M4.5 9.5H14a5 5 0 0 1 0 10h-3",
            Self::Check => "M5 12.5l4.5 4.5L19 7.5",
            Self::Copy => "M9 9h10.5v10.5H9zM15 9V4.5H4.5V15H9",
            Self::ListPane => "M4 5h16v14H4zM9.5 5v14",
            Self::SidePane => "M4 5h16v14H4zM14.5 5v14",
            Self::Person => {
                "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4.5 20c.8-3.6 3.7-5.5 7.5-5.5s6.7 1.9 7.5 5.5"
            }
            Self::Key => "M8 18.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM10.5 12.5 19 4M15.5 7.5 18.5 10.5",
            Self::Shield => "M12 3.5l7 2.5v5.5c0 4.5-3 7.5-7 9-4-1.5-7-4.5-7-9V6l7-2.5Z",
            Self::Palette => "M12 4a8 8 0 1 0 0 16V4ZM12 4a8 8 0 0 1 0 16",
            Self::Spark => "M12 4v4M12 16v4M4 12h4M16 12h4M7 7l2 2M15 15l2 2M17 7l-2 2M9 15l-2 2",
            Self::People => {
                "M9 11.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM2.5 19.5c.6-3.2 3.2-5 6.5-5s5.9 1.8 6.5 5M16 4.8a3.5 3.5 0 0 1 0 6.4M18 14.8c2 .7 3.2 2.4 3.5 4.7"
            }
            Self::Keyboard => "M3.5 6.5h17v11h-17zM7 10h.01M10.5 10h.01M14 10h.01M17.5 10h.01M7.5 14h9",
            Self::ArrowLeft => "M19 12H5M11 6l-6 6 6 6",
            Self::ArrowRight => "M5 12h14M13 6l6 6-6 6",
            Self::ArrowUp => "M12 19V5M6 11l6-6 6 6",
            Self::Stop => "M7 7h10v10H7z",
            Self::Refresh => "M19.5 12a7.5 7.5 0 1 1-2.2-5.3L19.5 9M19.5 4.5V9H15",
            Self::Download => "M12 4.5v10M7.5 10.5 12 15l4.5-4.5M5 19.5h14",
            Self::Chevron => "M6 9.5l6 6 6-6",
            Self::Out => "M10 4.5H5v15h5M15 8l4 4-4 4M19 12H9.5",
            Self::Note => "M6 3.5h8.5L19 8v12.5H6zM14 3.5V8.5h5M9 12.5h6M9 16h4",
            Self::Folder => "M3.5 6h6l2 2.5h9V19h-17z",
            Self::Day => "M4.5 6h15v14h-15zM4.5 10h15M8.5 3.5V7M15.5 3.5V7",
            Self::Archive => "M4 5h16v4H4zM5.5 9v10.5h13V9M10 13h4",
            Self::Share => {
                "M17 8a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5ZM7 14.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5ZM17 21a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5ZM9.2 10.8l5.6-3.9M9.2 13.2l5.6 3.9"
            }
            Self::Clock => "M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16ZM12 7.5V12l3 2",
            Self::Link => {
                "M10 14a4 4 0 0 0 5.7 0l3-3A4 4 0 0 0 13 5.3L12 6.3M14 10a4 4 0 0 0-5.7 0l-3 3A4 4 0 0 0 11 18.7l1-1"
            }
            Self::Outline => "M4.5 6h10M8 12h11.5M8 18h8M4.5 12h.01M4.5 18h.01",
            Self::Source => "M8.5 7l-5 5 5 5M15.5 7l5 5-5 5",
            Self::Print => "M7 9V4h10v5M7 17H4V9h16v8h-3M7 14h10v6H7z",
            Self::Upload => "M12 15V5M7.5 9 12 4.5 16.5 9M5 19.5h14",
            Self::Move => "M3.5 6h6l2 2.5h9V19h-17zM9 13.5h6M12.5 11l2.5 2.5-2.5 2.5",
            Self::Template => "M5 4h14v4H5zM5 11h6v9H5zM14 11h5v9h-5z",
            Self::Web => {
                "M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16ZM4 12h16M12 4c2.2 2.2 3.3 4.9 3.3 8s-1.1 5.8-3.3 8c-2.2-2.2-3.3-4.9-3.3-8S9.8 6.2 12 4Z"
            }
            Self::Tag => "M4.5 4.5h7l8 8-7 7-8-8ZM8.5 8.5h.01",
            Self::Clip => {
                "M19.5 11.5l-7.8 7.8a4.6 4.6 0 0 1-6.5-6.5l8.2-8.2a3.1 3.1 0 0 1 4.4 4.4l-8.1 8.1a1.6 1.6 0 0 1-2.3-2.3l7.3-7.3"
            }
            Self::File => "M6 3.5h8.5L19 8v12.5H6zM14 3.5V8.5h5",
            Self::Image => "M4 5h16v14H4zM4 16l4.5-4.5 4 4 2.5-2.5 5 5M15.5 9.5h.01",
            Self::Sound => "M5 9.5v5h3l4.5 4v-13L8 9.5zM16 9a4.2 4.2 0 0 1 0 6M18.5 6.5a7.8 7.8 0 0 1 0 11",
            Self::Film => "M4 5h16v14H4zM10 9.5v5l4.5-2.5z",
            Self::Table => "M4 5h16v14H4zM4 10h16M4 14.5h16M10 5v14",
            Self::Slides => "M3.5 5h17M5 5v10.5h14V5M12 15.5v2M8.5 20.5l3.5-3 3.5 3",
            Self::Mail => "M3.5 6h17v12.5h-17zM4 6.5l8 6.5 8-6.5",
            Self::Pause => "M9 6v12M15 6v12",
            Self::Bulb => {
                "M9.5 17.5h5M10.5 20.5h3M9.5 17.5c0-2.2-3-3.4-3-7a5.5 5.5 0 0 1 11 0c0 3.6-3 4.8-3 7"
            }
            Self::Play => "M8 5.5v13l10-6.5z",
            Self::Smile => {
                "M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16ZM9 10h.01M15 10h.01M8.5 14c.8 1.3 2 2 3.5 2s2.7-.7 3.5-2"
            }
            Self::Sun => {
                "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM12 3v1.5M12 19.5V21M3 12h1.5M19.5 12H21M5.6 5.6l1 1M17.4 17.4l1 1M18.4 5.6l-1 1M6.6 17.4l-1 1"
            }
        }
    }

    /// The drawing. Words beside it, or a label on the button around it, say what it means.
    pub fn draw(self) -> AnyView {
        view! {
            <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d=self.path()></path></svg>
        }
        .into_any()
    }
}

/// A button that is only an icon; `label` is its name and its tooltip.
#[component]
pub fn IconButton(
    icon: Icon,
    #[prop(into)] label: String,
    #[prop(into)] on_click: Callback<()>,
    /// `true` while what it switches is on.
    #[prop(optional, into)]
    pressed: Option<Signal<bool>>,
) -> impl IntoView {
    view! {
        <button
            type="button"
            class="icon-button"
            aria-label=label.clone()
            title=label
            aria-pressed=pressed.map(|pressed| move || pressed.get().to_string())
            on:click=move |_| on_click.run(())
        >
            {icon.draw()}
        </button>
    }
}
