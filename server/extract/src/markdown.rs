//! Markdown as it is written and as it is cut: tables, escapes, and sections by heading.

use crate::document::{Document, Place};
use crate::failure::Failure;
use crate::limits::Reading;
use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

/// The first row is the head. Rows may be of different lengths.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let width = rows.iter().map(Vec::len).max().unwrap_or(0);
    if width == 0 {
        return String::new();
    }
    let mut text = String::new();
    for (index, row) in rows.iter().enumerate() {
        text.push('|');
        for column in 0..width {
            text.push(' ');
            text.push_str(&cell(row.get(column).map_or("", String::as_str)));
            text.push_str(" |");
        }
        text.push('\n');
        if index == 0 {
            text.push('|');
            text.push_str(&" --- |".repeat(width));
            text.push('\n');
        }
    }
    text
}

fn cell(text: &str) -> String {
    text.trim()
        .replace('\\', "\\\\")
        .replace('|', "\\|")
        .replace("\r\n", "<br>")
        .replace(['\n', '\r'], "<br>")
}

/// Text that means itself: what Markdown would take for a mark is escaped, and no more than that.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '\\' | '`' | '*' | '_' | '[' | ']' | '<') {
            out.push('\\');
        }
        out.push(character);
    }
    out
}

/// A block of code in a fence longer than any inside.
pub(crate) fn fenced(code: &str, language: &str) -> String {
    let longest = code
        .lines()
        .map(|line| line.trim_start().bytes().take_while(|&byte| byte == b'`').count())
        .max()
        .unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}{language}\n{}\n{fence}", code.trim_end_matches(['\n', '\r']))
}

/// One section for each heading, with the headings above it as its path.
pub(crate) fn sections_by_heading(
    markdown: &str,
    document: &mut Document,
    reading: &mut Reading,
) -> Result<(), Failure> {
    let headings = headings(markdown);
    let Some(first) = headings.first() else {
        return reading.section(document, Place::Whole, markdown.trim_end());
    };
    let before = markdown[..first.at].trim_end();
    reading.section(document, Place::Heading { path: Vec::new() }, before)?;
    let mut path: Vec<(HeadingLevel, &str)> = Vec::new();
    for (index, heading) in headings.iter().enumerate() {
        path.retain(|(level, _)| *level < heading.level);
        path.push((heading.level, &heading.text));
        let end = headings.get(index + 1).map_or(markdown.len(), |next| next.at);
        let place = Place::Heading { path: path.iter().map(|(_, text)| (*text).to_owned()).collect() };
        reading.section(document, place, markdown[heading.at..end].trim_end())?;
    }
    Ok(())
}

/// The text of the first heading of the highest level there is.
pub(crate) fn first_heading(markdown: &str) -> Option<String> {
    let headings = headings(markdown);
    headings.into_iter().min_by_key(|heading| (heading.level, heading.at)).map(|heading| heading.text)
}

struct Heading {
    level: HeadingLevel,
    at: usize,
    text: String,
}

fn headings(markdown: &str) -> Vec<Heading> {
    let mut found: Vec<Heading> = Vec::new();
    let (mut depth, mut inside) = (0_usize, false);
    for (event, range) in Parser::new_ext(markdown, Options::ENABLE_TABLES).into_offset_iter() {
        match event {
            // A heading inside a quotation or a list does not begin a section.
            Event::Start(Tag::Heading { level, .. }) if depth == 0 => {
                inside = true;
                found.push(Heading { level, at: range.start, text: String::new() });
            }
            Event::End(TagEnd::Heading(_)) => inside = false,
            Event::Text(text) | Event::Code(text) if inside => {
                if let Some(heading) = found.last_mut() {
                    heading.text.push_str(&text);
                }
            }
            Event::Start(Tag::BlockQuote(_) | Tag::List(_)) => depth += 1,
            Event::End(TagEnd::BlockQuote(_) | TagEnd::List(_)) => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Kind;
    use crate::limits::Limits;

    #[test]
    fn a_heading_in_a_code_block_begins_no_section() {
        let markdown = "before\n\n# One\n\n```sh\n# not a heading\n```\n\n## Two\nx\n\n# Three\n";
        let mut document = Document::new(Kind::Markdown);
        let limits = Limits::default();
        let mut ignore = |_| {};
        sections_by_heading(markdown, &mut document, &mut Reading::new(&limits, &mut ignore)).unwrap();
        let paths: Vec<_> = document.sections.iter().map(|section| section.place.clone()).collect();
        let path =
            |names: &[&str]| Place::Heading { path: names.iter().map(|name| name.to_string()).collect() };
        assert_eq!(paths, [path(&[]), path(&["One"]), path(&["One", "Two"]), path(&["Three"])]);
    }

    #[test]
    fn a_cell_cannot_break_its_table() {
        let rows = [vec!["a".into()], vec!["b | c\nd".into(), "e".into()]];
        assert_eq!(table(&rows), "| a |  |\n| --- | --- |\n| b \\| c<br>d | e |\n");
    }
}
