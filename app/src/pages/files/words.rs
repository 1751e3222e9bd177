//! Sizes, states and languages of files in words.

use shared::file::FileState;

/// A size as short as it can be said: `812 B`, `3.4 MB`, `12 GB`.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KB", "MB", "GB", "TB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let (mut value, mut unit) = (bytes as f64 / 1000.0, 0);
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    match value < 9.95 {
        true => format!("{value:.1} {}", UNITS[unit]),
        false => format!("{value:.0} {}", UNITS[unit]),
    }
}

/// Where a file stands; nothing once all is done.
pub fn state(state: &FileState) -> Option<String> {
    match state {
        FileState::Waiting => Some("Waiting".to_owned()),
        FileState::Reading { of: 0, .. } => Some("Reading".to_owned()),
        FileState::Reading { done, of } => Some(format!("Reading {done} of {of}")),
        FileState::Indexing => Some("Indexing".to_owned()),
        FileState::Ready => None,
        FileState::Kept => Some("Kept, not read".to_owned()),
        FileState::Failed { reason } => Some(format!("Failed: {}", reason.trim_end_matches('.'))),
    }
}

/// For styles.
pub fn state_name(state: &FileState) -> &'static str {
    match state {
        FileState::Waiting => "waiting",
        FileState::Reading { .. } => "reading",
        FileState::Indexing => "indexing",
        FileState::Ready => "ready",
        FileState::Kept => "kept",
        FileState::Failed { .. } => "failed",
    }
}

/// A language by its code in ISO 639-1; the code where the language is a rare one.
pub fn language(code: &str) -> String {
    const LANGUAGES: [(&str, &str); 28] = [
        ("ar", "Arabic"),
        ("bg", "Bulgarian"),
        ("ca", "Catalan"),
        ("cs", "Czech"),
        ("da", "Danish"),
        ("de", "German"),
        ("el", "Greek"),
        ("en", "English"),
        ("es", "Spanish"),
        ("fa", "Persian"),
        ("fi", "Finnish"),
        ("fr", "French"),
        ("he", "Hebrew"),
        ("hi", "Hindi"),
        ("hu", "Hungarian"),
        ("it", "Italian"),
        ("ja", "Japanese"),
        ("ko", "Korean"),
        ("nl", "Dutch"),
        ("no", "Norwegian"),
        ("pl", "Polish"),
        ("pt", "Portuguese"),
        ("ro", "Romanian"),
        ("ru", "Russian"),
        ("sv", "Swedish"),
        ("tr", "Turkish"),
        ("uk", "Ukrainian"),
        ("zh", "Chinese"),
    ];
    LANGUAGES.iter().find(|(known, _)| *known == code).map_or(code, |(_, name)| name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_said_in_the_unit_that_fits() {
        let cases = [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 KB"),
            (3_420_000, "3.4 MB"),
            (9_960_000, "10 MB"),
            (999_600, "1.0 MB"),
            (12_345_678_901, "12 GB"),
            (u64::MAX, "18446744 TB"),
        ];
        for (bytes, said) in cases {
            assert_eq!(size(bytes), said, "{bytes}");
        }
    }

    #[test]
    fn a_file_says_where_it_stands_until_it_is_ready() {
        assert_eq!(state(&FileState::Reading { done: 3, of: 12 }).as_deref(), Some("Reading 3 of 12"));
        assert_eq!(state(&FileState::Reading { done: 0, of: 0 }).as_deref(), Some("Reading"));
        assert_eq!(state(&FileState::Ready), None);
        let failed = FileState::Failed { reason: "The file is damaged.".to_owned() };
        assert_eq!(state(&failed).as_deref(), Some("Failed: The file is damaged"));
    }
}
