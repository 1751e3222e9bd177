//! Cuts a text into passages short enough to be embedded, along the text's own structure. It knows
//! no model: whoever calls says how many tokens a text has.
//!
//! First the text falls into blocks (`structure`): headings, paragraphs, lists, tables, code. A block
//! too long for a passage falls into atoms (`atoms`), at the coarsest boundaries that do. Then small
//! neighbours of one section are joined (`joining`). Every step depends only on its section, so that
//! a changed section leaves the passages of the others as they were.

mod atoms;
mod joining;
mod structure;

use std::ops::Range;

use joining::Joiner;

/// What kind of text it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shape {
    /// Paragraphs between empty lines.
    Prose,
    Markdown,
    /// Lines matter, sentences do not.
    Code,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// The bytes of the source that it is. The ranges of a text's passages rise, never overlap, and
    /// leave out nothing but white space.
    pub range: Range<usize>,
    /// The source at `range`.
    pub text: String,
    /// The headings above it, outermost first, joined by ` › `.
    pub heading: Option<String>,
}

/// The text's passages in order, none with more than `most` tokens as `count` counts them (only a
/// single character that counts for more is a passage all the same).
///
/// No passage holds more than `16 · most` bytes that are not white space either: a tokenizer that
/// takes a kilobyte of base64 for one unknown word would else make one passage of it all.
pub fn passages(text: &str, shape: Shape, count: &dyn Fn(&str) -> usize, most: usize) -> Vec<Passage> {
    let most = most.max(1);
    let measure = Measure { text, count };
    let mut joiner = Joiner::new(measure, most);
    for block in &structure::blocks(text, shape) {
        joiner.add(block);
    }
    joiner.finish()
}

/// How many bytes a token stands for at most.
const TOKEN_BYTES: usize = 16;

/// How large a part of the text is.
#[derive(Clone, Copy)]
struct Measure<'a> {
    text: &'a str,
    count: &'a dyn Fn(&str) -> usize,
}

impl Measure<'_> {
    /// The range without the white space around it.
    fn trimmed(&self, range: Range<usize>) -> Range<usize> {
        let part = &self.text[range.clone()];
        let start = range.start + (part.len() - part.trim_start().len());
        start..(start + part.trim().len())
    }

    /// Its tokens, or more: the parts' sum is not less than the whole, but for oddities of the
    /// tokenizer. None when it is more than `most`, which is mostly known without counting.
    fn within(&self, range: &Range<usize>, most: usize) -> Option<usize> {
        let bytes = self.dense_bytes(range);
        if bytes.div_ceil(TOKEN_BYTES) > most {
            return None;
        }
        let part = &self.text[self.trimmed(range.clone())];
        let tokens = (self.count)(part).max(bytes.div_ceil(TOKEN_BYTES));
        (tokens <= most).then_some(tokens)
    }

    fn dense_bytes(&self, range: &Range<usize>) -> usize {
        self.text[range.clone()].split_whitespace().map(str::len).sum()
    }
}
