//! Reports of a judgement: one self-contained HTML file, text for a terminal, Markdown for a pull request, JUnit for CI.
//!
//! Everything here takes values and returns text. No clock, no files, no environment, no network: times and names are
//! arguments. All rounding happens in one place, so that every format says the same.

mod chart;
mod condition;
mod effect;
mod fetched;
mod format;
mod html;
mod junit;
mod markdown;
mod metric;
mod score;
mod sentence;
mod summary;
pub mod terminal;
mod text;
mod trust;
mod verdict;
mod view;
mod why;
mod window;
mod worst;

use coalmine_judges::judgement::Judgement;
use coalmine_judges::series::MetricSetPair;
use thiserror::Error;

pub use fetched::{FetchedQuery, FetchedReport, FetchedSeries, fetched, window};
pub use html::DATA_LIMIT;
pub use markdown::Links;
pub use text::TextStyle;
pub use worst::{MetricLine, worst};

/// All that a report shows.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    /// The judgement; its results are in the order of `sets`.
    pub judgement: &'a Judgement,
    /// The series that were judged, as read.
    pub sets: &'a [MetricSetPair],
    /// What the judgement itself does not know.
    pub context: &'a Context,
}

/// Names, times and texts around a judgement. Everything is optional: what is absent is not shown.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Context {
    /// The application, or another name of what was judged.
    pub application: Option<String>,
    /// What the baseline is: a version, a scope or a file.
    pub baseline: Option<String>,
    /// What the canary is.
    pub canary: Option<String>,
    /// Where the series came from, in words.
    pub origin: Option<String>,
    /// When it was judged, in milliseconds since 1970-01-01T00:00:00Z.
    pub judged_at_ms: Option<i64>,
    /// Name of the canary config.
    pub config_name: Option<String>,
    /// The canary config as judged, as text; empty where it was made from defaults.
    pub config_text: String,
    /// Warnings about the config and the input, and what was ignored, one sentence each.
    pub notes: Vec<String>,
    /// The queries as sent, in the order of the pairs; empty where nothing was sent.
    pub queries: Vec<SentQuery>,
    /// Content hash of the bundle, in hexadecimal.
    pub bundle_id: Option<String>,
    /// The bundle and the judgement as JSON text, offered as a download inside the HTML file unless it is larger than
    /// [`DATA_LIMIT`]; `None` where the file shall hold no data.
    pub data_json: Option<String>,
    /// Version of Coalmine that judged.
    pub version: String,
}

/// One metric's query as it was sent for each side.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SentQuery {
    /// For the baseline.
    pub baseline: Option<String>,
    /// For the canary.
    pub canary: Option<String>,
}

/// Why a report could not be written. Neither depends on the data: both mean a fault in this crate.
#[derive(Debug, Error)]
pub enum ReportError {
    /// A template could not be filled.
    #[error("filling the template of the report: {0}")]
    Template(#[from] askama::Error),
    /// A chart could not be drawn.
    #[error("drawing a chart of `{metric}`: {cause}")]
    Chart {
        /// The metric's name.
        metric: String,
        /// What the plotting library said.
        cause: String,
    },
}

/// The first sentence of every report, without the verdict's word: `error rate rose 3.1x [2.4, 4.0], critical`. Plain text.
#[must_use]
pub fn headline(judgement: &Judgement, sets: &[MetricSetPair]) -> String {
    let context = Context::default();
    let report = Report {
        judgement,
        sets,
        context: &context,
    };
    view::View::new(&report, format::Signs::TERMINAL)
        .headline
        .plain()
}

/// The report as one HTML file that needs nothing else: no network, no other file. Cost O(points of all metrics).
///
/// Beside the config and the data, a metric takes from about 10 KB to about 120 KB: the more points, up to 5,000 on a side; longer
/// series are drawn as envelopes and take less.
///
/// # Errors
/// Only where this crate has a fault.
pub fn html(report: &Report<'_>) -> Result<String, ReportError> {
    html::write(report)
}

/// The report as text for a terminal or a log, ending with a line break.
#[must_use]
pub fn text(report: &Report<'_>, style: &TextStyle) -> String {
    text::write(report, style)
}

/// A summary in GitHub's Markdown, for a pull request. Names from outside cannot break out of their cell, mention anybody
/// or link anywhere.
#[must_use]
pub fn markdown(report: &Report<'_>, links: &Links) -> String {
    markdown::write(report, links)
}

/// The report as JUnit XML: one test case a metric, and one named `verdict`.
///
/// High, Low and NodataFailMetric are failures, Error is an error; Inconclusive, Nodata and muted metrics are skipped. The
/// verdict is a failure unless it is Pass, so that a gate that reads nothing else stays shut.
#[must_use]
pub fn junit(report: &Report<'_>) -> String {
    junit::write(report)
}
