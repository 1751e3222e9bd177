//! What a file is, for the eye: an icon, and a word or two.

use crate::components::icon::Icon;
use shared::file::FileSummary;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Image,
    Sound,
    Film,
    Pdf,
    Table,
    Slides,
    Mail,
    Code,
    Archive,
    Text,
    Other,
}

/// Media types that the server lets browsers show in place.
const PICTURES: [&str; 5] = ["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"];

/// Types whose name says little, and what they are called.
const NAMES: [(&str, &str, Kind); 26] = [
    ("application/pdf", "PDF", Kind::Pdf),
    ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "Word document", Kind::Text),
    ("application/msword", "Word document", Kind::Text),
    ("application/vnd.oasis.opendocument.text", "Text document", Kind::Text),
    ("application/rtf", "Text document", Kind::Text),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "Spreadsheet", Kind::Table),
    ("application/vnd.ms-excel", "Spreadsheet", Kind::Table),
    ("application/vnd.oasis.opendocument.spreadsheet", "Spreadsheet", Kind::Table),
    ("text/csv", "Table", Kind::Table),
    ("text/tab-separated-values", "Table", Kind::Table),
    ("application/vnd.openxmlformats-officedocument.presentationml.presentation", "Slides", Kind::Slides),
    ("application/vnd.ms-powerpoint", "Slides", Kind::Slides),
    ("application/epub+zip", "Book", Kind::Text),
    ("message/rfc822", "Mail", Kind::Mail),
    ("text/html", "Web page", Kind::Text),
    ("text/markdown", "Markdown", Kind::Text),
    ("text/plain", "Text", Kind::Text),
    ("application/json", "JSON", Kind::Code),
    ("application/xml", "XML", Kind::Code),
    ("text/xml", "XML", Kind::Code),
    ("application/javascript", "Source code", Kind::Code),
    ("application/toml", "TOML", Kind::Code),
    ("application/yaml", "YAML", Kind::Code),
    ("application/zip", "Archive", Kind::Archive),
    ("application/gzip", "Archive", Kind::Archive),
    ("application/x-tar", "Archive", Kind::Archive),
];

impl Kind {
    pub fn of(file: &FileSummary) -> Self {
        let media_type = essence(&file.media_type);
        let (family, _) = media_type.split_once('/').unwrap_or((media_type, ""));
        match (named(media_type), family) {
            (Some((_, kind)), _) => kind,
            (None, "image") => Self::Image,
            (None, "audio") => Self::Sound,
            (None, "video") => Self::Film,
            (None, "text") => Self::Code,
            _ => Self::Other,
        }
    }

    pub fn icon(self) -> Icon {
        match self {
            Self::Image => Icon::Image,
            Self::Sound => Icon::Sound,
            Self::Film => Icon::Film,
            Self::Table => Icon::Table,
            Self::Slides => Icon::Slides,
            Self::Mail => Icon::Mail,
            Self::Code => Icon::Source,
            Self::Archive => Icon::Archive,
            Self::Pdf | Self::Text => Icon::Note,
            Self::Other => Icon::File,
        }
    }
}

/// What it is called: `PDF`, `Spreadsheet`, `PNG image`, `DWG file`.
pub fn name_of(file: &FileSummary) -> String {
    let media_type = essence(&file.media_type);
    let ending = file.name.rsplit_once('.').map(|(_, ending)| ending.to_uppercase());
    let ending = ending.filter(|ending| (1..=5).contains(&ending.chars().count()));
    let of = |what: &str| match &ending {
        Some(ending) => format!("{ending} {what}"),
        None => what[..1].to_uppercase() + &what[1..],
    };
    match (named(media_type), Kind::of(file)) {
        (Some((name, _)), _) => name.to_owned(),
        (None, Kind::Image) => of("image"),
        (None, Kind::Sound) => of("sound"),
        (None, Kind::Film) => of("video"),
        (None, Kind::Code) => "Source code".to_owned(),
        (None, _) => of("file"),
    }
}

/// Whether a browser shows it as an image.
pub fn is_picture(file: &FileSummary) -> bool {
    PICTURES.contains(&essence(&file.media_type))
}

/// Without parameters such as the character set.
fn essence(media_type: &str) -> &str {
    media_type.split(';').next().unwrap_or_default().trim()
}

fn named(media_type: &str) -> Option<(&'static str, Kind)> {
    NAMES.iter().find(|(known, ..)| *known == media_type).map(|(_, name, kind)| (*name, *kind))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::files::store::sample;

    #[test]
    fn a_file_is_called_what_a_person_calls_it() {
        let called = |name: &str, media_type: &str| {
            let file = FileSummary { media_type: media_type.to_owned(), ..sample(name) };
            (name_of(&file), Kind::of(&file))
        };
        assert_eq!(called("a.pdf", "application/pdf"), ("PDF".to_owned(), Kind::Pdf));
        assert_eq!(called("a.csv", "text/csv; charset=utf-8"), ("Table".to_owned(), Kind::Table));
        assert_eq!(called("a.png", "image/png"), ("PNG image".to_owned(), Kind::Image));
        assert_eq!(called("a.rs", "text/x-rust"), ("Source code".to_owned(), Kind::Code));
        assert_eq!(called("a.dwg", "application/octet-stream"), ("DWG file".to_owned(), Kind::Other));
        assert_eq!(called("README", "application/octet-stream"), ("File".to_owned(), Kind::Other));
        assert_eq!(called("v1.2 of the plan", "application/x-thing"), ("File".to_owned(), Kind::Other));
    }
}
