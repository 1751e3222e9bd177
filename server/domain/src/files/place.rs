//! Where in a file something stands: as an address in the file's page, and as a person says it.

use extract::Place;
use serde::{Deserialize, Serialize};

/// Kept with every passage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Spot {
    /// Of the section in the file's page.
    pub anchor: String,
    pub label: String,
}

impl Spot {
    /// Whether it is a place in source code.
    pub fn is_of_lines(&self) -> bool {
        self.anchor.starts_with('L')
    }
}

/// `number` is the section's, from 1: what has no number of its own is named by it.
pub(crate) fn spot(place: &Place, number: usize) -> Spot {
    let (anchor, label) = match place {
        Place::Page { number } => (format!("p{number}"), format!("Page {number}")),
        Place::Slide { number } => (format!("s{number}"), format!("Slide {number}")),
        Place::Sheet { name } => (format!("sheet{number}"), format!("Sheet {name}")),
        Place::Lines { from, to, symbol } => {
            let lines = if from == to { format!("Line {from}") } else { format!("Lines {from}–{to}") };
            let label = match symbol {
                Some(symbol) => format!("{lines} · {symbol}"),
                None => lines,
            };
            (format!("L{from}-{number}"), label)
        }
        Place::Heading { path } => (format!("h{number}"), path.join(" › ")),
        Place::Chapter { number, title } if title.is_empty() => {
            (format!("c{number}"), format!("Chapter {number}"))
        }
        Place::Chapter { number, title } => (format!("c{number}"), format!("Chapter {number}: {title}")),
        Place::Time { from, to } => {
            (format!("at{from}"), format!("{}–{}", extract::clock(*from), extract::clock(*to)))
        }
        Place::Whole => (format!("t{number}"), String::new()),
        Place::Attachment { name, within } => {
            let parts = [name.clone(), spot(within, number).label];
            let said: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
            (format!("a{number}"), said.join(" › "))
        }
    };
    Spot { anchor, label }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_said_as_a_person_would() {
        let said = |place| spot(&place, 4);
        assert_eq!(said(Place::Page { number: 3 }), Spot { anchor: "p3".into(), label: "Page 3".into() });
        let lines = Place::Lines { from: 10, to: 42, symbol: Some("fn main".into()) };
        assert_eq!(said(lines), Spot { anchor: "L10-4".into(), label: "Lines 10–42 · fn main".into() });
        let spoken = Place::Time { from: 245, to: 3723 };
        assert_eq!(said(spoken), Spot { anchor: "at245".into(), label: "4:05–1:02:03".into() });
        let within = Box::new(Place::Page { number: 2 });
        let attached = Place::Attachment { name: "lease.pdf".into(), within };
        assert_eq!(said(attached), Spot { anchor: "a4".into(), label: "lease.pdf › Page 2".into() });
        let path = vec!["Terms".to_owned(), "Rent".to_owned()];
        assert_eq!(said(Place::Heading { path }), Spot { anchor: "h4".into(), label: "Terms › Rent".into() });
    }
}
