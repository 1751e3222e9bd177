//! Differences of texts, by words: to be read, to be made, and three ways. Pure.

use shared::note::{Change, DiffPart};
use similar::algorithms::{Capture, Replace, diff_slices_deadline};
use similar::{Algorithm, DiffOp, DiffableStr};
use std::ops::Range;
use std::time::{Duration, Instant};

/// How long the smallest difference may be looked for.
const PATIENCE: Duration = Duration::from_millis(300);
/// Changes with less than this between them, in characters, are one.
const SHORTEST_GAP: usize = 3;

/// A replacement in a text: a range of its bytes, and what comes there.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Edit {
    pub range: Range<usize>,
    pub with: String,
}

/// The edits that make `after` of `before`, in order, as few and small as a reader likes them.
pub(crate) fn edits(before: &str, after: &str) -> Vec<Edit> {
    let mut joined: Vec<Edit> = Vec::new();
    for edit in exact(before, after) {
        match joined.last_mut() {
            Some(last) if is_gap(&before[last.range.end..edit.range.start]) => {
                last.with.push_str(&before[last.range.end..edit.range.start]);
                last.with.push_str(&edit.with);
                last.range.end = edit.range.end;
            }
            _ => joined.push(edit),
        }
    }
    joined
}

fn is_gap(between: &str) -> bool {
    !between.contains('\n') && between.chars().count() < SHORTEST_GAP
}

/// The same word by word, nothing joined that is apart.
fn exact(before: &str, after: &str) -> Vec<Edit> {
    let deadline = Instant::now() + PATIENCE;
    let (old, new) = (before.tokenize_lines(), after.tokenize_lines());
    let (old_at, new_at) = (offsets(&old), offsets(&new));
    let mut found = Vec::new();
    for op in operations(&old, &new, deadline) {
        let from = old_at[op.old_range().start]..old_at[op.old_range().end];
        let to = new_at[op.new_range().start]..new_at[op.new_range().end];
        match op {
            DiffOp::Equal { .. } => {}
            DiffOp::Replace { .. } => by_words(before, from, &after[to], deadline, &mut found),
            DiffOp::Delete { .. } | DiffOp::Insert { .. } => {
                push(&mut found, Edit { range: from, with: after[to].to_owned() });
            }
        }
    }
    found
}

/// Without the crate's own compaction, which (2.7) gives insertions places that they do not have.
fn operations(old: &[&str], new: &[&str], deadline: Instant) -> Vec<DiffOp> {
    let mut found = Replace::new(Capture::new());
    let Ok(()) = diff_slices_deadline(Algorithm::Myers, &mut found, old, new, Some(deadline));
    found.into_inner().into_ops()
}

fn by_words(before: &str, within: Range<usize>, after: &str, deadline: Instant, found: &mut Vec<Edit>) {
    let old = before[within.clone()].tokenize_unicode_words();
    let new = after.tokenize_unicode_words();
    let (old_at, new_at) = (offsets(&old), offsets(&new));
    for op in operations(&old, &new, deadline) {
        if matches!(op, DiffOp::Equal { .. }) {
            continue;
        }
        let range = within.start + old_at[op.old_range().start]..within.start + old_at[op.old_range().end];
        let with = after[new_at[op.new_range().start]..new_at[op.new_range().end]].to_owned();
        push(found, Edit { range, with });
    }
}

/// Joins what touches.
fn push(found: &mut Vec<Edit>, edit: Edit) {
    match found.last_mut() {
        Some(last) if last.range.end == edit.range.start => {
            last.range.end = edit.range.end;
            last.with.push_str(&edit.with);
        }
        _ => found.push(edit),
    }
}

/// Where each token begins, and where the last one ends.
fn offsets(tokens: &[&str]) -> Vec<usize> {
    let mut at = 0;
    let mut all = vec![0];
    all.extend(tokens.iter().map(|token| {
        at += token.len();
        at
    }));
    all
}

/// The difference as it is read: what stayed, what went, what came.
pub(crate) fn readable(before: &str, after: &str) -> Vec<DiffPart> {
    let mut parts = Vec::new();
    let mut part = |change, text: &str| {
        if !text.is_empty() {
            parts.push(DiffPart { change, text: text.to_owned() });
        }
    };
    let mut at = 0;
    for edit in edits(before, after) {
        part(Change::Same, &before[at..edit.range.start]);
        part(Change::Removed, &before[edit.range.clone()]);
        part(Change::Added, &edit.with);
        at = edit.range.end;
    }
    part(Change::Same, &before[at..]);
    parts
}

