//! What instances write: each start has a file, so that it can go on writing when the supervisor is gone.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

/// Lines that are shown.
pub(super) const LINES: usize = 20;
/// Of a line, no more bytes are shown.
const LINE_BYTES: usize = 400;
/// As much of the end of a file is read.
const TAIL_BYTES: u64 = 16 * 1024;
/// A file that is longer is cut to its end.
const MOST_BYTES: u64 = 8 * 1024 * 1024;

/// Opens a file to write to; several writers only ever append.
pub(super) fn open(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    OpenOptions::new().create(true).append(true).open(path)
}

/// The last lines; none where there is no file.
pub(super) fn last_lines(path: &Path) -> Vec<String> {
    let bytes = tail(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let last = &lines[lines.len().saturating_sub(LINES)..];
    last.iter().map(|line| shortened(line)).collect()
}

/// Without what a terminal would take for an order, and not endless.
fn shortened(line: &str) -> String {
    let mut end = line.len().min(LINE_BYTES);
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    crate::model::clean::clean(&line[..end])
}

/// Cuts a file that has grown long to its last lines. What is written in this very moment may be lost.
pub(super) fn keep_short(path: &Path) -> io::Result<()> {
    if fs::metadata(path)?.len() <= MOST_BYTES {
        return Ok(());
    }
    let last = tail(path)?;
    // Writers append, and so go on at the new end.
    let mut file = OpenOptions::new().append(true).open(path)?;
    file.set_len(0)?;
    file.write_all(&last)
}

fn tail(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
    let mut bytes = Vec::new();
    file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_twenty_lines_are_told_and_a_long_file_is_cut() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep").join("out.log");
        let mut file = open(&path).unwrap();
        for line in 0..1_000 {
            writeln!(file, "line {line}\x1b[31m").unwrap();
        }
        let lines = last_lines(&path);
        assert_eq!(lines.len(), LINES);
        assert!(lines[19].starts_with("line 999"), "{lines:?}");
        assert!(!lines[19].contains('\x1b'), "{lines:?}");

        file.write_all(&vec![b'x'; 9 * 1024 * 1024]).unwrap();
        writeln!(file, "\nthe end").unwrap();
        keep_short(&path).unwrap();
        assert!(fs::metadata(&path).unwrap().len() <= TAIL_BYTES);
        writeln!(file, "goes on").unwrap();
        let lines = last_lines(&path);
        assert_eq!(lines[lines.len() - 2..], ["the end", "goes on"]);
        assert!(lines[0].len() <= LINE_BYTES);
    }

    #[test]
    fn a_file_that_is_not_there_has_no_lines() {
        assert!(last_lines(Path::new("/nonexistent/file")).is_empty());
    }
}
