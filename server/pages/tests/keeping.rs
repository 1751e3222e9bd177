//! Copies to keep: that nothing in them runs, loads or asks, whatever the page tried.

use dom_query::Document;
use time::OffsetDateTime;
use time::macros::datetime;
use url::Url;

const NOW: OffsetDateTime = datetime!(2026-06-01 12:00:07.5 UTC);
const PIXEL: &str = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==";

fn kept(html: &str) -> String {
    pages::archive(html, &Url::parse("https://a.example/dir/page?x=1&y=%22%3E%3Cb%3E").unwrap(), NOW)
}

/// Everything that a browser would do more with than show it.
fn assert_inert(copy: &str, given: &str) {
    let document = Document::from(copy);
    let allowed = [
        "html",
        "head",
        "meta",
        "title",
        "body",
        "a",
        "abbr",
        "article",
        "aside",
        "b",
        "bdi",
        "bdo",
        "big",
        "blockquote",
        "br",
        "caption",
        "center",
        "cite",
        "code",
        "col",
        "colgroup",
        "data",
        "dd",
        "del",
        "details",
        "dfn",
        "div",
        "dl",
        "dt",
        "em",
        "figcaption",
        "figure",
        "font",
        "footer",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hgroup",
        "hr",
        "i",
        "img",
        "ins",
        "kbd",
        "li",
        "main",
        "mark",
        "nav",
        "ol",
        "p",
        "pre",
        "q",
        "rp",
        "rt",
        "rtc",
        "ruby",
        "s",
        "samp",
        "section",
        "small",
        "span",
        "strike",
        "strong",
        "sub",
        "summary",
        "sup",
        "table",
        "tbody",
        "td",
        "th",
        "thead",
        "time",
        "tfoot",
        "tr",
        "tt",
        "u",
        "ul",
        "var",
        "wbr",
        "acronym",
    ];
    for node in document.select("*").nodes() {
        let name = node.node_name().unwrap();
        assert!(allowed.contains(&&*name), "<{name}> from {given}\n{copy}");
        for attribute in node.attrs() {
            let (key, value) = (attribute.name.local.to_string(), attribute.value.to_string());
            assert!(!key.starts_with("on"), "{key} from {given}");
            let lower: String =
                value.to_lowercase().chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
            match key.as_str() {
                "href" => assert!(
                    lower.starts_with("http:") || lower.starts_with("https:") || lower.starts_with("mailto:"),
                    "{key}={value} from {given}"
                ),
                "src" => assert!(
                    lower.starts_with("data:image/") && !lower.contains("svg"),
                    "{value} from {given}"
                ),
                "style" => {
                    for part in ["url(", "@", "expression", "\\", "image", "behavior", "binding", "<", "/*"] {
                        assert!(!lower.contains(part), "{value} from {given}");
                    }
                }
                "http-equiv" => assert_eq!(value, "Content-Security-Policy", "{given}"),
                "content" => {}
                _ => {
                    for part in
                        ["srcdoc", "srcset", "action", "formaction", "background", "xlink:href", "ping"]
                    {
                        assert_ne!(key, part, "{given}");
                    }
                    assert!(!lower.starts_with("javascript:"), "{key}={value} from {given}");
                }
            }
        }
    }
    assert_eq!(document.select("meta[http-equiv]").length(), 1, "{given}");
    assert!(!copy.contains("<!--"), "{given}");
}

