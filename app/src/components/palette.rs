//! The command palette: conversations by their words and every command, from one field.
//! An aria combobox: the focus stays in the field, the arrow keys move what is chosen.

use super::dialog::show_while;
use super::icon::Icon;
use crate::client::{api, document};
use crate::frame::commands::{Command, Commands};
use crate::frame::keyboard::stroke_of;
use crate::pages::conversations::use_conversations;
use crate::route::Route;
use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::ConversationId;
use shared::conversation::ConversationSummary;
use shared::page::Page;
use std::time::Duration;

/// How many conversations are offered.
const CONVERSATIONS_OFFERED: usize = 8;

#[derive(Clone, Debug, PartialEq)]
enum Offer {
    Command(Command),
    Conversation(ConversationId, String),
    /// Search everything for these words.
    Search(String),
}

impl Offer {
    fn title(&self) -> String {
        match self {
            Self::Command(command) => command.title().to_owned(),
            Self::Conversation(_, title) => title.clone(),
            Self::Search(words) => format!("Search everything for “{words}”"),
        }
    }

    fn icon(&self) -> Icon {
        match self {
            Self::Command(_) => Icon::ArrowRight,
            Self::Conversation(..) => Icon::Chat,
            Self::Search(_) => Icon::Search,
        }
    }
}

/// Commands whose title has every word; all of them for no words.
fn commands_for(words: &str, has_conversation: impl Fn() -> bool) -> Vec<Command> {
    let words: Vec<String> = words.split_whitespace().map(str::to_lowercase).collect();
    Command::ALL
        .into_iter()
        .filter(|command| command.is_in_palette() && (!command.needs_conversation() || has_conversation()))
        .filter(|command| {
            let title = command.title().to_lowercase();
            words.iter().all(|word| title.contains(word.as_str()))
        })
        .collect()
}

#[component]
pub fn Palette(commands: Commands) -> impl IntoView {
    let dialog = NodeRef::<leptos::html::Dialog>::new();
    let open = commands.palette_open;
    show_while(dialog, open);
    view! {
        <dialog class="palette" node_ref=dialog aria-label="Find anything" on:close=move |_| open.set(false)
            on:click=move |event| if clicked_veil(&event) { open.set(false) }>
            {move || open.get().then(|| view! { <PaletteContent commands/> })}
        </dialog>
    }
}

/// Whether the click fell beside the dialog's content.
fn clicked_veil(event: &leptos::ev::MouseEvent) -> bool {
    event.target() == event.current_target()
}

#[component]
fn PaletteContent(commands: Commands) -> impl IntoView {
    let words = RwSignal::new(String::new());
    let found = RwSignal::new(use_conversations().newest_now(CONVERSATIONS_OFFERED));
    let chosen = RwSignal::new(0_usize);
    let target = commands.conversation();
    fetch_as_typed(words, found);
    document::focus("palette-words");
    let offers = Memo::new(move |_| {
        let words = words.get();
        let mut offers: Vec<Offer> = found.with(|found| {
            found.iter().map(|one| Offer::Conversation(one.id, one.display_title().to_owned())).collect()
        });
        let matching = commands_for(&words, || target.is_some());
        if words.trim().is_empty() {
            offers.truncate(5);
        } else {
            offers.push(Offer::Search(words.trim().to_owned()));
        }
        offers.extend(matching.into_iter().map(Offer::Command));
        offers
    });
    let take = move |offer: Offer| {
        commands.palette_open.set(false);
        match offer {
            Offer::Command(command) => commands.run(command),
            Offer::Conversation(id, _) => commands.open(&Route::Conversation(id).path()),
            Offer::Search(words) => {
                commands.open(&format!("{}?q={}", Route::Search.path(), api::encode(&words)))
            }
        }
    };
    let keys = move |event: leptos::ev::KeyboardEvent| {
        let count = offers.with(Vec::len).max(1);
        match event.key().as_str() {
            "ArrowDown" => chosen.update(|at| *at = (*at + 1) % count),
            "ArrowUp" => chosen.update(|at| *at = (*at + count - 1) % count),
            "Enter" => {
                if let Some(offer) =
                    offers.with_untracked(|offers| offers.get(chosen.get_untracked()).cloned())
                {
                    take(offer);
                }
            }
            _ => return,
        }
        event.prevent_default();
        keep_in_sight();
    };
    let active = move || {
        offers.with(|offers| (chosen.get() < offers.len()).then(|| format!("offer-{}", chosen.get())))
    };
    view! {
        <div class="palette-field">
            {Icon::Search.draw()}
            <input id="palette-words" type="text" role="combobox" aria-label="Find conversations and commands" aria-expanded="true"
                aria-controls="palette-offers" aria-autocomplete="list" aria-activedescendant=active
                placeholder="Find a conversation or a command" autocomplete="off" autofocus
                prop:value=move || words.get()
                on:input=move |event| { words.set(event_target_value(&event)); chosen.set(0); }
                on:keydown=keys/>
        </div>
        <ul class="palette-offers" id="palette-offers" role="listbox" aria-label="Found">
            {move || offers.get().into_iter().enumerate().map(|(at, offer)| {
                let key = match &offer {
                    Offer::Command(command) => stroke_of(*command).map(|stroke| stroke.caps()),
                    _ => None,
                };
                let (icon, title) = (offer.icon(), offer.title());
                view! {
                    <li class="palette-offer" role="option" id=format!("offer-{at}")
                        aria-selected=move || (chosen.get() == at).to_string()
                        on:pointermove=move |_| if chosen.get_untracked() != at { chosen.set(at) }
                        on:click=move |_| take(offer.clone())>
                        {icon.draw()}
                        <span class="palette-title">{title}</span>
                        {key.map(|caps| caps.into_iter().map(|cap| view! { <kbd>{cap}</kbd> }).collect_view())}
                    </li>
                }
            }).collect_view()}
        </ul>
    }
}

/// Asks for conversations with these words a moment after the last was typed.
fn fetch_as_typed(words: RwSignal<String>, found: RwSignal<Vec<ConversationSummary>>) {
    Effect::new(move |before: Option<()>| {
        let asked = words.get();
        if before.is_none() {
            return;
        }
        set_timeout(
            move || {
                if words.try_with_untracked(|now| *now == asked) != Some(true) {
                    return;
                }
                spawn_local(async move {
                    let path =
                        format!("/conversations?limit={CONVERSATIONS_OFFERED}&q={}", api::encode(&asked));
                    match api::get::<Page<ConversationSummary>>(path).await {
                        Ok(page) if words.try_with_untracked(|now| *now == asked) == Some(true) => {
                            found.set(page.items)
                        }
                        Ok(_) => {}
                        // commands still work; the status line says why conversations do not
                        Err(problem) => leptos::logging::warn!("{problem}"),
                    }
                });
            },
            Duration::from_millis(120),
        );
    });
}

/// Scrolls to what is chosen, after it was drawn.
fn keep_in_sight() {
    #[cfg(feature = "hydrate")]
    request_animation_frame(|| {
        if let Ok(Some(offer)) = document().query_selector(".palette-offer[aria-selected=true]") {
            let options = web_sys::ScrollIntoViewOptions::new();
            options.set_block(web_sys::ScrollLogicalPosition::Nearest);
            offer.scroll_into_view_with_scroll_into_view_options(&options);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_found_by_any_of_their_words() {
        assert_eq!(commands_for("api key", || true), vec![Command::ApiKeys]);
        assert!(commands_for("pin", || false).is_empty(), "there is no conversation to pin");
        assert!(commands_for("", || true).contains(&Command::TurnTheme));
    }
}
