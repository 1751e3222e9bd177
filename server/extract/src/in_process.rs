//! Reads a file in this very process. For the child, and for tests: a hostile file that breaks out of a
//! library here has broken out.

use crate::detect::{Format, detect};
use crate::document::{Document, Kind};
use crate::failure::{Failure, Measure};
use crate::formats::{
    audio, code, delimited, docx, epub, html, image, mail, pdf, plain, pptx, sheets, video,
};
use crate::limits::{Limits, Progress, Reading};
use crate::{language, markdown};
use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Bytes to a document. A panic of a library is [`Failure::Damaged`]; memory, time and a full stack are
/// only bounded where a child is asked instead.
pub fn in_process(
    name: &str,
    declared: Option<&str>,
    bytes: Vec<u8>,
    limits: &Limits,
    mut progress: impl FnMut(Progress),
) -> Result<Document, Failure> {
    if bytes.len() as u64 > limits.file_bytes {
        return Err(Failure::TooLarge { what: Measure::File, limit: limits.file_bytes });
    }
    let mut reading = Reading::new(limits, &mut progress);
    let read = AssertUnwindSafe(|| read(name, declared, bytes, &mut reading));
    catch_unwind(read).unwrap_or_else(|_| Err(Failure::damaged("its parts contradict each other")))
}

/// `name` is that of these bytes: they may be attached to what is read.
pub(crate) fn read(
    name: &str,
    declared: Option<&str>,
    bytes: Vec<u8>,
    reading: &mut Reading,
) -> Result<Document, Failure> {
    let mut document = match detect(name, declared, &bytes, reading.limits)? {
        Format::Pdf => pdf::read(bytes, reading)?,
        Format::Docx => docx::read(&bytes, reading)?,
        Format::Pptx => pptx::read(&bytes, reading)?,
        Format::Xlsx => sheets::xlsx(&bytes, reading)?,
        Format::Xls => sheets::xls(&bytes, reading)?,
        Format::Ods => sheets::ods(&bytes, reading)?,
        Format::Epub => epub::read(&bytes, reading)?,
        Format::Email => mail::read(&bytes, reading)?,
        Format::Image(media_type) => image::read(&bytes, media_type, reading)?,
        Format::Audio(media_type) => audio::read(&bytes, media_type)?,
        Format::Video(media_type) => video::read(&bytes, media_type),
        Format::Csv => delimited::read(&text(&bytes)?, reading)?,
        Format::Html => html::read(&page_text(&bytes)?, reading)?,
        Format::Markdown => written(&text(&bytes)?, reading)?,
        Format::Code(language) => code::read(&text(&bytes)?, language, reading)?,
        Format::Text => plain::read(&text(&bytes)?, reading)?,
    };
    finish(&mut document)?;
    Ok(document)
}

fn finish(document: &mut Document) -> Result<(), Failure> {
    let may_be_silent = matches!(document.kind, Kind::Image | Kind::Audio | Kind::Video);
    if document.sections.is_empty() && !may_be_silent {
        return Err(Failure::Empty);
    }
    let lines = [&mut document.title, &mut document.author].into_iter().flatten();
    for line in lines.chain(document.properties.values_mut()) {
        line.retain(|character| !character.is_control());
    }
    language::detect(document);
    Ok(())
}

fn text(bytes: &[u8]) -> Result<Cow<'_, str>, Failure> {
    plain::decode(bytes).map(|(text, _)| text).ok_or_else(|| Failure::unsupported("unknown binary data"))
}

/// A page may name its encoding in its head; the bytes decide where it does not.
fn page_text(bytes: &[u8]) -> Result<Cow<'_, str>, Failure> {
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(1024)]).to_ascii_lowercase();
    let label = start.split_once("charset=").map(|(_, label)| {
        label.trim_start_matches(['"', '\'']).split(|c: char| !c.is_ascii_alphanumeric() && c != '-').next()
    });
    let named = label.flatten().and_then(|label| encoding_rs::Encoding::for_label(label.as_bytes()));
    match named {
        Some(encoding) if encoding_rs::Encoding::for_bom(bytes).is_none() => Ok(encoding.decode(bytes).0),
        _ => text(bytes),
    }
}

fn written(text: &str, reading: &mut Reading) -> Result<Document, Failure> {
    let mut document = Document::new(Kind::Markdown);
    document.title = markdown::first_heading(text);
    markdown::sections_by_heading(text, &mut document, reading)?;
    Ok(document)
}
