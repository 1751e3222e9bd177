//! Callouts: quotations that begin with `[!kind]`, as Obsidian and GitHub write them. A sign behind the
//! bracket makes one that folds: `-` is folded at first, `+` is not.

/// The longest word for a kind.
const LONGEST: usize = 30;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fold {
    Never,
    Open,
    Folded,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callout {
    /// As it stands before the title.
    pub marker: String,
    /// The kind in words, as it is written.
    pub word: String,
    pub fold: Fold,
}

impl Callout {
    /// The callout that a quotation is. `quotation` begins at its first `>`.
    pub fn of(quotation: &str) -> Option<Self> {
        let line = quotation.trim_start().strip_prefix('>')?.lines().next()?.trim_start();
        let (kind, rest) = line.strip_prefix("[!")?.split_once(']')?;
        let is_word = kind.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        if kind.is_empty() || kind.len() > LONGEST || !is_word {
            return None;
        }
        let (fold, sign) = match rest.chars().next() {
            Some('-') => (Fold::Folded, "-"),
            Some('+') => (Fold::Open, "+"),
            _ => (Fold::Never, ""),
        };
        let lower = kind.to_ascii_lowercase().replace('-', " ");
        let word = lower[..1].to_ascii_uppercase() + &lower[1..];
        Some(Self { marker: format!("[!{kind}]{sign}"), word, fold })
    }

    /// Which of the few looks the kind has. Kinds that nobody knows look like a note.
    pub fn look(&self) -> &'static str {
        match self.word.as_str() {
            "Tip" | "Hint" | "Important" | "Success" | "Check" | "Done" => "tip",
            "Warning" | "Caution" | "Attention" | "Question" | "Help" | "Faq" | "Todo" => "warning",
            "Danger" | "Error" | "Failure" | "Fail" | "Missing" | "Bug" => "danger",
            "Quote" | "Cite" | "Example" | "Abstract" | "Summary" | "Tldr" => "quiet",
            _ => "note",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quotation_is_a_callout_by_its_first_line() {
        let found = Callout::of("> [!Warning]- Mind the step\n> text").unwrap();
        assert_eq!(
            (found.marker.as_str(), found.word.as_str(), found.fold),
            ("[!Warning]-", "Warning", Fold::Folded)
        );
        assert_eq!(Callout::of(">[!my-kind]+").unwrap().word, "My kind");
        for plain in
            ["> words [!note]", "> [!] x", "> [!a b] x", "> [note] x", "> > [!note]", ">", "> \n> [!note]"]
        {
            assert_eq!(Callout::of(plain), None, "{plain:?}");
        }
    }
}
