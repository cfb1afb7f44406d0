//! Kayenta's wire types: the metric set pairs that it stores and the judge result that its clients read.
//!
//! Only here the sides are called `control` and `experiment`. Nothing here judges or reads files. Field names, omitted fields
//! and the writing of NaN and infinities follow Kayenta's JSON exactly.

mod pair;
mod result;

use std::fmt;

use serde::de::{self, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};

pub use pair::{MetricSetPair, MetricSetScope, ReadPair, ReadScope, ReadSides, Scopes, Sides};
pub use result::{
    CanaryAnalysisResult, CanaryJudgeGroupScore, CanaryJudgeResult, CanaryJudgeScore,
    ResultMetadata, SideMetadata, Stats,
};

/// A number as Kayenta writes it: NaN and the infinities are the strings `NaN`, `Infinity` and `-Infinity`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Double(pub f64);

impl From<f64> for Double {
    fn from(value: f64) -> Self {
        Self(value)
    }
}

impl Serialize for Double {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_finite() {
            serializer.serialize_f64(self.0)
        } else if self.0.is_nan() {
            serializer.serialize_str("NaN")
        } else if self.0 > 0.0 {
            serializer.serialize_str("Infinity")
        } else {
            serializer.serialize_str("-Infinity")
        }
    }
}

/// A place where a number stands in the input: read without complaint, so that the reader can tell of all wrong ones at once.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Scalar {
    /// A number, a number in a string, or one of `Infinity` and `-Infinity`. Never NaN.
    Value(f64),
    /// `null`, `NaN` or an absent field.
    #[default]
    Hole,
    /// Anything else, in words for a message.
    Other(Box<str>),
}

impl Scalar {
    fn from_text(text: &str) -> Self {
        match text {
            "NaN" => Self::Hole,
            "Infinity" => Self::Value(f64::INFINITY),
            "-Infinity" => Self::Value(f64::NEG_INFINITY),
            other => match other.trim().parse::<f64>() {
                Ok(value) if value.is_finite() => Self::Value(value),
                Ok(_) | Err(_) => Self::Other(format!("the text `{}`", shortened(other)).into()),
            },
        }
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyScalar;

        impl<'de> Visitor<'de> for AnyScalar {
            type Value = Scalar;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a number")
            }

            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Scalar, E> {
                Ok(Scalar::Value(value))
            }

            #[expect(
                clippy::cast_precision_loss,
                reason = "JSON has one kind of number; Kayenta reads a double too"
            )]
            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Scalar, E> {
                Ok(Scalar::Value(value as f64))
            }

            #[expect(
                clippy::cast_precision_loss,
                reason = "JSON has one kind of number; Kayenta reads a double too"
            )]
            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Scalar, E> {
                Ok(Scalar::Value(value as f64))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Scalar, E> {
                Ok(Scalar::from_text(text))
            }

            fn visit_unit<E: de::Error>(self) -> Result<Scalar, E> {
                Ok(Scalar::Hole)
            }

            fn visit_bool<E: de::Error>(self, value: bool) -> Result<Scalar, E> {
                Ok(Scalar::Other(format!("`{value}`").into()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Scalar, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Scalar::Other("a list".into()))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Scalar::Other("an object".into()))
            }
        }

        deserializer.deserialize_any(AnyScalar)
    }
}

/// The first 40 characters, for messages.
fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(40).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
