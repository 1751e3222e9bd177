//! Real files of real programs, and hostile ones, read in process.

use base64::Engine;
use extract::{Document, Failure, Kind, Limits, Measure, Place, Progress, in_process};
use std::io::{Cursor, Write};
use std::path::PathBuf;
use zip::write::SimpleFileOptions;

fn data(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn read_as(name: &str, bytes: Vec<u8>) -> Result<Document, Failure> {
    in_process(name, None, bytes, &Limits::default(), |_| {})
}

fn read(name: &str) -> Document {
    read_as(name, data(name)).unwrap_or_else(|failure| panic!("{name}: {failure}"))
}

fn text(document: &Document) -> String {
    document.sections.iter().map(|section| section.markdown.as_str()).collect::<Vec<_>>().join("\n\n")
}

fn headings(document: &Document) -> Vec<Vec<&str>> {
    fn path(place: &Place) -> Vec<&str> {
        match place {
            Place::Heading { path } => path.iter().map(String::as_str).collect(),
            place => panic!("{place:?}"),
        }
    }
    document.sections.iter().map(|section| path(&section.place)).collect()
}

#[test]
fn a_printed_report_keeps_its_pages_its_table_and_its_umlauts() {
    let mut steps = Vec::new();
    let document =
        in_process("bericht.pdf", None, data("bericht.pdf"), &Limits::default(), |step| steps.push(step));
    let document = document.unwrap();
    let places: Vec<_> = document.sections.iter().map(|section| section.place.clone()).collect();
    assert_eq!(places, [1, 2, 3].map(|number| Place::Page { number }));
    assert!(document.sections[0].markdown.contains("Die Größe der Abweichungen"), "{:#?}", document.sections);
    assert!(
        document.sections[1].markdown.contains("| Mühle | 14,1 | 0,11 |"),
        "{}",
        document.sections[1].markdown
    );
    assert!(document.sections[2].markdown.contains("Eine jährliche Wiederholung"));
    assert_eq!(document.title.as_deref(), Some("Bericht über die Wasserqualität"));
    assert_eq!(document.language.as_deref(), Some("de"));
    assert_eq!(document.properties["pages"], "3");
    assert!(document.created.unwrap().starts_with("20"));
    assert_eq!(steps.last(), Some(&Progress { done: 3, of: 3 }));
}

#[test]
fn scripts_of_the_world_are_read_from_pdf() {
    let chinese = read("zh.pdf");
    assert!(text(&chinese).contains("家长和孩子们的欢迎"), "{}", text(&chinese));
    assert!(text(&chinese).contains("图书馆共接待读者三十二万人次"), "{}", text(&chinese));
    assert_eq!(chinese.language.as_deref(), Some("zh"));
    let russian = read("ru.pdf");
    assert!(
        text(&russian).contains("библиотеку посетили тридцать две тысячи читателей"),
        "{}",
        text(&russian)
    );
    assert_eq!(russian.language.as_deref(), Some("ru"));
}

#[test]
fn a_document_keeps_headings_lists_tables_and_links() {
    let document = read("fr.docx");
    let text = text(&document);
    assert_eq!(document.title.as_deref(), Some("Compte rendu de la réunion"));
    assert_eq!(document.language.as_deref(), Some("fr"));
    let report = "Compte rendu de la réunion";
    assert_eq!(headings(&document), [vec![report], vec![report, "Décisions"], vec![report, "Suite"]]);
    for expected in [
        "Les élus ont **approuvé** le budget",
        "- Les travaux commenceront après l'été.",
        "| Façade | 12 000 € |",
        "[la page du projet](<https://example.org/suite>)",
    ] {
        assert!(text.contains(expected), "{expected} not in {text}");
    }
    assert_eq!(read("ru.docx").language.as_deref(), Some("ru"));
}

#[test]
fn slides_come_in_order_with_tables_and_notes() {
    let document = read("plan.pptx");
    let places: Vec<_> = document.sections.iter().map(|section| section.place.clone()).collect();
    assert_eq!(places, [1, 2, 3].map(|number| Place::Slide { number }));
    let slide = |number: usize| document.sections[number - 1].markdown.as_str();
    assert!(slide(2).starts_with("## Ziele"), "{}", slide(2));
    assert!(slide(2).contains("Bessere Beleuchtung"));
    assert!(slide(2).ends_with("Notes: Hier kurz auf die Kosten eingehen."), "{}", slide(2));
    assert!(slide(3).contains("| März | 2.700 |"), "{}", slide(3));
}

#[test]
fn sheets_show_values_and_dates_not_formulas() {
    for (name, kind) in
        [("ausgaben.xlsx", Kind::Xlsx), ("ausgaben.ods", Kind::Ods), ("ausgaben.xls", Kind::Xls)]
    {
        let document = read(name);
        assert_eq!(document.kind, kind);
        let names: Vec<_> = document.sections.iter().map(|section| section.place.clone()).collect();
        assert_eq!(names, ["Ausgaben", "Übersicht 2"].map(|name| Place::Sheet { name: name.into() }));
        assert_eq!(
            document.sections[0].markdown,
            "| Tag | Zweck | Betrag |\n| --- | --- | --- |\n| 2026-03-01 | Bücher | 120.5 |\n\
             | 2026-03-09 | Strom \\| Gas | 80 |\n|  | Summe | 200.5 |\n",
            "{name}"
        );
    }
}

#[test]
fn a_book_is_read_by_chapters() {
    let document = read("fr.epub");
    assert_eq!(document.kind, Kind::Epub);
    assert!(matches!(&document.sections[0].place, Place::Chapter { number: 1, .. }));
    assert!(text(&document).contains("Le conseil s'est réuni mardi soir"), "{}", text(&document));
    assert_eq!(document.language.as_deref(), Some("fr"));
}

#[test]
fn mail_says_who_when_what_and_which_attachments() {
    let mail = "From: Marie <marie@example.org>\r\nTo: team@example.org\r\nSubject: =?utf-8?q?R=C3=A9union?=\r\n\
        Date: Mon, 2 Mar 2026 10:00:00 +0100\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n\
        --x\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>Le <b>lieu</b> a changé.</p><script>x()</script>\r\n\
        --x\r\nContent-Type: application/pdf; name=plan.pdf\r\nContent-Disposition: attachment; filename=plan.pdf\r\n\r\n%PDF-1.7\r\n--x--\r\n";
    let document = read_as("saved", mail.into()).unwrap();
    assert_eq!((document.kind, document.title.as_deref()), (Kind::Email, Some("Réunion")));
    assert_eq!(document.author.as_deref(), Some("Marie <marie@example.org>"));
    assert_eq!(document.created.as_deref(), Some("2026-03-02T10:00:00+01:00"));
    assert_eq!(document.properties["attachments"], "plan.pdf");
    assert_eq!(document.properties["attachments_unread"], "plan.pdf", "it is cut off");
    assert!(text(&document).ends_with("Le **lieu** a changé."), "{}", text(&document));
}

#[test]
fn what_is_attached_to_mail_is_read_at_its_places_also_in_a_mail_in_a_mail() {
    let mail = |subject: &str, kind: &str, name: &str, attached: &[u8]| {
        let body = base64::engine::general_purpose::STANDARD.encode(attached);
        format!(
            "From: a@example.org\r\nSubject: {subject}\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b{subject}\r\n\r\n\
             --b{subject}\r\nContent-Type: text/plain\r\n\r\nSee below.\r\n--b{subject}\r\nContent-Type: {kind}\r\n\
             Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename={name}\r\n\r\n{body}\r\n--b{subject}--\r\n"
        )
    };
    let inner = mail("Inner", "application/octet-stream", "bericht.pdf", &data("bericht.pdf"));
    let document = read_as("a.eml", inner.clone().into()).unwrap();
    let place =
        |number| Place::Attachment { name: "bericht.pdf".into(), within: Box::new(Place::Page { number }) };
    assert_eq!((&document.sections[1].place, &document.sections[2].place), (&place(1), &place(2)));
    assert!(!document.properties.contains_key("attachments_unread"));
    let outer = mail("Outer", "application/octet-stream", "inner.eml", inner.as_bytes());
    let document = read_as("b.eml", outer.into()).unwrap();
    assert!(text(&document).contains(&read("bericht.pdf").sections[0].markdown), "{}", text(&document));
    let bomb = (0..5).fold(inner, |inner, _| mail("More", "message/rfc822", "more.eml", inner.as_bytes()));
    assert!(read_as("c.eml", bomb.into()).unwrap().sections.len() < 8);
}

fn png(width: u32, height: u32) -> Vec<u8> {
    let image = image::RgbaImage::from_fn(width, height, |x, y| image::Rgba([x as u8, y as u8, 9, 200]));
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

#[test]
fn a_png_named_pdf_is_read_as_the_image_it_is() {
    let document = read_as("scan.pdf", png(800, 400)).unwrap();
    assert_eq!(document.kind, Kind::Image);
    assert_eq!((&*document.properties["width"], &*document.properties["height"]), ("800", "400"));
    let thumbnail = image::load_from_memory(&document.thumbnail.unwrap()).unwrap();
    assert_eq!((thumbnail.width(), thumbnail.height()), (512, 256));
}

#[test]
fn a_copy_for_a_model_is_made_where_it_is_wanted_upright_and_on_white() {
    assert!(read_as("a.png", png(800, 400)).unwrap().legible.is_none());
    let limits = Limits { legible_side: 200, ..Limits::default() };
    let copy = |name: &str, bytes| in_process(name, None, bytes, &limits, |_| {}).unwrap().legible.unwrap();
    let size = |bytes: &[u8]| image::load_from_memory(bytes).unwrap().to_rgb8();
    assert_eq!(size(&copy("a.png", png(800, 400))).dimensions(), (200, 100));
    let mut clear = Cursor::new(Vec::new());
    image::RgbaImage::new(10, 10).write_to(&mut clear, image::ImageFormat::Png).unwrap();
    let clear = size(&copy("clear.png", clear.into_inner()));
    assert_eq!((clear.dimensions(), clear.get_pixel(5, 5).0), ((10, 10), [255, 255, 255]));
}

#[test]
fn an_image_cut_off_is_truncated() {
    let mut bytes = png(800, 400);
    bytes.truncate(bytes.len() / 2);
    assert_eq!(read_as("a.png", bytes), Err(Failure::Truncated));
}

#[test]
fn sound_tells_how_long_it_is() {
    let (rate, seconds) = (8_000_u32, 2_u32);
    let samples = vec![128_u8; (rate * seconds) as usize];
    let mut wave = Vec::new();
    wave.extend_from_slice(b"RIFF");
    wave.extend_from_slice(&(36 + samples.len() as u32).to_le_bytes());
    wave.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    wave.extend_from_slice(&rate.to_le_bytes());
    wave.extend_from_slice(&rate.to_le_bytes());
    wave.extend_from_slice(b"\x01\0\x08\0data");
    wave.extend_from_slice(&(samples.len() as u32).to_le_bytes());
    wave.extend_from_slice(&samples);
    let document = read_as("a.wav", wave).unwrap();
    assert_eq!(document.kind, Kind::Audio);
    assert_eq!(document.properties["duration_seconds"], "2.0");
}

#[test]
fn what_is_behind_a_password_says_so() {
    assert_eq!(read_as("zh-locked.pdf", data("zh-locked.pdf")), Err(Failure::Encrypted));
    assert_eq!(read_as("fr-locked.docx", data("fr-locked.docx")), Err(Failure::Encrypted));
}

#[test]
fn a_pdf_that_only_forbids_changes_is_read() {
    assert!(text(&read("ru-owner.pdf")).contains("читальный зал"));
}

#[test]
fn files_cut_off_anywhere_are_truncated_and_never_half_read() {
    for name in ["bericht.pdf", "zh.pdf", "fr.docx", "plan.pptx", "ausgaben.xlsx", "ausgaben.ods", "fr.epub"]
    {
        let whole = data(name);
        for tenth in 2..10 {
            let cut = whole[..whole.len() * tenth / 10].to_vec();
            assert_eq!(read_as(name, cut), Err(Failure::Truncated), "{name} at {tenth} tenths");
        }
    }
}

fn archive(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

#[test]
fn a_zip_bomb_costs_one_failed_job() {
    let zeros = vec![b' '; 100 << 20];
    for main in ["word/document.xml", "xl/workbook.xml"] {
        let bomb = archive(&[(main, &zeros)]);
        assert!(bomb.len() < 1 << 20);
        let Err(Failure::TooLarge { what, limit }) = read_as("bomb.docx", bomb.clone()) else {
            panic!("{main}")
        };
        assert_eq!(what, Measure::Unpacked);
        assert!(limit < 100 << 20);
    }
}

#[test]
fn an_archive_that_lies_about_its_sizes_is_not_believed() {
    let zeros = vec![b' '; 100 << 20];
    let mut bomb = archive(&[("word/document.xml", &zeros)]);
    let claimed = (zeros.len() as u32).to_le_bytes();
    let places: Vec<usize> = (0..bomb.len() - 4).filter(|&at| bomb[at..at + 4] == claimed).collect();
    assert!(!places.is_empty());
    for at in places {
        bomb[at..at + 4].copy_from_slice(&100_u32.to_le_bytes());
    }
    let outcome = read_as("bomb.docx", bomb);
    assert!(matches!(outcome, Err(Failure::TooLarge { .. } | Failure::Damaged { .. })), "{outcome:?}");
}

#[test]
fn two_cells_in_opposite_corners_cost_two_cells() {
    let sheet = r#"<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="B1048576"><v>2</v></c><c r="XFD1048576"><v>3</v></c></row></sheetData></worksheet>"#;
    let book = r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>"#;
    let root = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
    let relations = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#;
    let bytes = archive(&[
        ("_rels/.rels", root.as_bytes()),
        ("xl/workbook.xml", book.as_bytes()),
        ("xl/_rels/workbook.xml.rels", relations.as_bytes()),
        ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
    ]);
    let document = read_as("corners.xlsx", bytes).unwrap();
    assert_eq!(document.sections[0].markdown, "| 1 |  |\n| --- | --- |\n|  | 2 |\n");
    assert_eq!(document.properties["columns_left_out: S"], "after 256");
}

/// A PDF as simple as can be, with one line of text on each page.
fn pdf(pages: usize) -> Vec<u8> {
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        format!(
            "<< /Type /Pages /Count {pages} /Kids [{}] >>",
            (0..pages).map(|page| format!("{} 0 R ", 4 + page * 2)).collect::<String>()
        ),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    for page in 0..pages {
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F 3 0 R >> >> /Contents {} 0 R >>",
            5 + page * 2
        ));
        let content = format!("BT /F 12 Tf 72 720 Td (This is page number {}.) Tj ET", page + 1);
        objects.push(format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()));
    }
    let mut file = String::from("%PDF-1.4\n");
    let mut offsets = Vec::new();
    for (object, number) in objects.iter().zip(1..) {
        offsets.push(file.len());
        file.push_str(&format!("{number} 0 obj\n{object}\nendobj\n"));
    }
    let table = file.len();
    file.push_str(&format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1));
    offsets.iter().for_each(|offset| file.push_str(&format!("{offset:010} 00000 n \n")));
    file.push_str(&format!(
        "trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n",
        objects.len() + 1
    ));
    file.into_bytes()
}

