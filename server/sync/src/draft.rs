//! A change that the server makes in a note: for REST, tools, the shell, proposals.
//!
//! Ranges are in UTF-8 bytes of [`Draft::text`]; inside they become UTF-16, as Yjs counts.
//! Yrs cannot take a transaction back, so a change looks first and refuses before it writes.

use crate::document::{LONGEST_TEXT, PROPOSALS};
use base64::{Engine, engine::general_purpose::STANDARD};
use shared::note::Hunk;
use similar::{Algorithm, ChangeTag, TextDiff};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};
use yrs::updates::decoder::Decode;
use yrs::updates::encoder::Encode;
use yrs::{
    Any, Assoc, GetString, IndexedSequence, Map, MapRef, Out, StickyIndex, Text, TextRef, TransactionMut,
    WriteTxn,
};

/// How long a diff may look for the smallest change.
const DIFF_TIME: Duration = Duration::from_millis(200);

/// Why a change was not made, for a person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub String);

/// A stretch of text that moves with it: sticky positions as Yjs encodes relative positions, in base64.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StickyRange {
    pub from: String,
    pub to: String,
}

/// A proposal as it is in the document, for every client to show.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    pub model: String,
    pub run: String,
    /// Whose wish it was: id and name.
    pub on_behalf: String,
    pub name: String,
    /// RFC 3339.
    pub created_at: String,
    pub reason: String,
    pub hunks: Vec<Hunk>,
}

/// An open transaction in a note.
pub struct Draft<'doc> {
    txn: TransactionMut<'doc>,
    text: TextRef,
    proposals: MapRef,
}

impl<'doc> Draft<'doc> {
    pub(crate) fn new(mut txn: TransactionMut<'doc>, text: TextRef) -> Self {
        let proposals = txn.get_or_insert_map(PROPOSALS);
        Self { txn, text, proposals }
    }

    /// What was changed so far, as an update.
    pub(crate) fn update(&self) -> Vec<u8> {
        self.txn.encode_update_v1()
    }

    pub fn text(&self) -> String {
        self.text.get_string(&self.txn)
    }

    /// Puts `with` in the place of a stretch of the text; both its ends lie between characters.
    pub fn replace(&mut self, range: Range<usize>, with: &str) {
        let text = self.text();
        self.replace_in(&text, range, with);
    }

    fn replace_in(&mut self, text: &str, range: Range<usize>, with: &str) {
        let at = utf16(&text[..range.start]);
        let length = utf16(&text[range]);
        if length > 0 {
            self.text.remove_range(&mut self.txn, at, length);
        }
        if !with.is_empty() {
            self.text.insert(&mut self.txn, at, with);
        }
    }

    /// Makes the text this one by few and small changes, so that what others type at the same time
    /// and what is anchored stays in its place.
    pub fn set_text(&mut self, new: &str) -> Result<(), Refused> {
        let old = self.text();
        check_length(new)?;
        // From the end, so that what comes before keeps its place.
        for (range, with) in changes(&old, new).into_iter().rev() {
            self.replace_in(&old, range, &with);
        }
        Ok(())
    }

    /// Sticky positions for a stretch of the text. They hold the first and the last character, or the
    /// character before where the stretch is empty.
    pub fn anchor(&self, range: Range<usize>) -> StickyRange {
        let text = self.text();
        let (from, to) = (utf16(&text[..range.start]), utf16(&text[..range.end]));
        let start = if range.is_empty() { Assoc::Before } else { Assoc::After };
        StickyRange { from: self.sticky(from, start), to: self.sticky(to, Assoc::Before) }
    }

    fn sticky(&self, at: u32, assoc: Assoc) -> String {
        let index = self
            .text
            .sticky_index(&self.txn, at, assoc)
            .or_else(|| self.text.sticky_index(&self.txn, at, Assoc::Before));
        index.map(|index| STANDARD.encode(index.encode_v1())).unwrap_or_default()
    }

    /// Where a sticky stretch is now; none if it cannot be told any more.
    pub fn resolve(&self, range: &StickyRange) -> Option<Range<usize>> {
        let offset = |encoded: &str| -> Option<u32> {
            let index = StickyIndex::decode_v1(&STANDARD.decode(encoded).ok()?).ok()?;
            Some(index.get_offset(&self.txn)?.index)
        };
        let (from, to) = (offset(&range.from)?, offset(&range.to)?);
        let text = self.text();
        let start = utf8(&text, from)?;
        let end = utf8(&text, to.max(from))?;
        Some(start..end)
    }

