//! Where reference links (`[text][label]`) lead. They may be defined in another block than the one
//! that uses them, so they are collected from the whole text.

use crate::dialect;
use pulldown_cmark::Parser;

#[derive(Default, Clone, PartialEq)]
pub struct Definitions {
    /// Normalised label and destination.
    entries: Vec<(String, String)>,
}

impl Definitions {
    pub fn of(source: &str) -> Self {
        let mut found = Self::default();
        if source.contains("]:") {
            let parser = Parser::new_ext(source, dialect());
            for (label, definition) in parser.reference_definitions().iter() {
                found.entries.push((normal(label), definition.dest.to_string()));
            }
            found.entries.sort();
        }
        found
    }

    pub fn destination(&self, label: &str) -> Option<&str> {
        if self.entries.is_empty() {
            return None;
        }
        let label = normal(label);
        let place = self.entries.binary_search_by(|(known, _)| known.cmp(&label)).ok()?;
        Some(&self.entries[place].1)
    }
}

fn normal(label: &str) -> String {
    label.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}
