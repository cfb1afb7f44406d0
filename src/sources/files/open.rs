//! Opening of input files: plain or gzip (told by the first bytes), standard input for `-`, and a limit on what comes out.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::problem::{InputError, Problem, Problems};

/// The most bytes that are read from one file, after decompression: 4 GiB, about 60 million CSV rows. It keeps a small
/// compressed file from filling the memory.
pub const MAX_BYTES: u64 = 4 << 30;

/// Opens `path`, or standard input where it is `-`.
///
/// # Errors
/// A file that is missing, a directory, or not readable.
pub fn open(path: &Path) -> Result<Box<dyn Read>, InputError> {
    let file = path.display().to_string();
    if file == "-" {
        return unpack(io::stdin().lock(), MAX_BYTES).map_err(|error| failed(&file, &error));
    }
    let metadata = std::fs::metadata(path).map_err(|error| failed(&file, &error))?;
    if metadata.is_dir() {
        let problem = Problem::new("a directory", "a file");
        return Err(Problems::default().fatal(&file, problem));
    }
    File::open(path)
        .and_then(|opened| unpack(opened, MAX_BYTES))
        .map_err(|error| failed(&file, &error))
}

/// Reads all of `path` as text, but at most `limit` bytes of it, after decompression.
///
/// # Errors
/// As [`open`], more bytes than `limit`, and text that is not UTF-8.
pub fn read_text(path: &Path, limit: u64) -> Result<String, InputError> {
    let file = path.display().to_string();
    let mut bytes = Vec::new();
    Limited::new(open(path)?, limit)
        .read_to_end(&mut bytes)
        .map_err(|error| {
            if error.kind() != io::ErrorKind::FileTooLarge || limit >= MAX_BYTES {
                return failed(&file, &error);
            }
            let limit = format!("at most {} MiB", limit >> 20);
            let problem = Problem::new("more data than is read from such a file", limit);
            Problems::default().fatal(&file, problem)
        })?;
    utf8(bytes, &file)
}

/// `bytes` as text, without a byte order mark.
///
/// # Errors
/// Bytes that are not UTF-8; the message says where the first stands.
pub fn utf8(mut bytes: Vec<u8>, file: &str) -> Result<String, InputError> {
    if bytes.starts_with(b"\xef\xbb\xbf") {
        bytes.drain(..3);
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let before = &error.as_bytes()[..valid];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let problem = Problem::new("bytes that are not UTF-8", "text in UTF-8")
            .at(format!("line {line}"))
            .hint("save the file with the encoding UTF-8");
        Problems::default().fatal(file, problem)
    })
}

/// Unpacks gzip where the first two bytes say so, and refuses to give more than `limit` bytes.
fn unpack(reader: impl Read + 'static, limit: u64) -> io::Result<Box<dyn Read>> {
    let mut reader = reader;
    let mut head = Vec::with_capacity(2);
    reader.by_ref().take(2).read_to_end(&mut head)?;
    let packed = head == [0x1f, 0x8b];
    let whole = io::Cursor::new(head).chain(reader);
    Ok(if packed {
        let unpacked = MultiGzDecoder::new(BufReader::with_capacity(1 << 16, whole));
        Box::new(Limited::new(unpacked, limit))
    } else {
        Box::new(Limited::new(whole, limit))
    })
}

/// An input/output error in words.
pub(super) fn io_problem(error: &io::Error) -> Problem {
    use io::ErrorKind::{
        FileTooLarge, InvalidData, InvalidInput, NotFound, PermissionDenied, UnexpectedEof,
    };
    let kind = error.kind();
    if kind == NotFound {
        Problem::new("no such file", "a file that exists")
    } else if kind == PermissionDenied {
        Problem::new("no permission to read it", "a readable file")
    } else if kind == FileTooLarge {
        let limit = format!("at most {} GiB", MAX_BYTES >> 30);
        Problem::new(error.to_string(), limit)
            .hint("split the input, or leave out metrics that the config does not name")
    } else if [InvalidInput, InvalidData, UnexpectedEof].contains(&kind) {
        let found = format!("damaged data ({error})");
        Problem::new(found, "a whole gzip file or plain text")
    } else {
        let found = format!("an error of the system ({error})");
        Problem::new(found, "a readable file")
    }
}

fn failed(file: &str, error: &io::Error) -> InputError {
    Problems::default().fatal(file, io_problem(error))
}

/// A reader that fails, rather than ends, when more than its limit comes.
struct Limited<R> {
    inner: R,
    left: u64,
}

impl<R> Limited<R> {
    fn new(inner: R, limit: u64) -> Self {
        Self { inner, left: limit }
    }
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        match self.left.checked_sub(count as u64) {
            Some(left) => self.left = left,
            None => {
                return Err(io::Error::new(
                    io::ErrorKind::FileTooLarge,
                    "more data than is read from one file",
                ));
            }
        }
        Ok(count)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may end at an unwrap")]
mod tests {
    use std::io::Write;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn check(bytes: Vec<u8>, limit: u64, expect: Result<&[u8], io::ErrorKind>) {
        let mut read = Vec::new();
        let outcome = unpack(io::Cursor::new(bytes), limit)
            .and_then(|mut reader| reader.read_to_end(&mut read))
            .map(|_| read)
            .map_err(|error| error.kind());
        assert_eq!(outcome, expect.map(<[u8]>::to_vec));
    }

    #[test]
    fn plain_and_packed_bytes_read_the_same() {
        check(b"a,b\n".to_vec(), 100, Ok(b"a,b\n"));
        check(gzip(b"a,b\n"), 100, Ok(b"a,b\n"));
        check(Vec::new(), 100, Ok(b""));
        check(b"x".to_vec(), 100, Ok(b"x"));
    }

    #[test]
    fn two_packed_files_after_each_other_are_one() {
        let both = [gzip(b"a,b\n"), gzip(b"1,2\n")].concat();
        check(both, 100, Ok(b"a,b\n1,2\n"));
    }

    #[test]
    fn a_small_packed_file_cannot_grow_over_the_limit() {
        check(
            gzip(&[b'0'; 100_000]),
            99_999,
            Err(io::ErrorKind::FileTooLarge),
        );
        check(vec![b'0'; 11], 10, Err(io::ErrorKind::FileTooLarge));
    }

    #[test]
    fn a_cut_packed_file_is_an_error_and_not_an_end() {
        let mut cut = gzip(&[b'0'; 1000]);
        cut.truncate(cut.len() - 9);
        check(cut, 10_000, Err(io::ErrorKind::UnexpectedEof));
    }
}
