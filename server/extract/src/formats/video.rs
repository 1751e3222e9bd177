//! Films: how long one is and how large its picture. Only what stands in the head of the common containers; not a
//! frame is decoded.

use crate::document::{Document, Kind};

/// Parts within parts at most.
const DEEPEST: u32 = 6;
/// Parts looked at in all, whatever the file says.
const MOST: u32 = 100_000;

/// What the container says.
#[derive(Debug, Default, PartialEq)]
struct Found {
    seconds: Option<f64>,
    /// Wide and high, in pixels.
    picture: Option<(u64, u64)>,
}

pub(crate) fn read(bytes: &[u8], media_type: &str) -> Document {
    let mut document = Document::new(Kind::Video);
    document.property("format", media_type.trim_start_matches("video/").trim_start_matches("x-"));
    let found = match bytes {
        [0x1A, 0x45, 0xDF, 0xA3, ..] => matroska(bytes),
        _ => boxes(bytes),
    };
    if let Some(seconds) = found.seconds.filter(|seconds| seconds.is_finite() && *seconds > 0.0) {
        document.property("duration_seconds", format!("{seconds:.1}"));
    }
    if let Some((width, height)) = found.picture {
        document.property("width", width);
        document.property("height", height);
    }
    document
}

/// MP4 and QuickTime: boxes of a length, a name of four letters, and what is inside.
fn boxes(bytes: &[u8]) -> Found {
    let mut found = Found::default();
    let mut left = MOST;
    look_into_boxes(bytes, 0, &mut left, &mut found);
    found
}

fn look_into_boxes(mut bytes: &[u8], depth: u32, left: &mut u32, found: &mut Found) {
    while let (true, Some((name, inside, rest))) = (*left > 0, next_box(bytes)) {
        *left -= 1;
        match name {
            b"moov" | b"trak" if depth < DEEPEST => look_into_boxes(inside, depth + 1, left, found),
            b"mvhd" => found.seconds = found.seconds.or_else(|| duration(inside)),
            b"tkhd" => found.picture = found.picture.or_else(|| picture(inside)),
            _ => {}
        }
        bytes = rest;
    }
}

fn next_box(bytes: &[u8]) -> Option<(&[u8; 4], &[u8], &[u8])> {
    let name = bytes.get(4..8)?.try_into().ok()?;
    let (head, length) = match number(bytes.get(..4)?) {
        // to the end
        0 => (8, bytes.len() as u64),
        1 => (16, number(bytes.get(8..16)?)),
        length => (8, length),
    };
    let end = usize::try_from(length).unwrap_or(usize::MAX).min(bytes.len());
    let inside = bytes.get(head..end)?;
    Some((name, inside, &bytes[end..]))
}

/// Of the film's head: its second form has wider numbers.
fn duration(head: &[u8]) -> Option<f64> {
    let (scale, length) = match head.first()? {
        1 => (head.get(20..24)?, head.get(24..32)?),
        _ => (head.get(12..16)?, head.get(16..20)?),
    };
    let scale = number(scale);
    (scale > 0).then(|| number(length) as f64 / scale as f64)
}

