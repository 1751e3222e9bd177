//! Which of the loaded messages are in the page: those near the reader; all, until the browser has
//! taken the page over. The rest is empty space. Pure; [`super::scroll`] applies it.

use shared::MessageId;
use std::ops::Range;

/// Not more messages than this are kept ready on either side of what is seen.
pub const AROUND: usize = 18;

/// The messages in the page, by name: others may come and go before and after them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// `None`: from the first loaded, whichever that is.
    first: Option<MessageId>,
    /// `None`: to the end, also when that moves on.
    last: Option<MessageId>,
}

impl Window {
    pub fn over(ids: &[MessageId], range: Range<usize>) -> Self {
        let last = if range.end >= ids.len() { None } else { ids.get(range.end.saturating_sub(1)) };
        Self { first: ids.get(range.start).copied(), last: last.copied() }
    }

    /// The end of the conversation, and as much before it as is kept ready.
    pub fn at_end(ids: &[MessageId]) -> Self {
        Self::over(ids, ids.len().saturating_sub(2 * AROUND)..ids.len())
    }

    /// A message and what is around it.
    pub fn around(ids: &[MessageId], place: usize) -> Self {
        Self::over(ids, place.saturating_sub(AROUND)..(place + 1 + AROUND).min(ids.len()))
    }

    /// Where these are among `ids`. If an end of them is gone the other counts, then the end of all.
    pub fn range(self, ids: &[MessageId]) -> Range<usize> {
        let place = |id: Option<MessageId>| id.and_then(|id| ids.iter().position(|other| *other == id));
        let end = match (self.last, place(self.last)) {
            (_, Some(last)) => last + 1,
            (None, None) => ids.len(),
            (Some(_), None) => {
                place(self.first).map_or(ids.len(), |first| (first + 2 * AROUND).min(ids.len()))
            }
        };
        let start = match (self.first, place(self.first)) {
            (_, Some(first)) => first,
            (None, None) => 0,
            (Some(_), None) => end.saturating_sub(2 * AROUND),
        };
        start.min(end)..end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_messages_stay_while_others_come_and_go() {
        let ids = |count: usize| (0..count).map(|_| MessageId::new()).collect::<Vec<_>>();
        let before = ids(100);
        let window = Window::over(&before, 40..60);
        assert_eq!(window.range(&before), 40..60);
        let earlier = [ids(30), before.clone()].concat();
        assert_eq!(window.range(&earlier), 70..90);
        assert_eq!(window.range(&before[..50]), 40..50);
        let end = Window::at_end(&before);
        let grown = [before.clone(), ids(2)].concat();
        assert_eq!(end.range(&grown), 64..102);
        assert_eq!(Window::default().range(&grown), 0..102);
        assert!(end.range(&ids(500)).len() <= 60, "another path is shown from its end");
    }
}
