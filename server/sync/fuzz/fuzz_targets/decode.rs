//! Whatever bytes come, the decoder of a note's frames answers: messages that are no larger than what
//! came, or an error. It never panics and never allocates by a length that lies.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use sync::{Incoming, decode};

fuzz_target!(|bytes: &[u8]| {
    let frame = Bytes::copy_from_slice(bytes);
    let Ok(messages) = decode(&frame) else { return };
    let held: usize = messages.iter().map(size).sum();
    assert!(held <= bytes.len(), "{held} bytes out of {}", bytes.len());
});

fn size(message: &Incoming) -> usize {
    match message {
        Incoming::StateVector(bytes) | Incoming::Update(bytes) => bytes.len(),
        Incoming::Awareness(states) => states.iter().filter_map(|state| Some(state.state.as_ref()?.len())).sum(),
        Incoming::QueryAwareness | Incoming::Attach | Incoming::Detach => 0,
    }
}
