//! Beside a note: the conversation that knows it, what links to it, comments, versions, who may see it.

mod comments;
mod links;
mod share;
mod versions;

pub use comments::Comments;
pub use share::{Copied, SharePart};

use crate::components::icon::{Icon, IconButton};
use crate::frame::layout::{Pane, Tab, use_layout};
use crate::frame::panel::PanelConversation;
use crate::pages::notes::desk::use_desk;
use crate::route::Section;
use leptos::prelude::*;
use links::Links;
use share::ShareTab;
use shared::NoteId;
use versions::Versions;

#[component]
pub fn NoteBeside(id: Memo<Option<NoteId>>) -> impl IntoView {
    let layout = use_layout();
    let tab = Memo::new(move |_| layout.tab());
    view! {
        <header class="panel-bar beside-bar">
            <div class="beside-tabs" role="tablist" aria-label="Beside the note" on:keydown=step>
                {Tab::ALL.into_iter().map(|one| {
                    let chosen = move || tab.get() == one;
                    view! {
                        <button type="button" role="tab" class="beside-tab" id=format!("tab-{}", one.title())
                            aria-selected=move || chosen().to_string() aria-controls="beside"
                            tabindex=move || if chosen() { "0" } else { "-1" }
                            on:click=move |_| layout.show_tab(one, Section::Notes)>{one.title()}</button>
                    }
                }).collect_view()}
            </div>
            <IconButton icon=Icon::Close label="Close the side panel ( ] )"
                on_click=move |()| layout.toggle(Pane::Panel, Section::Notes)/>
        </header>
        <div class="beside" id="beside" role="tabpanel" aria-labelledby=move || format!("tab-{}", tab.get().title())>
            {move || body(tab.get(), id)}
        </div>
    }
}

fn body(tab: Tab, id: Memo<Option<NoteId>>) -> AnyView {
    if tab == Tab::Chat {
        return view! { <PanelConversation lead=view! { <Knows/> }.into_any()/> }.into_any();
    }
    (move || {
        let id = id.get()?;
        Some(match tab {
            Tab::Chat => ().into_any(),
            Tab::Links => view! { <Links id/> }.into_any(),
            Tab::Comments => view! { <Comments id/> }.into_any(),
            Tab::Versions => view! { <Versions id/> }.into_any(),
            Tab::Share => view! { <ShareTab id/> }.into_any(),
        })
    })
    .into_any()
}

/// What the conversation is shown of the note.
#[component]
fn Knows() -> impl IntoView {
    let desk = use_desk();
    let words = move || match desk
        .selection
        .with(|selected| selected.as_ref().map(|one| one.text.split_whitespace().count()))
    {
        None | Some(0) => "The model is shown this note.".to_owned(),
        Some(1) => "The model is shown this note and the word you selected.".to_owned(),
        Some(count) => format!("The model is shown this note and the {count} words you selected."),
    };
    view! { <span class="beside-knows">{words}</span> }
}

/// Arrow keys go from tab to tab.
fn step(event: leptos::ev::KeyboardEvent) {
    let by = match event.key().as_str() {
        "ArrowRight" => 1,
        "ArrowLeft" => Tab::ALL.len() - 1,
        _ => return,
    };
    event.prevent_default();
    let layout = use_layout();
    let at = Tab::ALL.iter().position(|tab| *tab == untrack(|| layout.tab())).unwrap_or(0);
    let next = Tab::ALL[(at + by) % Tab::ALL.len()];
    layout.show_tab(next, Section::Notes);
    crate::client::document::focus(&format!("tab-{}", next.title()));
}
