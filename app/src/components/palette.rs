//! The command palette: notes, files, pages and conversations by their words and every command, from one field.
//! An aria combobox: the focus stays in the field, the arrow keys move what is chosen.

use super::dialog::show_while;
use super::icon::Icon;
use crate::areas::{Apart, Part, RestPart};
use crate::client::{api, document};
use crate::frame::commands::{Command, Commands, Target};
use crate::frame::keyboard::stroke_of;
use crate::pages::conversations::use_conversations;
use crate::pages::files::use_files;
use crate::pages::notes::use_notes;
use crate::pages::saved::{address_in, use_saved};
use crate::route::Route;
use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::conversation::ConversationSummary;
use shared::file::FileSummary;
use shared::note::NoteSummary;
use shared::page::Page;
use shared::saved_page::PageSummary;
use shared::search::{SearchAnswer, SearchHit, SearchKind};
use shared::{ConversationId, FileId, NoteId, PageId};
use std::time::Duration;

/// How many of each kind are offered.
const OFFERED: usize = 8;
/// How many passages.
const PASSAGES: usize = 5;

#[derive(Clone, Debug, PartialEq)]
enum Offer {
    Command(Command),
    Conversation(ConversationId, String),
    Note(NoteId, String),
    File(FileId, String),
    Page(PageId, String),
    /// Save the page of this address.
    SavePage(String),
    /// A passage, found by its words or by what it means.
    Passage(SearchHit),
    /// Search everything for these words.
    Search(String),
}

impl Offer {
    fn title(&self) -> String {
        match self {
            Self::Command(command) => command.title().to_owned(),
            Self::Conversation(_, title) | Self::Note(_, title) | Self::File(_, title) => title.clone(),
            Self::Page(_, title) => title.clone(),
            Self::SavePage(url) => format!("Save the page {url}"),
            Self::Passage(hit) => {
                let passage: String = hit.passage.iter().map(|segment| segment.text.as_str()).collect();
                format!("{}: {passage}", hit.display_title())
            }
            Self::Search(words) => format!("Search everything for “{words}”"),
        }
    }

    fn icon(&self) -> Icon {
        match self {
            Self::Command(_) => Icon::ArrowRight,
            Self::Conversation(..) => Icon::Chat,
            Self::Note(..) => Icon::Note,
            Self::File(..) => Icon::Clip,
            Self::Page(..) => Icon::Web,
            Self::SavePage(_) => Icon::Plus,
            Self::Passage(hit) => match hit.kind {
                SearchKind::Message { .. } | SearchKind::Conversation { .. } => Icon::Chat,
                SearchKind::Note { .. } => Icon::Note,
                SearchKind::File { .. } => Icon::Clip,
                SearchKind::Page { .. } => Icon::Web,
                SearchKind::Memory { .. } => Icon::Bulb,
            },
            Self::Search(_) => Icon::Search,
        }
    }

    /// What it is, for who does not see the icon.
    fn kind(&self) -> Option<&'static str> {
        match self {
            Self::Conversation(..) => Some("Conversation"),
            Self::Note(..) => Some("Note"),
            Self::File(..) => Some("File"),
            Self::Page(..) => Some("Page"),
            Self::Passage(_) => Some("Passage"),
            Self::Command(_) | Self::Search(_) | Self::SavePage(_) => None,
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
            {move || open.get().then(|| view! { <Apart part=Part::Rest(RestPart::Palette)/> })}
        </dialog>
    }
}

/// Whether the click fell beside the dialog's content.
fn clicked_veil(event: &leptos::ev::MouseEvent) -> bool {
    event.target() == event.current_target()
}

