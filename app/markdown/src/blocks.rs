//! Splits a text into its top-level blocks, so that a block that is finished need not be rendered
//! again while the text grows.

use crate::{Dialect, Options, grammar, math};
use pulldown_cmark::{Event, Parser};
use std::ops::Range;

/// The top-level blocks, in order and without gaps: together they are the whole source. Each begins
/// at the start of a line, so each can be parsed by itself.
pub fn blocks(source: &str, options: Options<'_>) -> Vec<Range<usize>> {
    let normal = math::with_dollars(source);
    // The replacement keeps lengths, so the ranges are right for the source as it was given.
    let mut starts = starts(&normal, options);
    if starts.first() != Some(&0) {
        match starts.first_mut() {
            Some(first) => *first = 0,
            None if source.is_empty() => return Vec::new(),
            None => starts.push(0),
        }
    }
    let ends = starts.iter().skip(1).copied().chain([source.len()]);
    starts.iter().copied().zip(ends).map(|(start, end)| start..end).collect()
}

fn starts(source: &str, options: Options<'_>) -> Vec<usize> {
    let mut starts: Vec<usize> = Vec::new();
    let mut depth = 0usize;
    for (event, range) in Parser::new_ext(source, grammar(Dialect::Message, options)).into_offset_iter() {
        match event {
            Event::Start(_) => {
                if depth == 0 {
                    note(&mut starts, source, range.start);
                }
                depth += 1;
            }
            Event::End(_) => depth = depth.saturating_sub(1),
            _ if depth == 0 => note(&mut starts, source, range.start),
            _ => {}
        }
    }
    starts
}

fn note(starts: &mut Vec<usize>, source: &str, at: usize) {
    let line = source[..at].rfind(['\n', '\r']).map_or(0, |newline| newline + 1);
    if starts.last().is_none_or(|last| *last < line) {
        starts.push(line);
    }
}
