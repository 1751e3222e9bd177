//! Yrs against Yjs: random sets of updates made by Yjs (`end2end/sync/updates.mjs`), with the text that
//! Yjs makes of them.
//!
//! Applied one by one as they arrive, out of order and some twice, yrs 0.28 gets many of them wrong:
//! blocks stay in its queue of pending ones though nothing is missing. In the order of the log, merged and
//! applied once, it gets none wrong, and that is how notes are loaded.

use std::path::Path;
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use yrs::updates::decoder::Decode;
use yrs::updates::encoder::Encode;
use yrs::{Doc, GetString, OffsetKind, Options, ReadTxn, StateVector, Transact, Update, WriteTxn};

const SETS: usize = 600;

struct Set {
    updates: Vec<Vec<u8>>,
    /// Places in `updates`, in the order in which they arrive.
    order: Vec<usize>,
    text: String,
}

fn sets() -> Vec<Set> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let output = Command::new("node")
        .args(["end2end/sync/updates.mjs", &SETS.to_string(), "1"])
        .current_dir(root)
        .output()
        .expect("Node.js is there");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "run `cargo xtask setup` first: {said}");
    String::from_utf8(output.stdout).unwrap().lines().map(parse).collect()
}

fn parse(line: &str) -> Set {
    let set: serde_json::Value = serde_json::from_str(line).unwrap();
    let list = |name: &str| set[name].as_array().unwrap().clone();
    Set {
        updates: list("updates")
            .iter()
            .map(|text| STANDARD.decode(text.as_str().unwrap()).unwrap())
            .collect(),
        order: list("order").iter().map(|at| usize::try_from(at.as_u64().unwrap()).unwrap()).collect(),
        text: set["text"].as_str().unwrap().to_owned(),
    }
}

fn document() -> Doc {
    Doc::with_options(Options { offset_kind: OffsetKind::Utf16, ..Options::default() })
}

struct Outcome {
    text: String,
    /// Whether yrs says that something is missing.
    missing: bool,
    /// Everything the document holds, also what waits.
    whole: Vec<u8>,
}

/// These updates, one after the other.
fn applied<'a>(updates: impl IntoIterator<Item = &'a [u8]>) -> Outcome {
    let doc = document();
    let text = doc.get_or_insert_text("content");
    let mut transaction = doc.transact_mut();
    for update in updates {
        transaction.apply_update(Update::decode_v1(update).unwrap()).unwrap();
    }
    drop(transaction);
    let transaction = doc.transact();
    Outcome {
        text: text.get_string(&transaction),
        missing: transaction.has_missing_updates(),
        whole: transaction.encode_state_as_update_v1(&StateVector::default()),
    }
}

#[test]
fn in_the_order_of_the_log_merged_and_applied_once_yrs_has_what_yjs_has() {
    for (at, Set { updates, text, .. }) in sets().into_iter().enumerate() {
        let merged = sync::merge(&updates).expect("these are updates");
        let ours = applied([merged.as_slice()]);
        assert_eq!(ours.text, text, "set {}", at + 1);
        assert!(!ours.missing, "set {}", at + 1);
    }
}

/// Why a document is never built out of one that went wrong: yrs may have dropped a block for good. The
/// whole of what the server has, with an empty state vector, and what was typed here are what mends it.
#[test]
fn what_waits_for_nothing_is_noticed_and_mended_by_what_the_log_has() {
    let (mut wrong, mut silent, mut dropped) = (0, Vec::new(), Vec::new());
    for (at, Set { updates, order, text }) in sets().into_iter().enumerate() {
        let first = applied(order.iter().map(|place| updates[*place].as_slice()));
        if first.text == text {
            continue;
        }
        wrong += 1;
        if !first.missing {
            silent.push(at + 1);
        }
        let anew = applied([first.whole.as_slice()]);
        if anew.text != text {
            dropped.push((at + 1, anew.missing));
        }
        let server = sync::merge(&updates).unwrap();
        let typed = &updates[order[0]];
        let mended = sync::merge(&[server.as_slice(), typed]).unwrap();
        assert_eq!(applied([mended.as_slice()]).text, text, "set {}", at + 1);
    }
    eprintln!("out of order and twice, yrs alone: {wrong} of {SETS} wrong");
    eprintln!("also when built anew out of what the document held: {dropped:?} (set, whether yrs says so)");
    assert!(silent.is_empty(), "wrong, and nothing says so: sets {silent:?}");
}

/// What a room does: nothing waits inside of the document, what cannot be integrated is merged with what
/// comes next.
#[test]
fn what_is_held_outside_of_the_document_until_it_is_whole_comes_out_right() {
    for (at, Set { updates, order, text }) in sets().into_iter().enumerate() {
        let doc = document();
        let content = doc.get_or_insert_text("content");
        let mut held: Option<Vec<u8>> = None;
        for place in order {
            let update = match held.take() {
                Some(held) => sync::merge(&[held, updates[place].clone()]).unwrap(),
                None => updates[place].clone(),
            };
            let mut transaction = doc.transact_mut();
            transaction.apply_update(Update::decode_v1(&update).unwrap()).unwrap();
            held = transaction.prune_pending().filter(|rest| !rest.is_empty()).map(|rest| rest.encode_v1());
        }
        assert!(held.is_none(), "set {}: something is held though nothing is missing", at + 1);
        assert_eq!(content.get_string(&doc.transact()), text, "set {}", at + 1);
    }
}

#[test]
fn duplicates_in_the_order_of_the_log_change_nothing() {
    for (at, Set { updates, text, .. }) in sets().into_iter().enumerate() {
        let twice: Vec<_> = updates.iter().flat_map(|update| [update, update]).collect();
        let merged = sync::merge(&twice).expect("these are updates");
        assert_eq!(applied([merged.as_slice()]).text, text, "set {}", at + 1);
        // And what is merged already may be merged again: this is compaction.
        let half = updates.len() / 2;
        let snapshot = sync::merge(&updates[..half]).expect("these are updates");
        let rest = updates[half..].iter().map(Vec::as_slice);
        let parts: Vec<&[u8]> = std::iter::once(snapshot.as_slice()).chain(rest).collect();
        assert_eq!(applied([sync::merge(&parts).unwrap().as_slice()]).text, text, "set {}", at + 1);
    }
}

#[test]
fn merging_out_of_order_gives_what_yjs_has() {
    for (at, Set { updates, order, text }) in sets().into_iter().enumerate() {
        let arrived: Vec<_> = order.iter().map(|place| &updates[*place]).collect();
        let merged = sync::merge(&arrived).expect("these are updates");
        let ours = applied([merged.as_slice()]);
        assert_eq!(ours.text, text, "set {}", at + 1);
        assert!(!ours.missing, "set {}", at + 1);
    }
}