/// The ways in which scripts have got into pages, from the published lists of them.
const VECTORS: [&str; 62] = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//b.example/x.js></SCRIPT>",
    "<script/x>alert(1)</script >",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<img src=x onerror=alert(1)>",
    "<img src=\"x\" `onerror=alert(1)>",
    "<img/src=x/onerror=alert(1)//",
    "<img src=javascript:alert(1)>",
    "<img src=x:alert(1) onerror=eval(src)>",
    "<img srcset='//b.example/x 1x'>",
    "<img src='data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9YWxlcnQoMSk+'>",
    "<img src='data:text/html,<script>alert(1)</script>'>",
    "<body onload=alert(1)>",
    "<body background=javascript:alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><a xlink:href='javascript:alert(1)'><text>x</text></a></svg>",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    "<svg><set attributeName=href to=javascript:alert(1)>",
    "<svg><foreignObject><iframe srcdoc='<script>alert(1)</script>'></foreignObject></svg>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<svg></p><style><a id=\"</style><img src=1 onerror=alert(1)>\">",
    "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">",
    "<math href=javascript:alert(1)>x</math>",
    "<math><annotation-xml encoding=text/html><img src=x onerror=alert(1)></annotation-xml></math>",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
    "<template><img src=x onerror=alert(1)></template>",
    "<textarea><img title=\"</textarea><img src=x onerror=alert(1)>\"></textarea>",
    "<title><img title=\"</title><img src=x onerror=alert(1)>\"></title>",
    "<xmp><p title=\"</xmp><img src=x onerror=alert(1)>\">",
    "<noembed><img title=\"</noembed><img src=x onerror=alert(1)>\"></noembed>",
    "<plaintext><img src=x onerror=alert(1)>",
    "<a href=javascript:alert(1)>x</a>",
    "<a href=' &#14; javascript:alert(1)'>x</a>",
    "<a href='jav&#x09;ascript:alert(1)'>x</a>",
    "<a href='&#106;avascript&colon;alert(1)'>x</a>",
    "<a href=JaVaScRiPt:alert(1)>x</a>",
    "<a href='data:text/html;base64,PHNjcmlwdD4='>x</a>",
    "<a href=vbscript:x>x</a>",
    "<a href=file:///etc/passwd>x</a>",
    "<a href=blob:https://a.example/1>x</a>",
    "<a href='https://b.example/' ping=//b.example onclick=alert(1) style='position:fixed;inset:0'>x</a>",
    "<iframe src=javascript:alert(1)></iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<frameset><frame src=javascript:alert(1)></frameset>",
    "<object data=javascript:alert(1)></object>",
    "<embed src=javascript:alert(1)>",
    "<applet code=x></applet>",
    "<form action=javascript:alert(1)><input type=submit><button formaction=javascript:alert(1)>x</button></form>",
    "<isindex action=javascript:alert(1) type=image>",
    "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>",
    "<link rel=stylesheet href=//b.example/x.css><link rel=import href=//b.example/x>",
    "<base href='javascript:alert(1)//'><a href=x>x</a>",
    "<style>@import '//b.example/x.css'; body{background:url(//b.example/x)}</style>",
    "<p style='background:url(javascript:alert(1))'>x</p>",
    "<p style='width:expression(alert(1))'>x</p>",
    "<p style='background-image:\\75rl(//b.example/x)'>x</p>",
    "<video src=//b.example/x onerror=alert(1) poster=javascript:alert(1)><source onerror=alert(1)></video>",
    "<details open ontoggle=alert(1)>x</details><marquee onstart=alert(1)>x</marquee>",
    "<!--><script>alert(1)</script--><!--[if IE]><script>alert(1)</script><![endif]-->",
    "<x-card onclick=alert(1) is=x><slot name=x></slot></x-card><dialog open>x</dialog><portal src=//b.example>",
];

#[test]
fn nothing_active_survives() {
    for vector in VECTORS {
        for page in [
            vector.to_owned(),
            format!(
                "<html><head>{vector}<title>t</title></head><body><p>before</p>{vector}<p>after</p></body></html>"
            ),
            format!("<table><tr><td>{vector}</table><a href='https://b.example/'>{vector}</a>"),
            format!("<title>{vector}</title><div title='{}'>x", vector.replace('\'', "&#39;")),
        ] {
            let copy = kept(&page);
            assert_inert(&copy, &page);
            // What was made of it must hold when it is taken once more, as shown by a browser.
            let again = kept(&Document::from(copy.as_str()).html());
            assert_inert(&again, &copy);
        }
    }
    let all = VECTORS.concat();
    assert_inert(&kept(&all), &all);
}

#[test]
fn nothing_active_survives_in_markdown_either() {
    for vector in VECTORS {
        let page = format!("<article><p>before</p>{vector}<p>after</p></article>");
        let article = pages::article(&page, &Url::parse("https://a.example/").unwrap(), NOW);
        for event in pulldown_cmark::Parser::new(&article.markdown) {
            match event {
                pulldown_cmark::Event::Html(html) | pulldown_cmark::Event::InlineHtml(html) => {
                    panic!("{html} from {vector}")
                }
                pulldown_cmark::Event::Start(pulldown_cmark::Tag::Link { dest_url, .. }) => {
                    assert!(dest_url.starts_with("http"), "{dest_url} from {vector}");
                }
                _ => {}
            }
        }
    }
}

