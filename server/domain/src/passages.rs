//! Texts as passages of the one search index: short enough to be embedded whole.

use embeddings::{Shape, approximate_tokens};

/// Tokens that a passage has at most: the models that read least cut at 256.
pub(crate) const MOST_TOKENS: usize = 200;

/// The version of the rules by which texts are cut. Another number has everything cut anew, in the background.
pub(crate) const CUTTER: i32 = 2;

/// As many as any model makes of ordinary text, or more. Not the model's own count, so that passages
/// stay as they are when another model is chosen.
pub(crate) fn tokens(text: &str) -> usize {
    approximate_tokens(text)
}

/// The passages of a text as people and models write it.
pub(crate) fn passages(text: &str) -> Vec<&str> {
    let cut = embeddings::passages(text, Shape::Markdown, &tokens, MOST_TOKENS);
    cut.into_iter().map(|passage| &text[passage.range]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passages_hold_every_word_and_stay_short() {
        let text = "Überall 🚂 words\n\n".repeat(500);
        let cut = passages(&text);
        assert!(cut.iter().all(|passage| tokens(passage) <= MOST_TOKENS && !passage.is_empty()));
        let words = |text: &str| text.split_whitespace().count();
        assert_eq!(cut.iter().map(|passage| words(passage)).sum::<usize>(), words(&text));
    }

    #[test]
    fn a_text_without_spaces_is_cut_too() {
        assert_eq!(passages(&"é".repeat(3000)).concat(), "é".repeat(3000));
        assert!(passages("  ").is_empty());
    }
}
