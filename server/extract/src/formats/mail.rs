//! Mail as kept in a file: who, when and what about, the body, and the names of what was attached.

use crate::document::{Document, Kind, Place};
use crate::failure::Failure;
use crate::formats::html;
use crate::limits::Reading;
use mail_parser::{Address, Message, MessageParser, MimeHeaders};

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
    Ok(document)
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
    let name =
        |part: &mail_parser::MessagePart| part.attachment_name().unwrap_or("(without a name)").to_owned();
    message.attachments().map(name).collect()
}
