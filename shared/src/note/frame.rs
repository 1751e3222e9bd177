//! Binary frames of `/api/v1/ws`, one note each: 16 bytes of the note's id, then one message.
//!
//! A message is a varuint (LEB128, as lib0 writes it) and a payload. 0, 1 and 3 are those of
//! y-protocols; the rest are ours. Strings are a varuint of their length in bytes, then UTF-8.

/// y-protocols: sync step 1, sync step 2, update.
pub const SYNC: u64 = 0;
/// y-protocols: states of awareness.
pub const AWARENESS: u64 = 1;
/// y-protocols: permission denied, with a reason.
pub const AUTH: u64 = 2;
/// y-protocols: asks for all states of awareness.
pub const QUERY_AWARENESS: u64 = 3;
/// To the client: how many of its updates are committed (varuint, counted from `attach`, in the
/// order sent), and the note's sequence (varuint).
pub const SAVED: u64 = 100;
/// From the client, without a payload: join this note.
pub const ATTACH: u64 = 101;
/// To the client: access (varuint: 0 view, 1 comment, 2 edit), sequence (varuint).
pub const ATTACHED: u64 = 102;
/// From the client, without a payload: leave.
pub const DETACH: u64 = 103;
/// To the client: this note's line has ended; a code (varuint, see [`close`]) and a reason (string).
pub const CLOSED: u64 = 104;
/// To the client: how storing goes (varuint, see [`storing`]) and why (string).
pub const STORING: u64 = 105;

/// Inside [`SYNC`].
pub mod sync {
    pub const STEP_1: u64 = 0;
    pub const STEP_2: u64 = 1;
    pub const UPDATE: u64 = 2;
}

/// Values of [`STORING`].
pub mod storing {
    pub const NORMAL: u64 = 0;
    /// Editing goes on, nothing is reported saved: the database is away.
    pub const WAITING: u64 = 1;
    pub const READ_ONLY: u64 = 2;
}

/// Why a line ended; WebSocket close codes on the y-websocket door.
pub mod close {
    pub const MALFORMED: u16 = 4400;
    pub const SIGNED_OUT: u16 = 4401;
    pub const NO_ACCESS: u16 = 4403;
    pub const NOT_FOUND: u16 = 4404;
    /// The API key was revoked.
    pub const KEY_REVOKED: u16 = 4410;
    /// Attach again at once and synchronise: frames were dropped, or what one may do has changed.
    /// Outside of 4400 to 4499, which y-websocket takes for good.
    pub const RESYNC: u16 = 4508;
    pub const TOO_LARGE: u16 = 4413;
    /// Cannot be loaded now; try again.
    pub const UNAVAILABLE: u16 = 4503;
}
