//! The last block of a text that still grows, closed so that what is only half there does not flash:
//! `**half bold` is bold already, the first row of a table is a table, half a link is its words, half a
//! footnote is not there yet.

use std::borrow::Cow;

/// The longest that is taken for a footnote's label before its end is there: text must not stay away.
const LONGEST_LABEL: usize = 40;

/// The block with its open ends closed. It never changes what is complete.
pub fn mended(block: &str) -> Cow<'_, str> {
    if let Some(fence) = open_fence(block) {
        return Cow::Borrowed(without_half_fence(block, &fence));
    }
    if let Some(table) = with_delimiter_row(block) {
        return Cow::Owned(table);
    }
    let block = without_half_footnote(without_half_underline(block));
    let start = last_run_of_words(block);
    let tail = closed(&block[start..]);
    match tail {
        Cow::Borrowed(same) if same.len() == block.len() - start => Cow::Borrowed(block),
        tail => Cow::Owned(format!("{}{tail}", &block[..start])),
    }
}

/// The fence that is open at the end, if one is.
fn open_fence(block: &str) -> Option<String> {
    let mut open: Option<String> = None;
    for line in block.lines() {
        let line = line.trim_start_matches([' ', '\t', '>']);
        let line = line.strip_prefix(['-', '*', '+']).map_or(line, str::trim_start);
        let fence: String = match line.chars().next() {
            Some(mark @ ('`' | '~')) => line.chars().take_while(|c| *c == mark).collect(),
            _ => continue,
        };
        match &open {
            None if fence.len() >= 3 && !(fence.starts_with('`') && line[fence.len()..].contains('`')) => {
                open = Some(fence)
            }
            Some(begin) if fence.starts_with(begin.as_str()) && line[fence.len()..].trim().is_empty() => {
                open = None
            }
            _ => {}
        }
    }
    open
}

/// Without the first characters of the closing fence.
fn without_half_fence<'a>(block: &'a str, fence: &str) -> &'a str {
    let start = block.rfind('\n').map_or(0, |newline| newline + 1);
    let last = block[start..].trim();
    let is_half = start > 0 && !last.is_empty() && last.len() < fence.len() && fence.starts_with(last);
    if is_half { &block[..start] } else { block }
}

/// A table whose second line is not there yet or only half.
fn with_delimiter_row(block: &str) -> Option<String> {
    let mut lines = block.lines();
    let head = lines.next()?;
    if !head.starts_with('|') || head.len() < 2 {
        return None;
    }
    let delimiter = lines.next().unwrap_or("");
    let is_half = delimiter.chars().all(|c| matches!(c, '|' | '-' | ':' | ' '));
    if lines.next().is_some() || !is_half {
        return None;
    }
    let head = head.trim_end().trim_end_matches('|');
    let columns = head.matches('|').count();
    Some(format!("{head}|\n|{}\n", "---|".repeat(columns)))
}

/// Without a last line that could become a heading's underline or a list's marker.
fn without_half_underline(block: &str) -> &str {
    match block.rfind('\n') {
        Some(newline)
            if matches!(block[newline + 1..].trim(), "-" | "--" | "=" | "==" | "*" | "+" | "`" | "``") =>
        {
            &block[..newline]
        }
        _ => block,
    }
}

/// Without a last line that is only a footnote's label: it would flash as a reference, or as a note without words.
fn without_half_footnote(block: &str) -> &str {
    let text = block.trim_end();
    let start = text.rfind('\n').map_or(0, |newline| newline + 1);
    let label = text[start..].trim_start().strip_prefix("[^").and_then(|rest| rest.split_once(']'));
    match label {
        Some((label, "" | ":")) if is_label(label) => &block[..start],
        _ => block,
    }
}

fn is_label(label: &str) -> bool {
    label.len() <= LONGEST_LABEL && !label.contains(char::is_whitespace)
}

/// Where the words of the paragraph, item, heading or cell at the end begin.
fn last_run_of_words(block: &str) -> usize {
    let mut start = 0;
    let mut at = 0;
    for line in block.split_inclusive('\n') {
        let indented = line.len() - line.trim_start().len();
        let words = &line[indented..];
        if words.trim().is_empty() {
            start = at + line.len();
        } else if let Some(marker) = marker(words) {
            start = at + indented + marker;
        }
        at += line.len();
    }
    let last = &block[start..];
    if last.starts_with('|') {
        start += last.rfind('|').map_or(0, |cell| cell + 1);
    }
    start
}

/// How long the marker is with which a line begins something of its own.
fn marker(line: &str) -> Option<usize> {
    let quotes = line.len() - line.trim_start_matches('>').len();
    match marker_of_item(&line[quotes..]) {
        Some(length) => Some(quotes + length),
        None => (quotes > 0).then_some(quotes),
    }
}

