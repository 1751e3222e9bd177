//! Every key and what it does, from the table that the handler obeys.

use super::Sheet;
use crate::frame::keyboard::{GROUPS, Group};
use leptos::prelude::*;

#[component]
pub fn KeysPage() -> impl IntoView {
    view! {
        <Sheet title="Keys" lead="Everything can be done from the keyboard. On a Mac, Cmd takes the place of Ctrl.">
            <div class="keys">{GROUPS.iter().map(group_view).collect_view()}</div>
        </Sheet>
    }
}

fn group_view(group: &'static Group) -> impl IntoView {
    view! {
        <section class="keys-group">
            <h2>{group.title}</h2>
            <dl>
                {group.keys.iter().map(|key| view! {
                    <div>
                        <dt>{key.stroke.caps().into_iter().map(|cap| view! { <kbd>{cap}</kbd> }).collect_view()}</dt>
                        <dd>{key.what}</dd>
                    </div>
                }).collect_view()}
            </dl>
        </section>
    }
}
