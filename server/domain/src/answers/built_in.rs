//! The responder for servers without a model. It is no language model and says so: it searches the
//! workspace through the same tool loop as any model and quotes what it finds, with links.

use crate::tools::search_workspace::{self, Found};
use futures::StreamExt;
use models::{CallRequest, Chunk, ChunkStream, EndReason, Prompt, ToolOutput, Turn};
use serde_json::json;

/// Passages quoted at most.
const MOST: usize = 5;
/// Words that ask rather than name; the shortest words are left out anyway.
const ASKING: &[&str] = &[
    "about", "also", "and", "are", "been", "can", "could", "did", "does", "find", "for", "from", "have",
    "how", "into", "know", "please", "say", "said", "search", "show", "tell", "that", "the", "their", "them",
    "then", "there", "this", "was", "were", "what", "when", "where", "which", "who", "why", "will", "with",
    "would", "you", "your",
];

/// A round of this responder, in the shape of a model's.
pub(super) fn respond(prompt: &Prompt) -> ChunkStream {
    let round = match prompt.turns.last() {
        Some(Turn::ToolResults(outputs)) => {
            vec![Chunk::Text(quote(outputs)), Chunk::End { reason: EndReason::Stop, opaque: None }]
        }
        _ => {
            let asked = prompt.turns.iter().rev().find_map(|turn| match turn {
                Turn::User(text) => Some(text.as_str()),
                _ => None,
            });
            let arguments = json!({ "query": search_terms(asked.unwrap_or_default()) });
            let call = CallRequest { id: "search-1".into(), name: search_workspace::NAME.into(), arguments };
            vec![Chunk::ToolCall(call), Chunk::End { reason: EndReason::ToolCalls, opaque: None }]
        }
    };
    futures::stream::iter(round.into_iter().flat_map(in_words).map(Ok)).boxed()
}

/// Any of the words that name something: a question rarely stands word for word in what answers it.
fn search_terms(question: &str) -> String {
    let mut terms: Vec<&str> = Vec::new();
    for word in question.split(|c: char| !c.is_alphanumeric()) {
        let names = word.chars().count() > 2 && !ASKING.contains(&word.to_lowercase().as_str());
        if names && !terms.contains(&word) {
            terms.push(word);
        }
    }
    terms.truncate(20);
    if terms.is_empty() { question.chars().take(200).collect() } else { terms.join(" OR ") }
}

fn quote(outputs: &[ToolOutput]) -> String {
    let label = "*I am not a language model: I search this workspace and quote what I find.*";
    let advice = "To talk to a model, an admin can add a provider under [Settings](/settings/providers).";
    let Some(output) = outputs.first().filter(|output| output.ok) else {
        let why = outputs.first().map_or("there was no result", |output| output.content.as_str());
        return format!("{label}\n\nThe search did not work: {why}");
    };
    let found: Vec<Found> = match serde_json::from_str(&output.content) {
        Ok(found) => found,
        Err(error) => return format!("{label}\n\nThe search gave a result that could not be read: {error}"),
    };
    if found.is_empty() {
        return format!(
            "{label}\n\nNothing in your notes and earlier conversations matches this.\n\n{advice}"
        );
    }
    let mut text = format!("{label}\n\nThis is what your notes and earlier conversations say:\n");
    for passage in found.iter().take(MOST) {
        let place = passage.place.as_ref().map(|place| format!(", {place}")).unwrap_or_default();
        let title = format!("{}{place}", passage.title).replace(['[', ']', '\n'], " ");
        text.push_str(&format!("\n[{title}]({})\n\n", passage.url));
        for line in passage.passage.lines().filter(|line| !line.trim().is_empty()) {
            text.push_str(&format!("> {line}\n"));
        }
    }
    text.push_str(&format!("\n{advice}"));
    text
}

/// Text in pieces of a few words, as a model's would come.
fn in_words(chunk: Chunk) -> Vec<Chunk> {
    match chunk {
        Chunk::Text(text) => text.split_inclusive(' ').map(|word| Chunk::Text(word.to_owned())).collect(),
        other => vec![other],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_becomes_the_words_that_name_something() {
        assert_eq!(search_terms("What did we say about the Lisbon budget?"), "Lisbon OR budget");
        assert_eq!(search_terms("why?"), "why?");
    }

    #[test]
    fn what_is_found_is_quoted_with_its_link() {
        let found =
            json!([{ "title": "Trip [1]", "url": "/c/1#m-2", "passage": "We go by train.\n\nIn May." }]);
        let output = ToolOutput {
            call_id: "1".into(),
            name: "search_workspace".into(),
            ok: true,
            content: found.to_string(),
        };
        let text = quote(&[output]);
        assert!(text.contains("[Trip  1 ](/c/1#m-2)"), "{text}");
        assert!(text.contains("> We go by train.\n> In May.\n"), "{text}");
        assert!(text.contains("not a language model"));
    }
}
