//! Positions that stay at their place, in the bytes of Yjs' `encodeRelativePosition`.

use yrs::updates::decoder::Decode;
use yrs::updates::encoder::Encode;
use yrs::{Assoc, IndexedSequence, ReadTxn, StickyIndex, TextRef};

pub(crate) fn encode<T: ReadTxn>(txn: &T, text: &TextRef, position: u32, before: bool) -> Vec<u8> {
    let assoc = if before { Assoc::Before } else { Assoc::After };
    text.sticky_index(txn, position, assoc)
        // Past the last character there is none to hold on to: the end of the text it is.
        .unwrap_or_else(|| StickyIndex::from_type(txn, text, Assoc::After))
        .encode_v1()
}

pub(crate) fn resolve<T: ReadTxn>(txn: &T, sticky: &[u8]) -> Option<u32> {
    StickyIndex::decode_v1(sticky).ok()?.get_offset(txn).map(|offset| offset.index)
}
