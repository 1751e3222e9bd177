//! Which panes are open and how wide. Kept in a cookie, so that the server's first paint is right;
//! folds are remembered per section.

use crate::client::document;
use crate::route::Section;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use shared::ConversationId;

pub const LIST_WIDTH: u16 = 280;
pub const PANEL_WIDTH: u16 = 380;
const LIST_BOUNDS: (u16, u16) = (200, 480);
const PANEL_BOUNDS: (u16, u16) = (300, 720);

/// What the cookie holds. Short names: it travels with every request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LayoutState {
    #[serde(rename = "l")]
    list_width: u16,
    #[serde(rename = "p")]
    panel_width: u16,
    /// Letters of the sections whose list is folded.
    #[serde(rename = "f", skip_serializing_if = "String::is_empty")]
    folded_lists: String,
    /// Letters of the sections whose side panel is open.
    #[serde(rename = "o", skip_serializing_if = "String::is_empty")]
    open_panels: String,
    /// The conversation in the side panel.
    #[serde(rename = "c", skip_serializing_if = "Option::is_none")]
    conversation: Option<ConversationId>,
}

impl Default for LayoutState {
    fn default() -> Self {
        Self {
            list_width: LIST_WIDTH,
            panel_width: PANEL_WIDTH,
            folded_lists: String::new(),
            open_panels: String::new(),
            conversation: None,
        }
    }
}

impl LayoutState {
    /// Reads the cookie. It may say anything: what makes no sense becomes the default.
    pub fn parse(text: &str) -> Self {
        let mut state: Self = serde_json::from_str(text).unwrap_or_default();
        state.list_width = state.list_width.clamp(LIST_BOUNDS.0, LIST_BOUNDS.1);
        state.panel_width = state.panel_width.clamp(PANEL_BOUNDS.0, PANEL_BOUNDS.1);
        state
    }

    /// The widths for the first paint.
    pub fn css(&self) -> String {
        format!(":root{{--list-width:{}px;--panel-width:{}px}}", self.list_width, self.panel_width)
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

    pub fn bounds(self) -> (u16, u16) {
        match self {
            Self::List => LIST_BOUNDS,
            Self::Panel => PANEL_BOUNDS,
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

    /// Changes what the panel shows, open or not.
    pub fn set_panel_conversation(self, conversation: Option<ConversationId>) {
        self.change(|state| state.conversation = conversation);
    }

    pub fn width(self, pane: Pane) -> u16 {
        self.0.with(|state| match pane {
            Pane::List => state.list_width,
            Pane::Panel => state.panel_width,
        })
    }

    /// Sets a width, within its bounds.
    pub fn resize(self, pane: Pane, width: i32) {
        let (least, most) = pane.bounds();
        let width = u16::try_from(width.clamp(i32::from(least), i32::from(most))).unwrap_or(least);
        document::set_root_property(pane.property(), &format!("{width}px"));
        self.change(|state| match pane {
            Pane::List => state.list_width = width,
            Pane::Panel => state.panel_width = width,
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
        for text in ["", "{", "[]", "null", r#"{"l":"wide"}"#] {
            assert_eq!(LayoutState::parse(text), LayoutState::default(), "{text}");
        }
    }

    #[test]
    fn widths_stay_within_their_bounds() {
        let state = LayoutState::parse(r#"{"l":1,"p":60000}"#);
        assert_eq!(state.css(), ":root{--list-width:200px;--panel-width:720px}");
    }
}
