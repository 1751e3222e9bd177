//! What a file becomes: sections of Markdown, each with the place in the file it came from.
//!
//! Shapes only: nothing here reads a file.

use crate::language;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Document {
    pub kind: Kind,
    pub title: Option<String>,
    pub author: Option<String>,
    /// RFC 3339.
    pub created: Option<String>,
    /// ISO 639-1; only where the text is long and clear enough to tell.
    pub language: Option<String>,
    /// In the order of the file. Empty for images, audio and video, which hold no text until a model reads some in
    /// them: see [`Document::hold`].
    pub sections: Vec<Section>,
    /// What else is known: `pages`, `pages_left_out`, `width`, `duration_seconds`, …
    pub properties: BTreeMap<String, String>,
    /// JPEG or PNG, 512 pixels at most on the longer side; images only.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "base64_bytes")]
    pub thumbnail: Option<Vec<u8>>,
    /// JPEG that a model can read: upright, on white, without what the camera noted. Only where [`crate::Limits`]
    /// ask for it.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "base64_bytes")]
    pub legible: Option<Vec<u8>>,
}

impl Document {
    /// Takes in what a model read in a file that holds no text of its own.
    pub fn hold(&mut self, sections: Vec<Section>) {
        self.sections = sections;
        language::detect(self);
    }

    pub(crate) fn new(kind: Kind) -> Self {
        Self {
            kind,
            title: None,
            author: None,
            created: None,
            language: None,
            sections: Vec::new(),
            properties: BTreeMap::new(),
            thumbnail: None,
            legible: None,
        }
    }

    pub(crate) fn property(&mut self, name: &str, value: impl ToString) {
        self.properties.insert(name.to_owned(), value.to_string());
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    pub place: Place,
    pub markdown: String,
}

/// Where in the file a section stood, in the words a citation would use. Numbers begin at one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Place {
    Page {
        number: u32,
    },
    Slide {
        number: u32,
    },
    Sheet {
        name: String,
    },
    /// Both ends are inside. The symbol is the function or type that stands there.
    Lines {
        from: u32,
        to: u32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        symbol: Option<String>,
    },
    /// From the outermost heading to the section's own; empty before the first heading.
    Heading {
        path: Vec<String>,
    },
    Chapter {
        number: u32,
        title: String,
    },
    /// Of a recording, in seconds.
    Time {
        from: u32,
        to: u32,
    },
    Whole,
    /// In a file that was attached to this one.
    Attachment {
        name: String,
        within: Box<Place>,
    },
}

/// A time as players show it: `4:05`, `1:02:03`.
pub fn clock(seconds: u32) -> String {
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Pdf,
    Docx,
    Pptx,
    Xlsx,
    Xls,
    Ods,
    Csv,
    Html,
    Epub,
    Markdown,
    Text,
    Code,
    Email,
    Image,
    Audio,
    Video,
}

/// JSON has no bytes: a list of numbers would be four times the size.
mod base64_bytes {
    use super::*;

    pub fn serialize<S: Serializer>(bytes: &Option<Vec<u8>>, serializer: S) -> Result<S::Ok, S::Error> {
        bytes.as_ref().map(|bytes| STANDARD.encode(bytes)).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<u8>>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| STANDARD.decode(text).map_err(serde::de::Error::custom)).transpose()
    }
}
