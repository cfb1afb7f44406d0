//! The JSON that Prometheus and its kin answer with.
//!
//! What is read here is what was said, not yet what it means: null points, NaN and infinite values stay apart, and a list that
//! is longer than allowed stops the reading.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// An answer as a whole.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Reply<'j> {
    /// `success` or `error`; whatever the status of HTTP says.
    pub(super) status: String,
    #[serde(borrow, default)]
    pub(super) data: Option<&'j RawValue>,
    #[serde(default)]
    pub(super) error_type: Option<String>,
    #[serde(default)]
    pub(super) error: Option<String>,
    /// Parts of the data may be missing.
    #[serde(default)]
    pub(super) warnings: Option<Vec<String>>,
    /// Remarks on the query, since Prometheus 3.
    #[serde(default)]
    pub(super) infos: Option<Vec<String>>,
    /// VictoriaMetrics' cluster: parts of the data are missing.
    #[serde(default)]
    pub(super) is_partial: Option<bool>,
}

/// What tells a series from others.
pub(super) type Labels = BTreeMap<String, String>;

/// Times in seconds, and values; `None` where the JSON has null.
pub(super) type Points = Vec<(f64, Option<f64>)>;

/// A series with its points.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct RawSeries {
    /// All labels, `__name__` included.
    pub(super) labels: Labels,
    /// Its points in order.
    pub(super) points: Points,
}

/// Why the data cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Misfit {
    /// Another type than a matrix, or none.
    Type(String),
    /// More series than the account allows.
    TooManySeries,
    /// Native histograms instead of numbers.
    Histograms,
    /// Something else; the text says what and where.
    Shape(String),
}

/// Reads the answer, data aside.
pub(super) fn read(body: &[u8]) -> Result<Reply<'_>, String> {
    serde_json::from_slice(body).map_err(|why| why.to_string())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data<'j> {
    #[serde(default)]
    result_type: Option<String>,
    #[serde(borrow, default)]
    result: Option<&'j RawValue>,
}

fn result<'j>(data: &'j RawValue, expected: &str) -> Result<&'j RawValue, Misfit> {
    let data: Data<'_> =
        serde_json::from_str(data.get()).map_err(|why| Misfit::Shape(why.to_string()))?;
    match (data.result_type, data.result) {
        (Some(found), _) if found != expected => Err(Misfit::Type(format!("a {found}"))),
        (None, _) => Err(Misfit::Type("no result type".to_owned())),
        (Some(_), None) => Err(Misfit::Shape("found no `result`".to_owned())),
        (Some(_), Some(result)) => Ok(result),
    }
}

/// The series of a matrix, which is what a range query gives; at most `max_series`.
pub(super) fn matrix(data: &RawValue, max_series: usize) -> Result<Vec<RawSeries>, Misfit> {
    let result = result(data, "matrix")?;
    let limit = Limit {
        max: max_series,
        exceeded: Cell::new(false),
    };
    let mut deserializer = serde_json::Deserializer::from_str(result.get());
    let entries = match (&limit).deserialize(&mut deserializer) {
        Ok(entries) => entries,
        Err(_) if limit.exceeded.get() => return Err(Misfit::TooManySeries),
        Err(why) => return Err(Misfit::Shape(why.to_string())),
    };
    if entries.iter().any(|entry| entry.histograms.is_some()) {
        return Err(Misfit::Histograms);
    }
    let series = entries.into_iter().map(|entry| RawSeries {
        labels: entry.metric,
        points: entry
            .values
            .into_iter()
            .map(|Point(at, v)| (at, v))
            .collect(),
    });
    Ok(series.collect())
}

/// The values of a vector, which is what an instant query gives; a scalar counts as one.
pub(super) fn vector(data: &RawValue) -> Result<Vec<f64>, Misfit> {
    #[derive(Deserialize)]
    struct Entry {
        value: Point,
    }
    let shape = |why: serde_json::Error| Misfit::Shape(why.to_string());
    match result(data, "vector") {
        Ok(result) => {
            let entries: Vec<Entry> = serde_json::from_str(result.get()).map_err(shape)?;
            Ok(entries.iter().filter_map(|entry| entry.value.1).collect())
        }
        Err(Misfit::Type(_)) => {
            let result = result(data, "scalar")?;
            let Point(_, value) = serde_json::from_str(result.get()).map_err(shape)?;
            Ok(value.into_iter().collect())
        }
        Err(other) => Err(other),
    }
}

/// The list of strings that label endpoints give.
pub(super) fn strings(data: &RawValue) -> Result<Vec<String>, Misfit> {
    serde_json::from_str(data.get()).map_err(|why| Misfit::Shape(why.to_string()))
}

/// What `/api/v1/status/buildinfo` tells; Mimir and Thanos leave out or add fields.
#[derive(Debug, Deserialize)]
pub(super) struct Build {
    #[serde(default)]
    pub(super) application: Option<String>,
    #[serde(default)]
    pub(super) version: Option<String>,
}

/// Reads [`Build`].
pub(super) fn build(data: &RawValue) -> Option<Build> {
    serde_json::from_str(data.get()).ok()
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    metric: Labels,
    #[serde(default)]
    values: Vec<Point>,
    #[serde(default)]
    histograms: Option<IgnoredAny>,
}

/// Reads a list of entries up to a limit, so that a flood of series costs no more than the limit.
struct Limit {
    max: usize,
    exceeded: Cell<bool>,
}

impl<'de> DeserializeSeed<'de> for &Limit {
    type Value = Vec<Entry>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<Entry>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for &Limit {
    type Value = Vec<Entry>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of series")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<Entry>, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = list.next_element()? {
            if entries.len() == self.max {
                self.exceeded.set(true);
                return Err(A::Error::custom("too many series"));
            }
            entries.push(entry);
        }
        Ok(entries)
    }
}

/// `[1554982493.349, "45"]`; the value may be null, and some proxies write it as a number.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Point(f64, Option<f64>);

impl<'de> Deserialize<'de> for Point {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (at, Value(value)) = Deserialize::deserialize(deserializer)?;
        Ok(Self(at, value))
    }
}

struct Value(Option<f64>);

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor).map(Self)
    }
}

struct ValueVisitor;

impl Visitor<'_> for ValueVisitor {
    type Value = Option<f64>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a number in a string, or null")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Option<f64>, E> {
        text.parse()
            .map(Some)
            .map_err(|_| E::invalid_value(serde::de::Unexpected::Str(text), &self))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Option<f64>, E> {
        Ok(Some(value))
    }

    #[expect(clippy::cast_precision_loss, reason = "a sample is a double anyway")]
    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Option<f64>, E> {
        Ok(Some(value as f64))
    }

    #[expect(clippy::cast_precision_loss, reason = "a sample is a double anyway")]
    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Option<f64>, E> {
        Ok(Some(value as f64))
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Option<f64>, E> {
        Ok(None)
    }
}
