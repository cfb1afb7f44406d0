//! `coalmine demo`.

use crate::cli::Folder;

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
