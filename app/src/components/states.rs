//! What stands where content is not: empty, on its way, or failed. Each says what to do.

use super::button::Button;
use leptos::prelude::*;
use shared::Problem;

/// Nothing here yet: one sentence, perhaps one button.
#[component]
pub fn Empty(
    #[prop(into)] title: String,
    #[prop(into)] text: String,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    view! {
        <div class="empty">
            <p class="empty-title">{title}</p>
            <p class="empty-text">{text}</p>
            {children.map(|children| children())}
        </div>
    }
}

/// It failed: what happened, and a way to try again.
#[component]
pub fn Trouble(problem: Problem, #[prop(optional, into)] retry: Option<Callback<()>>) -> impl IntoView {
    view! {
        <div class="empty trouble" role="alert">
            <p class="empty-title">"This did not work"</p>
            <p class="empty-text">{problem.error.clone()}</p>
            {retry.map(|retry| view! { <Button on_click=move || retry.run(())>"Try again"</Button> })}
        </div>
    }
}

/// Rows that are on their way.
#[component]
pub fn Skeleton(rows: usize) -> impl IntoView {
    view! {
        <div class="skeleton" aria-hidden="true">
            {(0..rows).map(|_| view! { <span></span> }).collect_view()}
        </div>
    }
}
