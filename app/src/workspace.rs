//! The root of the app: puts everything that pages share in place, then shows the frame.

use crate::client::clock::Clock;
use crate::client::editor::Preferences;
use crate::client::location::Location;
use crate::client::session::Session;
use crate::client::socket::Socket;
use crate::components::toast::Toasts;
use crate::frame::Frame;
use crate::frame::layout::{Layout, LayoutState};
use crate::frame::theme::{Theme, ThemeChoice};
use crate::pages::conversations::Conversations;
use crate::pages::conversations::prefetch::Prefetch;
use crate::pages::files::Files;
use crate::pages::notes::{Desk, Notes};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use shared::account::Me;
use time::{OffsetDateTime, UtcOffset};

/// What the server knows when a page starts. It travels in the page, so that the browser's first
/// render is the same.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Start {
    pub me: Me,
    /// Path and query.
    pub address: String,
    #[serde(with = "time::serde::rfc3339")]
    pub now: OffsetDateTime,
    /// The browser's, as its last visit told; UTC before that.
    #[serde(with = "crate::client::clock::offset_minutes")]
    pub offset: UtcOffset,
    pub theme: Theme,
    pub layout: LayoutState,
    /// How the person likes to write.
    pub writing: Preferences,
    pub build: String,
}

/// The whole app.
#[component]
pub fn Workspace() -> impl IntoView {
    leptos_meta::provide_meta_context();
    let start = SharedValue::new(expect_context::<Start>).into_inner();
    Session::provide(start.me);
    Location::provide(&start.address);
    Clock::provide(start.now, start.offset);
    ThemeChoice::provide(start.theme);
    Layout::provide(start.layout);
    Toasts::provide();
    Socket::provide(start.build);
    Conversations::provide();
    Prefetch::provide();
    Notes::provide();
    Desk::provide(start.writing);
    Files::provide();
    view! { <Frame/> }
}
