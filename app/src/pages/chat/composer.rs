//! Where one writes. It shares no signal with an answer that streams, so typing is never held up.
//! What is typed is kept by the browser until it was sent.

use super::models::ModelPicker;
use super::parts::is_active;
use super::view::Shared;
use crate::client::drafts;
use crate::components::icon::Icon;
use leptos::ev::KeyboardEvent;
use leptos::html;
use leptos::prelude::*;
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
    view! {
        <form class="composer" class:is-editing=move || editing.get().is_some()
            on:submit=move |event| { event.prevent_default(); writing.send(); }>
            {move || editing.get().map(|_| view! {
                <p class="editing">
                    "Editing an earlier message. The one before stays as a variant."
                    <button type="button" class="button is-plain" on:click=move |_| writing.leave_editing()>"Leave"</button>
                </p>
            })}
            <textarea
                class="composer-field"
                rows="1"
                placeholder="Write a message"
                aria-label="Message"
                enterkeyhint="send"
                autocomplete="off"
                node_ref=writing.field
                on:input=move |_| writing.typed()
                on:keydown=move |event| writing.key(&event)
            ></textarea>
            <div class="composer-foot">
                <ModelPicker shared/>
                <noscript><span class="standing">"Writing needs scripts; reading does not."</span></noscript>
                <span class="composer-keys" aria-hidden="true"><kbd>"Enter"</kbd>" sends"</span>
                {buttons(writing)}
            </div>
        </form>
    }
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
        match self.shared.editing.get_untracked() {
            Some(id) => self.keep_edit(id, text),
            None => self.keep(&text),
        }
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
        exchange.send(text, model.get_untracked(), replaces);
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
