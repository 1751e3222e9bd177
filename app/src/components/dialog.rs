//! A question over the page, in the browser's own dialog: it holds the focus, Esc closes it.

use super::icon::{Icon, IconButton};
use leptos::prelude::*;

/// Shown while `open` is true; closing it by any way sets `open` to false.
#[component]
pub fn Dialog(open: RwSignal<bool>, title: &'static str, children: ChildrenFn) -> impl IntoView {
    let dialog = NodeRef::<leptos::html::Dialog>::new();
    show_while(dialog, open);
    view! {
        <dialog class="dialog" node_ref=dialog aria-label=title on:close=move |_| open.set(false)>
            <header class="dialog-bar">
                <h2>{title}</h2>
                <IconButton icon=Icon::Close label="Close" on_click=move |()| open.set(false)/>
            </header>
            {move || open.get().then(|| view! { <div class="dialog-body">{children()}</div> })}
        </dialog>
    }
}

/// Opens and closes the native dialog as the signal says.
pub fn show_while(dialog: NodeRef<leptos::html::Dialog>, open: RwSignal<bool>) {
    Effect::new(move |_| {
        let open = open.get();
        #[cfg(feature = "hydrate")]
        if let Some(dialog) = dialog.get() {
            match (open, dialog.open()) {
                (true, false) => crate::client::document::note(dialog.show_modal()),
                (false, true) => dialog.close(),
                _ => {}
            }
        }
        #[cfg(not(feature = "hydrate"))]
        let _ = (open, dialog);
    });
}
