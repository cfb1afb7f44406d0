//! Places that cannot be written: a clear error with exit 2, before anything is judged, and nothing half-written.

use std::fs;

use crate::bad_input::check;
use crate::cli::{Folder, HEALTHY};

#[test]
fn output_that_cannot_be_written_is_told_before_anything_is_judged() {
    let judge = "judge --baseline b.csv --canary c.csv";
    insta::assert_snapshot!(check(&[], &format!("{judge} --report none/r.html")), @r"
    exit 2

    ---
    error: cannot write `none/r.html`: there is no folder `none`

    1 error. Nothing was judged.
    ");
    insta::assert_snapshot!(check(&[], &format!("{judge} --report .")), @r"
    exit 2

    ---
    error: cannot write `.`: it is a directory; expected a file name

    1 error. Nothing was judged.
    ");
    insta::assert_snapshot!(check(&[], &format!("{judge} --report b.csv/r.html")), @r"
    exit 2

    ---
    error: cannot write `b.csv/r.html`: there is no folder `b.csv`

    1 error. Nothing was judged.
    ");
    insta::assert_snapshot!(check(&[], &format!("{judge} --save s.json.zst")), @r"
    exit 2

    ---
    error: cannot write `s.json.zst`: found the ending `.zst`; expected `.gz`, or none of a compressed file
    hint: names ending in `.json` and `.json.gz` are possible

    1 error. Nothing was judged.
    ");
    insta::assert_snapshot!(check(&[], &format!("{judge} --save none/s.json")), @r"
    exit 2

    ---
    error: cannot write `none/s.json`: there is no folder `none`

    1 error. Nothing was judged.
    ");
    insta::assert_snapshot!(check(&[], &format!("{judge} --report b.csv")), @r"
    exit 2

    ---
    error: `b.csv` is given twice; expected another file to write to

    1 error. Nothing was judged.
    ");
    insta::assert_snapshot!(check(&[], &format!("{judge} --report -")), @r"
    exit 2

    ---
    error: `-` is no file to write to; expected a file name
    hint: `--format` chooses what is printed to standard output

    1 error. Nothing was judged.
    ");
    insta::assert_snapshot!(check(&[], &format!("{judge} --report x --save ./x")), @r"
    exit 2

    ---
    error: `./x` is given twice; expected another file to write to

    1 error. Nothing was judged.
    ");
    insta::assert_snapshot!(check(&[], "demo --out none/r.html"), @r"
    exit 2

    ---
    error: cannot write `none/r.html`: there is no folder `none`
    ");
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_where_nobody_may_write_is_told() {
    // Not even the superuser can make a file here.
    let (code, stdout, stderr) =
        Folder::usual().run("judge --baseline b.csv --canary c.csv --report /proc/r.html");
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(
        stderr.starts_with("error: cannot write `/proc/r.html`: "),
        "{stderr}"
    );
    assert!(!stderr.contains(".coalmine-"), "{stderr}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_and_not_a_verdict() {
    insta::assert_snapshot!(check(&[], "judge --baseline b.csv --canary c.csv --report /dev/full"), @r"
    exit 2

    ---
    error: cannot write `/dev/full`: No space left on device (os error 28)

    1 error. Nothing was judged.
    ");
}

#[test]
fn input_is_never_overwritten_and_devices_are_never_replaced() {
    let folder = Folder::usual();
    assert_eq!(
        folder
            .run("judge --baseline b.csv --canary c.csv --save b.csv")
            .0,
        2
    );
    assert_eq!(folder.read("b.csv"), HEALTHY);
    assert_eq!(
        folder
            .run("judge --baseline b.csv --canary c.csv --quiet --report /dev/null")
            .0,
        0
    );
    assert!(!fs::metadata("/dev/null").unwrap().is_file());
}

#[test]
fn an_old_report_is_replaced_whole() {
    let folder = Folder::usual().file("r.html", "old ".repeat(1_000_000));
    assert_eq!(
        folder
            .run("judge --baseline b.csv --canary c.csv --quiet --report r.html")
            .0,
        0
    );
    let report = folder.read("r.html");
    assert!(!report.contains("old old"));
    assert_eq!(
        folder.names(),
        ["b.csv", "c.csv", "config.yaml", "r.html", "slow.csv"]
    );
}
