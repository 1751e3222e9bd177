//! The tags of the page that is open: each leads to its pages and can be taken off; a field adds one more.

use super::acts::address_of;
use super::store::SavedPages;
use crate::components::icon::Icon;
use leptos::prelude::*;
use shared::saved_page::PageSummary;

#[component]
pub fn Tags(store: SavedPages, now: Memo<PageSummary>) -> impl IntoView {
    let id = now.with_untracked(|page| page.id);
    let tags = Memo::new(move |_| now.with(|page| page.tags.clone()));
    let typed = RwSignal::new(String::new());
    let add = move || {
        let tag = typed.get_untracked().trim().trim_start_matches('#').to_owned();
        typed.set(String::new());
        if !tag.is_empty() {
            store.set_tags(id, with_tag(tags.get_untracked(), tag));
        }
    };
    let take_off = move |tag: &str| {
        let rest = tags.get_untracked().into_iter().filter(|one| one != tag).collect();
        store.set_tags(id, rest);
    };
    view! {
        <div class="saved-tags" role="group" aria-label="Tags">
            {move || tags.get().into_iter().map(|tag| {
                let (href, name, gone) = (address_of(&tag), tag.clone(), tag.clone());
                view! {
                    <span class="saved-tag">
                        <a href=href>{tag}</a>
                        <button type="button" aria-label=format!("Take off the tag {name}") title="Take off" on:click=move |_| take_off(&gone)>
                            {Icon::Close.draw()}
                        </button>
                    </span>
                }
            }).collect_view()}
            <form on:submit=move |event| { event.prevent_default(); add(); }>
                <input type="text" class="saved-tag-field" aria-label="Add a tag" placeholder="Add a tag" maxlength="32" autocomplete="off"
                    prop:value=move || typed.get() on:input=move |event| typed.set(event_target_value(&event))
                    on:blur=move |_| add()/>
            </form>
        </div>
    }
}

/// One that is there already, whatever the case of its letters, is not there twice.
fn with_tag(mut tags: Vec<String>, tag: String) -> Vec<String> {
    if !tags.iter().any(|known| known.to_lowercase() == tag.to_lowercase()) {
        tags.push(tag);
    }
    tags
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_there_once() {
        assert_eq!(with_tag(vec!["Roses".to_owned()], "roses".to_owned()), ["Roses"]);
        assert_eq!(with_tag(vec!["Roses".to_owned()], "old".to_owned()), ["Roses", "old"]);
    }
}
