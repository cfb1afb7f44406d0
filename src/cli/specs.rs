//! Release specs from files.

use std::path::Path;

use super::failure::Failure;
use crate::config::node;
use crate::config::release::{Loaded, Refused, check};
use crate::sources::files::open;

/// Checks the spec `text`, which was read from `path`. Files that it names are looked for beside it.
pub(super) fn check_spec(path: &Path, text: &str) -> Result<Loaded, Failure> {
    check(text, &|file| beside(path, file)).map_err(|refused| refusal(path, *refused))
}

/// Reads `file`, which the spec at `path` names.
pub(super) fn beside(path: &Path, file: &str) -> Result<String, String> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let file = folder.join(file);
    open::read_text(&file, node::MAX_BYTES as u64).map_err(|error| match error.problems.first() {
        Some(problem) => format!("cannot read `{}`: {problem}", file.display()),
        None => error.to_string(),
    })
}

/// What is wrong with the spec at `path`, and with its canary config by that file's own name.
pub(super) fn refusal(path: &Path, refused: Refused) -> Failure {
    let folder = path.parent().unwrap_or(Path::new(""));
    let failures = refused.files.into_iter().map(|file| {
        let name = match &file.name {
            Some(name) => folder.join(name),
            None => path.to_path_buf(),
        };
        Failure::config(name.display().to_string(), file.text, file.problems)
    });
    Failure::all(failures).unwrap_or_else(|| Failure::new("nothing is wrong"))
}
