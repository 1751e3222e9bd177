//! A statement is written down by hand.

use crate::client::api::{self, Method};
use crate::components::attempt::{Attempt, AttemptNote};
use crate::components::button::Submit;
use crate::components::toast::use_toasts;
use leptos::prelude::*;
use shared::memory::{CreateMemory, KeptMemory, MemoryOutcome};

#[component]
pub fn Add() -> impl IntoView {
    let toasts = use_toasts();
    let attempt = Attempt::new();
    let content = RwSignal::new(String::new());
    let local_only = RwSignal::new(false);
    let add = move || {
        let wanted = CreateMemory {
            content: content.get_untracked(),
            local_only: local_only.get_untracked(),
            ..CreateMemory::default()
        };
        attempt.run(api::send::<KeptMemory>(Method::Post, "/memories", &wanted), move |kept| {
            content.set(String::new());
            toasts.say(match kept.outcome {
                MemoryOutcome::Kept => "Remembered.",
                MemoryOutcome::Merged => "That is remembered already.",
                MemoryOutcome::Superseded => "Remembered in place of what was so before.",
            });
        });
    };
    view! {
        <form class="form memory-form" on:submit=move |event| { event.prevent_default(); add(); }>
            <AttemptNote attempt/>
            <label class="field">
                <span class="visually-hidden">"Something to remember"</span>
                <textarea rows="2" maxlength="4000" required placeholder="I live in Lisbon"
                    prop:value=move || content.get()
                    on:input=move |event| content.set(event_target_value(&event))
                    on:keydown=move |event| {
                        if event.key() == "Enter" && (event.ctrl_key() || event.meta_key()) {
                            event.prevent_default();
                            add();
                        }
                    }></textarea>
            </label>
            <div class="memory-form-foot">
                <label class="choice-line">
                    <input type="checkbox" prop:checked=move || local_only.get()
                        on:change=move |event| local_only.set(event_target_checked(&event))/>
                    <span>"Keep from cloud models"<small>"Only models on this machine or its own network are told."</small></span>
                </label>
                <Submit busy=attempt.busy>"Remember this"</Submit>
            </div>
            <noscript><p class="card-row-note">"Writing something down here needs scripts. Reading and looking do not."</p></noscript>
        </form>
    }
}
