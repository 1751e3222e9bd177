//! The text of the note: complete HTML from the server, which the editor takes the place of once it
//! has the text too.

use super::desk::{Desk, use_desk};
use crate::client::typesetter;
use leptos::html;
use leptos::prelude::*;
use shared::note::Note;

#[component]
pub fn Text(note: Note) -> impl IntoView {
    let desk = use_desk();
    let reading = NodeRef::<html::Div>::new();
    desk.follow_comments(note.summary.id);
    let files = typesetter::files_of(note.summary.id);
    let html = typesetter::note_with_places(&note.content, Some(&files));
    print_whole(desk, reading, files);
    let parent = NodeRef::<html::Div>::new();
    go_to_heading(desk);
    let is_empty = note.content.trim().is_empty();
    mount(desk, parent, &note);
    view! {
        <div class="note-read markdown" node_ref=reading hidden=move || desk.is_editing.get() inner_html=html></div>
        <noscript>
            {is_empty.then(|| view! { <p class="note-empty">"Nothing is written here yet."</p> })}
        </noscript>
        <div class="note-write" class:is-waiting=move || !desk.is_editing.get() node_ref=parent></div>
    }
}

/// Goes to the heading that the address names, once the editor tells of its headings, and whenever another is named.
fn go_to_heading(desk: Desk) {
    let hash = desk.notes.location.hash;
    Effect::new(move |gone: Option<String>| {
        let wanted = hash.get();
        let is_known = desk.is_editing.get() && !desk.outline.with(Vec::is_empty);
        if wanted.is_empty() || !is_known || gone.as_ref() == Some(&wanted) {
            return gone.filter(|_| !wanted.is_empty()).unwrap_or_default();
        }
        // what is hidden does not scroll: the editor is shown by then
        let place = wanted.clone();
        request_animation_frame(move || desk.go_to_place(&place));
        wanted
    });
}

/// The editor holds only the lines that are seen: what is printed is the whole text as HTML.
fn print_whole(desk: Desk, reading: NodeRef<html::Div>, files: String) {
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| {
        let files = files.clone();
        let handle = window_event_listener_untyped("beforeprint", move |_| {
            let text = desk.with_editor(|editor| editor.call("getText", &())).unwrap_or_default();
            let text: Option<String> = serde_json::from_str(&text).ok();
            if let (true, Some(text), Some(reading)) =
                (desk.is_editing.get_untracked(), text, reading.get_untracked())
            {
                reading.set_inner_html(&typesetter::note(&text, Some(&files)).unwrap_or_default());
            }
        });
        on_cleanup(move || handle.remove());
    });
    #[cfg(not(feature = "hydrate"))]
    let _ = (desk, reading, files);
}

#[cfg(not(feature = "hydrate"))]
fn mount(_desk: Desk, _parent: NodeRef<html::Div>, _note: &Note) {}

/// Opens the editor once the page is there, and closes it with the page.
#[cfg(feature = "hydrate")]
fn mount(desk: Desk, parent: NodeRef<html::Div>, note: &Note) {
    use crate::client::document;
    use crate::client::editor::{self, Account, Opening, Told};
    use crate::client::session::{csrf_token, use_session};
    use shared::note::Access;

    let profile = use_session().profile;
    let (id, title, access) = (note.summary.id, note.summary.title.clone(), note.summary.access);
    let owner = Owner::current();
    let gone = StoredValue::new(false);
    Effect::new(move |_| {
        let Some(parent) = parent.get() else { return };
        let preferences = desk.preferences.get_untracked();
        let reading = document::is_phone() && !preferences.phone;
        let opening = Opening {
            note: id.to_string(),
            title: title.clone(),
            account: profile.with_untracked(|profile| Account {
                id: profile.id.to_string(),
                name: profile.display_name.clone(),
            }),
            access: match access {
                Access::View => "view",
                Access::Comment => "comment",
                Access::Edit | Access::Owner => "edit",
            },
            read_only_reason: (reading && access.may_edit())
                .then(|| "on a phone, until you switch writing on in the settings".to_owned()),
            preferences,
            token: csrf_token(),
        };
        let owner = owner.clone();
        leptos::task::spawn_local(async move {
            let opened = editor::open(parent.into(), opening, move |told| {
                // an upload goes on when the note is left: that it failed is said wherever one is by then
                if matches!(told, Told::Trouble(_)) || gone.try_get_value() == Some(false) {
                    desk.hear(told);
                }
            });
            match opened.await {
                Ok(editor) if gone.try_get_value() != Some(false) => editor.close(),
                Ok(editor) => {
                    if let Some(owner) = owner {
                        owner.with(|| editor::follow_line(&editor));
                    }
                    desk.set_editor(Some(editor));
                }
                Err(cause) => {
                    leptos::logging::warn!("the editor did not open: {cause}");
                    desk.notes
                        .toasts
                        .say("The editor could not be loaded. The note can be read; reload to write.");
                }
            }
        });
    });
    on_cleanup(move || {
        gone.try_set_value(true);
        if let Some(editor) = desk.with_editor(Clone::clone) {
            desk.set_editor(None);
            editor.close();
        }
    });
}