    pub fn proposals(&self) -> Vec<Proposal> {
        let mut all: Vec<Proposal> =
            self.proposals.iter(&self.txn).filter_map(|(_, value)| Proposal::read(&value)).collect();
        all.sort_by(|a, b| (&a.created_at, &a.run).cmp(&(&b.created_at, &b.run)));
        all
    }

    /// Shows a proposal, or what is left of it, under its run's id.
    pub fn put_proposal(&mut self, proposal: &Proposal) {
        self.proposals.insert(&mut self.txn, proposal.run.as_str(), proposal.write());
    }

    pub fn remove_proposal(&mut self, run: &str) {
        self.proposals.remove(&mut self.txn, run);
    }
}

impl Proposal {
    fn write(&self) -> Any {
        let text = |text: &str| Any::String(text.into());
        let bytes = |encoded: &str| Any::Buffer(STANDARD.decode(encoded).unwrap_or_default().into());
        let map = |entries: Vec<(&str, Any)>| {
            Any::Map(Arc::new(entries.into_iter().map(|(k, v)| (k.to_owned(), v)).collect::<HashMap<_, _>>()))
        };
        let hunks: Vec<Any> = self
            .hunks
            .iter()
            .map(|hunk| {
                map(vec![
                    ("id", text(&hunk.id)),
                    ("from", bytes(&hunk.from)),
                    ("to", bytes(&hunk.to)),
                    ("before", text(&hunk.before)),
                    ("after", text(&hunk.after)),
                ])
            })
            .collect();
        let author = map(vec![
            ("kind", text("model")),
            ("model", text(&self.model)),
            ("run", text(&self.run)),
            ("on_behalf", text(&self.on_behalf)),
            ("name", text(&self.name)),
        ]);
        map(vec![
            ("author", author),
            ("created_at", text(&self.created_at)),
            ("reason", text(&self.reason)),
            ("hunks", Any::Array(hunks.into())),
        ])
    }

    fn read(value: &Out) -> Option<Self> {
        fn text(map: &HashMap<String, Any>, key: &str) -> Option<String> {
            match map.get(key)? {
                Any::String(text) => Some(text.to_string()),
                Any::Buffer(bytes) => Some(STANDARD.encode(bytes)),
                _ => None,
            }
        }
        let Out::Any(Any::Map(map)) = value else { return None };
        let Some(Any::Map(author)) = map.get("author") else { return None };
        let Some(Any::Array(hunks)) = map.get("hunks") else { return None };
        let hunks = hunks.iter().map(|hunk| {
            let Any::Map(hunk) = hunk else { return None };
            Some(Hunk {
                id: text(hunk, "id")?,
                from: text(hunk, "from")?,
                to: text(hunk, "to")?,
                before: text(hunk, "before")?,
                after: text(hunk, "after")?,
            })
        });
        Some(Self {
            model: text(author, "model")?,
            run: text(author, "run")?,
            on_behalf: text(author, "on_behalf")?,
            name: text(author, "name")?,
            created_at: text(map, "created_at")?,
            reason: text(map, "reason").unwrap_or_default(),
            hunks: hunks.collect::<Option<Vec<_>>>()?,
        })
    }
}

fn check_length(text: &str) -> Result<(), Refused> {
    if utf16(text) > LONGEST_TEXT {
        return Err(Refused(format!("A note has at most {LONGEST_TEXT} characters.")));
    }
    Ok(())
}

fn utf16(text: &str) -> u32 {
    u32::try_from(text.encode_utf16().count()).unwrap_or(u32::MAX)
}

/// The byte at which so many UTF-16 code units have passed; none inside a surrogate pair.
fn utf8(text: &str, units: u32) -> Option<usize> {
    let mut passed = 0;
    for (at, c) in text.char_indices() {
        if passed >= units {
            return (passed == units).then_some(at);
        }
        passed += c.len_utf16() as u32;
    }
    (passed == units).then_some(text.len())
}

