//! Text from outside, made fit to be stored and shown.

use serde_json::Value;

/// Postgres cannot store NUL in text or jsonb: it becomes U+FFFD.
pub(crate) fn without_nul(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{FFFD}") } else { text }
}

/// The text of a document: lines end with one `\n`, as editors count them, and nothing is NUL.
pub(crate) fn document(text: String) -> String {
    let text = without_nul(text);
    if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text }
}

/// The same for every string in a JSON value.
pub(crate) fn value_without_nul(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(without_nul(text)),
        Value::Array(items) => Value::Array(items.into_iter().map(value_without_nul).collect()),
        Value::Object(fields) => {
            Value::Object(fields.into_iter().map(|(k, v)| (without_nul(k), value_without_nul(v))).collect())
        }
        other => other,
    }
}

/// The first words on one line, at most `limit` characters, with an ellipsis where it was cut.
pub(crate) fn first_words(text: &str, limit: usize) -> String {
    let mut line = String::new();
    let mut length = 0;
    for word in text.split_whitespace() {
        let word_length = word.chars().count();
        if length + word_length + 1 > limit {
            if line.is_empty() {
                line.extend(word.chars().take(limit.saturating_sub(1)));
            }
            line.push('…');
            return line;
        }
        if !line.is_empty() {
            line.push(' ');
            length += 1;
        }
        line.push_str(word);
        length += word_length;
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nul_becomes_the_replacement_character_everywhere() {
        assert_eq!(without_nul("a\0b".into()), "a\u{FFFD}b");
        assert_eq!(value_without_nul(json!({"k\0": ["x\0", 1]})), json!({"k\u{FFFD}": ["x\u{FFFD}", 1]}));
    }

    #[test]
    fn a_documents_lines_end_with_one_character() {
        assert_eq!(document("a\r\nb\rc\n\0".into()), "a\nb\nc\n\u{FFFD}");
    }

    #[test]
    fn first_words_end_at_a_word() {
        assert_eq!(first_words("one  two\nthree", 100), "one two three");
        assert_eq!(first_words("one two three", 9), "one two…");
        assert_eq!(first_words("incomprehensibilities", 5), "inco…");
    }
}
