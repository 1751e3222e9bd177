//! A text that grows: finished blocks keep their HTML, only the end is rendered again.

use crate::definitions::Definitions;
use crate::write::{self, Extent, Footnotes};
use crate::{Dialect, Options, blocks, growing};
use std::borrow::Cow;

/// Whether more of a text may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    Growing,
    Finished,
}

/// A rendered block. Blocks with the same key have the same HTML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    pub key: u64,
    pub html: String,
}

impl Block {
    fn of(html: String) -> Self {
        Self { key: fnv1a(&html), html }
    }
}

#[derive(Default)]
pub struct Document {
    /// One for each start, and last the footnotes, where there are any.
    blocks: Vec<Block>,
    starts: Vec<Start>,
    source: String,
    definitions: Definitions,
    footnotes: Footnotes,
    progress: Option<Progress>,
}

/// Where a block begins: in the source, and among the footnotes.
#[derive(Clone, Copy, Default)]
struct Start {
    at: usize,
    footnotes: Extent,
}

impl Document {
    /// Takes the text as it now is. Text that was appended costs no more than the blocks it touches;
    /// any other change renders anew.
    pub fn update(&mut self, source: &str, progress: Progress, options: Options<'_>) {
        if self.source == source && self.progress == Some(progress) {
            return;
        }
        let definitions = match progress {
            Progress::Growing => Definitions::default(),
            Progress::Finished => Definitions::of(source, options),
        };
        let kept = if definitions == self.definitions { self.unchanged(source) } else { 0 };
        let from = self.keep(kept);
        self.definitions = definitions;
        let ranges = blocks::blocks(&source[from..], options);
        let last = ranges.len().saturating_sub(1);
        for (index, range) in ranges.into_iter().enumerate() {
            let text = &source[from + range.start..from + range.end];
            let text = match progress {
                Progress::Growing if index == last => growing::mended(text),
                Progress::Growing | Progress::Finished => Cow::Borrowed(text),
            };
            self.add(from + range.start, &text, options);
        }
        let footnotes = self.footnotes.section(options.footnotes);
        if !footnotes.is_empty() {
            self.blocks.push(Block::of(footnotes));
        }
        self.source.truncate(from);
        self.source.push_str(&source[from..]);
        self.progress = Some(progress);
    }

    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// Forgets what was rendered, because the way of rendering changed.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// How many blocks stay as they are. The last two may still change: the last grows, and what
    /// follows can join the one before (a line under a paragraph makes it a heading).
    fn unchanged(&self, source: &str) -> usize {
        let stable = self.starts.len().saturating_sub(2);
        match self.starts.get(stable) {
            Some(end) if source.as_bytes().starts_with(&self.source.as_bytes()[..end.at]) => stable,
            _ => 0,
        }
    }

    /// Keeps the first blocks, and says where in the source the others begin.
    fn keep(&mut self, kept: usize) -> usize {
        let rest = self.starts.get(kept).copied().unwrap_or_default();
        self.starts.truncate(kept);
        self.blocks.truncate(kept);
        self.footnotes.cut(rest.footnotes);
        rest.at
    }

    fn add(&mut self, at: usize, text: &str, options: Options<'_>) {
        self.starts.push(Start { at, footnotes: self.footnotes.extent() });
        let mut html = String::with_capacity(text.len() * 3 / 2);
        write::html(&mut html, text, &self.definitions, &mut self.footnotes, Dialect::Message, options);
        self.blocks.push(Block::of(html));
    }
}

/// FNV-1a, 64 bits: for telling blocks apart, not for secrets.
fn fnv1a(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