fn marker_of_item(line: &str) -> Option<usize> {
    let ordinal = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = line.len() - ordinal.len();
    if line.starts_with('|') {
        Some(0)
    } else if digits > 0 && (ordinal.starts_with(". ") || ordinal.starts_with(") ")) {
        Some(digits + 2)
    } else if line.starts_with('#') {
        Some(line.len() - line.trim_start_matches('#').len())
    } else {
        ["- ", "* ", "+ "].iter().any(|marker| line.starts_with(marker)).then_some(2)
    }
}

/// What can be open in a run of words.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Strong,
    StrongLow,
    Emphasis,
    Struck,
    DisplayMath,
}

impl Mark {
    const fn text(self) -> &'static str {
        match self {
            Self::Strong => "**",
            Self::StrongLow => "__",
            Self::Emphasis => "*",
            Self::Struck => "~~",
            Self::DisplayMath => "$$",
        }
    }

    fn at(rest: &str) -> Option<Self> {
        [Self::Strong, Self::StrongLow, Self::Struck, Self::DisplayMath, Self::Emphasis]
            .into_iter()
            .find(|mark| rest.starts_with(mark.text()))
    }
}

/// The words with what is open at their end closed.
fn closed(words: &str) -> Cow<'_, str> {
    let mut open: Vec<(Mark, usize)> = Vec::new();
    let mut bracket: Option<usize> = None;
    let mut formula: Option<&str> = None;
    let mut at = 0;
    while let Some(next) = words[at..].chars().next() {
        let rest = &words[at..];
        at += match next {
            '\\' => match rest.chars().nth(1) {
                Some(escaped) => {
                    formula = match escaped {
                        '[' => Some("\\]"),
                        '(' => Some("\\)"),
                        ']' | ')' => None,
                        _ => formula,
                    };
                    1 + escaped.len_utf8()
                }
                None => return Cow::Borrowed(&words[..at]),
            },
            '`' => match code_span(rest) {
                Some(length) => length,
                None => return with_open_code(words, at, &open),
            },
            '[' => {
                bracket = Some(at);
                1
            }
            ']' if bracket.is_some() => match destination(rest) {
                Link::Complete(length) => {
                    bracket = None;
                    length
                }
                Link::Half => {
                    return Cow::Owned(without_link(words, bracket.unwrap_or(at), at, &open));
                }
                Link::None => {
                    bracket = None;
                    1
                }
            },
            _ => match Mark::at(rest) {
                Some(mark) => {
                    toggle(&mut open, mark, at, rest);
                    mark.text().len()
                }
                None => next.len_utf8(),
            },
        };
    }
    if let Some(close) = formula {
        return Cow::Owned(format!("{words}{close}"));
    }
    if let Some(start) = bracket {
        return Cow::Owned(without_link(words, start, words.len(), &open));
    }
    match with_marks(words, &open) {
        text if text.len() == words.len() && text == words => Cow::Borrowed(words),
        text => Cow::Owned(text),
    }
}

fn toggle(open: &mut Vec<(Mark, usize)>, mark: Mark, at: usize, rest: &str) {
    if let Some(place) = open.iter().rposition(|(known, _)| *known == mark) {
        open.truncate(place);
        return;
    }
    let follows = rest[mark.text().len()..].chars().next();
    if mark == Mark::DisplayMath || follows.is_none_or(|c| !c.is_whitespace()) {
        open.push((mark, at));
    }
}

/// How long the code span is that begins here, if it ends.
fn code_span(rest: &str) -> Option<usize> {
    let ticks = rest.len() - rest.trim_start_matches('`').len();
    let mut at = ticks;
    while let Some(found) = rest[at..].find('`') {
        let run = &rest[at + found..];
        let length = run.len() - run.trim_start_matches('`').len();
        at += found + length;
        if length == ticks {
            return Some(at);
        }
    }
    None
}

fn with_open_code<'a>(words: &'a str, at: usize, open: &[(Mark, usize)]) -> Cow<'a, str> {
    let rest = &words[at..];
    let inside = rest.trim_start_matches('`');
    if inside.trim().is_empty() {
        return Cow::Owned(with_marks(&words[..at], open));
    }
    let ticks = &rest[..rest.len() - inside.len()];
    let inside = inside.trim_end_matches('`');
    let code = format!("{}{ticks}{inside}{ticks}", &words[..at]);
    Cow::Owned(with_marks(&code, open))
}

enum Link {
    /// This many bytes from the closing bracket on.
    Complete(usize),
    Half,
    None,
}

/// What follows the closing bracket of a link's words.
fn destination(rest: &str) -> Link {
    let after = &rest[1..];
    if !after.starts_with('(') {
        return Link::None;
    }
    match after.find(')') {
        Some(end) => Link::Complete(1 + end + 1),
        None if after.contains('\n') => Link::None,
        None => Link::Half,
    }
}

