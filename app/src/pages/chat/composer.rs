//! Where one writes. It shares no signal with an answer that streams, so typing is never held up.
//! What is typed is kept by the browser until it was sent.

use super::Place;
use super::attaching::{self, NAMES_ID};
use super::models::ModelPicker;
use super::parts::is_active;
use super::view::Shared;
use crate::areas::{Apart, Part, RestPart};
use crate::client::drafts;
use crate::components::icon::Icon;
use crate::components::menu::{MenuItem, MenuItems, place};
use leptos::ev::KeyboardEvent;
use leptos::html;
use leptos::prelude::*;
use shared::context::Attached;
use shared::conversation::MessageRole;
use shared::{ConversationId, MessageId};

/// The field and what it holds.
#[derive(Clone, Copy)]
struct Writing {
    shared: Shared,
    field: NodeRef<html::Textarea>,
    is_blank: RwSignal<bool>,
    /// What was in the field before editing began.
    set_aside: StoredValue<String>,
    /// What was typed in edits that were left.
    edits: StoredValue<Vec<(MessageId, String)>>,
}

#[component]
pub fn Composer(shared: Shared) -> impl IntoView {
    let writing = Writing {
        shared,
        field: NodeRef::new(),
        is_blank: RwSignal::new(true),
        set_aside: StoredValue::new(String::new()),
        edits: StoredValue::new(Vec::new()),
    };
    writing.restore();
    writing.follow_editing();
    // The element may go on to serve another conversation; it must not take this one's text there.
    // The draft is kept already.
    on_cleanup(move || {
        if let Some(Some(field)) = writing.field.try_get_untracked() {
            field.set_value("");
        }
    });
    let editing = shared.editing;
    let attaching = shared.attaching;
    let choose = Callback::new(move |thing| writing.attach(thing));
    let active = move || attaching.names.with(|names| names.as_ref().is_some_and(|names| !names.is_empty()));
    view! {
        <form class="composer" class:is-editing=move || editing.get().is_some()
            on:submit=move |event| { event.prevent_default(); writing.send(); }>
            {move || editing.get().map(|_| view! {
                <p class="editing">
                    "Editing an earlier message. The one before stays as a variant."
                    <button type="button" class="button is-plain" on:click=move |_| writing.leave_editing()>"Leave"</button>
                </p>
            })}
            {attaching::names(attaching, choose)}
            {attaching::chips(attaching, shared.exchange)}
            <textarea
                class="composer-field"
                rows="1"
                placeholder="Write a message, @ attaches"
                aria-label="Message"
                enterkeyhint="send"
                aria-autocomplete="list"
                aria-controls=move || active().then_some(NAMES_ID)
                aria-activedescendant=move || active().then(|| format!("attachable-{}", attaching.chosen.get()))
                autocomplete="off"
                node_ref=writing.field
                on:input=move |_| writing.typed()
                on:keydown=move |event| writing.key(&event)
                on:paste=move |event| attaching::pasted(&event, attaching)
                on:blur=move |_| attaching.close()
            ></textarea>
            <div class="composer-foot">
                {attach_button(writing)}
                <ModelPicker shared/>
                <noscript><span class="standing">"Writing needs scripts; reading does not."</span></noscript>
                <Apart part=Part::Rest(RestPart::Meter(match shared.place {
                    Place::Page => "given-next",
                    Place::Panel => "given-next-beside",
                }))/>
                <span class="composer-keys" aria-hidden="true"><kbd>"Enter"</kbd>" sends"</span>
                {buttons(writing)}
            </div>
        </form>
    }
}

/// A file from this device, or whatever an `@` completes.
fn attach_button(writing: Writing) -> AnyView {
    let (menu, field) = match writing.shared.place {
        Place::Page => ("attach-menu", "files-to-attach"),
        Place::Panel => ("attach-menu-beside", "files-to-attach-beside"),
    };
    view! {
        <button type="button" class="icon-button composer-attach" aria-haspopup="menu" aria-label="Attach" title="Attach"
            popovertarget=menu on:click=move |event| place(&event, menu)>
            {Icon::Clip.draw()}
        </button>
        <MenuItems id=menu.to_owned() label="Attach".to_owned()>
            <MenuItem icon=Icon::Search on_choose=move |()| writing.begin_at()>"A file, note, page or collection of yours"</MenuItem>
            <MenuItem icon=Icon::Upload on_choose=move |()| press(field)>"Upload from this device"</MenuItem>
        </MenuItems>
        <input id=field type="file" multiple hidden aria-label="Files to attach" on:change=move |event| chosen(&event, writing)/>
    }
    .into_any()
}

