//! The page: one file, made from a template that escapes by default.
//!
//! Three kinds of text go in unescaped: our style sheet and script, charts (whose backend escapes its texts), and sentences,
//! whose names are escaped here.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use askama::Template;
use coalmine_judges::judgement::{MetricResult, SideSummary};

use crate::chart::{self, Chart, SeriesChart};
use crate::effect::axis;
use crate::format::{self, Signs};
use crate::metric::{self, MetricView};
use crate::sentence::{Piece, Sentence};
use crate::view::{ConditionView, GroupView, View};
use crate::window::Long;
use crate::{Report, ReportError};

/// Data larger than this, in bytes, stays out of the page.
pub const DATA_LIMIT: usize = 20 * 1024 * 1024;

/// Longest name in a chart's description.
const LABEL_LENGTH: usize = 80;

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    css: &'static str,
    js: &'static str,
    view: &'a View,
    headline: String,
    paragraph: String,
    application: Option<String>,
    baseline: Option<String>,
    canary: Option<String>,
    origin: Option<String>,
    points: (String, String),
    missing: (String, String),
    notes: Vec<String>,
    config_name: Option<String>,
    config_text: String,
    bundle: Option<String>,
    version: String,
    conditions: Vec<Condition<'a>>,
    groups: Vec<Group<'a>>,
    group_names: Vec<String>,
    rows: Vec<Row<'a>>,
    any_tolerance: bool,
    any_mean: bool,
    ticks: Vec<Tick>,
    zero: String,
    data: Option<String>,
    data_limit: usize,
    file_name: String,
}

struct Condition<'a> {
    view: &'a ConditionView,
    text: String,
}

struct Group<'a> {
    view: &'a GroupView,
    lost_on: String,
}

struct Tick {
    position: String,
    label: String,
    anchor: &'static str,
    optional: bool,
}

struct Row<'a> {
    view: &'a MetricView,
    label: String,
    groups_key: String,
    effect_key: String,
    why: String,
    series: Option<SeriesChart>,
    distributions: Option<Chart>,
    shift: Option<Chart>,
    queries: Vec<(&'static str, &'a str)>,
}

impl Row<'_> {
    fn position(&self, percent: &f64) -> String {
        short(*percent)
    }
}

impl Page<'_> {
    /// Where the words above the score axis are held.
    fn second_anchor(&self, position: &f64) -> &'static str {
        match *position {
            position if position < 30.0 => "start",
            position if position > 70.0 => "end",
            _ => "middle",
        }
    }

    /// Where a number above the score axis is held, so that it stays on the page.
    fn score_anchor(&self, position: &f64) -> &'static str {
        match *position {
            position if position < 6.0 => "start",
            position if position > 94.0 => "end",
            _ => "middle",
        }
    }
}

pub(crate) fn write(report: &Report<'_>) -> Result<String, ReportError> {
    let view = View::new(report, Signs::PAGE);
    let context = report.context;
    let cleaned = |text: &Option<String>| text.as_ref().map(|text| metric::name(text));
    let rows = view
        .metrics
        .iter()
        .map(|metric| row(report, metric))
        .collect::<Result<Vec<_>, _>>()?;
    let page = Page {
        css: include_str!("../templates/report.css"),
        js: include_str!("../templates/report.js"),
        headline: markup(&view.headline),
        paragraph: markup(&view.paragraph),
        application: cleaned(&context.application),
        baseline: cleaned(&context.baseline),
        canary: cleaned(&context.canary),
        origin: cleaned(&context.origin).map(|origin| with_code(&origin)),
        points: totals(report, |side| side.stats.count),
        missing: totals(report, |side| side.missing),
        notes: context
            .notes
            .iter()
            .map(|note| with_code(&format::clean(note)))
            .collect(),
        config_name: cleaned(&context.config_name),
        config_text: format::clean_lines(&context.config_text),
        bundle: context
            .bundle_id
            .as_ref()
            .map(|id| shortened_hash(&format::clean(id))),
        version: format::clean(&context.version),
        conditions: view
            .conditions
            .iter()
            .map(|condition| Condition {
                view: condition,
                text: markup(&condition.condition.clone().capitalised()),
            })
            .collect(),
        groups: view
            .groups
            .iter()
            .map(|group| Group {
                view: group,
                lost_on: markup(&group.lost_on),
            })
            .collect(),
        group_names: view
            .metrics
            .iter()
            .flat_map(|metric| metric.groups.iter().cloned())
            .collect::<BTreeSet<String>>()
            .into_iter()
            .collect(),
        any_tolerance: view.metrics.iter().any(|metric| metric.plot.band.is_some()),
        any_mean: view.metrics.iter().any(|metric| metric.mean.is_some()),
        ticks: ticks(),
        zero: short(axis::position(0.0) * 100.0),
        data: data(report),
        data_limit: DATA_LIMIT / (1024 * 1024),
        file_name: file_name(&view.title),
        rows,
        view: &view,
    };
    Ok(page.render()?)
}

/// A position in percent, as short as it can be said.
fn short(percent: f64) -> String {
    let text = format!("{percent:.1}");
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}

