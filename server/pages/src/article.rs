//! A page as something to read: its readable part in Markdown, and what it says of itself.

use crate::metadata::{self, Metadata};
use crate::reading::{self, TextDirection};
use crate::shallow::{self, Shape};
use crate::{address, markdown, sanitise};
use dom_query::Document;
use dom_smoothie::{Config, Readability};
use time::OffsetDateTime;
use url::Url;

/// From this many elements on, nothing is weighed against anything.
const MOST_ELEMENTS: usize = 150_000;
/// A readable part shorter than this is a teaser, a notice or a menu, unless the page says otherwise.
const SHORTEST_CHARACTERS: usize = 400;
const SHORTEST_DECLARED_CHARACTERS: usize = 120;
const EXCERPT_CHARACTERS: usize = 200;

/// What was made of a page. The Markdown holds no HTML, and no link but those of http, https and mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Article {
    pub title: String,
    pub byline: Option<String>,
    /// In RFC 3339.
    pub published: Option<String>,
    /// The name of the site, where it gives one.
    pub site: Option<String>,
    /// A language tag such as `de` or `zh-Hans`.
    pub language: Option<String>,
    pub excerpt: Option<String>,
    pub image: Option<Url>,
    /// The address that the page itself prefers, normalised; only ever one of its own site.
    pub canonical: Option<Url>,
    pub markdown: String,
    /// In writing without spaces each character counts.
    pub words: usize,
    pub reading_minutes: usize,
    pub text_direction: TextDirection,
    /// Whether a readable part was found; otherwise the Markdown is that of the whole page.
    pub readable: bool,
}

/// Reads a page. It takes as long as the page is large, and more than a moment for megabytes: not for
/// a thread that others wait for.
pub fn article(html: &str, url: &Url, now: OffsetDateTime) -> Article {
    let (document, shape) = shallow::parse(html);
    let base = base_of(&document, url);
    let said = metadata::read(&document, url, &base, now);
    let part = match shape {
        Shape::AsWritten => readable_part(document, &base, &said),
        Shape::Flattened => None,
    };
    let (part, readable) = match part {
        Some(part) => (part, true),
        None => (Part { html: whole_body(html), ..Part::default() }, false),
    };
    let clean = sanitise::readable(&part.html, &base);
    let text = shallow::text(&clean);
    let length = reading::length(&text);
    let language = said.language.or(part.language);
    let text_direction = reading::direction(
        said.direction.as_deref().or(part.direction.as_deref()),
        language.as_deref(),
        &text,
    );
    Article {
        title: said.title.or(part.title).unwrap_or_else(|| named_after(url)),
        byline: said.byline.or(part.byline),
        published: said.published,
        site: said.site,
        excerpt: said.excerpt.or_else(|| metadata::tidy(&text, EXCERPT_CHARACTERS)),
        image: said.image,
        canonical: said.canonical,
        markdown: markdown::from_html(&clean, &text),
        words: length.words,
        reading_minutes: length.minutes,
        text_direction,
        language,
        readable,
    }
}

#[derive(Default)]
struct Part {
    html: String,
    title: Option<String>,
    byline: Option<String>,
    language: Option<String>,
    direction: Option<String>,
}

fn readable_part(document: Document, base: &Url, said: &Metadata) -> Option<Part> {
    let config = Config {
        max_elements_to_parse: MOST_ELEMENTS,
        disable_json_ld: true,
        keep_classes: false,
        // The languages of code are classes.
        classes_to_preserve: code_classes(&document),
        ..Config::default()
    };
    let mut readability = Readability::with_document(document, Some(base.as_str()), Some(config)).ok()?;
    let promising = said.is_article || readability.is_probably_readable();
    let found = readability.parse().ok()?;
    let shortest = if promising { SHORTEST_DECLARED_CHARACTERS } else { SHORTEST_CHARACTERS };
    let tidy = |text: Option<String>| metadata::tidy(&text?, EXCERPT_CHARACTERS);
    (found.length >= shortest).then(|| Part {
        html: found.content.to_string(),
        title: tidy(Some(found.title)),
        byline: tidy(found.byline),
        language: found.lang,
        direction: found.dir,
    })
}

fn code_classes(document: &Document) -> Vec<String> {
    let classes = document.select("code[class]").iter().filter_map(|code| code.attr("class"));
    let mut languages: Vec<String> = classes
        .flat_map(|classes| classes.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
        .filter(|class| class.starts_with("language-") || class.starts_with("lang-"))
        .collect();
    languages.sort_unstable();
    languages.dedup();
    languages.truncate(50);
    languages
}

/// Without what is not for reading on any page.
fn whole_body(html: &str) -> String {
    let (document, _) = shallow::parse(html);
    document.select("script, style, template, nav, [hidden], [aria-hidden='true']").remove();
    document.body().map(|body| body.inner_html().to_string()).unwrap_or_default()
}

/// What relative addresses of the page are relative to.
pub(crate) fn base_of(document: &Document, url: &Url) -> Url {
    let base = document.base_uri().and_then(|base| address::web(url, &base));
    let mut base = base.unwrap_or_else(|| url.clone());
    base.set_fragment(None);
    // A password in the page's own address must not spread to every link. An address without a host
    // has none.
    let _ = (base.set_username(""), base.set_password(None));
    base
}

fn named_after(url: &Url) -> String {
    let path = url.path().trim_end_matches('/');
    format!("{}{path}", url.host_str().unwrap_or_default())
}
