//! Tables kept as text, with commas, semicolons, tabs or bars between the cells.

use crate::document::{Document, Kind, Place};
use crate::failure::Failure;
use crate::limits::Reading;
use crate::markdown;
use csv::ReaderBuilder;

pub(crate) fn read(text: &str, reading: &mut Reading) -> Result<Document, Failure> {
    let mut document = Document::new(Kind::Csv);
    let delimiter = delimiter(text);
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let (mut rows, mut total) = (Vec::new(), 0_u64);
    for record in reader.records() {
        let record = record.map_err(Failure::damaged)?;
        total += 1;
        if total <= u64::from(reading.limits.rows) {
            let cells = record.iter().take(reading.limits.columns as usize);
            rows.push(cells.map(str::to_owned).collect());
        }
    }
    let left_out = total - rows.len() as u64;
    document.property("rows", total);
    if left_out > 0 {
        document.property("rows_left_out", left_out);
    }
    reading.section(&mut document, Place::Whole, markdown::table(&rows))?;
    Ok(document)
}

/// The one that stands equally often, and most often, in the first lines.
fn delimiter(text: &str) -> u8 {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).take(20).collect();
    let score = |candidate: u8| {
        let counts = || lines.iter().map(|line| line.bytes().filter(|&byte| byte == candidate).count());
        let least = counts().min().unwrap_or(0);
        (least, counts().sum::<usize>())
    };
    *b",;\t|".iter().rev().max_by_key(|&&candidate| score(candidate)).unwrap_or(&b',')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;

    #[test]
    fn a_semicolon_file_with_decimal_commas_keeps_its_columns() {
        assert_eq!(delimiter("Ort;Wert\nBrücke;12,4\nMühle;14,1\n"), b';');
        assert_eq!(delimiter("a,b,c\n1,2,3\n"), b',');
        assert_eq!(delimiter("a\tb\n1,5\t2\n"), b'\t');
    }

    #[test]
    fn rows_past_the_limit_are_counted() {
        let text: String = (0..1000).map(|row| format!("{row},\"x, y\"\n")).collect();
        let limits = Limits { rows: 10, ..Limits::default() };
        let mut ignore = |_| {};
        let document = read(&text, &mut Reading::new(&limits, &mut ignore)).unwrap();
        assert_eq!(document.properties["rows_left_out"], "990");
        assert_eq!(document.sections[0].markdown.lines().count(), 11);
        assert!(document.sections[0].markdown.contains("| 9 | x, y |"));
    }
}
