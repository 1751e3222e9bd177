//! Cuts a block into atoms: parts that fit into a passage, cut at the coarsest boundaries that make
//! them fit. It joins nothing and never cuts inside of a character.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use super::structure::{Block, paragraphs};
use super::{Measure, Shape};

/// A part of the text that fits, and its tokens.
#[derive(Debug, Clone)]
pub(super) struct Atom {
    pub(super) range: Range<usize>,
    pub(super) tokens: usize,
}

/// Boundaries from coarse to fine.
#[derive(Debug, Clone, Copy)]
enum Cut {
    Seams,
    Paragraphs,
    Sentences,
    Lines,
    Words,
}

const PROSE: &[Cut] = &[Cut::Sentences, Cut::Lines, Cut::Words];
const MARKDOWN: &[Cut] = &[Cut::Seams, Cut::Sentences, Cut::Lines, Cut::Words];
const CODE: &[Cut] = &[Cut::Paragraphs, Cut::Lines, Cut::Words];

/// The block's atoms, each of at most `most` tokens; parts that are only white space are left out.
pub(super) fn atoms(measure: Measure<'_>, block: &Block, most: usize) -> Vec<Atom> {
    let cuts = match block.shape {
        Shape::Prose => PROSE,
        Shape::Markdown => MARKDOWN,
        Shape::Code => CODE,
    };
    let mut cutter = Cutter { measure, seams: &block.seams, most, atoms: Vec::new() };
    cutter.cut(block.range.clone(), cuts);
    cutter.atoms
}

struct Cutter<'a> {
    measure: Measure<'a>,
    seams: &'a [usize],
    most: usize,
    atoms: Vec<Atom>,
}

impl Cutter<'_> {
    fn cut(&mut self, range: Range<usize>, cuts: &[Cut]) {
        let range = self.measure.trimmed(range);
        if range.is_empty() {
            return;
        }
        if let Some(tokens) = self.measure.within(&range, self.most) {
            self.atoms.push(Atom { range, tokens });
            return;
        }
        self.divide(range, cuts);
    }

    /// Cuts what is known to be too long, at the coarsest boundaries that there are.
    fn divide(&mut self, range: Range<usize>, cuts: &[Cut]) {
        for (number, cut) in cuts.iter().enumerate() {
            let boundaries = self.boundaries(*cut, &range);
            if boundaries.is_empty() {
                continue;
            }
            let mut from = range.start;
            for end in boundaries.into_iter().chain([range.end]) {
                self.cut(from..end, &cuts[number + 1..]);
                from = end;
            }
            return;
        }
        self.cut_characters(range);
    }

    fn boundaries(&self, cut: Cut, range: &Range<usize>) -> Vec<usize> {
        let text = &self.measure.text[range.clone()];
        let inside: Vec<usize> = match cut {
            Cut::Seams => return self.seams_within(range),
            Cut::Paragraphs => paragraphs(text).collect(),
            Cut::Sentences => sentences(text),
            Cut::Lines => text.match_indices('\n').map(|(at, _)| at + 1).collect(),
            Cut::Words => text.split_word_bound_indices().map(|(at, _)| at).skip(1).collect(),
        };
        inside.into_iter().map(|at| range.start + at).collect()
    }

    fn seams_within(&self, range: &Range<usize>) -> Vec<usize> {
        let from = self.seams.partition_point(|seam| *seam <= range.start);
        self.seams[from..].iter().copied().take_while(|seam| *seam < range.end).collect()
    }

    /// A word longer than a passage. Characters as people see them stay whole, unless one alone is
    /// too long.
    fn cut_characters(&mut self, range: Range<usize>) {
        let text = &self.measure.text[range.clone()];
        let seen: Vec<usize> = text.grapheme_indices(true).map(|(at, _)| range.start + at).collect();
        let ends = [&seen[1..], &[range.end]].concat();
        let mut rest = ends.as_slice();
        let mut from = range.start;
        while !rest.is_empty() {
            let (taken, tokens) = self.longest(from, rest);
            if taken == 0 {
                self.cut_scalars(from..rest[0]);
                from = rest[0];
                rest = &rest[1..];
                continue;
            }
            self.atoms.push(Atom { range: from..rest[taken - 1], tokens });
            from = rest[taken - 1];
            rest = &rest[taken..];
        }
    }

    /// How many of the ends can be reached in one atom, found by halving: first as many characters
    /// as tokens, which mostly fits at once.
    fn longest(&self, from: usize, ends: &[usize]) -> (usize, usize) {
        let mut taken = self.most.min(ends.len());
        while taken > 0 {
            if let Some(tokens) = self.measure.within(&(from..ends[taken - 1]), self.most) {
                return (taken, tokens);
            }
            taken /= 2;
        }
        (0, 0)
    }

    /// One character with more marks upon it than fit.
    fn cut_scalars(&mut self, range: Range<usize>) {
        let text = &self.measure.text[range.clone()];
        for (at, scalar) in text.char_indices() {
            let start = range.start + at;
            let part = start..start + scalar.len_utf8();
            let tokens = self.measure.within(&part, self.most).unwrap_or(self.most);
            self.atoms.push(Atom { range: part, tokens });
        }
    }
}

/// Where sentences begin. Unicode ends a sentence at each line's end, which in text with hard line
/// breaks is the middle of one: such an end counts only after a sign that ends a sentence.
fn sentences(text: &str) -> Vec<usize> {
    text.split_sentence_bound_indices()
        .map(|(at, _)| at)
        .filter(|at| {
            let before = &text[..*at];
            !before.is_empty() && (!before.ends_with(['\n', '\r']) || ends_sentence(before))
        })
        .collect()
}

fn ends_sentence(text: &str) -> bool {
    let closing = ['"', '\'', ')', ']', '”', '’', '»', '」', '）'];
    // Few are looked at: a long run of white space must not be walked again at each of its lines.
    let last = text.chars().rev().take(16).find(|c| !c.is_whitespace() && !closing.contains(c));
    last.is_some_and(|c| ".!?:;…。！？؟۔।".contains(c))
}
