//! What looks like the address of a web page, wherever it was typed.

/// The address that these words are, whole; none where they are something else.
pub fn address_in(words: &str) -> Option<&str> {
    let words = words.trim();
    if words.is_empty() || words.contains(char::is_whitespace) {
        return None;
    }
    let rest = words.strip_prefix("https://").or_else(|| words.strip_prefix("http://"));
    let host = rest.unwrap_or(words).split(['/', '?', '#']).next().unwrap_or_default();
    let has_path = words.contains('/');
    let (_, end) = host.rsplit_once('.')?;
    let end = end.split(':').next().unwrap_or_default();
    let is_domain = end.len() >= 2 && end.chars().all(char::is_alphabetic);
    (rest.is_some() || (is_domain && has_path && !host.contains('@'))).then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_told_from_words() {
        for address in ["https://a.example/x", " http://10.0.0.1/ ", "a.example/x", "www.a.example/"] {
            assert_eq!(address_in(address), Some(address.trim()), "{address}");
        }
        for words in ["", "lease", "two words", "lease.md", "me@a.example/x", "and/or", "https://x y"] {
            assert_eq!(address_in(words), None, "{words}");
        }
    }
}
