//! Reads JSON bodies as leniently as Kayenta does: unknown fields are ignored, numbers may stand in strings and text may be a
//! number, `null` is the same as absent. What is wrong is told with its path, all at once.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::http::StatusCode;
use serde_json::{Map, Value};

use super::answer::{Answer, Refusal};
use super::times;

/// Most problems that are told of one body.
const MOST_PROBLEMS: usize = 20;

/// Reads a body as JSON. A key that stands twice has its last value.
///
/// # Errors
/// 400 with the parser's words.
pub(super) fn json(body: &[u8]) -> Answer<Value> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    if body.trim_ascii().is_empty() {
        return Err(Refusal::bad("the body is empty; expected JSON"));
    }
    serde_json::from_slice(body).map_err(|error| Refusal::bad(format!("malformed JSON: {error}")))
}

/// Bodies up to this size, in bytes, are read at once: that takes less than a millisecond.
const SMALL: usize = 64 * 1024;

/// Does what takes time with a body (reads it, writes it anew) beside the tasks of the runtime where the body is large, so that
/// other requests need not wait.
///
/// # Errors
/// Those of `read`; 500 where it panicked.
pub(super) async fn aside<T: Send + 'static>(
    body: Bytes,
    read: impl FnOnce(&[u8]) -> Answer<T> + Send + 'static,
) -> Answer<T> {
    if body.len() <= SMALL {
        return read(&body);
    }
    match tokio::task::spawn_blocking(move || read(&body)).await {
        Ok(answer) => answer,
        Err(error) => {
            tracing::error!("a body was not read to its end: {error}");
            Err(Refusal::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "the body was not read to its end; this is a defect of Coalmine",
            ))
        }
    }
}

/// What is wrong with a body.
#[derive(Debug, Default)]
pub(super) struct Problems(Vec<String>);

impl Problems {
    pub(super) fn add(&mut self, path: &str, found: &str, expected: &str) {
        if self.0.len() < MOST_PROBLEMS {
            let place = if path.is_empty() { "the body" } else { path };
            self.0
                .push(format!("{place}: found {found}; expected {expected}"));
        }
    }

    pub(super) fn told(&mut self, sentence: String) {
        if self.0.len() < MOST_PROBLEMS {
            self.0.push(sentence);
        }
    }

    /// 400 where there are any.
    pub(super) fn check(self) -> Answer<()> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Refusal::bad(self.0.join("\n")))
        }
    }
}

/// One place in a body.
#[derive(Debug, Clone)]
pub(super) struct Field<'a> {
    value: &'a Value,
    path: String,
}

impl<'a> Field<'a> {
    pub(super) fn root(value: &'a Value) -> Self {
        Self {
            value,
            path: String::new(),
        }
    }

    /// What stands under `key`; absent where this is no object.
    pub(super) fn get(&self, key: &str) -> Self {
        Self {
            value: self.value.get(key).unwrap_or(&Value::Null),
            path: if self.path.is_empty() {
                key.to_owned()
            } else {
                format!("{}.{key}", self.path)
            },
        }
    }

    pub(super) fn is_absent(&self) -> bool {
        self.value.is_null()
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn value(&self) -> &'a Value {
        self.value
    }

    fn wrong(&self, problems: &mut Problems, expected: &str) {
        problems.add(&self.path, &word(self.value), expected);
    }

