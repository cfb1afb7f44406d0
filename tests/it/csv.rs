//! CSV, long and wide.

use std::fmt::Write as _;

use coalmine::sources::files::{FileInput, csv_long, csv_wide};
use coalmine_judges::series::Series;
use proptest::prelude::*;

fn shown(series: &Series) -> String {
    let points: Vec<String> = series
        .values()
        .iter()
        .map(|value| value.map_or_else(|| "-".to_owned(), |v| v.to_string()))
        .collect();
    let grid = series
        .grid()
        .map(|grid| format!("{}+{} ", grid.start_ms / 1000, grid.step_ms / 1000));
    format!("{}[{}]", grid.unwrap_or_default(), points.join(" "))
}

/// Each pair as `id: baseline | canary`, then history and notes; or the problems.
fn lines(read: Result<FileInput, coalmine::sources::files::problem::InputError>) -> Vec<String> {
    match read {
        Ok(input) => {
            let sets = input.sets.iter().map(|set| {
                format!(
                    "{}: {} | {}",
                    set.id,
                    shown(&set.baseline),
                    shown(&set.canary)
                )
            });
            let history = input
                .history
                .iter()
                .map(|past| format!("history of {}: {}", past.name, shown(&past.series)));
            sets.chain(history).chain(input.notes.clone()).collect()
        }
        Err(error) => error
            .problems
            .iter()
            .map(|problem| match &problem.hint {
                Some(hint) => format!("{problem} ({hint})"),
                None => problem.to_string(),
            })
            .collect(),
    }
}

fn check_long(text: &str, expect: &[&str]) {
    assert_eq!(lines(csv_long::read(text.as_bytes(), "d.csv")), expect);
}

fn check_wide(baseline: &str, canary: &str, expect: &[&str]) {
    let side = |text: &str, file: &str| csv_wide::read_side(text.as_bytes(), file);
    let read = side(baseline, "b.csv")
        .and_then(|baseline| Ok(csv_wide::join(baseline, side(canary, "c.csv")?)));
    assert_eq!(lines(read), expect);
}

#[test]
fn a_long_file_in_any_order_of_columns_and_rows() {
    check_long(
        "value,Side,metric,timestamp\n2,canary,m,60\n1,baseline,m,120\n3,baseline,m,0\n,canary,m,0\n",
        &["m: 0+120 [3 1] | 0+60 [- 2]"],
    );
}

#[test]
fn tags_tell_series_apart_and_an_empty_tag_is_none() {
    check_long(
        "timestamp,metric,side,value,zone\n0,m,baseline,1,a\n0,m,canary,2,a\n0,m,baseline,3,\n0,m,canary,4,\n",
        &["m: 0+60 [3] | 0+60 [4]", "m{zone=a}: 0+60 [1] | 0+60 [2]"],
    );
}

#[test]
fn history_is_kept_apart() {
    check_long(
        "timestamp,metric,side,value\n0,m,history,7\n60,m,history,8\n120,m,baseline,1\n120,m,canary,2\n0,old,history,1\n60,old,history,1\n",
        &[
            "m: 120+60 [1] | 120+60 [2]",
            "history of m: 0+60 [7 8]",
            "history of old: 0+60 [1 1]",
            "`old` has only rows of the history",
        ],
    );
}

#[test]
fn a_metric_of_one_side_is_a_pair_with_an_empty_side_and_a_note() {
    check_long(
        "timestamp,metric,side,value\n0,m,baseline,1\n0,m,canary,2\n0,n,canary,2\n",
        &[
            "m: 0+60 [1] | 0+60 [2]",
            "n: [] | 0+60 [2]",
            "`n` is only in the canary rows",
        ],
    );
    check_long(
        "timestamp,metric,side,value,version\n0,m,baseline,1,v1\n0,m,canary,2,v2\n",
        &[
            "m{version=v1}: 0+60 [1] | []",
            "m{version=v2}: [] | 0+60 [2]",
            "`m {version=v1}` is only in the baseline rows",
            "`m {version=v2}` is only in the canary rows",
            "no series has the same tags on both sides; a column that names the version must not be a tag",
        ],
    );
}

