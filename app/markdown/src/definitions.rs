//! What a text may define in another block than the one that uses it, collected from the whole text: where
//! reference links (`[text][label]`) lead, and which footnotes there are.

use crate::{Dialect, Options, grammar};
use pulldown_cmark::{Event, Parser, Tag};

#[derive(Default, Clone, PartialEq)]
pub struct Definitions {
    /// Normalised label and destination.
    links: Vec<(String, String)>,
    footnotes: Known,
}

/// Which footnotes are defined.
#[derive(Default, Clone, PartialEq)]
enum Known {
    /// The text still grows, and they come last. Also of a text that refers to none.
    #[default]
    NotYet,
    /// By their normalised labels.
    All(Vec<String>),
}

impl Definitions {
    pub fn of(source: &str, options: Options<'_>) -> Self {
        let mut found = Self::default();
        let may_refer = options.footnotes.is_some() && source.contains("[^");
        if source.contains("]:") {
            let parser = Parser::new_ext(source, grammar(Dialect::Message, options));
            for (label, definition) in parser.reference_definitions().iter() {
                found.links.push((normal(label), definition.dest.to_string()));
            }
            found.links.sort();
            if may_refer {
                found.footnotes = Known::All(footnotes(parser));
            }
        } else if may_refer {
            found.footnotes = Known::All(Vec::new());
        }
        found
    }

    pub fn destination(&self, label: &str) -> Option<&str> {
        if self.links.is_empty() {
            return None;
        }
        let label = normal(label);
        let place = self.links.binary_search_by(|(known, _)| known.cmp(&label)).ok()?;
        Some(&self.links[place].1)
    }

    /// What is to be read before a block, so that it can refer to footnotes in other blocks: the parser knows no
    /// others than it has met. They are defined without words, and a line ends them. Nothing of it is to be shown.
    pub fn preamble(&self, block: &str) -> String {
        let mut preamble = String::new();
        for label in labels(block).filter(|label| self.has_footnote(label)) {
            preamble.push_str(&format!("[^{label}]:\n"));
        }
        if !preamble.is_empty() {
            preamble.push_str("***\n");
        }
        preamble
    }

    /// While the text grows, what looks as if it were one is taken for one, so that nothing moves when it comes.
    fn has_footnote(&self, label: &str) -> bool {
        match &self.footnotes {
            Known::NotYet => is_expected(label),
            Known::All(labels) => labels.binary_search(&normal(label)).is_ok(),
        }
    }
}

/// The normalised labels of the footnotes that are defined.
fn footnotes(parser: Parser<'_>) -> Vec<String> {
    let mut labels: Vec<String> = parser
        .filter_map(|event| match event {
            Event::Start(Tag::FootnoteDefinition(label)) => Some(normal(&label)),
            _ => None,
        })
        .collect();
    labels.sort();
    labels
}

/// What stands in `[^…]`, as far as it can be said again by itself.
fn labels(block: &str) -> impl Iterator<Item = &str> {
    let written = block.split("[^").skip(1).filter_map(|rest| rest.split_once(']'));
    written.map(|(label, _)| label).filter(|label| !label.contains(['[', '\\', '\n', '\r']))
}

/// `1` and `note2`, but not `a-z` or `abc`: that may be a pattern, and nobody may ever define it.
fn is_expected(label: &str) -> bool {
    label.ends_with(|c: char| c.is_ascii_digit()) && label.bytes().all(|b| b.is_ascii_alphanumeric())
}

fn normal(label: &str) -> String {
    label.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_told_of_the_footnotes_it_refers_to() {
        let options = Options { footnotes: Some("m"), ..Options::default() };
        let finished = Definitions::of("a[^b]\n\n[^b]: words", options);
        assert_eq!(finished.preamble("x[^B], `[^c]` and [^1]"), "[^B]:\n***\n");
        assert_eq!(Definitions::of("a[^b]", options).preamble("x[^b]"), "");
        assert_eq!(Definitions::of("[^b]: words", Options::default()).preamble("x[^b]"), "");
        let growing = Definitions::default();
        assert_eq!(growing.preamble("x[^1] y[^n2]"), "[^1]:\n[^n2]:\n***\n");
        for none in ["[^a-z]", "[^abc]", "[^]", "[^ ]", "[^\n1]", "[^[^", "[^1", "[^\\]1]"] {
            assert_eq!(growing.preamble(none), "", "{none:?}");
        }
    }
}
