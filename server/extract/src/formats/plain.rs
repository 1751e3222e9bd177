//! Text as it is: the encoding told by the bytes, and windows of lines.

use crate::document::{Document, Kind, Place};
use crate::failure::Failure;
use crate::limits::Reading;
use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8};
use std::borrow::Cow;

/// Lines in a window, where nothing better divides a text.
pub(crate) const WINDOW: usize = 150;

/// None where the bytes are not text in any encoding.
pub(crate) fn decode(bytes: &[u8]) -> Option<(Cow<'_, str>, &'static str)> {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        let (text, broken) = encoding.decode_without_bom_handling(&bytes[mark..]);
        return (!broken || encoding == UTF_8).then_some((text, encoding.name()));
    }
    // Zero bytes are in no text but UTF-16 and UTF-32, which this trusts only with a mark.
    if bytes.contains(&0) || mostly_controls(bytes) {
        return None;
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Some((Cow::Borrowed(text), UTF_8.name()));
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(bytes, true);
    let encoding = detector.guess(None, Utf8Detection::Deny);
    Some((encoding.decode_without_bom_handling(bytes).0, encoding.name()))
}

fn mostly_controls(bytes: &[u8]) -> bool {
    let start = &bytes[..bytes.len().min(8192)];
    let controls = start.iter().filter(|&&byte| byte < 0x20 && !matches!(byte, 8..=13 | 27)).count();
    controls * 20 > start.len()
}

pub(crate) fn read(text: &str, reading: &mut Reading) -> Result<Document, Failure> {
    let mut document = Document::new(Kind::Text);
    let lines: Vec<&str> = text.lines().collect();
    if lines.len() <= WINDOW {
        reading.section(&mut document, Place::Whole, text.trim_end())?;
        return Ok(document);
    }
    for (from, to) in windows(&lines) {
        let place = Place::Lines { from: from as u32 + 1, to: to as u32, symbol: None };
        reading.section(&mut document, place, lines[from..to].join("\n"))?;
    }
    Ok(document)
}

/// Windows that end at an empty line where one is near.
pub(crate) fn windows(lines: &[&str]) -> Vec<(usize, usize)> {
    let (mut found, mut from) = (Vec::new(), 0);
    while from < lines.len() {
        let full = (from + WINDOW).min(lines.len());
        let half = from + WINDOW / 2;
        let is_end = full == lines.len();
        let empty = (half..full).rev().find(|&line| lines[line].trim().is_empty());
        let to = if is_end { full } else { empty.map_or(full, |line| line + 1) };
        found.push((from, to));
        from = to;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_is_told_by_the_bytes() {
        let german = "Größe und Äußerung über die Straße, und mehr Wörter für den Zähler.";
        let western = encoding_rs::WINDOWS_1252.encode(german).0;
        assert_eq!(decode(&western).unwrap().0, german);
        let russian = "В прошлом году библиотеку посетили читатели из всех районов города.";
        assert_eq!(decode(&encoding_rs::WINDOWS_1251.encode(russian).0).unwrap().0, russian);
        let wide: Vec<u8> =
            [0xFF, 0xFE].into_iter().chain(german.encode_utf16().flat_map(u16::to_le_bytes)).collect();
        assert_eq!(decode(&wide).unwrap(), (german.into(), "UTF-16LE"));
        assert_eq!(decode(b"\x7fELF\x02\x01\x01\0\0\0"), None);
    }

    #[test]
    fn windows_hold_every_line_once() {
        let text: String = (0..1000).map(|line| if line % 40 == 0 { "\n" } else { "x\n" }).collect();
        let lines: Vec<&str> = text.lines().collect();
        let found = windows(&lines);
        assert_eq!(found[0].0, 0);
        assert_eq!(found.last().unwrap().1, 1000);
        assert!(found.windows(2).all(|pair| pair[0].1 == pair[1].0));
        assert!(found.iter().all(|(from, to)| to - from <= WINDOW));
    }
}
