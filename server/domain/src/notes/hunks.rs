//! Hunks: the replacements that a model wants or made, found in a text, anchored in the document,
//! merged with what others typed meanwhile, and taken back.

use super::diff::{Edit, added_by_others, edits, merge};
use crate::text::first_words;
use serde::{Deserialize, Serialize};
use shared::note::{Hunk, TextEdit};
use std::ops::Range;
use sync::{Draft, StickyRange};

/// Edits in one request.
const MOST_EDITS: usize = 100;
/// Longest text searched for or put, in bytes.
const LONGEST: usize = 200_000;

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Standing {
    #[default]
    Open,
    Applied,
    Rejected,
    Undone,
}

/// A hunk as its run's row keeps it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Kept {
    #[serde(flatten)]
    pub hunk: Hunk,
    #[serde(default)]
    pub standing: Standing,
    /// Since it was applied: what it made of what, and where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done: Option<Done>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Done {
    pub from: String,
    pub to: String,
    pub old: String,
    pub new: String,
}

/// A change that was looked at and can be made: a stretch of the text as it is, and what it becomes.
pub(super) struct Step {
    /// The place of its hunk in the run.
    pub hunk: usize,
    pub range: Range<usize>,
    pub now: String,
    pub then: String,
}

/// Where edits go in a text, split into small replacements, in the order of the text. The error is
/// for whoever asked: which edit, and what to do.
pub(super) fn place(text: &str, wanted: &[TextEdit]) -> Result<Vec<Edit>, String> {
    if wanted.is_empty() || wanted.len() > MOST_EDITS {
        return Err(format!("Give 1 to {MOST_EDITS} edits at once."));
    }
    let mut found: Vec<Edit> = Vec::new();
    for (n, edit) in wanted.iter().enumerate() {
        place_one(text, edit, &mut found).map_err(|why| format!("Edit {}: {why}", n + 1))?;
    }
    found.sort_by_key(|edit| (edit.range.start, edit.range.end));
    if found.windows(2).any(|pair| pair[0].range.end > pair[1].range.start) {
        return Err("Two of the edits change the same words. Make one of them.".into());
    }
    if found.is_empty() {
        return Err("The edits change nothing: search and replace say the same.".into());
    }
    Ok(found)
}

fn place_one(text: &str, edit: &TextEdit, found: &mut Vec<Edit>) -> Result<(), String> {
    if edit.search.len() > LONGEST || edit.replace.len() > LONGEST {
        return Err("At most 200,000 bytes at once.".into());
    }
    if edit.search.is_empty() {
        let apart =
            if text.is_empty() || text.ends_with('\n') || edit.replace.starts_with('\n') { "" } else { "\n" };
        found.push(Edit { range: text.len()..text.len(), with: format!("{apart}{}", edit.replace) });
        return Ok(());
    }
    let mut places = text.match_indices(&edit.search).map(|(at, _)| at..at + edit.search.len());
    let shown = first_words(&edit.search, 60);
    let place = places.next().ok_or_else(|| {
        format!("‘{shown}’ does not stand in the note. Read it again and quote it exactly.")
    })?;
    let others = places.count();
    if others > 0 {
        return Err(format!(
            "‘{shown}’ stands {} times in the note. Quote more around the place that is meant.",
            others + 1
        ));
    }
    if edit.insert_after {
        found.push(Edit { range: place.end..place.end, with: edit.replace.clone() });
    } else {
        found.extend(edits(&edit.search, &edit.replace).into_iter().map(|small| Edit {
            range: place.start + small.range.start..place.start + small.range.end,
            with: small.with,
        }));
    }
    Ok(())
}

/// The edits as hunks that keep their places while others type.
pub(super) fn anchored(draft: &Draft<'_>, text: &str, edits: Vec<Edit>) -> Vec<Kept> {
    edits
        .into_iter()
        .enumerate()
        .map(|(n, edit)| {
            let StickyRange { from, to } = draft.anchor(edit.range.clone());
            let before = text[edit.range].to_owned();
            let hunk = Hunk { id: (n + 1).to_string(), from, to, before, after: edit.with };
            Kept { hunk, standing: Standing::Open, done: None }
        })
        .collect()
}

