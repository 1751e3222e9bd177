//! A passage as lists show it: what matched is told from the rest, and Markdown reads as words.

use shared::search::Segment;
use std::borrow::Cow;

/// Marks that only say how words look.
const LOOKS: [&str; 5] = ["**", "~~", "`", "[[", "]]"];

/// Cuts a passage at the marks that `find_passages` sets around what matched. In source code every sign counts.
pub(super) fn segments(marked: &str, is_code: bool) -> Vec<Segment> {
    let marked = if is_code { Cow::Borrowed(marked) } else { Cow::Owned(plain(marked)) };
    marked
        .split('\u{2}')
        .enumerate()
        .flat_map(|(i, part)| match part.split_once('\u{3}') {
            Some((hit, after)) if i > 0 => [(hit, true), (after, false)],
            _ => [(part, false), ("", false)],
        })
        .filter(|(text, _)| !text.is_empty())
        .map(|(text, hit)| Segment { text: text.to_owned(), hit })
        .collect()
}

fn plain(markdown: &str) -> String {
    let lines: Vec<String> = markdown.lines().map(line).filter(|line| !line.is_empty()).collect();
    lines.join("\n")
}

fn line(written: &str) -> String {
    let mut line = written.trim_start();
    for start in ["> ", "- [ ] ", "- [x] ", "- ", "* "] {
        line = line.strip_prefix(start).unwrap_or(line);
    }
    let heading = line.trim_start_matches('#');
    if line.len() - heading.len() <= 6 {
        line = heading.strip_prefix(' ').unwrap_or(line);
    }
    // the line between the head of a table and its rows
    if line.contains("--") && line.chars().all(|c| matches!(c, '|' | '-' | ':' | ' ')) {
        return String::new();
    }
    let words = LOOKS.iter().fold(linked(line), |line, mark| line.replace(mark, ""));
    without_stars(&words).trim_matches([' ', '|']).replace(" | ", " · ")
}

/// Without the stars around words; those between words and between spaces say something else.
fn without_stars(line: &str) -> String {
    let is_word = |c: Option<char>| c.is_some_and(|c| !c.is_whitespace());
    let is_inner = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let mut words = String::with_capacity(line.len());
    let mut signs = line.chars().peekable();
    let mut before = None;
    while let Some(sign) = signs.next() {
        let after = signs.peek().copied();
        let alone = !is_word(before) && !is_word(after);
        if sign != '*' || alone || is_inner(before) && is_inner(after) {
            words.push(sign);
        }
        before = Some(sign);
    }
    words
}

/// Of links the words.
fn linked(line: &str) -> String {
    let mut said = line.to_owned();
    while let Some(middle) = said.find("](") {
        let (open, close) = (said[..middle].rfind('['), said[middle..].find(')'));
        let (Some(open), Some(close)) = (open, close) else { break };
        let start = if said[..open].ends_with('!') { open - 1 } else { open };
        let words = said[open + 1..middle].to_owned();
        said.replace_range(start..=middle + close, &words);
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(marked: &str, is_code: bool) -> Vec<(String, bool)> {
        segments(marked, is_code).into_iter().map(|segment| (segment.text, segment.hit)).collect()
    }

    #[test]
    fn marks_become_segments() {
        let expected = [("the ", false), ("red", true), (" fox ", false), ("ran", true)];
        let expected = expected.map(|(text, hit)| (text.to_owned(), hit));
        assert_eq!(cut("the \u{2}red\u{3} fox \u{2}ran\u{3}", false), expected);
    }

    #[test]
    fn markdown_reads_as_words_and_code_stays_as_it_is() {
        let words =
            |markdown: &str| cut(markdown, false).into_iter().map(|(text, _)| text).collect::<String>();
        assert_eq!(
            words("## Rent\n\nUntil **30 \u{2}June\u{3}** see [[Keys]] and #barn."),
            "Rent\nUntil 30 June see Keys and #barn."
        );
        assert_eq!(words("*Whole* and 2*3 * 4, *\u{2}found\u{3}*."), "Whole and 2*3 * 4, found.");
        assert_eq!(words("- [x] `done` [here](/n/1#a) ![a cat](/f/2)"), "done here a cat");
        assert_eq!(words("| Month | Rent |\n| --- | ---: |\n| June | 310 |"), "Month · Rent\nJune · 310");
        assert_eq!(words("a](b and [c]( d"), "a](b and [c]( d", "what is no link");
        assert_eq!(cut("let a = **b; // `c`", true), [("let a = **b; // `c`".to_owned(), false)]);
    }
}
