//! What both CSV layouts share: header, delimiter, rows with their line numbers, and points that wait for their grid.

use std::collections::HashSet;
use std::io::{self, Read};

use csv::{ByteRecord, ReaderBuilder, Trim};

use super::grid::Uneven;
use super::open::io_problem;
use super::problem::{InputError, Problem, Problems, quoted};

/// The longest header line that is looked at to find the delimiter.
const MAX_HEADER_BYTES: u64 = 16 << 20;

/// A CSV file of which the header has been read.
pub(super) struct Table<R: Read> {
    reader: csv::Reader<io::Chain<io::Cursor<Vec<u8>>, R>>,
    /// The columns, trimmed; their case is kept.
    pub(super) columns: Vec<String>,
    record: ByteRecord,
}

/// One row.
pub(super) struct Row<'a> {
    /// The line in which it starts, from 1.
    pub(super) line: u64,
    record: &'a ByteRecord,
}

impl Row<'_> {
    /// The cell in `column`, trimmed; empty beyond the end.
    pub(super) fn cell(&self, column: usize) -> &[u8] {
        self.record.get(column).unwrap_or_default().trim_ascii()
    }
}

impl<R: Read> Table<R> {
    /// Reads the header. The delimiter is the one of comma, semicolon and tab that the header has most of.
    pub(super) fn open(mut input: R, file: &str) -> Result<Self, InputError> {
        let fatal = |problem: Problem| Problems::default().fatal(file, problem);
        let head = first_line(&mut input).map_err(|error| fatal(io_problem(&error)))?;
        let header = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&head);
        if header.starts_with(b"\xff\xfe") || header.starts_with(b"\xfe\xff") {
            return Err(fatal(
                Problem::new("text in UTF-16", "text in UTF-8")
                    .hint("save the file with the encoding UTF-8"),
            ));
        }
        if header.trim_ascii().is_empty() {
            let found = if head.is_empty() {
                "an empty file"
            } else {
                "an empty line"
            };
            return Err(fatal(Problem::new(found, "a header").at("line 1")));
        }
        let delimiter = delimiter(header);
        let mut reader = ReaderBuilder::new()
            .delimiter(delimiter)
            .has_headers(false)
            .flexible(true)
            .trim(Trim::None)
            .buffer_capacity(1 << 16)
            .from_reader(io::Cursor::new(head).chain(input));
        let mut record = ByteRecord::new();
        reader
            .read_byte_record(&mut record)
            .map_err(|error| fatal(csv_problem(&error)))?;
        let mut problems = Problems::default();
        let mut columns: Vec<String> = Vec::with_capacity(record.len());
        let mut taken: HashSet<String> = HashSet::with_capacity(record.len());
        for (index, cell) in record.iter().enumerate() {
            let place = format!("line 1, column {}", index + 1);
            match name(cell) {
                Ok(column) if !taken.insert(column.clone()) => problems.add(
                    Problem::new(format!("`{column}` twice"), "columns with different names")
                        .at(place),
                ),
                Ok(column) => columns.push(column),
                Err(problem) => problems.add(problem.at(place)),
            }
        }
        problems.or(file, ())?;
        Ok(Self {
            reader,
            columns,
            record,
        })
    }

    /// The next row; rows with too few or too many cells are noted in `problems` and left out.
    pub(super) fn next(&mut self, problems: &mut Problems) -> Result<Option<Row<'_>>, Problem> {
        loop {
            match self.reader.read_byte_record(&mut self.record) {
                Ok(false) => return Ok(None),
                Ok(true) => {}
                Err(error) => return Err(csv_problem(&error)),
            }
            let line = self.record.position().map_or(0, csv::Position::line);
            let (found, expected) = (self.record.len(), self.columns.len());
            if found == expected {
                break;
            }
            // A line of blanks is no row.
            if found == 1
                && self
                    .record
                    .get(0)
                    .is_some_and(|cell| cell.trim_ascii().is_empty())
            {
                continue;
            }
            let cells = if found == 1 { "cell" } else { "cells" };
            problems.add(
                Problem::new(
                    format!("{found} {cells}"),
                    format!("{expected}, as the header has"),
                )
                .at(format!("line {line}")),
            );
        }
        let line = self.record.position().map_or(0, csv::Position::line);
        Ok(Some(Row {
            line,
            record: &self.record,
        }))
    }
}