    pub(super) fn object(&self, problems: &mut Problems) -> Option<&'a Map<String, Value>> {
        match self.value {
            Value::Object(map) => Some(map),
            Value::Null => None,
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                self.wrong(problems, "an object");
                None
            }
        }
    }

    /// The members of an object, in the order of their keys.
    pub(super) fn members(&self, problems: &mut Problems) -> Option<Vec<(&'a str, Self)>> {
        let map = self.object(problems)?;
        Some(
            map.keys()
                .map(|key| (key.as_str(), self.get(key)))
                .collect(),
        )
    }

    /// The items of a list.
    pub(super) fn items(&self, problems: &mut Problems) -> Option<Vec<Self>> {
        match self.value {
            Value::Array(items) => Some(
                items
                    .iter()
                    .enumerate()
                    .map(|(index, value)| Self {
                        value,
                        path: format!("{}[{index}]", self.path),
                    })
                    .collect(),
            ),
            Value::Null => None,
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
                self.wrong(problems, "a list");
                None
            }
        }
    }

    pub(super) fn text(&self, problems: &mut Problems) -> Option<String> {
        match self.value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(flag) => Some(flag.to_string()),
            Value::Null => None,
            Value::Array(_) | Value::Object(_) => {
                self.wrong(problems, "text");
                None
            }
        }
    }

    pub(super) fn number(&self, problems: &mut Problems) -> Option<f64> {
        let found = match self.value {
            Value::Number(number) => number.as_f64(),
            Value::String(text) if text.trim().is_empty() => return None,
            Value::String(text) => text.trim().parse().ok(),
            Value::Null => return None,
            Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        };
        let found = found.filter(|number| number.is_finite());
        if found.is_none() {
            self.wrong(problems, "a number");
        }
        found
    }

    pub(super) fn whole(&self, problems: &mut Problems) -> Option<i64> {
        if let Some(whole) = self.value.as_i64() {
            return Some(whole);
        }
        let exact = self
            .value
            .as_str()
            .and_then(|text| text.trim().parse().ok());
        if exact.is_some() {
            return exact;
        }
        let number = self.number(problems)?;
        if number.fract() == 0.0 && number.abs() < 9e15 {
            #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
            let whole = number as i64;
            return Some(whole);
        }
        self.wrong(problems, "a whole number");
        None
    }

    /// Milliseconds since 1970-01-01T00:00:00Z; an empty text is absent.
    pub(super) fn time_ms(&self, problems: &mut Problems) -> Option<i64> {
        let found = match self.value {
            Value::Null => return None,
            Value::String(text) if text.trim().is_empty() => return None,
            Value::String(text) => times::parse(text.trim()),
            Value::Number(number) => number.as_f64().and_then(times::from_seconds),
            Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        };
        if found.is_none() {
            self.wrong(problems, "a time like `2020-01-01T00:00:00Z`");
        }
        found
    }

    /// Texts by key; those that are `null` are left out.
    pub(super) fn texts(&self, problems: &mut Problems) -> BTreeMap<String, String> {
        let members = self.members(problems).unwrap_or_default();
        members
            .into_iter()
            .filter_map(|(key, field)| Some((key.to_owned(), field.text(problems)?)))
            .collect()
    }
}

/// A value in words, for messages.
pub(super) fn word(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(flag) => format!("`{flag}`"),
        Value::Number(number) => format!("`{number}`"),
        Value::String(text) => {
            let mut short: String = text.chars().take(40).collect();
            if short.len() < text.len() {
                short.push('…');
            }
            format!("the text `{}`", crate::model::clean::clean(&short))
        }
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_in_texts_and_texts_that_are_numbers_are_read() {
        let body =
            json!({"a": "60", "b": 60.0, "c": 5, "d": "", "e": null, "f": "9007199254740993"});
        let (root, mut problems) = (Field::root(&body), Problems::default());
        assert_eq!(root.get("a").whole(&mut problems), Some(60));
        assert_eq!(root.get("b").whole(&mut problems), Some(60));
        assert_eq!(root.get("c").text(&mut problems), Some("5".to_owned()));
        assert_eq!(root.get("d").number(&mut problems), None);
        assert_eq!(root.get("e").whole(&mut problems), None);
        assert_eq!(
            root.get("f").whole(&mut problems),
            Some(9_007_199_254_740_993)
        );
        assert_eq!(root.get("absent").time_ms(&mut problems), None);
        assert!(problems.check().is_ok());
    }

    #[test]
    fn everything_that_is_wrong_is_told_with_its_place() {
        let body = json!({"list": [{"step": 1.5}], "pass": "NaN", "start": "soon", "scope": {}});
        let (root, mut problems) = (Field::root(&body), Problems::default());
        for item in root.get("list").items(&mut problems).unwrap_or_default() {
            assert_eq!(item.get("step").whole(&mut problems), None);
        }
        root.get("pass").number(&mut problems);
        root.get("start").time_ms(&mut problems);
        root.get("scope").text(&mut problems);
        let refusal = problems.check().expect_err("four problems");
        assert_eq!(
            refusal.message,
            "list[0].step: found `1.5`; expected a whole number\n\
             pass: found the text `NaN`; expected a number\n\
             start: found the text `soon`; expected a time like `2020-01-01T00:00:00Z`\n\
             scope: found an object; expected text"
        );
    }
}
