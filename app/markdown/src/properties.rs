//! The lines between two lines of dashes that a note may begin with.

/// The properties, without the dashes, and the text after them.
pub fn split(source: &str) -> (Option<&str>, &str) {
    let Some(rest) = source.strip_prefix("---\n") else { return (None, source) };
    if let Some(text) = rest.strip_prefix("---\n") {
        return (Some(""), text);
    }
    match (rest.split_once("\n---\n"), rest.strip_suffix("\n---")) {
        (Some((properties, text)), _) => (Some(properties), text),
        (None, Some(properties)) => (Some(properties), ""),
        (None, None) => (None, source),
    }
}
