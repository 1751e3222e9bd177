//! Who was recognised a moment ago, so that a burst of requests does not ask the database the same thing
//! again and again. Kept only while this server hears of what ends a session or a key, and for seconds; it
//! never answers for a token that it was told is void.

use crate::Authenticated;
use shared::UserId;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What no notification tells (a changed name, on another server) is seen after this time.
const KEPT: Duration = Duration::from_secs(5);
/// Tokens at a time; beyond, all are forgotten and recognised anew.
const MOST: usize = 10_000;

#[derive(Default)]
pub(crate) struct Recognised {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    hears: bool,
    /// Rises whenever something is forgotten.
    forgotten: u64,
    /// By the hash of the token.
    tokens: HashMap<Vec<u8>, (Authenticated, Instant)>,
}

/// Taken before the database is asked: what was forgotten meanwhile must not come back.
#[derive(Clone, Copy)]
pub(crate) struct Asking(u64);

impl Recognised {
    /// Who holds the token, if that is known for certain.
    pub fn get(&self, token_hash: &[u8]) -> Result<Authenticated, Asking> {
        let state = self.state();
        match state.tokens.get(token_hash) {
            Some((known, until)) if *until > Instant::now() => Ok(known.clone()),
            _ => Err(Asking(state.forgotten)),
        }
    }

    /// Keeps what the database answered; `valid` is how long the token lives at most.
    pub fn keep(&self, asking: Asking, token_hash: Vec<u8>, known: &Authenticated, valid: Option<Duration>) {
        let mut state = self.state();
        if !state.hears || state.forgotten != asking.0 {
            return;
        }
        if state.tokens.len() >= MOST {
            state.tokens.clear();
        }
        let until = Instant::now() + valid.map_or(KEPT, |valid| valid.min(KEPT));
        state.tokens.insert(token_hash, (known.clone(), until));
    }

    /// Something about this person's sessions, keys or profile changed.
    pub fn forget(&self, user: UserId) {
        let mut state = self.state();
        state.forgotten += 1;
        state.tokens.retain(|_, (known, _)| known.caller.user_id != user);
    }

    /// Whether this server hears of changes from now on; what came before may have been missed.
    pub fn set_hears(&self, hears: bool) {
        let mut state = self.state();
        state.hears = hears;
        state.forgotten += 1;
        state.tokens.clear();
    }

    /// Nothing here panics while it holds the lock.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Caller, Via};
    use shared::SessionId;
    use shared::account::{Profile, Role};

    fn known() -> Authenticated {
        let id = UserId::new();
        let caller = Caller { user_id: id, role: Role::Viewer, via: Via::Session(SessionId::new()) };
        let profile = Profile {
            id,
            email: "someone@example.org".into(),
            display_name: "Someone".into(),
            role: Role::Viewer,
            time_zone: "UTC".into(),
            place: String::new(),
            picture_url: None,
            created_at: time::OffsetDateTime::UNIX_EPOCH,
        };
        Authenticated { caller, profile, csrf_token: None }
    }

    fn asked(recognised: &Recognised) -> Asking {
        recognised.get(b"token").expect_err("nothing is kept yet")
    }

    #[test]
    fn a_person_is_recognised_until_something_of_theirs_ends() {
        let (recognised, known) = (Recognised::default(), known());
        recognised.set_hears(true);
        recognised.keep(asked(&recognised), b"token".to_vec(), &known, None);
        assert_eq!(recognised.get(b"token").ok().map(|found| found.caller), Some(known.caller.clone()));
        recognised.forget(UserId::new());
        assert!(recognised.get(b"token").is_ok(), "another person's end is none of theirs");
        recognised.forget(known.caller.user_id);
        assert!(recognised.get(b"token").is_err());
    }

    #[test]
    fn what_ended_while_the_database_was_asked_does_not_come_back() {
        let (recognised, known) = (Recognised::default(), known());
        recognised.set_hears(true);
        let asking = asked(&recognised);
        recognised.forget(known.caller.user_id);
        recognised.keep(asking, b"token".to_vec(), &known, None);
        assert!(recognised.get(b"token").is_err());
    }

    #[test]
    fn a_server_that_hears_nothing_recognises_nobody_by_itself() {
        let (recognised, known) = (Recognised::default(), known());
        recognised.keep(asked(&recognised), b"token".to_vec(), &known, None);
        assert!(recognised.get(b"token").is_err());
        recognised.set_hears(true);
        recognised.keep(asked(&recognised), b"token".to_vec(), &known, None);
        recognised.set_hears(false);
        assert!(recognised.get(b"token").is_err());
    }

    #[test]
    fn a_token_is_not_recognised_beyond_its_own_end() {
        let (recognised, known) = (Recognised::default(), known());
        recognised.set_hears(true);
        recognised.keep(asked(&recognised), b"token".to_vec(), &known, Some(Duration::ZERO));
        assert!(recognised.get(b"token").is_err());
    }
}
