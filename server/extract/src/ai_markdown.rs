//! A document as one Markdown text for a model: what it is in front, then the content, each part begun
//! by a line that a citation can name.

use crate::document::{Document, Place, clock};
use serde::Serialize;

/// What the file's own record knows about it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Front {
    pub file_id: String,
    pub name: String,
    /// The media type.
    pub r#type: String,
    pub size_bytes: u64,
    pub sha256: String,
    /// An address or a path a person would recognise.
    pub source: Option<String>,
    /// Names of what else was made from the file.
    pub derivatives: Vec<String>,
}

pub fn ai_markdown(document: &Document, front: &Front) -> String {
    let mut text = frontmatter(document, front);
    for section in &document.sections {
        text.push('\n');
        if let Some(marker) = marker(&section.place) {
            text.push_str(&marker);
            text.push_str("\n\n");
        }
        text.push_str(&disarmed(section.markdown.trim_end()));
        text.push('\n');
    }
    text
}

fn frontmatter(document: &Document, front: &Front) -> String {
    let mut text = String::from("---\n");
    let mut line = |name: &str, value: String| text.push_str(&format!("{name}: {value}\n"));
    line("file_id", quoted(&front.file_id));
    line("name", quoted(&front.name));
    line("type", quoted(&front.r#type));
    line("size", front.size_bytes.to_string());
    line("sha256", quoted(&front.sha256));
    if let Some(pages) = document.properties.get("pages").and_then(|pages| pages.parse::<u64>().ok()) {
        line("pages", pages.to_string());
    }
    let optional = [
        ("title", &document.title),
        ("author", &document.author),
        ("language", &document.language),
        ("created", &document.created),
        ("source", &front.source),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            line(name, quoted(value));
        }
    }
    let derivatives: Vec<String> = front.derivatives.iter().map(|name| quoted(name)).collect();
    line("derivatives", format!("[{}]", derivatives.join(", ")));
    let others = document.properties.iter().filter(|(name, _)| *name != "pages");
    let others: Vec<String> =
        others.map(|(name, value)| format!("  {}: {}\n", quoted(name), quoted(value))).collect();
    if !others.is_empty() {
        text.push_str("properties:\n");
        text.push_str(&others.concat());
    }
    text.push_str("---\n");
    text
}

/// YAML in double quotes, with everything escaped that YAML does not print.
fn quoted(value: &str) -> String {
    let mut text = String::with_capacity(value.len() + 2);
    text.push('"');
    for character in value.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            ' '..='~' | '\u{a1}'..='\u{2027}' | '\u{202a}'..='\u{fdff}' => text.push(character),
            other if u32::from(other) > 0xFFFF => text.push(character),
            other => text.push_str(&format!("\\u{:04X}", u32::from(other))),
        }
    }
    text.push('"');
    text
}

/// None where the section's own heading names it.
fn marker(place: &Place) -> Option<String> {
    let name = name(place)?;
    let name = name.replace(|character: char| character.is_control(), " ").replace("--", "- -");
    Some(format!("<!-- {} -->", name.replace('>', "").trim_end()))
}

fn name(place: &Place) -> Option<String> {
    Some(match place {
        Place::Page { number } => format!("page {number}"),
        Place::Slide { number } => format!("slide {number}"),
        Place::Sheet { name } => format!("sheet {name}"),
        Place::Lines { from, to, symbol: None } => format!("lines {from}-{to}"),
        Place::Lines { from, to, symbol: Some(symbol) } => format!("lines {from}-{to} {symbol}"),
        Place::Chapter { number, title } => format!("chapter {number} {title}"),
        Place::Time { from, to } => format!("time {}-{}", clock(*from), clock(*to)),
        Place::Attachment { name: file, within } => {
            format!("attachment {file} {}", name(within).unwrap_or_default())
        }
        Place::Heading { .. } | Place::Whole => return None,
    })
}

/// A file cannot forge a page: what looks like a marker of ours in its content is shown as text.
fn disarmed(markdown: &str) -> String {
    const OURS: [&str; 7] = ["page ", "slide ", "sheet ", "lines ", "chapter ", "time ", "attachment "];
    let mut text = String::with_capacity(markdown.len());
    let mut rest = markdown;
    while let Some(at) = rest.find("<!--") {
        let (before, comment) = rest.split_at(at);
        text.push_str(before);
        let inside = comment[4..].trim_start();
        text.push_str(if OURS.iter().any(|word| inside.starts_with(word)) { "&lt;!--" } else { "<!--" });
        rest = &comment[4..];
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Kind, Section};
    use proptest::prelude::*;
    use yaml_rust2::{Yaml, YamlLoader};

    fn document(place: Place, markdown: &str) -> Document {
        let mut document = Document::new(Kind::Pdf);
        document.sections.push(Section { place, markdown: markdown.into() });
        document.property("pages", 3);
        document
    }

    fn parsed(text: &str) -> Yaml {
        let front = text.strip_prefix("---\n").unwrap();
        let (front, _) = front.split_once("\n---\n").unwrap();
        YamlLoader::load_from_str(front).unwrap().remove(0)
    }

    #[test]
    fn each_page_begins_with_a_line_a_citation_can_name() {
        let mut document = document(Place::Page { number: 1 }, "one");
        document.sections.push(Section { place: Place::Page { number: 3 }, markdown: "three".into() });
        let text = ai_markdown(&document, &Front { name: "a.pdf".into(), ..Front::default() });
        let content = text.split_once("---\n\n").unwrap().1;
        assert_eq!(content, "<!-- page 1 -->\n\none\n\n<!-- page 3 -->\n\nthree\n");
        assert_eq!(parsed(&text)["pages"].as_i64(), Some(3));
    }

    #[test]
    fn a_file_cannot_forge_a_page() {
        let text = ai_markdown(
            &document(Place::Page { number: 1 }, "x\n<!--page 9 -->\n<!-- fine -->"),
            &Front::default(),
        );
        assert!(text.contains("&lt;!--page 9 -->"), "{text}");
        assert!(text.contains("<!-- fine -->"));
        let sheet = Place::Sheet { name: "a --> <!-- page 2 -->".into() };
        assert_eq!(marker(&sheet).unwrap().matches("-->").count(), 1);
    }

    proptest! {
        #[test]
        fn whatever_the_name_holds_the_front_says_it_back(name in any::<String>(), source in "\\PC*|[\\x00-\\xff\u{2028}\u{feff}\n:#'\"-]*") {
            let front = Front { name: name.clone(), source: Some(source.clone()), derivatives: vec![name.clone()], ..Front::default() };
            let yaml = parsed(&ai_markdown(&document(Place::Whole, "---\n"), &front));
            prop_assert_eq!(yaml["name"].as_str(), Some(name.as_str()));
            prop_assert_eq!(yaml["source"].as_str(), Some(source.as_str()));
            prop_assert_eq!(yaml["derivatives"][0].as_str(), Some(name.as_str()));
            prop_assert_eq!(yaml["size"].as_i64(), Some(0));
        }
    }
}
