//! What the model will be given, beside the field, and what it was given, on an answer: how full its window is, and
//! a list of what is in it and what was left out.

use super::view::Shared;
use crate::client::api::{self, Method};
use crate::components::icon::Icon;
use crate::components::menu::place;
use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::context::{Extent, Given, GivenPart, PreviewPrompt, PromptPreview, Thing};
use std::time::Duration;

/// Beside the field.
#[component]
pub fn Meter(id: &'static str) -> impl IntoView {
    let shared = expect_context::<Shared>();
    let given = RwSignal::new(None::<Given>);
    follow(shared, given);
    let percent = move || given.with(|given| given.as_ref().map(percent));
    let label =
        move || match given.with(|given| given.as_ref().map(|given| (percent_of(given), is_cut(given)))) {
            None => "What the model will be given".to_owned(),
            Some((percent, false)) => format!("What the model will be given: {percent} of what it can read"),
            Some((percent, true)) => {
                format!("What the model will be given: {percent} of what it can read; something is left out")
            }
        };
    let cut = move || given.with(|given| given.as_ref().is_some_and(is_cut));
    view! {
        <button type="button" class="meter" class:is-cut=cut popovertarget=id aria-label=label title=label
            hidden=move || given.with(Option::is_none) on:click=move |event| place(&event, id)>
            <svg class="meter-ring" viewBox="0 0 20 20" aria-hidden="true">
                <circle cx="10" cy="10" r="7.5" pathLength="100"></circle>
                <circle class="meter-full" cx="10" cy="10" r="7.5" pathLength="100"
                    stroke-dasharray=move || format!("{} 100", percent().unwrap_or(0))></circle>
            </svg>
            <span class="meter-words">{move || given.with(|given| given.as_ref().map(percent_of))}</span>
        </button>
        <div class="menu given" id=id popover="auto" role="group" aria-label="What the model will be given">
            {move || given.get().map(|given| given_view(&given, "The next answer will be given"))}
        </div>
    }
}

/// On an answer.
pub fn was_given(given: &Given, id: String) -> AnyView {
    let target = id.clone();
    view! {
        <button type="button" class="icon-button" aria-label="What the model was given" title="What the model was given"
            popovertarget=id.clone() on:click=move |event| place(&event, &target)>
            {Icon::Clip.draw()}
        </button>
        <div class="menu given" id=id popover="auto" role="group" aria-label="What the model was given">
            {given_view(given, "This answer was given")}
        </div>
    }
    .into_any()
}

/// What was attached and not given as it is, in words where the eye rests anyway.
pub fn left_out(given: &Given) -> AnyView {
    let missing = given.parts.iter().filter_map(|part| match &part.extent {
        Extent::LeftOut { reason } => Some(format!("Without {}: {reason}", part.title)),
        _ => None,
    });
    let missing: Vec<String> = missing.collect();
    if missing.is_empty() {
        return ().into_any();
    }
    view! {
        <ul class="standing left-out">{missing.into_iter().map(|words| view! { <li>{words}</li> }).collect_view()}</ul>
    }
    .into_any()
}

/// Asks anew, a moment after something changed that the next answer depends on.
fn follow(shared: Shared, given: RwSignal<Option<Given>>) {
    let Shared { exchange, attaching, model, .. } = shared;
    let asked = StoredValue::new(0_u32);
    Effect::new(move |_| {
        let thread = exchange.thread;
        thread.items.with(Vec::len);
        thread.running.track();
        let id = thread.id.get();
        // the server knows what is kept; that it changed is a reason to ask
        attaching.kept.track();
        let attachments: Vec<Thing> =
            attaching.new.with(|new| new.iter().filter(|one| !one.gone).map(|one| one.thing).collect());
        let model = model.get();
        asked.update_value(|asked| *asked += 1);
        let this = asked.get_value();
        let is_current = move || asked.try_get_value() == Some(this);
        set_timeout(
            move || {
                if !is_current() {
                    return;
                }
                let note_id = exchange.note_beside();
                let wanted = PreviewPrompt {
                    conversation_id: id,
                    model,
                    attachments,
                    note_id,
                    ..PreviewPrompt::default()
                };
                spawn_local(async move {
                    let found = api::send::<PromptPreview>(Method::Post, "/prompt/preview", &wanted).await;
                    if !is_current() {
                        return;
                    }
                    // without it writing goes on
                    if let Ok(preview) = found {
                        drop(given.try_set(preview.given));
                    }
                });
            },
            Duration::from_millis(400),
        );
    });
}

fn percent(given: &Given) -> u32 {
    (u64::from(given.tokens) * 100 / u64::from(given.window.max(1))).min(100) as u32
}

fn percent_of(given: &Given) -> String {
    match percent(given) {
        0 => "under 1 %".to_owned(),
        percent => format!("{percent} %"),
    }
}

fn is_cut(given: &Given) -> bool {
    given.parts.iter().any(|part| part.extent.is_partial())
}

fn given_view(given: &Given, lead: &'static str) -> AnyView {
    let total = format!(
        "{lead} about {} tokens; the model reads {}.",
        thousands(given.tokens),
        thousands(given.window)
    );
    view! {
        <p class="given-lead">{total}</p>
        <ul class="given-parts">{given.parts.iter().map(part_view).collect_view()}</ul>
    }
    .into_any()
}

fn part_view(part: &GivenPart) -> AnyView {
    let name = match part.url.clone() {
        Some(url) => view! { <a href=url>{part.title.clone()}</a> }.into_any(),
        None => part.title.clone().into_any(),
    };
    let words = extent_words(&part.extent);
    view! {
        <li class="given-part" class:is-cut=part.extent.is_partial()>
            <span class="given-name">{name}{words.map(|words| view! { <small>{words}</small> })}</span>
            <span class="given-tokens">{thousands(part.tokens)}</span>
        </li>
    }
    .into_any()
}

fn extent_words(extent: &Extent) -> Option<String> {
    match extent {
        Extent::Whole => None,
        Extent::Messages { given, of } if given == of => Some(match of {
            1 => "1 message".to_owned(),
            of => format!("{of} messages"),
        }),
        Extent::Messages { given, of } => Some(format!("the newest {given} of {of} messages")),
        Extent::Passages { given: 1 } => Some("the passage that fits best".to_owned()),
        Extent::Passages { given } => Some(format!("the {given} passages that fit best")),
        Extent::Beginning => Some("its beginning".to_owned()),
        Extent::LeftOut { reason } => Some(format!("left out: {reason}")),
    }
}

/// `12,345`
fn thousands(number: u32) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::context::PartKind;

    #[test]
    fn numbers_and_extents_are_said_as_people_write_them() {
        assert_eq!([7, 1234, 1_000_000].map(thousands), ["7", "1,234", "1,000,000"]);
        assert_eq!(
            extent_words(&Extent::Messages { given: 3, of: 9 }).unwrap(),
            "the newest 3 of 9 messages"
        );
        assert_eq!(extent_words(&Extent::Whole), None);
    }

    #[test]
    fn a_window_is_never_more_than_full() {
        let part = GivenPart {
            kind: PartKind::Conversation,
            title: "x".into(),
            url: None,
            tokens: 900,
            extent: Extent::Messages { given: 1, of: 2 },
        };
        let given = Given { window: 500, tokens: 900, parts: vec![part] };
        assert_eq!((percent(&given), is_cut(&given)), (100, true));
        assert_eq!(percent_of(&Given { window: 128_000, tokens: 900, parts: Vec::new() }), "under 1 %");
    }
}