#[test]
fn ten_thousand_pages_are_cut_off_and_counted() {
    let limits = Limits { pages: 200, ..Limits::default() };
    let document = in_process("long.pdf", None, pdf(10_000), &limits, |_| {}).unwrap();
    assert_eq!(document.properties["pages"], "10000");
    assert_eq!(document.properties["pages_left_out"], "9800");
    assert_eq!(document.sections.len(), 200);
    assert!(document.sections[199].markdown.contains("This is page number 200."));
}

#[test]
fn a_pdf_without_text_is_empty_and_says_it_may_be_a_scan() {
    let blank = String::from_utf8(pdf(2)).unwrap().replace("Tj", "  ");
    let outcome = read_as("scan.pdf", blank.into_bytes());
    assert_eq!(outcome, Err(Failure::Empty));
    assert!(Failure::Empty.to_string().contains("scan"));
}

#[test]
fn no_byte_of_a_real_file_changed_by_chance_brings_the_reader_down() {
    let names =
        ["bericht.pdf", "fr.docx", "plan.pptx", "ausgaben.xlsx", "ausgaben.ods", "ausgaben.xls", "fr.epub"];
    let mut seed = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed as usize
    };
    let limits = Limits { unpacked_bytes: 32 << 20, ..Limits::default() };
    for name in names {
        let whole = data(name);
        for _ in 0..12 {
            let mut bytes = whole.clone();
            for _ in 0..20 {
                let at = next() % bytes.len();
                bytes[at] = next() as u8;
            }
            // Read or refused, with a text for a person; a panic would fail this test.
            if let Err(failure) = in_process(name, None, bytes, &limits, |_| {}) {
                assert!(failure.to_string().ends_with('.'), "{failure}");
            }
        }
    }
}
