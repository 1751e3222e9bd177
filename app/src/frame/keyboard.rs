//! Every key and what it does: one table that the keyboard page shows and the handler obeys.

use super::commands::{Command, Commands};

/// How a key is pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stroke {
    /// The key alone, and not while something is typed.
    Plain(&'static str),
    /// With Ctrl, or Cmd on a Mac; also while something is typed.
    Control(&'static str),
    /// The key alone, also while something is typed.
    Anytime(&'static str),
    /// Handled where it is pressed; listed for the reader.
    Elsewhere(&'static str),
}

pub struct Key {
    pub stroke: Stroke,
    pub what: &'static str,
    pub command: Option<Command>,
}

pub struct Group {
    pub title: &'static str,
    pub keys: &'static [Key],
}

const fn plain(key: &'static str, what: &'static str, command: Command) -> Key {
    Key { stroke: Stroke::Plain(key), what, command: Some(command) }
}

const fn control(key: &'static str, what: &'static str, command: Command) -> Key {
    Key { stroke: Stroke::Control(key), what, command: Some(command) }
}

const fn anytime(key: &'static str, what: &'static str, command: Command) -> Key {
    Key { stroke: Stroke::Anytime(key), what, command: Some(command) }
}

const fn elsewhere(keys: &'static str, what: &'static str) -> Key {
    Key { stroke: Stroke::Elsewhere(keys), what, command: None }
}

pub const GROUPS: &[Group] = &[
    Group {
        title: "Anywhere",
        keys: &[
            control("k", "Find notes, files, pages, conversations and commands", Command::Palette),
            plain("/", "Search", Command::Search),
            plain("c", "New conversation", Command::NewConversation),
            plain("n", "New note", Command::NewNote),
            plain("d", "Today’s note", Command::DailyNote),
            plain("s", "Scratchpad", Command::Scratchpad),
            plain("g", "Go to the notes", Command::Notes),
            plain("f", "Go to the files", Command::Files),
            plain("u", "Upload files…", Command::Upload),
            plain("w", "Go to the web pages", Command::Pages),
            plain("a", "Save a web page…", Command::SavePage),
            plain("[", "Fold or open the list", Command::FoldList),
            plain("]", "Fold or open the side panel", Command::FoldPanel),
            plain("t", "Switch between light, dark and system", Command::TurnTheme),
            plain("?", "This page", Command::Keys),
            anytime("Escape", "One step back; nothing typed is lost", Command::Back),
        ],
    },
    Group {
        title: "Lists",
        keys: &[
            plain("j", "Next", Command::NextRow),
            plain("k", "Previous", Command::PreviousRow),
            elsewhere("Enter", "Open"),
            plain("e", "Rename", Command::Rename),
            plain("p", "Pin or unpin", Command::Pin),
            plain("b", "Open beside the page", Command::OpenBeside),
            plain("Delete", "Delete, with a way back", Command::Delete),
        ],
    },
    Group {
        title: "Writing",
        keys: &[
            elsewhere("Enter", "Send"),
            elsewhere("Ctrl Enter", "Send"),
            elsewhere("Shift Enter", "New line"),
            elsewhere("↑", "In an empty field: edit your last message"),
            elsewhere("Esc", "Leave editing; the text stays"),
        ],
    },
];

impl Stroke {
    /// The keys as they are written on a keyboard, in the order they are pressed.
    pub fn caps(self) -> Vec<String> {
        match self {
            Self::Plain(key) => vec![key.to_owned()],
            Self::Anytime("Escape") => vec!["Esc".to_owned()],
            Self::Anytime(key) => vec![key.to_owned()],
            Self::Control(key) => vec!["Ctrl".to_owned(), key.to_uppercase()],
            Self::Elsewhere(keys) => keys.split(' ').map(str::to_owned).collect(),
        }
    }
}

/// The key of a command, where it has one.
pub fn stroke_of(command: Command) -> Option<Stroke> {
    GROUPS.iter().flat_map(|group| group.keys).find(|key| key.command == Some(command)).map(|key| key.stroke)
}

/// What a press means. `control` is Ctrl or Cmd.
#[cfg_attr(not(any(feature = "hydrate", test)), expect(dead_code))]
fn command_for(key: &str, modifier: Modifier, typing: Typing) -> Option<Command> {
    let pressed = |stroke: Stroke| match (stroke, modifier) {
        (Stroke::Control(wanted), Modifier::Control) => key.eq_ignore_ascii_case(wanted),
        (Stroke::Anytime(wanted), Modifier::None) => key == wanted,
        (Stroke::Plain(wanted), Modifier::None) => typing == Typing::No && key == wanted,
        _ => false,
    };
    GROUPS.iter().flat_map(|group| group.keys).find(|key| pressed(key.stroke)).and_then(|key| key.command)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(any(feature = "hydrate", test)), expect(dead_code))]
enum Modifier {
    /// None, or only Shift, which is part of `?`.
    None,
    Control,
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(any(feature = "hydrate", test)), expect(dead_code))]
enum Typing {
    Yes,
    No,
}

/// Obeys the keys from hydration on.
pub fn listen(commands: Commands) {
    #[cfg(feature = "hydrate")]
    leptos::prelude::Effect::new(move |_| {
        let handle = leptos::prelude::window_event_listener(leptos::ev::keydown, move |event| {
            if event.default_prevented() || event.is_composing() {
                return;
            }
            let modifier = modifier_of(&event);
            let typing = if crate::client::document::is_typing(&event) { Typing::Yes } else { Typing::No };
            // while a dialog is open its own keys rule
            let in_dialog = commands.palette_open.get_untracked() || open_dialog();
            if let Some(command) = command_for(&event.key(), modifier, typing)
                && (!in_dialog || command == Command::Palette)
            {
                event.prevent_default();
                commands.run(command);
            }
        });
        leptos::prelude::on_cleanup(move || handle.remove());
    });
    #[cfg(not(feature = "hydrate"))]
    let _ = commands;
}

#[cfg(feature = "hydrate")]
use leptos::prelude::GetUntracked as _;

/// Signs that are typed with AltGr, or with Option on a Mac, as `[` is on many keyboards, are pressed plainly.
#[cfg(feature = "hydrate")]
fn modifier_of(event: &web_sys::KeyboardEvent) -> Modifier {
    let is_sign = matches!(event.key().as_bytes(), [sign] if sign.is_ascii_punctuation());
    match (event.ctrl_key() || event.meta_key(), event.alt_key()) {
        (false, false) => Modifier::None,
        (false, true) if is_sign => Modifier::None,
        (true, true) if is_sign && event.get_modifier_state("AltGraph") => Modifier::None,
        (true, false) => Modifier::Control,
        _ => Modifier::Other,
    }
}

#[cfg(feature = "hydrate")]
fn open_dialog() -> bool {
    leptos::prelude::document()
        .query_selector("dialog[open], [popover]:popover-open")
        .is_ok_and(|found| found.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_has_two_meanings() {
        let strokes: Vec<Stroke> = GROUPS
            .iter()
            .flat_map(|group| group.keys)
            .filter(|key| key.command.is_some())
            .map(|key| key.stroke)
            .collect();
        for (at, stroke) in strokes.iter().enumerate() {
            assert!(!strokes[at + 1..].contains(stroke), "{stroke:?}");
        }
    }

    #[test]
    fn plain_keys_are_letters_while_something_is_typed() {
        assert_eq!(command_for("j", Modifier::None, Typing::No), Some(Command::NextRow));
        assert_eq!(command_for("j", Modifier::None, Typing::Yes), None);
        assert_eq!(command_for("k", Modifier::Control, Typing::Yes), Some(Command::Palette));
        assert_eq!(command_for("c", Modifier::Control, Typing::No), None, "Ctrl-C copies");
        assert_eq!(command_for("k", Modifier::Other, Typing::No), None);
    }
}
