//! JSON to nodes. Syntax is checked by `serde_json`, so that its errors are JSON's own; the walk here only adds places.

use std::collections::HashMap;

use serde::de::IgnoredAny;

use super::node::{Entry, MAX_DEPTH, Node, Parsed, Value};
use super::path::{Path, Segment};
use super::problems::{Findings, Position, Problem, Problems};

/// Reads one JSON document.
pub(super) fn parse(text: &str) -> Result<Parsed, Problems> {
    if let Err(error) = serde_json::from_str::<IgnoredAny>(text) {
        return Err(syntax(text, &error).into());
    }
    let mut reader = Reader {
        text,
        at: 0,
        position: Position { line: 1, column: 1 },
        path: Path::root(),
        repeated: Findings::default(),
        broken: Findings::default(),
    };
    let node = reader.value(0)?;
    Ok(Parsed {
        node,
        repeated: reader.repeated.problems,
        broken: reader.broken.problems,
    })
}

fn syntax(text: &str, error: &serde_json::Error) -> Problem {
    let message = error.to_string();
    let message = message
        .rsplit_once(" at line ")
        .map_or(message.as_str(), |(message, _)| message);
    let line = error.line().max(1);
    let start: usize = text
        .split_inclusive('\n')
        .take(line - 1)
        .map(str::len)
        .sum();
    let at = start + error.column().saturating_sub(1);
    let (before, after) = text.split_at_checked(at).unwrap_or((text, ""));
    let column = match before.get(start..) {
        Some(before) if !after.is_empty() => before.chars().count() + 1,
        _ => error.column().max(1),
    };
    let mut problem = Problem::new(Path::root(), format!("no valid JSON: {message}"), "")
        .at(Position { line, column });
    problem.hint = remedy(message, before, after);
    problem
}

/// What to do about a syntax error between `before` and `after`; the parser's words only say what it was reading.
fn remedy(message: &str, before: &str, after: &str) -> Option<String> {
    let next = after.chars().next();
    let after_comma = before.trim_end().ends_with(',');
    let hint = match next {
        Some('/' | '#') => "JSON has no comments; remove it, or write the config as YAML",
        Some(close @ ('}' | ']')) if after_comma => {
            return Some(format!("remove the comma before `{close}`"));
        }
        Some(',') if after_comma => "remove one of the two commas",
        Some('\'') => "write texts in double quotes",
        Some(c) if message == "key must be a string" && (c.is_alphanumeric() || c == '_') => {
            "write the key in double quotes"
        }
        Some(_) if message.starts_with("expected `,` or") => {
            "write a comma before it, or close what is open"
        }
        Some(_) if message == "expected `:`" => "write `:` between a key and its value",
        Some(_) if message == "trailing characters" => {
            "a file holds one config; remove what follows it"
        }
        Some(_)
            if message == "control character (\\u0000-\\u001F) found while parsing a string" =>
        {
            "write `\\n` for the end of a line in a text, and `\\t` for a tab"
        }
        _ if message.starts_with("EOF") => {
            "the text ends too early; write the `\"`, `]` or `}` that is missing"
        }
        Some(_) | None => return None,
    };
    Some(hint.to_owned())
}

