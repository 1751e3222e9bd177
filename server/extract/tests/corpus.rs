//! Files that other programs made, in many languages (`data/corpus`): each gives what it is known to hold.

use extract::{Document, Kind, Limits, in_process};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Its lines are taken for two columns, and read in their order: all is there, but not the sentence over the break.
const OUT_OF_ORDER: &str = "ko/libreoffice.pdf";

/// Title, heading, text, the sentence that is looked for, and a row of a table.
type Texts = BTreeMap<String, [String; 6]>;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/corpus")
}

fn files(language: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder().join(language)).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn kind_of(path: &Path) -> Kind {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("docx") => Kind::Docx,
        Some("eml") => Kind::Email,
        Some("epub") => Kind::Epub,
        Some("html") => Kind::Html,
        Some("ods") => Kind::Ods,
        Some("pdf") => Kind::Pdf,
        Some("pptx") => Kind::Pptx,
        Some("xls") => Kind::Xls,
        Some("xlsx") => Kind::Xlsx,
        other => panic!("{other:?}"),
    }
}

/// Without what Markdown and the ends of lines put between the letters. Pandoc sets apostrophes as printers do.
fn letters(text: &str) -> String {
    let letters = text.chars().filter(|c| !c.is_whitespace() && !matches!(c, '\\' | '\u{ad}' | '*'));
    letters.map(|c| if c == '’' { '\'' } else { c }).collect()
}

/// What of it the document does not hold.
fn missing<'a>(document: &Document, wanted: &[&'a str]) -> Vec<&'a str> {
    let said: String = document.sections.iter().map(|section| letters(&section.markdown)).collect();
    wanted.iter().copied().filter(|wanted| !said.contains(&letters(wanted))).collect()
}

#[test]
fn every_file_that_other_programs_made_gives_what_it_is_known_to_hold() {
    let texts: Texts = serde_json::from_slice(&std::fs::read(folder().join("texts.json")).unwrap()).unwrap();
    let mut count = 0;
    let mut faults = Vec::new();
    for (language, [title, heading, text, known, what, cost]) in &texts {
        for path in files(language) {
            count += 1;
            let kind = kind_of(&path);
            let name = path.file_name().unwrap().to_str().unwrap();
            let mut fault = |what: String| faults.push(format!("{language}/{name}: {what}"));
            let document =
                match in_process(name, None, std::fs::read(&path).unwrap(), &Limits::default(), |_| {}) {
                    Ok(document) => document,
                    Err(failure) => {
                        fault(failure.to_string());
                        continue;
                    }
                };
            let wanted: &[&str] = match kind {
                Kind::Xlsx | Kind::Xls | Kind::Ods => &[title, heading, known, what],
                Kind::Pptx => &[title, heading, text, known],
                Kind::Email => &[text, known],
                _ if format!("{language}/{name}") == OUT_OF_ORDER => &[heading, known, what, cost],
                _ => &[heading, text, known, what, cost],
            };
            let missing = missing(&document, wanted);
            if !missing.is_empty() {
                fault(format!("without {missing:?}"));
            }
            if document.kind != kind {
                fault(format!("taken for {:?}", document.kind));
            }
            let is_told = document.language.as_deref().is_none_or(|told| told.starts_with(language.as_str()));
            if !is_told {
                fault(format!("in {:?}", document.language));
            }
        }
    }
    assert!(faults.is_empty(), "{} of {count}:\n{}", faults.len(), faults.join("\n"));
    assert!(count >= 200 && texts.len() >= 15, "{count} files in {} languages", texts.len());
}