#[test]
fn other_delimiters_quotes_line_ends_and_byte_order_marks_are_read() {
    let expect = ["a,\"b\"\u{e9}: 0+60 [1] | 0+60 [2]"];
    check_long(
        "\u{feff}timestamp,metric,side,value\r\n0,\"a,\"\"b\"\"é\",baseline,1\r\n0,\"a,\"\"b\"\"é\",canary,2\r\n",
        &expect,
    );
    check_long(
        "timestamp;metric;side;value\n0;\"a,\"\"b\"\"é\";baseline;1\n0;\"a,\"\"b\"\"é\";canary;2\n",
        &expect,
    );
    check_long(
        "timestamp\tmetric\tside\tvalue\n0\t\"a,\"\"b\"\"é\"\tbaseline\t1\n0\t\"a,\"\"b\"\"é\"\tcanary\t2",
        &expect,
    );
}

#[test]
fn every_wrong_cell_of_a_long_file_is_told_with_line_and_column() {
    check_long(
        "timestamp,metric,side,value\n0,m,control,1\nsoon,m,canary,x\n2024-05-01T12:00:00,,canary,1\n60,m,canary\n",
        &[
            "line 2, column `side`: found `control`; expected `baseline`, `canary` or `history` (Kayenta's `control` is the `baseline`)",
            "line 3, column `timestamp`: found `soon`; expected a time like `2024-05-01T12:00:00Z` or seconds since 1970",
            "line 3, column `value`: found `x`; expected a number, or nothing for a missing point",
            "line 4, column `timestamp`: found `2024-05-01T12:00:00`; expected a time like `2024-05-01T12:00:00Z` or seconds since 1970 (add the offset from UTC: a `Z`, or one like `+02:00`)",
            "line 4, column `metric`: found nothing; expected a name",
            "line 5: found 3 cells; expected 4, as the header has",
        ],
    );
}

#[test]
fn two_rows_of_one_point_are_told_by_both_lines() {
    check_long(
        "timestamp,metric,side,value\n0,m,canary,1\n0,m,baseline,1\n0.0001,m,canary,2\n",
        &[
            "line 4: found `m` of the canary at `1970-01-01T00:00:00Z` again, first in line 2; expected one row for each time (times are kept to the millisecond)",
        ],
    );
}

#[test]
fn a_row_that_was_scraped_twice_is_refused_with_both_lines() {
    let rows: String = (0..10).map(|i| format!("{},1,2\n", i * 60)).collect();
    let text = format!("timestamp,m,n\n{rows}301,1,2\n");
    check_wide(
        &text,
        &text,
        &[
            "line 12: found times of the rows that fit no even step: this row and line 7 are 1 s apart, the rows usually 60 s; expected one row for each step (remove one of the two rows, or aggregate the rows to an even step)",
        ],
    );
    let mut text = "timestamp,metric,side,value\n".to_owned();
    for i in 0..10 {
        for metric in ["m", "n", "o"] {
            writeln!(text, "{},{metric},canary,1", i * 60).unwrap();
        }
    }
    text += "301,m,canary,1\n302,o,canary,1\n";
    let problem = |place: &str, metric: &str, apart: u8| {
        format!(
            "{place}: found times of `{metric}` of the canary that fit no even step: this row and line {} are {apart} s apart, the rows usually 60 s; expected one row for each step (remove one of the two rows, or aggregate the rows to an even step)",
            if metric == "m" { 17 } else { 19 },
        )
    };
    // Every series that is uneven is told, and no other.
    check_long(
        &text,
        &[&problem("line 32", "m", 1), &problem("line 33", "o", 2)],
    );
}

#[test]
fn a_header_that_is_not_one_is_told() {
    let hint = "the header of a long file is `timestamp,metric,side,value`, then tags";
    check_long("", &["line 1: found an empty file; expected a header"]);
    check_long("\n\n", &["line 1: found an empty line; expected a header"]);
    check_long(
        "timestamp,metric,side,value\n",
        &["found no rows; expected at least one row after the header"],
    );
    check_long(
        "time,metric,side,value\n",
        &[&format!(
            "line 1: found the columns `time`, `metric`, `side`, `value`; expected also `timestamp` ({hint})"
        )],
    );
    check_long(
        "timestamp,cpu,memory\n0,1,2\n",
        &[
            "line 1: found the columns `timestamp`, `cpu`, `memory`; expected also `metric`, `side`, `value` (files with one column for each metric are given as --baseline and --canary)",
        ],
    );
    check_long(
        "timestamp,metric,side,value,value\n",
        &["line 1, column 5: found `value` twice; expected columns with different names"],
    );
}

