//! Signing out: a plain form, so that it needs no script. With scripts it first asks whether something
//! written here was not sent yet, and takes everything of the account from this device.

use crate::client::session::use_session;
use crate::components::button::{Button, Look};
use crate::components::dialog::show_while;
use crate::components::icon::Icon;
use leptos::html;
use leptos::prelude::*;

#[component]
pub fn SignOut() -> impl IntoView {
    let session = use_session();
    let token = session.csrf_token.get_value().unwrap_or_default();
    let form = NodeRef::<html::Form>::new();
    let dialog = NodeRef::<html::Dialog>::new();
    let waiting = RwSignal::new(0_u32);
    let warned = RwSignal::new(false);
    show_while(dialog, warned);
    let words = move || {
        match waiting.get() {
        1 => "1 change to your notes is kept on this device only. Signing out forgets it. Go online first to have it saved.".to_owned(),
        n => format!("{n} changes to your notes are kept on this device only. Signing out forgets them. Go online first to have them saved."),
    }
    };
    let act = move || match waiting.get() {
        1 => "Sign out and lose 1 change".to_owned(),
        n => format!("Sign out and lose {n} changes"),
    };
    view! {
        <form method="post" action="/sign-out" node_ref=form on:submit=move |event| ask(&event, form, waiting, warned)>
            <input type="hidden" name="csrf" value=token/>
            <button type="submit" class="button">{Icon::Out.draw()} "Sign out"</button>
        </form>
        <dialog class="ask" node_ref=dialog aria-labelledby="leaving-title" on:close=move |_| warned.set(false)>
            <div class="ask-inner">
                <h2 id="leaving-title">"Not everything is saved"</h2>
                <p>{words}</p>
                <p class="form-foot">
                    <Button look=Look::Main on_click=move |()| warned.set(false)>"Stay"</Button>
                    <Button look=Look::Danger on_click=move |()| leave(form)>{act}</Button>
                </p>
            </div>
        </dialog>
    }
}

/// Leaves at once when nothing waits on this device.
fn ask(
    event: &leptos::ev::SubmitEvent,
    form: NodeRef<html::Form>,
    waiting: RwSignal<u32>,
    warned: RwSignal<bool>,
) {
    #[cfg(feature = "hydrate")]
    {
        event.prevent_default();
        let account = use_session_account();
        leptos::task::spawn_local(async move {
            match browser::asked("waiting", &account).await {
                Some(count) if count > 0.0 => {
                    waiting.set(count as u32);
                    warned.set(true);
                }
                _ => leave(form),
            }
        });
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = (event, form, waiting, warned);
}

/// Forgets what this device keeps, then sends the form.
fn leave(form: NodeRef<html::Form>) {
    #[cfg(feature = "hydrate")]
    {
        let account = use_session_account();
        leptos::task::spawn_local(async move {
            browser::asked("clear", &account).await;
            if let Some(form) = form.get_untracked() {
                crate::client::document::note(form.submit());
            }
        });
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = form;
}

#[cfg(feature = "hydrate")]
fn use_session_account() -> String {
    crate::client::session::account().unwrap_or_default()
}

#[cfg(feature = "hydrate")]
mod browser {
    use js_sys::{Function, Promise, Reflect};
    use wasm_bindgen::{JsCast, JsValue};
    use wasm_bindgen_futures::JsFuture;

    /// Asks the script that knows what this browser keeps; nothing where it cannot be asked.
    pub async fn asked(what: &str, account: &str) -> Option<f64> {
        let module = crate::client::editor::load("local").await.ok()?;
        let function: Function = Reflect::get(&module, &what.into()).ok()?.dyn_into().ok()?;
        let answer = function.call1(&JsValue::UNDEFINED, &account.into()).ok()?;
        JsFuture::from(Promise::from(answer)).await.ok()?.as_f64()
    }
}
