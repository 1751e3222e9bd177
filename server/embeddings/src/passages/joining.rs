//! Joins atoms into passages: neighbours of one section up to the limit, a heading with what follows
//! it. It never looks inside of an atom.

use std::ops::Range;
use std::rc::Rc;

use super::atoms::{Atom, atoms};
use super::structure::{Block, Kind};
use super::{Measure, Passage};

pub(super) struct Joiner<'a> {
    measure: Measure<'a>,
    most: usize,
    passages: Vec<Passage>,
    /// The passage that is being joined.
    open: Vec<Atom>,
    tokens: usize,
    path: Option<Rc<str>>,
    /// How many of the open atoms are headings that nothing has followed yet; then they are all.
    headings: usize,
}

impl<'a> Joiner<'a> {
    pub(super) fn new(measure: Measure<'a>, most: usize) -> Self {
        Self { measure, most, passages: Vec::new(), open: Vec::new(), tokens: 0, path: None, headings: 0 }
    }

    pub(super) fn add(&mut self, block: &Block) {
        let heading = block.kind == Kind::Heading;
        if heading && self.headings == 0 {
            self.close();
        }
        // Room is left for the headings before it, so that they need not stand alone. Headings
        // that fill half of a passage are text.
        let room = if self.headings > 0 && self.tokens <= self.most / 2 {
            self.most - self.tokens
        } else {
            self.most
        };
        let atoms = atoms(self.measure, block, room);
        let one = atoms.len() == 1;
        for atom in atoms {
            if self.tokens + atom.tokens > self.most {
                self.close();
            }
            self.tokens += atom.tokens;
            self.open.push(atom);
            self.path.clone_from(&block.path);
            self.headings = 0;
        }
        if heading && one {
            self.headings = self.open.len();
        }
    }

    pub(super) fn finish(mut self) -> Vec<Passage> {
        self.close();
        self.passages
    }

    fn close(&mut self) {
        let atoms = std::mem::take(&mut self.open);
        self.tokens = 0;
        self.headings = 0;
        let path = self.path.clone();
        self.write(&atoms, path.as_deref());
    }

    /// Writes a passage, or two when the whole has more tokens than its parts, which tokenizers do
    /// at times where a word was cut.
    fn write(&mut self, atoms: &[Atom], path: Option<&str>) {
        let (Some(first), Some(last)) = (atoms.first(), atoms.last()) else { return };
        let range = first.range.start..last.range.end;
        if atoms.len() > 1 && self.measure.within(&range, self.most).is_none() {
            let (front, back) = atoms.split_at(atoms.len().div_ceil(2));
            self.write(front, path);
            self.write(back, path);
            return;
        }
        self.passages.push(self.passage(range, path));
    }

    fn passage(&self, range: Range<usize>, path: Option<&str>) -> Passage {
        Passage { text: self.measure.text[range.clone()].to_owned(), range, heading: path.map(str::to_owned) }
    }
}