fn totals(report: &Report<'_>, number: impl Fn(&SideSummary) -> usize) -> (String, String) {
    let sum = |side: &dyn Fn(&MetricResult) -> usize| {
        format::count(report.judgement.results.iter().map(side).sum())
    };
    (
        sum(&|result| number(&result.baseline)),
        sum(&|result| number(&result.canary)),
    )
}

fn ticks() -> Vec<Tick> {
    axis::TICKS
        .iter()
        .map(|(fraction, optional)| {
            let position = axis::position(*fraction) * 100.0;
            let label = match *fraction {
                // These would touch their neighbours.
                -0.2 | 0.2 | 2.0 => String::new(),
                0.0 => "0".to_owned(),
                fraction => {
                    let text = Signs::PAGE.limit(fraction);
                    text.strip_suffix('%').unwrap_or(&text).to_owned()
                }
            };
            Tick {
                position: short(position),
                label,
                anchor: if position < 1.0 {
                    "start"
                } else if position > 99.0 {
                    "end"
                } else {
                    ""
                },
                optional: *optional,
            }
        })
        .collect()
}

fn row<'a>(report: &Report<'_>, view: &'a MetricView) -> Result<Row<'a>, ReportError> {
    let label = Signs::PAGE.shorten(&view.label(), LABEL_LENGTH);
    let fault = |cause: String| ReportError::Chart {
        metric: view.name.clone(),
        cause,
    };
    let set = report.sets.get(view.index);
    let result = report.judgement.results.get(view.index);
    Ok(Row {
        label: view.label(),
        groups_key: view.groups.join("\n"),
        effect_key: format!("{:e}", view.sort.effect),
        why: markup(&view.why),
        series: match set {
            Some(set) => chart::series(set, &format!("{label}, baseline and canary over time"))
                .map_err(fault)?,
            None => None,
        },
        distributions: match set {
            Some(set) => {
                chart::distributions(set, &format!("{label}, both distributions")).map_err(fault)?
            }
            None => None,
        },
        shift: match result {
            Some(result) => {
                let description = format!("{label}, shift {} {}", view.estimate, view.interval);
                chart::shift(result, &description).map_err(fault)?
            }
            None => None,
        },
        queries: queries(view),
        view,
    })
}

fn queries(view: &MetricView) -> Vec<(&'static str, &str)> {
    match (&view.query_baseline, &view.query_canary) {
        (Some(baseline), Some(canary)) if baseline == canary => {
            vec![("Query as sent for both sides", baseline)]
        }
        (baseline, canary) => [
            ("Query as sent for the canary", canary),
            ("Query as sent for the baseline", baseline),
        ]
        .into_iter()
        .filter_map(|(title, query)| Some((title, query.as_deref()?)))
        .collect(),
    }
}

/// A sentence as HTML: names escaped, and kept from turning the text around them.
fn markup(sentence: &Sentence) -> String {
    let mut html = String::new();
    for piece in &sentence.0 {
        match piece {
            Piece::Words(words) => escape(&mut html, words),
            Piece::Strong(words) => {
                html.push_str("<b>");
                escape(&mut html, words);
                html.push_str("</b>");
            }
            Piece::Name(name) => {
                html.push_str("<bdi>");
                escape(&mut html, name);
                html.push_str("</bdi>");
            }
        }
    }
    html
}

/// Text of somebody else with code between back-ticks, as our messages write it.
fn with_code(text: &str) -> String {
    let mut html = String::new();
    let parts: Vec<&str> = text.split('`').collect();
    let last = parts.len() - 1;
    for (index, part) in parts.iter().enumerate() {
        // A back-tick without its partner is a back-tick.
        let code = index % 2 == 1 && index < last;
        if index % 2 == 1 && !code {
            html.push('`');
        }
        html.push_str(if code { "<code>" } else { "" });
        escape(&mut html, part);
        html.push_str(if code { "</code>" } else { "" });
    }
    html
}

fn escape(html: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&#34;"),
            '\'' => html.push_str("&#39;"),
            other => html.push(other),
        }
    }
}

/// The data as JSON that cannot end its element: a `<` stands only in JSON's strings, where it can be written as an escape.
/// `None` where there are none, or where they are too large.
fn data(report: &Report<'_>) -> Option<String> {
    let json = report.context.data_json.as_ref()?;
    (json.len() <= DATA_LIMIT).then(|| json.replace('<', "\\u003c"))
}

/// A name for downloads, from letters and digits that every file system takes.
fn file_name(title: &str) -> String {
    let mut name = String::new();
    for c in title.chars().take(80) {
        if c.is_ascii_alphanumeric() || matches!(c, '.' | '_') {
            name.push(c);
        } else if !name.ends_with('-') {
            let _ = write!(name, "-");
        }
    }
    let name = name.trim_matches(['-', '.']);
    if name.is_empty() {
        "canary".to_owned()
    } else {
        name.to_owned()
    }
}

/// The first twelve characters of a hash: enough to tell bundles apart by eye.
fn shortened_hash(id: &str) -> String {
    id.chars().take(12).collect()
}
