//! Buttons. Their words say what will happen.

use leptos::prelude::*;

/// How much a button asks for attention.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Look {
    /// The one thing to do here.
    Main,
    #[default]
    Quiet,
    /// No border until the hand is near.
    Plain,
    /// Something is lost by it.
    Danger,
}

impl Look {
    pub fn class(self) -> &'static str {
        match self {
            Self::Main => "button is-main",
            Self::Quiet => "button",
            Self::Plain => "button is-plain",
            Self::Danger => "button is-danger",
        }
    }
}

#[component]
pub fn Button(
    #[prop(optional)] look: Look,
    /// Shown as busy and refusing clicks while true.
    #[prop(optional, into)]
    busy: Signal<bool>,
    #[prop(into)] on_click: Callback<()>,
    children: Children,
) -> impl IntoView {
    view! {
        <button type="button" class=look.class() disabled=busy on:click=move |_| on_click.run(())>{children()}</button>
    }
}

/// The button that sends a form; it is the main thing there, unless said otherwise.
#[component]
pub fn Submit(
    #[prop(default = Look::Main)] look: Look,
    #[prop(optional, into)] busy: Signal<bool>,
    children: Children,
) -> impl IntoView {
    view! { <button type="submit" class=look.class() disabled=busy>{children()}</button> }
}
