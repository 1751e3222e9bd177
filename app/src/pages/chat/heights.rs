//! How high messages are, and which of them the page needs. Those that are not in the page are as high
//! as they were when they last were, or as their length makes likely while nobody has seen them. Pure;
//! [`super::room`] measures.

use super::window::AROUND;
use shared::MessageId;
use shared::conversation::MessageRole;
use std::collections::HashMap;
use std::ops::Range;

/// This much is kept ready on either side of what is seen, if that is not too many messages.
const AROUND_PX: f64 = 1600.0;
/// Only when less than this is left on a side, the window moves: a few messages at once, not each alone.
const SPARE_PX: f64 = 700.0;
const SPARE: usize = 6;

/// What a message of so many bytes may be high. It need not be right; but it must not change by itself,
/// or everything below would move.
pub fn guess(role: MessageRole, length: usize) -> f64 {
    let (around, a_line) = match role {
        MessageRole::User => (64.0, 62.0),
        MessageRole::Assistant => (70.0, 72.0),
    };
    around + 24.0 * (length as f64 / a_line).ceil()
}

/// How high messages are that were measured, with the space before each.
#[derive(Default)]
pub struct Heights(HashMap<MessageId, f64>);

impl Heights {
    pub fn note(&mut self, id: MessageId, height: f64) {
        self.0.insert(id, height);
    }

    /// Where each of these messages begins and, last, where the last one ends.
    pub fn tops(&self, messages: impl Iterator<Item = (MessageId, f64)>) -> Vec<f64> {
        let mut top = 0.0;
        let mut tops = vec![top];
        for (id, guess) in messages {
            top += self.0.get(&id).copied().unwrap_or(guess);
            tops.push(top);
        }
        tops
    }
}

/// The message at this height.
pub fn at(tops: &[f64], y: f64) -> usize {
    tops.partition_point(|top| *top <= y).saturating_sub(1).min(tops.len().saturating_sub(2))
}

/// The messages to show when the part `seen` of the list is in view, in pixels from its top; those shown
/// now, if they still do.
pub fn wanted(tops: &[f64], seen: Range<f64>, now: Range<usize>) -> Range<usize> {
    let count = tops.len().saturating_sub(1);
    let before = |y: f64| tops.partition_point(|top| *top < y).min(count);
    let first = at(tops, seen.start);
    let end = before(seen.end).max(first);
    let reach = |px: f64, most: usize| {
        let start = before(seen.start - px).saturating_sub(1).max(first.saturating_sub(most));
        start.min(first)..before(seen.end + px).min(end + most).max(end)
    };
    let (needed, full) = (reach(SPARE_PX, SPARE), reach(AROUND_PX, AROUND));
    let most = (end - first) + 2 * AROUND + SPARE;
    if now.start <= needed.start && now.end >= needed.end && now.len() <= most { now } else { full }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tops(count: usize, height: impl Fn(usize) -> f64) -> Vec<f64> {
        Heights::default().tops((0..count).map(|n| (MessageId::new(), height(n))))
    }

    #[test]
    fn what_is_seen_is_always_there_and_little_else() {
        let tops = tops(1000, |n| 40.0 + 30.0 * (n % 7) as f64);
        let all = tops[1000];
        let mut now = 0..1000;
        let mut moves = 0;
        for step in 0..400 {
            let top = all - 900.0 - f64::from(step) * 120.0;
            let next = wanted(&tops, top..top + 900.0, now.clone());
            moves += usize::from(next != now);
            now = next;
            assert!(now.len() <= 60, "{} messages", now.len());
            assert!(tops[now.start] <= top.max(0.0));
            assert!(tops[now.end] >= (top + 900.0).min(all));
        }
        assert!((20..100).contains(&moves), "the window moved {moves} times in 48,000 px");
    }

    #[test]
    fn a_view_beyond_the_list_shows_its_end_or_its_beginning() {
        let tops = tops(100, |_| 140.0);
        assert_eq!(wanted(&tops, 90_000.0..91_000.0, 0..0).end, 100);
        assert_eq!(wanted(&tops, -3000.0..-2000.0, 50..60).start, 0);
        assert_eq!(wanted(&[0.0], 0.0..900.0, 0..0), 0..0);
    }

    #[test]
    fn what_was_measured_counts_and_else_what_is_likely() {
        let ids = [MessageId::new(), MessageId::new()];
        let mut heights = Heights::default();
        let tops = |heights: &Heights| heights.tops(ids.into_iter().map(|id| (id, 50.0)));
        assert_eq!(tops(&heights), [0.0, 50.0, 100.0]);
        heights.note(ids[0], 70.0);
        assert_eq!(tops(&heights), [0.0, 70.0, 120.0]);
        assert_eq!(
            [at(&tops(&heights), 69.0), at(&tops(&heights), 70.0), at(&tops(&heights), 900.0)],
            [0, 1, 1]
        );
        assert!(guess(MessageRole::User, 2000) > guess(MessageRole::User, 20));
    }
}
