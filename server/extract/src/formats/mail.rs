//! Mail as kept in a file: who, when and what about, the body, and what was attached.

use crate::document::{Document, Kind, Place, Section};
use crate::failure::Failure;
use crate::formats::html;
use crate::in_process;
use crate::limits::Reading;
use mail_parser::{Address, Message, MessageParser, MessagePart, MimeHeaders};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A mail in a mail in a mail is read no further.
const DEEPEST: u8 = 3;
/// Attachments of one mail that are read; the others are named.
const MOST_ATTACHMENTS: usize = 50;

pub(crate) fn read(bytes: &[u8], reading: &mut Reading) -> Result<Document, Failure> {
    let message = MessageParser::default()
        .parse(bytes)
        .ok_or_else(|| Failure::damaged("its headers cannot be read"))?;
    let mut document = Document::new(Kind::Email);
    document.title = message.subject().map(str::to_owned);
    document.author = message.from().map(people);
    document.created = message.date().filter(|date| date.is_valid()).map(|date| date.to_rfc3339());
    for (name, address) in [("from", message.from()), ("to", message.to()), ("cc", message.cc())] {
        if let Some(address) = address {
            document.property(name, people(address));
        }
    }
    let attachments = attachments(&message);
    if !attachments.is_empty() {
        document.property("attachments", attachments.join(", "));
    }
    let text = markdown(&message, &document, &attachments)?;
    reading.section(&mut document, Place::Whole, text)?;
    read_attachments(&message, &mut document, reading);
    Ok(document)
}

/// What was attached, each in its own sections. What cannot be read does not cost the mail: it is said which.
fn read_attachments(message: &Message, document: &mut Document, reading: &mut Reading) {
    let mut unread = Vec::new();
    let depth = reading.depth + 1;
    for (count, part) in message.attachments().enumerate() {
        // whatever broke off inside the one before
        reading.depth = depth;
        let may_be_read = count < MOST_ATTACHMENTS && depth < DEEPEST && !reading.is_late();
        let name = attachment_name(part);
        let declared = part.content_type().map(|of| match of.subtype() {
            Some(subtype) => format!("{}/{subtype}", of.ctype()),
            None => of.ctype().to_owned(),
        });
        let mut read = || in_process::read(&name, declared.as_deref(), part.contents().to_vec(), reading);
        // a library that breaks off at one of them has read the others
        match may_be_read.then(|| catch_unwind(AssertUnwindSafe(&mut read))) {
            Some(Ok(Ok(attached))) => {
                let placed = attached.sections.into_iter().map(|section| Section {
                    place: Place::Attachment { name: name.clone(), within: Box::new(section.place) },
                    markdown: section.markdown,
                });
                document.sections.extend(placed);
            }
            Some(_) | None => unread.push(name),
        }
    }
    reading.depth = depth - 1;
    if !unread.is_empty() {
        document.property("attachments_unread", unread.join(", "));
    }
}

/// The HTML body carries links and tables; the text body stands in where there is none.
fn markdown(message: &Message, document: &Document, attachments: &[String]) -> Result<String, Failure> {
    let mut text = format!("# {}\n\n", document.title.as_deref().unwrap_or("(no subject)"));
    for (label, name) in [("From", "from"), ("To", "to"), ("Cc", "cc")] {
        if let Some(value) = document.properties.get(name) {
            text.push_str(&format!("{label}: {}  \n", crate::markdown::escaped(value)));
        }
    }
    if let Some(date) = &document.created {
        text.push_str(&format!("Date: {date}  \n"));
    }
    if !attachments.is_empty() {
        text.push_str(&format!("Attachments: {}  \n", crate::markdown::escaped(&attachments.join(", "))));
    }
    text.push('\n');
    let has_html = message.html_bodies().any(|part| part.is_text_html());
    if has_html && let Some(body) = message.body_html(0) {
        text.push_str(html::page(&body)?.markdown.trim());
    } else if let Some(body) = message.body_text(0) {
        text.push_str(body.trim());
    }
    Ok(text)
}

fn people(address: &Address) -> String {
    let person = |person: &mail_parser::Addr| match (person.name(), person.address()) {
        (Some(name), Some(address)) => format!("{name} <{address}>"),
        (name, address) => name.or(address).unwrap_or_default().to_owned(),
    };
    address.iter().map(person).collect::<Vec<_>>().join(", ")
}

fn attachments(message: &Message) -> Vec<String> {
    message.attachments().map(attachment_name).collect()
}

fn attachment_name(part: &MessagePart) -> String {
    part.attachment_name().unwrap_or("(without a name)").to_owned()
}
