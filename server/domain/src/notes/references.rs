//! Where a Markdown file names other files, and where in its archive they are. Pure.

use super::attachments::decoded;
use pulldown_cmark::{Event, LinkType, Options, Parser, Tag};
use std::ops::Range;

/// A place in a text that names another file of the archive.
#[derive(Debug, PartialEq)]
pub(crate) struct Reference {
    /// All of it: `![[x.png]]`, `[label](x.md)`.
    pub place: Range<usize>,
    pub target: String,
    pub label: String,
    pub image: bool,
}

/// Where a link of a note may lead in the archive: beside the note, then from the top.
pub(crate) fn candidates(note: &[String], target: &str) -> Vec<String> {
    let target = decoded(target).replace('\\', "/").to_lowercase();
    let target = target.split(['#', '?']).next().unwrap_or_default();
    let mut beside: Vec<String> =
        note[..note.len().saturating_sub(1)].iter().map(|part| part.to_lowercase()).collect();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                beside.pop();
            }
            part => beside.push(part.to_owned()),
        }
    }
    vec![beside.join("/"), target.trim_start_matches(['/', '.']).to_owned()]
}

fn names_file(target: &str) -> bool {
    let end = target.rsplit_once('.').map_or("", |(_, end)| end);
    (1..=8).contains(&end.len()) && end.chars().all(|c| c.is_ascii_alphanumeric())
}

/// Links and pictures that name files: `![[x.png]]`, `[[x.pdf]]`, `![alt](x.png)`, `[label](x.md)`.
/// Links of the form `[[x]]` name notes by title and stay.
pub(crate) fn references(text: &str) -> Vec<Reference> {
    let mut found: Vec<Reference> = Vec::new();
    let mut open: Option<Reference> = None;
    let dialect = Options::ENABLE_TABLES | Options::ENABLE_WIKILINKS | Options::ENABLE_MATH;
    for (event, place) in Parser::new_ext(text, dialect).into_offset_iter() {
        match event {
            Event::Start(Tag::Image { link_type, dest_url, .. } | Tag::Link { link_type, dest_url, .. })
                if open.is_none() =>
            {
                let wiki = matches!(link_type, LinkType::WikiLink { .. });
                let image = text[place.clone()].starts_with('!');
                let elsewhere =
                    dest_url.contains(':') || dest_url.starts_with(['#', '/']) || dest_url.is_empty();
                let file = image || names_file(&dest_url);
                if !elsewhere && (wiki && file || matches!(link_type, LinkType::Inline)) {
                    let target = dest_url.to_string();
                    open = Some(Reference { place, target, label: String::new(), image });
                }
            }
            Event::Text(words) | Event::Code(words) => {
                if let Some(reference) = &mut open {
                    reference.label.push_str(&words);
                }
            }
            Event::End(_) => {
                if let Some(reference) = open.take_if(|reference| reference.place == place) {
                    found.push(reference);
                }
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_referred_to_in_each_way() {
        let text = "![[a b.png]] ![alt *x*](img/c.png) [doc](../d.pdf) [n](Other%20Note.md) [[Note]] <http://x> [w](https://x/y.png) ![[p.png|300]] [[d.pdf]]";
        let found: Vec<(String, bool)> = references(text).into_iter().map(|r| (r.target, r.image)).collect();
        let expected = [
            ("a b.png", true),
            ("img/c.png", true),
            ("../d.pdf", false),
            ("Other%20Note.md", false),
            ("p.png", true),
            ("d.pdf", false),
        ];
        assert_eq!(found, expected.map(|(t, i)| (t.to_owned(), i)));
    }

    #[test]
    fn a_link_leads_beside_the_note_or_from_the_top() {
        let note = ["Work".to_owned(), "Plan.md".to_owned()];
        assert_eq!(candidates(&note, "../img/A%20b.png"), ["img/a b.png", "img/a b.png"]);
        assert_eq!(candidates(&note, "c.md#x"), ["work/c.md", "c.md"]);
        assert_eq!(candidates(&note, "../../../x"), ["x", "x"]);
    }
}
