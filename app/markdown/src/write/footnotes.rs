//! Writes footnotes: numbers in the text that lead to the notes below it, and behind each note the way back.
//! What a text refers to may stand in any of its blocks, so they are kept for the whole of it.

use super::{Writer, Written, escape};
use std::collections::HashMap;

/// The footnotes of a text, as far as it is written.
#[derive(Default)]
pub struct Footnotes {
    /// Their numbers by their labels, as the text refers to them.
    numbers: HashMap<String, usize>,
    /// Label and HTML of those that are written, in the order in which they are defined.
    notes: Vec<(String, String)>,
}

/// How far the footnotes go at a place of the text.
#[derive(Clone, Copy, Default)]
pub struct Extent {
    numbers: usize,
    notes: usize,
}

impl Footnotes {
    pub fn extent(&self) -> Extent {
        Extent { numbers: self.numbers.len(), notes: self.notes.len() }
    }

    /// Forgets those behind a place of the text, which is written anew from there.
    pub fn cut(&mut self, to: Extent) {
        self.numbers.retain(|_, number| *number <= to.numbers);
        self.notes.truncate(to.notes);
    }

    /// What stands below the text; nothing where it has no notes. `text` is from [`crate::Options::footnotes`].
    pub fn section(&self, text: Option<&str>) -> String {
        if self.notes.is_empty() {
            return String::new();
        }
        let mut html = String::from("<section class=\"footnotes\" aria-label=\"Footnotes\"><ol>\n");
        for (index, (number, words)) in self.in_order().into_iter().enumerate() {
            html.push_str(&match number {
                Some(number) => note(number, index + 1, words, text),
                None => format!("<li>{words}</li>\n"),
            });
        }
        html.push_str("</ol></section>\n");
        html
    }

    /// In the order in which the text refers to them; what it never refers to comes last. Of several with the
    /// same label the first has the number.
    fn in_order(&self) -> Vec<(Option<usize>, &str)> {
        let mut numbers: HashMap<&str, usize> =
            self.numbers.iter().map(|(label, number)| (label.as_str(), *number)).collect();
        let notes = self.notes.iter();
        let mut ordered: Vec<_> =
            notes.map(|(label, html)| (numbers.remove(label.as_str()), html.as_str())).collect();
        ordered.sort_by_key(|(number, _)| number.unwrap_or(usize::MAX));
        ordered
    }
}

impl Writer<'_> {
    /// A number that leads to the footnote; the first of each can be led back to.
    pub fn refer(&mut self, label: &str) {
        let next = self.footnotes.numbers.len() + 1;
        let number = *self.footnotes.numbers.entry(label.to_lowercase()).or_insert(next);
        // A link within a link is not HTML: the outer one stays.
        if self.state.links.contains(&Written::AsLink) {
            return self.out.push_str(&format!("<sup>{number}</sup>"));
        }
        let place = place(number, self.options.footnotes);
        let id = if number == next { format!(" id=\"{place}-from\"") } else { String::new() };
        self.out.push_str(&format!(
            "<sup{id}><a href=\"#{place}\" aria-label=\"Footnote {number}\">{number}</a></sup>"
        ));
    }

    pub fn start_footnote(&mut self, label: &str) {
        self.state.open_footnotes.push((label.to_lowercase(), self.out.len()));
    }

    /// Takes the footnote out of the text: it stands below.
    pub fn end_footnote(&mut self) {
        if let Some((label, from)) = self.state.open_footnotes.pop() {
            let written = self.out.split_off(from);
            self.footnotes.notes.push((label, written));
        }
    }
}

/// A note that the text refers to. `position`: where it stands among the notes that are written; while a text
/// grows, one before it may be missing, and its number must be right all the same.
fn note(number: usize, position: usize, html: &str, text: Option<&str>) -> String {
    let place = place(number, text);
    let value = if number == position { String::new() } else { format!(" value=\"{number}\"") };
    let (words, end) = match html.strip_suffix("</p>\n") {
        Some(words) => (words, "</p>\n"),
        None => (html, ""),
    };
    format!(
        "<li id=\"{place}\"{value}>{words} <a class=\"footnote-back\" href=\"#{place}-from\" \
         aria-label=\"Back to the text\">↩</a>{end}</li>\n"
    )
}

/// The name of a note's place in the page.
fn place(number: usize, text: Option<&str>) -> String {
    let mut place = String::from("footnote-");
    if let Some(text) = text {
        escape(&mut place, text);
        place.push('-');
    }
    place.push_str(&number.to_string());
    place
}
