//! The input of one judgement, named by its content, and the record that keeps it together with the judgement.

use std::collections::BTreeMap;
use std::io::{self, Write};

use coalmine_judges::config::{JudgeConfig, MetricSpec, Thresholds};
use coalmine_judges::judge::{JudgeInput, Refusal};
use coalmine_judges::judgement::{Judgement, VerdictReason};
use coalmine_judges::series::MetricSetPair;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::{JudgementRecord, series_json};
use crate::model::history::HistorySeries;
use crate::model::query::SentQueries;

/// All that a judgement rests on, as it was read. Immutable: its [`Bundle::id`] is the hash of its content.
///
/// A field that is added to this version must be left out of the JSON where it is empty, or the ids of old bundles change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Bundle {
    /// Version of this format.
    pub version: u32,
    /// The canary config in Kayenta's JSON; `None` where every metric was judged by the defaults.
    pub config: Option<serde_json::Value>,
    /// The name of the judge that was asked.
    pub judge: String,
    /// The part of the config that the judge read.
    pub judge_config: JudgeConfig,
    /// The scores that decided.
    pub thresholds: Thresholds,
    /// The series of both sides, raw, in the order in which they were judged.
    #[serde(with = "series_json::sets")]
    pub sets: Vec<MetricSetPair>,
    /// The live cluster's own past.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        with = "series_json::history"
    )]
    pub history: Vec<HistorySeries>,
    /// The queries as sent, one for each set; empty where none are known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub queries: Vec<SentQueries>,
}

/// What the two sides are: versions, scopes or files. Words for people: the same input under another name is the same.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sides {
    /// The application, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<String>,
    /// The version now live.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<String>,
    /// The new version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canary: Option<String>,
}

impl Bundle {
    /// Version of the format that this code writes.
    pub const VERSION: u32 = 1;

    /// All that a judge looks at, history included.
    ///
    /// # Errors
    /// Series that no metric of the config names.
    pub fn judge_input(&self) -> Result<JudgeInput<'_>, Refusal> {
        let input = JudgeInput::new(&self.judge_config, self.thresholds, &self.sets)?;
        Ok(input.with_history(&self.history))
    }

    /// The SHA-256 of the canonical JSON, in hexadecimal. Canonical means: without blanks, the fields in the order of the
    /// types, the keys of maps and of the config sorted, numbers as short as they can be written.
    ///
    /// # Errors
    /// A bundle that cannot be written as JSON; none is known.
    pub fn id(&self) -> io::Result<String> {
        content_hash(self)
    }

    /// Whether it is of this version and has this id.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self, id: &str) -> Result<(), SavedError> {
        same_version("bundle", self.version, Self::VERSION)?;
        same_hash("bundle", self, id)
    }
}

fn content_hash(content: &impl Serialize) -> io::Result<String> {
    struct Hasher(Sha256);
    impl Write for Hasher {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.update(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut hasher = io::BufWriter::new(Hasher(Sha256::new()));
    serde_json::to_writer(&mut hasher, content)?;
    let Hasher(digest) = hasher
        .into_inner()
        .map_err(io::IntoInnerError::into_error)?;
    let digest = digest.finalize();
    Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// A bundle and its judgement, in one file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Saved {
    /// Version of this format.
    pub version: u32,
    /// The version of Coalmine that judged.
    pub coalmine: String,
    /// When it was judged, in milliseconds since 1970-01-01T00:00:00Z.
    pub judged_at_ms: i64,
    /// What the two sides are, in words.
    pub sides: Sides,
    /// Where the series came from, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// The bundle's content hash.
    pub bundle_id: String,
    /// The judgement's, made in the same way.
    pub judgement_id: String,
    /// The input.
    pub bundle: Bundle,
    /// The result.
    pub judgement: Judgement,
    /// Warnings about config and input, one sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// What is told of an input, and is no part of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Told {
    /// What the two sides are.
    pub sides: Sides,
    /// Where the series came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// Warnings about config and input, one sentence each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// Why a saved judgement cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SavedError {
    /// Not the JSON of a saved judgement.
    #[error("found {found}; expected a judgement as `coalmine judge --save` writes it")]
    Malformed {
        /// What the parser said.
        found: String,
    },
    /// Written in a format that this version does not know.
    #[error("found format version {found} of the {part}; expected {expected}")]
    Version {
        /// Which part.
        part: &'static str,
        /// The version in the file.
        found: u32,
        /// The version that is known.
        expected: u32,
    },
    /// Bundle or judgement is not the one that was saved.
    #[error("the {part}'s content has the hash `{found}`; expected `{expected}`, as the file says")]
    Hash {
        /// Which part.
        part: &'static str,
        /// The hash of the content.
        found: String,
        /// The hash that the file names.
        expected: String,
    },
    /// The judgement does not belong to the bundle.
    #[error("the judgement does not fit the bundle: {0}")]
    Mismatch(String),
}

impl SavedError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Malformed { .. } => "is it the file that `--save` wrote, whole?",
            Self::Version {
                found, expected, ..
            } if found > expected => {
                "it was written by a newer version of Coalmine; update this one"
            }
            Self::Version { .. } => "judge the original input again",
            Self::Hash { .. } | Self::Mismatch(_) => {
                "the file was changed after it was saved; judge the original input again"
            }
        }
    }
}

