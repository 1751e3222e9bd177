//! Light, dark, or as the system has it. The choice is a cookie, so that the server paints it at once.

use crate::client::document;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    Light,
    Dark,
    #[default]
    System,
}

impl Theme {
    pub const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    pub fn name(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
            Self::System => "system",
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Self::Light => "Light",
            Self::Dark => "Dark",
            Self::System => "As the system",
        }
    }

    /// The theme of that name; anything else is as the system has it.
    pub fn named(name: &str) -> Self {
        Self::ALL.into_iter().find(|theme| theme.name() == name).unwrap_or_default()
    }

    /// For `<meta name="color-scheme">`.
    pub fn color_scheme(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
            Self::System => "light dark",
        }
    }

    fn next(self) -> Self {
        match self {
            Self::System => Self::Light,
            Self::Light => Self::Dark,
            Self::Dark => Self::System,
        }
    }
}

/// The theme in force. Given as context.
#[derive(Clone, Copy)]
pub struct ThemeChoice(RwSignal<Theme>);

pub fn use_theme() -> ThemeChoice {
    expect_context::<ThemeChoice>()
}

impl ThemeChoice {
    pub fn provide(theme: Theme) {
        provide_context(Self(RwSignal::new(theme)));
    }

    pub fn get(self) -> Theme {
        self.0.get()
    }

    /// As the page begins.
    pub fn now(self) -> Theme {
        self.0.get_untracked()
    }

    pub fn set(self, theme: Theme) {
        self.0.set(theme);
        document::set_root_attribute("data-theme", theme.name());
        document::set_cookie("theme", theme.name());
    }

    pub fn turn(self) -> Theme {
        let theme = self.0.get_untracked().next();
        self.set(theme);
        theme
    }
}
