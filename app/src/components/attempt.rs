//! Something asked of the server from a form: busy while it runs, and what went wrong beside it.

use crate::client::api::Call;
use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::Problem;

#[derive(Clone, Copy)]
pub struct Attempt {
    pub busy: RwSignal<bool>,
    problem: RwSignal<Option<Problem>>,
}

impl Attempt {
    #[expect(clippy::new_without_default, reason = "it makes signals, which belong to the current owner")]
    pub fn new() -> Self {
        Self { busy: RwSignal::new(false), problem: RwSignal::new(None) }
    }

    /// Runs a call; `done` has its answer. A second press while it runs does nothing.
    pub fn run<T: 'static>(self, call: Call<T>, done: impl FnOnce(T) + 'static) {
        if self.busy.get_untracked() {
            return;
        }
        self.busy.set(true);
        self.problem.set(None);
        spawn_local(async move {
            let outcome = call.await;
            // the form may be gone by now
            self.busy.try_set(false);
            match outcome {
                Ok(answer) => done(answer),
                Err(problem) => {
                    self.problem.try_set(Some(problem));
                }
            }
        });
    }
}

/// What went wrong with an attempt, if something did.
#[component]
pub fn AttemptNote(attempt: Attempt) -> impl IntoView {
    view! {
        <div role="alert">
            {move || attempt.problem.get().map(|problem| view! { <p class="form-error">{problem.error}</p> })}
        </div>
    }
}
