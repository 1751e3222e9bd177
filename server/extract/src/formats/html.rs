//! Web pages: what a reader sees, as Markdown, by heading. Scripts and styles are never kept.

use crate::document::{Document, Kind};
use crate::failure::Failure;
use crate::limits::Reading;
use crate::markdown;
use htmd::element_handler::{HandlerResult, Handlers};
use htmd::{Element, HtmlToMarkdown};
use std::sync::{Arc, Mutex, PoisonError};

const UNSEEN: [&str; 9] =
    ["script", "style", "noscript", "template", "svg", "iframe", "object", "canvas", "dialog"];

/// A page and what its head said.
#[derive(Default, Clone)]
pub(crate) struct Page {
    pub markdown: String,
    pub title: Option<String>,
    pub author: Option<String>,
    pub language: Option<String>,
}

pub(crate) fn read(html: &str, reading: &mut Reading) -> Result<Document, Failure> {
    let page = page(html)?;
    let mut document = Document::new(Kind::Html);
    document.title = page.title.or_else(|| markdown::first_heading(&page.markdown));
    document.author = page.author;
    document.language = page.language;
    markdown::sections_by_heading(&page.markdown, &mut document, reading)?;
    Ok(document)
}

pub(crate) fn page(html: &str) -> Result<Page, Failure> {
    let head = Arc::new(Mutex::new(Page::default()));
    let markdown = converter(&head).convert(html).map_err(Failure::damaged)?;
    let mut page = head.lock().unwrap_or_else(PoisonError::into_inner).clone();
    page.markdown = markdown;
    Ok(page)
}

fn converter(head: &Arc<Mutex<Page>>) -> HtmlToMarkdown {
    let note = |head: &Arc<Mutex<Page>>, change: &dyn Fn(&mut Page)| {
        change(&mut head.lock().unwrap_or_else(PoisonError::into_inner));
    };
    let (for_root, for_title, for_meta) = (head.clone(), head.clone(), head.clone());
    HtmlToMarkdown::builder()
        .scripting_enabled(false)
        .skip_tags(UNSEEN.to_vec())
        .add_handler(vec!["html"], move |handlers: &dyn Handlers, element: Element| {
            let language = attribute(&element, "lang").and_then(|tag| language(&tag));
            note(&for_root, &|page| page.language = language.clone());
            Some(handlers.walk_children(element.node))
        })
        .add_handler(
            vec!["title"],
            move |handlers: &dyn Handlers, element: Element| -> Option<HandlerResult> {
                let title = handlers.walk_children(element.node).content.trim().to_owned();
                note(&for_title, &|page| {
                    page.title = page.title.take().or((!title.is_empty()).then(|| title.clone()));
                });
                None
            },
        )
        .add_handler(vec!["meta"], move |_: &dyn Handlers, element: Element| -> Option<HandlerResult> {
            if attribute(&element, "name").is_some_and(|name| name.eq_ignore_ascii_case("author")) {
                let author = attribute(&element, "content").filter(|author| !author.is_empty());
                note(&for_meta, &|page| page.author = author.clone());
            }
            None
        })
        .build()
}

fn attribute(element: &Element, name: &str) -> Option<String> {
    element.attrs.iter().find(|attribute| &*attribute.name.local == name).map(|found| found.value.to_string())
}

/// `de-AT` is `de`.
pub(crate) fn language(tag: &str) -> Option<String> {
    let first = tag.split(['-', '_']).next()?.to_ascii_lowercase();
    (first.len() == 2 && first.bytes().all(|byte| byte.is_ascii_lowercase())).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_reader_does_not_see_is_not_read() {
        let html = "<html lang=de-AT><head><title>Über uns</title><style>b{}</style></head>\
            <body><script>steal()</script><h1>Hallo</h1><p>Wir <b>sind</b> da.</p></body></html>";
        let page = page(html).unwrap();
        assert_eq!(page.title.as_deref(), Some("Über uns"));
        assert_eq!(page.language.as_deref(), Some("de"));
        assert_eq!(page.markdown.trim(), "# Hallo\n\nWir **sind** da.");
    }
}
