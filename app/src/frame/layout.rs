//! Which panes are open and how wide, each section for itself. Kept in a cookie, so that the server's
//! first paint is right.

use crate::client::document;
use crate::route::Section;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use shared::ConversationId;
use std::collections::BTreeMap;

/// What the cookie holds. Short names: it travels with every request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LayoutState {
    /// By the letter of the section; the usual width is not kept.
    #[serde(rename = "w", skip_serializing_if = "Widths::is_empty")]
    list_widths: Widths,
    #[serde(rename = "v", skip_serializing_if = "Widths::is_empty")]
    panel_widths: Widths,
    /// Letters of the sections whose list is folded.
    #[serde(rename = "f", skip_serializing_if = "String::is_empty")]
    folded_lists: String,
    /// Letters of the sections whose side panel is open.
    #[serde(rename = "o", skip_serializing_if = "String::is_empty")]
    open_panels: String,
    /// The conversation in the side panel.
    #[serde(rename = "c", skip_serializing_if = "Option::is_none")]
    conversation: Option<ConversationId>,
    /// What is beside a note.
    #[serde(rename = "t", skip_serializing_if = "Tab::is_first")]
    tab: Tab,
}

/// What is beside a note.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tab {
    #[default]
    #[serde(rename = "c")]
    Chat,
    #[serde(rename = "l")]
    Links,
    #[serde(rename = "m")]
    Comments,
    #[serde(rename = "v")]
    Versions,
    #[serde(rename = "s")]
    Share,
}

impl Tab {
    pub const ALL: [Self; 5] = [Self::Chat, Self::Links, Self::Comments, Self::Versions, Self::Share];

    pub fn title(self) -> &'static str {
        match self {
            Self::Chat => "Chat",
            Self::Links => "Links",
            Self::Comments => "Comments",
            Self::Versions => "Versions",
            Self::Share => "Share",
        }
    }

    fn is_first(&self) -> bool {
        *self == Self::default()
    }
}

type Widths = BTreeMap<char, u16>;

impl LayoutState {
    /// Reads the cookie. It may say anything: what makes no sense becomes the default.
    pub fn parse(text: &str) -> Self {
        crate::client::json::from_str(text).unwrap_or_default()
    }

    /// The widths for the first paint.
    pub fn css(&self, section: Section) -> String {
        let [list, panel] = [Pane::List, Pane::Panel].map(|pane| self.width(pane, section));
        format!(":root{{--list-width:{list}px;--panel-width:{panel}px}}")
    }

    fn width(&self, pane: Pane, section: Section) -> u16 {
        let widths = match pane {
            Pane::List => &self.list_widths,
            Pane::Panel => &self.panel_widths,
        };
        let (least, most) = pane.bounds();
        widths.get(&section.letter()).map_or(pane.usual_width(), |width| *width.clamp(&least, &most))
    }

    fn set_width(&mut self, pane: Pane, section: Section, width: u16) {
        let widths = match pane {
            Pane::List => &mut self.list_widths,
            Pane::Panel => &mut self.panel_widths,
        };
        if width == pane.usual_width() {
            widths.remove(&section.letter());
        } else {
            widths.insert(section.letter(), width);
        }
    }
}

/// A pane beside the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pane {
    List,
    Panel,
}

impl Pane {
    fn property(self) -> &'static str {
        match self {
            Self::List => "--list-width",
            Self::Panel => "--panel-width",
        }
    }

    pub fn usual_width(self) -> u16 {
        match self {
            Self::List => 280,
            Self::Panel => 380,
        }
    }

    pub fn bounds(self) -> (u16, u16) {
        match self {
            Self::List => (200, 480),
            Self::Panel => (300, 720),
        }
    }
}

/// The panes. Given as context.
#[derive(Clone, Copy)]
pub struct Layout(RwSignal<LayoutState>);

pub fn use_layout() -> Layout {
    expect_context::<Layout>()
}

impl Layout {
    pub fn provide(state: LayoutState) {
        provide_context(Self(RwSignal::new(state)));
    }

