//! How series stand in a bundle: `{"grid": {"startMs", "stepMs"}, "values": [1.5, null, "Infinity"]}`. The grid is absent
//! where no times are known, a missing point is `null`.

use std::collections::BTreeMap;

use coalmine_judges::series::{Grid, MetricSetPair, Series};
use serde::ser::SerializeSeq;
use serde::{Deserialize, Serialize, Serializer};

use crate::model::history::HistorySeries;
use crate::model::kayenta::{Double, Scalar};

#[derive(Serialize)]
struct SeriesOut<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    grid: Option<Grid>,
    values: ValuesOut<'a>,
}

struct ValuesOut<'a>(&'a [Option<f64>]);

impl Serialize for ValuesOut<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.0.len()))?;
        for value in self.0 {
            list.serialize_element(&value.map(Double))?;
        }
        list.end()
    }
}

impl<'a> From<&'a Series> for SeriesOut<'a> {
    fn from(series: &'a Series) -> Self {
        Self {
            grid: series.grid(),
            values: ValuesOut(series.values()),
        }
    }
}

#[derive(Deserialize)]
struct SeriesIn {
    grid: Option<Grid>,
    values: Vec<Scalar>,
}

impl TryFrom<SeriesIn> for Series {
    type Error = String;

    fn try_from(read: SeriesIn) -> Result<Self, String> {
        let values = read
            .values
            .into_iter()
            .enumerate()
            .map(|(index, value)| match value {
                Scalar::Value(value) => Ok(Some(value)),
                Scalar::Hole => Ok(None),
                Scalar::Other(found) => Err(format!(
                    "point {index} of a series: found {found}; expected a number, `null`, `Infinity` or `-Infinity`"
                )),
            })
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self::new(read.grid, values))
    }
}

/// For `#[serde(with)]` on a list of pairs.
pub(super) mod sets {
    use serde::de::{Deserializer, Error};

    use super::{BTreeMap, Deserialize, MetricSetPair, Serialize, Serializer, SeriesIn, SeriesOut};

    #[derive(Serialize)]
    struct SetOut<'a> {
        name: &'a str,
        id: &'a str,
        tags: &'a BTreeMap<String, String>,
        baseline: SeriesOut<'a>,
        canary: SeriesOut<'a>,
    }

    #[derive(Deserialize)]
    struct SetIn {
        name: String,
        id: String,
        tags: BTreeMap<String, String>,
        baseline: SeriesIn,
        canary: SeriesIn,
    }

    pub(in crate::archive) fn serialize<S: Serializer>(
        sets: &[MetricSetPair],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(sets.iter().map(|set| SetOut {
            name: &set.name,
            id: &set.id,
            tags: &set.tags,
            baseline: (&set.baseline).into(),
            canary: (&set.canary).into(),
        }))
    }

    pub(in crate::archive) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<MetricSetPair>, D::Error> {
        Vec::<SetIn>::deserialize(deserializer)?
            .into_iter()
            .map(|set| {
                Ok(MetricSetPair {
                    name: set.name,
                    id: set.id,
                    tags: set.tags,
                    baseline: set.baseline.try_into().map_err(D::Error::custom)?,
                    canary: set.canary.try_into().map_err(D::Error::custom)?,
                })
            })
            .collect()
    }
}

/// For `#[serde(with)]` on a list of history series.
pub(super) mod history {
    use serde::de::{Deserializer, Error};

    use super::{BTreeMap, Deserialize, HistorySeries, Serialize, Serializer, SeriesIn, SeriesOut};

    #[derive(Serialize)]
    struct HistoryOut<'a> {
        name: &'a str,
        tags: &'a BTreeMap<String, String>,
        series: SeriesOut<'a>,
    }

    #[derive(Deserialize)]
    struct HistoryIn {
        name: String,
        tags: BTreeMap<String, String>,
        series: SeriesIn,
    }

    pub(in crate::archive) fn serialize<S: Serializer>(
        history: &[HistorySeries],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(history.iter().map(|past| HistoryOut {
            name: &past.name,
            tags: &past.tags,
            series: (&past.series).into(),
        }))
    }

    pub(in crate::archive) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<HistorySeries>, D::Error> {
        Vec::<HistoryIn>::deserialize(deserializer)?
            .into_iter()
            .map(|past| {
                Ok(HistorySeries {
                    name: past.name,
                    tags: past.tags,
                    series: past.series.try_into().map_err(D::Error::custom)?,
                })
            })
            .collect()
    }
}