/// `ours` with the changes that `theirs` made to the same `base`. None where both changed the same
/// words differently.
pub(crate) fn merge(base: &str, ours: &str, theirs: &str) -> Option<String> {
    if ours == base || ours == theirs {
        return Some(theirs.to_owned());
    }
    let (mut own, mut other) =
        (exact(base, ours).into_iter().peekable(), exact(base, theirs).into_iter().peekable());
    let mut merged = String::new();
    let mut at = 0;
    loop {
        let edit = match (own.peek(), other.peek()) {
            (None, None) => break,
            (Some(a), Some(b)) if a == b => {
                other.next();
                own.next()
            }
            (Some(a), Some(b)) if collide(&a.range, &b.range) => return None,
            // At the same place what is there already comes first.
            (Some(a), Some(b)) if (b.range.start, b.range.end) < (a.range.start, a.range.end) => other.next(),
            (Some(_), _) => own.next(),
            (None, Some(_)) => other.next(),
        };
        if let Some(edit) = edit {
            merged.push_str(&base[at..edit.range.start]);
            merged.push_str(&edit.with);
            at = edit.range.end;
        }
    }
    merged.push_str(&base[at..]);
    Some(merged)
}

/// Whether two ranges share words, or one stands inside the other. What only touches does not.
fn collide(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start < b.end && b.start < a.end
}

/// What others added to `base` until it became `now`: what is left when `base` itself is taken away.
pub(crate) fn added_by_others(base: &str, now: &str) -> String {
    exact(base, now).into_iter().map(|edit| edit.with).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn applied(before: &str, edits: &[Edit]) -> String {
        let mut text = before.to_owned();
        for edit in edits.iter().rev() {
            text.replace_range(edit.range.clone(), &edit.with);
        }
        text
    }

    #[test]
    fn a_changed_word_is_one_small_edit() {
        let before = "The quick brown fox\njumps over the dog.\n";
        let after = "The quick red fox\njumps over the dog.\n";
        assert_eq!(edits(before, after), [Edit { range: 10..15, with: "red".into() }]);
    }

    #[test]
    fn words_changed_side_by_side_read_as_one_change() {
        let parts = readable("we go by train today", "we go on foot today");
        let seen: Vec<_> = parts.iter().map(|p| (p.change, p.text.as_str())).collect();
        assert_eq!(
            seen,
            [
                (Change::Same, "we go "),
                (Change::Removed, "by train"),
                (Change::Added, "on foot"),
                (Change::Same, " today"),
            ]
        );
    }

    #[test]
    fn changes_in_different_places_merge() {
        let merged = merge("one two three", "one 2 three", "one two 3");
        assert_eq!(merged.as_deref(), Some("one 2 3"));
        assert_eq!(merge("a b", "a b c", "a b").as_deref(), Some("a b c"));
    }

    #[test]
    fn changes_to_the_same_word_do_not_merge() {
        assert_eq!(merge("a cat sat", "a dog sat", "a cow sat"), None);
        assert_eq!(merge("a cat sat", "a fat cat sat", ""), None, "typed inside what is deleted");
        assert_eq!(merge("a cat sat", "a cow sat", "a cow sat").as_deref(), Some("a cow sat"));
    }

    #[test]
    fn what_others_typed_into_a_text_is_left_when_it_is_taken_back() {
        assert_eq!(added_by_others("The quick fox", "The very quick fox"), "very ");
        assert_eq!(added_by_others("The quick fox", "The fox"), "");
    }

    proptest! {
        #[test]
        fn edits_make_the_one_text_of_the_other(a in "[ab \n👩é]{0,30}", b in "[ab \n👩é]{0,30}") {
            prop_assert_eq!(applied(&a, &edits(&a, &b)), b.clone());
            prop_assert_eq!(applied(&a, &exact(&a, &b)), b.clone());
            prop_assert_eq!(merge(&a, &a, &b), Some(b.clone()));
            prop_assert_eq!(merge(&a, &b, &a), Some(b));
        }
    }
}
