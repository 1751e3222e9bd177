//! Writes callouts: a quotation that is one gets a frame of its kind and a title; it may fold below that.

use super::{DEEPEST, Writer, escape};
use crate::callout::{Callout, Fold};
use pulldown_cmark::{CowStr, Event, Tag, TagEnd};
use std::ops::Range;

/// The title of a callout, as far as it is written.
pub enum Title {
    /// The paragraph that begins with it comes next.
    Expected(Callout),
    Open {
        /// Stands before the title, until it is met.
        marker: Option<String>,
        close: &'static str,
        /// Emphasis, links and the like that are open: a title does not end within one.
        inside: usize,
    },
}

impl Writer<'_> {
    pub fn start_quote(&mut self, range: &Range<usize>) {
        let callout = Callout::of(&self.source[range.clone()]).filter(|_| self.state.depth < DEEPEST);
        let Some(callout) = callout else {
            self.open("<blockquote>\n");
            return self.state.quotes.push("</blockquote>\n");
        };
        let (fold, close) = match callout.fold {
            Fold::Never => ("", "</aside>\n"),
            Fold::Open => ("<details open>", "</details></aside>\n"),
            Fold::Folded => ("<details>", "</details></aside>\n"),
        };
        self.open(&format!("<aside class=\"callout is-{}\" role=\"note\">{fold}\n", callout.look()));
        self.state.quotes.push(close);
        self.state.title = Some(Title::Expected(callout));
    }

    /// Writes the title of a callout: its kind in words, and what stands behind the kind in its first line.
    /// Gives back what is not part of it.
    pub fn title<'e>(&mut self, event: Event<'e>) -> Option<Event<'e>> {
        match (self.state.title.take(), event) {
            (None, event) => Some(event),
            (Some(Title::Expected(callout)), event) => self.start_title(callout, event),
            (Some(Title::Open { close, .. }), Event::End(TagEnd::Paragraph)) => {
                self.out.push_str(close);
                None
            }
            (Some(Title::Open { close, inside: 0, .. }), Event::SoftBreak | Event::HardBreak) => {
                self.out.push_str(close);
                self.out.push_str("<p>");
                None
            }
            (Some(Title::Open { marker, close, inside }), event) => {
                let inside = match &event {
                    Event::Start(_) => inside + 1,
                    Event::End(_) => inside.saturating_sub(1),
                    _ => inside,
                };
                self.state.title = Some(Title::Open { marker: None, close, inside });
                Some(without_marker(event, marker))
            }
        }
    }

    /// Writes the kind; where no paragraph follows it that is the whole title.
    fn start_title<'e>(&mut self, callout: Callout, event: Event<'e>) -> Option<Event<'e>> {
        let (open, close) = match callout.fold {
            Fold::Never => ("<p class=\"callout-title\">", "</p>\n"),
            Fold::Open | Fold::Folded => ("<summary class=\"callout-title\">", "</summary>\n"),
        };
        self.out.push_str(open);
        self.out.push_str("<strong>");
        escape(self.out, &callout.word);
        self.out.push_str("</strong>");
        if event == Event::Start(Tag::Paragraph) {
            self.out.push(' ');
            self.state.title = Some(Title::Open { marker: Some(callout.marker), close, inside: 0 });
            return None;
        }
        self.out.push_str(close);
        Some(event)
    }
}

fn without_marker(event: Event<'_>, marker: Option<String>) -> Event<'_> {
    match (marker, event) {
        (Some(marker), Event::Text(text)) => {
            let title = text.strip_prefix(marker.as_str()).unwrap_or(&text).trim_start();
            Event::Text(CowStr::from(title.to_owned()))
        }
        (_, event) => event,
    }
}
