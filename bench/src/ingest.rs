//! What it costs to read files shut in: the libraries alone, the reader around them in this process, and the same
//! through the jailed child, in turn; the child's memory; and how fast passages get their vectors.

use anyhow::{Context, Result, ensure};
use calamine::Reader as _;
use clap::Args;
use embeddings::{Embedder, MiniLm, Purpose, weights_folder};
use extract::{Extractor, Limits, in_process};
use std::fmt::Write as _;
use std::io::{Cursor, Write as _};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use zip::write::SimpleFileOptions;

const PAGES: usize = 300;
const PARAGRAPHS: usize = 4000;
const SHEETS: usize = 10;
const ROWS: usize = 2000;
const PASSAGES: usize = 120;
/// How often it is looked how much memory the child has.
const GLANCE: Duration = Duration::from_millis(2);
const SENTENCE: &str =
    "The harbour was quiet that morning, and the boats lay still beside the old stone wall. ";
/// Of the libraries' speed through the jail, and passages a second.
const SHARE: f64 = 0.9;
const RATE: f64 = 30.0;

#[derive(Args)]
pub struct Arguments {
    /// Files of one's own (.pdf, .xlsx, .docx) in place of those that are made.
    files: Vec<PathBuf>,
    /// Times that each is read; the quickest counts as what the machine can do.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Leaves the vectors out.
    #[arg(long)]
    extraction_only: bool,
}

struct Sample {
    name: String,
    bytes: Vec<u8>,
}

pub async fn run(arguments: Arguments) -> Result<()> {
    let samples = match arguments.files.is_empty() {
        true => vec![
            Sample { name: "made.pdf".into(), bytes: pdf(PAGES) },
            Sample { name: "made.xlsx".into(), bytes: xlsx()? },
            Sample { name: "made.docx".into(), bytes: docx()? },
        ],
        false => arguments.files.iter().map(read).collect::<Result<_>>()?,
    };
    say(
        "| file | units | library | reader in process | through the jail | of the library | memory of the child |",
    )?;
    say("| --- | --- | --- | --- | --- | --- | --- |")?;
    let mut reached = true;
    for sample in &samples {
        reached &= measure(sample, arguments.rounds.max(1)).await?;
    }
    if !arguments.extraction_only {
        reached &= vectors().await?;
    }
    ensure!(reached, "a goal was missed");
    Ok(())
}

fn read(path: &PathBuf) -> Result<Sample> {
    let bytes = std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
    Ok(Sample { name: path.to_string_lossy().into_owned(), bytes })
}

/// Prints a line; whether the goal is reached.
async fn measure(Sample { name, bytes }: &Sample, rounds: usize) -> Result<bool> {
    // Every page of a long one is read, so that all three do the same.
    let limits = Limits { pages: u32::MAX, rows: u32::MAX, ..Limits::default() };
    let extractor = Extractor::new(std::env::current_exe()?, vec!["extract".to_owned()], limits.clone());
    let (mut library, mut reader, mut jailed) = (None, Duration::MAX, Duration::MAX);
    let mut units = 0;
    for _ in 0..rounds {
        let began = Instant::now();
        if let Some(read) = by_library(name, bytes)? {
            units = read;
            library = Some(library.unwrap_or(Duration::MAX).min(began.elapsed()));
        }
        let began = Instant::now();
        let document = in_process(name, None, bytes.clone(), &limits, |_| {})?;
        reader = reader.min(began.elapsed());
        if library.is_none() {
            units = document.sections.len();
        }
        let began = Instant::now();
        let shut_in = extractor.extract(name, None, &bytes[..], |_| {}).await?;
        jailed = jailed.min(began.elapsed());
        ensure!(shut_in.sections == document.sections, "{name}: the child read something else");
    }
    let memory = memory_of_child(extractor.extract(name, None, &bytes[..], |_| {})).await?;
    let rate = |took: Duration| format!("{:.0}/s", units as f64 / took.as_secs_f64());
    // Of a format that is read by code of our own that code is all there is to compare with.
    let share = library.unwrap_or(reader).as_secs_f64() / jailed.as_secs_f64();
    say(&format!(
        "| {name} | {units} | {} | {} | {} | {:.1}% | {:.0} MB |",
        library.map_or("ours".to_owned(), rate),
        rate(reader),
        rate(jailed),
        share * 100.0,
        memory as f64 / 1e6
    ))?;
    Ok(share >= SHARE)
}

