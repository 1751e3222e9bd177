//! What a page says of itself. Of several answers the first in this order is taken: JSON-LD, Open
//! Graph, other `<meta>`, `<time>` and other elements.

use crate::address::{normalise, web};
use crate::{moment, structured};
use dom_query::Document;
use time::OffsetDateTime;
use url::Url;

const LONGEST_NAME_CHARACTERS: usize = 300;
const LONGEST_EXCERPT_CHARACTERS: usize = 500;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Metadata {
    /// Whether the page calls itself an article.
    pub is_article: bool,
    pub title: Option<String>,
    pub byline: Option<String>,
    pub published: Option<String>,
    pub site: Option<String>,
    pub language: Option<String>,
    pub direction: Option<String>,
    pub excerpt: Option<String>,
    pub image: Option<Url>,
    pub canonical: Option<Url>,
}

pub(crate) fn read(document: &Document, url: &Url, base: &Url, now: OffsetDateTime) -> Metadata {
    let said = structured::read(document);
    let meta = |names: &[&str]| names.iter().find_map(|name| meta(document, name));
    let is_article = said.is_article
        || meta(&["og:type"]).is_some_and(|kind| kind == "article")
        || document.select("article").length() == 1;
    let root = document.html_root();
    let attribute = |name: &str| root.attr(name).map(|value| value.to_string());
    let published = [said.published, meta(&["article:published_time", "og:article:published_time"])]
        .into_iter()
        .chain([meta(&[
            "datepublished",
            "date",
            "dc.date",
            "dcterms.created",
            "pubdate",
            "parsely-pub-date",
        ])])
        .chain(times(document).map(Some));
    Metadata {
        is_article,
        title: name(said.headline)
            .or_else(|| name(meta(&["og:title", "twitter:title", "dc.title"])))
            .or_else(|| name(element(document, "title"))),
        byline: name(said.author)
            .or_else(|| name(meta(&["article:author", "og:article:author"])).filter(|name| !is_address(name)))
            .or_else(|| name(meta(&["author", "dc.creator", "parsely-author", "twitter:creator"])))
            .or_else(|| name(element(document, "[rel=author], [itemprop=author]"))),
        published: published.flatten().find_map(|text| moment::rfc3339(&text, now)),
        site: name(said.site).or_else(|| name(meta(&["og:site_name", "application-name"]))),
        language: language(said.language)
            .or_else(|| language(meta(&["og:locale"])))
            .or_else(|| language(attribute("lang")))
            .or_else(|| language(attribute("xml:lang")))
            .or_else(|| language(meta(&["content-language", "dc.language"]))),
        direction: attribute("dir"),
        excerpt: excerpt(said.description)
            .or_else(|| excerpt(meta(&["og:description", "description", "twitter:description"]))),
        image: [said.image, meta(&["og:image:secure_url", "og:image", "og:image:url", "twitter:image"])]
            .into_iter()
            .flatten()
            .find_map(|image| web(base, &image)),
        canonical: [link(document), meta(&["og:url"]), said.url]
            .into_iter()
            .flatten()
            .find_map(|canonical| canonical_of(&canonical, url, base)),
    }
}

/// `property` and `name` are used for one another, in any case.
fn meta(document: &Document, name: &str) -> Option<String> {
    ["property", "name", "itemprop", "http-equiv"].into_iter().find_map(|key| {
        let tags = document.select(&format!("meta[{key}='{name}' i]"));
        let contents = tags.iter().filter_map(|tag| tag.attr("content"));
        contents.map(|content| content.trim().to_owned()).find(|content| !content.is_empty())
    })
}

fn times(document: &Document) -> impl Iterator<Item = String> {
    let first =
        ["time[itemprop='datePublished'][datetime]", "time[pubdate][datetime]", "article time[datetime]"];
    let all = first.into_iter().chain(["time[datetime]"]);
    all.filter_map(|selector| document.select(selector).attr("datetime").map(|moment| moment.to_string()))
}

fn link(document: &Document) -> Option<String> {
    document.select("link[rel~='canonical' i][href]").attr("href").map(|href| href.to_string())
}

fn element(document: &Document, selector: &str) -> Option<String> {
    document.select_single(selector).iter().next().map(|element| element.text().to_string())
}

/// A page speaks for its own site alone: otherwise it could pass for a page of another, which would
/// then count as saved.
fn canonical_of(text: &str, url: &Url, base: &Url) -> Option<Url> {
    let canonical = normalise(&web(base, text)?);
    let (own, other) = (site_of(url)?, site_of(&canonical)?);
    let within = |inner: &str, outer: &str| {
        outer.contains('.') && inner.strip_suffix(outer).is_some_and(|rest| rest.ends_with('.'))
    };
    let same_site = own == other || within(own, other) || within(other, own);
    // The front page is what careless pages name.
    let is_front = canonical.path() == "/" && canonical.query().is_none();
    let has_credentials = !canonical.username().is_empty() || canonical.password().is_some();
    (same_site && !has_credentials && (!is_front || url.path() == "/")).then_some(canonical)
}

