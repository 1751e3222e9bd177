//! The person's conversations: the list beside the page, and the store behind it that other parts
//! may change.

use leptos::prelude::*;

/// The conversations that the list shows. Given as context.
#[derive(Clone, Copy)]
pub struct Conversations {}

impl Conversations {
    pub fn provide() {
        provide_context(Self {});
    }
}
