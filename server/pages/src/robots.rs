//! What a host's robots.txt allows, by RFC 9309. It reads text and answers questions; it fetches
//! nothing.

/// The name that groups of rules call this program by.
pub(crate) const PRODUCT: &str = "sidebar";
/// The longest robots.txt that is read; RFC 9309 asks for at least 500 KiB.
pub(crate) const LONGEST_BYTES: usize = 500 << 10;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rules(Vec<Rule>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    pattern: String,
    verdict: Verdict,
}

/// Ordered: of two rules of the same length the one that allows wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Disallow,
    Allow,
}

impl Rules {
    pub fn parse(text: &str) -> Self {
        let mut ours = Vec::new();
        let mut everyones = Vec::new();
        let mut named = false;
        let mut group = Group::default();
        for (key, value) in text.trim_start_matches('\u{feff}').split(['\n', '\r']).filter_map(line) {
            if key.eq_ignore_ascii_case("user-agent") {
                group.begin(value);
                named |= group.ours;
                continue;
            }
            let verdict = if key.eq_ignore_ascii_case("allow") {
                Verdict::Allow
            } else if key.eq_ignore_ascii_case("disallow") {
                Verdict::Disallow
            } else {
                continue;
            };
            group.has_rules = true;
            if value.is_empty() {
                continue;
            }
            let rule = Rule { pattern: normal(value), verdict };
            if group.ours {
                ours.push(rule);
            } else if group.everyones {
                everyones.push(rule);
            }
        }
        Self(if named { ours } else { everyones })
    }

    /// Whether the path with its query may be read.
    pub fn allow(&self, path_and_query: &str) -> bool {
        if path_and_query == "/robots.txt" {
            return true;
        }
        let path = normal(path_and_query);
        let matching = self.0.iter().filter(|rule| matches(&rule.pattern, &path));
        matching
            .max_by_key(|rule| (rule.pattern.len(), rule.verdict))
            .is_none_or(|rule| rule.verdict == Verdict::Allow)
    }
}

/// The group of rules being read: whom it is for.
#[derive(Default)]
struct Group {
    ours: bool,
    everyones: bool,
    has_rules: bool,
}

impl Group {
    fn begin(&mut self, agent: &str) {
        // Names that follow each other share the rules below them.
        if self.has_rules {
            *self = Self::default();
        }
        let end = agent.find(|c: char| !(c.is_ascii_alphabetic() || c == '_' || c == '-'));
        self.ours |= agent[..end.unwrap_or(agent.len())].eq_ignore_ascii_case(PRODUCT);
        self.everyones |= agent.starts_with('*');
    }
}

fn line(line: &str) -> Option<(&str, &str)> {
    let line = line.split('#').next().unwrap_or_default();
    let (key, value) = line.split_once(':')?;
    Some((key.trim(), value.trim()))
}

