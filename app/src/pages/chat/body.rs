//! What a message says: its text, and what happened between the words.

use super::parts::{self, ALL, Part, is_active};
use super::thread::Item;
use leptos::html;
use leptos::prelude::*;
use shared::context::Source;
use shared::conversation::{Message, StepKind, ToolCall};

#[component]
pub fn Body(item: Item) -> impl IntoView {
    #[cfg(feature = "hydrate")]
    super::paint::reveal(item.clone());
    let parts = {
        let item = item.clone();
        Memo::new(move |_| item.message.with(|message| parts::parts(message, item.shown.get())))
    };
    view! {
        <For each=move || parts.get() key=|part| *part let:part>
            {match part {
                Part::Text { from } => text(item.clone(), from),
                Part::Reasoning { step } => reasoning(item.clone(), step),
                Part::Tool { step } => tool(item.clone(), step),
            }}
        </For>
    }
}

fn text(item: Item, from: usize) -> AnyView {
    let holder = NodeRef::<html::Div>::new();
    let html = first_html(&item, from);
    #[cfg(feature = "hydrate")]
    super::paint::keep(holder, item, from);
    view! { <div class="markdown" node_ref=holder inner_html=html></div> }.into_any()
}

/// The HTML that the page begins with. While the browser takes over a page it has it already; before
/// its typesetter is there, [`super::paint`] shows the text as it was written.
fn first_html(item: &Item, from: usize) -> String {
    #[cfg(feature = "hydrate")]
    if Owner::current_shared_context().is_some_and(|context| context.get_is_hydrating()) {
        return String::new();
    }
    let shown = item.shown.get_untracked();
    let footnotes = parts::footnotes(item.id, from);
    item.message.with_untracked(|message| {
        let growing = is_active(message.status) || shown != ALL;
        set(parts::text(message, from, shown), growing, &footnotes, message.sources.as_deref())
    })
}

#[cfg(feature = "hydrate")]
fn set(text: &str, growing: bool, footnotes: &str, sources: Option<&[Source]>) -> String {
    use crate::client::typesetter;

    let citing = super::cites::Citing::of(sources);
    typesetter::html_of_message(text, growing, footnotes, citing.function()).unwrap_or_default()
}

#[cfg(not(feature = "hydrate"))]
fn set(text: &str, growing: bool, footnotes: &str, sources: Option<&[Source]>) -> String {
    use markdown::{Document, Options, Progress};

    let mut document = Document::default();
    let progress = if growing { Progress::Growing } else { Progress::Finished };
    let cite = |url: &str| super::cites::citation(sources, url);
    let options = Options { cite: Some(&cite), footnotes: Some(footnotes), ..Options::default() };
    document.update(text, progress, options);
    document.blocks().iter().map(|block| format!("<div class=\"block\">{}</div>", block.html)).collect()
}

fn reasoning(item: Item, step: usize) -> AnyView {
    let message = item.message.clone();
    let is_going_on = Memo::new(move |_| {
        message
            .with(|m| is_active(m.status) && step + 1 == m.steps.len() && m.steps[step].at == m.content.len())
    });
    let message = item.message;
    let text = move || {
        message.with(|message| match message.steps.get(step).map(|step| &step.kind) {
            Some(StepKind::Reasoning { text }) => text.clone(),
            _ => String::new(),
        })
    };
    view! {
        <details class="step" class:is-going-on=is_going_on>
            <summary>{move || if is_going_on.get() { "Thinking" } else { "Thought about it" }}</summary>
            <div class="step-text">{text}</div>
        </details>
    }
    .into_any()
}

fn tool(item: Item, step: usize) -> AnyView {
    let call = Memo::new(move |_| item.message.with(|message| call_at(message, step)));
    let with_call = move |read: fn(&ToolCall) -> String| {
        move || call.with(|call| call.as_ref().map(read).unwrap_or_default())
    };
    let is_running = move || call.with(|call| call.as_ref().is_some_and(|call| call.result.is_none()));
    let has_failed =
        move || call.with(|call| call.as_ref().and_then(|c| c.result.as_ref()).is_some_and(|r| !r.ok));
    view! {
        <details class="step" class:is-going-on=is_running class:has-failed=has_failed>
            <summary>{with_call(phrase)}</summary>
            <div class="step-detail">
                <p>"Asked " <code>{with_call(|call| call.name.clone())}</code></p>
                <pre tabindex="0">{with_call(arguments)}</pre>
                <p>{with_call(outcome)}</p>
                <pre tabindex="0">{with_call(|call| call.result.as_ref().map(|r| r.content.clone()).unwrap_or_default())}</pre>
            </div>
        </details>
    }
    .into_any()
}

