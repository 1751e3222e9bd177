//! What is made of a page's bytes: something to read, something to keep, and what it says of itself.
//! Pure but for the child process that cuts it into sections; it knows no row.

use super::row::{Facts, Kind};
use crate::{Error, Result};
use extract::{Document, Extractor, Failure, Place};
use pages::{Article, Content, TextDirection, archive, article};
use std::io::Cursor;
use time::OffsetDateTime;
use tokio::sync::Semaphore;
use url::Url;

/// Pages that are worked on at once: each takes a processor for as long as it is large.
static HANDS: Semaphore = Semaphore::const_new(2);

/// What is kept of a page.
pub(super) struct Made {
    pub title: Option<String>,
    pub facts: Facts,
    pub document: Document,
    pub markdown: String,
    pub archive: Vec<u8>,
    /// Where its picture lies.
    pub image: Option<Url>,
}

pub(super) enum Unreadable {
    /// For the person.
    Page(String),
    /// It may go by itself.
    Server(Error),
}

impl From<Error> for Unreadable {
    fn from(error: Error) -> Self {
        Self::Server(error)
    }
}

/// Makes something of what lay at an address.
pub(super) async fn make(
    extractor: &Extractor,
    url: &Url,
    content: Content,
) -> std::result::Result<Made, Unreadable> {
    match content {
        Content::Html(html) => of_html(extractor, url, html).await,
        Content::Text(text) => {
            let document = sections(extractor, "page.txt", text.clone().into_bytes()).await?;
            Ok(of_document(Kind::Text, document, text.into_bytes()))
        }
        Content::Pdf(bytes) => {
            let document = sections(extractor, "page.pdf", bytes.to_vec()).await?;
            Ok(of_document(Kind::Pdf, document, bytes.to_vec()))
        }
    }
}

async fn of_html(extractor: &Extractor, url: &Url, html: String) -> std::result::Result<Made, Unreadable> {
    let (article, archive) = read(url.clone(), html).await?;
    let markdown = without_title(&article.markdown, &article.title).to_owned();
    if markdown.trim().is_empty() {
        return Err(Unreadable::Page(
            "There is nothing to read on this page, or a program puts it there that only a browser runs. Open it and save it with the bookmarklet."
                .to_owned(),
        ));
    }
    let document = sections(extractor, "page.md", markdown.clone().into_bytes()).await?;
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let facts = Facts {
        content: Kind::Html,
        site: article.site,
        author: article.byline,
        published: article.published,
        language: article.language,
        excerpt: article.excerpt,
        image: false,
        words: count(article.words),
        minutes: count(article.reading_minutes),
        right_to_left: article.text_direction == TextDirection::RightToLeft,
        readable: article.readable,
    };
    let archive = archive.into_bytes();
    Ok(Made { title: Some(article.title), facts, document, markdown, archive, image: article.image })
}

/// The article and the copy of a page, on a thread that nobody waits for.
async fn read(url: Url, html: String) -> Result<(Article, String)> {
    let hand = HANDS.acquire().await.map_err(Error::internal)?;
    let work = tokio::task::spawn_blocking(move || {
        // held until it is done, also when nobody waits for it any more
        let _hand = hand;
        let now = OffsetDateTime::now_utc();
        (article(&html, &url, now), archive(&html, &url, now))
    });
    work.await.map_err(Error::internal)
}

async fn sections(
    extractor: &Extractor,
    name: &str,
    bytes: Vec<u8>,
) -> std::result::Result<Document, Unreadable> {
    match extractor.extract(name, None, Cursor::new(bytes), |_| {}).await {
        Ok(document) => Ok(document),
        Err(Failure::Unavailable { reason }) => Err(Error::internal(anyhow::anyhow!(reason)).into()),
        Err(failure) => Err(Unreadable::Page(failure.to_string())),
    }
}

fn of_document(content: Kind, document: Document, archive: Vec<u8>) -> Made {
    let markdown = joined(&document);
    let pages::Length { words, minutes } = pages::length(&markdown);
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let facts = Facts {
        content,
        author: document.author.clone(),
        published: document.created.clone(),
        language: document.language.clone(),
        words: count(words),
        minutes: count(minutes),
        readable: true,
        ..Facts::default()
    };
    Made { title: document.title.clone(), facts, document, markdown, archive, image: None }
}

/// Pages are told apart; other sections begin with what they are.
fn joined(document: &Document) -> String {
    let sections = document.sections.iter().map(|section| match section.place {
        Place::Page { number } => format!("[Page {number}]\n\n{}", section.markdown),
        _ => section.markdown.clone(),
    });
    sections.collect::<Vec<_>>().join("\n\n")
}

/// The title stands above the text already: a first heading that repeats it goes.
fn without_title<'a>(markdown: &'a str, title: &str) -> &'a str {
    let text = markdown.trim_start();
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let same = |a: &str, b: &str| {
        let plain = |text: &str| {
            let letters: String = text.chars().filter(|c| c.is_alphanumeric()).collect();
            letters.to_lowercase()
        };
        plain(a) == plain(b)
    };
    let heading = first.strip_prefix('#').map(|heading| heading.trim_start_matches('#'));
    match heading {
        Some(heading) if heading.starts_with(' ') && same(heading, title) && !rest.trim().is_empty() => {
            rest.trim_start()
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heading_that_repeats_the_title_goes_and_no_other() {
        assert_eq!(without_title("# Old *roses*\n\nText.", "Old Roses"), "Text.");
        assert_eq!(without_title("# Pruning\n\nText.", "Old Roses"), "# Pruning\n\nText.");
        assert_eq!(without_title("Old Roses\n\nText.", "Old Roses"), "Old Roses\n\nText.");
        assert_eq!(without_title("# Old Roses", "Old Roses"), "# Old Roses");
    }
}
