//! PDF: one section for each page, in order.
//!
//! A page that cannot be read does not cost the others: it is counted. Pages past the limit, or past
//! the time, are counted too.

mod marks;

use crate::document::{Document, Kind, Place};
use crate::failure::Failure;
use crate::limits::Reading;
use pdf_oxide::PdfDocument;
use pdf_oxide::converters::ConversionOptions;
use pdf_oxide::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Where readers look for the end mark.
const TAIL: usize = 4096;

pub(crate) fn read(bytes: Vec<u8>, reading: &mut Reading) -> Result<Document, Failure> {
    // What is left of a file cut off can look like a whole one and read as nonsense.
    if !has_end(&bytes) {
        return Err(Failure::Truncated);
    }
    let pdf = PdfDocument::from_bytes(bytes).map_err(failure)?;
    if !pdf.is_authenticated() {
        return Err(Failure::Encrypted);
    }
    let mut document = Document::new(Kind::Pdf);
    let of = pdf.page_count().map_err(failure)?;
    let unread = pages(&pdf, of, &mut document, reading)?;
    if of > 0 && unread == of {
        return Err(Failure::damaged("no page of it can be read"));
    }
    if unread > 0 {
        document.property("pages_unreadable", unread);
    }
    about(&pdf, &mut document);
    Ok(document)
}

/// The end mark or, as some programs leave that out, the line before it. Disks pad files with zeros.
fn has_end(bytes: &[u8]) -> bool {
    let end = bytes.iter().rposition(|byte| !matches!(byte, 0 | b' ' | b'\r' | b'\n')).map_or(0, |at| at + 1);
    let tail = &bytes[end.saturating_sub(TAIL)..end];
    [&b"%%EOF"[..], b"startxref"].iter().any(|mark| tail.windows(mark.len()).any(|window| window == *mark))
}

/// How many could not be read.
fn pages(
    pdf: &PdfDocument,
    of: usize,
    document: &mut Document,
    reading: &mut Reading,
) -> Result<usize, Failure> {
    document.property("pages", of);
    let most = of.min(reading.limits.pages as usize);
    let options = ConversionOptions::default();
    let mut unread = 0;
    for page in 0..most {
        if reading.is_late() {
            document.property("pages_left_out", of - page);
            return Ok(unread);
        }
        // the spans were read for the text: asked for again they cost a copy
        let read = || {
            let text = pdf.to_markdown(page, &options)?;
            pdf.extract_spans(page).map(|spans| marks::restored(text, &spans))
        };
        match catch_unwind(AssertUnwindSafe(read)) {
            Ok(Ok(text)) => {
                let place = Place::Page { number: page as u32 + 1 };
                reading.section(document, place, joined(text.trim()))?;
            }
            Ok(Err(Error::EncryptedPdf)) => return Err(Failure::Encrypted),
            Ok(Err(_)) | Err(_) => unread += 1,
        }
        reading.done(page as u32 + 1, most as u32);
    }
    if most < of {
        document.property("pages_left_out", of - most);
    }
    Ok(unread)
}

/// Chinese and Japanese have no spaces: one between two characters was the end of a line.
fn joined(text: &str) -> String {
    let is_unspaced =
        |c: char| matches!(c, '\u{3001}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ff01}'..='\u{ff1f}');
    let mut joined = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        let between = joined.chars().next_back().is_some_and(is_unspaced)
            && rest.peek().is_some_and(|next| is_unspaced(*next));
        if character != ' ' || !between {
            joined.push(character);
        }
    }
    joined
}

fn failure(error: Error) -> Failure {
    match error {
        Error::EncryptedPdf => Failure::Encrypted,
        Error::UnexpectedEof => Failure::Truncated,
        error => Failure::damaged(error),
    }
}

fn about(pdf: &PdfDocument, document: &mut Document) {
    let Some(dictionary) = pdf.trailer().as_dict() else { return };
    let Some(Ok(info)) = dictionary.get("Info").map(|info| pdf.resolve_object(info)) else { return };
    let value = |name: &str| {
        let value = pdf.resolve_object(info.as_dict()?.get(name)?).ok()?;
        let text = text(value.as_string()?).trim().replace('\0', "");
        (!text.is_empty()).then_some(text)
    };
    document.title = value("Title");
    document.author = value("Author");
    document.created = value("CreationDate").and_then(|date| moment(&date));
}

/// UTF-16 or UTF-8 behind a mark, else an encoding that is Latin for every letter of Western names.
fn text(bytes: &[u8]) -> String {
    match encoding_rs::Encoding::for_bom(bytes) {
        Some((encoding, mark)) => encoding.decode_without_bom_handling(&bytes[mark..]).0.into_owned(),
        None => encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned(),
    }
}

/// `D:20260301120000+01'00'` as RFC 3339; everything after the day may be missing.
fn moment(date: &str) -> Option<String> {
    let date = date.strip_prefix("D:").unwrap_or(date);
    let two =
        |from: usize| date.get(from..from + 2).filter(|two| two.bytes().all(|byte| byte.is_ascii_digit()));
    let (year, month, day) = (date.get(..4)?, two(4).unwrap_or("01"), two(6).unwrap_or("01"));
    let (hour, minute, second) = (two(8).unwrap_or("00"), two(10).unwrap_or("00"), two(12).unwrap_or("00"));
    let offset = match date.get(14..15) {
        Some(sign @ ("+" | "-")) => format!("{sign}{}:{}", two(15)?, two(18).unwrap_or("00")),
        _ => "Z".to_owned(),
    };
    crate::office::rfc3339(&format!("{year}-{month}-{day}T{hour}:{minute}:{second}{offset}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chinese_word_broken_over_two_lines_is_whole_again() {
        assert_eq!(joined("家长和孩 子们的欢迎。 a b 明 c"), "家长和孩子们的欢迎。 a b 明 c");
    }

    #[test]
    fn dates_of_every_length_are_read() {
        assert_eq!(moment("D:20260301120000+01'00'").as_deref(), Some("2026-03-01T12:00:00+01:00"));
        assert_eq!(moment("D:20260301120000Z").as_deref(), Some("2026-03-01T12:00:00Z"));
        assert_eq!(moment("D:2026").as_deref(), Some("2026-01-01T00:00:00Z"));
        assert_eq!(moment("yesterday"), None);
    }
}
