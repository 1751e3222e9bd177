//! A text that grows: finished blocks keep their HTML, only the end is rendered again.

use crate::definitions::Definitions;
use crate::{Dialect, Options, blocks, growing, write};

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

#[derive(Default)]
pub struct Document {
    blocks: Vec<Block>,
    /// Where each block begins in `source`.
    starts: Vec<usize>,
    source: String,
    definitions: Definitions,
    progress: Option<Progress>,
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
            Progress::Finished => Definitions::of(source),
        };
        let kept = if definitions == self.definitions { self.unchanged(source) } else { 0 };
        let from = self.starts.get(kept).copied().unwrap_or(0);
        self.starts.truncate(kept);
        self.blocks.truncate(kept);
        self.definitions = definitions;
        let ranges = blocks::blocks(&source[from..]);
        let last = ranges.len().saturating_sub(1);
        for (index, range) in ranges.into_iter().enumerate() {
            self.starts.push(from + range.start);
            let text = &source[from + range.start..from + range.end];
            self.blocks.push(if progress == Progress::Growing && index == last {
                self.block(&growing::mended(text), options)
            } else {
                self.block(text, options)
            });
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
            Some(end) if source.as_bytes().starts_with(&self.source.as_bytes()[..*end]) => stable,
            _ => 0,
        }
    }

    fn block(&self, text: &str, options: Options<'_>) -> Block {
        let mut html = String::with_capacity(text.len() * 3 / 2);
        write::html(&mut html, text, &self.definitions, Dialect::Message, options);
        Block { key: fnv1a(&html), html }
    }
}

/// FNV-1a, 64 bits: for telling blocks apart, not for secrets.
fn fnv1a(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
