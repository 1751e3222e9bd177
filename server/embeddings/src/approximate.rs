//! How many tokens a text has, about, when no model is loaded that could say.

/// A text's tokens, rather too many than too few: for ordinary text in the languages people write it
/// is not below what MiniLM counts. A single odd word may have more. Of English, the one language
/// that the model's vocabulary was made for, it makes about twice as many; of others little more.
///
/// Latin letters count by word, two tokens for five letters, where a letter with a mark counts as
/// three, for it is a sign of another language; digits one for two; each sign and each letter of
/// another script one; a Korean syllable three, since models take its parts.
pub fn approximate_tokens(text: &str) -> usize {
    let mut count = Count::default();
    text.chars().for_each(|c| count.add(c));
    count.total()
}

/// As much of the beginning as has at most so many tokens.
pub(crate) fn within(text: &str, most: usize) -> &str {
    let mut count = Count::default();
    let beyond = text.char_indices().find(|(_, c)| {
        count.add(*c);
        count.total() > most
    });
    beyond.map_or(text, |(end, _)| &text[..end])
}

/// Finished tokens, and the run of letters or digits that is under way.
#[derive(Default)]
struct Count {
    tokens: usize,
    letters: usize,
    digits: usize,
}

impl Count {
    fn add(&mut self, c: char) {
        if is_latin(c) {
            self.end_digits();
            self.letters += if c.is_ascii() { 1 } else { 3 };
        } else if c.is_ascii_digit() {
            self.end_letters();
            self.digits += 1;
        } else {
            self.end_digits();
            self.end_letters();
            self.tokens += match c {
                _ if c.is_whitespace() => 0,
                '\u{ac00}'..='\u{d7a3}' => 3,
                _ => 1,
            };
        }
    }

    fn end_letters(&mut self) {
        self.tokens += (2 * self.letters).div_ceil(5);
        self.letters = 0;
    }

    fn end_digits(&mut self) {
        self.tokens += self.digits.div_ceil(2);
        self.digits = 0;
    }

    fn total(&self) -> usize {
        self.tokens + (2 * self.letters).div_ceil(5) + self.digits.div_ceil(2)
    }
}

fn is_latin(c: char) -> bool {
    c.is_ascii_alphabetic() || matches!(c, '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_digits_signs_and_syllables_count_by_their_rules() {
        for (text, tokens) in [
            ("", 0),
            (" \n", 0),
            ("the cat", 4),
            ("embedding", 4),
            ("würde", 3),
            ("2026", 2),
            ("a, b", 3),
            ("東京", 2),
            ("한국", 6),
        ] {
            assert_eq!(approximate_tokens(text), tokens, "{text:?}");
        }
    }
}
