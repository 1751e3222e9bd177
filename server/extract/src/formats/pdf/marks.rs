//! Puts punctuation back. To the converter a mark or two by themselves are decoration, and it leaves them out; but
//! where a text takes its marks from another font, as Korean does, or sets them closer, each is by itself.

use pdf_oxide::layout::TextSpan;

const CLOSING: &str = ".,;:!?…%)]}»”’\"'。，、；：！？…）」』】》〉";
const OPENING: &str = "([{«“‘¿¡（「『【《〈";

/// The page with the marks of its spans, each at the words that it touches.
pub(super) fn restored(mut markdown: String, spans: &[TextSpan]) -> String {
    // From the last to the first: what is put in then moves nothing that is looked for later.
    let mut end = markdown.len();
    for at in (0..spans.len()).rev() {
        let mark = spans[at].text.trim();
        if is_of(mark, CLOSING) {
            let Some(words) = before(spans, at) else { continue };
            let Some(after) = find(&markdown, words, end).map(|place| place + words.len()) else { continue };
            let rest = &markdown[after..];
            if !rest.starts_with(mark) {
                let is_glued =
                    spans[at].text.ends_with(' ') && rest.starts_with(|c: char| !c.is_whitespace());
                markdown.insert_str(after, &format!("{mark}{}", if is_glued { " " } else { "" }));
            }
            end = after;
        } else if is_of(mark, OPENING) {
            let next = spans.get(at + 1).filter(|next| touches(&spans[at], next));
            let Some(place) = next.and_then(|next| find(&markdown, next.text.trim(), end)) else { continue };
            if !markdown[..place].ends_with(mark) {
                markdown.insert_str(place, mark);
            }
            end = place;
        }
    }
    markdown
}

fn is_of(mark: &str, marks: &str) -> bool {
    !mark.is_empty() && mark.chars().count() <= 2 && mark.chars().all(|c| marks.contains(c))
}

/// The words that a closing mark follows; other marks may stand between.
fn before(spans: &[TextSpan], mut at: usize) -> Option<&str> {
    while at > 0 && touches(&spans[at - 1], &spans[at]) {
        at -= 1;
        let text = spans[at].text.trim();
        if !is_of(text, CLOSING) {
            return Some(text);
        }
    }
    None
}

/// The last place before `end`, else the last at all: columns are read in another order than they are drawn.
fn find(markdown: &str, words: &str, end: usize) -> Option<usize> {
    if words.is_empty() {
        return None;
    }
    markdown.get(..end).and_then(|before| before.rfind(words)).or_else(|| markdown.rfind(words))
}

/// Whether they stand side by side on one line.
fn touches(left: &TextSpan, right: &TextSpan) -> bool {
    let size = right.font_size.max(1.0);
    let gap = right.bbox.x - (left.bbox.x + left.bbox.width);
    (left.bbox.y - right.bbox.y).abs() < size / 2.0 && gap.abs() < size / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Spans on one line, each beginning where the one before ends.
    fn line(texts: &[&str]) -> Vec<TextSpan> {
        let mut x = 0.0;
        let mut spans = Vec::new();
        for text in texts {
            let mut span = TextSpan { text: (*text).to_owned(), font_size: 10.0, ..TextSpan::default() };
            span.bbox.x = x;
            span.bbox.width = 10.0 * text.chars().count() as f32;
            x += span.bbox.width;
            spans.push(span);
        }
        spans
    }

    #[test]
    fn marks_stand_again_where_they_stood() {
        let spans = line(&["他说", "：", "“", "好", "”", "。", "他说", "，", "走"]);
        assert_eq!(restored("他说好他说走".to_owned(), &spans), "他说：“好”。他说，走");
        let spans = line(&["문을 연다", ". ", "주인은"]);
        assert_eq!(restored("문을 연다주인은".to_owned(), &spans), "문을 연다. 주인은");
    }

    #[test]
    fn what_is_there_is_not_doubled_and_what_is_alone_stays_out() {
        let spans = line(&["the other", "."]);
        assert_eq!(restored("the other.".to_owned(), &spans), "the other.");
        let mut apart = line(&["a column", "."]);
        apart[1].bbox.x += 100.0;
        assert_eq!(restored("a column".to_owned(), &apart), "a column");
    }
}