/// The smallest changes of `old` into `new` that can be found in short time, by words.
pub(crate) fn changes(old: &str, new: &str) -> Vec<(Range<usize>, String)> {
    let diff = TextDiff::configure()
        .algorithm(Algorithm::Myers)
        .deadline(Instant::now() + DIFF_TIME)
        .diff_words(old, new);
    let mut found: Vec<(Range<usize>, String)> = Vec::new();
    let mut at = 0;
    let mut joins = false;
    for change in diff.iter_all_changes() {
        let value = change.value();
        match change.tag() {
            ChangeTag::Equal => {
                at += value.len();
                joins = false;
                continue;
            }
            tag => {
                if !joins {
                    found.push((at..at, String::new()));
                    joins = true;
                }
                if let Some((range, with)) = found.last_mut() {
                    if tag == ChangeTag::Delete {
                        at += value.len();
                        range.end = at;
                    } else {
                        with.push_str(value);
                    }
                }
            }
        }
    }
    found.into_iter().map(|(range, with)| trimmed(old, range, with)).collect()
}

/// Without what both sides begin and end with.
fn trimmed(old: &str, range: Range<usize>, with: String) -> (Range<usize>, String) {
    let cut = &old[range.clone()];
    let head: usize =
        cut.chars().zip(with.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum();
    let tail: usize = cut[head..]
        .chars()
        .rev()
        .zip(with[head..].chars().rev())
        .take_while(|(a, b)| a == b)
        .map(|(a, _)| a.len_utf8())
        .sum();
    (range.start + head..range.end - tail, with[head..with.len() - tail].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Document;
    use proptest::prelude::*;

    fn document(text: &str) -> Document {
        let document = Document::load(&[]).unwrap();
        document.change(|draft| draft.set_text(text)).unwrap().0.unwrap();
        document
    }

    proptest! {
        #[test]
        fn setting_the_text_makes_it_so(old in "[a-c é🚂\n]{0,60}", new in "[a-c é🚂\n]{0,60}") {
            let document = document(&old);
            document.change(|draft| draft.set_text(&new)).unwrap().0.unwrap();
            prop_assert_eq!(document.content(), new);
        }
    }

    #[test]
    fn one_word_changed_is_one_small_change() {
        let old = "The quick brown fox\njumps over the lazy dog.\n";
        assert_eq!(changes(old, &old.replace("lazy", "lively")), vec![(36..38, "ivel".to_owned())]);
    }

    #[test]
    fn an_anchor_moves_with_its_words() {
        let document = document("Ä 🚂 train of words");
        let at = "Ä 🚂 ".len();
        document
            .change(|draft| {
                let anchor = draft.anchor(at..at + 5);
                draft.replace(0..2, "Über ");
                let now = draft.resolve(&anchor).unwrap();
                assert_eq!(&draft.text()[now.clone()], "train");
                draft.replace(now.start + 1..now.start + 2, "RR");
                let now = draft.resolve(&anchor).unwrap();
                assert_eq!(&draft.text()[now], "tRRain");
                let end = draft.text().len();
                let empty = draft.anchor(end..end);
                draft.replace(0..0, "🙂");
                let text = draft.text();
                assert_eq!(draft.resolve(&empty), Some(text.len()..text.len()));
            })
            .unwrap();
    }

    #[test]
    fn a_proposal_reads_back() {
        let document = document("abc");
        let anchor = document.change(|draft| draft.anchor(1..2)).unwrap().0;
        let proposal = Proposal {
            model: "m".into(),
            run: "r".into(),
            on_behalf: "u".into(),
            name: "Ada".into(),
            created_at: "2026-01-01T00:00:00Z".into(),
            reason: String::new(),
            hunks: vec![Hunk {
                id: "1".into(),
                from: anchor.from,
                to: anchor.to,
                before: "b".into(),
                after: "B".into(),
            }],
        };
        document.change(|draft| draft.put_proposal(&proposal)).unwrap();
        let read = document.change(|draft| draft.proposals()).unwrap().0;
        assert_eq!(read, vec![proposal]);
        document.change(|draft| draft.remove_proposal("r")).unwrap();
        assert!(document.change(|draft| draft.proposals()).unwrap().0.is_empty());
    }
}
