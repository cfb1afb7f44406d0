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
    insta::assert_snapshot!(check(&[], "demo --recorded --out none/r.html"), @r"
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

    1 error. The verdict was Pass; `/dev/full` could not be written.
    ");
}

#[cfg(target_os = "linux")]
#[test]
fn a_verdict_that_cannot_be_printed_is_told_with_the_error() {
    let folder = Folder::usual();
    let full = fs::OpenOptions::new().write(true).open("/dev/full");
    let output = folder
        .command("judge --baseline b.csv --canary c.csv --save s.json")
        .stdout(full.unwrap())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    insta::assert_snapshot!(String::from_utf8(output.stderr).unwrap(), @r"
    error: cannot write to standard output: No space left on device (os error 28)

    1 error. The verdict was Pass; standard output could not be written.
    ");
    assert_eq!(folder.run("report s.json").0, 0);
}

#[test]
fn a_report_is_never_written_onto_the_judgement_that_it_is_drawn_from() {
    let folder = Folder::usual();
    let judge = "judge --baseline b.csv --canary c.csv --quiet --save own.json";
    assert_eq!(folder.run(judge).0, 0);
    let before = folder.read("own.json");
    for same in ["own.json", "./own.json"] {
        insta::allow_duplicates!(insta::assert_snapshot!(
            folder.brief(&format!("report own.json -o {same}")).replace("./", ""), @r"
        exit 2

        ---
        error: `own.json` is given twice; expected another file to write to
        "));
    }
    assert!(folder.read("own.json") == before, "the judgement is gone");
}

#[test]
fn a_link_in_markdown_leads_only_where_others_can_follow() {
    let folder = Folder::usual();
    let judge = "judge --baseline b.csv --canary slow.csv --format markdown";
    let (_, near, _) = folder.run(&format!("{judge} --report r.html"));
    assert!(near.contains("(r.html)"), "{near}");
    let whole = folder.path("r.html").display().to_string();
    let (_, far, _) = folder.run(&format!("{judge} --report {whole} --save {whole}.json"));
    assert!(far.contains("latency"), "{far}");
    assert!(!far.contains(whole.trim_end_matches("r.html")), "{far}");
}

#[cfg(unix)]
#[test]
fn a_private_file_stays_private() {
    use std::os::unix::fs::PermissionsExt as _;
    for mode in [0o600, 0o640, 0o666] {
        let folder = Folder::usual().file("s.json", "old");
        let path = folder.path("s.json");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let judge = "judge --baseline b.csv --canary c.csv --quiet --save s.json";
        assert_eq!(folder.run(judge).0, 0);
        assert!(folder.read("s.json").len() > 100);
        let found = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(found & 0o777, mode, "{found:o}");
    }
}

#[cfg(unix)]
#[test]
fn a_link_stays_a_link_also_where_it_leads_to_no_file_yet() {
    use std::os::unix::fs::symlink;
    let folder = Folder::usual();
    fs::create_dir(folder.path("far")).unwrap();
    symlink("far/r.html", folder.path("second")).unwrap();
    symlink("second", folder.path("first")).unwrap();
    let judge = "judge --baseline b.csv --canary c.csv --quiet";
    for _ in 0..2 {
        assert_eq!(folder.run(&format!("{judge} --report first")).0, 0);
        assert!(folder.read("far/r.html").contains("<html"));
        for link in ["first", "second"] {
            assert!(
                fs::symlink_metadata(folder.path(link))
                    .unwrap()
                    .is_symlink()
            );
        }
    }
    // Two names of one file that does not exist yet.
    fs::remove_file(folder.path("far/r.html")).unwrap();
    let twice = format!("{judge} --report first --save far/r.html");
    assert!(folder.run(&twice).2.contains("is given twice"));
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