/// One spelling for each path: what need not be escaped is not, what must be is, in capitals.
fn normal(path: &str) -> String {
    let bytes = path.as_bytes();
    let mut out = String::with_capacity(path.len());
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        let escaped = (byte == b'%').then(|| bytes.get(at + 1..at + 3).and_then(hex)).flatten();
        at += if escaped.is_some() { 3 } else { 1 };
        match escaped {
            Some(byte) if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
                out.push(char::from(byte));
            }
            Some(byte) => out.push_str(&format!("%{byte:02X}")),
            None if byte.is_ascii_graphic() => out.push(char::from(byte)),
            None => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn hex(digits: &[u8]) -> Option<u8> {
    let digits = std::str::from_utf8(digits).ok()?;
    digits.bytes().all(|digit| digit.is_ascii_hexdigit()).then(|| u8::from_str_radix(digits, 16).ok())?
}

/// `*` stands for anything, `$` at the end for the end. Each star is tried from the last one only, so
/// a line of stars costs no more than pattern times path.
fn matches(pattern: &str, path: &str) -> bool {
    let (pattern, anchored) = match pattern.strip_suffix('$') {
        Some(pattern) => (pattern, true),
        None => (pattern, false),
    };
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = path.strip_prefix(first) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return !anchored || rest.is_empty() };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    if anchored { rest.ends_with(last) } else { rest.contains(last) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_rule_wins_and_of_equals_the_one_that_allows() {
        let rules = Rules::parse("User-agent: *\nDisallow: /\nAllow: /page\nDisallow: /page/secret\n");
        assert!(!rules.allow("/"));
        assert!(rules.allow("/page"));
        assert!(rules.allow("/pages?x=1"));
        assert!(!rules.allow("/page/secret/1"));
        assert!(Rules::parse("user-agent:*\ndisallow:/a\nallow:/a").allow("/a"));
    }

    #[test]
    fn stars_and_ends_are_matched() {
        for (pattern, path, expected) in [
            ("/", "/x", true),
            ("/fish", "/fish.html", true),
            ("/fish", "/Fish.asp", false),
            ("/fish*", "/fishheads/yummy.html", true),
            ("/*.php", "/folder/any.php.file", true),
            ("/*.php$", "/filename.php", true),
            ("/*.php$", "/filename.php?parameters", false),
            ("/*.php$", "/filename.php5", false),
            ("/fish*.php", "/fishheads/catfish.php?id=7", true),
            ("/a*b*c$", "/axxbyyc", true),
            ("/a*b*c$", "/axxbyy", false),
            ("/$", "/", true),
            ("/$", "/x", false),
            ("*", "/anything", true),
            ("/a*a$", "/a", false),
        ] {
            assert_eq!(matches(pattern, path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn a_group_with_our_name_replaces_that_for_everyone() {
        let text = "User-agent: *\nDisallow: /\n\nUser-agent: other\nUser-agent: SideBar/9\nDisallow: /a\n\
                    \nUser-agent: third\nDisallow: /b\n\nUser-agent: sidebar\nDisallow: /c # more\n";
        let rules = Rules::parse(text);
        assert!(rules.allow("/"));
        assert!(!rules.allow("/a"));
        assert!(rules.allow("/b"));
        assert!(!rules.allow("/c"));
        assert!(
            !Rules::parse("user-agent: sidebarista\ndisallow: /\nuser-agent: *\ndisallow: /z").allow("/z")
        );
        assert!(Rules::parse("user-agent: *\ndisallow: /\n\nuser-agent: sidebar\ndisallow:").allow("/"));
    }

    #[test]
    fn spellings_of_a_path_are_one_path() {
        let rules =
            Rules::parse("user-agent: *\r\ndisallow: /foo/ツ\r\ndisallow: /%7efred/\r\ndisallow: /a%3cd");
        assert!(!rules.allow("/foo/%E3%83%84"));
        assert!(!rules.allow("/foo/%e3%83%84/x"));
        assert!(!rules.allow("/~fred/"));
        assert!(!rules.allow("/a%3Cd"));
        assert!(rules.allow("/a%3"));
    }

    #[test]
    fn text_that_is_no_robots_file_forbids_nothing() {
        for text in ["", "<html><body>not here</body></html>", "disallow: /", "\u{feff}x", ":::\n::"] {
            assert!(Rules::parse(text).allow("/"), "{text}");
        }
        assert!(!Rules::parse("\u{feff}user-agent: *\ndisallow: /").allow("/"));
        assert!(Rules::parse("user-agent: *\ndisallow: /").allow("/robots.txt"));
    }

    #[test]
    fn a_line_of_stars_is_answered_at_once() {
        let text = format!("user-agent: *\ndisallow: /{}b$", "*a".repeat(2000));
        let began = std::time::Instant::now();
        assert!(Rules::parse(&text).allow(&format!("/{}", "a".repeat(20_000))));
        // Where each star were tried anew it would never end.
        assert!(began.elapsed().as_secs() < 20);
    }
}