/// Of a track's head, as numbers with 16 bits behind the point; sound has none.
fn picture(head: &[u8]) -> Option<(u64, u64)> {
    let at = if *head.first()? == 1 { 88 } else { 76 };
    let (width, height) = (number(head.get(at..at + 4)?) >> 16, number(head.get(at + 4..at + 8)?) >> 16);
    (width > 0 && height > 0).then_some((width, height))
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

/// Matroska and WebM: elements of an id, a length, and what is inside.
fn matroska(bytes: &[u8]) -> Found {
    let mut seen = Elements { left: MOST, ..Elements::default() };
    seen.look_into(bytes, 0);
    let scale = seen.scale.unwrap_or(1_000_000);
    let seconds = seen.duration.map(|duration| duration * scale as f64 / 1e9);
    Found { seconds, picture: seen.width.zip(seen.height) }
}

#[derive(Default)]
struct Elements {
    left: u32,
    scale: Option<u64>,
    duration: Option<f64>,
    width: Option<u64>,
    height: Option<u64>,
}

impl Elements {
    fn look_into(&mut self, mut bytes: &[u8], depth: u32) {
        while let (true, Some((id, inside, rest))) = (self.left > 0, next_element(bytes)) {
            self.left -= 1;
            match id {
                // the film, what is told of it, its tracks, one of them, its picture
                0x1853_8067 | 0x1549_A966 | 0x1654_AE6B | 0xAE | 0xE0 if depth < DEEPEST => {
                    self.look_into(inside, depth + 1)
                }
                0x2A_D7B1 => self.scale = Some(number(inside)),
                0x4489 => self.duration = float(inside),
                0xB0 => self.width = self.width.or(Some(number(inside))),
                0xBA => self.height = self.height.or(Some(number(inside))),
                _ => {}
            }
            bytes = rest;
        }
    }
}

fn next_element(bytes: &[u8]) -> Option<(u64, &[u8], &[u8])> {
    let id_length = bytes.first()?.leading_zeros() as usize + 1;
    let id = number(bytes.get(..id_length).filter(|id| id.len() <= 4)?);
    let rest = &bytes[id_length..];
    let first = *rest.first()?;
    let length = first.leading_zeros() as usize + 1;
    let told = rest.get(..length).filter(|told| told.len() <= 8)?;
    let marked = number(told);
    let unknown = (1_u64 << (7 * length)) - 1;
    let size = marked & unknown;
    let inside = &rest[length..];
    // A live recording does not know how long it is: to the end.
    let end = if size == unknown { inside.len() } else { usize::try_from(size).unwrap_or(usize::MAX) };
    let end = end.min(inside.len());
    Some((id, &inside[..end], &inside[end..]))
}

fn float(bytes: &[u8]) -> Option<f64> {
    match bytes.len() {
        4 => Some(f64::from(f32::from_be_bytes(bytes.try_into().ok()?))),
        8 => Some(f64::from_be_bytes(bytes.try_into().ok()?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn boxed(name: &[u8; 4], inside: &[u8]) -> Vec<u8> {
        let length = u32::try_from(inside.len() + 8).unwrap().to_be_bytes();
        [length.as_slice(), name, inside].concat()
    }

    fn element(id: &[u8], inside: &[u8]) -> Vec<u8> {
        let length =
            [0x10 | u8::try_from(inside.len() >> 24).unwrap(), 0, 0, u8::try_from(inside.len()).unwrap()];
        [id, length.as_slice(), inside].concat()
    }

    #[test]
    fn an_mp4_says_how_long_and_how_large_it_is() {
        let mut head = vec![0; 100];
        head[12..16].copy_from_slice(&600_u32.to_be_bytes());
        head[16..20].copy_from_slice(&45_000_u32.to_be_bytes());
        let mut track = vec![0; 84];
        track[76..80].copy_from_slice(&(1920_u32 << 16).to_be_bytes());
        track[80..84].copy_from_slice(&(1080_u32 << 16).to_be_bytes());
        let sound = boxed(b"trak", &boxed(b"tkhd", &[0; 84]));
        let moov = [boxed(b"mvhd", &head), sound, boxed(b"trak", &boxed(b"tkhd", &track))].concat();
        let film = [boxed(b"ftyp", b"isom"), boxed(b"mdat", &[7; 50]), boxed(b"moov", &moov)].concat();
        assert_eq!(boxes(&film), Found { seconds: Some(75.0), picture: Some((1920, 1080)) });
        let document = read(&film, "video/mp4");
        assert_eq!(document.properties.get("duration_seconds").map(String::as_str), Some("75.0"));
    }

    #[test]
    fn a_webm_says_it_too() {
        let info = element(&[0x15, 0x49, 0xA9, 0x66], &element(&[0x44, 0x89], &2500.0_f64.to_be_bytes()));
        let picture = [element(&[0xB0], &[2, 128]), element(&[0xBA], &[1, 104])].concat();
        let tracks = element(&[0x16, 0x54, 0xAE, 0x6B], &element(&[0xAE], &element(&[0xE0], &picture)));
        let segment = element(&[0x18, 0x53, 0x80, 0x67], &[info, tracks].concat());
        let film = [element(&[0x1A, 0x45, 0xDF, 0xA3], b""), segment].concat();
        assert_eq!(matroska(&film), Found { seconds: Some(2.5), picture: Some((640, 360)) });
    }

    proptest! {
        #[test]
        fn nothing_breaks_it(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            read(&bytes, "video/mp4");
            read(&[&[0x1A, 0x45, 0xDF, 0xA3], bytes.as_slice()].concat(), "video/webm");
        }
    }
}
