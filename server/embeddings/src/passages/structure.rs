//! The blocks of a text and the places inside them where a block too long is best cut. It counts no
//! tokens and joins nothing.

use std::ops::Range;
use std::rc::Rc;

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::Shape;

const SEPARATOR: &str = " › ";
/// A heading longer than this is a paragraph that someone made large.
const LONGEST_TITLE_CHARS: usize = 120;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Heading,
    Body,
}

#[derive(Debug, Clone)]
pub(super) struct Block {
    pub(super) range: Range<usize>,
    pub(super) kind: Kind,
    pub(super) shape: Shape,
    /// The headings above it; a heading is its own last one.
    pub(super) path: Option<Rc<str>>,
    /// Where it may be cut into items, rows, lines of code: rising, inside of the range.
    pub(super) seams: Vec<usize>,
}

/// Blocks that together are the whole text.
pub(super) fn blocks(text: &str, shape: Shape) -> Vec<Block> {
    match shape {
        Shape::Markdown => markdown(text),
        Shape::Prose => plain(text, shape, |_| true),
        // What follows an empty line without being indented is a declaration of its own.
        Shape::Code => plain(text, shape, |line| !line.starts_with([' ', '\t', '}', ')', ']'])),
    }
}

fn plain(text: &str, shape: Shape, begins: impl Fn(&str) -> bool) -> Vec<Block> {
    let mut starts: Vec<usize> = paragraphs(text).filter(|start| begins(&text[*start..])).collect();
    starts.push(text.len());
    let mut from = 0;
    starts
        .into_iter()
        .map(|end| {
            let range = from..end;
            from = end;
            Block { range, kind: Kind::Body, shape, path: None, seams: Vec::new() }
        })
        .collect()
}

/// Where a line with something in it follows an empty one.
pub(super) fn paragraphs(text: &str) -> impl Iterator<Item = usize> {
    let mut start = 0;
    let mut after_empty = false;
    text.split_inclusive('\n').filter_map(move |line| {
        let (at, empty) = (start, line.trim().is_empty());
        let begins = after_empty && !empty;
        start += line.len();
        after_empty = empty;
        begins.then_some(at)
    })
}

fn markdown(text: &str) -> Vec<Block> {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS;
    let mut outline = Outline::new(text);
    for (event, range) in Parser::new_ext(text, options).into_offset_iter() {
        outline.take(&event, range);
    }
    outline.finish()
}

/// Collects blocks from the events of the parser. Only where things begin is taken from it: blocks
/// reach to the next one's beginning, so that nothing of the text can fall between them.
struct Outline<'a> {
    text: &'a str,
    blocks: Vec<Block>,
    /// How many containers are open.
    depth: usize,
    /// The headings that are in force, outermost first.
    headings: Vec<(HeadingLevel, String)>,
    title: Option<String>,
}

impl<'a> Outline<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, blocks: Vec::new(), depth: 0, headings: Vec::new(), title: None }
    }

    fn take(&mut self, event: &Event<'_>, range: Range<usize>) {
        match event {
            Event::Start(tag) => {
                self.begin(tag, range);
                self.depth += 1;
            }
            Event::End(tag) => {
                self.depth = self.depth.saturating_sub(1);
                if let (0, TagEnd::Heading(level)) = (self.depth, tag) {
                    self.end_heading(*level);
                }
            }
            Event::Rule if self.depth == 0 => self.open(range.start, Kind::Body),
            Event::Text(text) | Event::Code(text) | Event::InlineMath(text) => {
                if let Some(title) = &mut self.title {
                    title.push_str(text);
                }
            }
            Event::SoftBreak | Event::HardBreak => {
                if let Some(title) = &mut self.title {
                    title.push(' ');
                }
            }
            _ => {}
        }
    }

    fn begin(&mut self, tag: &Tag<'_>, range: Range<usize>) {
        match tag {
            Tag::Heading { .. } if self.depth == 0 => {
                self.title = Some(String::new());
                self.open(range.start, Kind::Heading);
            }
            _ if self.depth == 0 => self.open(range.start, Kind::Body),
            Tag::Item
            | Tag::TableRow
            | Tag::Paragraph
            | Tag::BlockQuote(_)
            | Tag::Heading { .. }
            | Tag::FootnoteDefinition(_) => self.seam(range.start),
            _ => {}
        }
        if matches!(tag, Tag::CodeBlock(_) | Tag::HtmlBlock | Tag::MetadataBlock(_)) {
            let lines: Vec<usize> =
                self.text[range.clone()].match_indices('\n').map(|(at, _)| range.start + at + 1).collect();
            lines.into_iter().for_each(|line| self.seam(line));
        }
    }

    fn open(&mut self, start: usize, kind: Kind) {
        let mut path = None;
        let mut start = if self.text.is_char_boundary(start) { start } else { 0 };
        match self.blocks.last_mut() {
            // What is before the first block (white space, definitions of links) belongs to it, what
            // is between two to the first of them.
            None => start = 0,
            Some(last) => {
                start = start.max(last.range.start);
                last.range.end = start;
                path = last.path.clone();
            }
        }
        let range = start..self.text.len();
        self.blocks.push(Block { range, kind, shape: Shape::Markdown, path, seams: Vec::new() });
    }

    fn seam(&mut self, at: usize) {
        if let Some(block) = self.blocks.last_mut()
            && at > block.seams.last().copied().unwrap_or(block.range.start)
            && self.text.is_char_boundary(at)
        {
            block.seams.push(at);
        }
    }

    fn end_heading(&mut self, level: HeadingLevel) {
        let title = self.title.take().unwrap_or_default();
        let title: String = title.split_whitespace().collect::<Vec<_>>().join(" ");
        let title = title.chars().take(LONGEST_TITLE_CHARS).collect::<String>();
        self.headings.retain(|(above, _)| *above < level);
        if !title.is_empty() {
            self.headings.push((level, title));
        }
        let titles: Vec<&str> = self.headings.iter().map(|(_, title)| title.as_str()).collect();
        let path = (!titles.is_empty()).then(|| titles.join(SEPARATOR).into());
        if let Some(block) = self.blocks.last_mut() {
            block.path = path;
        }
    }

    fn finish(mut self) -> Vec<Block> {
        if self.blocks.is_empty() {
            // Link definitions are no events, and neither is white space.
            self.open(0, Kind::Body);
        }
        self.blocks
    }
}
