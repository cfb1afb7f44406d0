//! The report as tables of text, as wide as their words.

use std::fmt::Write as _;

use super::{Report, Row, interval, percent};
use crate::scenario::Section;
use crate::timing::MOST_MICROSECONDS;

/// The required numbers with what was measured, then each section.
#[must_use]
pub fn terminal(report: &Report) -> String {
    let mut text = String::new();
    for section in Section::ALL {
        let rows: Vec<&Row> = report.section(section).collect();
        if !rows.is_empty() {
            let _ = writeln!(text, "{}, %\n", section.title());
            text.push_str(&table(&section_lines(report, &rows)));
            text.push('\n');
        }
    }
    if let Some(times) = &report.times {
        let _ = writeln!(
            text,
            "Time of a gauge metric of 60 points, µs (sorting its points: {:.2})\n",
            times.sorting
        );
        for (judge, time) in report.judges.iter().zip(&times.metric) {
            let _ = writeln!(text, "  {judge}  {time:.1}");
        }
        text.push('\n');
    }
    let _ = writeln!(text, "Required, and measured in {} runs, %\n", report.runs);
    text.push_str(&table(&goal_lines(report)));
    text
}

fn section_lines(report: &Report, rows: &[&Row]) -> Vec<Vec<String>> {
    let mut header: Vec<String> = [
        "scenario",
        "judge",
        "",
        "95 %",
        "Pass",
        "Inc.",
        "justified",
        "stated",
        "50 / 90 % by minute",
        "recall at 1 / 2 / 5 %",
    ]
    .map(str::to_owned)
    .to_vec();
    rows[0].measure.word().clone_into(&mut header[2]);
    let mut lines = vec![header];
    for row in rows {
        for (judge, name) in report.judges.iter().enumerate() {
            let tally = &row.tallies[judge];
            let rate = tally.rate(row.measure);
            let verdict = |index: usize| {
                percent(Some(
                    tally.verdicts[index] as f64 / tally.runs.max(1) as f64,
                ))
            };
            let minutes = row
                .minutes(judge)
                .map(|minute| minute.map_or_else(|| "–".to_owned(), |minute| minute.to_string()));
            let matched = row.matched[judge].map(percent);
            lines.push(vec![
                if judge == 0 {
                    row.what.clone()
                } else {
                    String::new()
                },
                name.clone(),
                percent(rate.share()),
                interval(rate),
                verdict(0),
                verdict(2),
                percent(tally.justified.share()),
                percent(tally.stated.share()),
                if row.watched {
                    minutes.join(" / ")
                } else {
                    String::new()
                },
                if row.matched[judge][2].is_some() {
                    matched.join(" / ")
                } else {
                    String::new()
                },
            ]);
        }
    }
    lines
}

fn goal_lines(report: &Report) -> Vec<Vec<String>> {
    let mut header = vec!["what".to_owned(), "required".to_owned()];
    header.extend(report.judges.iter().cloned());
    header.push(String::new());
    let mut lines = vec![header];
    for row in &report.goals {
        let mut line = vec![row.what.clone(), row.goal.words()];
        line.extend(row.measured.iter().map(|(rate, _)| percent(rate.share())));
        let required = report.required.iter().position(|required| *required);
        line.push(
            required.map_or_else(String::new, |judge| row.measured[judge].1.word().to_owned()),
        );
        lines.push(line);
    }
    if let Some(times) = &report.times {
        let mut line = vec!["time of a gauge metric of 60 points, µs".to_owned()];
        line.push(format!("≤ {MOST_MICROSECONDS}"));
        line.extend(times.metric.iter().map(|time| format!("{time:.1}")));
        let required = report.required.iter().position(|required| *required);
        line.push(required.map_or_else(String::new, |judge| {
            report.time_standing(judge).word().to_owned()
        }));
        lines.push(line);
    }
    lines
}

/// Columns as wide as their widest cell; numbers to the right, but for the first column.
fn table(lines: &[Vec<String>]) -> String {
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = lines.iter().filter_map(|line| line.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for line in lines {
        let mut row = String::from(" ");
        for (column, (cell, width)) in line.iter().zip(&widths).enumerate() {
            let number = column > 0 && cell.starts_with(|c: char| c.is_ascii_digit() || c == '–');
            let _ = if number {
                write!(row, " {cell:>width$} ")
            } else {
                write!(row, " {cell:<width$} ")
            };
        }
        text.push_str(row.trim_end());
        text.push('\n');
    }
    text
}
