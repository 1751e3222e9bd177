//! Electronic books: one section for each chapter in reading order.

use crate::archive::Archive;
use crate::document::{Document, Kind, Place};
use crate::failure::Failure;
use crate::formats::html;
use crate::limits::Reading;
use crate::markdown;
use crate::office;
use crate::xml::{self, LocalName};
use std::collections::HashMap;

pub(crate) fn read(bytes: &[u8], reading: &mut Reading) -> Result<Document, Failure> {
    let mut archive = Archive::open(bytes, reading.limits)?;
    let names = archive.names();
    if names.iter().any(|name| name == "META-INF/rights.xml") {
        return Err(Failure::Encrypted);
    }
    let package = package(&mut archive)?;
    let text = archive.text(&package)?.ok_or_else(|| Failure::damaged("its table of contents is missing"))?;
    let mut document = Document::new(Kind::Epub);
    let chapters = chapters(&text, &package, &mut document)?;
    document.property("chapters", chapters.len());
    let of = u32::try_from(chapters.len()).unwrap_or(u32::MAX);
    for (part, number) in chapters.iter().zip(1..) {
        // Books that name a chapter which is not there exist and are read by every reader.
        let Some(bytes) = archive.read(part)? else { continue };
        let page = html::page(&encoding_rs::UTF_8.decode(&bytes).0)?;
        let title = markdown::first_heading(&page.markdown).or(page.title).unwrap_or_default();
        reading.section(&mut document, Place::Chapter { number, title }, page.markdown.trim())?;
        reading.done(number, of);
    }
    Ok(document)
}

fn package(archive: &mut Archive) -> Result<String, Failure> {
    let text = archive.text("META-INF/container.xml")?;
    let text = text.ok_or_else(|| Failure::damaged("the list of its parts is missing"))?;
    let tree = xml::parse(&text)?;
    let path = xml::find(tree.root(), "rootfile").and_then(|node| xml::attribute(node, "full-path"));
    path.map(str::to_owned).ok_or_else(|| Failure::damaged("the list of its parts is empty"))
}

/// Paths of the chapters; the book's own description goes to the document.
fn chapters(text: &str, package: &str, document: &mut Document) -> Result<Vec<String>, Failure> {
    let tree = xml::parse(text)?;
    let root = tree.root();
    let value = |name: &str| {
        let text = xml::find(root, name)?.text()?.trim();
        (!text.is_empty()).then(|| text.to_owned())
    };
    document.title = value("title");
    document.author = value("creator");
    document.language = value("language").and_then(|tag| html::language(&tag));
    document.created = value("date").and_then(|date| office::rfc3339(&date));
    let folder = package.rsplit_once('/').map_or("", |(folder, _)| folder);
    let items: HashMap<&str, &str> = root
        .descendants()
        .filter(|node| node.has_tag_name_local("item"))
        .filter_map(|item| Some((xml::attribute(item, "id")?, xml::attribute(item, "href")?)))
        .collect();
    let order = root.descendants().filter(|node| node.has_tag_name_local("itemref"));
    let paths = order.filter_map(|item| items.get(xml::attribute(item, "idref")?));
    Ok(paths.map(|href| office::joined(folder, &unescaped(href))).collect())
}

/// Paths are written as in addresses: `%20` for a space.
fn unescaped(href: &str) -> String {
    let mut bytes = Vec::with_capacity(href.len());
    let mut rest = href.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let code = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match code.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) if first == b'%' => {
                bytes.push(byte);
                rest = &after[2..];
            }
            _ => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