/// How an open hunk is applied to the text as it is; none if it cannot be placed any more.
pub(super) fn acceptance(draft: &Draft<'_>, text: &str, place: usize, hunk: &Hunk) -> Option<Step> {
    let range = draft.resolve(&StickyRange { from: hunk.from.clone(), to: hunk.to.clone() })?;
    if hunk.before.is_empty() {
        let at = range.end;
        return Some(Step { hunk: place, range: at..at, now: String::new(), then: hunk.after.clone() });
    }
    let now = text[range.clone()].to_owned();
    let then = merge(&hunk.before, &now, &hunk.after)?;
    Some(Step { hunk: place, range, now, then })
}

/// How an applied hunk is taken back; none where others changed the same words since.
pub(super) fn withdrawal(draft: &Draft<'_>, text: &str, place: usize, done: &Done) -> Option<Step> {
    let range = draft.resolve(&StickyRange { from: done.from.clone(), to: done.to.clone() })?;
    if done.new.is_empty() {
        let at = range.end;
        return Some(Step { hunk: place, range: at..at, now: String::new(), then: done.old.clone() });
    }
    let now = text[range.clone()].to_owned();
    let then = match done.old.is_empty() {
        true => added_by_others(&done.new, &now),
        false => merge(&done.new, &now, &done.old)?,
    };
    Some(Step { hunk: place, range, now, then })
}

/// In the order of the text; those that share words with one before are left out and named.
pub(super) fn in_order(mut steps: Vec<Step>) -> (Vec<Step>, Vec<usize>) {
    steps.sort_by_key(|step| (step.range.start, step.range.end, step.hunk));
    let mut kept: Vec<Step> = Vec::new();
    let mut out = Vec::new();
    for step in steps {
        match kept.last() {
            Some(last) if last.range.end > step.range.start => out.push(step.hunk),
            _ => kept.push(step),
        }
    }
    (kept, out)
}

/// Makes the changes, small ones only; says for each where it is now.
pub(super) fn carry_out(draft: &mut Draft<'_>, steps: &[Step]) -> Vec<(usize, Done)> {
    // From the end, so that what comes before keeps its place.
    for step in steps.iter().rev() {
        for edit in edits(&step.now, &step.then).into_iter().rev() {
            let range = step.range.start + edit.range.start..step.range.start + edit.range.end;
            draft.replace(range, &edit.with);
        }
    }
    let mut grown = 0;
    let mut shrunk = 0;
    steps
        .iter()
        .map(|step| {
            let start = step.range.start + grown - shrunk;
            grown += step.then.len();
            shrunk += step.now.len();
            let StickyRange { from, to } = draft.anchor(start..start + step.then.len());
            (step.hunk, Done { from, to, old: step.now.clone(), new: step.then.clone() })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(search: &str, replace: &str) -> TextEdit {
        TextEdit { search: search.into(), replace: replace.into(), insert_after: false }
    }

    #[test]
    fn a_search_must_stand_in_the_text_exactly_once() {
        let text = "one two\none three\n";
        assert!(place(text, &[edit("four", "4")]).unwrap_err().contains("does not stand"));
        assert!(place(text, &[edit("one", "1")]).unwrap_err().contains("2 times"));
        let placed = place(text, &[edit("one three", "one 3")]).unwrap();
        assert_eq!(placed, [Edit { range: 12..17, with: "3".into() }]);
    }

    #[test]
    fn a_long_replacement_becomes_small_hunks() {
        let text = "The cat sat on the mat, and the dog lay by the door.";
        let after = "The cow sat on the mat, and the dog lay by the gate.";
        let placed = place(text, &[edit(text, after)]).unwrap();
        let words: Vec<_> = placed.iter().map(|e| (&text[e.range.clone()], e.with.as_str())).collect();
        assert_eq!(words, [("cat", "cow"), ("door", "gate")]);
    }

    #[test]
    fn edits_that_share_words_are_refused_and_so_are_edits_that_change_nothing() {
        assert!(place("a b c", &[edit("a b", "x"), edit("b c", "y")]).is_err());
        assert!(place("a b c", &[edit("a", "a")]).is_err());
        assert!(place("a b c", &[]).is_err());
    }

    #[test]
    fn what_is_appended_begins_on_a_line_of_its_own() {
        assert_eq!(place("a", &[edit("", "b")]).unwrap()[0].with, "\nb");
        assert_eq!(place("a\n", &[edit("", "b")]).unwrap()[0].with, "b");
    }
}
