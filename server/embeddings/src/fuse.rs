//! Several ranked lists made one by reciprocal rank fusion: words and meaning rank on scales that
//! cannot be compared, but their ranks can. It knows nothing of what is ranked.

use std::collections::HashMap;
use std::hash::Hash;

/// From the paper that described the method (Cormack, Clarke and Büttcher, 2009): large enough that
/// the first of one list does not outweigh what several lists agree on.
const K: f64 = 60.0;

/// What one way of searching found, best first. An id that occurs twice counts where it is first.
#[derive(Debug, Clone, Copy)]
pub struct Ranked<'a, Id> {
    pub ids: &'a [Id],
    /// How much this list counts beside the others; 1 is usual, 0 leaves it out of the scores.
    pub weight: f64,
}

/// An id and its score: the sum over the lists of `weight / (60 + rank)`, ranks from 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fused<Id> {
    pub id: Id,
    pub score: f64,
}

/// All ids of all lists, best first, each once. Of equal scores the one comes first that is met
/// first, reading the lists in their order: equal searches give equal orders.
pub fn reciprocal_rank<Id: Eq + Hash + Clone>(lists: &[Ranked<'_, Id>]) -> Vec<Fused<Id>> {
    let mut fused: Vec<Fused<Id>> = Vec::new();
    // Where an id is in `fused`, and the last list that counted it.
    let mut places: HashMap<&Id, (usize, usize)> = HashMap::new();
    for (number, list) in lists.iter().enumerate() {
        let mut rank = 0.0;
        for id in list.ids {
            let known = places.get(id).copied();
            if known.is_some_and(|(_, counted)| counted == number) {
                continue;
            }
            rank += 1.0;
            let score = list.weight / (K + rank);
            let place = match known {
                Some((place, _)) => {
                    fused[place].score += score;
                    place
                }
                None => {
                    fused.push(Fused { id: id.clone(), score });
                    fused.len() - 1
                }
            };
            places.insert(id, (place, number));
        }
    }
    fused.sort_by(|a, b| b.score.total_cmp(&a.score));
    fused
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(lists: &[(&[u32], f64)]) -> Vec<u32> {
        let lists: Vec<_> = lists.iter().map(|(ids, weight)| Ranked { ids, weight: *weight }).collect();
        reciprocal_rank(&lists).into_iter().map(|fused| fused.id).collect()
    }

    #[test]
    fn what_both_lists_know_comes_before_what_one_list_puts_first() {
        assert_eq!(order(&[(&[1, 2, 3], 1.0), (&[4, 3, 5], 1.0)]), [3, 1, 4, 2, 5]);
    }

    #[test]
    fn the_score_is_that_of_the_formula() {
        let lists = [Ranked { ids: &['a', 'b'], weight: 1.0 }, Ranked { ids: &['b'], weight: 0.5 }];
        let fused = reciprocal_rank(&lists);
        assert_eq!(fused[0], Fused { id: 'b', score: 1.0 / 62.0 + 0.5 / 61.0 });
        assert_eq!(fused[1], Fused { id: 'a', score: 1.0 / 61.0 });
    }

    #[test]
    fn ties_keep_the_order_in_which_they_are_met() {
        assert_eq!(order(&[(&[9, 1], 1.0), (&[4, 7], 1.0)]), [9, 4, 1, 7]);
        assert_eq!(order(&[(&[4, 7], 1.0), (&[9, 1], 1.0)]), [4, 9, 7, 1]);
    }

    #[test]
    fn a_heavier_list_wins_and_a_weightless_one_only_fills_up() {
        assert_eq!(order(&[(&[1, 2], 1.0), (&[3, 4], 3.0)]), [3, 4, 1, 2]);
        assert_eq!(order(&[(&[1, 2], 0.0), (&[2], 1.0)]), [2, 1]);
    }

    #[test]
    fn an_id_twice_in_a_list_counts_once_and_moves_nobody_down() {
        let twice = reciprocal_rank(&[Ranked { ids: &[1, 1, 2], weight: 1.0 }]);
        assert_eq!(twice, reciprocal_rank(&[Ranked { ids: &[1, 2], weight: 1.0 }]));
    }

    #[test]
    fn nothing_fused_is_nothing() {
        assert!(reciprocal_rank::<u32>(&[]).is_empty());
        assert!(order(&[(&[], 1.0)]).is_empty());
    }
}