fn press(field: &str) {
    #[cfg(feature = "hydrate")]
    if let Some(field) = crate::client::document::element(field) {
        field.click();
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = field;
}

fn chosen(event: &leptos::ev::Event, writing: Writing) {
    #[cfg(feature = "hydrate")]
    {
        use wasm_bindgen::JsCast;
        let field = event.target().and_then(|target| target.dyn_into::<web_sys::HtmlInputElement>().ok());
        let Some(field) = field else { return };
        if let Some(files) = field.files() {
            attaching::take_files(&files, writing.shared.attaching);
        }
        // the same file may be chosen again
        field.set_value("");
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = (event, writing);
}

fn buttons(writing: Writing) -> AnyView {
    let exchange = writing.shared.exchange;
    let running = exchange.thread.running;
    // Always there: what the server could not know yet may only change attributes.
    view! {
        <button type="button" class="icon-button composer-stop" aria-label="Stop the answer" title="Stop the answer"
            hidden=move || running.get().is_none() on:click=move |_| exchange.stop()>{Icon::Stop.draw()}</button>
        <button type="submit" class="icon-button composer-send" aria-label="Send" title="Send" disabled=writing.is_blank>
            {Icon::ArrowUp.draw()}
        </button>
    }
    .into_any()
}

impl Writing {
    fn text(self) -> String {
        self.field.get_untracked().map(|field| field.value()).unwrap_or_default()
    }

    fn set_text(self, text: &str) {
        if let Some(field) = self.field.get_untracked() {
            field.set_value(text);
            fit(&field);
        }
        self.is_blank.set(text.trim().is_empty());
    }

    fn place(self) -> (shared::UserId, Option<ConversationId>) {
        let exchange = self.shared.exchange;
        (exchange.session.profile.with_untracked(|profile| profile.id), exchange.thread.id.get_untracked())
    }

    /// Puts the draft into the field, unless somebody was quicker and typed before the page was ready.
    fn restore(self) {
        Effect::new(move |_| {
            if self.field.get().is_none() {
                return;
            }
            let typed = self.text();
            let (user, conversation) = self.place();
            let text = if typed.is_empty() { drafts::read(user, conversation) } else { typed };
            self.set_text(&text);
            if conversation.is_none() && crate::client::document::nobody_types() {
                self.focus();
            }
        });
        // A message that was not sent comes back.
        Effect::new(move |_| {
            if let Some(text) = self.shared.taken_back.get() {
                self.shared.taken_back.set(None);
                let now = self.text();
                let text = if now.trim().is_empty() { text } else { format!("{text}\n\n{now}") };
                self.set_text(&text);
                self.keep(&text);
                self.focus();
            }
        });
    }

    fn focus(self) {
        #[cfg(feature = "hydrate")]
        if let Some(field) = self.field.get_untracked() {
            crate::client::document::note(field.focus());
            let end = field.value().encode_utf16().count() as u32;
            crate::client::document::note(field.set_selection_range(end, end));
        }
    }

    fn keep(self, text: &str) {
        let (user, conversation) = self.place();
        drafts::write(user, conversation, text);
    }

    fn typed(self) {
        #[cfg(feature = "hydrate")]
        super::paint::give_way();
        let text = self.text();
        self.is_blank.set(text.trim().is_empty());
        if let Some(field) = self.field.get_untracked() {
            fit(&field);
        }
        self.shared.attaching.typed(&self.before_caret());
        match self.shared.editing.get_untracked() {
            Some(id) => self.keep_edit(id, text),
            None => self.keep(&text),
        }
    }

    /// The text before the caret.
    fn before_caret(self) -> String {
        let text = self.text();
        #[cfg(feature = "hydrate")]
        if let Some(at) = self.field.get_untracked().and_then(|field| field.selection_end().ok().flatten()) {
            let units: Vec<u16> = text.encode_utf16().take(at as usize).collect();
            return String::from_utf16_lossy(&units);
        }
        text
    }

    /// As if an `@` had been typed.
    fn begin_at(self) {
        let before = self.before_caret();
        let space = if before.is_empty() || before.ends_with(char::is_whitespace) { "" } else { " " };
        self.replace(before.len(), &before, &format!("{space}@"));
        self.typed();
    }

    /// Attaches what was chosen, in the place of the words that it was found by.
    fn attach(self, thing: Attached) {
        let before = self.before_caret();
        if let Some(words) = attaching::words_behind_at(&before) {
            let from = before.len() - words.len() - 1;
            self.replace(from, &before, "");
        }
        self.shared.attaching.close();
        self.shared.attaching.add(thing);
        self.typed();
    }

    /// Puts `new` in the place of what stands between `from` and the caret, which `before` ends at.
    fn replace(self, from: usize, before: &str, new: &str) {
        let text = self.text();
        let after = text.get(before.len()..).unwrap_or_default().to_owned();
        let start = format!("{}{new}", &before[..from]);
        self.set_text(&format!("{start}{after}"));
        #[cfg(feature = "hydrate")]
        if let Some(field) = self.field.get_untracked() {
            let caret = start.encode_utf16().count() as u32;
            crate::client::document::note(field.focus());
            crate::client::document::note(field.set_selection_range(caret, caret));
        }
    }

    /// Moves among the names that are offered, and takes one. Whether the key was for that.
    fn key_for_names(self, event: &KeyboardEvent) -> bool {
        let attaching = self.shared.attaching;
        if attaching.names.with_untracked(Option::is_none) {
            return false;
        }
        match (event.key().as_str(), attaching.choice()) {
            ("ArrowDown", Some(_)) => attaching.move_choice(1),
            ("ArrowUp", Some(_)) => attaching.move_choice(-1),
            ("Enter" | "Tab", Some(thing)) => self.attach(thing),
            ("Escape", _) => {
                event.stop_propagation();
                attaching.close();
            }
            _ => return false,
        }
        event.prevent_default();
        true
    }

    fn keep_edit(self, id: MessageId, text: String) {
        self.edits.update_value(|edits| {
            edits.retain(|(other, _)| *other != id);
            edits.push((id, text));
        });
    }

    fn key(self, event: &KeyboardEvent) {
        if event.is_composing() {
            return;
        }
        if self.key_for_names(event) {
            return;
        }
        match event.key().as_str() {
            "Enter" if !event.shift_key() && !event.alt_key() => {
                event.prevent_default();
                self.send();
            }
            "ArrowUp" if self.text().is_empty() && self.shared.editing.get_untracked().is_none() => {
                if let Some(id) = self.last_own() {
                    event.prevent_default();
                    self.shared.editing.set(Some(id));
                }
            }
            "Escape" if self.shared.editing.get_untracked().is_some() => {
                event.prevent_default();
                event.stop_propagation();
                self.leave_editing();
            }
            _ => {}
        }
    }

    fn last_own(self) -> Option<MessageId> {
        self.shared.exchange.thread.items.with_untracked(|items| {
            let own = |message: &shared::conversation::Message| {
                message.role == MessageRole::User && !is_active(message.status)
            };
            items.iter().rev().find(|item| item.message.with_untracked(own)).map(|item| item.id)
        })
    }

    /// Puts the message to be edited into the field, and what was there aside.
    fn follow_editing(self) {
        Effect::new(move |before: Option<Option<MessageId>>| {
            let now = self.shared.editing.get();
            let was_editing = before.flatten().is_some();
            if let Some(id) = now {
                if !was_editing {
                    self.set_aside.set_value(self.text());
                }
                let begun = self.edits.with_value(|edits| {
                    edits.iter().find(|(other, _)| *other == id).map(|(_, text)| text.clone())
                });
                let text = begun.or_else(|| {
                    let item = self.shared.exchange.thread.item(id)?;
                    Some(item.message.with_untracked(|message| message.content.clone()))
                });
                self.set_text(&text.unwrap_or_default());
                self.focus();
            } else if was_editing {
                self.set_text(&self.set_aside.get_value());
                self.focus();
            }
            now
        });
    }

    fn leave_editing(self) {
        self.shared.editing.set(None);
    }

    fn send(self) {
        let text = self.text();
        if text.trim().is_empty() {
            return;
        }
        let Shared { exchange, model, editing, scroll, .. } = self.shared;
        let replaces = editing.get_untracked();
        self.shared.attaching.close();
        exchange.send(text, model.get_untracked(), replaces, self.shared.attaching.take());
        match replaces {
            Some(id) => {
                self.edits.update_value(|edits| edits.retain(|(other, _)| *other != id));
                editing.set(None);
            }
            // The draft itself is forgotten once the message has arrived.
            None => self.set_text(""),
        }
        scroll.to_end();
    }
}

/// As high as its text, up to what the styles allow. Browsers that can do so by themselves do.
fn fit(field: &web_field::Field) {
    web_field::fit(field);
}

#[cfg(feature = "hydrate")]
mod web_field {
    use crate::client::document::note;
    pub type Field = web_sys::HtmlTextAreaElement;

    thread_local! {
        static FITS_BY_ITSELF: bool = {
            let css = js_sys::Reflect::get(&leptos::prelude::window(), &"CSS".into()).unwrap_or_default();
            let supports = js_sys::Reflect::get(&css, &"supports".into()).ok();
            let supports: Option<js_sys::Function> = supports.and_then(|f| wasm_bindgen::JsCast::dyn_into(f).ok());
            supports.is_some_and(|f| f.call2(&css, &"field-sizing".into(), &"content".into()).is_ok_and(|yes| yes.is_truthy()))
        };
    }

    pub fn fit(field: &Field) {
        if FITS_BY_ITSELF.with(|fits| *fits) {
            return;
        }
        let style = field.style();
        note(style.set_property("height", "auto"));
        note(style.set_property("height", &format!("{}px", field.scroll_height())));
    }
}

#[cfg(not(feature = "hydrate"))]
mod web_field {
    pub type Field = leptos::web_sys::HtmlTextAreaElement;
    pub fn fit(_field: &Field) {}
}
