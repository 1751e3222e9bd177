//! How it looks: the theme, shown as three small pages of paper.

use super::Part;
use crate::frame::theme::{Theme, use_theme};
use crate::pages::Sheet;
use leptos::prelude::*;

#[component]
pub fn AppearancePage() -> impl IntoView {
    let choice = use_theme();
    view! {
        <Sheet title="Appearance">
            <Part title="Theme" lead="Kept in this browser.">
                <fieldset class="themes">
                    <legend class="visually-hidden">"Theme"</legend>
                    {Theme::ALL.into_iter().map(|theme| view! {
                        <label class="theme-card">
                            <input type="radio" name="theme" value=theme.name()
                                checked=choice.now() == theme
                                prop:checked=move || choice.get() == theme
                                on:change=move |_| choice.set(theme)/>
                            <span class=format!("theme-sample is-{}", theme.name()) aria-hidden="true"><i></i><i></i><i></i></span>
                            <span>{theme.title()}</span>
                        </label>
                    }).collect_view()}
                </fieldset>
            </Part>
        </Sheet>
    }
}