    pub fn is_open(self, pane: Pane, section: Section) -> bool {
        self.0.with(|state| match pane {
            Pane::List => !state.folded_lists.contains(section.letter()),
            Pane::Panel => state.open_panels.contains(section.letter()),
        })
    }

    /// As [`Layout::is_open`], for a moment rather than for a view.
    pub fn is_open_now(self, pane: Pane, section: Section) -> bool {
        untrack(|| self.is_open(pane, section))
    }

    /// Folds an open pane, opens a folded one.
    pub fn toggle(self, pane: Pane, section: Section) {
        self.change(|state| {
            let letters = match pane {
                Pane::List => &mut state.folded_lists,
                Pane::Panel => &mut state.open_panels,
            };
            if letters.contains(section.letter()) {
                letters.retain(|letter| letter != section.letter());
            } else {
                letters.push(section.letter());
            }
        });
    }

    /// The conversation in the side panel.
    pub fn panel_conversation(self) -> Option<ConversationId> {
        self.0.with(|state| state.conversation)
    }

    /// Shows a conversation in the side panel, and opens it.
    pub fn show_beside(self, conversation: Option<ConversationId>, section: Section) {
        self.change(|state| {
            state.conversation = conversation;
            if !state.open_panels.contains(section.letter()) {
                state.open_panels.push(section.letter());
            }
        });
    }

    /// What is beside a note.
    pub fn tab(self) -> Tab {
        self.0.with(|state| state.tab)
    }

    /// Shows a tab beside the note, and opens the panel.
    pub fn show_tab(self, tab: Tab, section: Section) {
        self.change(|state| {
            state.tab = tab;
            if !state.open_panels.contains(section.letter()) {
                state.open_panels.push(section.letter());
            }
        });
    }

    /// Changes what the panel shows, open or not.
    pub fn set_panel_conversation(self, conversation: Option<ConversationId>) {
        self.change(|state| state.conversation = conversation);
    }

    pub fn width(self, pane: Pane, section: Section) -> u16 {
        self.0.with(|state| state.width(pane, section))
    }

    /// Sets a width, within its bounds.
    pub fn resize(self, pane: Pane, section: Section, width: i32) {
        let (least, most) = pane.bounds();
        let width = u16::try_from(width.clamp(i32::from(least), i32::from(most))).unwrap_or(least);
        document::set_root_property(pane.property(), &format!("{width}px"));
        self.change(|state| state.set_width(pane, section, width));
    }

    /// Gives the panes the widths they have in the section one goes to.
    pub fn follow(self, section: Memo<Section>) {
        Effect::new(move |before: Option<Section>| {
            let section = section.get();
            if before.is_some_and(|before| before != section) {
                for pane in [Pane::List, Pane::Panel] {
                    let width = untrack(|| self.width(pane, section));
                    document::set_root_property(pane.property(), &format!("{width}px"));
                }
            }
            section
        });
    }

    fn change(self, change: impl FnOnce(&mut LayoutState)) {
        self.0.update(change);
        let text = self.0.with_untracked(serde_json::to_string);
        match text {
            Ok(text) => document::set_cookie("layout", &text),
            Err(cause) => leptos::logging::warn!("the layout is not remembered: {cause}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_that_makes_no_sense_is_the_default() {
        for text in ["", "{", "[]", "null", r#"{"w":"wide"}"#, r#"{"w":{"conversations":300}}"#] {
            assert_eq!(LayoutState::parse(text), LayoutState::default(), "{text}");
        }
    }

    #[test]
    fn widths_stay_within_their_bounds() {
        let state = LayoutState::parse(r#"{"w":{"c":1},"v":{"c":60000}}"#);
        assert_eq!(state.css(Section::Conversations), ":root{--list-width:200px;--panel-width:720px}");
    }

    #[test]
    fn each_section_has_widths_of_its_own() {
        let mut state = LayoutState::default();
        state.set_width(Pane::List, Section::Conversations, 330);
        let state = LayoutState::parse(&serde_json::to_string(&state).unwrap_or_default());
        assert_eq!(state.width(Pane::List, Section::Conversations), 330);
        assert_eq!(state.width(Pane::List, Section::Settings), 280);
    }
}
