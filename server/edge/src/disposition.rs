//! Under which name an answer is a file (RFC 6266).

use crate::envelope::Failure;
use http::HeaderValue;

/// A download under this name.
pub fn attachment(name: &str) -> Result<HeaderValue, Failure> {
    named("attachment", name)
}

/// Shown by the browser itself, and kept under this name.
pub fn inline(name: &str) -> Result<HeaderValue, Failure> {
    named("inline", name)
}

/// Plain for old readers, percent-encoded UTF-8 for the rest.
fn named(how: &str, name: &str) -> Result<HeaderValue, Failure> {
    let plain: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ' ') { c } else { '_' })
        .collect();
    let mut encoded = String::new();
    for byte in name.bytes() {
        match byte {
            b if b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_') => encoded.push(char::from(b)),
            b => encoded.push_str(&format!("%{b:02X}")),
        }
    }
    HeaderValue::try_from(format!("{how}; filename=\"{plain}\"; filename*=UTF-8''{encoded}"))
        .map_err(|_| Failure::internal())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_cannot_break_out_of_the_download_header() {
        let value = attachment("Zoë \"x\"; filename=evil.exe\r\n.md").unwrap();
        assert_eq!(
            value.to_str().unwrap(),
            "attachment; filename=\"Zo_ _x__ filename_evil.exe__.md\"; \
             filename*=UTF-8''Zo%C3%AB%20%22x%22%3B%20filename%3Devil.exe%0D%0A.md"
        );
    }
}