impl Saved {
    /// Version of the format that this code writes.
    pub const VERSION: u32 = 1;

    /// Puts a bundle and its judgement together.
    ///
    /// # Errors
    /// Those of [`Bundle::id`].
    pub fn new(
        bundle: Bundle,
        judgement: Judgement,
        judged_at_ms: i64,
        told: Told,
    ) -> io::Result<Self> {
        let Told {
            sides,
            origin,
            notes,
        } = told;
        Ok(Self {
            version: Self::VERSION,
            coalmine: env!("CARGO_PKG_VERSION").to_owned(),
            judged_at_ms,
            sides,
            origin,
            bundle_id: bundle.id()?,
            judgement_id: content_hash(&judgement)?,
            bundle,
            judgement,
            notes,
        })
    }

    /// Puts together what an archive keeps apart.
    ///
    /// # Errors
    /// The first thing that is wrong: versions, hash, or that judgement and bundle do not belong together.
    pub fn assemble(bundle: Bundle, record: JudgementRecord) -> Result<Self, SavedError> {
        let malformed = |error: io::Error| SavedError::Malformed {
            found: error.to_string(),
        };
        same_version(
            "judgement's record",
            record.version,
            JudgementRecord::VERSION,
        )?;
        let Told {
            sides,
            origin,
            notes,
        } = record.told;
        let saved = Self {
            version: Self::VERSION,
            coalmine: record.coalmine,
            judged_at_ms: record.judged_at_ms,
            sides,
            origin,
            bundle_id: record.bundle_id,
            judgement_id: content_hash(&record.judgement).map_err(malformed)?,
            bundle,
            judgement: record.judgement,
            notes,
        };
        saved.check_bundle()?;
        saved.check_judgement()?;
        Ok(saved)
    }

    /// Takes it apart into what an archive keeps; the other way round of [`Saved::assemble`].
    #[must_use]
    pub fn take_apart(self) -> (Bundle, JudgementRecord) {
        let record = JudgementRecord {
            version: JudgementRecord::VERSION,
            coalmine: self.coalmine,
            judged_at_ms: self.judged_at_ms,
            bundle_id: self.bundle_id,
            told: Told {
                sides: self.sides,
                origin: self.origin,
                notes: self.notes,
            },
            judgement: self.judgement,
        };
        (self.bundle, record)
    }

