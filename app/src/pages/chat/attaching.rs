//! What is attached to the conversation: completed by name behind an `@`, dropped, pasted, chosen; shown as chips
//! that can be taken off. What is attached here is sent with the next message.

use super::exchange::Exchange;
use crate::client::api;
use crate::client::uploads::{Uploads, use_uploads};
use crate::components::icon::Icon;
use crate::components::toast::{Toasts, use_toasts};
use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::ConversationId;
use shared::context::{Attached, Thing, ThingKind};
use shared::file::FileSummary;
use std::time::Duration;

/// The element that the names are in.
pub const NAMES_ID: &str = "attachable";
/// Longer than any name that somebody types after an `@`.
const LONGEST_WORDS: usize = 60;

/// The things of one open conversation.
#[derive(Clone, Copy)]
pub struct Attaching {
    /// What the server has.
    pub kept: RwSignal<Vec<Attached>>,
    /// What the next message brings.
    pub new: RwSignal<Vec<Attached>>,
    /// Names of files on their way.
    pub coming: RwSignal<Vec<String>>,
    /// The names that complete what stands behind the `@`; closed while none is typed.
    pub names: RwSignal<Option<Vec<Attached>>>,
    pub chosen: RwSignal<usize>,
    words: RwSignal<Option<String>>,
    #[cfg_attr(not(feature = "hydrate"), expect(dead_code))]
    uploads: Uploads,
    #[cfg_attr(not(feature = "hydrate"), expect(dead_code))]
    toasts: Toasts,
}

impl Attaching {
    /// In a component.
    pub fn provide() -> Self {
        Self {
            kept: RwSignal::new(Vec::new()),
            new: RwSignal::new(Vec::new()),
            coming: RwSignal::new(Vec::new()),
            names: RwSignal::new(None),
            chosen: RwSignal::new(0),
            words: RwSignal::new(None),
            uploads: use_uploads(),
            toasts: use_toasts(),
        }
    }

    /// Everything, each thing once.
    pub fn all(self) -> Vec<Attached> {
        let kept = self.kept.get();
        let new = self.new.get().into_iter().filter(|new| kept.iter().all(|one| one.thing != new.thing));
        let new: Vec<Attached> = new.collect();
        kept.into_iter().chain(new).collect()
    }

    /// Fetches what the server has. Of a conversation that is begun here there is nothing yet.
    pub fn follow(self, exchange: Exchange) {
        Effect::new(move |_| {
            if let Some(id) = exchange.thread.id.get_untracked() {
                self.fetch(id);
            }
        });
    }

    /// Begins a new conversation with what an address names, as in `collection:0190…`.
    pub fn begin_with(self, named: String) {
        Effect::new(move |_| {
            let thing = named
                .split_once(':')
                .and_then(|(kind, id)| Some(Thing { kind: ThingKind::parse(kind)?, id: id.parse().ok()? }));
            if let Some(thing) = thing {
                self.bring(thing);
            }
        });
    }

    /// Attaches a thing of which nobody here knows the name.
    fn bring(self, thing: Thing) {
        spawn_local(async move {
            let path = format!("/attachable?q={}", api::encode(&thing.url()));
            // where it is not there, or cannot be reached, the line to the server says so
            if let Some(named) = api::get::<Vec<Attached>>(path).await.ok().and_then(|mut found| found.pop())
                && !self.new.is_disposed()
            {
                self.add(named);
            }
        });
    }

    pub fn fetch(self, id: ConversationId) {
        spawn_local(async move {
            // else what is attached stays so; it is only not shown
            if let Ok(kept) = api::get::<Vec<Attached>>(format!("/conversations/{id}/attachments")).await {
                drop(self.kept.try_set(kept));
            }
        });
    }

    pub fn add(self, thing: Attached) {
        let known = |things: &Vec<Attached>| things.iter().any(|one| one.thing == thing.thing);
        if !self.kept.with_untracked(known) && !self.new.with_untracked(known) {
            self.new.update(|new| new.push(thing));
        }
    }

    /// What was on its way by this name is there, or will not come.
    pub fn arrived(self, name: &str, file: Option<FileSummary>) {
        self.coming.update(|coming| {
            if let Some(at) = coming.iter().position(|one| one == name) {
                coming.remove(at);
            }
        });
        let Some(file) = file else { return };
        let thing = Thing { kind: ThingKind::File, id: file.id.0 };
        self.add(Attached { thing, title: file.name, gone: false });
    }

    fn remove(self, thing: Thing, exchange: Exchange) {
        self.new.update(|new| new.retain(|one| one.thing != thing));
        let id = exchange.thread.id.get_untracked();
        let was_kept = self.kept.with_untracked(|kept| kept.iter().any(|one| one.thing == thing));
        let (Some(id), true) = (id, was_kept) else { return };
        self.kept.update(|kept| kept.retain(|one| one.thing != thing));
        let path = format!("/conversations/{id}/attachments/{}/{}", thing.kind.as_str(), thing.id);
        spawn_local(async move {
            if let Err(problem) = api::delete::<()>(path).await {
                exchange.toasts.problem(&problem);
                self.fetch(id);
            }
        });
    }

