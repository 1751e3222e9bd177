//! The decoder of a note's frames against random bytes, and against real messages that were damaged. The
//! same is fuzzed for longer by `fuzz/fuzz_targets/decode.rs`.

use bytes::Bytes;
use proptest::prelude::*;
use sync::{Incoming, decode};

/// What the message holds of what came.
fn size(message: &Incoming) -> usize {
    match message {
        Incoming::StateVector(bytes) | Incoming::Update(bytes) => bytes.len(),
        Incoming::Awareness(states) => {
            states.iter().filter_map(|state| Some(state.state.as_ref()?.len())).sum()
        }
        Incoming::QueryAwareness | Incoming::Attach | Incoming::Detach => 0,
    }
}

fn number(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push((value as u8 & 0x7f) | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn array(bytes: &[u8], out: &mut Vec<u8>) {
    number(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

prop_compose! {
    /// A message as clients send them: sync, awareness, a question, joining, leaving.
    fn message()(kind in 0u64..6, step in 0u64..3, body in proptest::collection::vec(any::<u8>(), 0..60),
                 states in proptest::collection::vec((any::<u32>(), any::<u32>(), "[a-z]{0,12}"), 0..5)) -> Vec<u8> {
        let mut out = Vec::new();
        match kind {
            0 | 1 => {
                out.push(0);
                number(step, &mut out);
                array(&body, &mut out);
            }
            2 | 3 => {
                let mut inner = Vec::new();
                number(states.len() as u64, &mut inner);
                for (client, clock, state) in &states {
                    number(u64::from(*client), &mut inner);
                    number(u64::from(*clock), &mut inner);
                    array(format!("\"{state}\"").as_bytes(), &mut inner);
                }
                out.push(1);
                array(&inner, &mut out);
            }
            4 => out.push(3),
            _ => out.push(101 + (step as u8 & 1) * 2),
        }
        out
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn several_messages_in_a_frame_are_all_read(messages in proptest::collection::vec(message(), 1..6)) {
        let frame = Bytes::from(messages.concat());
        let read = decode(&frame);
        prop_assert_eq!(read.map(|read| read.len()), Ok(messages.len()));
    }

    #[test]
    fn a_damaged_frame_is_an_error_or_no_larger_than_it_was(
        messages in proptest::collection::vec(message(), 1..4),
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = messages.concat();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(cut.index(bytes.len() + 1));
        let frame = Bytes::from(bytes);
        if let Ok(read) = decode(&frame) {
            prop_assert!(read.iter().map(size).sum::<usize>() <= frame.len());
        }
    }
}
