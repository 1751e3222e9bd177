//! What the Office Open XML formats share: relationships between parts, and the core properties.

use crate::archive::Archive;
use crate::document::Document;
use crate::failure::Failure;
use crate::xml;
use std::collections::HashMap;

/// Targets by relationship id, as paths inside the archive where they are internal.
pub(crate) type Relations = HashMap<String, Target>;

pub(crate) struct Target {
    pub path: String,
    pub kind: String,
}

pub(crate) fn relations(archive: &mut Archive, part: &str) -> Result<Relations, Failure> {
    let (folder, file) = part.rsplit_once('/').unwrap_or(("", part));
    let Some(text) = archive.text(&format!("{folder}/_rels/{file}.rels"))? else {
        return Ok(Relations::new());
    };
    let tree = xml::parse(&text)?;
    let found = tree.root_element().children().filter_map(|node| {
        let id = xml::attribute(node, "Id")?.to_owned();
        let target = xml::attribute(node, "Target")?;
        let outside = xml::attribute(node, "TargetMode") == Some("External");
        let path = if outside { target.to_owned() } else { joined(folder, target) };
        let kind = xml::attribute(node, "Type").unwrap_or_default().rsplit('/').next()?.to_owned();
        Some((id, Target { path, kind }))
    });
    Ok(found.collect())
}

/// A path relative to a folder of the archive, without `..`.
pub(crate) fn joined(folder: &str, target: &str) -> String {
    if let Some(absolute) = target.strip_prefix('/') {
        return absolute.to_owned();
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/') {
        match part {
            ".." => drop(parts.pop()),
            "." | "" => {}
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Title, author and date, from wherever the format keeps them.
pub(crate) fn describe(archive: &mut Archive, part: &str, document: &mut Document) -> Result<(), Failure> {
    let Some(text) = archive.text(part)? else { return Ok(()) };
    let tree = xml::parse(&text)?;
    let value = |name: &str| {
        let node = xml::find(tree.root(), name)?;
        node.text().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    document.title = value("title");
    document.author = value("creator").or_else(|| value("initial-creator"));
    document.created = value("created").or_else(|| value("creation-date")).and_then(|date| rfc3339(&date));
    Ok(())
}

/// Dates of office files are RFC 3339, or nearly: LibreOffice leaves out the offset.
pub(crate) fn rfc3339(date: &str) -> Option<String> {
    use time::OffsetDateTime;
    use time::format_description::well_known::Rfc3339;
    let seconds = date.get(..19)?;
    let whole = OffsetDateTime::parse(date, &Rfc3339)
        .or_else(|_| OffsetDateTime::parse(&format!("{seconds}Z"), &Rfc3339));
    whole.ok()?.format(&Rfc3339).ok()
}
