//! Words that stand nowhere in what a person has, and what was probably meant. The words offered are those of the
//! person's own passages, so nothing of anybody else's can come back.

use crate::{Domain, Result};
use shared::UserId;
use std::collections::HashMap;

#[derive(sqlx::FromRow)]
struct Likely {
    word: String,
    likely: String,
    /// A passage that has the likely word, which may be there as a stem only.
    sample: String,
}

impl Domain {
    /// The words with those that stand nowhere put right; none when there are none, or nothing is near.
    pub(super) async fn likely_words(&self, user: UserId, words: &str) -> Result<Option<String>> {
        if words.is_empty() || words.contains('"') {
            return Ok(None);
        }
        let mut tx = self.inner.db.as_user(user).await?;
        let likely: Vec<Likely> = sqlx::query_as("SELECT word, likely, sample FROM likely_words($1)")
            .bind(words)
            .fetch_all(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(put_right(words, &likely))
    }
}

fn put_right(words: &str, likely: &[Likely]) -> Option<String> {
    let mut nearest: HashMap<&str, (usize, String)> = HashMap::new();
    for Likely { word, likely, sample } in likely {
        for written in sample.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase) {
            if !written.starts_with(likely.get(..likely.len().min(3)).unwrap_or(likely)) {
                continue;
            }
            let distance = distance(word, &written);
            let is_nearer = nearest.get(word.as_str()).is_none_or(|(before, _)| distance < *before);
            if distance <= tolerance(word) && is_nearer {
                nearest.insert(word, (distance, written));
            }
        }
    }
    let mut right = Vec::new();
    for typed in words.split_whitespace() {
        let bare = typed.to_lowercase();
        let bare = bare.trim_matches(|c: char| !c.is_alphanumeric());
        right.push(nearest.get(bare).map_or(typed, |(_, written)| written));
    }
    let right = right.join(" ");
    (right.to_lowercase() != words.to_lowercase()).then_some(right)
}

/// Slips that are believed in a word of this length.
fn tolerance(word: &str) -> usize {
    match word.chars().count() {
        ..=5 => 1,
        6..=9 => 2,
        _ => 3,
    }
}

/// Letters put in, left out, changed, or swapped with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let change = usize::from(a[i - 1] != b[j - 1]);
            row[j] = (last[j] + 1).min(row[j - 1] + 1).min(last[j - 1] + change);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn likely(word: &str, likely: &str, sample: &str) -> Likely {
        Likely { word: word.into(), likely: likely.into(), sample: sample.into() }
    }

    #[test]
    fn slips_of_the_hand_are_counted() {
        for (a, b, slips) in
            [("recieve", "receive", 1), ("sourdouhg", "sourdough", 1), ("lease", "lease", 0), ("", "ab", 2)]
        {
            assert_eq!(distance(a, b), slips, "{a} {b}");
        }
    }

    #[test]
    fn a_word_is_put_right_as_it_is_written_there_and_the_others_stay() {
        let found = [
            likely("recipies", "recip", "Old recipes for bread."),
            likely("recipies", "receipt", "A receipt for shoes."),
        ];
        assert_eq!(put_right("bread recipies", &found).unwrap(), "bread recipes");
        assert_eq!(put_right("xylophone", &[likely("xylophone", "telephone", "The telephone rang.")]), None);
    }
}
