//! The messages of a note's line, decoded and encoded: y-protocols and our own (see `shared::note::frame`).
//!
//! Decoding reads only what the frame holds: a length that lies is an error, never an allocation.

use bytes::{BufMut, Bytes, BytesMut};
use shared::NoteId;
use shared::note::{Access, frame};

/// A message from a client.
#[derive(Clone, Debug, PartialEq)]
pub enum Incoming {
    /// Sync step 1: an encoded state vector.
    StateVector(Bytes),
    /// Sync step 2 or an update: a Yjs update, version 1.
    Update(Bytes),
    Awareness(Vec<ClientState>),
    QueryAwareness,
    Attach,
    Detach,
}

/// One client's state of awareness. No state: it left.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientState {
    pub client: u64,
    pub clock: u32,
    /// JSON.
    pub state: Option<String>,
}

/// How storing goes, for people to see.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Storing {
    #[default]
    Normal,
    /// Editing goes on, nothing is reported saved.
    Waiting(String),
    ReadOnly(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("the message ends early")]
    Short,
    #[error("a number is too large")]
    Number,
    #[error("a text is not UTF-8")]
    Text,
    #[error("there is no message of type {0}")]
    Type(u64),
    #[error("too many states in one message")]
    Crowd,
}

/// States of awareness in one message at most.
const MOST_STATES: u64 = 1024;

/// Reads all messages of one frame (y-protocols allows several).
pub fn decode(frame: &Bytes) -> Result<Vec<Incoming>, Malformed> {
    let mut reader = Reader { bytes: frame, at: 0 };
    let mut messages = Vec::with_capacity(1);
    while reader.at < frame.len() {
        let message = match reader.number()? {
            frame::SYNC => match reader.number()? {
                frame::sync::STEP_1 => Incoming::StateVector(reader.bytes()?),
                frame::sync::STEP_2 | frame::sync::UPDATE => Incoming::Update(reader.bytes()?),
                other => return Err(Malformed::Type(other)),
            },
            frame::AWARENESS => Incoming::Awareness(states(&reader.bytes()?)?),
            frame::QUERY_AWARENESS => Incoming::QueryAwareness,
            frame::ATTACH => Incoming::Attach,
            frame::DETACH => Incoming::Detach,
            other => return Err(Malformed::Type(other)),
        };
        messages.push(message);
    }
    if messages.is_empty() { Err(Malformed::Short) } else { Ok(messages) }
}

fn states(bytes: &Bytes) -> Result<Vec<ClientState>, Malformed> {
    let mut reader = Reader { bytes, at: 0 };
    let count = reader.number()?;
    if count > MOST_STATES {
        return Err(Malformed::Crowd);
    }
    (0..count)
        .map(|_| {
            let client = reader.number()?;
            let clock = u32::try_from(reader.number()?).map_err(|_| Malformed::Number)?;
            let json = reader.bytes()?;
            let state = std::str::from_utf8(&json).map_err(|_| Malformed::Text)?;
            Ok(ClientState { client, clock, state: (state != "null").then(|| state.to_owned()) })
        })
        .collect()
}

struct Reader<'a> {
    bytes: &'a Bytes,
    at: usize,
}

