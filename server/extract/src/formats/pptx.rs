//! Presentations: one section for each slide in the order shown, with tables and the speaker's notes.

use crate::archive::Archive;
use crate::document::{Document, Kind, Place};
use crate::failure::Failure;
use crate::limits::Reading;
use crate::markdown;
use crate::office;
use crate::xml::{self, LocalName};
use roxmltree::Node;

const MAIN: &str = "ppt/presentation.xml";

pub(crate) fn read(bytes: &[u8], reading: &mut Reading) -> Result<Document, Failure> {
    let mut archive = Archive::open(bytes, reading.limits)?;
    let mut document = Document::new(Kind::Pptx);
    office::describe(&mut archive, "docProps/core.xml", &mut document)?;
    let slides = slides(&mut archive)?;
    document.property("slides", slides.len());
    let of = u32::try_from(slides.len()).unwrap_or(u32::MAX);
    for (part, number) in slides.iter().zip(1..) {
        let slide = slide(&mut archive, part)?;
        document.title = document.title.or_else(|| slide.title.clone());
        reading.section(&mut document, Place::Slide { number }, slide.markdown())?;
        reading.done(number, of);
    }
    Ok(document)
}

/// Paths of the slides in the order of the presentation, which is not that of their names.
fn slides(archive: &mut Archive) -> Result<Vec<String>, Failure> {
    let text = archive.text(MAIN)?.ok_or_else(|| Failure::damaged("its list of slides is missing"))?;
    let relations = office::relations(archive, MAIN)?;
    let tree = xml::parse(&text)?;
    let Some(list) = xml::find(tree.root(), "sldIdLst") else { return Ok(Vec::new()) };
    let ids = list.children().filter_map(xml::relation);
    Ok(ids.filter_map(|id| relations.get(id)).map(|target| target.path.clone()).collect())
}

#[derive(Default)]
struct Slide {
    title: Option<String>,
    body: String,
    notes: String,
}

impl Slide {
    fn markdown(&self) -> String {
        let mut text = self.title.as_ref().map(|title| format!("## {title}\n\n")).unwrap_or_default();
        text.push_str(self.body.trim_end());
        if !self.notes.trim().is_empty() {
            text.push_str(&format!("\n\nNotes: {}", self.notes.trim()));
        }
        text
    }
}

fn slide(archive: &mut Archive, part: &str) -> Result<Slide, Failure> {
    let text = archive.text(part)?.ok_or_else(|| Failure::damaged("a slide is missing"))?;
    let mut slide = Slide::default();
    let tree = xml::parse(&text)?;
    if let Some(shapes) = xml::find(tree.root(), "spTree") {
        shapes_of(shapes, &mut slide);
    }
    let relations = office::relations(archive, part)?;
    if let Some(notes) = relations.values().find(|target| target.kind == "notesSlide")
        && let Some(text) = archive.text(&notes.path)?
    {
        let tree = xml::parse(&text)?;
        let bodies = tree.descendants().filter(|node| node.has_tag_name_local("sp"));
        for body in bodies.filter(|shape| matches!(placeholder(*shape), Some("body") | None)) {
            slide.notes.push_str(&paragraphs(body, ""));
        }
    }
    Ok(slide)
}

fn shapes_of(parent: Node, slide: &mut Slide) {
    for node in parent.children().filter(Node::is_element) {
        match node.tag_name().name() {
            "sp" => shape(node, slide),
            "grpSp" => shapes_of(node, slide),
            "graphicFrame" => {
                if let Some(table) = xml::find(node, "tbl") {
                    slide.body.push_str(&format!("\n{}\n", markdown::table(&rows(table))));
                }
            }
            "AlternateContent" => {
                if let Some(choice) = xml::child(node, "Choice") {
                    shapes_of(choice, slide);
                }
            }
            _ => {}
        }
    }
}

fn shape(node: Node, slide: &mut Slide) {
    match placeholder(node) {
        Some("title" | "ctrTitle") if slide.title.is_none() => {
            let title = paragraphs(node, "").split_whitespace().collect::<Vec<_>>().join(" ");
            slide.title = (!title.is_empty()).then_some(title);
        }
        // The same on every slide.
        Some("sldNum" | "dt" | "ftr" | "hdr") => {}
        Some("body" | "obj" | "") => slide.body.push_str(&paragraphs(node, "- ")),
        _ => slide.body.push_str(&paragraphs(node, "")),
    }
}

/// The role of a shape; empty where the layout's default applies, None for a free shape.
fn placeholder<'a>(shape: Node<'a, '_>) -> Option<&'a str> {
    let node = xml::at(shape, &["nvSpPr", "nvPr", "ph"])?;
    Some(xml::attribute(node, "type").unwrap_or(""))
}

fn paragraphs(node: Node, mark: &str) -> String {
    let mut text = String::new();
    for paragraph in node.descendants().filter(|node| node.has_tag_name_local("p")) {
        let line = line(paragraph);
        if line.trim().is_empty() {
            continue;
        }
        let level = xml::child(paragraph, "pPr").and_then(|properties| xml::attribute(properties, "lvl"));
        let depth: usize = level.and_then(|level| level.parse().ok()).unwrap_or(0).min(8);
        let indent = if mark.is_empty() { String::new() } else { "  ".repeat(depth) };
        text.push_str(&format!("{indent}{mark}{}\n", line.trim()));
        if mark.is_empty() {
            text.push('\n');
        }
    }
    text
}

fn line(paragraph: Node) -> String {
    let mut line = String::new();
    for node in paragraph.descendants().filter(Node::is_element) {
        match node.tag_name().name() {
            "t" => line.push_str(&markdown::escaped(node.text().unwrap_or_default())),
            "br" | "tab" => line.push(' '),
            _ => {}
        }
    }
    line
}

fn rows(table: Node) -> Vec<Vec<String>> {
    let rows = table.children().filter(|node| node.has_tag_name_local("tr"));
    let cells = |row: Node| {
        let cells = row.children().filter(|node| node.has_tag_name_local("tc"));
        cells.map(|cell| paragraphs(cell, "").trim().replace("\n\n", "\n")).collect()
    };
    rows.map(cells).collect()
}
