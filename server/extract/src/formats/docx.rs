//! Word documents: headings, lists, tables, links, emphasis and footnotes. Deleted text, comments and
//! layout are left out.

use crate::archive::Archive;
use crate::document::{Document, Kind};
use crate::failure::Failure;
use crate::limits::Reading;
use crate::markdown;
use crate::office::{self, Relations};
use crate::xml::{self, LocalName};
use roxmltree::Node;
use std::collections::HashMap;

pub(crate) fn read(bytes: &[u8], reading: &mut Reading) -> Result<Document, Failure> {
    let mut archive = Archive::open(bytes, reading.limits)?;
    let mut document = Document::new(Kind::Docx);
    office::describe(&mut archive, "docProps/core.xml", &mut document)?;
    let body = archive.text("word/document.xml")?.ok_or_else(|| Failure::damaged("its text is missing"))?;
    let word = Word {
        headings: headings(&mut archive)?,
        ordered: ordered_lists(&mut archive)?,
        relations: office::relations(&mut archive, "word/document.xml")?,
    };
    let tree = xml::parse(&body)?;
    let mut text = String::new();
    if let Some(body) = xml::find(tree.root(), "body") {
        word.blocks(body, &mut text);
    }
    if let Some(notes) = archive.text("word/footnotes.xml")? {
        word.footnotes(xml::parse(&notes)?.root_element(), &mut text);
    }
    document.title = document.title.or_else(|| markdown::first_heading(&text));
    markdown::sections_by_heading(&text, &mut document, reading)?;
    Ok(document)
}

struct Word {
    /// Level by style id.
    headings: HashMap<String, usize>,
    /// The numberings and levels that count rather than point.
    ordered: HashMap<(String, String), bool>,
    relations: Relations,
}

/// A style is a heading by its outline level or by its English name, which every translation keeps.
fn headings(archive: &mut Archive) -> Result<HashMap<String, usize>, Failure> {
    let Some(text) = archive.text("word/styles.xml")? else { return Ok(HashMap::new()) };
    let tree = xml::parse(&text)?;
    let styles = tree.root_element().children().filter(|node| node.has_tag_name_local("style"));
    let levels = styles.filter_map(|style| {
        let id = xml::attribute(style, "styleId")?.to_owned();
        let name = xml::attribute(xml::child(style, "name")?, "val")?.to_lowercase();
        let by_name = match name.as_str() {
            "title" => Some(1),
            name => name.strip_prefix("heading ").and_then(|level| level.parse().ok()),
        };
        Some((id, by_name.or_else(|| outline(xml::child(style, "pPr")?))?))
    });
    Ok(levels.collect())
}

/// Levels are written from zero; nine means running text.
fn outline(properties: Node) -> Option<usize> {
    let level: usize = xml::attribute(xml::child(properties, "outlineLvl")?, "val")?.parse().ok()?;
    (level < 9).then_some(level + 1)
}

fn ordered_lists(archive: &mut Archive) -> Result<HashMap<(String, String), bool>, Failure> {
    let Some(text) = archive.text("word/numbering.xml")? else { return Ok(HashMap::new()) };
    let tree = xml::parse(&text)?;
    let nodes = || tree.root_element().children();
    let mut formats: HashMap<(&str, &str), bool> = HashMap::new();
    for list in nodes().filter(|node| node.has_tag_name_local("abstractNum")) {
        let Some(id) = xml::attribute(list, "abstractNumId") else { continue };
        for level in list.children().filter(|node| node.has_tag_name_local("lvl")) {
            let format = xml::child(level, "numFmt").and_then(|node| xml::attribute(node, "val"));
            if let Some(number) = xml::attribute(level, "ilvl") {
                formats.insert((id, number), !matches!(format, Some("bullet" | "none")));
            }
        }
    }
    let mut ordered = HashMap::new();
    for list in nodes().filter(|node| node.has_tag_name_local("num")) {
        let of = xml::child(list, "abstractNumId").and_then(|node| xml::attribute(node, "val"));
        let (Some(id), Some(of)) = (xml::attribute(list, "numId"), of) else { continue };
        for ((_, level), is_ordered) in formats.iter().filter(|((list, _), _)| *list == of) {
            ordered.insert((id.to_owned(), (*level).to_owned()), *is_ordered);
        }
    }
    Ok(ordered)
}

