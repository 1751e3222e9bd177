//! Spreadsheets: one section for each sheet, as a table of the values shown, not of the formulas.
//!
//! Cells are taken one by one where the format allows it: two cells in opposite corners must not cost
//! the memory of the rectangle between them.

use crate::archive::Archive;
use crate::document::{Document, Kind, Place};
use crate::failure::Failure;
use crate::limits::{Limits, Reading};
use crate::markdown;
use crate::office;
use calamine::{Data, ExcelDateTime, Ods, OdsError, Reader, Xls, XlsError, Xlsx, XlsxError};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;

pub(crate) fn xlsx(bytes: &[u8], reading: &mut Reading) -> Result<Document, Failure> {
    let mut document = Document::new(Kind::Xlsx);
    let mut archive = Archive::open(bytes, reading.limits)?;
    archive.prove_harmless()?;
    office::describe(&mut archive, "docProps/core.xml", &mut document)?;
    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(bytes)).map_err(bad_xlsx)?;
    let names = book.sheet_names();
    for (index, name) in names.iter().enumerate() {
        let mut grid = Grid::new(reading.limits);
        // A chart on a sheet of its own has no cells.
        if let Ok(mut cells) = book.worksheet_cells_reader(name) {
            while let Some(cell) = cells.next_cell().map_err(bad_xlsx)? {
                grid.put(cell.get_position(), || shown(cell.get_value().clone().into()));
            }
        }
        grid.finish(name, (index, names.len()), &mut document, reading)?;
    }
    Ok(document)
}

pub(crate) fn ods(bytes: &[u8], reading: &mut Reading) -> Result<Document, Failure> {
    let mut document = Document::new(Kind::Ods);
    let mut archive = Archive::open(bytes, reading.limits)?;
    archive.prove_harmless()?;
    office::describe(&mut archive, "meta.xml", &mut document)?;
    let book: Ods<_> = calamine::open_workbook_from_rs(Cursor::new(bytes)).map_err(|error| match error {
        OdsError::Password => Failure::Encrypted,
        error => Failure::damaged(error),
    })?;
    ranges(book, document, reading)
}

/// Workbooks of before 2007.
pub(crate) fn xls(bytes: &[u8], reading: &mut Reading) -> Result<Document, Failure> {
    let book: Xls<_> = calamine::open_workbook_from_rs(Cursor::new(bytes)).map_err(|error| match error {
        XlsError::Password => Failure::Encrypted,
        error => Failure::damaged(error),
    })?;
    ranges(book, Document::new(Kind::Xls), reading)
}

fn bad_xlsx(error: XlsxError) -> Failure {
    match error {
        XlsxError::Password => Failure::Encrypted,
        error => Failure::damaged(error),
    }
}

fn ranges<'a, R: Reader<Cursor<&'a [u8]>>>(
    mut book: R,
    mut document: Document,
    reading: &mut Reading,
) -> Result<Document, Failure> {
    let names = book.sheet_names();
    for (index, name) in names.iter().enumerate() {
        let mut grid = Grid::new(reading.limits);
        if let Ok(range) = book.worksheet_range(name) {
            let (top, left) = range.start().unwrap_or_default();
            for (row, column, value) in range.used_cells() {
                let place = (top.saturating_add(row as u32), left.saturating_add(column as u32));
                grid.put(place, || shown(value.clone()));
            }
        }
        grid.finish(name, (index, names.len()), &mut document, reading)?;
    }
    Ok(document)
}

struct Grid {
    cells: BTreeMap<(u32, u32), String>,
    rows: BTreeSet<u32>,
    left_out: BTreeSet<u32>,
    most_rows: usize,
    most_columns: u32,
    columns_left_out: bool,
}

impl Grid {
    fn new(limits: &Limits) -> Self {
        Self {
            cells: BTreeMap::new(),
            rows: BTreeSet::new(),
            left_out: BTreeSet::new(),
            most_rows: limits.rows as usize,
            most_columns: limits.columns,
            columns_left_out: false,
        }
    }

    fn put(&mut self, (row, column): (u32, u32), text: impl FnOnce() -> String) {
        if column >= self.most_columns {
            self.columns_left_out = true;
            return;
        }
        if self.rows.len() >= self.most_rows && !self.rows.contains(&row) {
            self.left_out.insert(row);
            return;
        }
        let text = text();
        if !text.is_empty() {
            self.rows.insert(row);
            self.cells.insert((row, column), text);
        }
    }

    fn finish(
        self,
        name: &str,
        (index, of): (usize, usize),
        document: &mut Document,
        reading: &mut Reading,
    ) -> Result<(), Failure> {
        if !self.left_out.is_empty() {
            document.property(&format!("rows_left_out: {name}"), self.left_out.len());
        }
        if self.columns_left_out {
            document.property(&format!("columns_left_out: {name}"), format!("after {}", self.most_columns));
        }
        let table = markdown::table(&self.table());
        reading.section(document, Place::Sheet { name: name.to_owned() }, table)?;
        document.property("sheets", of);
        reading.done(index as u32 + 1, of as u32);
        Ok(())
    }

    /// Empty rows and the empty columns at the left are not worth their lines.
    fn table(self) -> Vec<Vec<String>> {
        let left = self.cells.keys().map(|(_, column)| *column).min().unwrap_or(0);
        let mut rows: BTreeMap<u32, Vec<String>> = BTreeMap::new();
        for ((row, column), text) in self.cells {
            let cells = rows.entry(row).or_default();
            cells.resize((column - left) as usize, String::new());
            cells.push(text);
        }
        rows.into_values().collect()
    }
}

fn shown(value: Data) -> String {
    match value {
        Data::Empty => String::new(),
        Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => text,
        Data::Int(number) => number.to_string(),
        Data::Float(number) => float(number),
        Data::Bool(yes) => yes.to_string(),
        Data::DateTime(date) => moment(date),
        Data::Error(error) => error.to_string(),
    }
}

/// Fifteen digits, which is what spreadsheets show: 0.1 + 0.2 is 0.3.
fn float(number: f64) -> String {
    let rounded: f64 = format!("{number:.14e}").parse().unwrap_or(number);
    rounded.to_string()
}

fn moment(date: ExcelDateTime) -> String {
    if date.is_duration() {
        let seconds = (date.as_f64() * 86_400.0).round() as i64;
        return format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    }
    let (year, month, day, hour, minute, second, _) = date.to_ymd_hms_milli();
    match (hour, minute, second) {
        (0, 0, 0) => format!("{year:04}-{month:02}-{day:02}"),
        _ => format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"),
    }
}
