//! Formulas: finds the delimiters that Markdown does not know (`\(…\)`, `\[…\]`) and turns LaTeX into
//! MathML. What cannot be turned is shown as it was written.

use crate::dialect;
use pulldown_cmark::{Event, Parser, Tag};
use std::borrow::Cow;
use std::ops::Range;

/// Longer formulas are shown as source: the converter recurses.
const LONGEST: usize = 4_000;

/// After so many delimiters that nothing closes the rest of the text is taken as it is: each costs a
/// look ahead.
const MOST_UNCLOSED: usize = 200;

/// The source with `\(a\)` written `${a}$` and `\[a\]` written `$$a$$`, outside code. Lengths stay, so
/// that places in one are places in the other.
pub fn with_dollars(source: &str) -> Cow<'_, str> {
    if !source.contains("\\(") && !source.contains("\\[") {
        return Cow::Borrowed(source);
    }
    let verbatim = verbatim(source);
    let mut bytes = source.as_bytes().to_vec();
    let mut at = 0;
    let mut unclosed = 0;
    while let Some(found) = source[at..].find('\\') {
        let open = at + found;
        at = open + 1;
        let (close, begin, end) = match source.as_bytes().get(open + 1) {
            Some(b'(') => ("\\)", *b"${", *b"}$"),
            Some(b'[') => ("\\]", *b"$$", *b"$$"),
            // An escaped backslash begins nothing.
            Some(b'\\') => {
                at = open + 2;
                continue;
            }
            _ => continue,
        };
        if is_within(&verbatim, open) {
            continue;
        }
        let inner_start = open + 2;
        let Some(inner) = inner(&source[inner_start..], close) else {
            unclosed += 1;
            if unclosed > MOST_UNCLOSED {
                break;
            }
            continue;
        };
        let inner_end = inner_start + inner.len();
        if is_within(&verbatim, inner_end) || !is_formula(inner) {
            continue;
        }
        bytes[open..inner_start].copy_from_slice(&begin);
        bytes[inner_end..inner_end + 2].copy_from_slice(&end);
        at = inner_end + 2;
    }
    // Only ASCII took the place of ASCII.
    String::from_utf8(bytes).map_or(Cow::Borrowed(source), Cow::Owned)
}

/// What stands before `close`, within one paragraph and within reason.
fn inner<'a>(text: &'a str, close: &str) -> Option<&'a str> {
    let window = &text[..text.floor_char_boundary(LONGEST)];
    let inner = &window[..window.find(close)?];
    (!inner.contains("\n\n") && !inner.contains('$')).then_some(inner)
}

/// `\[see below\]` is an escaped bracket; a formula has an operator or is a symbol or two.
fn is_formula(inner: &str) -> bool {
    let trimmed = inner.trim();
    !trimmed.is_empty()
        && (trimmed.chars().count() <= 3 || trimmed.contains(['\\', '^', '_', '=', '+', '<', '>']))
}

fn verbatim(source: &str) -> Vec<Range<usize>> {
    Parser::new_ext(source, dialect())
        .into_offset_iter()
        .filter(|(event, _)| {
            matches!(
                event,
                Event::Code(_)
                    | Event::InlineMath(_)
                    | Event::DisplayMath(_)
                    | Event::Start(Tag::CodeBlock(_))
            )
        })
        .map(|(_, range)| range)
        .collect()
}

fn is_within(ranges: &[Range<usize>], at: usize) -> bool {
    let after = ranges.partition_point(|range| range.start <= at);
    after > 0 && ranges[after - 1].contains(&at)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Line,
    Block,
}

/// MathML, or nothing where the formula is not understood.
#[cfg(feature = "math")]
pub fn html(latex: &str, place: Place) -> Option<String> {
    use math_core::{LatexToMathML, MathCoreConfig, MathDisplay};
    if !is_moderate(latex) {
        return None;
    }
    let display = match place {
        Place::Line => MathDisplay::Inline,
        Place::Block => MathDisplay::Block,
    };
    let converter = LatexToMathML::new(MathCoreConfig::default()).ok()?;
    let mathml = converter.convert_with_local_state(&without_numbers(latex), display).ok()?.mathml;
    let mut text = String::new();
    crate::vetted::fits(&mathml, &MATHML, &mut text).then(|| with_classes(&mathml))
}

/// Nobody refers to an equation in a conversation by its number, and each answer would begin at 1.
#[cfg(feature = "math")]
fn without_numbers(latex: &str) -> Cow<'_, str> {
    let numbered = ["align", "equation", "gather", "multline"];
    if !numbered.iter().any(|name| latex.contains(name)) {
        return Cow::Borrowed(latex);
    }
    let plain = numbered
        .iter()
        .fold(latex.to_owned(), |latex, name| latex.replace(&format!("{{{name}}}"), &format!("{{{name}*}}")));
    Cow::Owned(plain)
}

