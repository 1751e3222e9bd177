//! Who gets how much of what a model reads: instructions and the question all they need, then the conversation and
//! what is attached, neither more than half while the other wants it. Pure.

/// Tokens kept for the answer, or a quarter of the window where that is less.
const FOR_THE_ANSWER: usize = 8192;

/// What there is to give, in tokens.
#[derive(Debug, Default)]
pub(super) struct Wishes {
    pub window: usize,
    /// What must be given whatever else: instructions, tools, the question.
    pub fixed: usize,
    /// Earlier messages, the newest first.
    pub history: Vec<usize>,
    /// Attached things, whole.
    pub things: Vec<usize>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Shares {
    /// How many of the newest messages.
    pub messages: usize,
    /// Of each thing: all that it wants, or less.
    pub things: Vec<usize>,
}

pub(super) fn shares(wishes: &Wishes) -> Shares {
    let room = wishes.window - FOR_THE_ANSWER.min(wishes.window / 4);
    let room = room.saturating_sub(wishes.fixed);
    let wanted: usize = wishes.things.iter().sum();
    let for_history = room.saturating_sub(wanted).max(room / 2);
    let mut used = 0;
    let fits = wishes.history.iter().take_while(|tokens| {
        let fits = used + **tokens <= for_history;
        used += if fits { **tokens } else { 0 };
        fits
    });
    let messages = fits.count();
    Shares { messages, things: fair(&wishes.things, room.saturating_sub(used)) }
}

/// Small wishes are granted; what is left is divided evenly among the large ones.
fn fair(wishes: &[usize], room: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..wishes.len()).collect();
    order.sort_by_key(|at| wishes[*at]);
    let mut given = vec![0; wishes.len()];
    let mut left = room;
    for (done, at) in order.into_iter().enumerate() {
        given[at] = wishes[at].min(left / (wishes.len() - done));
        left -= given[at];
    }
    given
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_given_where_it_fits() {
        let wishes =
            Wishes { window: 100_000, fixed: 1000, history: vec![500; 20], things: vec![2000, 30_000] };
        assert_eq!(shares(&wishes), Shares { messages: 20, things: vec![2000, 30_000] });
    }

    #[test]
    fn the_oldest_messages_go_first_and_never_more_than_half_of_the_room_to_either() {
        let wishes = Wishes { window: 40_000, fixed: 0, history: vec![1000; 100], things: vec![90_000] };
        // 31,808 tokens are left beside the answer
        assert_eq!(shares(&wishes), Shares { messages: 15, things: vec![16_808] });
    }

    #[test]
    fn what_one_does_not_need_the_other_gets() {
        let wishes = Wishes { window: 40_000, fixed: 0, history: vec![1000; 100], things: vec![808] };
        assert_eq!(shares(&wishes), Shares { messages: 31, things: vec![808] });
        let wishes = Wishes { window: 40_000, fixed: 0, history: vec![1000; 5], things: vec![90_000] };
        assert_eq!(shares(&wishes), Shares { messages: 5, things: vec![26_808] });
    }

    #[test]
    fn small_things_are_whole_beside_a_large_one() {
        assert_eq!(fair(&[100, 50_000, 200], 1000), [100, 700, 200]);
        assert_eq!(fair(&[900, 900], 1000), [500, 500]);
        assert_eq!(fair(&[], 1000), [0_usize; 0]);
    }

    #[test]
    fn a_question_that_fills_the_window_leaves_nothing_and_breaks_nothing() {
        let wishes = Wishes { window: 8192, fixed: 50_000, history: vec![10], things: vec![10] };
        assert_eq!(shares(&wishes), Shares { messages: 0, things: vec![0] });
    }
}
