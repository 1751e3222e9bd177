//! How much each model reads at once, as far as its name says. Providers do not tell; a model that nobody knows
//! is taken for one of today's usual size. Pure.

use crate::providers::Choice;
use shared::provider::ProviderKind;

/// Parts of names, more particular ones first, and tokens.
const KNOWN: &[(&str, u32)] = &[
    ("claude", 200_000),
    ("gemini", 1_000_000),
    ("gpt-4.1", 1_000_000),
    ("gpt-5", 400_000),
    ("gpt-4o", 128_000),
    ("gpt-4-turbo", 128_000),
    ("gpt-4", 8_192),
    ("gpt-3.5", 16_385),
    ("o1", 200_000),
    ("o3", 200_000),
    ("o4", 200_000),
];
const USUAL: u32 = 128_000;
/// A local server reads this much unless it is told otherwise, and cuts what is longer without a word.
const USUAL_LOCAL: u32 = 8_192;

/// Tokens that this model reads and writes at once; none for the built-in responder, which reads nothing.
pub(super) fn window_of(choice: &Choice) -> Option<u32> {
    match choice {
        Choice::BuiltIn => None,
        Choice::Model { provider, model } => Some(window(provider.kind, model)),
    }
}

fn window(kind: ProviderKind, model: &str) -> u32 {
    let name = model.rsplit('/').next().unwrap_or(model).to_lowercase();
    let known = KNOWN.iter().find(|(part, _)| name.starts_with(part));
    match (kind, known) {
        (ProviderKind::Ollama, _) => USUAL_LOCAL,
        (_, Some((_, tokens))) => *tokens,
        (ProviderKind::Anthropic, None) => 200_000,
        (_, None) => USUAL,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_how_much_is_read() {
        assert_eq!(window(ProviderKind::Openai, "gpt-4o-mini"), 128_000);
        assert_eq!(window(ProviderKind::Openai, "gpt-4.1"), 1_000_000);
        assert_eq!(window(ProviderKind::Openai, "anthropic/claude-sonnet-4"), 200_000);
        assert_eq!(window(ProviderKind::Openai, "something-new"), USUAL);
        assert_eq!(window(ProviderKind::Ollama, "llama3.2"), USUAL_LOCAL);
    }
}
