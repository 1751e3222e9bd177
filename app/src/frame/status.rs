//! How the line to the server stands, in words, where the eye rests: at the foot of the list.

use crate::areas::{Apart, FilesPart, Part};
use crate::client::socket::{Connection, use_socket};
use crate::components::button::{Button, Look};
use crate::route::Section;
use leptos::prelude::*;

#[component]
pub fn StatusLine(section: Memo<Section>) -> impl IntoView {
    let socket = use_socket();
    let state = move || match socket.connection.get() {
        Connection::Starting => "starting",
        Connection::Online => "online",
        Connection::Degraded(_) => "degraded",
        Connection::Offline => "offline",
    };
    let words = move || match socket.connection.get() {
        Connection::Starting => String::new(),
        Connection::Online => "Connected".to_owned(),
        Connection::Degraded(parts) => {
            format!("Not working right now: {}. Nothing is lost.", parts.join(", "))
        }
        Connection::Offline => "Offline. What you type is kept; trying to reconnect.".to_owned(),
    };
    view! {
        <div class="status" role="status" data-state=state data-outdated=move || socket.outdated.get().then_some("")>
            <span class="status-dot" aria-hidden="true"></span>
            <span class="status-words">{words}</span>
            <Apart part=Part::Files(FilesPart::Transfers(section))/>
            {move || socket.outdated.get().then(|| view! {
                <Button look=Look::Plain on_click=|()| reload()>"New version: reload"</Button>
            })}
        </div>
    }
}

fn reload() {
    #[cfg(feature = "hydrate")]
    crate::client::document::note(window().location().reload());
}
