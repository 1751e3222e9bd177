//! The browser's own dialog, opened and closed by a signal: it holds the focus, Esc closes it.

use leptos::prelude::*;

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
