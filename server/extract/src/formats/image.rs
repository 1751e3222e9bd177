//! Images: size, format, the camera's date, a thumbnail, and a copy for a model where one is wanted. No text is read
//! from them here.

use crate::document::{Document, Kind};
use crate::failure::Failure;
use crate::limits::Reading;
use exif::{In, Tag, Value};
use image::codecs::jpeg::JpegEncoder;
use image::metadata::Orientation;
use image::{
    DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, Rgba, RgbaImage, imageops,
};
use std::io::{Cursor, ErrorKind};

const THUMBNAIL: u32 = 512;
const QUALITY: u8 = 80;

pub(crate) fn read(bytes: &[u8], media_type: &str, reading: &mut Reading) -> Result<Document, Failure> {
    let mut document = Document::new(Kind::Image);
    document.property("format", media_type.trim_start_matches("image/"));
    document.created = taken(bytes);
    let reader = || ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(Failure::damaged);
    // Known by its first bytes, but decoded by nothing here: HEIC, AVIF, camera formats.
    if !reader()?.format().is_some_and(|format| format.reading_enabled()) {
        return Ok(document);
    }
    let (width, height) = reader()?.into_dimensions().map_err(failure)?;
    document.property("width", width);
    document.property("height", height);
    if u64::from(width) * u64::from(height) > reading.limits.pixels {
        document.property("thumbnail_left_out", "too many pixels");
        return Ok(document);
    }
    let mut reader = reader()?;
    reader.limits(allowance(reading));
    let mut decoder = reader.into_decoder().map_err(failure)?;
    let orientation = decoder.orientation().map_err(failure)?;
    let image = DynamicImage::from_decoder(decoder).map_err(failure)?;
    let side = reading.limits.legible_side;
    if side > 0 {
        document.legible = Some(legible(within(&image, side, orientation))?);
    }
    document.thumbnail = Some(thumbnail(within(&image, THUMBNAIL, orientation))?);
    Ok(document)
}

fn allowance(reading: &Reading) -> Limits {
    let mut limits = Limits::default();
    // Four channels of two bytes, and as much again for the decoder.
    limits.max_alloc = Some((reading.limits.pixels * 16).min(reading.limits.memory_bytes / 2));
    limits
}

/// Upright, and at most `side` pixels wide and high.
fn within(image: &DynamicImage, side: u32, orientation: Orientation) -> DynamicImage {
    let large = image.width().max(image.height()) > side;
    let mut image = if large { image.thumbnail(side, side) } else { image.clone() };
    image.apply_orientation(orientation);
    image
}

fn thumbnail(image: DynamicImage) -> Result<Vec<u8>, Failure> {
    if !image.color().has_alpha() {
        return jpeg(&image);
    }
    let mut bytes = Cursor::new(Vec::new());
    image.to_rgba8().write_to(&mut bytes, ImageFormat::Png).map_err(failure)?;
    Ok(bytes.into_inner())
}

/// On white, as paper: JPEG knows nothing that one sees through.
fn legible(image: DynamicImage) -> Result<Vec<u8>, Failure> {
    if !image.color().has_alpha() {
        return jpeg(&image);
    }
    let mut paper = RgbaImage::from_pixel(image.width(), image.height(), Rgba([255; 4]));
    imageops::overlay(&mut paper, &image.to_rgba8(), 0, 0);
    jpeg(&paper.into())
}

fn jpeg(image: &DynamicImage) -> Result<Vec<u8>, Failure> {
    let mut bytes = Cursor::new(Vec::new());
    let encoder = JpegEncoder::new_with_quality(&mut bytes, QUALITY);
    image.to_rgb8().write_with_encoder(encoder).map_err(failure)?;
    Ok(bytes.into_inner())
}

fn failure(error: ImageError) -> Failure {
    match error {
        ImageError::IoError(error) if error.kind() == ErrorKind::UnexpectedEof => Failure::Truncated,
        // The decoders report a missing end in words of their own.
        error if error.to_string().to_lowercase().contains("end of file") => Failure::Truncated,
        error if error.to_string().contains("unexpected end") => Failure::Truncated,
        ImageError::Limits(_) => Failure::OutOfMemory,
        error => Failure::damaged(error),
    }
}

/// Cameras seldom write their time zone: taken for UTC where they do not.
fn taken(bytes: &[u8]) -> Option<String> {
    let exif = exif::Reader::new().read_from_container(&mut Cursor::new(bytes)).ok()?;
    let field = exif.get_field(Tag::DateTimeOriginal, In::PRIMARY)?;
    let Value::Ascii(lines) = &field.value else { return None };
    let date = exif::DateTime::from_ascii(lines.first()?).ok()?;
    let (year, month, day) = (date.year, date.month, date.day);
    let text =
        format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", date.hour, date.minute, date.second);
    crate::office::rfc3339(&text)
}
