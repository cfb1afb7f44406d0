//! Which side of which place, in which time, a query asks about.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The parameter of a scope that lists instances, with commas between them.
pub const INSTANCES: &str = "instances";

/// One of the two sides that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Side {
    /// The version now live.
    Baseline,
    /// The new version.
    Canary,
}

impl Side {
    /// Both, the baseline first.
    pub const BOTH: [Self; 2] = [Self::Baseline, Self::Canary];
}

impl fmt::Display for Side {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Baseline => "baseline",
            Self::Canary => "canary",
        })
    }
}

/// A span of time, from `start_ms` to `end_ms`, both in milliseconds since 1970-01-01T00:00:00Z. It never ends before it
/// starts; it may be empty. Nothing is rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", try_from = "RawWindow")]
pub struct Window {
    start_ms: i64,
    end_ms: i64,
}

/// A window that ends before it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the window ends {early_ms} ms before it starts; expected an end at or after the start")]
pub struct EndsEarly {
    /// By how much.
    pub early_ms: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawWindow {
    start_ms: i64,
    end_ms: i64,
}

impl TryFrom<RawWindow> for Window {
    type Error = EndsEarly;

    fn try_from(raw: RawWindow) -> Result<Self, EndsEarly> {
        Self::new(raw.start_ms, raw.end_ms)
    }
}

impl Window {
    /// Makes a window.
    ///
    /// # Errors
    /// An end before the start.
    pub fn new(start_ms: i64, end_ms: i64) -> Result<Self, EndsEarly> {
        if end_ms < start_ms {
            let early_ms = start_ms.abs_diff(end_ms);
            return Err(EndsEarly { early_ms });
        }
        Ok(Self { start_ms, end_ms })
    }

    /// A window without length.
    #[must_use]
    pub fn at(ms: i64) -> Self {
        Self {
            start_ms: ms,
            end_ms: ms,
        }
    }

    /// The start, in milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn start_ms(self) -> i64 {
        self.start_ms
    }

    /// The end, likewise; the last moment that belongs to it.
    #[must_use]
    pub fn end_ms(self) -> i64 {
        self.end_ms
    }

    /// How long it is, in milliseconds.
    #[must_use]
    pub fn length_ms(self) -> u64 {
        self.end_ms.abs_diff(self.start_ms)
    }

    /// The same start, and an end that is later by `ms`; stops at the end of time.
    #[must_use]
    pub fn longer_by_ms(self, ms: u64) -> Self {
        let ms = i64::try_from(ms).unwrap_or(i64::MAX);
        Self {
            end_ms: self.end_ms.saturating_add(ms),
            ..self
        }
    }

    /// The same span earlier by `ms`; stops at the ends of time.
    #[must_use]
    pub fn earlier_by_ms(self, ms: i64) -> Self {
        Self {
            start_ms: self.start_ms.saturating_sub(ms),
            end_ms: self.end_ms.saturating_sub(ms),
        }
    }
}

/// Where and when one side is looked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Scope {
    /// Server group, namespace, version or whatever the query means by it. May be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub scope: String,
    /// Region or zone. May be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub location: String,
    /// The time asked about.
    pub window: Window,
    /// Distance of two points in seconds; 0 where the request names none.
    pub step_secs: u64,
    /// Further variables of templates. Empty values are kept; templates do not see them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
}

impl Scope {
    /// How many points the window has room for on its own grid, both ends counted; 0 where the step is unknown.
    #[must_use]
    pub fn expected_points(&self) -> u64 {
        match self.step_secs.checked_mul(1000) {
            None | Some(0) => 0,
            Some(step_ms) => self.window.length_ms() / step_ms + 1,
        }
    }
}

/// Both sides of one scope name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScopePair {
    /// Where the version now live is looked for.
    pub baseline: Scope,
    /// Where the new version is looked for.
    pub canary: Scope,
}

impl ScopePair {
    /// The scope of `side`.
    #[must_use]
    pub fn side(&self, side: Side) -> &Scope {
        match side {
            Side::Baseline => &self.baseline,
            Side::Canary => &self.canary,
        }
    }

    /// Both scopes, the baseline's first.
    pub fn sides_mut(&mut self) -> [&mut Scope; 2] {
        [&mut self.baseline, &mut self.canary]
    }

    /// Whether both sides ask for the same thing: same scope, location, parameters and window. Such a comparison is an A/A
    /// test, or a mistake. The step does not count.
    #[must_use]
    pub fn is_same_on_both_sides(&self) -> bool {
        let (a, b) = (&self.baseline, &self.canary);
        a.scope == b.scope
            && a.location == b.location
            && a.parameters == b.parameters
            && a.window == b.window
    }
}
