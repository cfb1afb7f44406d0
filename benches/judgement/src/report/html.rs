//! The report as one page that needs nothing else: no script, no address, light and dark.

use askama::Template;

use super::{Report, Row, interval, interval_ends, percent};
use crate::rate::{Bound, Rate, Standing};
use crate::scenario::Section;
use crate::timing::MOST_MICROSECONDS;

#[derive(Template)]
#[template(path = "benchmark.html")]
struct Page<'a> {
    runs: u64,
    judges: &'a [String],
    /// Names of the judges that the required numbers are about.
    required: Vec<&'a str>,
    met: usize,
    goals: Vec<GoalLine>,
    sections: Vec<SectionLines>,
    sorting: Option<String>,
    css: &'static str,
}

struct GoalLine {
    what: String,
    required: String,
    measured: Vec<Share>,
    standing: &'static str,
    class: &'static str,
}

struct SectionLines {
    title: &'static str,
    id: String,
    watched: bool,
    matched: bool,
    rows: Vec<Line>,
}

struct Line {
    what: String,
    faulty: bool,
    judges: Vec<JudgeLine>,
}

struct JudgeLine {
    name: String,
    share: Share,
    passed: String,
    inconclusive: String,
    justified: String,
    stated: String,
    minutes: String,
    matched: String,
}

/// A share as text, and as a mark with its interval on a scale from 0 to 100.
struct Share {
    text: String,
    interval: String,
    /// Position of the mark; absent where there is nothing to draw.
    at: Option<f64>,
    low: f64,
    width: f64,
    /// Position of what is required.
    bound: Option<f64>,
}

impl Share {
    fn of(rate: Rate, bound: Option<Bound>) -> Self {
        let [low, high] = interval_ends(rate);
        Self {
            text: percent(rate.share()),
            interval: interval(rate),
            at: rate.share().map(|share| rounded(share * 100.0)),
            low: rounded(low * 100.0),
            width: rounded((high - low) * 100.0),
            bound: bound.map(|bound| match bound {
                Bound::AtMost(share) | Bound::AtLeast(share) => rounded(share * 100.0),
            }),
        }
    }

    /// A number that is no share.
    fn number(number: f64) -> Self {
        Self {
            text: format!("{number:.1}"),
            interval: String::new(),
            at: None,
            low: 0.0,
            width: 0.0,
            bound: None,
        }
    }
}

/// Two decimals are finer than a page shows.
fn rounded(percent: f64) -> f64 {
    (percent * 100.0).round() / 100.0
}

/// The page.
///
/// # Errors
/// None that writing to memory does not have.
pub fn html(report: &Report) -> Result<String, askama::Error> {
    let required = report.required.iter().position(|required| *required);
    let goals: Vec<GoalLine> = goal_lines(report, required);
    let page = Page {
        runs: report.runs,
        judges: &report.judges,
        required: required
            .iter()
            .map(|&judge| report.judges[judge].as_str())
            .collect(),
        met: goals.iter().filter(|goal| goal.class == "met").count(),
        goals,
        sections: Section::ALL
            .into_iter()
            .filter_map(|section| section_lines(report, section))
            .collect(),
        sorting: report
            .times
            .as_ref()
            .map(|times| format!("{:.2}", times.sorting)),
        css: include_str!("../../templates/benchmark.css"),
    };
    page.render()
}

fn class(standing: Standing) -> &'static str {
    match standing {
        Standing::Met => "met",
        Standing::Close => "close",
        Standing::Missed => "missed",
        Standing::Unknown => "unknown",
    }
}

fn goal_lines(report: &Report, required: Option<usize>) -> Vec<GoalLine> {
    let standing = |standing: Option<Standing>| {
        standing.map_or(("", "unknown"), |standing| {
            (standing.word(), class(standing))
        })
    };
    let mut lines: Vec<GoalLine> = report
        .goals
        .iter()
        .map(|row| {
            let (word, class) = standing(required.map(|judge| row.measured[judge].1));
            let measured = row.measured.iter();
            GoalLine {
                what: row.what.clone(),
                required: row.goal.words(),
                measured: measured
                    .map(|(rate, _)| Share::of(*rate, Some(row.goal.bound)))
                    .collect(),
                standing: word,
                class,
            }
        })
        .collect();
    if let Some(times) = &report.times {
        let (word, class) = standing(required.map(|judge| report.time_standing(judge)));
        lines.push(GoalLine {
            what: "time of a gauge metric of 60 points, µs".to_owned(),
            required: format!("≤ {MOST_MICROSECONDS}"),
            measured: times
                .metric
                .iter()
                .map(|&time| Share::number(time))
                .collect(),
            standing: word,
            class,
        });
    }
    lines
}

fn section_lines(report: &Report, section: Section) -> Option<SectionLines> {
    let rows: Vec<&Row> = report.section(section).collect();
    let first = rows.first()?;
    let matched = |row: &&Row| row.matched.iter().flatten().any(Option::is_some);
    Some(SectionLines {
        title: section.title(),
        id: format!("{section:?}").to_lowercase(),
        watched: first.watched,
        matched: rows.iter().any(matched),
        rows: rows.iter().map(|row| line(report, row)).collect(),
    })
}

fn line(report: &Report, row: &Row) -> Line {
    let judges = report.judges.iter().enumerate();
    let judges = judges.map(|(judge, name)| {
        let tally = &row.tallies[judge];
        let verdict = |index: usize| {
            percent(Some(
                tally.verdicts[index] as f64 / tally.runs.max(1) as f64,
            ))
        };
        let minutes = row
            .minutes(judge)
            .map(|minute| minute.map_or_else(|| "–".to_owned(), |minute| minute.to_string()));
        JudgeLine {
            name: name.clone(),
            share: Share::of(tally.rate(row.measure), None),
            passed: verdict(0),
            inconclusive: verdict(2),
            justified: percent(tally.justified.share()),
            stated: percent(tally.stated.share()),
            minutes: minutes.join(" / "),
            matched: row.matched[judge].map(percent).join(" / "),
        }
    });
    Line {
        what: format!("{}, {}", row.what, row.measure.word()),
        faulty: row.faulty,
        judges: judges.collect(),
    }
}
