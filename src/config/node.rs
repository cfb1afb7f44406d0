//! A config as a tree of plain values that know where they stand in the text.

use std::fmt;

use serde_json::Number;

use super::path::Path;
#[cfg(doc)]
use super::problems::Findings;
use super::problems::{Position, Problem, Problems};
use super::{json, yaml};

/// Largest text that is read, in bytes. The largest configs in use are below 1 MiB.
pub const MAX_BYTES: usize = 4 * 1024 * 1024;

/// Most lists and maps inside each other that are read. A canary config needs 6.
pub const MAX_DEPTH: usize = 64;

/// A value and the place where it begins.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// What stands there.
    pub value: Value,
    /// Its first character.
    pub position: Position,
}

/// One key of a map with its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key's text; unique within the map.
    pub key: String,
    /// The key's first character.
    pub position: Position,
    /// What the key stands for.
    pub value: Node,
}

/// A plain value. Numbers are finite.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `null`, `~`, or nothing at all after a key of YAML.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A finite number.
    Number(Number),
    /// Any other scalar.
    Text(String),
    /// Values in order.
    List(Vec<Node>),
    /// Keys in the text's order.
    Map(Vec<Entry>),
}

/// A text as a tree, with what can be told of it only while it is read. Each list has at most [`Findings::MOST`] problems.
#[derive(Debug)]
pub(super) struct Parsed {
    /// The whole text. Of a key that stands twice the last one is there; a scalar that stands for no value is its text.
    pub(super) node: Node,
    /// Keys that stand twice in a map.
    pub(super) repeated: Vec<Problem>,
    /// Scalars that stand for no value: numbers that are not finite, unknown tags.
    pub(super) broken: Vec<Problem>,
}

impl Node {
    /// Reads JSON (where the first character is `{` or `[`) or YAML 1.2. A byte-order mark is skipped.
    ///
    /// # Errors
    /// Text that is too large, too deep, empty, or no single document; syntax errors, with their place; keys that stand twice
    /// in one map; numbers that are not finite; YAML aliases that would expand to more than 1 MiB.
    pub fn parse(text: &str) -> Result<Self, Problems> {
        let parsed = Self::read(text)?;
        let mut problems = parsed.repeated;
        problems.extend(parsed.broken);
        problems.sort_by_key(|problem| problem.position);
        match Problems::new(problems) {
            Some(problems) => Err(problems),
            None => Ok(parsed.node),
        }
    }

    /// Reads as [`Self::parse`] does, but past keys that stand twice and scalars that stand for no value.
    pub(super) fn read(text: &str) -> Result<Parsed, Problems> {
        if text.len() > MAX_BYTES {
            return Err(Problem::new(
                Path::root(),
                format!("{} bytes of text", text.len()),
                format!("at most {MAX_BYTES}"),
            )
            .into());
        }
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if is_json(text) {
            json::parse(text)
        } else {
            yaml::parse(text)
        }
    }

    /// The same value without places.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(flag) => (*flag).into(),
            Value::Number(number) => number.clone().into(),
            Value::Text(text) => text.clone().into(),
            Value::List(items) => items.iter().map(Self::to_json).collect(),
            Value::Map(entries) => entries
                .iter()
                .map(|entry| (entry.key.clone(), entry.value.to_json()))
                .collect(),
        }
    }
}

impl fmt::Display for Node {
    /// The value with its kind, short enough for one line: ``text `increse` ``, `number 7`, `a list of 3 items`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Value::Null => f.write_str("nothing (`null`)"),
            Value::Bool(flag) => write!(f, "`{flag}`"),
            Value::Number(number) => write!(f, "number `{number}`"),
            Value::Text(text) => write!(f, "text `{}`", shorten(text, 40)),
            Value::List(items) => match items.len() {
                0 => f.write_str("an empty list"),
                1 => f.write_str("a list of 1 item"),
                count => write!(f, "a list of {count} items"),
            },
            Value::Map(entries) => match entries.as_slice() {
                [] => f.write_str("an empty map"),
                [first, ..] => write!(f, "a map with key `{}`", shorten(&first.key, 40)),
            },
        }
    }
}

/// `text` in one line of at most `limit` characters; what was cut off shows as `…`. Control characters show as escapes.
#[must_use]
pub fn shorten(text: &str, limit: usize) -> String {
    let mut short = String::new();
    for (count, c) in text.chars().enumerate() {
        if count == limit {
            short.push('…');
            break;
        }
        if c.is_control() {
            short.extend(c.escape_default());
        } else {
            short.push(c);
        }
    }
    short
}

/// Whether a text is meant as JSON: it begins with a bracket, and not with a brace and a bare key, which is YAML on one line.
fn is_json(text: &str) -> bool {
    let mut start = text.chars().filter(|c| !c.is_whitespace());
    match (start.next(), start.next()) {
        (Some('{'), Some(next)) => !(next.is_alphabetic() || next == '_'),
        (Some('{' | '['), _) => true,
        _ => false,
    }
}
