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
    // What browsers take for a step up must not lead elsewhere.
    let climbs = || url.contains("..") || url.to_ascii_lowercase().contains("%2e");
    let plain = |path: &str| {
        let known = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'/' | b'%');
        !path.is_empty() && path.bytes().all(known)
    };
    let file = url.strip_prefix("/f/").or_else(|| {
        let (note, file) = url.strip_prefix("/api/v1/notes/")?.split_once("/attachments/")?;
        (!note.contains('/')).then_some(file)
    });
    file.is_some_and(plain) && !climbs()
}

/// The name of the file that `![[…]]` embeds; nothing where it embeds a note.
pub fn embedded_file(written: &str) -> Option<&str> {
    let name = written.split('#').next()?.rsplit('/').next()?.trim();
    let (stem, ending) = name.rsplit_once('.')?;
    let is_ending = (1..=5).contains(&ending.len()) && ending.bytes().all(|b| b.is_ascii_alphanumeric());
    (is_ending && !stem.is_empty() && !ending.eq_ignore_ascii_case("md")).then_some(name)
}

/// Whether a file of this name is a picture that browsers show.
pub fn is_picture(name: &str) -> bool {
    const ENDINGS: [&str; 7] = ["png", "jpg", "jpeg", "gif", "webp", "avif", "bmp"];
    name.rsplit_once('.')
        .is_some_and(|(_, ending)| ENDINGS.iter().any(|one| ending.eq_ignore_ascii_case(one)))
}

/// Where `[[title]]` or `[[title#heading]]` leads: a page that opens the note of that title there, or offers
/// to make it. A heading alone is one of the same note.
pub fn to_note(written: &str) -> String {
    let (title, heading) = written.split_once('#').unwrap_or((written, ""));
    let (title, heading) = (title.trim(), heading.trim());
    let place = if heading.is_empty() { String::new() } else { format!("#{}", encoded(heading)) };
    if title.is_empty() && !place.is_empty() {
        return place;
    }
    format!("/n?title={}{place}", encoded(title))
}

/// As one part of an address.
pub fn encoded(text: &str) -> String {
    let mut address = String::with_capacity(text.len());
    for byte in text.bytes() {
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
        assert!(is_own_file("/api/v1/notes/0191-ab/attachments/0191-cd/a%20%281%29.png"));
        for bad in [
            "/f/",
            "/f/../api/v1/me",
            "/f/%2e%2e/x",
            "https://x/f/a",
            "//f/a",
            "/f/a?x=1",
            "/api/v1/notes/0191-ab",
            "/api/v1/notes/0191-ab/attachments/",
            "/api/v1/notes/a/b/attachments/x",
            "/api/v1/notes/a/attachments/../../../me",
            "/api/v1/notes/a/attachments/%2E%2e/x",
            "/api/v1/notes/a/attachments/x?y",
        ] {
            assert!(!is_own_file(bad), "{bad}");
        }
    }

    #[test]
    fn an_embed_of_a_file_is_known_by_its_ending() {
        assert_eq!(embedded_file("files/Pic One.PNG"), Some("Pic One.PNG"));
        for note in ["Plan", "Plan.md", "v1.2 of the plan", ".png", "Plan#Part 1.5"] {
            assert_eq!(embedded_file(note), None, "{note}");
        }
        assert!(is_picture("a.JPeG") && !is_picture("a.svg") && !is_picture("png"));
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
