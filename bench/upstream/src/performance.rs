//! A script played over time: which piece of an answer is due when. Deadlines are absolute, so a
//! late timer is not added to the ones after it.

use crate::script::{Act, Call, Ending, Pace, Script, TokenKind};
use std::collections::VecDeque;
use std::fmt::Write;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Between the pieces of tool calls.
const CALL_EVERY: Duration = Duration::from_millis(1);
/// So that what was sent before an abrupt end has left.
const BEFORE_ABRUPT_END: Duration = Duration::from_millis(30);
const WORDS: [&str; 8] = ["calm ", "paper ", "and ", "ink, ", "a line ", "of words ", "that goes ", "on.\n"];

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Beat {
    Text(String),
    Reasoning(String),
    /// Several calls of one turn: each wire has its own way to write them.
    Calls(Vec<Call>),
    End(Ending),
}

pub(crate) struct Performance {
    acts: VecDeque<Act>,
    calls: Vec<Call>,
    ending: Option<Ending>,
    words: VecDeque<String>,
    /// Of the act that is played.
    played: u64,
    /// When the last piece was due.
    clock: Duration,
    pub tokens: u64,
}

impl Performance {
    pub fn new(script: Script) -> Self {
        Self {
            acts: script.acts.into(),
            calls: script.calls,
            ending: Some(script.ending),
            words: VecDeque::new(),
            played: 0,
            clock: Duration::ZERO,
            tokens: 0,
        }
    }

    /// When the next piece is due, counted from the request. It is made by [`Self::beat`], at that
    /// time.
    pub fn due(&mut self) -> Option<Duration> {
        let Some(act) = self.acts.front() else {
            return match &self.ending {
                _ if !self.calls.is_empty() => Some(self.clock + CALL_EVERY),
                Some(Ending::Cut | Ending::Malformed | Ending::Error(_)) => {
                    Some(self.clock + BEFORE_ABRUPT_END)
                }
                Some(_) => Some(self.clock),
                None => None,
            };
        };
        Some(match act {
            Act::Tokens { pace: Pace { first, .. }, .. } if self.played == 0 => self.clock + *first,
            Act::Tokens { pace: Pace { every, .. }, .. } | Act::Say { every, .. } => self.clock + *every,
            Act::Reason(_) => self.clock + Duration::from_millis(2),
        })
    }

    /// The piece that is due.
    pub fn beat(&mut self) -> Option<Beat> {
        self.clock = self.due()?;
        let Some(act) = self.acts.front() else {
            if !self.calls.is_empty() {
                return Some(Beat::Calls(std::mem::take(&mut self.calls)));
            }
            return self.ending.take().map(Beat::End);
        };
        self.tokens += 1;
        let (text, last) = match act {
            Act::Tokens { kind, count, .. } => (token(*kind, self.played), self.played + 1 >= *count),
            Act::Say { text, .. } | Act::Reason(text) => {
                if self.words.is_empty() {
                    self.words = text.split_inclusive(' ').map(str::to_owned).collect();
                }
                let word = self.words.pop_front().unwrap_or_default();
                (word, self.words.is_empty())
            }
        };
        let beat = if matches!(act, Act::Reason(_)) { Beat::Reasoning(text) } else { Beat::Text(text) };
        self.played += 1;
        if last {
            self.acts.pop_front();
            self.played = 0;
        }
        Some(beat)
    }
}

fn token(kind: TokenKind, seq: u64) -> String {
    match kind {
        TokenKind::Words => WORDS[usize::try_from(seq).unwrap_or_default() % WORDS.len()].to_owned(),
        TokenKind::Stamped => {
            let micros = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
            let mut token = String::with_capacity(32);
            // Writing to a string cannot fail.
            let _ = write!(token, " {seq}@{micros}|");
            token
        }
        TokenKind::Bulk => "endless ".repeat(512),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_are_absolute_and_in_order() {
        let mut performance = Performance::new(Script::read("[[tokens 3 every 5ms first 20ms]]", &[]));
        let mut due = Vec::new();
        while let Some(at) = performance.due() {
            due.push(at.as_millis());
            performance.beat();
        }
        assert_eq!(due, [20, 25, 30, 30]);
    }

    #[test]
    fn a_text_is_said_word_by_word_and_nothing_is_lost() {
        let mut performance = Performance::new(Script::read("[[say one  two\nthree]]", &[]));
        let mut said = String::new();
        while let Some(beat) = performance.beat() {
            if let Beat::Text(text) = beat {
                said.push_str(&text);
            }
        }
        assert_eq!(said, "one  two\nthree");
    }
}
