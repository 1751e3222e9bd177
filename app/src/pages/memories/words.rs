//! What is said of a memory in words. Pure.

use shared::memory::{Memory, MemoryEventKind, MemoryKind, MemoryScope, MemorySource, MemorySourceKind};

/// Characters of a memory's text in a list.
const LONGEST: usize = 280;

/// As much of the text as a list shows.
pub fn shown(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text.to_owned(),
    }
}

/// Where it came from, for a link or without one.
pub fn source(source: &MemorySource) -> String {
    match (&source.title, source.kind) {
        (Some(title), _) => title.clone(),
        (None, MemorySourceKind::Hand) => "Written by you".to_owned(),
        (None, MemorySourceKind::Program) => "Sent by a program".to_owned(),
        (None, MemorySourceKind::Page) => source.url.as_deref().map_or("A web page", host).to_owned(),
        (None, MemorySourceKind::Conversation) => "A conversation that is gone".to_owned(),
        (None, MemorySourceKind::Note) => "A note that is gone".to_owned(),
        (None, MemorySourceKind::File) => "A file that is gone".to_owned(),
    }
}

fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or(rest)
}

/// What stands beside it as labels.
pub fn labels(memory: &Memory) -> Vec<String> {
    let mut labels = Vec::new();
    match &memory.scope {
        MemoryScope::Person => {}
        MemoryScope::Workspace => labels.push("Workspace".to_owned()),
        MemoryScope::Project { name } => labels.push(format!("Project {name}")),
        MemoryScope::Agent { name } => labels.push(format!("Agent {name}")),
    }
    if memory.kind == MemoryKind::Exchange {
        labels.push(format!("Asked of {}", memory.provider));
    }
    if memory.pinned {
        labels.push("Pinned".to_owned());
    }
    if memory.local_only {
        labels.push("Kept from cloud models".to_owned());
    }
    labels
}

pub fn event(kind: MemoryEventKind) -> &'static str {
    match kind {
        MemoryEventKind::Changed => "Before it was changed",
        MemoryEventKind::SaidAgain => "Said again",
        MemoryEventKind::Replaced => "What it replaced",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let text = "é".repeat(400);
        assert_eq!(shown(&text).chars().count(), LONGEST + 1);
        assert_eq!(shown("short"), "short");
    }

    #[test]
    fn a_page_is_named_by_its_host() {
        assert_eq!(host("https://chat.example/c/1?x"), "chat.example");
        assert_eq!(host("example"), "example");
    }
}