impl Word {
    fn blocks(&self, parent: Node, text: &mut String) {
        for node in parent.children().filter(Node::is_element) {
            match node.tag_name().name() {
                "p" => self.paragraph(node, text),
                "tbl" => {
                    separate(text);
                    text.push_str(&markdown::table(&self.rows(node)));
                    text.push('\n');
                }
                "sdt" | "sdtContent" | "customXml" | "ins" => self.blocks(node, text),
                _ => {}
            }
        }
    }

    fn paragraph(&self, node: Node, text: &mut String) {
        let mut line = String::new();
        self.runs(node, &mut line);
        let line = line.trim();
        if line.is_empty() {
            return;
        }
        let properties = xml::child(node, "pPr");
        match (self.heading(properties), self.list(properties)) {
            (Some(level), _) => {
                separate(text);
                text.push_str(&format!("{} {}\n\n", "#".repeat(level.min(6)), line.replace('\n', " ")));
            }
            (None, Some((depth, mark))) => {
                let continued = line.replace('\n', &format!("\n{}", "   ".repeat(depth + 1)));
                text.push_str(&format!("{}{mark} {continued}\n", "   ".repeat(depth)));
            }
            (None, None) => {
                separate(text);
                text.push_str(&at_line_start(line));
                text.push_str("\n\n");
            }
        }
    }

    fn heading(&self, properties: Option<Node>) -> Option<usize> {
        let properties = properties?;
        let style = xml::child(properties, "pStyle").and_then(|style| xml::attribute(style, "val"));
        style.and_then(|style| self.headings.get(style).copied()).or_else(|| outline(properties))
    }

    /// Depth and mark of a list item.
    fn list(&self, properties: Option<Node>) -> Option<(usize, &'static str)> {
        let numbering = xml::child(properties?, "numPr")?;
        let id = xml::attribute(xml::child(numbering, "numId")?, "val")?;
        let level =
            xml::child(numbering, "ilvl").and_then(|level| xml::attribute(level, "val")).unwrap_or("0");
        // Zero takes a paragraph out of its style's list.
        if id == "0" {
            return None;
        }
        let ordered = self.ordered.get(&(id.to_owned(), level.to_owned())).copied().unwrap_or(false);
        Some((level.parse().unwrap_or(0).min(8), if ordered { "1." } else { "-" }))
    }

    fn runs(&self, parent: Node, line: &mut String) {
        for node in parent.children().filter(Node::is_element) {
            match node.tag_name().name() {
                "r" => self.run(node, line),
                "hyperlink" => self.link(node, line),
                // What older programs show instead of the shape beside it.
                "Fallback" | "pPr" | "del" | "moveFrom" => {}
                _ => self.runs(node, line),
            }
        }
    }

    fn run(&self, run: Node, line: &mut String) {
        let mut text = String::new();
        self.run_content(run, &mut text);
        let is_on = |name: &str| {
            let mark = xml::child(run, "rPr").and_then(|properties| xml::child(properties, name));
            mark.is_some_and(|mark| !matches!(xml::attribute(mark, "val"), Some("0" | "false" | "none")))
        };
        let mark = match (is_on("b"), is_on("i")) {
            (true, true) => "***",
            (true, false) => "**",
            (false, true) => "*",
            (false, false) => "",
        };
        append_marked(line, &text, mark);
    }

    fn run_content(&self, run: Node, text: &mut String) {
        for node in run.children().filter(Node::is_element) {
            match node.tag_name().name() {
                "t" => text.push_str(&markdown::escaped(node.text().unwrap_or_default())),
                "tab" => text.push(' '),
                "br" | "cr" => text.push('\n'),
                "noBreakHyphen" => text.push('-'),
                "footnoteReference" => {
                    text.push_str(&format!("[^{}]", xml::attribute(node, "id").unwrap_or_default()));
                }
                // Text boxes are drawn inside a run.
                "drawing" | "pict" | "AlternateContent" => self.boxes(node, text),
                _ => {}
            }
        }
    }

