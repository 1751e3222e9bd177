//! The document as the browser uses it, without a browser.

use replica::{Change, Document};

fn document(client: u64) -> Document {
    Document::new(client, || 0)
}

fn change(from: u32, to: u32, insert: &str) -> Change {
    Change { from, to, insert: insert.to_owned() }
}

/// What the text is after these changes of it.
fn changed(text: &str, changes: &[Change]) -> String {
    let mut units: Vec<u16> = text.encode_utf16().collect();
    for change in changes.iter().rev() {
        units.splice(change.from as usize..change.to as usize, change.insert.encode_utf16());
    }
    String::from_utf16(&units).unwrap()
}

#[test]
fn positions_are_utf16_units_on_both_ways() {
    let (mut ours, mut theirs) = (document(1), document(2));
    let update = ours.edit(&[change(0, 0, "a😀é")]);
    assert_eq!(theirs.apply(&update).unwrap(), [change(0, 0, "a😀é")]);
    let update = theirs.edit(&[change(0, 1, ""), change(3, 3, "|"), change(4, 4, "!")]);
    let seen = ours.apply(&update).unwrap();
    assert_eq!(changed("a😀é", &seen), "😀|é!");
    assert_eq!(ours.text(), "😀|é!");
    assert_eq!(theirs.text(), "😀|é!");
}

#[test]
fn undo_takes_back_own_edits_only_and_redo_brings_them_again() {
    let (mut ours, mut theirs) = (document(1), document(2));
    theirs.apply(&ours.edit(&[change(0, 0, "one ")])).unwrap();
    ours.seal();
    theirs.apply(&ours.edit(&[change(4, 4, "two")])).unwrap();
    ours.apply(&theirs.edit(&[change(0, 0, "zero ")])).unwrap();

    let (changes, update) = ours.undo().unwrap();
    assert_eq!(changed("zero one two", &changes), "zero one ");
    theirs.apply(&update).unwrap();
    assert_eq!((ours.text(), theirs.text()), ("zero one ".to_owned(), "zero one ".to_owned()));

    let (changes, update) = ours.redo().unwrap();
    assert_eq!(changed("zero one ", &changes), "zero one two");
    theirs.apply(&update).unwrap();
    assert_eq!(theirs.text(), "zero one two");

    ours.undo().unwrap();
    ours.undo().unwrap();
    assert_eq!(ours.text(), "zero ");
    assert!(ours.undo().is_none(), "what others wrote is not ours to take back");
}

#[test]
fn a_position_stays_at_its_text() {
    let mut ours = document(1);
    ours.edit(&[change(0, 0, "one two three")]);
    let (from, to) = (ours.sticky(4, false), ours.sticky(7, true));
    let end = ours.sticky(13, false);
    ours.edit(&[change(0, 0, "zero "), change(4, 4, "("), change(7, 7, ")"), change(13, 13, ".")]);
    assert_eq!(ours.text(), "zero one (two) three.");
    assert_eq!((ours.resolve(&from), ours.resolve(&to)), (Some(10), Some(13)));
    assert_eq!(ours.resolve(&end), Some(21));
    assert_eq!(document(2).resolve(&from), None, "what it refers to is not known there");
}

#[test]
fn what_came_before_its_ground_is_kept_and_found_missing() {
    let (mut ours, mut theirs) = (document(1), document(2));
    let first = ours.edit(&[change(0, 0, "one ")]);
    let second = ours.edit(&[change(4, 4, "two")]);
    theirs.apply(&second).unwrap();
    assert!(theirs.has_missing());
    assert_eq!(theirs.text(), "");
    let sent = theirs.diff(&document(3).state_vector()).unwrap();
    assert_eq!(sent, yrs::Update::EMPTY_V1, "what is held is told to nobody");
    theirs.apply(&first).unwrap();
    assert_eq!(theirs.text(), "one two");
    assert!(!theirs.has_missing());
}

#[test]
fn bytes_that_are_no_update_change_nothing() {
    let mut ours = document(1);
    ours.edit(&[change(0, 0, "one")]);
    for bytes in [&[][..], &[255; 40], &[1, 1, 1, 0, 4]] {
        assert!(ours.apply(bytes).is_err());
        assert!(ours.diff(bytes).is_err() || bytes == [1, 1, 1, 0, 4]);
    }
    assert_eq!(ours.text(), "one");
}

#[test]
fn the_server_lacks_something_only_when_it_does() {
    let (mut ours, theirs) = (document(1), document(2));
    assert!(!ours.exceeds(&theirs.state_vector()).unwrap());
    ours.edit(&[change(0, 0, "one")]);
    assert!(ours.exceeds(&theirs.state_vector()).unwrap());
    assert!(!theirs.exceeds(&ours.state_vector()).unwrap());
}
