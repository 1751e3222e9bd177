//! Why a file could not be read: a closed list, each with a text for the person who uploaded it.

use serde::{Deserialize, Serialize};
use std::fmt;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Failure {
    #[error("The file is protected by a password. Remove the protection and upload it again.")]
    Encrypted,
    #[error("The file ends too early; it was probably cut off while being copied. Upload it again.")]
    Truncated,
    #[error("The file is damaged: {reason}. Open it in the program it came from and save a new copy.")]
    Damaged { reason: String },
    #[error("{what} is larger than {}. Split the file and upload the parts.", Megabytes(*limit))]
    TooLarge { what: Measure, limit: u64 },
    #[error("Reading the file took too long and was stopped. Split it and upload the parts.")]
    TooSlow,
    #[error("Reading the file needs more memory than is allowed. Split it and upload the parts.")]
    OutOfMemory,
    #[error("Text cannot be taken from this kind of file ({what}). Save it as PDF or text and upload that.")]
    Unsupported { what: String },
    #[error(
        "The file holds no text; perhaps it is a scan. Run text recognition over it and upload it again."
    )]
    Empty,
    #[error("The reader broke down over this file and was stopped; nothing else is affected.")]
    Crashed,
    /// Not the file's doing: the child did not start, or the bytes did not arrive.
    #[error("The file could not be read now: {reason}. Try again later.")]
    Unavailable { reason: String },
}

impl Failure {
    pub(crate) fn damaged(reason: impl fmt::Display) -> Self {
        // Messages of libraries can quote the file: enough to recognise, not a second copy of it.
        let mut reason = reason.to_string().replace(|c: char| c.is_control(), " ");
        if let Some((end, _)) = reason.char_indices().nth(200) {
            reason.truncate(end);
            reason.push('…');
        }
        Self::Damaged { reason: reason.trim_end_matches('.').to_owned() }
    }

    pub(crate) fn unsupported(what: impl Into<String>) -> Self {
        Self::Unsupported { what: what.into() }
    }

    pub(crate) fn unavailable(reason: impl fmt::Display) -> Self {
        Self::Unavailable { reason: reason.to_string() }
    }
}

/// What grew past its limit; all are counted in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    File,
    Unpacked,
    Text,
    Answer,
}

impl fmt::Display for Measure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::File => "The file",
            Self::Unpacked => "What is packed inside the file",
            Self::Text => "The text of the file",
            Self::Answer => "What was read from the file",
        })
    }
}

struct Megabytes(u64);

impl fmt::Display for Megabytes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            bytes if bytes >= 1 << 20 => write!(formatter, "{} MB", bytes >> 20),
            bytes => write!(formatter, "{} KB", bytes.div_ceil(1 << 10)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_told_in_the_unit_a_person_reads() {
        let failure = Failure::TooLarge { what: Measure::Unpacked, limit: 256 << 20 };
        assert!(
            failure.to_string().starts_with("What is packed inside the file is larger than 256 MB."),
            "{failure}"
        );
    }

    #[test]
    fn a_damage_message_never_carries_the_file_along() {
        let Failure::Damaged { reason } = Failure::damaged("ж\n".repeat(10_000)) else { panic!() };
        assert_eq!(reason.chars().count(), 201);
        assert!(!reason.contains('\n'));
    }
}