/// What the library does alone, and of how many pages or rows; none where no library reads the format.
fn by_library(name: &str, bytes: &[u8]) -> Result<Option<usize>> {
    let ending = name.rsplit('.').next().unwrap_or_default();
    match ending {
        "pdf" => {
            let pdf = pdf_oxide::PdfDocument::from_bytes(bytes.to_vec())?;
            let options = pdf_oxide::converters::ConversionOptions::default();
            let pages = pdf.page_count()?;
            let mut length = 0;
            for page in 0..pages {
                length += pdf.to_markdown(page, &options)?.len();
            }
            ensure!(length > 0, "{name}: the library reads nothing");
            Ok(Some(pages))
        }
        "xlsx" => {
            let mut book: calamine::Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(bytes))?;
            let (mut rows, mut length) = (0, 0);
            for name in book.sheet_names() {
                let range = book.worksheet_range(&name)?;
                rows += range.height();
                length += range.rows().flatten().map(|cell| cell.to_string().len()).sum::<usize>();
            }
            ensure!(length > 0, "{name}: the library reads nothing");
            Ok(Some(rows))
        }
        _ => Ok(None),
    }
}

/// The most that a child of this process had while `reading` went on.
async fn memory_of_child<T, E>(reading: impl Future<Output = Result<T, E>>) -> Result<u64>
where
    E: std::error::Error + Send + Sync + 'static,
{
    let over = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&over);
    let looking = std::thread::spawn(move || {
        let mut most = 0;
        while !seen.load(Ordering::Relaxed) {
            most = most.max(children_memory());
            std::thread::sleep(GLANCE);
        }
        most
    });
    let read = reading.await;
    over.store(true, Ordering::Relaxed);
    let most = looking.join().map_err(|_| anyhow::anyhow!("nobody looked at the memory"))?;
    read?;
    Ok(most)
}

/// What children of this process had at their highest, in bytes.
fn children_memory() -> u64 {
    let parent = format!("PPid:\t{}\n", std::process::id());
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    // One that ended meanwhile has nothing to say.
    let statuses = processes.filter_map(|entry| std::fs::read_to_string(entry.path().join("status")).ok());
    let peak = |status: String| -> Option<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    };
    statuses.filter(|status| status.contains(&parent)).filter_map(peak).max().unwrap_or(0) * 1024
}

/// Passages of 200 tokens, as many as a second takes; whether that is enough.
async fn vectors() -> Result<bool> {
    let folder = weights_folder().context("run `cargo xtask setup` first")?;
    let model = MiniLm::load(&folder, MiniLm::default_threads())?;
    let mut text = SENTENCE.repeat(20);
    while model.count_tokens(&text) > 198 {
        text.truncate(text.trim_end().rfind(' ').unwrap_or(0));
    }
    let began = Instant::now();
    model.embed(vec![text; PASSAGES], Purpose::Passage).await?;
    let rate = PASSAGES as f64 / began.elapsed().as_secs_f64();
    let threads: NonZeroUsize = MiniLm::default_threads();
    say(&format!("\nvectors: {rate:.1} passages of 200 tokens a second, {threads} thread(s)"))?;
    Ok(rate >= RATE)
}

fn say(line: &str) -> Result<()> {
    writeln!(std::io::stdout(), "{line}").context("standard output is closed")
}

