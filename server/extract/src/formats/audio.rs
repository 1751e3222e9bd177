//! Sound: how long it is and what its tags say. No speech is read.

use crate::document::{Document, Kind};
use crate::failure::Failure;
use lofty::file::{AudioFile, TaggedFileExt};
use lofty::probe::Probe;
use lofty::tag::Accessor;
use std::io::Cursor;

pub(crate) fn read(bytes: &[u8], media_type: &str) -> Result<Document, Failure> {
    let mut document = Document::new(Kind::Audio);
    document.property("format", media_type.trim_start_matches("audio/").trim_start_matches("x-"));
    let probe = Probe::new(Cursor::new(bytes)).guess_file_type().map_err(Failure::damaged)?;
    // Known by its first bytes, but read by nothing here, such as MIDI.
    if probe.file_type().is_none() {
        return Ok(document);
    }
    let file = probe.read().map_err(Failure::damaged)?;
    document.property("duration_seconds", format!("{:.1}", file.properties().duration().as_secs_f64()));
    let numbers = [
        ("bits_per_second", file.properties().overall_bitrate().map(|kilobits| kilobits * 1000)),
        ("samples_per_second", file.properties().sample_rate()),
        ("channels", file.properties().channels().map(u32::from)),
    ];
    for (name, value) in numbers {
        if let Some(value) = value {
            document.property(name, value);
        }
    }
    if let Some(tag) = file.primary_tag().or_else(|| file.first_tag()) {
        document.title = tag.title().map(|title| title.into_owned());
        document.author = tag.artist().map(|artist| artist.into_owned());
        for (name, value) in [("album", tag.album()), ("genre", tag.genre())] {
            if let Some(value) = value {
                document.property(name, value);
            }
        }
    }
    Ok(document)
}
