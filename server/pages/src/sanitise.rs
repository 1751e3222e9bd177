//! What of a page's HTML may stay. Lists of what is allowed, never of what is not: a page is written
//! by somebody else.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::LazyLock;
use url::Url;

/// Elements whose text goes with them.
const GONE: [&str; 20] = [
    "script", "style", "noscript", "template", "title", "iframe", "frameset", "object", "embed", "applet",
    "svg", "math", "canvas", "textarea", "select", "datalist", "button", "xmp", "noembed", "noframes",
];

/// Types of images that are pixels and nothing else.
const PIXELS: [&str; 6] = ["png", "jpeg", "jpg", "gif", "webp", "avif"];

/// Style that looks like something and reaches for nothing.
const PROPERTIES: [&str; 47] = [
    "color",
    "background-color",
    "font-family",
    "font-size",
    "font-style",
    "font-weight",
    "font-variant",
    "line-height",
    "letter-spacing",
    "word-spacing",
    "text-align",
    "text-decoration",
    "text-indent",
    "text-transform",
    "vertical-align",
    "white-space",
    "direction",
    "display",
    "visibility",
    "float",
    "clear",
    "width",
    "height",
    "max-width",
    "min-width",
    "max-height",
    "min-height",
    "margin",
    "margin-top",
    "margin-right",
    "margin-bottom",
    "margin-left",
    "padding",
    "padding-top",
    "padding-right",
    "padding-bottom",
    "padding-left",
    "border",
    "border-color",
    "border-style",
    "border-width",
    "border-collapse",
    "border-spacing",
    "border-radius",
    "list-style-type",
    "overflow-wrap",
    "unicode-bidi",
];
const FUNCTIONS: [&str; 5] = ["rgb", "rgba", "hsl", "hsla", "calc"];

static PROPERTY_SET: LazyLock<HashSet<&str>> = LazyLock::new(|| PROPERTIES.into());

/// The HTML of a readable part: structure, links and images, nothing of its look.
pub(crate) fn readable(html: &str, base: &Url) -> String {
    let base = base.clone();
    ammonia::Builder::default()
        .add_clean_content_tags(GONE)
        .add_tag_attributes("code", ["class"])
        .add_tag_attributes("pre", ["class"])
        .url_schemes(["http", "https", "mailto"].into())
        .url_relative(ammonia::UrlRelative::PassThrough)
        .link_rel(None)
        .attribute_filter(move |element: &str, name: &str, value: &str| match (element, name) {
            ("a", "href") => link(&base, value).map(Cow::Owned),
            ("img", "src") => link(&base, value).filter(|link| link.starts_with("http")).map(Cow::Owned),
            _ => text_only(name, value),
        })
        .clean(html)
        .to_string()
}

/// The HTML of a copy to keep: its look as well, as far as nothing is loaded for it.
pub(crate) fn kept(html: &str, base: &Url) -> String {
    let base = base.clone();
    ammonia::Builder::default()
        .add_tags(["section", "main", "font", "big"])
        .rm_tags(["area", "map"])
        .add_clean_content_tags(GONE)
        .add_generic_attributes(["style", "dir", "hidden"])
        .add_tag_attributes("font", ["color", "size", "face"])
        .add_tag_attributes("td", ["width"])
        .add_tag_attributes("ol", ["type"])
        .url_schemes(["http", "https", "mailto", "data"].into())
        .url_relative(ammonia::UrlRelative::PassThrough)
        .set_tag_attribute_value("a", "target", "_blank")
        .link_rel(Some("noopener noreferrer nofollow"))
        .attribute_filter(move |element: &str, name: &str, value: &str| match (element, name) {
            ("a", "href") => link(&base, value).map(Cow::Owned),
            ("img", "src") => pixels(value).map(|pixels| Cow::Owned(pixels.to_owned())),
            (_, "style") => Some(style(value)).filter(|style| !style.is_empty()).map(Cow::Owned),
            _ => text_only(name, value),
        })
        .clean(html)
        .to_string()
}

