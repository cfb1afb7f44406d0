//! What a reader should know of the input: told once, in few words.

use crate::cli::{CONFIG, Folder};

#[test]
fn a_metric_of_the_config_that_no_file_has_is_undecided_and_not_forgotten() {
    let config = CONFIG.replace(
        "classifier:",
        "  - name: errors\n    groups: [Speed]\n    scopeName: default\n    analysisConfigurations: { canary: { critical: true } }\nclassifier:",
    );
    let folder = Folder::usual().file("two.yaml", config);
    let judge = "judge --config two.yaml --baseline b.csv --canary c.csv";
    insta::assert_snapshot!(folder.notes(judge), @r"
    exit 3
      note: `errors` of the config is in no input file
    ");
}

#[test]
fn a_note_is_told_once_in_the_text_or_on_standard_error() {
    let folder = Folder::usual().file("other.csv", "timestamp,latency,errors\n0,10,1\n60,12,2\n");
    let judge = "judge --baseline b.csv --canary other.csv";
    insta::assert_snapshot!(folder.notes(judge), @r"
    exit 3
      note: `errors` is only in `other.csv`
    ");
    insta::assert_snapshot!(folder.notes(&format!("{judge} --format json")), @r"
    exit 3
    warning: `errors` is only in `other.csv`
    ");
    assert_eq!(folder.notes(&format!("{judge} --quiet")), "exit 3\n");
}

#[test]
fn of_many_metrics_of_one_side_one_note_names_five() {
    let header: String = (0..199).map(|i| format!(",m{i}")).collect();
    let row = ",1".repeat(199);
    let folder = Folder::usual().file(
        "other.csv",
        format!("timestamp,latency{header}\n0,10{row}\n60,12{row}\n"),
    );
    insta::assert_snapshot!(folder.notes("judge --baseline b.csv --canary other.csv"), @r"
    exit 3
      note: `m0`, `m1`, `m10`, `m100`, `m101` and 194 more are only in `other.csv`
    ");
}

#[test]
fn a_metric_with_history_alone_is_told_in_one_note() {
    let rows = "0,latency,history,1\n60,latency,history,2\n";
    let folder = Folder::usual().file("d.csv", format!("timestamp,metric,side,value\n{rows}"));
    insta::assert_snapshot!(folder.notes("judge --config config.yaml --data d.csv"), @r"
    exit 3
      note: `latency` has only rows of the history
    ");
}

#[test]
fn columns_that_the_config_does_not_name_are_left_out_and_told() {
    let more = "timestamp,latency,b,a\n0,10,1,2\n60,12,1,2\n120,11,1,2\n180,13,1,2\n";
    let folder = Folder::usual().file("more.csv", more);
    let (code, text, _) =
        folder.run("judge --config config.yaml --baseline more.csv --canary more.csv");
    assert_eq!(code, 0, "{text}");
    assert!(
        text.contains("note: `a` and `b` are not in the config, so not judged"),
        "{text}"
    );
}

#[test]
fn a_counter_that_must_have_data_does_not_pass_on_zeros_that_nobody_measured() {
    let config = CONFIG.replace(
        "direction: increase",
        "direction: increase, critical: true, mustHaveData: true, nanStrategy: replace",
    );
    let empty = "timestamp,latency\n0,\n60,\n120,\n180,\n";
    let folder = Folder::usual()
        .file("strict.yaml", config)
        .file("empty.csv", empty);
    let (code, text, _) =
        folder.run("judge --config strict.yaml --baseline b.csv --canary empty.csv");
    assert_eq!(code, 3, "{text}");
    assert!(
        text.contains("critical metric latency must have data, and every point of a"),
        "{text}"
    );
}