#[test]
fn wide_files_are_joined_by_the_names_of_their_columns() {
    check_wide(
        "timestamp,cpu,old\n2024-05-01T12:00:00Z,1,5\n2024-05-01T12:01:00Z,,6\n",
        "timestamp,new,cpu\n1714564800,7,-Inf\n1714564920,8,NaN\n",
        &[
            "cpu: 1714564800+60 [1 -] | 1714564800+120 [-inf -]",
            "new: [] | 1714564800+120 [7 8]",
            "old: 1714564800+60 [5 6] | []",
            "`old` is only in `b.csv`",
            "`new` is only in `c.csv`",
        ],
    );
}

#[test]
fn a_wide_file_without_rows_is_a_side_without_points() {
    check_wide(
        "timestamp,cpu\n0,1\n",
        "timestamp,cpu\n",
        &["cpu: 0+60 [1] | []", "`c.csv` has no rows"],
    );
}

#[test]
fn wide_headers_and_rows_are_checked() {
    let good = "timestamp,cpu\n0,1\n";
    check_wide(
        "timestamp\n0\n",
        good,
        &["line 1: found no metric; expected at least one column after `timestamp`"],
    );
    check_wide(
        "cpu,timestamp\n",
        good,
        &["line 1, column 1: found `cpu`; expected `timestamp`, then one column for each metric"],
    );
    check_wide(
        good,
        "timestamp,metric,side,value\n",
        &[
            "line 1: found a long file; expected one column for each metric (files with the columns timestamp, metric, side and value are given as --data)",
        ],
    );
    check_wide(
        "timestamp,cpu,cpu\n",
        good,
        &["line 1, column 3: found `cpu` twice; expected columns with different names"],
    );
    check_wide(
        "timestamp,cpu\n0,1\n0,2\n60,\"1,5\"\n",
        good,
        &[
            "line 4, column `cpu`: found `1,5`; expected a number, or nothing for a missing point (write numbers with a decimal point and without separators of thousands)",
            "line 3: found a row at `1970-01-01T00:00:00Z` again, first in line 2; expected one row for each time (times are kept to the millisecond)",
        ],
    );
}

#[test]
fn bytes_that_are_not_utf8_are_told_and_not_guessed() {
    let text = b"timestamp,metric,side,value\n0,caf\xe9,canary,1\n0,m,canary,1\n";
    assert_eq!(
        lines(csv_long::read(&text[..], "d.csv")),
        [
            "line 2, column `metric`: found bytes that are not UTF-8 in `caf\u{fffd}`; expected text in UTF-8 (save the file with the encoding UTF-8)"
        ]
    );
    let wide: Vec<u8> = "timestamp,m\n0,1\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let with_mark = [b"\xff\xfe".to_vec(), wide].concat();
    let error = csv_wide::read_side(with_mark.as_slice(), "b.csv").unwrap_err();
    assert_eq!(
        error.problems[0].to_string(),
        "found text in UTF-16; expected text in UTF-8"
    );
}

#[test]
fn a_quote_that_is_never_closed_is_told() {
    check_long(
        "timestamp,metric,side,value\n0,\"m,canary,1\n60,m,canary,1\n",
        &["line 2: found 2 cells; expected 4, as the header has"],
    );
}

#[test]
fn the_examples_of_the_manual_are_read() {
    let manual = include_str!("../../docs/input-files.md");
    let examples = |kind: &str| -> Vec<&str> {
        let fences = manual.split("```").skip(1).step_by(2);
        fences
            .filter_map(|fence| fence.strip_prefix(kind))
            .map(str::trim_start)
            .collect()
    };
    let [wide, long] = examples("csv")[..] else {
        panic!("the manual has two examples of CSV")
    };
    check_wide(
        wide,
        wide,
        &[
            "errors: 1714564800+60 [0 2] | 1714564800+60 [0 2]",
            "latency p95: 1714564800+60 [0.231 -] | 1714564800+60 [0.231 -]",
        ],
    );
    check_long(
        long,
        &["latency{zone=a}: 1714564800+60 [0.231] | 1714564800+60 [0.24]"],
    );
    let pairs = coalmine::sources::files::pairs::read(examples("json")[0], "p.json").unwrap();
    assert_eq!(pairs.sets[0].baseline.values(), [Some(1.0), None]);
}

