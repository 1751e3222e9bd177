//! The YAML block that a Markdown file may begin with. It is not parsed as YAML: only the fields that
//! mean something here are read, and everything else stays as it was written.

/// The lines between the two `---`, and the text after them.
pub(crate) fn split(text: &str) -> (Option<&str>, &str) {
    let Some(rest) = text.strip_prefix("---\n") else { return (None, text) };
    if let Some(body) = rest.strip_prefix("---\n") {
        return (Some(""), body);
    }
    match rest.find("\n---\n") {
        Some(end) => (Some(&rest[..end]), &rest[end + 5..]),
        None => match rest.strip_suffix("\n---") {
            Some(block) => (Some(block), ""),
            None => (None, text),
        },
    }
}

/// A field's one value.
pub(crate) fn value(block: &str, field: &str) -> Option<String> {
    let lines: Vec<&str> = block.lines().collect();
    let (_, written) = find(&lines, field)?;
    Some(unquoted(written)).filter(|value| !value.is_empty())
}

/// A field's values: `a, b`, `[a, b]`, or a line each with a dash.
pub(crate) fn values(block: &str, field: &str) -> Vec<String> {
    let lines: Vec<&str> = block.lines().collect();
    let Some((at, written)) = find(&lines, field) else { return Vec::new() };
    let items: Vec<&str> = if written.is_empty() {
        lines[at + 1..].iter().map_while(|line| line.trim_start().strip_prefix("- ")).collect()
    } else {
        written.trim_start_matches('[').trim_end_matches(']').split(',').collect()
    };
    items.into_iter().map(unquoted).filter(|item| !item.is_empty()).collect()
}

/// The block without these fields and the lines that belong to them.
pub(crate) fn without(block: &str, fields: &[&str]) -> String {
    let mut kept = String::new();
    let mut dropping = false;
    for line in block.lines() {
        if let Some((name, _)) = field_of(line) {
            dropping = fields.contains(&name);
        }
        if !dropping {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// A text that begins with a block of these lines; without one when there are none.
pub(crate) fn joined(block: &str, body: &str) -> String {
    if block.trim().is_empty() { body.to_owned() } else { format!("---\n{}\n---\n{body}", block.trim_end()) }
}

/// A value as it is written after `field: `.
pub(crate) fn quoted(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

fn find<'a>(lines: &[&'a str], field: &str) -> Option<(usize, &'a str)> {
    lines.iter().enumerate().find_map(|(at, line)| {
        field_of(line).filter(|(name, _)| name.eq_ignore_ascii_case(field)).map(|(_, value)| (at, value))
    })
}

fn field_of(line: &str) -> Option<(&str, &str)> {
    if line.starts_with([' ', '\t', '-', '#']) {
        return None;
    }
    let (name, value) = line.split_once(':')?;
    Some((name.trim(), value.trim()))
}

fn unquoted(written: &str) -> String {
    let written = written.trim();
    match written.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inner) => inner.replace("\\\"", "\"").replace("\\\\", "\\"),
        None => match written.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
            Some(inner) => inner.replace("''", "'"),
            None => written.to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "---\ntitle: \"A \\\"b\\\"\"\ntags:\n  - one\n  - 'two'\naliases: [x, y z]\nother: {a: 1}\n---\nBody\n---\n";

    #[test]
    fn known_fields_are_read_in_each_of_their_forms() {
        let (block, body) = split(TEXT);
        let block = block.unwrap();
        assert_eq!(body, "Body\n---\n");
        assert_eq!(value(block, "title").as_deref(), Some("A \"b\""));
        assert_eq!(values(block, "tags"), ["one", "two"]);
        assert_eq!(values(block, "aliases"), ["x", "y z"]);
        assert_eq!(value(block, "none"), None);
    }

    #[test]
    fn what_is_not_ours_stays_as_written() {
        let (block, body) = split(TEXT);
        let rest = without(block.unwrap(), &["title", "tags"]);
        assert_eq!(rest, "aliases: [x, y z]\nother: {a: 1}\n");
        assert_eq!(joined(&rest, body), "---\naliases: [x, y z]\nother: {a: 1}\n---\nBody\n---\n");
        assert_eq!(joined("", body), body);
        assert_eq!(unquoted(&quoted("a \"\\ b")), "a \"\\ b");
    }

    #[test]
    fn a_rule_is_no_frontmatter() {
        for text in ["", "---", "---\nno end", "text\n---\na: b\n---\n"] {
            assert_eq!(split(text), (None, text));
        }
        assert_eq!(split("---\n---\nx"), (Some(""), "x"));
        assert_eq!(split("---\na: b\n---"), (Some("a: b"), ""));
    }
}
