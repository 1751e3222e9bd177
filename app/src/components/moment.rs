//! A time, said as people say it; in full when one points at it.

use crate::client::clock::{long, machine, short, use_clock};
use leptos::prelude::*;
use time::OffsetDateTime;

#[component]
pub fn Moment(#[prop(into)] at: Signal<OffsetDateTime>) -> impl IntoView {
    let clock = use_clock();
    view! {
        <time datetime=move || machine(at.get()) title=move || long(at.get(), clock.offset.get())>
            {move || short(at.get(), clock.now.get(), clock.offset.get())}
        </time>
    }
}