/// Attributes that hold no address.
fn text_only<'a>(name: &str, value: &'a str) -> Option<Cow<'a, str>> {
    let is_address = matches!(name, "cite" | "src" | "srcset" | "href" | "background" | "action" | "data");
    (!is_address).then_some(Cow::Borrowed(value))
}

/// A link, absolute and written so that no character of it can end it: Markdown takes what stands in
/// an address for its own marks.
fn link(base: &Url, value: &str) -> Option<String> {
    let url = base.join(value.trim()).ok()?;
    matches!(url.scheme(), "http" | "https" | "mailto")
        .then(|| url.as_str().replace('\\', "%5C").replace('`', "%60").replace('|', "%7C"))
}

/// An image that is in the page itself.
pub(crate) fn pixels(source: &str) -> Option<&str> {
    let source = source.trim();
    let (kind, data) = source.strip_prefix("data:image/")?.split_once(";base64,")?;
    let is_base64 = |c: u8| c.is_ascii_alphanumeric() || b"+/=".contains(&c);
    (PIXELS.contains(&kind) && data.bytes().all(is_base64)).then_some(source)
}

/// The declarations that are known to load nothing. What has an escape, a comment, a string with
/// anything odd in it or a function of another kind is dropped, whatever it means.
fn style(style: &str) -> String {
    let declarations = style.split(';').filter_map(|declaration| {
        let (name, value) = declaration.split_once(':')?;
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
        (PROPERTY_SET.contains(name.as_str()) && is_plain(value)).then(|| format!("{name}:{value}"))
    });
    declarations.collect::<Vec<_>>().join(";")
}

fn is_plain(value: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || " #.,%()+-*!'\"".contains(c);
    let functions = || value.match_indices('(').map(|(at, _)| &value[..at]);
    let is_known = |before: &str| {
        let start = before.rfind(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).map_or(0, |at| at + 1);
        let name = before[start..].to_ascii_lowercase();
        name.is_empty() || FUNCTIONS.contains(&name.as_str())
    };
    !value.is_empty() && value.len() < 500 && value.chars().all(plain) && functions().all(is_known)
}

/// Text as it is written in HTML, in an element or between quotes.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn style_stays_where_it_loads_nothing() {
        for (given, kept) in [
            ("color: red; font-weight:bold", "color:red;font-weight:bold"),
            ("color:rgb(1, 2, 3);width:calc(100% - 2em)", "color:rgb(1, 2, 3);width:calc(100% - 2em)"),
            ("font-family: 'Noto Sans', \"Serif\"", "font-family:'Noto Sans', \"Serif\""),
            ("background-color:url(http://a.example/x)", ""),
            ("background: red", ""),
            ("color: red; background-image: URL(//a.example/x.png)", "color:red"),
            ("width: expression(alert(1))", ""),
            ("width: exp/**/ression(alert(1))", ""),
            ("color: \\75 rl(x)", ""),
            ("color: image-set('x' 1x)", ""),
            ("color: ｕｒｌ(x)", ""),
            ("@import 'x'; color: red", "color:red"),
            ("behavior: url(#x)", ""),
            ("-moz-binding: url(x)", ""),
            ("position: fixed; top: 0", ""),
            ("color", ""),
            ("color:", ""),
        ] {
            assert_eq!(style(given), kept, "{given}");
        }
    }

    #[test]
    fn only_pixels_may_be_in_the_page_itself() {
        assert!(pixels("data:image/png;base64,iVBORw0KGgo=").is_some());
        for source in [
            "data:image/svg+xml;base64,PHN2Zz4=",
            "data:text/html;base64,PHN2Zz4=",
            "data:image/png,raw",
            "data:image/png;base64,<script>",
            "http://a.example/x.png",
        ] {
            assert_eq!(pixels(source), None, "{source}");
        }
    }
}