/// A long CSV of series on grids, as anybody would write it.
fn write_long(input: &[(String, Series, Series)]) -> String {
    let mut text = "timestamp,metric,side,value\n".to_owned();
    for (name, baseline, canary) in input {
        for (side, series) in [("baseline", baseline), ("canary", canary)] {
            for (index, value) in series.values().iter().enumerate() {
                let time_ms = series.grid().unwrap().time_ms(index);
                let value = value.map(|v| v.to_string()).unwrap_or_default();
                let quoted = name.replace('"', "\"\"");
                let time = jiff::Timestamp::from_millisecond(time_ms).unwrap();
                writeln!(text, "{time},\"{quoted}\",{side},{value}").unwrap();
            }
        }
    }
    text
}

fn any_values(len: usize) -> impl Strategy<Value = Vec<Option<f64>>> {
    let value = prop_oneof![
        4 => any::<f64>().prop_map(|v| (!v.is_nan()).then_some(v)),
        1 => Just(None),
    ];
    proptest::collection::vec(value, len)
}

proptest! {
    #[test]
    fn series_on_a_grid_written_as_csv_read_back_the_same(
        names in proptest::collection::btree_set("[a-z,;\"<>é ]{0,6}[a-z]", 1..4),
        start_s in 0_i64..4_000_000_000,
        step_s in 1_u64..100_000,
        (values, others) in (2_usize..20).prop_flat_map(|len| (any_values(len), any_values(len))),
    ) {
        let grid = coalmine_judges::series::Grid { start_ms: start_s * 1000, step_ms: step_s * 1000 };
        let names: std::collections::BTreeSet<String> = names.into_iter().map(|name| name.trim().to_owned()).collect();
        let written: Vec<(String, Series, Series)> = names
            .into_iter()
            .map(|name| (name, Series::new(Some(grid), values.clone()), Series::new(Some(grid), others.clone())))
            .collect();
        let read = csv_long::read(write_long(&written).as_bytes(), "again").unwrap();
        let read: Vec<(String, Series, Series)> =
            read.sets.into_iter().map(|set| (set.name, set.baseline, set.canary)).collect();
        prop_assert_eq!(read, written);
    }

    #[test]
    fn every_value_of_irregular_rows_is_in_its_series_near_its_own_time(
        times in prop_oneof![
            proptest::collection::btree_set(0_i64..100_000, 1..4),
            proptest::collection::vec(-3_000_i64..3_000, 1..40)
                .prop_map(|jitter| (10_000..).step_by(10_000).zip(jitter).map(|(t, j)| t + j).collect()),
        ],
        shuffle in any::<u64>(),
    ) {
        // The value of a row is its time, so that it can be found again.
        let mut rows: Vec<i64> = times.iter().copied().collect();
        rows.sort_by_key(|time| (*time as u64 ^ shuffle).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let mut text = "timestamp,metric,side,value\n".to_owned();
        for time in rows {
            writeln!(text, "{:.3},m,canary,{time}", time as f64 / 1000.0).unwrap();
        }
        let read = match csv_long::read(text.as_bytes(), "any") {
            Ok(read) => read,
            Err(error) => {
                prop_assert!(error.to_string().contains("1 problem"), "{error}");
                prop_assert!(error.problems[0].found.contains("that fit no even step"));
                return Ok(());
            }
        };
        let series = &read.sets[0].canary;
        let grid = series.grid().unwrap();
        let mut found = Vec::new();
        for (index, value) in series.values().iter().enumerate() {
            let Some(value) = value else { continue };
            let moved = grid.time_ms(index).abs_diff(*value as i64);
            prop_assert!(moved * 2 <= grid.step_ms, "{value} moved by {moved} of {}", grid.step_ms);
            found.push(*value as i64);
        }
        prop_assert_eq!(found, times.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn no_bytes_make_the_parsers_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        coalmine::sources::files::fuzz_csv_long(&bytes);
        coalmine::sources::files::fuzz_pairs_json(&bytes);
        let side = csv_wide::read_side(bytes.as_slice(), "any");
        prop_assert!(side.is_ok() || !side.unwrap_err().problems.is_empty());
    }

    #[test]
    fn no_cells_make_the_long_parser_panic(
        cells in proptest::collection::vec(
            ("[-0-9.eE:TZ+]{0,12}", "[a-z\"\n]{0,3}", "baseline|canary|history|x", "[-0-9.eEinfNa]{0,8}"), 0..20)
    ) {
        let mut text = "timestamp,metric,side,value\n".to_owned();
        for (time, metric, side, value) in cells {
            writeln!(text, "{time},{metric},{side},{value}").unwrap();
        }
        coalmine::sources::files::fuzz_csv_long(text.as_bytes());
    }
}
