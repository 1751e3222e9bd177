//! Forgetting is asked about first: it cannot be undone.

use super::words;
use crate::client::api;
use crate::components::button::{Button, Look};
use crate::components::dialog::show_while;
use crate::components::toast::{Toasts, use_toasts};
use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::MemoryId;
use shared::memory::Memory;

/// The question. Given as context by the page.
#[derive(Clone, Copy)]
pub struct Ask {
    about: RwSignal<Option<Memory>>,
    forgotten: RwSignal<u32>,
    /// The one that the server was told to forget.
    going: RwSignal<Option<MemoryId>>,
    toasts: Toasts,
}

pub fn use_ask() -> Ask {
    expect_context::<Ask>()
}

impl Ask {
    pub fn provide() -> Self {
        let ask = Self {
            about: RwSignal::new(None),
            forgotten: RwSignal::new(0),
            going: RwSignal::new(None),
            toasts: use_toasts(),
        };
        provide_context(ask);
        ask
    }

    pub fn about(self, memory: Memory) {
        self.about.set(Some(memory));
    }

    /// Rises with every memory that was forgotten here.
    pub fn forgotten(self) -> u32 {
        self.forgotten.get()
    }

    /// Whether it is being forgotten, or was: there is nothing to ask of it any more.
    pub fn is_going(self, id: MemoryId) -> bool {
        self.going.get_untracked() == Some(id)
    }

    fn forget(self) {
        let Some(memory) = self.about.get_untracked() else { return };
        self.about.set(None);
        self.going.set(Some(memory.id));
        let toasts = self.toasts;
        spawn_local(async move {
            match api::delete::<()>(format!("/memories/{}", memory.id)).await {
                Ok(()) => {
                    self.forgotten.try_update(|count| *count += 1);
                    toasts.say("Forgotten.");
                }
                Err(problem) => {
                    self.going.try_set(None);
                    toasts.problem(&problem);
                }
            }
        });
    }

    pub fn dialog(self) -> AnyView {
        let dialog = NodeRef::<leptos::html::Dialog>::new();
        let open = RwSignal::new(false);
        Effect::new(move |_| open.set(self.about.with(Option::is_some)));
        show_while(dialog, open);
        let close = move || self.about.set(None);
        view! {
            <dialog class="ask" node_ref=dialog aria-labelledby="forget-title" on:close=move |_| close()
                on:click=move |event| if event.target() == event.current_target() { close() }>
                {move || self.about.get().map(|memory| view! {
                    <div class="ask-inner">
                        <h2 id="forget-title">"Forget this for good?"</h2>
                        <p class="memory-quote">{words::shown(&memory.content)}</p>
                        <p>"This cannot be undone: its history and what it replaced go too."</p>
                        <p class="form-foot">
                            <Button look=Look::Danger on_click=move |()| self.forget()>"Forget for good"</Button>
                            <Button look=Look::Plain on_click=move |()| close()>"Keep it"</Button>
                        </p>
                    </div>
                })}
            </dialog>
        }
        .into_any()
    }
}
