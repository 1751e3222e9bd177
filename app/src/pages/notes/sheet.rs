//! A note as a sheet of paper: how it stands above, its title, its text, the outline at its side.

use super::beside::Comments;
use super::desk::{Desk, use_desk};
use super::head::Bar;
use super::text::Text;
use crate::client::session::use_session;
use crate::components::moment::Moment;
use leptos::html;
use leptos::prelude::*;
use leptos_meta::Title;
use shared::note::{Note, NoteSummary};

#[component]
pub fn NoteSheet(note: Note) -> impl IntoView {
    let desk = use_desk();
    let (id, is_visit) = (note.summary.id, use_session().is_visit());
    let owner = note.owner.name.clone();
    let summary = note.summary.clone();
    let open = desk.notes.open;
    let title = move || {
        open.with(|note| note.as_ref().map(|note| note.display_title().to_owned()).unwrap_or_default())
    };
    view! {
        <Title text=title/>
        <Bar note=note.clone()/>
        <div class="note-scroll">
            <div class="note-inner">
                <TitleField desk summary=summary.clone()/>
                <Facts desk summary owner/>
                <Text note/>
                // a visitor has nothing beside the note
                {is_visit.then(|| view! {
                    <section class="visit-comments" aria-labelledby="visit-comments">
                        <h2 id="visit-comments">"Comments"</h2>
                        <Comments id/>
                    </section>
                })}
            </div>
            <Outline desk/>
        </div>
        <footer class="note-foot">
            <Counts desk/>
        </footer>
    }
}

/// The title, written in place: shown at once everywhere, sent when one stops.
#[component]
fn TitleField(desk: Desk, summary: NoteSummary) -> impl IntoView {
    let field = NodeRef::<html::Textarea>::new();
    let (id, notes) = (summary.id, desk.notes);
    let typed = StoredValue::new(0_u32);
    // what nobody typed here is not sent: others may have renamed the note meanwhile
    let is_unsent = StoredValue::new(false);
    let send = move |title: String| {
        if is_unsent.try_get_value() == Some(true) {
            is_unsent.set_value(false);
            notes.rename(id, title);
        }
    };
    let later = move |title: String| {
        typed.update_value(|count| *count += 1);
        let this = typed.get_value();
        set_timeout(
            move || {
                if typed.try_get_value() == Some(this) {
                    send(title);
                }
            },
            std::time::Duration::from_millis(600),
        );
    };
    let show = move || {
        let title = notes.open.with_untracked(|note| note.as_ref().map(|note| note.title.clone()));
        if let (Some(field), Some(title)) = (field.get_untracked(), title)
            && field.value().trim() != title
        {
            field.set_value(&title);
        }
    };
    let leave = move |title: String| match is_unsent.get_value() {
        true => send(title),
        false => show(),
    };
    // others rename too; what is being typed is never overwritten
    Effect::new(move |before: Option<()>| {
        notes.open.track();
        if before.is_some() && field.get_untracked().is_some_and(|field| !is_focused(&field)) {
            show();
        }
    });
    let readonly = !summary.access.may_edit();
    view! {
        <h1 class="visually-hidden">{summary.display_title().to_owned()}</h1>
        <textarea id="note-title" class="note-title" node_ref=field rows="1" maxlength="200" aria-label="Title"
            placeholder="Untitled" autocomplete="off" readonly=readonly spellcheck="true" prop:value=summary.title.clone()
            on:input=move |event| { is_unsent.set_value(true); later(event_target_value(&event).replace('\n', " ")); }
            on:blur=move |event| { typed.update_value(|count| *count += 1); leave(event_target_value(&event)); }
            on:pointerdown=move |_| if let (Some(early), Some(field)) = (desk.take_early(), field.get_untracked()) {
                // back to the title before the editor came: nothing typed vanishes
                field.set_value(&format!("{}{early}", field.value()));
            }
            on:keydown=move |event| {
                let control = event.ctrl_key() || event.meta_key() || event.is_composing();
                match event.key().as_str() {
                    key if !control && desk.keep_early(key) => event.prevent_default(),
                    "Enter" | "ArrowDown" if !control => {
                        event.prevent_default();
                        desk.write_on();
                    }
                    _ => {}
                }
            }>{summary.title.clone()}</textarea>
    }
}

fn is_focused(field: &leptos::web_sys::HtmlTextAreaElement) -> bool {
    #[cfg(feature = "hydrate")]
    {
        document().active_element().is_some_and(|active| active.is_same_node(Some(field)))
    }
    #[cfg(not(feature = "hydrate"))]
    {
        let _ = field;
        false
    }
}

/// Whose it is, where it lies, when it changed.
#[component]
fn Facts(desk: Desk, summary: NoteSummary, owner: String) -> impl IntoView {
    let fixed = StoredValue::new(summary.clone());
    let now = Memo::new(move |_| desk.notes.open.get().unwrap_or_else(|| fixed.get_value()));
    let is_own = summary.access == shared::note::Access::Owner;
    view! {
        <p class="note-facts">
            {(!is_own).then(|| view! { <span>"By " {owner}</span> })}
            <span>"Changed " <Moment at=Signal::derive(move || now.with(|note| note.updated_at))/></span>
            {move || now.with(|note| note.archived_at.is_some()).then(|| view! { <span class="tag">"Archived"</span> })}
            {move || now.with(|note| note.tags.clone()).into_iter().map(|tag| {
                let address = format!("/n?tag={}", crate::client::api::encode(&tag));
                let shown = tag.clone();
                view! {
                    <a class="tag" href=address on:click=move |event| {
                        event.prevent_default();
                        desk.notes.show_tag(tag.clone());
                    }>"#" {shown}</a>
                }
            }).collect_view()}
        </p>
    }
}

/// The headings; where there is room, beside the text.
#[component]
fn Outline(desk: Desk) -> impl IntoView {
    let outline = desk.outline;
    view! {
        <nav class="note-outline" aria-label="Outline" hidden=move || outline.with(|headings| headings.len() < 2)>
            <ol>
                {move || outline.get().into_iter().map(|heading| view! {
                    <li class=format!("is-level-{}", heading.level.min(4))>
                        <button type="button" on:click=move |_| desk.go_to(heading.from)>{heading.text}</button>
                    </li>
                }).collect_view()}
            </ol>
        </nav>
    }
}

#[component]
fn Counts(desk: Desk) -> impl IntoView {
    let words = move || match desk.count.get() {
        Some(count) => {
            let words = match count.words {
                1 => "1 word".to_owned(),
                n => format!("{n} words"),
            };
            format!("{words} · {} characters", count.characters)
        }
        None => desk.notes.open.with(|note| match note.as_ref().map_or(0, |note| note.words) {
            1 => "1 word".to_owned(),
            n => format!("{n} words"),
        }),
    };
    view! { <span class="number">{words}</span> }
}
