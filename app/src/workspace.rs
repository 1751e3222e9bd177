//! The root of the app: puts everything that pages share in place, then shows the frame.

use crate::areas::Areas;
use crate::client::clock::Clock;
use crate::client::editor::Preferences;
use crate::client::json::Json;
use crate::client::location::Location;
use crate::client::session::Session;
use crate::client::socket::Socket;
use crate::components::toast::Toasts;
use crate::frame::Frame;
use crate::frame::layout::{Layout, LayoutState};
use crate::frame::theme::{Theme, ThemeChoice};
use crate::pages::collections::Collecting;
use crate::pages::conversations::Conversations;
use crate::pages::conversations::prefetch::Prefetch;
use crate::pages::files::Files;
use crate::pages::notes::{Desk, Notes};
use crate::pages::saved::SavedPages;
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
    let start = SharedValue::<Start, Json>::new_with_encoding(expect_context::<Start>).into_inner();
    Session::provide(start.me);
    let location = Location::provide(&start.address);
    let areas = Areas::provide(location.route.get_untracked());
    Clock::provide(start.now, start.offset);
    ThemeChoice::provide(start.theme);
    Layout::provide(start.layout);
    Toasts::provide();
    areas.follow(Socket::provide(start.build));
    Conversations::provide();
    Prefetch::provide();
    Notes::provide();
    Desk::provide(start.writing);
    Files::provide();
    Collecting::provide();
    SavedPages::provide();
    view! { <Frame/> }
}
