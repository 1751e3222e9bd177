//! Markdown, from people and from models, turned into HTML that can run nothing and fetch nothing.
//!
//! Safe by construction: every tag is written by [`write`] itself, all text is escaped, HTML in the
//! source is shown as text, links are allowed by scheme, and images become links. What others make
//! (highlighting, formulas) passes through [`vetted`], which takes it only if it is of a known form.
//! This crate must never pass a piece of its input through as markup.

mod blocks;
mod definitions;
mod document;
mod growing;
mod links;
mod math;
mod vetted;
mod write;

pub use blocks::blocks;
pub use document::{Block, Document, Progress};
pub use math::Place as FormulaPlace;
pub use vetted::is_highlighted;

use definitions::Definitions;

/// Colours code: takes the code and its language, gives HTML of `hljs-` spans, or nothing where it
/// does not know the language. What it gives is checked against the code.
pub type Highlight<'a> = &'a dyn Fn(&str, &str) -> Option<String>;

#[derive(Clone, Copy, Default)]
pub struct Options<'a> {
    pub highlight: Option<Highlight<'a>>,
}

/// Which Markdown a text is.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub enum Dialect {
    #[default]
    Message,
    /// Has `[[links to notes]]`, and headings with levels of their own.
    Note,
}

/// The whole of a finished text.
pub fn render(source: &str, options: Options<'_>) -> String {
    render_as(Dialect::Message, source, options)
}

/// The whole of a finished text in a dialect.
pub fn render_as(dialect: Dialect, source: &str, options: Options<'_>) -> String {
    let definitions = Definitions::of(source);
    let mut html = String::with_capacity(source.len() * 3 / 2);
    for range in blocks(source) {
        write::html(&mut html, &source[range], &definitions, dialect, options);
    }
    html
}

/// MathML of one formula, where it can be written.
pub fn formula(latex: &str, place: FormulaPlace) -> Option<String> {
    math::html(latex, place)
}

/// What is read: tables, struck text, tasks and formulas beyond CommonMark. No footnotes, no raw HTML.
fn dialect() -> pulldown_cmark::Options {
    use pulldown_cmark::Options;
    Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS | Options::ENABLE_MATH
}
