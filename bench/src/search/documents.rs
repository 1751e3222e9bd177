//! The documents of the labelled set, in the formats that people keep them in, and the questions about them. The
//! texts are the project's own. Where LibreOffice is installed it makes the PDFs and Office files.

use anyhow::{Context, Result, ensure};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const TEXTS: [&str; 4] = [
    include_str!("../../search/corpus-1.txt"),
    include_str!("../../search/corpus-2.txt"),
    include_str!("../../search/corpus-3.txt"),
    include_str!("../../search/corpus-4.txt"),
];

pub struct Document {
    pub format: &'static str,
    pub title: &'static str,
    pub text: &'static str,
}

pub struct Question {
    /// `words`, `paraphrase`, `identifier`, `language`.
    pub kind: &'static str,
    pub text: &'static str,
    /// The place of the document that answers it.
    pub answer: usize,
}

/// Each document stands under `## name | format | title`, its questions in lines `? kind: question`.
pub fn all() -> Result<(Vec<Document>, Vec<Question>)> {
    let (mut documents, mut questions) = (Vec::new(), Vec::new());
    for section in
        TEXTS.iter().flat_map(|text| text.split("\n## ").map(|part| part.trim_start_matches("## ")))
    {
        let (head, rest) = section.split_once('\n').context("a document has no text")?;
        let mut head = head.split(" | ").skip(1);
        let (format, title) = head.next().zip(head.next()).context("a document has no format or title")?;
        let text = rest.split("\n? ").next().unwrap_or_default().trim();
        for line in rest.lines().filter_map(|line| line.strip_prefix("? ")) {
            let (kind, text) = line.split_once(": ").context("a question has no kind")?;
            questions.push(Question { kind, text, answer: documents.len() });
        }
        documents.push(Document { format, title, text });
    }
    ensure!(documents.len() >= 200 && questions.len() >= 150, "the labelled set is too small");
    Ok((documents, questions))
}

impl Document {
    fn html(&self) -> String {
        let paragraphs: Vec<String> =
            self.text.lines().map(|line| format!("<p>{}</p>", escaped(line))).collect();
        format!(
            "<!doctype html><html><head><meta charset=\"utf-8\"><title>{title}</title></head><body><h1>{title}</h1>{}</body></html>",
            paragraphs.join("\n"),
            title = escaped(self.title)
        )
    }

    /// One slide with a heading and a text, as LibreOffice reads it.
    fn slide(&self) -> String {
        let frame = |y: u32, height: u32, text: &str| {
            format!(
                "<draw:frame svg:x=\"2cm\" svg:y=\"{y}cm\" svg:width=\"22cm\" svg:height=\"{height}cm\"><draw:text-box><text:p>{}</text:p></draw:text-box></draw:frame>",
                escaped(text)
            )
        };
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><office:document xmlns:office=\"urn:oasis:names:tc:opendocument:xmlns:office:1.0\" xmlns:draw=\"urn:oasis:names:tc:opendocument:xmlns:drawing:1.0\" xmlns:text=\"urn:oasis:names:tc:opendocument:xmlns:text:1.0\" xmlns:svg=\"urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0\" office:version=\"1.3\" office:mimetype=\"application/vnd.oasis.opendocument.presentation\"><office:body><office:presentation><draw:page draw:name=\"One\">{}{}</draw:page></office:presentation></office:body></office:document>",
            frame(2, 3, self.title),
            frame(6, 12, self.text)
        )
    }

    fn mail(&self) -> String {
        format!(
            "From: Somebody <somebody@example.org>\r\nTo: You <you@example.org>\r\nSubject: {}\r\nDate: Mon, 3 Nov 2025 09:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{}\r\n",
            self.title, self.text
        )
    }

    /// A table of what stands between commas and full stops.
    fn table(&self) -> String {
        let rows: Vec<String> = self.text.split(". ").map(|row| row.replace(", ", ",")).collect();
        rows.join("\n")
    }

    fn name(&self, extension: &str) -> String {
        let title = self.title.replace(['/', ':'], "-");
        match title.ends_with(&format!(".{extension}")) {
            true => title,
            false => format!("{title}.{extension}"),
        }
    }

    /// What LibreOffice makes it from: the extension, the bytes, and the extension of what is wanted.
    fn source(&self) -> Option<(&'static str, String)> {
        match self.format {
            "pdf" | "docx" => Some(("html", self.html())),
            "pptx" => Some(("fodp", self.slide())),
            "xlsx" => Some(("csv", self.table())),
            _ => None,
        }
    }

    fn plain(&self) -> (&'static str, String) {
        match self.format {
            "html" | "pdf" | "docx" | "pptx" => ("html", self.html()),
            "eml" => ("eml", self.mail()),
            "csv" | "xlsx" => ("csv", self.table()),
            format => (format, self.text.to_owned()),
        }
    }
}

pub struct File {
    pub name: String,
    pub bytes: Vec<u8>,
}

/// A file for each document. Gives also how many were made by LibreOffice.
pub fn files(documents: &[Document], folder: &Path) -> Result<(Vec<File>, usize)> {
    let office = converted(documents, folder)?;
    let mut files = Vec::new();
    for (at, document) in documents.iter().enumerate() {
        files.push(match office.get(&at) {
            Some(path) => File { name: document.name(document.format), bytes: fs::read(path)? },
            None => {
                let (extension, text) = document.plain();
                File { name: document.name(extension), bytes: text.into_bytes() }
            }
        });
    }
    Ok((files, office.len()))
}

/// The documents that LibreOffice made, by their place; none where it is not installed.
fn converted(documents: &[Document], folder: &Path) -> Result<BTreeMap<usize, PathBuf>> {
    let mut made = BTreeMap::new();
    let version =
        Command::new("soffice").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !version.is_ok_and(|status| status.success()) {
        return Ok(made);
    }
    for format in ["pdf", "docx", "pptx", "xlsx"] {
        let mut command = Command::new("soffice");
        command.arg(format!("-env:UserInstallation=file://{}", folder.join("profile").display()));
        // As a web page a text would lose its pages.
        if format == "docx" || format == "pdf" {
            command.arg("--infilter=HTML (StarWriter)");
        }
        command.args(["--headless", "--convert-to", format, "--outdir"]).arg(folder.join(format));
        let of_format = documents.iter().enumerate().filter(|(_, document)| document.format == format);
        for (at, document) in of_format.clone() {
            let Some((extension, text)) = document.source() else { continue };
            let path = folder.join(format!("{at}.{extension}"));
            fs::write(&path, text)?;
            command.arg(path);
        }
        command.stdout(Stdio::null()).stderr(Stdio::null()).status().context("LibreOffice did not start")?;
        let paths = of_format.map(|(at, _)| (at, folder.join(format).join(format!("{at}.{format}"))));
        made.extend(paths.filter(|(_, path)| path.is_file()));
    }
    Ok(made)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