/// `[words](half` as its words; an image or a reference to a footnote that is half there is not shown.
fn without_link(words: &str, bracket: usize, end: usize, open: &[(Mark, usize)]) -> String {
    let open: Vec<_> = open.iter().copied().filter(|(_, at)| *at < bracket).collect();
    let before = &words[..bracket];
    let inner = &words[bracket + 1..end];
    let text = match before.strip_suffix('!') {
        Some(before) => before.to_owned(),
        None if inner.strip_prefix('^').is_some_and(is_label) => before.to_owned(),
        None => {
            let inner = inner.trim_end_matches(['*', '_', '~', '`', '[', '!']);
            format!("{before}{}", closed(inner))
        }
    };
    with_marks(&text, &open)
}

/// The text with its open marks closed, or taken away where nothing follows them yet.
fn with_marks(text: &str, open: &[(Mark, usize)]) -> String {
    let mut text = text.to_owned();
    let mut open = open.to_vec();
    while let Some((mark, at)) = open.last().copied() {
        let nothing_follows =
            text.get(at + mark.text().len()..).is_none_or(|inside| inside.trim().is_empty());
        if !nothing_follows {
            break;
        }
        text.truncate(at);
        open.pop();
    }
    if !open.is_empty() && open.iter().all(|(mark, _)| *mark != Mark::DisplayMath) {
        // The first half of a closing mark, and the space that keeps a mark from closing.
        text.truncate(text.trim_end_matches([' ', '\n', '*', '_', '~']).len());
    }
    for (mark, _) in open.iter().rev() {
        text.push_str(mark.text());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_marks_are_closed() {
        for (half, whole) in [
            ("a **bo", "a **bo**"),
            ("a **bold*", "a **bold**"),
            ("a **", "a "),
            ("*a **b", "*a **b***"),
            ("~~x", "~~x~~"),
            ("use `cod", "use `cod`"),
            ("use `", "use "),
            ("2 * 3 = 6", "2 * 3 = 6"),
            ("snake_case", "snake_case"),
            ("- one\n- **tw", "- one\n- **tw**"),
            ("done **x** and", "done **x** and"),
            ("$$x^2", "$$x^2$$"),
            (r"so \[ x^2", r"so \[ x^2\]"),
        ] {
            assert_eq!(mended(half), whole, "{half:?}");
        }
    }

    #[test]
    fn half_a_link_is_its_words() {
        for (half, words) in [
            ("see [the pa", "see the pa"),
            ("see [the page](https://exa", "see the page"),
            ("see [the page](https://a.example)", "see [the page](https://a.example)"),
            ("see ![a cat](https://exa", "see "),
            ("**see [it", "**see it**"),
            ("- [x] done", "- [x] done"),
            ("a [note] b", "a [note] b"),
        ] {
            assert_eq!(mended(half), words, "{half:?}");
        }
    }

    #[test]
    fn half_a_footnote_is_not_there_yet() {
        for (half, shown) in [
            ("words[^", "words"),
            ("words[^1", "words"),
            ("**words[^1", "**words**"),
            ("words[^1]", "words[^1]"),
            ("words[^1]\n[^1]", "words[^1]\n"),
            ("[^1", ""),
            ("[^1]", ""),
            ("[^1]:", ""),
            ("[^1]: \n", ""),
            ("[^1]: No", "[^1]: No"),
            ("[^1]: **No", "[^1]: **No**"),
            ("use [^ to negate", "use ^ to negate"),
            ("[^1] begins a sentence", "[^1] begins a sentence"),
        ] {
            assert_eq!(mended(half), shown, "{half:?}");
        }
        let long = format!("use [^{}", "否".repeat(20));
        assert_eq!(mended(&long), long.replace('[', ""), "a text without spaces stays");
    }

    #[test]
    fn a_table_is_a_table_from_its_first_row() {
        assert_eq!(mended("| a | b"), "| a | b|\n|---|---|\n");
        assert_eq!(mended("| a | b |\n|--"), "| a | b |\n|---|---|\n");
        assert_eq!(mended("| a | b |\n|---|---|\n| 1 | **2"), "| a | b |\n|---|---|\n| 1 | **2**");
    }

    #[test]
    fn an_open_fence_hides_its_half_closing() {
        assert_eq!(mended("```rust\nlet x;\n``"), "```rust\nlet x;\n");
        assert_eq!(mended("```rust\nlet **x"), "```rust\nlet **x");
    }

    #[test]
    fn a_half_underline_does_not_make_a_heading() {
        assert_eq!(mended("Words\n-"), "Words");
        assert_eq!(mended("Words\n---"), "Words\n---");
    }
}
