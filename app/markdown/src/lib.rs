//! Markdown, from people and from models, turned into HTML that can run nothing and fetch nothing.
//!
//! Safe by construction: every tag is written by [`write`] itself, all text is escaped, HTML in the
//! source is shown as text, links are allowed by scheme, and images become links. What others make
//! (highlighting, formulas) passes through [`vetted`], which takes it only if it is of a known form.
//! This crate must never pass a piece of its input through as markup.

mod blocks;
mod callout;
mod definitions;
mod document;
mod growing;
mod links;
mod math;
mod properties;
mod vetted;
mod write;

pub use blocks::blocks;
pub use document::{Block, Document, Progress};
pub use math::Place as FormulaPlace;
pub use vetted::is_highlighted;

use definitions::Definitions;
use write::Footnotes;

/// Colours code: takes the code and its language, gives HTML of `hljs-` spans, or nothing where it
/// does not know the language. What it gives is checked against the code.
pub type Highlight<'a> = &'a dyn Fn(&str, &str) -> Option<String>;

/// Knows what a link to a page of ours cites; asked with its address.
pub type Cite<'a> = &'a dyn Fn(&str) -> Citation;

/// What a link to a page of ours stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Citation {
    /// An ordinary link.
    None,
    /// A source that the reader may see: its number, and what it is called.
    Source { number: usize, label: String },
    /// A thing that is not there, or not the reader's to see: it must not look like a link.
    Missing,
}

#[derive(Clone, Copy, Default)]
pub struct Options<'a> {
    pub highlight: Option<Highlight<'a>>,
    /// Without it no link is a citation.
    pub cite: Option<Cite<'a>>,
    /// How the addresses of the note's own files begin, before a file's name. Without it what embeds a file
    /// only names it.
    pub files: Option<&'a str>,
    /// Names the places of headings that stand in nothing else, in their order. Without it they have none.
    pub place: Option<Name<'a>>,
    /// What tells the places of this text's footnotes from those of every other text in the page: a word. Without
    /// it a message has no footnotes, and a note has the only ones.
    pub footnotes: Option<&'a str>,
}

/// The name of the next heading's place, by its words.
pub type Name<'a> = &'a dyn Fn(&str) -> String;

/// Which Markdown a text is.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub enum Dialect {
    /// Has footnotes where [`Options::footnotes`] names them.
    #[default]
    Message,
    /// Has `[[links to notes]]`, `![[embeds]]`, footnotes, properties before the text, and headings with levels
    /// of their own.
    Note,
}

/// The whole of a finished text.
pub fn render(source: &str, options: Options<'_>) -> String {
    render_as(Dialect::Message, source, options)
}

/// The whole of a finished text in a dialect.
pub fn render_as(dialect: Dialect, source: &str, options: Options<'_>) -> String {
    let mut html = String::with_capacity(source.len() * 3 / 2);
    match dialect {
        Dialect::Message => {
            let mut document = Document::default();
            document.update(source, Progress::Finished, options);
            document.blocks().iter().for_each(|block| html.push_str(&block.html));
        }
        // as one piece: footnotes stand in other blocks than what refers to them
        Dialect::Note => {
            let (properties, text) = properties::split(source);
            write::properties(&mut html, properties);
            let mut footnotes = Footnotes::default();
            write::html(&mut html, text, &Definitions::default(), &mut footnotes, dialect, options);
            html.push_str(&footnotes.section(options.footnotes));
        }
    }
    html
}

/// MathML of one formula, where it can be written.
pub fn formula(latex: &str, place: FormulaPlace) -> Option<String> {
    math::html(latex, place)
}

/// What is read of every text: tables, struck text, tasks and formulas beyond CommonMark. No raw HTML.
fn dialect() -> pulldown_cmark::Options {
    use pulldown_cmark::Options;
    Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS | Options::ENABLE_MATH
}

/// What is read of a text in a dialect.
fn grammar(kind: Dialect, options: Options<'_>) -> pulldown_cmark::Options {
    use pulldown_cmark::Options;
    let mut grammar = dialect();
    grammar.set(Options::ENABLE_WIKILINKS, kind == Dialect::Note);
    grammar.set(Options::ENABLE_FOOTNOTES, kind == Dialect::Note || options.footnotes.is_some());
    grammar
}