/// What it holds while it is open.
#[component]
pub fn PaletteContent() -> impl IntoView {
    let commands = expect_context::<Commands>();
    let words = RwSignal::new(String::new());
    let found = RwSignal::new(use_conversations().rows.newest_now(OFFERED));
    let notes = RwSignal::new(use_notes().rows.newest_now(OFFERED));
    let files = RwSignal::new(use_files().rows.newest_now(OFFERED));
    let saved = use_saved();
    let pages = RwSignal::new(saved.rows.newest_now(OFFERED));
    let passages = RwSignal::new(Vec::<SearchHit>::new());
    let chosen = RwSignal::new(0_usize);
    let target = commands.target();
    fetch_as_typed(words, found, notes, files, pages);
    search_as_typed(words, passages);
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
        pages.with(|pages| {
            let offered = pages.iter().take(if is_blank { 2 } else { OFFERED });
            offers.splice(0..0, offered.map(|one| Offer::Page(one.id, one.title.clone())));
        });
        files.with(|files| {
            let offered = files.iter().take(if is_blank { 3 } else { OFFERED });
            offers.splice(0..0, offered.map(|one| Offer::File(one.id, one.name.clone())));
        });
        notes.with(|notes| {
            let offered = notes.iter().take(if is_blank { 4 } else { OFFERED });
            offers.splice(0..0, offered.map(|one| Offer::Note(one.id, one.display_title().to_owned())));
        });
        if let Some(url) = address_in(&words) {
            offers.insert(0, Offer::SavePage(url.to_owned()));
        }
        if !is_blank {
            let offered: Vec<String> = offers.iter().filter_map(address_of).collect();
            passages.with(|passages| {
                let new = passages.iter().filter(|hit| !offered.contains(&hit.url));
                offers.extend(new.take(PASSAGES).cloned().map(Offer::Passage));
            });
            offers.push(Offer::Search(words.trim().to_owned()));
        }
        offers.extend(matching.into_iter().map(Offer::Command));
        offers
    });
    let take = move |offer: Offer| {
        commands.palette_open.set(false);
        match offer {
            Offer::Command(command) => commands.run_on(command, target),
            Offer::Conversation(id, _) => commands.open(&Route::Conversation(id).path()),
            Offer::Note(id, _) => commands.open(&Route::Note(id).path()),
            Offer::File(id, _) => commands.open(&Route::File(id).path()),
            Offer::Page(id, _) => commands.open(&Route::SavedPage(id).path()),
            Offer::SavePage(url) => {
                saved.save(url, move |page| commands.open(&Route::SavedPage(page.id).path()));
            }
            Offer::Passage(hit) => commands.open(&hit.url),
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
            <input id="palette-words" type="text" role="combobox" aria-label="Find notes, files, conversations and commands" aria-expanded="true"
                aria-controls="palette-offers" aria-autocomplete="list" aria-activedescendant=active
                placeholder="Find anything, or paste an address" autocomplete="off" autofocus
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
    pages: RwSignal<Vec<PageSummary>>,
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
                let saved = api::get::<Page<PageSummary>>(format!("/pages?{query}"));
                spawn_local(async move {
                    let answers = futures::join!(conversations, with_words, with_name, saved);
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
                    match answers.3 {
                        Ok(page) => pages.set(page.items),
                        Err(problem) => leptos::logging::warn!("{problem}"),
                    }
                });
            },
            Duration::from_millis(120),
        );
    });
}

/// Where what is offered by its title opens.
fn address_of(offer: &Offer) -> Option<String> {
    match offer {
        Offer::Conversation(id, _) => Some(Route::Conversation(*id).path()),
        Offer::Note(id, _) => Some(Route::Note(*id).path()),
        Offer::File(id, _) => Some(Route::File(*id).path()),
        Offer::Page(id, _) => Some(Route::SavedPage(*id).path()),
        _ => None,
    }
}

/// Searches everything a little later, so that titles, which are quick, do not wait for what the words mean.
fn search_as_typed(words: RwSignal<String>, passages: RwSignal<Vec<SearchHit>>) {
    Effect::new(move |before: Option<()>| {
        let asked = words.get();
        if before.is_none() {
            return;
        }
        set_timeout(
            move || {
                let is_now = move |asked: &String| words.try_with_untracked(|now| now == asked) == Some(true);
                if !is_now(&asked) {
                    return;
                }
                let limit = PASSAGES + OFFERED;
                let answer = api::get::<SearchAnswer>(format!(
                    "/search?limit={limit}&q={}",
                    api::encode(asked.trim())
                ));
                spawn_local(async move {
                    match answer.await {
                        Ok(answer) if is_now(&asked) => passages.set(answer.items),
                        Ok(_) => {}
                        Err(problem) => leptos::logging::warn!("{problem}"),
                    }
                });
            },
            Duration::from_millis(250),
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
