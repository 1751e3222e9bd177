//! What a file is: told by its bytes first, by its name second, by what the sender declared last.

use crate::archive::Archive;
use crate::failure::Failure;
use crate::formats::plain;
use crate::limits::Limits;
use infer::MatcherType;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Format {
    Pdf,
    Docx,
    Pptx,
    Xlsx,
    Xls,
    Ods,
    Epub,
    Csv,
    Html,
    Markdown,
    Text,
    Code(&'static str),
    Email,
    Image(&'static str),
    Audio(&'static str),
    Video(&'static str),
}

pub(crate) fn detect(
    name: &str,
    declared: Option<&str>,
    bytes: &[u8],
    limits: &Limits,
) -> Result<Format, Failure> {
    if bytes.is_empty() {
        return Err(Failure::Empty);
    }
    if is_pdf(bytes) {
        return Ok(Format::Pdf);
    }
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
        return packed(bytes, limits);
    }
    if bytes.starts_with(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1") {
        return compound(bytes);
    }
    // Before the other marks: two letters at the start of a letter can be those of an image.
    if let Some((text, _)) = plain::decode(bytes) {
        return textual(name, declared, &text);
    }
    let Some(known) = infer::get(bytes) else {
        return Err(Failure::unsupported(extension(name).unwrap_or_else(|| "unknown binary data".into())));
    };
    match known.matcher_type() {
        MatcherType::Image => Ok(Format::Image(known.mime_type())),
        MatcherType::Audio => Ok(Format::Audio(known.mime_type())),
        MatcherType::Video => Ok(Format::Video(known.mime_type())),
        _ => Err(Failure::unsupported(known.mime_type())),
    }
}

/// Printers and mail gateways put a few lines before the mark; but a text may also speak of it.
fn is_pdf(bytes: &[u8]) -> bool {
    let holds = |bytes: &[u8], mark: &[u8]| bytes.windows(mark.len()).any(|window| window == mark);
    bytes.starts_with(b"%PDF-")
        || (holds(&bytes[..bytes.len().min(1024)], b"%PDF-")
            && (holds(bytes, b"startxref") || plain::decode(bytes).is_none()))
}

/// Office files are archives that differ in one part.
fn packed(bytes: &[u8], limits: &Limits) -> Result<Format, Failure> {
    const BY_PART: [(&str, Format); 3] = [
        ("word/document.xml", Format::Docx),
        ("ppt/presentation.xml", Format::Pptx),
        ("xl/workbook.xml", Format::Xlsx),
    ];
    let mut archive = Archive::open(bytes, limits)?;
    let names = archive.names();
    let by_part = BY_PART.into_iter().find(|(part, _)| names.iter().any(|name| name == part));
    if let Some((_, format)) = by_part {
        return Ok(format);
    }
    let declared = archive.text("mimetype")?.unwrap_or_default();
    let manifest = archive.text("META-INF/manifest.xml")?.unwrap_or_default();
    match declared.trim() {
        _ if manifest.contains("encryption-data") => Err(Failure::Encrypted),
        "application/epub+zip" => Ok(Format::Epub),
        "application/vnd.oasis.opendocument.spreadsheet" => Ok(Format::Ods),
        other if other.starts_with("application/vnd.oasis") => Err(Failure::unsupported(other)),
        _ if names.iter().any(|name| name == "META-INF/container.xml") => Ok(Format::Epub),
        _ if names.iter().any(|name| name == "xl/workbook.bin") => Err(Failure::unsupported("xlsb")),
        _ => Err(Failure::unsupported("application/zip")),
    }
}

/// The container of Office before 2007, and of newer files behind a password.
fn compound(bytes: &[u8]) -> Result<Format, Failure> {
    let holds = |name: &str| {
        let wide: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        bytes.windows(wide.len()).any(|window| window == wide)
    };
    if holds("EncryptedPackage") {
        return Err(Failure::Encrypted);
    }
    if holds("Workbook") {
        return Ok(Format::Xls);
    }
    let what = [("WordDocument", "doc"), ("PowerPoint Document", "ppt"), ("__properties_version1.0", "msg")];
    let known = what.into_iter().find(|(stream, _)| holds(stream));
    Err(Failure::unsupported(known.map_or("an old office file", |(_, what)| what)))
}

fn textual(name: &str, declared: Option<&str>, text: &str) -> Result<Format, Failure> {
    if text.trim().is_empty() {
        return Err(Failure::Empty);
    }
    if is_mail(text) {
        return Ok(Format::Email);
    }
    let by_name = by_name(name);
    if is_page(text) && !matches!(by_name, Some(Format::Code(_) | Format::Markdown)) {
        return Ok(Format::Html);
    }
    if text.starts_with("{\\rtf") {
        return Err(Failure::unsupported("rtf"));
    }
    Ok(by_name.or_else(|| by_type(declared?)).unwrap_or(Format::Text))
}

fn is_page(text: &str) -> bool {
    let start: String = text.trim_start().chars().take(14).collect::<String>().to_ascii_lowercase();
    start.starts_with("<!doctype html") || start.starts_with("<html")
}

/// Three headers that mail has, among the first lines, and nothing but headers before them.
fn is_mail(text: &str) -> bool {
    const HEADERS: [&str; 11] = [
        "from",
        "to",
        "subject",
        "date",
        "received",
        "return-path",
        "message-id",
        "mime-version",
        "delivered-to",
        "content-type",
        "reply-to",
    ];
    let mut found = 0;
    for line in text.lines().take(60).take_while(|line| !line.is_empty()) {
        if line.starts_with([' ', '\t']) || line.starts_with("From ") {
            continue;
        }
        match line.split_once(':') {
            Some((name, _)) if HEADERS.contains(&name.to_ascii_lowercase().as_str()) => found += 1,
            Some((name, _)) if !name.contains(' ') => {}
            _ => return false,
        }
    }
    found >= 3
}

fn extension(name: &str) -> Option<String> {
    let file = name.rsplit(['/', '\\']).next()?;
    file.rsplit_once('.').map(|(_, extension)| extension.to_lowercase())
}

fn by_type(declared: &str) -> Option<Format> {
    match declared.split(';').next()?.trim().to_ascii_lowercase().as_str() {
        "text/csv" | "text/tab-separated-values" => Some(Format::Csv),
        "text/html" | "application/xhtml+xml" => Some(Format::Html),
        "text/markdown" => Some(Format::Markdown),
        "application/json" => Some(Format::Code("json")),
        "application/yaml" | "text/yaml" => Some(Format::Code("yaml")),
        "application/sql" => Some(Format::Code("sql")),
        "text/javascript" | "application/javascript" => Some(Format::Code("javascript")),
        _ => None,
    }
}

fn by_name(name: &str) -> Option<Format> {
    let file = name.rsplit(['/', '\\']).next()?.to_lowercase();
    match file.as_str() {
        "dockerfile" | "containerfile" => return Some(Format::Code("dockerfile")),
        "makefile" | "gnumakefile" => return Some(Format::Code("makefile")),
        _ => {}
    }
    let code = match extension(name)?.as_str() {
        "csv" | "tsv" => return Some(Format::Csv),
        "html" | "htm" | "xhtml" => return Some(Format::Html),
        "md" | "markdown" | "mdx" => return Some(Format::Markdown),
        "rs" => "rust",
        "py" | "pyi" => "python",
        "ts" | "mts" | "cts" => "typescript",
        "tsx" => "tsx",
        "js" | "jsx" | "mjs" | "cjs" => "javascript",
        "go" => "go",
        "sql" => "sql",
        "json" | "geojson" | "webmanifest" => "json",
        "toml" => "toml",
        "yaml" | "yml" => "yaml",
        "c" | "h" => "c",
        "cc" | "cpp" | "cxx" | "hpp" | "hh" => "cpp",
        "cs" => "csharp",
        "java" => "java",
        "kt" | "kts" => "kotlin",
        "swift" => "swift",
        "scala" => "scala",
        "rb" => "ruby",
        "php" => "php",
        "pl" | "pm" => "perl",
        "lua" => "lua",
        "r" => "r",
        "jl" => "julia",
        "hs" => "haskell",
        "ml" | "mli" => "ocaml",
        "ex" | "exs" => "elixir",
        "erl" => "erlang",
        "clj" | "cljs" => "clojure",
        "dart" => "dart",
        "zig" => "zig",
        "nix" => "nix",
        "sh" | "bash" | "zsh" | "fish" => "sh",
        "ps1" => "powershell",
        "css" => "css",
        "scss" | "sass" => "scss",
        "xml" | "xsd" | "xsl" | "svg" | "plist" => "xml",
        "vue" => "vue",
        "svelte" => "svelte",
        "proto" => "protobuf",
        "graphql" | "gql" => "graphql",
        "tf" | "hcl" => "hcl",
        "ini" | "cfg" | "conf" => "ini",
        "jsonl" | "ndjson" => "jsonl",
        "tex" => "latex",
        _ => return None,
    };
    Some(Format::Code(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(name: &str, bytes: &[u8]) -> Result<Format, Failure> {
        detect(name, None, bytes, &Limits::default())
    }

    #[test]
    fn the_bytes_are_believed_before_the_name() {
        assert_eq!(told("report.pdf", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), Ok(Format::Image("image/png")));
        assert_eq!(told("photo.png", b"%PDF-1.7\n"), Ok(Format::Pdf));
        assert_eq!(told("notes.txt", b"<!DOCTYPE html><p>x"), Ok(Format::Html));
        assert_eq!(told("letter.docx", b"just words"), Ok(Format::Text));
        let mail = b"From: a@example.org\nTo: b@example.org\nSubject: x\n\nhello";
        assert_eq!(told("saved.txt", mail), Ok(Format::Email));
        assert_eq!(told("car", b"BMW sells cars. Their files begin with %PDF-1.7."), Ok(Format::Text));
    }

    #[test]
    fn among_texts_the_name_decides() {
        assert_eq!(told("a.RS", b"fn main() {}"), Ok(Format::Code("rust")));
        assert_eq!(told("dir/Dockerfile", b"FROM x"), Ok(Format::Code("dockerfile")));
        assert_eq!(told("a.tsv", b"a\tb"), Ok(Format::Csv));
        assert_eq!(
            detect("data", Some("text/csv; charset=utf-8"), b"a,b", &Limits::default()),
            Ok(Format::Csv)
        );
        assert_eq!(told("README", b"a: b\nc: d"), Ok(Format::Text));
    }

    #[test]
    fn what_cannot_be_read_says_what_it_is() {
        assert_eq!(
            told("x.exe", b"MZ\x90\0\x03\0\0\0"),
            Err(Failure::unsupported("application/vnd.microsoft.portable-executable"))
        );
        assert_eq!(told("x.bin", &[1, 0, 2, 0, 3]), Err(Failure::unsupported("bin")));
        assert_eq!(told("x.txt", b" \n"), Err(Failure::Empty));
        assert_eq!(told("x.pdf", b""), Err(Failure::Empty));
    }
}
