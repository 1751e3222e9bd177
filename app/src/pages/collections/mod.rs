//! Collections: named sets of files, notes and pages. The list of them, one opened, and the dialog that puts a
//! thing into one from wherever the thing is.

mod dialog;
mod list;
mod opened;

pub use dialog::{CollectDialog, Collecting, use_collecting};

use crate::client::location::use_location;
use crate::route::Route;
use leptos::prelude::*;

#[component]
pub fn CollectionsPage() -> impl IntoView {
    let location = use_location();
    let id = Memo::new(move |_| match location.route.get() {
        Some(Route::Collection(id)) => Some(id),
        _ => None,
    });
    move || match id.get() {
        Some(id) => view! { <opened::OpenedPage id/> }.into_any(),
        None => view! { <list::ListPage/> }.into_any(),
    }
}
