//! A Yjs document and the few ways in which a room touches it.
//!
//! Whatever cannot be integrated whole is taken out again, so the document never holds anything
//! pending: yrs 0.28 loses its way when updates wait inside of it.

use crate::draft::Draft;
use std::panic::{AssertUnwindSafe, catch_unwind};
use yrs::updates::decoder::Decode;
use yrs::updates::encoder::Encode;
use yrs::{Doc, GetString, OffsetKind, Options, ReadTxn, StateVector, TextRef, Transact, Update, WriteTxn};

/// The name of the text in the document.
pub(crate) const TEXT: &str = "content";
/// The name of the map of proposals.
pub(crate) const PROPOSALS: &str = "proposals";
/// The longest text, in UTF-16 code units.
pub(crate) const LONGEST_TEXT: u32 = 10_000_000;

const MERGED_AT_ONCE: usize = 64;

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DocumentError {
    /// The bytes are no update.
    #[error("this is no Yjs update")]
    Malformed,
    /// Yrs gave up inside: the document must be built anew.
    #[error("the document was damaged")]
    Damaged,
}

/// What applying an update did.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Applied {
    /// What is new, as an update that refers only to what came before; none when nothing is.
    pub new: Option<Vec<u8>>,
    /// What refers to something the document does not have.
    pub held: Option<Vec<u8>>,
}

pub(crate) struct Document {
    pub doc: Doc,
    pub text: TextRef,
}

fn empty() -> Doc {
    Doc::with_options(Options { offset_kind: OffsetKind::Utf16, ..Options::default() })
}

impl Document {
    /// Builds the document from the log's updates, in order: merged, and applied once.
    pub fn load(updates: &[Vec<u8>]) -> Result<Self, DocumentError> {
        let doc = empty();
        let text = doc.get_or_insert_text(TEXT);
        let document = Self { doc, text };
        if !updates.is_empty() {
            let merged = guarded(|| decode_all(updates).map(merge_all))??;
            let is_whole = guarded(|| {
                let mut txn = document.doc.transact_mut();
                txn.apply_update(merged).map_err(|_| DocumentError::Malformed)?;
                Ok(!txn.has_missing_updates())
            })??;
            if !is_whole {
                return Err(DocumentError::Damaged);
            }
        }
        Ok(document)
    }

    /// Applies what a client sent.
    pub fn apply(&self, update: &[u8]) -> Result<Applied, DocumentError> {
        let update = guarded(|| Update::decode_v1(update))?.map_err(|_| DocumentError::Malformed)?;
        self.integrate(update)
    }

    fn integrate(&self, update: Update) -> Result<Applied, DocumentError> {
        guarded(|| {
            let mut txn = self.doc.transact_mut();
            txn.apply_update(update).map_err(|_| DocumentError::Malformed)?;
            let held = txn.prune_pending().filter(|rest| !rest.is_empty()).map(|rest| rest.encode_v1());
            let new = txn.encode_update_v1();
            Ok(Applied { new: (new.as_slice() != Update::EMPTY_V1).then_some(new), held })
        })?
    }

    pub fn state_vector(&self) -> Vec<u8> {
        self.doc.transact().state_vector().encode_v1()
    }

    /// Everything in it, as one update.
    pub fn state(&self) -> Result<Vec<u8>, DocumentError> {
        guarded(|| self.doc.transact().encode_diff_v1(&StateVector::default()))
    }

    /// What somebody with this state vector lacks.
    pub fn diff(&self, state_vector: &[u8]) -> Result<Vec<u8>, DocumentError> {
        let theirs =
            guarded(|| StateVector::decode_v1(state_vector))?.map_err(|_| DocumentError::Malformed)?;
        Ok(self.doc.transact().encode_diff_v1(&theirs))
    }

    /// The text as it is; empty when a client made something else of that name.
    pub fn content(&self) -> String {
        let txn = self.doc.transact();
        self.text.get_string(&txn)
    }

