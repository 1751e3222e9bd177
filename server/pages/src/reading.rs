//! How long a text takes to read, and which way it runs.

/// Words a minute, and characters a minute in writing without spaces: Brysbaert's 238 for silent
/// reading of English, and a usual figure for Chinese and Japanese.
const WORDS_A_MINUTE: usize = 238;
const CHARACTERS_A_MINUTE: usize = 400;
/// How much of a text is looked at for its direction.
const SAMPLE_CHARACTERS: usize = 20_000;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TextDirection {
    #[default]
    LeftToRight,
    RightToLeft,
}

impl TextDirection {
    /// As HTML's `dir` has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LeftToRight => "ltr",
            Self::RightToLeft => "rtl",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Length {
    pub words: usize,
    pub minutes: usize,
}

/// A character of writing without spaces counts as a word.
pub fn length(text: &str) -> Length {
    let mut characters = 0;
    let mut words = 0;
    for piece in text.split_whitespace() {
        let unspaced = piece.chars().filter(|c| is_unspaced(*c)).count();
        characters += unspaced;
        let in_word = |c: char| c.is_alphanumeric() && !is_unspaced(c);
        words += usize::from(piece.chars().any(in_word));
    }
    let minutes = words as f64 / WORDS_A_MINUTE as f64 + characters as f64 / CHARACTERS_A_MINUTE as f64;
    Length { words: words + characters, minutes: minutes.ceil() as usize }
}

fn is_unspaced(c: char) -> bool {
    matches!(c,
        '\u{3041}'..='\u{30ff}'
        | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3134f}')
}

/// What the page says of itself, unless its text says otherwise throughout.
pub(crate) fn direction(declared: Option<&str>, language: Option<&str>, text: &str) -> TextDirection {
    let (mut left, mut right) = (0_usize, 0_usize);
    for c in text.chars().take(SAMPLE_CHARACTERS).filter(|c| c.is_alphabetic()) {
        if is_right_to_left(c) { right += 1 } else { left += 1 }
    }
    let clearly = |some: usize, other: usize| some > 20 && some > 4 * other;
    if clearly(right, left) {
        return TextDirection::RightToLeft;
    }
    if clearly(left, right) {
        return TextDirection::LeftToRight;
    }
    let is_right = match declared.map(str::trim) {
        Some(declared) if declared.eq_ignore_ascii_case("rtl") => true,
        Some(declared) if declared.eq_ignore_ascii_case("ltr") => false,
        _ => language.is_some_and(is_right_to_left_language) || (language.is_none() && right > left),
    };
    if is_right { TextDirection::RightToLeft } else { TextDirection::LeftToRight }
}

fn is_right_to_left(c: char) -> bool {
    matches!(c,
        '\u{0590}'..='\u{08ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}'
        | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
}

fn is_right_to_left_language(language: &str) -> bool {
    let primary = language.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
    matches!(
        primary.as_str(),
        "ar" | "arc" | "ckb" | "dv" | "fa" | "he" | "iw" | "ps" | "sd" | "syr" | "ug" | "ur" | "yi"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_counted_in_any_writing() {
        assert_eq!(length("two words"), Length { words: 2, minutes: 1 });
        assert_eq!(length(" – * \n"), Length { words: 0, minutes: 0 });
        assert_eq!(length("我们用 Rust 写服务器。"), Length { words: 8, minutes: 1 });
        assert_eq!(length(&"word ".repeat(476)).minutes, 2);
        assert_eq!(length(&"字".repeat(801)).minutes, 3);
    }

    #[test]
    fn a_text_runs_as_its_letters_do_and_else_as_the_page_says() {
        let arabic = "هذا نص عربي طويل بما يكفي لمعرفة اتجاهه";
        assert_eq!(direction(Some("ltr"), Some("en"), arabic), TextDirection::RightToLeft);
        assert_eq!(direction(None, Some("he-IL"), "12"), TextDirection::RightToLeft);
        assert_eq!(direction(Some("rtl"), Some("en"), "short"), TextDirection::RightToLeft);
        assert_eq!(direction(Some("rtl"), None, &"latin ".repeat(10)), TextDirection::LeftToRight);
        assert_eq!(direction(None, None, ""), TextDirection::LeftToRight);
    }
}