    fn boxes(&self, node: Node, text: &mut String) {
        for child in node.children().filter(Node::is_element) {
            match child.tag_name().name() {
                "Fallback" => {}
                "txbxContent" => {
                    for paragraph in child.children().filter(|node| node.has_tag_name_local("p")) {
                        text.push('\n');
                        self.runs(paragraph, text);
                    }
                }
                _ => self.boxes(child, text),
            }
        }
    }

    fn link(&self, node: Node, line: &mut String) {
        let mut label = String::new();
        self.runs(node, &mut label);
        let target = xml::relation(node).and_then(|id| self.relations.get(id));
        match target {
            Some(target) if !label.trim().is_empty() => {
                line.push_str(&format!("[{label}](<{}>)", target.path.replace(['<', '>', '\n'], "")));
            }
            _ => line.push_str(&label),
        }
    }

    fn rows(&self, table: Node) -> Vec<Vec<String>> {
        let rows = table.children().filter(|node| node.has_tag_name_local("tr"));
        let cells = |row: Node| {
            let cells = row.children().filter(|node| node.has_tag_name_local("tc"));
            cells.map(|cell| self.cell(cell)).collect()
        };
        rows.map(cells).collect()
    }

    /// Tables in a table become lines of their cell: Markdown has no nesting.
    fn cell(&self, cell: Node) -> String {
        let mut lines = Vec::new();
        for node in cell.children().filter(Node::is_element) {
            match node.tag_name().name() {
                "p" => {
                    let mut line = String::new();
                    self.runs(node, &mut line);
                    lines.push(line);
                }
                "tbl" => lines.extend(self.rows(node).into_iter().map(|row| row.join(" / "))),
                _ => {}
            }
        }
        lines.join("\n").trim().to_owned()
    }

    fn footnotes(&self, root: Node, text: &mut String) {
        let notes = root.children().filter(|node| node.has_tag_name_local("footnote"));
        // Those with a type draw the line above the notes.
        for note in notes.filter(|note| xml::attribute(*note, "type").is_none()) {
            let mut line = String::new();
            self.runs(note, &mut line);
            separate(text);
            let id = xml::attribute(note, "id").unwrap_or_default();
            text.push_str(&format!("[^{id}]: {}\n", line.trim().replace('\n', " ")));
        }
    }
}

/// Word splits one bold phrase into many runs: marks that would touch are joined.
fn append_marked(line: &mut String, text: &str, mark: &str) {
    let core = text.trim();
    if mark.is_empty() || core.is_empty() {
        line.push_str(text);
        return;
    }
    let before = &text[..text.len() - text.trim_start().len()];
    let after = &text[text.trim_end().len()..];
    let joins = before.is_empty()
        && line.ends_with(mark)
        && !line.ends_with(&format!("\\{mark}"))
        && !line[..line.len() - mark.len()].ends_with('*');
    if joins {
        line.truncate(line.len() - mark.len());
        line.push_str(&format!("{core}{mark}{after}"));
    } else {
        line.push_str(&format!("{before}{mark}{core}{mark}{after}"));
    }
}

fn separate(text: &mut String) {
    if !text.is_empty() && !text.ends_with("\n\n") {
        text.push('\n');
    }
}

/// A paragraph that begins with a number sign or a dash is still a paragraph.
fn at_line_start(line: &str) -> String {
    match line.as_bytes().first() {
        Some(b'#' | b'-' | b'+' | b'>' | b'=') => format!("\\{line}"),
        _ => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phrase_split_into_runs_is_marked_once() {
        let mut line = String::from("an ");
        append_marked(&mut line, "im", "**");
        append_marked(&mut line, "portant ", "**");
        append_marked(&mut line, "word", "");
        assert_eq!(line, "an **important** word");
    }
}