impl Reader<'_> {
    /// A varuint: seven bits a byte, least significant first; at most 53 bits, as JavaScript has them.
    fn number(&mut self) -> Result<u64, Malformed> {
        let mut value = 0u64;
        for shift in (0..).step_by(7) {
            let byte = *self.bytes.get(self.at).ok_or(Malformed::Short)?;
            self.at += 1;
            let bits = u64::from(byte & 0x7f);
            if shift >= 53 || (shift == 49 && bits > 0x0f) {
                return Err(Malformed::Number);
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        Ok(value)
    }

    fn bytes(&mut self) -> Result<Bytes, Malformed> {
        let length = usize::try_from(self.number()?).map_err(|_| Malformed::Number)?;
        let end =
            self.at.checked_add(length).filter(|end| *end <= self.bytes.len()).ok_or(Malformed::Short)?;
        let slice = self.bytes.slice(self.at..end);
        self.at = end;
        Ok(slice)
    }
}

/// Length of the note's id before each message.
pub const ID: usize = 16;

/// A frame to a client: the note's id and one message. The y-websocket door leaves the id away.
pub struct Writer(BytesMut);

impl Writer {
    pub fn new(note: NoteId, kind: u64) -> Self {
        let mut buffer = BytesMut::with_capacity(64);
        buffer.put_slice(note.0.as_bytes());
        Self(buffer).number(kind)
    }

    pub fn number(mut self, mut value: u64) -> Self {
        while value >= 0x80 {
            self.0.put_u8((value as u8 & 0x7f) | 0x80);
            value >>= 7;
        }
        self.0.put_u8(value as u8);
        self
    }

    pub fn bytes(self, bytes: &[u8]) -> Self {
        let mut this = self.number(bytes.len() as u64);
        this.0.put_slice(bytes);
        this
    }

    pub fn end(self) -> Bytes {
        self.0.freeze()
    }
}

pub fn step_1(note: NoteId, state_vector: &[u8]) -> Bytes {
    Writer::new(note, frame::SYNC).number(frame::sync::STEP_1).bytes(state_vector).end()
}

pub fn step_2(note: NoteId, update: &[u8]) -> Bytes {
    Writer::new(note, frame::SYNC).number(frame::sync::STEP_2).bytes(update).end()
}

pub fn update(note: NoteId, update: &[u8]) -> Bytes {
    Writer::new(note, frame::SYNC).number(frame::sync::UPDATE).bytes(update).end()
}

pub fn awareness(note: NoteId, states: &[ClientState]) -> Bytes {
    let mut inner = Writer(BytesMut::new()).number(states.len() as u64);
    for state in states {
        inner = inner
            .number(state.client)
            .number(u64::from(state.clock))
            .bytes(state.state.as_deref().unwrap_or("null").as_bytes());
    }
    Writer::new(note, frame::AWARENESS).bytes(&inner.end()).end()
}

/// y-protocols' permission denied.
pub fn denied(note: NoteId, reason: &str) -> Bytes {
    Writer::new(note, frame::AUTH).number(0).bytes(reason.as_bytes()).end()
}

pub fn saved(note: NoteId, count: u64, seq: i64) -> Bytes {
    Writer::new(note, frame::SAVED).number(count).number(seq.unsigned_abs()).end()
}

pub fn attached(note: NoteId, access: Access, seq: i64) -> Bytes {
    let access = match access {
        Access::View => 0,
        Access::Comment => 1,
        Access::Edit | Access::Owner => 2,
    };
    Writer::new(note, frame::ATTACHED).number(access).number(seq.unsigned_abs()).end()
}

pub fn closed(note: NoteId, code: u16, reason: &str) -> Bytes {
    Writer::new(note, frame::CLOSED).number(u64::from(code)).bytes(reason.as_bytes()).end()
}

pub fn storing(note: NoteId, storing: &Storing) -> Bytes {
    let (state, reason) = match storing {
        Storing::Normal => (frame::storing::NORMAL, ""),
        Storing::Waiting(reason) => (frame::storing::WAITING, reason.as_str()),
        Storing::ReadOnly(reason) => (frame::storing::READ_ONLY, reason.as_str()),
    };
    Writer::new(note, frame::STORING).number(state).bytes(reason.as_bytes()).end()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What a client would receive, without the note's id.
    fn message(frame: Bytes) -> Bytes {
        frame.slice(ID..)
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_message_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&Bytes::from(bytes));
        }

        #[test]
        fn numbers_read_back(value in 0u64..(1 << 53)) {
            let bytes = Writer(BytesMut::new()).number(value).end();
            prop_assert_eq!(Reader { bytes: &bytes, at: 0 }.number(), Ok(value));
        }

        #[test]
        fn awareness_reads_back(states in proptest::collection::vec((0u64..(1 << 53), any::<u32>(), proptest::option::of("[a-zé]{1,20}")), 0..20)) {
            let states: Vec<_> = states.into_iter()
                .map(|(client, clock, state)| ClientState { client, clock, state: state.map(|s| format!("\"{s}\"")) })
                .collect();
            let frame = message(awareness(NoteId::new(), &states));
            prop_assert_eq!(decode(&frame), Ok(vec![Incoming::Awareness(states)]));
        }
    }

    #[test]
    fn a_length_that_lies_is_an_error() {
        let frame = Bytes::from_static(&[0, 2, 0xff, 0xff, 0xff, 0xff, 0x7f, 1]);
        assert_eq!(decode(&frame), Err(Malformed::Short));
        assert_eq!(decode(&Bytes::from_static(&[0xff; 12])), Err(Malformed::Number));
        assert_eq!(decode(&Bytes::from_static(&[77])), Err(Malformed::Type(77)));
        assert_eq!(decode(&Bytes::new()), Err(Malformed::Short));
    }
}
