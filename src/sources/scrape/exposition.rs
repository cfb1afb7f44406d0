//! Prometheus' text exposition format, version 0.0.4, with what OpenMetrics adds to its lines.
//!
//! Own code: the crates that parse it take label values apart at commas and braces inside of quotes, so that routes like
//! `/users/{id}` lose their lines or melt into each other without a word. Source: "Exposition formats", prometheus.io/docs.

use std::collections::BTreeMap;

use thiserror::Error;

/// One line that carries a value. A time that the line may give is passed over: the time of the scrape counts.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Name of the metric.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// The value; NaN and infinities included.
    pub value: f64,
}

/// A line that cannot be read. As in Prometheus the whole page is of no use then.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}: found {found}; expected {expected}")]
pub struct Malformed {
    /// The line, from 1.
    pub line: usize,
    /// What stands there.
    pub found: String,
    /// What should stand there.
    pub expected: &'static str,
}

/// Reads a page. Of metrics that are not `wanted` the name is all that is looked at.
///
/// # Errors
/// The first line that cannot be read.
pub fn parse(page: &str, wanted: impl Fn(&str) -> bool) -> Result<Vec<Sample>, Malformed> {
    let mut samples = Vec::new();
    for (index, line) in page.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let mut cursor = Cursor {
            rest: line,
            line: index + 1,
        };
        samples.extend(cursor.sample(&wanted)?);
    }
    Ok(samples)
}

struct Cursor<'p> {
    rest: &'p str,
    line: usize,
}

impl<'p> Cursor<'p> {
    fn wrong<T>(&self, expected: &'static str) -> Result<T, Malformed> {
        let mut found: String = self.rest.chars().take(40).collect();
        found = if found.is_empty() {
            "the end of the line".to_owned()
        } else {
            format!("`{}`", found.escape_debug())
        };
        Err(Malformed {
            line: self.line,
            found,
            expected,
        })
    }

    fn eat(&mut self, character: char) -> bool {
        match self.rest.strip_prefix(character) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn blanks(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
    }

    /// A name of letters, digits, `_` and `:`; may be empty.
    fn name(&mut self) -> &'p str {
        let end = self
            .rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'));
        let (name, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        name
    }

    fn sample(&mut self, wanted: &impl Fn(&str) -> bool) -> Result<Option<Sample>, Malformed> {
        let mut name = self.name().to_owned();
        self.blanks();
        if !name.is_empty() && !wanted(&name) {
            return Ok(None);
        }
        let mut labels = BTreeMap::new();
        if self.eat('{') {
            self.labels(&mut name, &mut labels)?;
            self.blanks();
        }
        if name.is_empty() {
            return self.wrong("the name of a metric");
        }
        let value = self.value()?;
        Ok(wanted(&name).then_some(Sample {
            name,
            labels,
            value,
        }))
    }

    /// Labels up to and with the closing brace. A quoted text without a value is the metric's name.
    fn labels(
        &mut self,
        name: &mut String,
        labels: &mut BTreeMap<String, String>,
    ) -> Result<(), Malformed> {
        loop {
            self.blanks();
            if self.eat('}') {
                return Ok(());
            }
            let quoted = self.rest.starts_with('"');
            let key = if quoted {
                self.text()?
            } else {
                self.name().to_owned()
            };
            self.blanks();
            if self.eat('=') {
                self.blanks();
                if key.is_empty() {
                    return self.wrong("the name of a label");
                }
                let value = self.text()?;
                labels.insert(key, value);
            } else if quoted && name.is_empty() {
                *name = key;
            } else {
                return self.wrong("`=` after the name of a label");
            }
            self.blanks();
            if !self.eat(',') && !self.rest.starts_with('}') {
                return self.wrong("`,` or `}` after a label");
            }
        }
    }

    /// A text in quotes.
    fn text(&mut self) -> Result<String, Malformed> {
        if !self.eat('"') {
            return self.wrong("a text in quotes");
        }
        let mut text = String::new();
        let mut characters = self.rest.char_indices();
        while let Some((at, character)) = characters.next() {
            match character {
                '"' => {
                    self.rest = &self.rest[at + 1..];
                    return Ok(text);
                }
                '\\' => match characters.next() {
                    Some((_, 'n')) => text.push('\n'),
                    Some((_, escaped @ ('"' | '\\'))) => text.push(escaped),
                    // As Prometheus does: any other backslash is one.
                    Some((_, other)) => text.extend(['\\', other]),
                    None => break,
                },
                other => text.push(other),
            }
        }
        self.rest = "";
        self.wrong("`\"` at the end of a text")
    }

    fn value(&mut self) -> Result<f64, Malformed> {
        let word = self
            .rest
            .split_ascii_whitespace()
            .next()
            .unwrap_or_default();
        match word.parse::<f64>() {
            Ok(value) => Ok(value),
            Err(_) => self.wrong("a number"),
        }
    }
}
