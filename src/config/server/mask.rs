//! Keeps secrets that were written into a config by mistake out of what is shown of it.

use crate::config::path::{Path, Segment};
use crate::config::problems::Problem;

/// Keys whose values are secrets; a key counts that has one of these in it.
const SECRET: [&str; 6] = [
    "token",
    "password",
    "passwd",
    "secret",
    "authorization",
    "header",
];

/// What is shown in place of a secret.
const MASK: &str = "***";

/// The text with all values masked that may be secrets: on the lines of keys that sound like one, and on those of problems that
/// concern one. What was found there is masked in the problems, too.
pub(super) fn mask(text: &str, problems: &mut [Problem]) -> String {
    let mut lines: Vec<usize> = Vec::new();
    for problem in problems.iter_mut() {
        let hinted = problem.hint.as_deref().is_some_and(sounds_secret);
        if !hinted && !concerns_secret(&problem.path) {
            continue;
        }
        lines.extend(problem.position.map(|at| at.line));
        if problem.found.starts_with("text ") || problem.found.starts_with("number ") {
            "a value in the config itself".clone_into(&mut problem.found);
            "`{file: PATH}` or `{env: NAME}`".clone_into(&mut problem.expected);
            problem.hint = Some("a secret stands in a file or in a variable of the environment, never in the config".to_owned());
        }
    }
    let masked: Vec<String> = text
        .lines()
        .enumerate()
        .map(|(index, line)| {
            if lines.contains(&(index + 1)) || key(line).is_some_and(sounds_secret) {
                masked(line)
            } else {
                line.to_owned()
            }
        })
        .collect();
    masked.join("\n")
}

fn concerns_secret(path: &Path) -> bool {
    path.segments().iter().any(|segment| match segment {
        Segment::Key(key) => sounds_secret(key),
        Segment::Index(_) => false,
    })
}

fn sounds_secret(text: &str) -> bool {
    let text = text.to_lowercase();
    SECRET.iter().any(|word| text.contains(word))
}

/// What stands before the first colon.
fn key(line: &str) -> Option<&str> {
    line.split_once(':').map(|(key, _)| key)
}

/// The line up to its first colon. Of a map in braces nothing is lost that a reader needs: the place is named beside it.
fn masked(line: &str) -> String {
    match line.split_once(':') {
        Some((_, rest)) if rest.trim().is_empty() => line.to_owned(),
        Some((key, _)) => format!("{key}: {MASK}"),
        None => MASK.to_owned(),
    }
}
