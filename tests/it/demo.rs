//! `coalmine demo`.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::cli::Folder;

/// Longest time of the live demo on a machine that does much else.
const LONGEST: Duration = Duration::from_secs(150);

/// The processes that were started with `folder` as the place of temporary files.
fn processes_of(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let ours = entries.filter(|entry| {
        let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
        let wanted = format!("TMPDIR={}", folder.display());
        environment
            .split(|byte| *byte == 0)
            .any(|it| it == wanted.as_bytes())
    });
    ours.map(|entry| {
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).replace('\0', " ")
    })
    .collect()
}

#[test]
fn the_live_demo_catches_the_bad_version_brings_the_good_one_and_leaves_nothing() {
    let folder = Folder::new();
    let temporary = folder.path("tmp");
    fs::create_dir(&temporary).unwrap();
    let out = fs::File::create(folder.path("out")).unwrap();
    let err = fs::File::create(folder.path("err")).unwrap();
    let mut demo = Command::new(env!("CARGO_BIN_EXE_coalmine"))
        .args(["demo", "--out", "report.html"])
        .current_dir(folder.path("."))
        .env("TMPDIR", &temporary)
        .env_remove("COALMINE_DATA_DIR")
        .env_remove("COALMINE_CONFIG")
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(err)
        .spawn()
        .unwrap();
    let began = Instant::now();
    let status = loop {
        if let Some(status) = demo.try_wait().unwrap() {
            break status;
        }
        if began.elapsed() > LONGEST {
            // It ends what it started.
            let pid = rustix::process::Pid::from_child(&demo);
            rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
            let _ = demo.wait();
            panic!("not over after {LONGEST:?}:\n{}", folder.read("out"));
        }
        std::thread::sleep(Duration::from_millis(100));
    };
    let (stdout, stderr) = (folder.read("out"), folder.read("err"));
    assert_eq!(status.code(), Some(0), "{stdout}{stderr}");
    let decided: Vec<&str> = stdout
        .lines()
        .filter_map(|line| line.split_once(" decided="))
        .filter_map(|(_, rest)| rest.split(' ').next())
        .collect();
    assert_eq!(decided, ["promoted", "rolledBack", "promoted"], "{stdout}");
    let last = stdout
        .lines()
        .find(|line| line.starts_with("Both came out as they should"));
    let last = last.unwrap_or_else(|| panic!("{stdout}"));
    assert!(last.contains(" requests answered, 0 failed, in "), "{last}");
    assert!(!last.contains(": 0 requests"), "{last}");
    let report = folder.read("report.html");
    assert!(report.contains(r#""application":"sampleshop""#), "{stdout}");
    let left = processes_of(&temporary);
    assert!(left.is_empty(), "{left:?}");
    let files: Vec<_> = fs::read_dir(&temporary).unwrap().collect();
    assert!(files.is_empty(), "{files:?}");
}

#[test]
fn the_demo_judges_a_real_incident_and_succeeds() {
    let folder = Folder::new();
    let (code, stdout, stderr) = folder.run("demo --recorded");
    assert_eq!((code, stderr.as_str()), (0, ""));
    insta::assert_snapshot!(stdout.lines().take(5).collect::<Vec<_>>().join("\n"), @r"
    A real incident, recorded in Google's Online Boutique on 22 August 2022 (Nezha data set, MIT licence):
    in one pod of the recommendation service, other processes began to compete for the processor.
    Baseline: 20 minutes before, without a fault. Canary: the 4 minutes after.

    ✕ Fail: PodServerLatencyP95(s) rose 62.1x [46.3, 614], critical
    ");
    let shown = |word: &str| stdout.lines().filter(|line| line.contains(word)).count();
    assert_eq!(
        (shown("▲ High"), shown("● Pass"), shown("⊘ Muted")),
        (4, 4, 1),
        "{stdout}"
    );
    assert!(stdout.contains("Report: coalmine-demo.html"));
    assert_eq!(folder.names(), ["coalmine-demo.html"]);
}

#[test]
fn the_demo_writes_over_its_own_report_and_never_over_another_file() {
    let folder = Folder::new().file("coalmine-demo.html", "mine");
    folder.run("demo --recorded --quiet");
    folder.run("demo --recorded --quiet");
    assert_eq!(
        folder.names(),
        ["coalmine-demo-2.html", "coalmine-demo.html"]
    );
    assert_eq!(folder.read("coalmine-demo.html"), "mine");
    folder.run("demo --recorded --quiet --out there.html");
    assert!(folder.read("there.html").contains("recommendationservice"));
    // A page that cites the data set is not ours.
    let cited = "<!DOCTYPE html>Nezha data set (IntelligentDDS, MIT licence)";
    let folder = Folder::new().file("coalmine-demo.html", cited);
    folder.run("demo --recorded --quiet");
    assert_eq!(folder.read("coalmine-demo.html"), cited);
}

#[test]
fn the_demo_needs_a_name_that_is_free() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("coalmine-demo.html")).unwrap();
    for number in 2..=100 {
        std::fs::write(folder.path(&format!("coalmine-demo-{number}.html")), "").unwrap();
    }
    let (code, _, stderr) = folder.run("demo --recorded");
    assert_eq!(code, 2);
    insta::assert_snapshot!(stderr, @r"
    error: `coalmine-demo.html` and 99 more names are taken by something else
    hint: name a file: `coalmine demo --out FILE`
    ");
    let (code, _, stderr) = folder.run("demo --recorded --out -");
    assert_eq!(code, 2);
    insta::assert_snapshot!(stderr, @r"
    error: `-` is no file to write to; expected a file name
    hint: `coalmine report SAVED --format html` prints a report
    ");
}