    /// Writes it as JSON with a line break at the end.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(&self, mut out: impl Write) -> io::Result<()> {
        serde_json::to_writer(&mut out, self)?;
        out.write_all(b"\n")
    }

    /// Reads what [`Saved::write`] wrote, and checks that it is whole: versions, hash, and that judgement and bundle belong
    /// together. Fields that nobody reads are ignored.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn read(text: &str) -> Result<Self, SavedError> {
        #[derive(Deserialize)]
        struct Versioned {
            version: Option<u32>,
        }
        let malformed = |error: serde_json::Error| SavedError::Malformed {
            found: if text.trim_ascii().is_empty() {
                "an empty file".to_owned()
            } else {
                error.to_string()
            },
        };
        let outer: Versioned = serde_json::from_str(text).map_err(malformed)?;
        let Some(found) = outer.version else {
            return Err(SavedError::Malformed {
                found: "no `version`".to_owned(),
            });
        };
        same_version("file", found, Self::VERSION)?;
        let saved: Self = serde_json::from_str(text).map_err(malformed)?;
        saved.check_bundle()?;
        same_hash("judgement", &saved.judgement, &saved.judgement_id)?;
        saved.check_judgement()?;
        Ok(saved)
    }

    fn check_bundle(&self) -> Result<(), SavedError> {
        self.bundle.check(&self.bundle_id)
    }

    fn check_judgement(&self) -> Result<(), SavedError> {
        same_version("judgement", self.judgement.version, Judgement::VERSION)?;
        self.check_fit()
    }

    /// Reports take results and sets side by side, so that both must be the same; and the judgement must be the answer to
    /// what the bundle asks.
    fn check_fit(&self) -> Result<(), SavedError> {
        let (bundle, judgement) = (&self.bundle, &self.judgement);
        let mismatch = |what: String| Err(SavedError::Mismatch(what));
        if judgement.judge != bundle.judge {
            return mismatch(format!(
                "`{}` judged, and the bundle asks for `{}`",
                judgement.judge, bundle.judge
            ));
        }
        if judgement.thresholds != bundle.thresholds {
            return mismatch("its thresholds are others".to_owned());
        }
        if judgement.group_weights != bundle.judge_config.group_weights {
            return mismatch("its weights of the groups are others".to_owned());
        }
        let (sets, results) = (&self.bundle.sets, &self.judgement.results);
        if sets.len() != results.len() {
            return Err(SavedError::Mismatch(format!(
                "{} results for {} metric set pairs",
                results.len(),
                sets.len()
            )));
        }
        let mut specs: BTreeMap<&str, &MetricSpec> = BTreeMap::new();
        for spec in &bundle.judge_config.metrics {
            specs.entry(spec.name.as_str()).or_insert(spec);
        }
        for (set, result) in sets.iter().zip(results) {
            if set.id != result.id || set.name != result.spec.name {
                return Err(SavedError::Mismatch(format!(
                    "the result of `{}` stands at the place of `{}`",
                    result.id, set.id
                )));
            }
            if specs.get(set.name.as_str()) != Some(&&result.spec) || set.tags != result.tags {
                return mismatch(format!(
                    "the result of `{}` follows other rules than the config has",
                    result.id
                ));
            }
        }
        let queries = self.bundle.queries.len();
        if queries != 0 && queries != sets.len() {
            return Err(SavedError::Mismatch(format!(
                "{queries} queries for {} metric set pairs",
                sets.len()
            )));
        }
        let named = match self.judgement.reason {
            VerdictReason::CriticalMetric { result }
            | VerdictReason::CriticalUndecided { result }
            | VerdictReason::MetricFailed { result } => Some(result),
            VerdictReason::ScoreReached
            | VerdictReason::ScoreBetween
            | VerdictReason::ScoreBelow
            | VerdictReason::DecidedScoreLower
            | VerdictReason::TooLittleDecided
            | VerdictReason::NothingDecided
            | VerdictReason::NothingCounted => None,
        };
        match named {
            Some(result) if result >= results.len() => Err(SavedError::Mismatch(format!(
                "its reason names result {result} of {}",
                results.len()
            ))),
            Some(_) | None => Ok(()),
        }
    }
}

fn same_hash(
    part: &'static str,
    content: &impl Serialize,
    expected: &str,
) -> Result<(), SavedError> {
    let found = content_hash(content).map_err(|error| SavedError::Malformed {
        found: error.to_string(),
    })?;
    if found == expected {
        Ok(())
    } else {
        Err(SavedError::Hash {
            part,
            found,
            expected: expected.to_owned(),
        })
    }
}

fn same_version(part: &'static str, found: u32, expected: u32) -> Result<(), SavedError> {
    if found == expected {
        Ok(())
    } else {
        Err(SavedError::Version {
            part,
            found,
            expected,
        })
    }
}