/// Walks text that is known to be valid JSON.
struct Reader<'t> {
    text: &'t str,
    at: usize,
    position: Position,
    path: Path,
    repeated: Findings,
    broken: Findings,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Moves over `bytes` bytes and gives them.
    fn take(&mut self, bytes: usize) -> &'t str {
        let taken = self.rest().get(..bytes).unwrap_or_default();
        for c in taken.chars() {
            if c == '\n' {
                self.position.line += 1;
                self.position.column = 1;
            } else {
                self.position.column += 1;
            }
        }
        self.at += taken.len();
        taken
    }

    fn skip_space(&mut self) {
        let rest = self.rest();
        let space = rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
        self.take(space);
    }

    /// Skips white space and `mark`, if it is next.
    fn skip(&mut self, mark: char) -> bool {
        self.skip_space();
        let found = self.rest().starts_with(mark);
        if found {
            self.take(mark.len_utf8());
        }
        found
    }

    fn value(&mut self, depth: usize) -> Result<Node, Problem> {
        self.skip_space();
        let position = self.position;
        let rest = self.rest();
        if depth >= MAX_DEPTH && rest.starts_with(['{', '[']) {
            return Err(too_deep(position));
        }
        let value = match rest.bytes().next() {
            Some(b'{') => self.map(depth)?,
            Some(b'[') => self.list(depth)?,
            Some(b'"') => Value::Text(self.string()?),
            _ => {
                let end = rest
                    .find([',', ']', '}', ' ', '\t', '\r', '\n'])
                    .unwrap_or(rest.len());
                match self.take(end) {
                    "null" => Value::Null,
                    "true" => Value::Bool(true),
                    "false" => Value::Bool(false),
                    text => match finite(text) {
                        Some(number) => Value::Number(number),
                        None => {
                            if !self.broken.is_full() {
                                self.broken
                                    .problem(not_finite(text, self.path.clone()).at(position));
                            }
                            Value::Text(text.to_owned())
                        }
                    },
                }
            }
        };
        Ok(Node { value, position })
    }

    fn map(&mut self, depth: usize) -> Result<Value, Problem> {
        self.skip('{');
        let mut entries: Vec<Entry> = Vec::new();
        let mut seen = HashMap::new();
        while !self.skip('}') {
            self.skip_space();
            let position = self.position;
            let key = self.string()?;
            self.skip(':');
            self.path.push(Segment::Key(key.clone()));
            let value = self.value(depth + 1)?;
            if seen.contains_key(&key) && !self.repeated.is_full() {
                self.repeated
                    .problem(duplicate(&key, self.path.clone()).at(position));
            }
            self.path.pop();
            put(
                &mut entries,
                &mut seen,
                Entry {
                    key,
                    position,
                    value,
                },
            );
            self.skip(',');
        }
        Ok(Value::Map(entries))
    }

    fn list(&mut self, depth: usize) -> Result<Value, Problem> {
        self.skip('[');
        let mut items = Vec::new();
        while !self.skip(']') {
            self.path.push(Segment::Index(items.len()));
            items.push(self.value(depth + 1)?);
            self.path.pop();
            self.skip(',');
        }
        Ok(Value::List(items))
    }

    fn string(&mut self) -> Result<String, Problem> {
        let position = self.position;
        let mut escaped = false;
        let end = self
            .rest()
            .bytes()
            .enumerate()
            .skip(1)
            .find_map(|(index, byte)| {
                let closes = byte == b'"' && !escaped;
                escaped = byte == b'\\' && !escaped;
                closes.then_some(index + 1)
            });
        let quoted = self.take(end.unwrap_or_default());
        serde_json::from_str(quoted).map_err(|_| {
            Problem::new(
                Path::root(),
                format!("no valid JSON: the text {quoted} has half of a surrogate pair"),
                "",
            )
            .at(position)
        })
    }
}

/// The finite number that `text` stands for, whole numbers exactly.
pub(super) fn finite(text: &str) -> Option<serde_json::Number> {
    let whole = text
        .parse::<i64>()
        .map(serde_json::Number::from)
        .or_else(|_| text.parse::<u64>().map(serde_json::Number::from));
    // `-0` is a negative zero, which whole numbers do not have.
    if let (Ok(number), false) = (whole, text == "-0") {
        return Some(number);
    }
    serde_json::Number::from_f64(text.parse::<f64>().ok()?)
}

/// The problem of a number that is too large, or none.
pub(super) fn not_finite(text: &str, path: Path) -> Problem {
    Problem::new(
        path,
        format!("number `{}`", super::node::shorten(text, 40)),
        "a finite number, at most 1.8e308",
    )
}

/// Adds an entry, in place of the one with its key where there is one. `seen` knows where each key stands.
pub(super) fn put(entries: &mut Vec<Entry>, seen: &mut HashMap<String, usize>, entry: Entry) {
    match seen
        .get(&entry.key)
        .and_then(|index| entries.get_mut(*index))
    {
        Some(first) => *first = entry,
        None => {
            seen.insert(entry.key.clone(), entries.len());
            entries.push(entry);
        }
    }
}

/// The problem of nesting beyond [`MAX_DEPTH`].
pub(super) fn too_deep(position: Position) -> Problem {
    Problem::new(
        Path::root(),
        format!("nested more than {MAX_DEPTH} levels deep"),
        format!("at most {MAX_DEPTH}"),
    )
    .at(position)
}

/// The problem of a key that stands twice in one map.
pub(super) fn duplicate(key: &str, path: Path) -> Problem {
    Problem::new(
        path,
        format!("key `{}` stands twice", super::node::shorten(key, 60)),
        "each key once in a map",
    )
}