/// Pages full of text, as simple as can be.
fn pdf(pages: usize) -> Vec<u8> {
    let kids: String = (0..pages).map(|page| format!("{} 0 R ", 4 + page * 2)).collect();
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        format!("<< /Type /Pages /Count {pages} /Kids [{kids}] >>"),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    for page in 0..pages {
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F 3 0 R >> >> /Contents {} 0 R >>",
            5 + page * 2
        ));
        let lines: String = (0..45).map(|line| format!("({page}.{line} {SENTENCE}) Tj 0 -16 Td ")).collect();
        let content = format!("BT /F 10 Tf 60 780 Td {lines}ET");
        objects.push(format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()));
    }
    let mut file = String::from("%PDF-1.4\n");
    let mut table = String::new();
    for (object, number) in objects.iter().zip(1..) {
        // Writing to a string cannot fail.
        let _ = writeln!(table, "{:010} 00000 n ", file.len());
        let _ = write!(file, "{number} 0 obj\n{object}\nendobj\n");
    }
    let (at, count) = (file.len(), objects.len() + 1);
    let _ = write!(
        file,
        "xref\n0 {count}\n0000000000 65535 f \n{table}trailer\n<< /Size {count} /Root 1 0 R >>\nstartxref\n{at}\n%%EOF\n"
    );
    file.into_bytes()
}

fn packed(parts: &[(String, String)]) -> Result<Vec<u8>> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        writer.start_file(name.as_str(), SimpleFileOptions::default())?;
        writer.write_all(content.as_bytes())?;
    }
    Ok(writer.finish()?.into_inner())
}

const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006/relationships";
const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

fn relations(of: &[(String, &str, String)]) -> String {
    let one = |(id, kind, target): &(String, &str, String)| {
        format!(r#"<Relationship Id="{id}" Type="{OFFICE}/{kind}" Target="{target}"/>"#)
    };
    format!(r#"<Relationships xmlns="{PACKAGE}">{}</Relationships>"#, of.iter().map(one).collect::<String>())
}

fn xlsx() -> Result<Vec<u8>> {
    const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let numbers = || 1..=SHEETS;
    let sheets: String =
        numbers().map(|n| format!(r#"<sheet name="Sheet {n}" sheetId="{n}" r:id="rId{n}"/>"#)).collect();
    let to_sheets: Vec<_> =
        numbers().map(|n| (format!("rId{n}"), "worksheet", format!("worksheets/sheet{n}.xml"))).collect();
    let mut parts = vec![
        ("_rels/.rels".to_owned(), relations(&[("rId1".into(), "officeDocument", "xl/workbook.xml".into())])),
        (
            "xl/workbook.xml".to_owned(),
            format!(r#"<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>{sheets}</sheets></workbook>"#),
        ),
        ("xl/_rels/workbook.xml.rels".to_owned(), relations(&to_sheets)),
    ];
    for sheet in numbers() {
        let row = |row: usize| {
            let number = |column: char| format!(r#"<c r="{column}{row}"><v>{}</v></c>"#, row * sheet);
            let text =
                format!(r#"<c r="A{row}" t="inlineStr"><is><t>Item {row} of sheet {sheet}</t></is></c>"#);
            format!(r#"<row r="{row}">{text}{}</row>"#, ('B'..='H').map(number).collect::<String>())
        };
        let rows: String = (1..=ROWS).map(row).collect();
        let sheet_xml = format!(r#"<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>"#);
        parts.push((format!("xl/worksheets/sheet{sheet}.xml"), sheet_xml));
    }
    packed(&parts)
}

fn docx() -> Result<Vec<u8>> {
    const MAIN: &str = "http://schemas.openxmlformats.org/wordprocessingml/2006/main";
    let paragraph = |number: usize| {
        let style =
            if number.is_multiple_of(20) { r#"<w:pPr><w:pStyle w:val="Heading1"/></w:pPr>"# } else { "" };
        format!("<w:p>{style}<w:r><w:t>{number}. {SENTENCE}</w:t></w:r></w:p>")
    };
    let body: String = (0..PARAGRAPHS).map(paragraph).collect();
    packed(&[
        (
            "_rels/.rels".to_owned(),
            relations(&[("rId1".into(), "officeDocument", "word/document.xml".into())]),
        ),
        (
            "word/document.xml".to_owned(),
            format!(r#"<w:document xmlns:w="{MAIN}"><w:body>{body}</w:body></w:document>"#),
        ),
    ])
}
