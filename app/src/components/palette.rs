//! The command palette: notes, files and conversations by their words and every command, from one field.
//! An aria combobox: the focus stays in the field, the arrow keys move what is chosen.

use super::dialog::show_while;
use super::icon::Icon;
use crate::client::{api, document};
use crate::frame::commands::{Command, Commands, Target};
use crate::frame::keyboard::stroke_of;
use crate::pages::conversations::use_conversations;
use crate::pages::files::use_files;
use crate::pages::notes::use_notes;
use crate::route::Route;
use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::conversation::ConversationSummary;
use shared::file::FileSummary;
use shared::note::NoteSummary;
use shared::page::Page;
use shared::{ConversationId, FileId, NoteId};
use std::time::Duration;

/// How many of each kind are offered.
const OFFERED: usize = 8;

#[derive(Clone, Debug, PartialEq)]
enum Offer {
    Command(Command),
    Conversation(ConversationId, String),
    Note(NoteId, String),
    File(FileId, String),
    /// Search everything for these words.
    Search(String),
}

impl Offer {
    fn title(&self) -> String {
        match self {
            Self::Command(command) => command.title().to_owned(),
            Self::Conversation(_, title) | Self::Note(_, title) | Self::File(_, title) => title.clone(),
            Self::Search(words) => format!("Search everything for “{words}”"),
        }
    }

    fn icon(&self) -> Icon {
        match self {
            Self::Command(_) => Icon::ArrowRight,
            Self::Conversation(..) => Icon::Chat,
            Self::Note(..) => Icon::Note,
            Self::File(..) => Icon::Clip,
            Self::Search(_) => Icon::Search,
        }
    }

    /// What it is, for who does not see the icon.
    fn kind(&self) -> Option<&'static str> {
        match self {
            Self::Conversation(..) => Some("Conversation"),
            Self::Note(..) => Some("Note"),
            Self::File(..) => Some("File"),
            Self::Command(_) | Self::Search(_) => None,
        }
    }
}

/// Commands whose title has every word; all of them for no words.
fn commands_for(words: &str, target: Option<Target>) -> Vec<Command> {
    let words: Vec<String> = words.split_whitespace().map(str::to_lowercase).collect();
    Command::ALL
        .into_iter()
        .filter(|command| command.is_in_palette() && command.fits(target))
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
    let found = RwSignal::new(use_conversations().newest_now(OFFERED));
    let notes = RwSignal::new(use_notes().newest_now(OFFERED));
    let files = RwSignal::new(use_files().newest_now(OFFERED));
    let chosen = RwSignal::new(0_usize);
    let target = commands.target();
    fetch_as_typed(words, found, notes, files);
    document::focus("palette-words");
    let offers = Memo::new(move |_| {
        let words = words.get();
        let mut offers: Vec<Offer> = found.with(|found| {
            found.iter().map(|one| Offer::Conversation(one.id, one.display_title().to_owned())).collect()
        });
        let matching = commands_for(&words, target);
        let is_blank = words.trim().is_empty();
        if is_blank {
            offers.truncate(4);
        }
        files.with(|files| {
            let offered = files.iter().take(if is_blank { 3 } else { OFFERED });
            offers.splice(0..0, offered.map(|one| Offer::File(one.id, one.name.clone())));
        });
        notes.with(|notes| {
            let offered = notes.iter().take(if is_blank { 4 } else { OFFERED });
            offers.splice(0..0, offered.map(|one| Offer::Note(one.id, one.display_title().to_owned())));
        });
        if !is_blank {
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
            Offer::Note(id, _) => commands.open(&Route::Note(id).path()),
            Offer::File(id, _) => commands.open(&Route::File(id).path()),
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
            <input id="palette-words" type="text" role="combobox" aria-label="Find notes, conversations and commands" aria-expanded="true"
                aria-controls="palette-offers" aria-autocomplete="list" aria-activedescendant=active
                placeholder="Find a note, a file, a conversation or a command" autocomplete="off" autofocus
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
                let (icon, title, kind) = (offer.icon(), offer.title(), offer.kind());
                view! {
                    <li class="palette-offer" role="option" id=format!("offer-{at}")
                        aria-selected=move || (chosen.get() == at).to_string()
                        on:pointermove=move |_| if chosen.get_untracked() != at { chosen.set(at) }
                        on:click=move |_| take(offer.clone())>
                        {icon.draw()}
                        <span class="palette-title">{title}</span>
                        {kind.map(|kind| view! { <span class="palette-kind">{kind}</span> })}
                        {key.map(|caps| caps.into_iter().map(|cap| view! { <kbd>{cap}</kbd> }).collect_view())}
                    </li>
                }
            }).collect_view()}
        </ul>
    }
}

/// Asks for what has these words a moment after the last was typed.
fn fetch_as_typed(
    words: RwSignal<String>,
    found: RwSignal<Vec<ConversationSummary>>,
    notes: RwSignal<Vec<NoteSummary>>,
    files: RwSignal<Vec<FileSummary>>,
) {
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
                let query = format!("limit={OFFERED}&q={}", api::encode(&asked));
                let conversations = api::get::<Page<ConversationSummary>>(format!("/conversations?{query}"));
                let with_words = api::get::<Page<NoteSummary>>(format!("/notes?{query}"));
                let with_name = api::get::<Page<FileSummary>>(format!("/files?{query}"));
                spawn_local(async move {
                    let answers = futures::join!(conversations, with_words, with_name);
                    if words.try_with_untracked(|now| *now == asked) != Some(true) {
                        return;
                    }
                    // commands still work; the status line says why the rest does not
                    match answers.0 {
                        Ok(page) => found.set(page.items),
                        Err(problem) => leptos::logging::warn!("{problem}"),
                    }
                    match answers.1 {
                        Ok(page) => notes.set(page.items),
                        Err(problem) => leptos::logging::warn!("{problem}"),
                    }
                    match answers.2 {
                        Ok(page) => files.set(page.items),
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
        assert_eq!(commands_for("api key", None), vec![Command::ApiKeys]);
        assert!(commands_for("pin", None).is_empty(), "there is nothing to pin");
        assert!(commands_for("", None).contains(&Command::TurnTheme));
    }
}
