//! Where the demo writes its report: never over something that is not a report of the demo.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::archive::whole_file::WholeFile;
use crate::cli::failure::Failure;

/// The report's name where none is given.
const DEFAULT_REPORT: &str = "coalmine-demo";
/// How many names are tried, where something that is not ours has one.
const MAX_NAMES: usize = 100;
/// How every report of ours begins.
const REPORT_START: &str = "<!DOCTYPE html>";

/// The file to write: the one that is named, else a free name in this folder. `marks` are texts of which every report of the
/// demo holds one.
pub(super) fn choose(out: Option<&Path>, marks: &[String]) -> Result<PathBuf, Failure> {
    match out {
        Some(path) if path.as_os_str() == "-" => Err(Failure::new(
            "`-` is no file to write to; expected a file name",
        )
        .hint("`coalmine report SAVED --format html` prints a report")),
        Some(path) => Ok(path.to_path_buf()),
        None => free_name(Path::new("."), marks),
    }
}

/// Opens the file, so that what cannot be written is known before anything is done for it.
pub(super) fn open(path: &Path) -> Result<WholeFile, Failure> {
    WholeFile::create(path).map_err(|error| Failure::write(path, &error))
}

/// Writes it, whole or not at all.
pub(super) fn finish(file: WholeFile, path: &Path, html: &str) -> Result<(), Failure> {
    file.finish(|out| out.write_all(html.as_bytes()))
        .map_err(|error| Failure::write(path, &error))
}

/// The default name, or that name with a number where a file of it is not an earlier report of the demo.
fn free_name(folder: &Path, marks: &[String]) -> Result<PathBuf, Failure> {
    let name = |number: usize| match number {
        1 => folder.join(format!("{DEFAULT_REPORT}.html")),
        number => folder.join(format!("{DEFAULT_REPORT}-{number}.html")),
    };
    let path = (1..=MAX_NAMES)
        .map(name)
        .find(|path| !path.exists() || is_ours(path, marks));
    match path {
        // `./` in front adds nothing.
        Some(path) => Ok(path
            .strip_prefix(".")
            .map(Path::to_path_buf)
            .unwrap_or(path)),
        None => Err(Failure::new(format!(
            "`{DEFAULT_REPORT}.html` and {} more names are taken by something else",
            MAX_NAMES - 1
        ))
        .hint("name a file: `coalmine demo --out FILE`")),
    }
}

fn is_ours(path: &Path, marks: &[String]) -> bool {
    // Reports of the demo are far smaller.
    const LIMIT: u64 = 16 << 20;
    let mut text = Vec::new();
    let read = fs::File::open(path).and_then(|file| file.take(LIMIT).read_to_end(&mut text));
    let text = String::from_utf8_lossy(&text);
    read.is_ok() && text.starts_with(REPORT_START) && marks.iter().any(|mark| text.contains(mark))
}