#[test]
fn a_copy_says_first_what_it_may_do_and_then_where_it_is_from() {
    let copy = kept("<html lang=de dir=RTL><title>A & <b></title><body><p>text");
    let head = "<!DOCTYPE html>\n<html lang=\"de\" dir=\"rtl\"><head><meta http-equiv=\"Content-Security-Policy\" \
                content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\"><meta charset=\"utf-8\">";
    assert!(copy.starts_with(head), "{copy}");
    let document = Document::from(copy.as_str());
    assert_eq!(&*document.select("title").text(), "A &");
    let line = document.select_single("body > p");
    let address = "https://a.example/dir/page?x=1&y=%22%3E%3Cb%3E";
    assert_eq!(&*line.text(), format!("{address} · 2026-06-01T12:00:07Z"));
    assert_eq!(&*line.select("a").attr("href").unwrap(), address);
    let private = pages::archive("x", &Url::parse("https://me:secret@a.example/").unwrap(), NOW);
    assert!(!private.contains("secret"));
    let odd = pages::archive("x", &Url::parse("javascript:alert(1)").unwrap(), NOW);
    assert_inert(&odd, "an odd address");
}

#[test]
fn structure_words_and_harmless_style_stay() {
    let copy = kept(
        "<body><h1 style='color: red; position: fixed'>Head</h1><table><tr><td colspan=2>cell</td></tr></table>
         <ol start=3><li>third</ol><pre><code>a  b</code></pre><p hidden>away</p><font color=blue>old</font>",
    );
    for part in [
        "<h1 style=\"color:red\">Head</h1>",
        "<td colspan=\"2\">cell</td>",
        "<ol start=\"3\">",
        "a  b",
        "color=\"blue\"",
    ] {
        assert!(copy.contains(part), "{part} in {copy}");
    }
    assert!(copy.contains("<p hidden=\"\">away</p>"), "{copy}");
}

#[test]
fn images_become_links_unless_they_are_small_and_in_the_page() {
    let large = format!("data:image/png;base64,{}", "A".repeat(600 << 10));
    let copy = kept(&format!(
        "<img src='../pic.png' alt='A picture'><img src='{PIXEL}'><img src='{large}' alt=huge>
         <a href=/big><img src=/thumb.png alt=thumb></a><img src='{PIXEL}' data-src=/late.jpg>
         <img srcset='/set.jpg 2x, /other.jpg 3x'><video src=/film.mp4></video><iframe src=//b.example/frame title=Map></iframe>
         <video><source src=/second.mp4></video>"
    ));
    let document = Document::from(copy.as_str());
    let images: Vec<String> =
        document.select("img").iter().map(|image| image.attr("src").unwrap().to_string()).collect();
    assert_eq!(images, [PIXEL]);
    let links: Vec<(String, String)> = document
        .select("a")
        .iter()
        .skip(1)
        .map(|link| (link.attr("href").unwrap().to_string(), link.text().to_string()))
        .collect();
    let expected = [
        ("https://a.example/pic.png", "[A picture]"),
        ("https://a.example/big", "[thumb]"),
        ("https://a.example/thumb.png", "[thumb]"),
        ("https://a.example/late.jpg", "[image]"),
        ("https://a.example/set.jpg", "[image]"),
        ("https://a.example/film.mp4", "[video]"),
        ("https://b.example/frame", "[Map]"),
        ("https://a.example/second.mp4", "[video]"),
    ];
    assert_eq!(links, expected.map(|(href, text)| (href.to_owned(), text.to_owned())));
    assert!(copy.contains("[huge]"));
}

#[test]
fn the_sum_of_images_in_the_page_is_limited() {
    let image = format!("<img src='data:image/png;base64,{}'>", "A".repeat(500 << 10));
    let copy = kept(&image.repeat(20));
    assert_eq!(Document::from(copy.as_str()).select("img").length(), 8);
}

#[test]
fn a_page_as_a_browser_shows_it_is_taken_without_what_it_was_made_of() {
    let shown = "<html lang=\"en\"><head><style>.a{display:none}</style></head><body class=\"x\">\
                 <div id=\"root\"><main><h1>Board</h1><p>Three cards</p></main></div>\
                 <noscript>You need to enable JavaScript</noscript><script>window.state={}</script></body></html>";
    let copy = kept(shown);
    assert!(copy.contains("<h1>Board</h1><p>Three cards</p>"));
    assert!(!copy.contains("JavaScript") && !copy.contains("window.state"));
}
