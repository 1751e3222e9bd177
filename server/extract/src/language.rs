//! The language a text is written in, where that is clear.

use crate::document::{Document, Kind};
use whatlang::Lang;

/// Enough to tell; more costs time and changes nothing.
const SAMPLE: usize = 20_000;
/// Fewer letters are guesswork; Chinese says as much in a third of them.
const LEAST_LETTERS: usize = 40;

pub(crate) fn detect(document: &mut Document) {
    if document.kind == Kind::Code {
        return;
    }
    let mut sample = String::new();
    for section in &document.sections {
        sample.extend(
            written(document.kind, &section.markdown).chars().take(SAMPLE - sample.len().min(SAMPLE)),
        );
        sample.push('\n');
        if sample.len() >= SAMPLE {
            break;
        }
    }
    let letters = sample.chars().filter(|letter| letter.is_alphabetic()).count();
    let found = whatlang::detect(&sample)
        .filter(|found| letters >= LEAST_LETTERS && found.is_reliable())
        .and_then(|found| two_letters(found.lang()));
    // What a file declares is often only what its program was set to.
    document.language = found.map(str::to_owned).or(document.language.take());
}

/// Without the head of a mail, which is in no language and longer than many a mail.
fn written(kind: Kind, markdown: &str) -> &str {
    match kind {
        Kind::Email => markdown.splitn(3, "\n\n").nth(2).unwrap_or(markdown),
        _ => markdown,
    }
}

/// ISO 639-1 from the detector's ISO 639-3.
fn two_letters(language: Lang) -> Option<&'static str> {
    const CODES: [(&str, &str); 70] = [
        ("afr", "af"),
        ("aka", "ak"),
        ("amh", "am"),
        ("ara", "ar"),
        ("aze", "az"),
        ("bel", "be"),
        ("ben", "bn"),
        ("bul", "bg"),
        ("cat", "ca"),
        ("ces", "cs"),
        ("cmn", "zh"),
        ("cym", "cy"),
        ("dan", "da"),
        ("deu", "de"),
        ("ell", "el"),
        ("eng", "en"),
        ("epo", "eo"),
        ("est", "et"),
        ("fin", "fi"),
        ("fra", "fr"),
        ("guj", "gu"),
        ("heb", "he"),
        ("hin", "hi"),
        ("hrv", "hr"),
        ("hun", "hu"),
        ("hye", "hy"),
        ("ind", "id"),
        ("ita", "it"),
        ("jav", "jv"),
        ("jpn", "ja"),
        ("kan", "kn"),
        ("kat", "ka"),
        ("khm", "km"),
        ("kor", "ko"),
        ("lat", "la"),
        ("lav", "lv"),
        ("lit", "lt"),
        ("mal", "ml"),
        ("mar", "mr"),
        ("mkd", "mk"),
        ("mya", "my"),
        ("nep", "ne"),
        ("nld", "nl"),
        ("nob", "nb"),
        ("ori", "or"),
        ("pan", "pa"),
        ("pes", "fa"),
        ("pol", "pl"),
        ("por", "pt"),
        ("ron", "ro"),
        ("rus", "ru"),
        ("sin", "si"),
        ("slk", "sk"),
        ("slv", "sl"),
        ("sna", "sn"),
        ("spa", "es"),
        ("srp", "sr"),
        ("swe", "sv"),
        ("tam", "ta"),
        ("tel", "te"),
        ("tgl", "tl"),
        ("tha", "th"),
        ("tuk", "tk"),
        ("tur", "tr"),
        ("ukr", "uk"),
        ("urd", "ur"),
        ("uzb", "uz"),
        ("vie", "vi"),
        ("yid", "yi"),
        ("zul", "zu"),
    ];
    CODES.iter().find(|(three, _)| *three == language.code()).map(|(_, two)| *two)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_of_the_detector_has_two_letters() {
        let without: Vec<_> =
            Lang::all().iter().filter(|language| two_letters(**language).is_none()).collect();
        assert!(without.is_empty(), "{without:?}");
    }
}