fn site_of(url: &Url) -> Option<&str> {
    let host = url.host_str()?.trim_end_matches('.');
    Some(["www.", "m.", "amp."].iter().find_map(|prefix| host.strip_prefix(prefix)).unwrap_or(host))
        .filter(|site| site.contains('.'))
        .or(Some(host))
}

fn is_address(text: &str) -> bool {
    text.starts_with("http://") || text.starts_with("https://")
}

fn name(text: Option<String>) -> Option<String> {
    tidy(&text?, LONGEST_NAME_CHARACTERS)
}

fn excerpt(text: Option<String>) -> Option<String> {
    tidy(&text?, LONGEST_EXCERPT_CHARACTERS)
}

/// One line of plain text. Text in JSON-LD and in attributes is often HTML once more.
pub(crate) fn tidy(text: &str, most: usize) -> Option<String> {
    let cut: String = text.chars().take(most * 8).collect();
    let plain = if cut.contains(['&', '<']) { crate::shallow::text(&cut) } else { cut };
    let line = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    let tidy = match line.char_indices().nth(most) {
        None => line,
        Some((end, _)) => {
            format!("{}…", line[..end].rsplit_once(' ').map_or(&line[..end], |(whole, _)| whole))
        }
    };
    (!tidy.is_empty()).then_some(tidy)
}

/// A language tag that looks like one, in its usual spelling.
fn language(text: Option<String>) -> Option<String> {
    let tag = text?.split([',', ';']).next().unwrap_or_default().trim().replace('_', "-");
    let mut parts = tag.split('-');
    let primary = parts.next().unwrap_or_default();
    let is_primary = matches!(primary.len(), 2 | 3) && primary.bytes().all(|c| c.is_ascii_alphabetic());
    let is_part = |part: &str| matches!(part.len(), 1..=8) && part.bytes().all(|c| c.is_ascii_alphanumeric());
    (is_primary && parts.all(is_part) && tag.len() <= 35).then_some(tag)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    fn metadata(html: &str) -> Metadata {
        let url = Url::parse("https://www.a.example/post?id=1").unwrap();
        read(&Document::from(html), &url, &url, datetime!(2026-06-01 12:00 UTC))
    }

    #[test]
    fn the_more_trusted_answer_wins_and_an_empty_one_is_none() {
        let html = r#"<html lang="en_GB"><title>Title | Site</title>
            <meta name="author" content="The Author"><meta property="og:title" content=" Open &amp;amp; Graph ">
            <meta name="DATE" content="2026-01-02"><time datetime="2026-01-03">then</time>
            <script type="application/ld+json">{"@type":"BlogPosting","headline":"","datePublished":"soon"}</script>"#;
        let found = metadata(html);
        assert_eq!(found.title.as_deref(), Some("Open & Graph"));
        assert_eq!(found.byline.as_deref(), Some("The Author"));
        assert_eq!(found.published.as_deref(), Some("2026-01-02T00:00:00Z"));
        assert_eq!(found.language.as_deref(), Some("en-GB"));
        assert_eq!(found.site, None);
        assert!(found.is_article);
    }

    #[test]
    fn a_page_speaks_for_its_own_site_alone() {
        let canonical = |href: &str| {
            metadata(&format!("<link rel=canonical href='{href}'>")).canonical.map(|url| url.to_string())
        };
        for (href, expected) in [
            ("/post", Some("https://www.a.example/post")),
            ("https://a.example/post?utm_source=x#y", Some("https://a.example/post")),
            ("http://m.a.example/post", Some("http://m.a.example/post")),
            ("https://b.example/post", None),
            ("https://notwww.a.example.b.example/post", None),
            ("https://nota.example/post", None),
            ("https://example/post", None),
            ("https://user:word@a.example/post", None),
            ("javascript:alert(1)", None),
            ("/", None),
            ("", None),
        ] {
            assert_eq!(canonical(href).as_deref(), expected, "{href}");
        }
    }

    #[test]
    fn long_and_odd_values_are_cut_to_what_they_should_be() {
        let long = "word ".repeat(10_000);
        let found = metadata(&format!(
            "<meta name=description content='{long}'><title>a\n <b>b</b></title><meta property=og:locale content='x_y'>
             <meta property=og:image content='data:image/png;base64,xx'><meta property=article:author content='https://a.example/me'>"
        ));
        assert!(found.excerpt.unwrap().chars().count() <= LONGEST_EXCERPT_CHARACTERS + 1);
        assert_eq!(found.title.as_deref(), Some("a b"));
        assert_eq!((found.language, found.image, found.byline), (None, None, None));
    }
}
