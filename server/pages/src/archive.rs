//! A page as it was, to keep: its text, structure and look in one file that runs nothing and loads
//! nothing, whoever opens it.

use crate::article::base_of;
use crate::sanitise::{self, escape};
use crate::{address, metadata, shallow};
use dom_query::{Document, NodeRef};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use url::Url;

/// Larger images, and those past the sum, become links.
const LARGEST_IMAGE_BYTES: usize = 512 << 10;
const ALL_IMAGES_BYTES: usize = 4 << 20;
const LARGEST_PLACEHOLDER_BYTES: usize = 1000;
const TITLE_CHARACTERS: usize = 300;

const POLICY: &str = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";

/// A copy of a page that can be shown anywhere: no script, handler, form, frame, outside style or
/// outside image; images are links, or stay where they were in the page itself and are small. Its first
/// line says where and when it was taken. It takes what a server sent as well as what a browser
/// showed.
pub fn archive(html: &str, url: &Url, now: OffsetDateTime) -> String {
    let (document, _) = shallow::parse(html);
    let base = base_of(&document, url);
    let title = document.select_single("title").text();
    let title = metadata::tidy(&title, TITLE_CHARACTERS).unwrap_or_default();
    let root = document.html_root();
    let language = root.attr("lang").map(|lang| format!(" lang=\"{}\"", escape(&lang))).unwrap_or_default();
    let is_right = root.attr("dir").is_some_and(|dir| dir.trim().eq_ignore_ascii_case("rtl"));
    let direction = if is_right { " dir=\"rtl\"" } else { "" };
    turn_media_into_links(&document, &base);
    let body = document.body().map(|body| body.inner_html().to_string()).unwrap_or_default();
    let body = sanitise::kept(&body, &base);
    format!(
        "<!DOCTYPE html>\n<html{language}{direction}><head>\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\
         <meta charset=\"utf-8\"><meta name=\"referrer\" content=\"no-referrer\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{}</title></head><body>\n\
         {}\n{body}\n</body></html>\n",
        escape(&title),
        source_line(url, now),
    )
}

fn source_line(url: &Url, now: OffsetDateTime) -> String {
    let mut url = url.clone();
    // What is kept is shown to others. An address without a host has neither, which is as well.
    let _ = (url.set_username(""), url.set_password(None));
    let shown = escape(url.as_str());
    let source = match url.scheme() {
        "http" | "https" => {
            format!("<a href=\"{shown}\" target=\"_blank\" rel=\"noopener noreferrer nofollow\">{shown}</a>")
        }
        _ => shown,
    };
    let moment =
        now.replace_nanosecond(0).unwrap_or(now).format(&Rfc3339).unwrap_or_else(|_| now.to_string());
    format!("<p dir=\"ltr\">{source} · <time datetime=\"{moment}\">{moment}</time></p><hr>")
}

fn turn_media_into_links(document: &Document, base: &Url) {
    let mut room = ALL_IMAGES_BYTES;
    for image in document.select("img").iter().filter_map(|image| image.nodes().first().copied()) {
        if keeps_pixels(&image, &mut room) {
            continue;
        }
        let alt = image.attr("alt").and_then(|alt| metadata::tidy(&alt, TITLE_CHARACTERS));
        let source = image_source(&image).and_then(|source| address::web(base, &source));
        turn_into_link(document, &image, source.as_ref(), alt.as_deref().unwrap_or("image"));
    }
    for media in document.select("video, audio, iframe, embed, object").iter() {
        let Some(media) = media.nodes().first().copied() else { continue };
        let own = media.attr("src").or_else(|| media.attr("data"));
        let inner = || document_source(&media);
        let source = own.map(|source| source.to_string()).or_else(inner);
        let source = source.and_then(|source| address::web(base, &source));
        let label = media.attr("title").and_then(|title| metadata::tidy(&title, TITLE_CHARACTERS));
        let kind = media.node_name().unwrap_or_default();
        turn_into_link(document, &media, source.as_ref(), label.as_deref().unwrap_or(&kind));
    }
}

fn document_source(media: &NodeRef<'_>) -> Option<String> {
    media.descendants_it().find(|node| node.has_name("source"))?.attr("src").map(|source| source.to_string())
}

fn keeps_pixels(image: &NodeRef<'_>, room: &mut usize) -> bool {
    let source = image.attr("src").unwrap_or_default();
    let fits = source.len() <= LARGEST_IMAGE_BYTES && source.len() <= *room;
    // A page that loads its images late shows a dot until then.
    let is_placeholder = source.len() < LARGEST_PLACEHOLDER_BYTES && image_source(image).is_some();
    if fits && !is_placeholder && sanitise::pixels(&source).is_some() {
        *room -= source.len();
        return true;
    }
    false
}

/// Where an image lies outside of the page, wherever the page says so.
fn image_source(image: &NodeRef<'_>) -> Option<String> {
    let sources = ["data-src", "data-original", "data-lazy-src", "src"].into_iter();
    let single = sources.filter_map(|name| image.attr(name)).map(|source| source.trim().to_owned());
    let sets = ["srcset", "data-srcset"].into_iter().filter_map(|name| image.attr(name));
    let first_of_set = sets.filter_map(|set| set.split_whitespace().next().map(str::to_owned));
    single.chain(first_of_set).find(|source| !source.is_empty() && !source.starts_with("data:"))
}

/// A link in a link is none: there the words stay, and the link to the image follows.
fn turn_into_link(document: &Document, node: &NodeRef<'_>, to: Option<&Url>, label: &str) {
    let style = node.attr("style");
    node.remove_all_attrs();
    let label = format!("[{label}]");
    node.set_text(label.as_str());
    let Some(to) = to else {
        node.rename("span");
        return;
    };
    // Found before anything is changed: the search borrows the tree.
    let outer = node.ancestors(None).into_iter().find(|ancestor| ancestor.has_name("a"));
    match outer {
        None => {
            node.rename("a");
            node.set_attr("href", to.as_str());
        }
        Some(outer) => {
            node.rename("span");
            let link = document.tree.new_element("a");
            link.set_attr("href", to.as_str());
            link.set_text(label.as_str());
            outer.insert_after(&link);
        }
    }
    // Hidden stays hidden.
    if style.is_some_and(|style| style.replace(' ', "").contains("display:none")) {
        node.set_attr("style", "display:none");
    }
}
