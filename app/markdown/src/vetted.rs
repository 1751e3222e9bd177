//! Takes markup that a library made (highlighting, formulas) only if every tag in it is of a known
//! form. Anything else, and the caller shows the source instead.

/// What may appear: `element` names a tag, `attribute` an attribute's name and value.
pub struct Form {
    pub element: fn(&str) -> bool,
    pub attribute: fn(&str, &str) -> bool,
}

/// Whether `html` consists of text and of balanced tags of this form. `text` receives the text, with
/// its entities decoded.
pub fn fits(html: &str, form: &Form, text: &mut String) -> bool {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        if !decode(&rest[..at], text) {
            return false;
        }
        let Some(end) = rest[at..].find('>') else {
            return false;
        };
        let tag = &rest[at + 1..at + end];
        rest = &rest[at + end + 1..];
        let fits = match tag.strip_prefix('/') {
            Some(name) => open.pop() == Some(name),
            None => opens(tag, form, &mut open),
        };
        if !fits {
            return false;
        }
    }
    open.is_empty() && decode(rest, text)
}

fn opens<'a>(tag: &'a str, form: &Form, open: &mut Vec<&'a str>) -> bool {
    let (tag, is_empty) = match tag.strip_suffix('/') {
        Some(tag) => (tag, true),
        None => (tag, false),
    };
    let (name, mut attributes) = tag.split_at(tag.find(' ').unwrap_or(tag.len()));
    if !(form.element)(name) {
        return false;
    }
    loop {
        attributes = attributes.trim_start_matches(' ');
        if attributes.is_empty() {
            break;
        }
        let Some((key, value, after)) = attribute(attributes) else {
            return false;
        };
        if !(form.attribute)(key, value) {
            return false;
        }
        attributes = after;
    }
    if !is_empty {
        open.push(name);
    }
    true
}

/// `key="value"` and what follows it.
fn attribute(text: &str) -> Option<(&str, &str, &str)> {
    let (key, rest) = text.split_once("=\"")?;
    let (value, after) = rest.split_once('"')?;
    let plain = !value.contains(['<', '>', '&']) && (after.is_empty() || after.starts_with(' '));
    plain.then_some((key, value, after))
}

fn decode(escaped: &str, into: &mut String) -> bool {
    let mut rest = escaped;
    while let Some(at) = rest.find('&') {
        into.push_str(&rest[..at]);
        let Some(end) = rest[at..].find(';') else {
            return false;
        };
        let Some(decoded) = entity(&rest[at + 1..at + end]) else {
            return false;
        };
        into.push(decoded);
        rest = &rest[at + end + 1..];
    }
    into.push_str(rest);
    true
}

fn entity(name: &str) -> Option<char> {
    match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "#39" => Some('\''),
        _ => {
            let hexadecimal = name.strip_prefix("#x")?;
            char::from_u32(u32::from_str_radix(hexadecimal, 16).ok()?)
        }
    }
}

/// Spans with `hljs-` classes around exactly this code.
pub fn is_highlighted(html: &str, code: &str) -> bool {
    let form = Form {
        element: |name| name == "span",
        attribute: |key, value| key == "class" && value.split(' ').all(is_highlight_class),
    };
    let mut text = String::with_capacity(code.len());
    fits(html, &form, &mut text) && text == code
}

fn is_highlight_class(class: &str) -> bool {
    let plain = class.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    plain && (class.starts_with("hljs-") || class.starts_with("language-") || class.ends_with('_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn highlighting_is_taken_only_around_the_same_code() {
        let good = r#"<span class="hljs-keyword">let</span> x = <span class="hljs-title function_">a</span>&lt;b&gt;;"#;
        assert!(is_highlighted(good, "let x = a<b>;"));
        assert!(!is_highlighted(good, "let y = a<b>;"));
        for bad in [
            r#"<span class="hljs-x" onclick="x">a</span>"#,
            r#"<span onclick="x">a</span>"#,
            r#"<span class="evil">a</span>"#,
            r#"<script>a</script>"#,
            r#"<span class="hljs-x">a"#,
            r#"a</span>"#,
            r#"<img src=x>a"#,
            "<!--a-->",
        ] {
            assert!(!is_highlighted(bad, "a"), "{bad}");
        }
    }
}
