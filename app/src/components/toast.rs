//! Short news at the edge of the page, with one thing to do about it: mostly "Undo".

use super::button::{Button, Look};
use super::icon::{Icon, IconButton};
use leptos::prelude::*;
use shared::Problem;
use std::sync::Arc;
use std::time::Duration;

/// How long news stays when nothing points at it.
const STAYS: Duration = Duration::from_secs(7);

#[derive(Clone)]
struct Toast {
    number: u64,
    text: String,
    is_problem: bool,
    action: Option<Action>,
}

#[derive(Clone)]
struct Action {
    label: String,
    act: Arc<dyn Fn() + Send + Sync>,
}

/// Says things. Given as context.
#[derive(Clone, Copy)]
pub struct Toasts {
    shown: RwSignal<Vec<Toast>>,
    next: StoredValue<u64>,
}

pub fn use_toasts() -> Toasts {
    expect_context::<Toasts>()
}

impl Toasts {
    pub fn provide() {
        provide_context(Self { shown: RwSignal::new(Vec::new()), next: StoredValue::new(0) });
    }

    pub fn say(self, text: impl Into<String>) {
        self.show(text.into(), None, Kind::News);
    }

    /// Says what went wrong.
    pub fn problem(self, problem: &Problem) {
        self.show(problem.error.clone(), None, Kind::Problem);
    }

    /// Says what was done, with a way to do something about it.
    pub fn offer(
        self,
        text: impl Into<String>,
        label: impl Into<String>,
        act: impl Fn() + Send + Sync + 'static,
    ) {
        self.show(text.into(), Some(Action { label: label.into(), act: Arc::new(act) }), Kind::News);
    }

    /// Says what was done and offers to undo it.
    pub fn undo(self, text: impl Into<String>, act: impl Fn() + Send + Sync + 'static) {
        self.offer(text, "Undo", act);
    }

    fn show(self, text: String, action: Option<Action>, kind: Kind) {
        let number = self.next.get_value();
        self.next.set_value(number + 1);
        let is_problem = matches!(kind, Kind::Problem);
        self.shown.update(|shown| {
            shown.push(Toast { number, text, is_problem, action });
            if shown.len() > 3 {
                shown.remove(0);
            }
        });
        let stays = if is_problem { STAYS * 2 } else { STAYS };
        set_timeout(move || self.dismiss(number), stays);
    }

    fn dismiss(self, number: u64) {
        self.shown.update(|shown| shown.retain(|toast| toast.number != number));
    }
}

enum Kind {
    News,
    Problem,
}

/// Where toasts appear; once, in the frame. Screen readers are told politely.
#[component]
pub fn ToastShelf() -> impl IntoView {
    let toasts = use_toasts();
    view! {
        <div class="toasts" role="status" aria-live="polite">
            <For each=move || toasts.shown.get() key=|toast| toast.number let:toast>
                {toast_view(toasts, toast)}
            </For>
        </div>
    }
}

fn toast_view(toasts: Toasts, toast: Toast) -> AnyView {
    let number = toast.number;
    view! {
        <div class="toast" class:is-problem=toast.is_problem>
            <p>{toast.text}</p>
            {toast.action.map(|action| view! {
                <Button look=Look::Plain on_click=move || { (action.act)(); toasts.dismiss(number) }>{action.label}</Button>
            })}
            <IconButton icon=Icon::Close label="Dismiss" on_click=move || toasts.dismiss(number)/>
        </div>
    }
    .into_any()
}