    /// What the message that is sent now brings; from here on it is the conversation's.
    pub fn take(self) -> Vec<Attached> {
        let new = self.new.get_untracked();
        self.new.set(Vec::new());
        self.kept.update(|kept| kept.extend(new.iter().cloned()));
        new
    }

    /// A message that brought these was not sent.
    pub fn give_back(self, things: &[Attached]) {
        self.kept.update(|kept| kept.retain(|one| things.iter().all(|thing| thing.thing != one.thing)));
        things.iter().for_each(|thing| self.add(thing.clone()));
    }

    /// Completes what stands behind the `@` before the caret, if one does.
    pub fn typed(self, before_caret: &str) {
        let words = words_behind_at(before_caret).map(str::to_owned);
        if self.words.get_untracked() == words {
            return;
        }
        self.words.set(words.clone());
        self.chosen.set(0);
        let Some(words) = words else { return self.close() };
        set_timeout(
            move || {
                if self.words.try_get_untracked().flatten().as_ref() != Some(&words) {
                    return;
                }
                spawn_local(async move {
                    let found =
                        api::get::<Vec<Attached>>(format!("/attachable?q={}", api::encode(&words))).await;
                    if self.words.try_get_untracked().flatten().as_ref() != Some(&words) {
                        return;
                    }
                    match found {
                        // somebody writes to somebody, not of a thing
                        Ok(found) if found.is_empty() && words.contains(' ') => self.names.set(None),
                        Ok(found) => self.names.set(Some(found)),
                        // the next letter asks again
                        Err(_) => {}
                    }
                });
            },
            Duration::from_millis(60),
        );
    }

    pub fn close(self) {
        self.words.set(None);
        self.names.set(None);
    }

    pub fn move_choice(self, step: isize) {
        let count = self.names.with_untracked(|names| names.as_ref().map_or(0, Vec::len)).max(1);
        self.chosen.update(|at| *at = (*at + count).saturating_add_signed(step) % count);
    }

    pub fn choice(self) -> Option<Attached> {
        let at = self.chosen.get_untracked();
        self.names.with_untracked(|names| names.as_ref()?.get(at).cloned())
    }
}

/// The words behind the last `@` that begins a word.
pub fn words_behind_at(text: &str) -> Option<&str> {
    let (before, words) = text.rsplit_once('@')?;
    let begins = before.is_empty() || before.ends_with(|c: char| c.is_whitespace() || c == '(');
    let fits = words.len() <= LONGEST_WORDS && !words.contains('\n') && !words.starts_with(' ');
    (begins && fits).then_some(words)
}

pub fn icon_of(kind: ThingKind) -> Icon {
    match kind {
        ThingKind::Note => Icon::Note,
        ThingKind::File => Icon::File,
        ThingKind::Page => Icon::Web,
        ThingKind::Collection => Icon::Archive,
        ThingKind::Conversation => Icon::Chat,
    }
}

pub fn word_of(kind: ThingKind) -> &'static str {
    match kind {
        ThingKind::Note => "Note",
        ThingKind::File => "File",
        ThingKind::Page => "Page",
        ThingKind::Collection => "Collection",
        ThingKind::Conversation => "Conversation",
    }
}

/// The chips above the field: what every answer here is given.
pub fn chips(attaching: Attaching, exchange: Exchange) -> AnyView {
    let is_empty = move || {
        attaching.kept.with(Vec::is_empty)
            && attaching.new.with(Vec::is_empty)
            && attaching.coming.with(Vec::is_empty)
    };
    view! {
        <ul class="chips composer-chips" aria-label="Attached" hidden=is_empty>
            {move || attaching.all().into_iter().map(|one| {
                let thing = one.thing;
                let label = format!("Take {} off", one.title);
                view! {
                    <li class="chip" class:is-gone=one.gone>
                        {chip_link(&one)}
                        <button type="button" class="chip-remove" aria-label=label.clone() title=label
                            on:click=move |_| attaching.remove(thing, exchange)>{Icon::Close.draw()}</button>
                    </li>
                }
            }).collect_view()}
            {move || attaching.coming.get().into_iter().map(|name| view! {
                <li class="chip is-coming" role="status">{Icon::Upload.draw()}<span class="chip-name">{format!("Uploading {name}")}</span></li>
            }).collect_view()}
        </ul>
    }
    .into_any()
}

/// The chips on the message that brought them.
pub fn brought(things: &[Attached]) -> AnyView {
    if things.is_empty() {
        return ().into_any();
    }
    let chips = things.iter().map(|one| view! { <li class="chip">{chip_link(one)}</li> }).collect_view();
    view! { <ul class="chips" aria-label="Attached with this message">{chips}</ul> }.into_any()
}

