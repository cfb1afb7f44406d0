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

/// The text with all values masked that may be secrets: on lines with a key that sounds like one, also
/// further to the right, on the lines below it, and on those of problems that concern one. What was found there is masked in the problems, too.
pub(super) fn mask(text: &str, problems: &mut [Problem]) -> String {
    let mut lines: Vec<usize> = Vec::new();
    for problem in problems.iter_mut() {
        let hinted = problem.hint.as_deref().is_some_and(sounds_secret);
        if !hinted && !concerns_secret(&problem.path) {
            // The address of a channel may hold a token, and may stand beside anything else of it.
            let line = problem
                .position
                .and_then(|at| text.lines().nth(at.line - 1).map(|line| (at.line, line)));
            if is_of_channel(&problem.path)
                && let Some((number, line)) = line
                && line.to_lowercase().contains("url")
            {
                lines.push(number);
            }
            continue;
        }
        lines.extend(problem.position.map(|at| at.line));
        if problem.found.starts_with("text ") || problem.found.starts_with("number ") {
            "a value in the config itself".clone_into(&mut problem.found);
            "`{file: PATH}` or `{env: NAME}`".clone_into(&mut problem.expected);
            problem.hint = Some("a secret stands in a file or in a variable of the environment, never in the config".to_owned());
        }
    }
    // How far the line of the key is indented, and whether all below it is one text.
    let mut inside: Option<(usize, bool)> = None;
    let masked: Vec<String> = text
        .lines()
        .enumerate()
        .map(|(index, line)| {
            let depth = line.len() - line.trim_start().len();
            if lines.contains(&(index + 1)) || keys(line).is_some_and(sounds_secret) {
                inside = Some((depth, begins_text(line)));
                return masked(line);
            }
            // What follows on lines of its own belongs to the key, unless it is a map.
            if inside.is_some_and(|(outer, text)| depth > outer && (text || keys(line).is_none())) {
                return MASK.to_owned();
            }
            inside = inside.filter(|(outer, _)| depth > *outer || line.trim().is_empty());
            line.to_owned()
        })
        .collect();
    masked.join("\n")
}

fn is_of_channel(path: &Path) -> bool {
    matches!(path.segments().first(), Some(Segment::Key(key)) if key == "notify")
}

fn concerns_secret(path: &Path) -> bool {
    let last = path.segments().last();
    if is_of_channel(path) && matches!(last, Some(Segment::Key(key)) if key == "url") {
        return true;
    }
    path.segments().iter().any(|segment| match segment {
        Segment::Key(key) => sounds_secret(key),
        Segment::Index(_) => false,
    })
}

fn sounds_secret(text: &str) -> bool {
    let text = text.to_lowercase();
    SECRET.iter().any(|word| text.contains(word))
}

/// What stands before the last colon: all keys of a line are in it.
fn keys(line: &str) -> Option<&str> {
    line.rsplit_once(':').map(|(keys, _)| keys)
}

/// Whether the text of the line's last key stands on the lines below.
fn begins_text(line: &str) -> bool {
    line.rsplit_once(':')
        .is_some_and(|(_, rest)| rest.trim_start().starts_with(['|', '>']))
}

/// The line up to its first colon. Of a map in braces nothing is lost that a reader needs: the place is named beside it.
fn masked(line: &str) -> String {
    match line.split_once(':') {
        Some((_, rest)) if rest.trim().is_empty() => line.to_owned(),
        Some((key, _)) => format!("{key}: {MASK}"),
        None => MASK.to_owned(),
    }
}
