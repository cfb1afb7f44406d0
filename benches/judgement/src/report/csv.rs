//! One line for each scenario and judge; shares from 0 to 1, empty where there is none.

use super::{Report, Row, interval_ends};
use crate::scenario::Measure;

const COLUMNS: [&str; 29] = [
    "section",
    "scenario",
    "faulty",
    "judge",
    "runs",
    "flagged",
    "flagged_low",
    "flagged_high",
    "found",
    "found_low",
    "found_high",
    "passed",
    "marginal",
    "inconclusive",
    "failed",
    "same",
    "sound",
    "metrics_inconclusive",
    "inconclusive_justified",
    "inconclusive_stated",
    "minutes_50",
    "minutes_90",
    "recall_at_1",
    "recall_at_2",
    "recall_at_5",
    "measure",
    "required",
    "standing",
    "what",
];

/// The whole report as CSV with a header.
///
/// # Errors
/// None that writing to memory does not have.
pub fn csv(report: &Report) -> Result<Vec<u8>, ::csv::Error> {
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS)?;
    for row in &report.rows {
        for judge in 0..report.judges.len() {
            writer.write_record(record(report, row, judge))?;
        }
    }
    if let Some(times) = &report.times {
        for (judge, name) in report.judges.iter().enumerate() {
            let mut record = vec![String::new(); COLUMNS.len()];
            record[0] = "Time".to_owned();
            record[1] = "microseconds a gauge metric of 60 points".to_owned();
            record[3].clone_from(name);
            record[25] = format!("{:.2}", times.metric[judge]);
            if report.required[judge] {
                record[26] = format!("≤ {}", crate::timing::MOST_MICROSECONDS);
                record[27] = report.time_standing(judge).word().to_owned();
            }
            record[28] = format!("sorting the same points takes {:.2}", times.sorting);
            writer.write_record(record)?;
        }
    }
    writer
        .into_inner()
        .map_err(|error| error.into_error().into())
}

fn record(report: &Report, row: &Row, judge: usize) -> Vec<String> {
    let tally = &row.tallies[judge];
    let number = |share: Option<f64>| share.map_or_else(String::new, |share| format!("{share:.5}"));
    let share = |measure| number(tally.rate(measure).share());
    let ends = |measure| interval_ends(tally.rate(measure)).map(|end| format!("{end:.5}"));
    let verdict = |index: usize| {
        number(Some(
            tally.verdicts[index] as f64 / tally.runs.max(1) as f64,
        ))
    };
    let minute = |minute: Option<f64>| minute.map_or_else(String::new, |minute| minute.to_string());
    let [flagged_low, flagged_high] = ends(Measure::Flagged);
    let [found_low, found_high] = ends(Measure::Found);
    let disguised = row.measure == Measure::Same;
    let same = if disguised {
        share(Measure::Same)
    } else {
        String::new()
    };
    let found = if row.faulty {
        share(Measure::Found)
    } else {
        String::new()
    };
    let goals = report.goals.iter();
    let goals: Vec<_> = goals
        .filter(|goal| goal.what == row.what && goal.section == row.section)
        .collect();
    let join = |words: Vec<String>| words.join("; ");
    let standing = if report.required[judge] {
        join(
            goals
                .iter()
                .map(|goal| goal.measured[judge].1.word().to_owned())
                .collect(),
        )
    } else {
        String::new()
    };
    let mut record = vec![
        row.section.title().to_owned(),
        row.name.clone(),
        row.faulty.to_string(),
        report.judges[judge].clone(),
        tally.runs.to_string(),
        share(Measure::Flagged),
        flagged_low,
        flagged_high,
        found.clone(),
        if found.is_empty() {
            String::new()
        } else {
            found_low
        },
        if found.is_empty() {
            String::new()
        } else {
            found_high
        },
    ];
    record.extend((0..4).map(verdict));
    record.extend([
        same,
        share(Measure::Sound),
        number(tally.undecided.share()),
        number(tally.justified.share()),
        number(tally.stated.share()),
    ]);
    record.extend(row.minutes(judge).map(minute));
    record.extend(row.matched[judge].map(number));
    record.extend([
        row.measure.word().to_owned(),
        join(goals.iter().map(|goal| goal.goal.words()).collect()),
        standing,
        row.what.clone(),
    ]);
    record
}
