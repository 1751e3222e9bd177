//! A text's tokens, counted word by word with a memory of words: a text repeats its words, and
//! looking one up is a hundred times as quick as cutting it into tokens again.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// When so many words are known, all are forgotten: a few megabytes.
const MOST_WORDS: usize = 50_000;
/// Longer ones do not repeat.
const LONGEST_WORD_BYTES: usize = 48;

#[derive(Default)]
pub(crate) struct KnownWords(Mutex<HashMap<Box<str>, usize>>);

impl KnownWords {
    /// The sum over the words of `text`, where `count` says how many tokens one has.
    pub(crate) fn count(&self, text: &str, count: impl Fn(&str) -> usize) -> usize {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        words(text)
            .map(|word| {
                if word.len() > LONGEST_WORD_BYTES {
                    return count(word);
                }
                if let Some(tokens) = known.get(word) {
                    return *tokens;
                }
                if known.len() >= MOST_WORDS {
                    known.clear();
                }
                let tokens = count(word);
                known.insert(word.into(), tokens);
                tokens
            })
            .sum()
    }
}

/// Pieces that BERT's own rules would never join into one word: cut at white space, around ASCII
/// punctuation and around Chinese characters.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(separates).flat_map(|run| {
        let mut rest = run;
        std::iter::from_fn(move || {
            let first = rest.chars().next()?;
            let end = if stands_alone(first) {
                first.len_utf8()
            } else {
                rest.find(stands_alone).unwrap_or(rest.len())
            };
            let (word, after) = rest.split_at(end);
            rest = after;
            Some(word)
        })
    })
}

/// BERT removes control characters, so that they separate nothing, though some count as white space.
fn separates(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r') || (c.is_whitespace() && !c.is_control())
}

fn stands_alone(c: char) -> bool {
    c.is_ascii_punctuation() || matches!(c, '\u{4e00}'..='\u{9fff}' | '\u{3400}'..='\u{4dbf}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_end_at_white_space_punctuation_and_chinese_characters() {
        let found: Vec<_> = words("Don't  stop-now,\n東京へ行く\u{b}x").collect();
        assert_eq!(found, ["Don", "'", "t", "stop", "-", "now", ",", "東", "京", "へ", "行", "く\u{b}x"]);
    }

    #[test]
    fn a_known_word_is_not_counted_again() {
        let words = KnownWords::default();
        assert_eq!(words.count("to be or not to be", str::len), 13);
        assert_eq!(words.count("be to be", |word| panic!("{word} is known")), 6);
    }
}
