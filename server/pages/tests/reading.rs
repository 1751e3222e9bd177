//! Pages of many kinds, turned into articles: what a person would read.

use pages::{Article, TextDirection, article};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use pulldown_cmark::{Event, Options as ParserOptions, Parser, Tag};
use std::time::Instant;
use time::OffsetDateTime;
use time::macros::datetime;
use url::Url;

const NOW: OffsetDateTime = datetime!(2026-06-01 12:00 UTC);

fn read(html: &str) -> Article {
    article(html, &Url::parse("https://www.a.example/news/tide-mill?utm_medium=x").unwrap(), NOW)
}

#[test]
fn an_article_is_told_from_what_surrounds_it() {
    let article = read(include_str!("pages/news.html"));
    assert!(article.readable);
    assert_eq!(article.title, "Tide mill turns again");
    assert_eq!(article.byline.as_deref(), Some("A Reporter"));
    assert_eq!(article.published.as_deref(), Some("2026-03-04T08:30:00+01:00"));
    assert_eq!(article.site.as_deref(), Some("The Harbour Courier"));
    assert_eq!(article.language.as_deref(), Some("en"));
    assert_eq!(article.excerpt.as_deref(), Some("After forty years the old wheel is grinding flour."));
    assert_eq!(article.image.unwrap().as_str(), "https://www.a.example/img/mill.jpg");
    assert_eq!(article.canonical.unwrap().as_str(), "https://www.a.example/news/tide-mill");
    assert_eq!((article.words, article.reading_minutes), (187, 1));
    assert_eq!(article.text_direction, TextDirection::LeftToRight);
    let expected = "\
After forty years of silence the tide mill at the old harbour is grinding flour again. The wheel, built of oak \
and iron, was lifted back into its place on Monday, and the first sack was filled before noon, as a small crowd \
looked on from the bridge.

## How it works

The pond behind the dam fills with the **rising tide**, and the gates close by themselves when the water turns. \
What follows is *four hours of work*, twice a day, as described in the \
[guide to mills](https://www.a.example/guide/mills?id=7&page=2) of the county.

![The wheel](https://www.a.example/img/wheel.jpg)

The wheel, seen from the dam.

- The dam was sealed in spring.
- The gates are new.
- The stones are those of 1790.

> We thought it would take a year. It took nine, and every one of them was worth it.

| Tide   | Hours |
| ------ | ----- |
| Spring | 5     |
| Neap   | 3     |

Visitors may watch on weekends. The command for the curious is `mill --turn <hours>`, says the sign, and nobody \
remembers who put it there, or whether it was ever meant as more than a joke among engineers.

```rust
fn main() {
    let hours = 4;
}
```

More is to come: a film, [a letter](mailto:mill@a.example).";
    assert_eq!(article.markdown, expected);
}

#[test]
fn a_blog_that_speaks_open_graph_alone_is_read_as_well() {
    let article = read(include_str!("pages/blog.html"));
    assert!(article.readable);
    assert_eq!(article.title, "On sharpening knives");
    assert_eq!(article.site.as_deref(), Some("Kitchen Notes"));
    assert_eq!(article.published.as_deref(), Some("2025-11-30T00:00:00Z"));
    assert_eq!(article.excerpt.as_deref(), Some("A stone, some water and patience."));
    assert_eq!((article.byline, article.language, article.canonical), (None, None, None));
    // Relative to the page's own base.
    assert!(article.markdown.contains("[Which stone](https://blog.a.example/posts/stones.html)"));
    assert!(!article.markdown.contains("Nice!"));
}

#[test]
fn other_languages_keep_their_letters_counts_and_direction() {
    let german = read(include_str!("pages/german.html"));
    assert_eq!(german.title, "Über das Brotbacken");
    assert_eq!(german.byline.as_deref(), Some("Die Redaktion"));
    assert_eq!((german.language.as_deref(), german.words), (Some("de-DE"), 98));
    assert!(german.markdown.ends_with("nämlich kross.\n\n1. Kneten\n2. Ruhen\n3. Backen"));

    let chinese = read(include_str!("pages/chinese.html"));
    assert_eq!((chinese.title.as_str(), chinese.language.as_deref()), ("春天的茶园", Some("zh-CN")));
    assert!(chinese.readable);
    assert_eq!(chinese.words, 180);
    assert!(chinese.markdown.starts_with("清明之前，山里的茶园刚刚醒来。"));

    let arabic = read(include_str!("pages/arabic.html"));
    assert_eq!((arabic.title.as_str(), arabic.words), ("مكتبة الحي", 73));
    assert_eq!(arabic.text_direction, TextDirection::RightToLeft);
    assert!(arabic.markdown.contains("قاعة للأطفال"));
}

#[test]
fn a_forum_keeps_all_its_messages_and_none_of_its_forms() {
    let article = read(include_str!("pages/forum.html"));
    assert!(article.readable);
    let at = |text: &str| article.markdown.find(text).unwrap();
    assert!(at("The chain of my old bike") < at("That is the cassette") && at("spoke") < at("Thank you!"));
    for text in ["Log in", "Your answer", "Send"] {
        assert!(!article.markdown.contains(text), "{text}");
    }
}

#[test]
fn a_page_that_is_made_by_its_script_is_not_readable() {
    let article = read(include_str!("pages/app.html"));
    assert_eq!((article.title.as_str(), article.readable), ("Board", false));
    assert_eq!((article.markdown.as_str(), article.words, article.excerpt), ("", 0, None));
}

#[test]
fn html_that_is_wrong_everywhere_is_read_as_a_whole() {
    let article = read(include_str!("pages/malformed.html"));
    assert_eq!((article.title.as_str(), article.readable), ("Broken but there", false));
    for text in [
        "&unknown; entity & an",
        "cell that was never closed",
        "](https://www.a.example/next)",
        "Last words.",
    ] {
        assert!(article.markdown.contains(text), "{text} in {}", article.markdown);
    }
    assert!(!article.markdown.contains("alert"));
}

/// What a program that shows Markdown would make of it: the addresses it links to, none of which acts.
fn links_of(markdown: &str) -> Vec<String> {
    let mut links = Vec::new();
    for event in Parser::new_ext(markdown, ParserOptions::all()) {
        match event {
            Event::Html(html) | Event::InlineHtml(html) => panic!("{html} in {markdown}"),
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                let schemes = ["http://", "https://", "mailto:"];
                assert!(
                    schemes.iter().any(|scheme| dest_url.starts_with(scheme)),
                    "{dest_url} in {markdown}"
                );
                links.push(dest_url.to_string());
            }
            _ => {}
        }
    }
    links
}

#[test]
fn markdown_holds_no_html_and_no_link_that_acts() {
    let html = "<title>x</title><article><p>&lt;script&gt;alert(1)&lt;/script&gt; and <script>alert(2)</script>
        <a href='javascript:alert(3)'>one</a> <a href='vbscript:x'>two</a> <a href='data:text/html,x'>three</a>
        <img src='data:image/png;base64,AAAA' alt=four> <img src=x onerror=alert(5)>
        <a href='https://b.example/) [click](javascript:alert(6)'>six</a>
        <a href=' java\tscript:alert(7)'>seven</a> <svg onload=alert(8)><a href='javascript:alert(9)'>nine</a></svg>
        [ten](javascript:alert(10)) &lt;javascript:alert(11)> <code>`</code>[twelve](javascript:x)<code>`</code>
        <a href='https://b.example/?`|\\'>`</a> <img src=/y alt='](javascript:x) ![' title='\" onerror=\"x'></p></article>";
    let markdown = read(html).markdown;
    assert_eq!(
        links_of(&markdown),
        [
            "https://www.a.example/news/x",
            "https://b.example/)%20[click](javascript:alert(6)",
            // Taken for a path, which is as harmless.
            "https://www.a.example/news/javascript:alert(7)",
            "https://b.example/?%60%7C%5C",
            "https://www.a.example/y",
        ]
    );
    assert!(markdown.contains("alert(1)"), "what was text stays text");
    for trace in ["alert(2)", "vbscript", "data:", "onerror=alert", "alert(9)"] {
        assert!(!markdown.contains(trace), "{trace} in {markdown}");
    }
}

proptest! {
    #[test]
    fn no_mixture_of_marks_makes_markdown_act(pieces in vec(select(PIECES), 1..24)) {
        links_of(&read(&format!("<article>{}", pieces.concat())).markdown);
    }
}

/// What HTML and Markdown are made of, in pieces.
const PIECES: &[&str] = &[
    "<p>",
    "</p>",
    "<a href='",
    "'>",
    "</a>",
    "<img src='",
    "<img alt='",
    "<code>",
    "</code>",
    "<pre>",
    "</pre>",
    "<script>",
    "</script>",
    "<svg>",
    "<li>",
    "<td>",
    "<table>",
    "<h1>",
    "<b>",
    "</b>",
    "&lt;",
    "&gt;",
    "&#96;",
    "`",
    "```",
    "\n",
    "\n\n",
    "    ",
    "\t",
    "[x]",
    "(",
    ")",
    "[",
    "]",
    "](",
    "!",
    "javascript:alert(1)",
    "<javascript:x>",
    "&lt;img src=x onerror=alert(1)&gt;",
    "&lt;script&gt;",
    "https://b.example/",
    "\\",
    "|",
    "\"",
    "&#10;",
    "*",
    "_",
    "~",
    "&amp;lt;",
    "&lt;!--",
    "--&gt;",
    "<br>",
    "[x]: javascript:x",
    "words",
];

#[test]
fn a_page_of_elements_in_elements_is_read_and_nothing_overflows() {
    for tag in ["<div>", "<blockquote>", "<ul><li>", "<b>", "<span>", "<table><tr><td>"] {
        for times in [60, 200, 20_000] {
            let html = format!("<title>deep</title><body>{}the text inside", tag.repeat(times));
            let article = read(&html);
            assert!(article.markdown.contains("the text inside"), "{times} {tag}");
            let kept = pages::archive(&html, &Url::parse("https://a.example/").unwrap(), NOW);
            assert!(kept.contains("the text inside"), "{times} {tag}");
        }
    }
}

#[test]
fn an_empty_page_is_named_after_its_address() {
    let article = read("");
    assert_eq!(article.title, "www.a.example/news/tide-mill");
    assert!(!article.readable);
}

/// A page as large as a long magazine piece with everything around it.
fn large_page(bytes: usize) -> String {
    let news = include_str!("pages/news.html");
    let (head, rest) = news.split_once("<h2>").unwrap();
    let (section, tail) = rest.split_once("</article>").unwrap();
    let section = format!("<h2>{section}");
    let times = bytes / section.len();
    format!("{head}{}</article>{tail}", section.repeat(times))
}

#[test]
#[ignore = "a measurement: run it alone, in release"]
fn figures() {
    let url = Url::parse("https://www.a.example/news/tide-mill").unwrap();
    let paragraph = "<p>words and <b>more</b> of <a href=/x>them</a>";
    for (name, html) in [
        ("200 KB", large_page(200_000)),
        ("1 MB", large_page(1_000_000)),
        ("10 MB", large_page(10_000_000)),
        ("10 MB of short paragraphs", paragraph.repeat(10_000_000 / paragraph.len())),
        ("10 MB of nothing but line breaks", "<br>".repeat(2_500_000)),
        ("10 MB of text", "words ".repeat(1_600_000)),
    ] {
        let times = (2_000_000 / html.len()).max(1);
        let timed = |work: &dyn Fn() -> usize| {
            let began = Instant::now();
            let length: usize = (0..times).map(|_| work()).sum();
            assert!(length > 0);
            times as f64 / began.elapsed().as_secs_f64()
        };
        let articles = timed(&|| article(&html, &url, NOW).title.len());
        let archives = timed(&|| pages::archive(&html, &url, NOW).len());
        eprintln!("{name}: {articles:.2} articles a second, {archives:.2} archives a second");
    }
}