    /// Changes the document here; answers with the update that came of it, if any.
    pub fn change<T>(
        &self,
        change: impl FnOnce(&mut Draft<'_>) -> T,
    ) -> Result<(T, Option<Vec<u8>>), DocumentError> {
        guarded(|| {
            let mut draft = Draft::new(self.doc.transact_mut(), self.text.clone());
            let value = change(&mut draft);
            let update = draft.update();
            (value, (update.as_slice() != Update::EMPTY_V1).then_some(update))
        })
    }
}

/// One update that says what all of these say.
pub fn merge(updates: &[impl AsRef<[u8]>]) -> Option<Vec<u8>> {
    guarded(|| decode_all(updates).map(|all| merge_all(all).encode_v1())).ok()?.ok()
}

/// Yrs sorts what is left of all updates before each block that it takes, so many at once cost the square of
/// their number. Neighbours are merged first, then what came of them, in order.
fn merge_all(mut updates: Vec<Update>) -> Update {
    while updates.len() > MERGED_AT_ONCE {
        let mut left = updates.into_iter();
        updates = std::iter::from_fn(|| {
            let some: Vec<Update> = left.by_ref().take(MERGED_AT_ONCE).collect();
            (!some.is_empty()).then(|| Update::merge_updates(some))
        })
        .collect();
    }
    Update::merge_updates(updates)
}

fn decode_all(updates: &[impl AsRef<[u8]>]) -> Result<Vec<Update>, DocumentError> {
    updates
        .iter()
        .map(|update| Update::decode_v1(update.as_ref()).map_err(|_| DocumentError::Malformed))
        .collect()
}

/// A panic inside of yrs is an answer to one client, not the end of a room.
fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, DocumentError> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| DocumentError::Damaged)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A client that types, and the update of each keystroke.
    fn typed(text: &str) -> Vec<Vec<u8>> {
        let client = Document::load(&[]).unwrap();
        text.chars()
            .filter_map(|c| {
                client
                    .change(|draft| {
                        let end = draft.text().len();
                        draft.replace(end..end, &c.to_string());
                    })
                    .unwrap()
                    .1
            })
            .collect()
    }

    #[test]
    fn what_refers_to_something_unknown_is_held_and_leaves_no_trace() {
        let updates = typed("abc");
        let document = Document::load(&[]).unwrap();
        let applied = document.apply(&updates[2]).unwrap();
        assert!(applied.new.is_none() && applied.held.is_some());
        assert_eq!(document.content(), "");
        let rest = merge(&[&updates[0], &updates[1], applied.held.as_ref().unwrap()]).unwrap();
        assert!(document.apply(&rest).unwrap().held.is_none());
        assert_eq!(document.content(), "abc");
    }

    #[test]
    fn a_long_log_of_several_people_is_loaded_as_it_was_written() {
        let people: Vec<Document> = (0..3).map(|_| Document::load(&[]).unwrap()).collect();
        let mut log: Vec<Vec<u8>> = Vec::new();
        for round in 0..1_000_usize {
            let writer = &people[round * 7 % 3];
            let change = |draft: &mut Draft<'_>| {
                let length = draft.text().len();
                let at = round * 31 % (length + 1);
                if round % 5 == 4 && at < length {
                    draft.replace(at..at + 1, "")
                } else {
                    draft.replace(at..at, "x")
                }
            };
            let update = writer.change(change).unwrap().1.unwrap();
            for reader in people.iter().filter(|reader| !std::ptr::eq(*reader, writer)) {
                reader.apply(&update).unwrap();
            }
            // what was sent again, overlapping what is there
            if round % 50 == 0 {
                log.push(writer.state().unwrap());
            }
            log.push(update);
        }
        let loaded = Document::load(&log).unwrap();
        assert_eq!(loaded.content(), people[0].content());
        let merged = Document::load(&[merge(&log).unwrap()]).unwrap();
        assert_eq!(merged.content(), people[0].content());
    }

    #[test]
    fn what_is_known_already_is_nothing_new() {
        let updates = typed("abc");
        let document = Document::load(&updates).unwrap();
        assert_eq!(document.apply(&merge(&updates).unwrap()).unwrap(), Applied::default());
    }

    #[test]
    fn bytes_that_are_no_update_are_refused() {
        let document = Document::load(&[]).unwrap();
        for bytes in [&[9u8, 9, 9][..], &[], &[255; 40]] {
            assert!(document.apply(bytes).is_err(), "{bytes:?}");
        }
        assert_eq!(document.content(), "");
    }
}