/// A cell as a name: text in UTF-8, not empty, in one line.
pub(super) fn name(cell: &[u8]) -> Result<String, Problem> {
    let cell = cell.trim_ascii();
    match std::str::from_utf8(cell) {
        Ok("") => Err(Problem::new("nothing", "a name")),
        Ok(text) if text.contains(['\n', '\r']) => Err(Problem::new(
            format!("a line break in {}", quoted(cell)),
            "a name in one line",
        )
        .hint("is a quote not closed?")),
        Ok(text) => Ok(text.to_owned()),
        Err(_) => Err(Problem::new(
            format!("bytes that are not UTF-8 in {}", quoted(cell)),
            "text in UTF-8",
        )
        .hint("save the file with the encoding UTF-8")),
    }
}

fn csv_problem(error: &csv::Error) -> Problem {
    if let csv::ErrorKind::Io(error) = error.kind() {
        return io_problem(error);
    }
    Problem::new(error.to_string(), "rows of CSV")
}

/// The first line with its end, or all where there is one line only.
fn first_line(input: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    let mut chunk = [0_u8; 4096];
    while (line.len() as u64) < MAX_HEADER_BYTES {
        let count = match input.read(&mut chunk) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        line.extend_from_slice(&chunk[..count]);
        if count == 0 || chunk[..count].contains(&b'\n') {
            break;
        }
    }
    Ok(line)
}

/// The delimiter that stands most often outside of quotes in the first line of `head`; a comma where none does.
fn delimiter(head: &[u8]) -> u8 {
    let mut counts = [(b',', 0_usize), (b';', 0), (b'\t', 0)];
    let mut within_quotes = false;
    for &byte in head {
        match byte {
            b'"' => within_quotes = !within_quotes,
            b'\n' if !within_quotes => break,
            other if !within_quotes => {
                for (delimiter, count) in &mut counts {
                    *count += usize::from(*delimiter == other);
                }
            }
            _ => {}
        }
    }
    let [comma, others @ ..] = counts;
    let best = others.into_iter().fold(
        comma,
        |best, next| if next.1 > best.1 { next } else { best },
    );
    best.0
}

/// Notes two rows of the same time; `keys` are (time, line), ascending.
pub(super) fn note_duplicates(keys: &[(i64, u32)], what: &str, problems: &mut Problems) {
    for pair in keys.windows(2) {
        let ((time_ms, first), (next_ms, second)) = (pair[0], pair[1]);
        if time_ms == next_ms {
            problems.add(
                Problem::new(
                    format!("{what} at {} again, first in line {first}", shown(time_ms)),
                    "one row for each time (times are kept to the millisecond)",
                )
                .at(format!("line {second}")),
            );
        }
    }
}

/// A time for people.
pub(super) fn shown(time_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(time_ms)
        .map_or_else(|_| format!("{time_ms} ms"), |time| format!("`{time}`"))
}

/// The problem of times that no grid holds; `line` tells the line of a row by its place among the times.
pub(super) fn uneven(uneven: Uneven, what: &str, line: impl Fn(usize) -> u32) -> Problem {
    match uneven {
        Uneven::Crowded {
            first,
            apart_ms,
            usual_ms,
        } => {
            let (one, other) = (line(first), line(first + 1));
            Problem::new(
                format!(
                    "times of {what} that fit no even step: this row and line {one} are {} apart, the rows usually {}",
                    seconds(apart_ms),
                    seconds(usual_ms)
                ),
                "one row for each step",
            )
            .at(format!("line {other}"))
            .hint("remove one of the two rows, or aggregate the rows to an even step")
        }
        Uneven::Endless {
            rows,
            step_ms,
            slots,
        } => Problem::new(
            format!(
                "times of {what} so uneven that {rows} rows would need {slots} points, {} apart",
                seconds(step_ms)
            ),
            "times about equally far apart",
        )
        .hint("are all timestamps in the same unit?"),
    }
}

fn seconds(ms: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "shown to people")]
    let seconds = ms as f64 / 1000.0;
    format!("{seconds} s")
}
