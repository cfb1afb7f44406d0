//! What a query asks of scraped pages: a small part of PromQL, so that the same config can be asked of a Prometheus later.

mod parse;

use std::fmt;

pub use parse::{Unreadable, parse};

/// Which samples: a name and conditions on labels.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Selector {
    /// Name of the metric.
    pub name: String,
    /// Conditions; all must hold.
    pub matchers: Vec<Matcher>,
}

/// One condition on a label. An absent label is as good as an empty one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Matcher {
    /// The label.
    pub label: String,
    /// Whether it must have the value, or must not.
    pub equal: bool,
    /// The value.
    pub value: String,
}

impl Selector {
    /// Whether labels meet all conditions.
    pub(super) fn matches(&self, labels: &std::collections::BTreeMap<String, String>) -> bool {
        self.matchers.iter().all(|matcher| {
            let value = labels.get(&matcher.label).map_or("", String::as_str);
            (value == matcher.value) == matcher.equal
        })
    }
}

/// How the series of all instances become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aggregate {
    /// Their mean, of those that are there.
    Avg,
    /// Their sum; missing where an instance is.
    Sum,
}

/// What a query asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Expression {
    /// `avg(name{…})`, `sum(name{…})`: values as they are.
    Gauge(Aggregate, Selector),
    /// `avg(rate(name{…}[1m]))`, `sum(rate(…))`: growth of a counter each second.
    Rate(Aggregate, Selector, Range),
    /// `histogram_quantile(0.99, sum by (le) (rate(name_bucket{…}[1m])))`.
    Quantile(f64, Selector, Range),
}

/// How far back a rate looks, in milliseconds; at least 1.
pub type Range = u64;

impl Expression {
    /// Which samples it needs.
    pub(super) fn selector(&self) -> &Selector {
        match self {
            Self::Gauge(_, selector)
            | Self::Rate(_, selector, _)
            | Self::Quantile(_, selector, _) => selector,
        }
    }

    /// How far back it looks, where it does.
    pub(super) fn range_ms(&self) -> Option<Range> {
        match self {
            Self::Gauge(..) => None,
            Self::Rate(_, _, range) | Self::Quantile(_, _, range) => Some(*range),
        }
    }
}

impl fmt::Display for Aggregate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Avg => "avg",
            Self::Sum => "sum",
        })
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.name)?;
        if self.matchers.is_empty() {
            return Ok(());
        }
        let matchers: Vec<String> = self
            .matchers
            .iter()
            .map(|matcher| {
                let sign = if matcher.equal { "=" } else { "!=" };
                format!("{}{sign}\"{}\"", matcher.label, escaped(&matcher.value))
            })
            .collect();
        write!(formatter, "{{{}}}", matchers.join(","))
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gauge(aggregate, selector) => write!(formatter, "{aggregate}({selector})"),
            Self::Rate(aggregate, selector, range) => {
                write!(formatter, "{aggregate}(rate({selector}[{range}ms]))")
            }
            Self::Quantile(quantile, selector, range) => write!(
                formatter,
                "histogram_quantile({quantile}, sum by (le) (rate({selector}[{range}ms])))"
            ),
        }
    }
}

/// A value as it stands between quotes.
pub(super) fn escaped(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}
