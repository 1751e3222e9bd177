//! HTML, sanitised already, as Markdown that holds no HTML and no link that acts.
//!
//! Text can always be found that a converter forgets to escape, so its result is not believed: it is
//! read as a program that shows it would, and whatever acts there is escaped until nothing does.

use htmd::HtmlToMarkdown;
use htmd::options::{BrStyle, BulletListMarker, HrStyle, Options};
use pulldown_cmark::{Event, Options as Extensions, Parser, Tag};
use std::sync::LazyLock;

/// What is escaped may end a code span, and what was in it may act then.
const MOST_ROUNDS: usize = 8;

static CONVERTER: LazyLock<HtmlToMarkdown> = LazyLock::new(|| {
    let options = Options {
        br_style: BrStyle::Backslash,
        hr_style: HrStyle::Dashes,
        bullet_list_marker: BulletListMarker::Dash,
        ul_bullet_spacing: 1,
        ol_number_spacing: 1,
        ..Options::default()
    };
    HtmlToMarkdown::builder().options(options).build()
});

/// The Markdown of `html`; that of its bare `text` where nothing better can be had.
pub(crate) fn from_html(html: &str, text: &str) -> String {
    let markdown = match CONVERTER.convert(html) {
        Ok(markdown) => quieted(markdown.trim().to_owned()),
        Err(error) => {
            tracing::warn!(%error, "a page could not be turned into Markdown");
            None
        }
    };
    markdown.unwrap_or_else(|| escaped(text))
}

fn quieted(mut markdown: String) -> Option<String> {
    for _ in 0..MOST_ROUNDS {
        let acting = acting(&markdown);
        if acting.is_empty() {
            return Some(markdown);
        }
        let mut quieter = String::with_capacity(markdown.len() + acting.len());
        let mut done = 0;
        for at in acting {
            quieter.push_str(&markdown[done..at]);
            quieter.push('\\');
            done = at;
        }
        quieter.push_str(&markdown[done..]);
        markdown = quieter;
    }
    None
}

/// Where HTML begins, and links to what is not of the web: with and without extensions, which read
/// some texts differently.
fn acting(markdown: &str) -> Vec<usize> {
    let mut places = Vec::new();
    for extensions in [Extensions::empty(), Extensions::ENABLE_TABLES, Extensions::all()] {
        for (event, range) in Parser::new_ext(markdown, extensions).into_offset_iter() {
            let begins = match event {
                Event::Html(_) | Event::InlineHtml(_) | Event::Start(Tag::HtmlBlock) => ['<', '<'],
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. })
                    if !is_of_the_web(&dest_url) =>
                {
                    ['[', '<']
                }
                _ => continue,
            };
            places.extend(markdown[range.clone()].find(begins).map(|at| range.start + at));
        }
    }
    places.sort_unstable();
    places.dedup();
    places
}

fn is_of_the_web(address: &str) -> bool {
    ["http://", "https://", "mailto:"].iter().any(|scheme| address.starts_with(scheme))
}

/// Text without any mark, a paragraph for each line.
fn escaped(text: &str) -> String {
    let mut markdown = String::with_capacity(text.len() + text.len() / 8);
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if !markdown.is_empty() {
            markdown.push_str("\n\n");
        }
        for c in line.chars() {
            if c.is_ascii_punctuation() {
                markdown.push('\\');
            }
            markdown.push(c);
        }
    }
    markdown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_is_escaped_and_nothing_else() {
        for (given, expected) in [
            ("a <b>c</b>", "a \\<b>c\\</b>"),
            ("<div>\nx\n\ny", "\\<div>\nx\n\ny"),
            ("[x](javascript:y)", "\\[x](javascript:y)"),
            ("![x](data:y)", "!\\[x](data:y)"),
            ("<javascript:alert(1)>", "\\<javascript:alert(1)>"),
            ("[x]\n\n[x]: javascript:y", "\\[x]\n\n[x]: javascript:y"),
            ("[x](y.html)", "\\[x](y.html)"),
            (
                "`<b>` and [x](https://a.example/ \"t\") 1 < 2",
                "`<b>` and [x](https://a.example/ \"t\") 1 < 2",
            ),
            ("| a |\n| - |\n| <b> |", "| a |\n| - |\n| \\<b> |"),
        ] {
            assert_eq!(quieted(given.to_owned()).as_deref(), Some(expected));
        }
    }

    #[test]
    fn bare_text_is_nothing_but_text() {
        let text = " # <b>[x](javascript:y)</b> \n\n1. `z`";
        let markdown = escaped(text);
        assert!(acting(&markdown).is_empty());
        let shown: Vec<String> = Parser::new(&markdown)
            .filter_map(|event| match event {
                Event::Text(text) => Some(text.to_string()),
                _ => None,
            })
            .collect();
        assert_eq!(shown.concat(), "# <b>[x](javascript:y)</b>1. `z`");
    }
}
