//! Which addresses a text may link to, and which pictures it may show.

/// Where a link leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// A page of ours: `/c/…`.
    Here,
    /// Another site, or a mail program.
    Elsewhere,
}

/// The destination of a link, or nothing where it must not be one.
pub fn destination(url: &str) -> Option<Destination> {
    // Browsers drop tabs and line breaks inside an address and read `\` as `/`: what is checked here
    // must be what they will see.
    if url.chars().any(|c| c.is_control() || c == '\\') || url.trim() != url {
        return None;
    }
    if url.starts_with('/') {
        return (!url.starts_with("//")).then_some(Destination::Here);
    }
    let (scheme, rest) = url.split_once(':')?;
    let known = ["http", "https", "mailto"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    (known && !rest.is_empty()).then_some(Destination::Elsewhere)
}

/// Whether a picture is one of the workspace's own files, so that showing it tells nobody anything.
pub fn is_own_file(url: &str) -> bool {
    url.strip_prefix("/f/").is_some_and(|name| {
        !name.is_empty()
            && !name.contains("..")
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'/'))
    })
}

/// Where `[[title]]` or `[[title#heading]]` leads: a page that opens the note of that title, or offers
/// to make it.
pub fn to_note(written: &str) -> String {
    let title = written.split_once('#').map_or(written, |(title, _)| title).trim();
    let mut address = String::from("/n?title=");
    for byte in title.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                address.push(char::from(byte))
            }
            _ => address.push_str(&format!("%{byte:02X}")),
        }
    }
    address
}

/// The host of an `http` address, for showing.
pub fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    authority.rsplit('@').next().unwrap_or(authority)
}

/// The next address written out in a text: where it is. What ends a sentence is not part of it.
pub fn next_in(text: &str) -> Option<std::ops::Range<usize>> {
    let mut from = 0;
    while let Some(found) = text[from..].find("http") {
        let start = from + found;
        let rest = &text[start..];
        let scheme = ["https://", "http://"].into_iter().find(|s| rest.starts_with(s));
        let joined = text[..start].chars().next_back().is_some_and(char::is_alphanumeric);
        if let (Some(scheme), false) = (scheme, joined) {
            let end = start + length(rest);
            if end > start + scheme.len() {
                return Some(start..end);
            }
        }
        from = start + "http".len();
    }
    None
}

fn length(address: &str) -> usize {
    let stop =
        |c: char| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '"' | '`' | '\\' | '|');
    let mut end = address.find(stop).unwrap_or(address.len());
    while let Some(last) = address[..end].chars().next_back() {
        let unmatched = last == ')' && count(&address[..end], ')') > count(&address[..end], '(');
        if !unmatched
            && !matches!(last, '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' | '_' | ']' | '}' | '”' | '’')
        {
            break;
        }
        end -= last.len_utf8();
    }
    end
}

fn count(text: &str, wanted: char) -> usize {
    text.chars().filter(|c| *c == wanted).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_schemes_and_own_pages_are_linked() {
        for good in ["https://a.example/x", "HTTP://a.example", "mailto:a@b.example"] {
            assert_eq!(destination(good), Some(Destination::Elsewhere), "{good}");
        }
        assert_eq!(destination("/c/1#m-2"), Some(Destination::Here));
        for bad in [
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            "java\nscript:alert(1)",
            " javascript:1",
            "data:text/html,x",
            "vbscript:x",
            "//evil.example",
            "/\\evil.example",
            "/\t/evil.example",
            "\\\\evil.example",
            "x.html",
            "#top",
            "",
            "https:",
            "file:///etc/passwd",
            "blob:x",
        ] {
            assert_eq!(destination(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn an_own_file_stays_below_its_folder() {
        assert!(is_own_file("/f/0191-ab/picture.png"));
        for bad in ["/f/", "/f/../api/v1/me", "/f/%2e%2e/x", "https://x/f/a", "//f/a", "/f/a?x=1"] {
            assert!(!is_own_file(bad), "{bad}");
        }
    }

    #[test]
    fn an_address_in_a_sentence_ends_before_the_full_stop() {
        let found = |text: &'static str| next_in(text).map(|range| &text[range]);
        assert_eq!(found("See https://a.example/x_y(z), then"), Some("https://a.example/x_y(z)"));
        assert_eq!(found("(at http://a.example/b)."), Some("http://a.example/b"));
        assert_eq!(found("nohttp://a.example and https://"), None);
    }

    #[test]
    fn the_host_shown_is_the_one_that_would_be_visited() {
        assert_eq!(host("https://good.example@evil.example/x"), "evil.example");
        assert_eq!(host("https://a.example?x=/b"), "a.example");
    }
}
