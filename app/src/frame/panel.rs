//! The side panel: a conversation beside whatever is open; beside a note, more than that.

use super::layout::{Pane, use_layout};
use crate::areas::{Apart, NotesPart, Part};
use crate::client::location::use_location;
use crate::components::icon::{Icon, IconButton};
use crate::components::resizer::Resizer;
use crate::components::states::Empty;
use crate::pages::chat::ConversationView;
use crate::pages::conversations::use_conversations;
use crate::route::{Route, Section};
use leptos::prelude::*;
use shared::ConversationId;

/// How many conversations the panel offers.
const CHOICES: usize = 12;

#[component]
pub fn SidePanel(section: Memo<Section>) -> impl IntoView {
    let layout = use_layout();
    let location = use_location();
    let open = Memo::new(move |_| layout.is_open(Pane::Panel, section.get()));
    let note = Memo::new(move |_| location.route.get().and_then(Route::note));
    let has_note = Memo::new(move |_| note.get().is_some());
    let label = move || if has_note.get() { "Beside the note" } else { "Conversation beside the page" };
    view! {
        <aside class="panel" aria-label=label hidden=move || !open.get()>
            <Resizer pane=Pane::Panel section label="Width of the side panel"/>
            {move || open.get().then(|| match has_note.get() {
                true => view! { <Apart part=Part::Notes(NotesPart::Beside(note))/> }.into_any(),
                false => view! { <PanelConversation section/> }.into_any(),
            })}
        </aside>
    }
}

/// What the panel holds right now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holds {
    /// Nothing was chosen yet.
    Choice,
    /// What the page shows already.
    Same,
    Conversation,
}

/// A conversation, or the choice of one. `section` is where its own button closes the panel.
#[component]
pub fn PanelConversation(
    #[prop(optional)] section: Option<Memo<Section>>,
    /// What stands in its bar.
    #[prop(optional)]
    lead: Option<AnyView>,
) -> impl IntoView {
    let layout = use_layout();
    let location = use_location();
    // beside a note one begins to write at once
    let begun = RwSignal::new(section.is_none());
    let shown = Memo::new(move |_| layout.panel_conversation());
    let holds = Memo::new(move |_| match shown.get() {
        None if begun.get() => Holds::Conversation,
        None => Holds::Choice,
        id if location.route.get().and_then(Route::conversation) == id => Holds::Same,
        Some(_) => Holds::Conversation,
    });
    let started = Callback::new(move |id: ConversationId| layout.set_panel_conversation(Some(id)));
    let choose = move || {
        begun.set(false);
        layout.set_panel_conversation(None);
    };
    view! {
        <header class="panel-bar">
            <IconButton icon=Icon::ArrowLeft label="Choose another conversation" on_click=move |()| choose()/>
            <span class="panel-space">{lead}</span>
            {move || shown.get().map(|id| view! {
                <a class="icon-button" href=Route::Conversation(id).path() aria-label="Open as the page" title="Open as the page">
                    {Icon::ArrowUp.draw()}
                </a>
            })}
            {section.map(|section| view! {
                <IconButton icon=Icon::Close label="Close the side panel ( ] )"
                    on_click=move |()| layout.toggle(Pane::Panel, section.get_untracked())/>
            })}
        </header>
        <div class="panel-body">
            {move || match holds.get() {
                Holds::Choice => view! { <Choices begin=move |()| begun.set(true)/> }.into_any(),
                Holds::Same => view! {
                    <Empty title="Open on the page" text="This conversation is the page already. Choose another to have beside it."/>
                }.into_any(),
                Holds::Conversation => view! { <ConversationView id=shown started/> }.into_any(),
            }}
        </div>
    }
}

/// The newest conversations, and a new one.
#[component]
fn Choices(#[prop(into)] begin: Callback<()>) -> impl IntoView {
    let conversations = use_conversations();
    let layout = use_layout();
    // the list may or may not be here while the server renders: it is shown when that is settled
    let settled = RwSignal::new(false);
    Effect::new(move |_| {
        settled.set(true);
        if !conversations.rows.is_seeded() {
            conversations.reload();
        }
    });
    let newest = move || if settled.get() { conversations.newest(CHOICES) } else { Vec::new() };
    view! {
        <div class="choices">
            <h2>"Beside the page"</h2>
            <button type="button" class="choice is-new" on:click=move |_| begin.run(())>
                {Icon::Plus.draw()} "New conversation"
            </button>
            {move || newest().into_iter().map(|summary| {
                let id = summary.id;
                view! {
                    <button type="button" class="choice" on:click=move |_| layout.set_panel_conversation(Some(id))>
                        {summary.display_title().to_owned()}
                    </button>
                }
            }).collect_view()}
        </div>
    }
}