fn chip_link(one: &Attached) -> AnyView {
    let icon = icon_of(one.thing.kind).draw();
    let title = one.title.clone();
    match one.gone {
        true => view! {
            <span class="chip-link" title="It was deleted, or is not shared with you any more: no answer is given it.">
                {icon}<span class="chip-name">{title}</span><span class="chip-note">"left out"</span>
            </span>
        }
        .into_any(),
        false => view! { <a class="chip-link" href=one.thing.url()>{icon}<span class="chip-name">{title}</span></a> }
            .into_any(),
    }
}

/// The names that complete an `@`.
pub fn names(attaching: Attaching, choose: Callback<Attached>) -> AnyView {
    view! {
        {move || attaching.names.get().map(|found| {
            if found.is_empty() {
                return view! {
                    <div class="names"><p class="names-none" role="status">"No file, note, page or collection of this name."</p></div>
                }.into_any();
            }
            view! {
                <ul class="names" id=NAMES_ID role="listbox" aria-label="Attach">
                    {found.into_iter().enumerate().map(|(at, one)| {
                        let (icon, title, kind) = (icon_of(one.thing.kind), one.title.clone(), word_of(one.thing.kind));
                        view! {
                            <li class="palette-offer" role="option" id=format!("attachable-{at}")
                                aria-selected=move || (attaching.chosen.get() == at).to_string()
                                on:pointermove=move |_| if attaching.chosen.get_untracked() != at { attaching.chosen.set(at) }
                                // before the field loses the focus
                                on:pointerdown=move |event| { event.prevent_default(); choose.run(one.clone()) }>
                                {icon.draw()}
                                <span class="palette-title">{title}</span>
                                <span class="palette-kind">{kind}</span>
                            </li>
                        }
                    }).collect_view()}
                </ul>
            }.into_any()
        })}
    }
    .into_any()
}

/// Uploads files that were dropped, pasted or chosen, and attaches each once it is there.
#[cfg(feature = "hydrate")]
pub fn take_files(files: &web_sys::FileList, attaching: Attaching) {
    use crate::client::uploads::Chosen;
    let chosen: Vec<Chosen> = (0..files.length())
        .filter_map(|at| files.get(at))
        .map(|file| {
            let name = file.name();
            attaching.coming.update(|coming| coming.push(name.clone()));
            let then = Callback::new(move |file| {
                if !attaching.coming.is_disposed() {
                    attaching.arrived(&name, file);
                }
            });
            Chosen { file, folder: String::new(), then: Some(then) }
        })
        .collect();
    spawn_local(async move {
        if crate::areas::send_files(attaching.uploads, chosen).await.is_err() {
            attaching.coming.try_update(Vec::clear);
            attaching.toasts.say(crate::areas::NOT_LOADED);
        }
    });
}

/// Takes what is dropped on a conversation: files, or a thing of ours by its link, as from a list.
pub fn dropped(event: &leptos::ev::DragEvent, attaching: Attaching) {
    #[cfg(feature = "hydrate")]
    if let Some(data) = event.data_transfer() {
        if let Some(files) = data.files().filter(|files| files.length() > 0) {
            event.prevent_default();
            take_files(&files, attaching);
        } else if let Some(thing) = data.get_data(LINK).ok().and_then(|link| linked(&link)) {
            event.prevent_default();
            attaching.bring(thing);
        }
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = (event, attaching);
}

/// How a browser names a link that is dragged.
#[cfg(feature = "hydrate")]
const LINK: &str = "text/uri-list";

/// The thing that a dragged link leads to, if it is one of this server.
#[cfg(feature = "hydrate")]
fn linked(link: &str) -> Option<Thing> {
    let origin = window().location().origin().ok()?;
    let (thing, _) = Thing::of_url(link.lines().next()?.strip_prefix(&origin)?)?;
    Some(thing).filter(|thing| thing.kind.is_attachable())
}

/// Says that files and links may be dropped here.
pub fn dragged(event: &leptos::ev::DragEvent) {
    #[cfg(feature = "hydrate")]
    if let Some(data) = event
        .data_transfer()
        .filter(|data| ["Files", LINK].iter().any(|kind| data.types().includes(&(*kind).into(), 0)))
    {
        event.prevent_default();
        data.set_drop_effect("copy");
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = event;
}

/// Takes files that are pasted; what is text stays the field's.
pub fn pasted(event: &leptos::ev::ClipboardEvent, attaching: Attaching) {
    #[cfg(feature = "hydrate")]
    if let Some(files) =
        event.clipboard_data().and_then(|data| data.files()).filter(|files| files.length() > 0)
    {
        event.prevent_default();
        take_files(&files, attaching);
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = (event, attaching);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_behind_an_at_that_begins_a_word_are_completed() {
        assert_eq!(words_behind_at("see @lea"), Some("lea"));
        assert_eq!(words_behind_at("@"), Some(""));
        assert_eq!(words_behind_at("(@old house"), Some("old house"));
        for none in ["me@example.org", "no", "@ x", "@a\nb"] {
            assert_eq!(words_behind_at(none), None, "{none:?}");
        }
    }
}