/// The converter aligns cells by `style` attributes, which a strict content security policy refuses:
/// classes take their place.
#[cfg(feature = "math")]
fn with_classes(mathml: &str) -> String {
    let mut out = String::with_capacity(mathml.len());
    let mut rest = mathml;
    while let Some((before, after)) = rest.split_once(" style=\"") {
        out.push_str(before);
        let (style, after) = after.split_once('"').unwrap_or((after, ""));
        let alignment = ["left", "right", "center"]
            .into_iter()
            .find(|side| style.contains(&format!("text-align: {side}")));
        // An element with a class of its own keeps that one.
        let element = &before[before.rfind('<').unwrap_or(0)..];
        if let Some(side) =
            alignment.filter(|_| !element.contains(" class=") && !after.starts_with(" class="))
        {
            out.push_str(" class=\"");
            out.push_str(side);
            out.push('"');
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(not(feature = "math"))]
pub fn html(_latex: &str, _place: Place) -> Option<String> {
    None
}

/// Whether the converter, which recurses, will get through it on a browser's stack.
#[cfg(feature = "math")]
fn is_moderate(latex: &str) -> bool {
    let nested = latex.bytes().filter(|b| matches!(b, b'{' | b'^' | b'_' | b'\\')).count();
    latex.len() <= LONGEST && nested <= 400
}

#[cfg(feature = "math")]
const MATHML: crate::vetted::Form = crate::vetted::Form {
    element: |name| {
        matches!(
            name,
            "math"
                | "mrow"
                | "mi"
                | "mn"
                | "mo"
                | "mtext"
                | "mspace"
                | "mfrac"
                | "msqrt"
                | "mroot"
                | "msub"
                | "msup"
                | "msubsup"
                | "munder"
                | "mover"
                | "munderover"
                | "mmultiscripts"
                | "mprescripts"
                | "mtable"
                | "mtr"
                | "mtd"
                | "mstyle"
                | "mpadded"
                | "mphantom"
                | "menclose"
        )
    },
    attribute: |key, value| {
        let plain = value.bytes().all(|b| b.is_ascii_alphanumeric() || b" .#%:;-+".contains(&b));
        plain
            && matches!(
                key,
                "display"
                    | "mathvariant"
                    | "stretchy"
                    | "movablelimits"
                    | "form"
                    | "symmetric"
                    | "largeop"
                    | "accent"
                    | "accentunder"
                    | "displaystyle"
                    | "scriptlevel"
                    | "lspace"
                    | "rspace"
                    | "minsize"
                    | "maxsize"
                    | "width"
                    | "height"
                    | "depth"
                    | "voffset"
                    | "linethickness"
                    | "separator"
                    | "fence"
                    | "notation"
                    | "class"
                    | "columnalign"
                    | "style"
            )
    },
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_delimiters_become_dollars_outside_code() {
        assert_eq!(with_dollars(r"a \( x^2 \) b"), "a ${ x^2 }$ b");
        assert_eq!(with_dollars(r"\[ x = 1 \]"), "$$ x = 1 $$");
        for same in [r"`\(x\)`", r"\\(x\\)", r"\[see below\]", r"\(open", "```\n\\[ x=1 \\]\n```", r"é\(é"]
        {
            assert_eq!(with_dollars(same), same);
        }
    }

    #[cfg(feature = "math")]
    #[test]
    fn a_formula_becomes_mathml_and_nonsense_stays() {
        let fraction = html(r"\frac{a}{b} < 1", Place::Block);
        assert!(
            fraction.as_deref().is_some_and(|m| m.contains("<mfrac>") && m.contains("&lt;")),
            "{fraction:?}"
        );
        assert_eq!(html(r"\frac{", Place::Line), None);
        assert_eq!(html(&"{".repeat(5_000), Place::Line), None);
        assert_eq!(html(r"\href{javascript:alert(1)}{x}", Place::Line), None);
    }

    #[cfg(feature = "math")]
    #[test]
    fn a_matrix_needs_no_style_attributes() {
        for latex in [r"\begin{align} a &= b \\ c &= d \end{align}", r"\begin{array}{lr} a & b \end{array}"] {
            let mathml = html(latex, Place::Block);
            assert!(
                mathml.as_deref().is_some_and(|m| m.contains("<mtd")
                    && m.contains("class=\"right\"")
                    && !m.contains(" style=")
                    && !m.contains("(1)")),
                "{mathml:?}"
            );
        }
    }

    #[cfg(feature = "math")]
    #[test]
    fn a_deep_formula_needs_little_stack() {
        let deep = [
            r"\sqrt".repeat(399) + "x",
            "{".repeat(390) + &"}".repeat(390),
            "a^{".repeat(190) + &"}".repeat(190),
        ];
        let deep = deep.map(|latex| {
            std::thread::Builder::new().stack_size(4 << 20).spawn(move || html(&latex, Place::Line))
        });
        for thread in deep {
            assert!(thread.is_ok_and(|running| running.join().is_ok()));
        }
    }
}