fn call_at(message: &Message, step: usize) -> Option<ToolCall> {
    match &message.steps.get(step)?.kind {
        StepKind::ToolCall(call) => Some(call.clone()),
        StepKind::Reasoning { .. } => None,
    }
}

/// What the call did, in a few words.
fn phrase(call: &ToolCall) -> String {
    let argument = |name: &str| call.arguments.get(name).and_then(|value| value.as_str()).unwrap_or_default();
    let found =
        call.result.as_ref().filter(|result| result.ok).and_then(|result| count_results(&result.content));
    match (call.name.as_str(), &call.result) {
        ("search_workspace", None) => format!("Searching the workspace for “{}”", argument("query")),
        ("search_workspace", Some(result)) if result.ok => {
            let words = argument("query");
            match found {
                Some(1) => format!("Searched the workspace for “{words}”: 1 result"),
                Some(count) => format!("Searched the workspace for “{words}”: {count} results"),
                None => format!("Searched the workspace for “{words}”"),
            }
        }
        ("current_time", Some(result)) if result.ok => "Looked at the clock".to_owned(),
        ("remember", Some(result)) if result.ok => format!("Remembered “{}”", argument("content")),
        ("recall", Some(result)) if result.ok => {
            format!("Looked among the memories for “{}”", argument("query"))
        }
        ("forget", Some(result)) if result.ok => "Asks you to forget something: see below".to_owned(),
        (name, None) => format!("Using {}", spoken(name)),
        (name, Some(result)) if result.ok => format!("Used {}", spoken(name)),
        (name, Some(_)) => format!("{} did not work", capitalised(&spoken(name))),
    }
}

/// How many results a search told of, where it told them as a list.
fn count_results(content: &str) -> Option<usize> {
    let value: serde_json::Value = serde_json::from_str(content).ok()?;
    let list = value.as_array().or_else(|| value.get("results")?.as_array())?;
    Some(list.len())
}

fn spoken(name: &str) -> String {
    name.replace(['_', '-'], " ")
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

fn arguments(call: &ToolCall) -> String {
    serde_json::to_string_pretty(&call.arguments).unwrap_or_default()
}

fn outcome(call: &ToolCall) -> String {
    match &call.result {
        None => "Waiting for the answer".to_owned(),
        Some(result) if result.ok => format!("It answered in {} ms", result.elapsed_ms),
        Some(result) => format!("It failed after {} ms", result.elapsed_ms),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use shared::conversation::ToolResult;

    fn call(name: &str, result: Option<(bool, &str)>) -> ToolCall {
        ToolCall {
            id: "1".to_owned(),
            name: name.to_owned(),
            arguments: json!({"query": "roses"}),
            result: result.map(|(ok, content)| ToolResult { ok, content: content.to_owned(), elapsed_ms: 3 }),
        }
    }

    #[test]
    fn a_call_is_told_in_words() {
        let cases = [
            (call("search_workspace", None), "Searching the workspace for “roses”"),
            (
                call("search_workspace", Some((true, "[1,2,3]"))),
                "Searched the workspace for “roses”: 3 results",
            ),
            (
                call("search_workspace", Some((true, "{\"results\":[1]}"))),
                "Searched the workspace for “roses”: 1 result",
            ),
            (call("search_workspace", Some((true, "prose"))), "Searched the workspace for “roses”"),
            (call("search_workspace", Some((false, "no"))), "Search workspace did not work"),
            (call("current_time", Some((true, "12:00"))), "Looked at the clock"),
            (call("recall", Some((true, "{}"))), "Looked among the memories for “roses”"),
            (call("forget", Some((true, "{}"))), "Asks you to forget something: see below"),
            (call("water_plants", None), "Using water plants"),
        ];
        for (call, words) in cases {
            assert_eq!(phrase(&call), words);
        }
    }
}
