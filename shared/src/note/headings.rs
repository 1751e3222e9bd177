//! The headings of a note as places in its address: `/n/{id}#h-notice`. Whoever writes such an address and whoever
//! opens it name headings here, by their words, so that what is written above a heading does not move it.

use std::collections::{HashMap, HashSet};

/// What stands before the words: no place in the page's own HTML begins so.
const BEFORE: &str = "h-";

/// Names the headings of one note, from the first to the last.
#[derive(Debug, Default)]
pub struct Headings {
    /// How far those with the same words were counted.
    counts: HashMap<String, u32>,
    given: HashSet<String>,
}

impl Headings {
    /// The place of the next heading. Those with the same words are told apart by a number, which goes on where
    /// a heading has that number among its words.
    pub fn place(&mut self, words: &str) -> String {
        let plain = plain(words);
        let count = self.counts.entry(plain.clone()).or_default();
        loop {
            *count += 1;
            let place = match *count {
                1 => format!("{BEFORE}{plain}"),
                n => format!("{BEFORE}{plain}-{n}"),
            };
            if self.given.insert(place.clone()) {
                return place;
            }
        }
    }
}

/// Which of these headings an address means behind its `#`: its place, or its words as somebody wrote them.
pub fn named<'a>(headings: impl Iterator<Item = &'a str>, place: &str) -> Option<usize> {
    let mut names = Headings::default();
    let places: Vec<String> = headings.map(|words| names.place(words)).collect();
    let as_words = || format!("{BEFORE}{}", plain(place));
    let exactly = places.iter().position(|one| one == place);
    exactly.or_else(|| places.iter().position(|one| *one == as_words()))
}

/// Letters and digits, in small letters, with a hyphen between words.
fn plain(words: &str) -> String {
    let parts = words.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty());
    parts.map(str::to_lowercase).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heading_is_named_by_its_words_and_told_from_others() {
        let mut headings = Headings::default();
        let places = ["Über *uns*", "Notice", "notice:", "🚂"].map(|words| headings.place(words));
        assert_eq!(places, ["h-über-uns", "h-notice", "h-notice-2", "h-"]);
    }

    #[test]
    fn no_two_headings_have_one_place() {
        let places = |headings: [&str; 4]| {
            let mut names = Headings::default();
            headings.map(|words| names.place(words))
        };
        assert_eq!(
            places(["Step", "Step", "Step 2", "Step"]),
            ["h-step", "h-step-2", "h-step-2-2", "h-step-3"]
        );
        assert_eq!(
            places(["Step 2", "Step", "Step", "Step 2"]),
            ["h-step-2", "h-step", "h-step-3", "h-step-2-2"]
        );
    }

    #[test]
    fn an_address_names_a_heading_by_its_place_or_its_words() {
        let headings = ["Lease", "Notice", "Rent and costs", "Notice"];
        let named = |place| named(headings.into_iter(), place);
        assert_eq!(named("h-notice"), Some(1));
        assert_eq!(named("h-notice-2"), Some(3));
        assert_eq!(named("Rent and costs"), Some(2));
        assert_eq!(named("rent-and-costs"), Some(2));
        assert_eq!(named("h-gone"), None);
        assert_eq!(named(""), None);
    }
}
