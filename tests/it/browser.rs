//! The report in a real browser: it runs without an error, filters, sorts, opens rows, and gives its data back.
//!
//! Needs Chromium, which `tests/run` installs. Without it the test is skipped and says so; with `CI=true` that is a failure.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Collects what goes wrong from the very start of the page.
const WATCH: &str = "<script>window.errors = [];
addEventListener('error', event => errors.push(String(event.message)));
addEventListener('securitypolicyviolation', event => errors.push('blocked: ' + event.blockedURI));</script>";

/// Uses the page as a reader would and writes down what it sees.
const USE: &str = r#"<script>(async () => {
  const seen = {};
  const pick = selector => document.querySelector(selector);
  const shown = () => pick('#shown').textContent;
  const names = () => [...document.querySelectorAll('tbody.m')].filter(body => !body.hidden).map(body => body.dataset.name);
  const type = text => { pick('#q').value = text; pick('#q').dispatchEvent(new Event('input')); };
  seen.all = shown();
  type('latency');
  seen.found = shown();
  type('no such metric');
  seen.none = !pick('#none').hidden;
  pick('#reset').click();
  pick('.chip[data-k="high"]').click();
  seen.high = names();
  pick('.chip').click();
  pick('button[data-key="name"]').click();
  seen.sorted = names();
  document.body.dispatchEvent(new KeyboardEvent('keydown', { key: '/', bubbles: true }));
  seen.focus = document.activeElement.id;
  pick('#all').click();
  seen.open = [...document.querySelectorAll('.detail')].filter(detail => !detail.hidden).length;
  const saved = [];
  URL.createObjectURL = blob => { saved.push(blob); return 'blob:none'; };
  HTMLAnchorElement.prototype.click = () => {};
  pick('#json').click();
  pick('#csv').click();
  seen.json = JSON.parse(await saved[0].text());
  seen.csv = await saved[1].text();
  seen.wide = document.documentElement.scrollWidth > innerWidth;
  seen.errors = window.errors;
  const outcome = document.createElement('script');
  outcome.type = 'application/json';
  outcome.id = 'outcome';
  outcome.textContent = JSON.stringify(seen).replaceAll('<', '\\u003c');
  document.body.append(outcome);
})();</script>"#;

#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn chromium() -> Option<PathBuf> {
    let paths = std::env::var_os("PATH")?;
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let found = std::env::split_paths(&paths)
        .flat_map(|folder| names.map(|name| folder.join(name)))
        .find(|file| file.is_file());
    if found.is_none() {
        assert_ne!(
            std::env::var("CI").as_deref(),
            Ok("true"),
            "no chromium here: run tests/run, which installs it"
        );
        eprintln!("skipped: no chromium here; tests/run installs it");
    }
    found
}

/// Opens a page of the folder and gives the document as it stands after the scripts ran.
fn document(browser: &Path, folder: &Path, page: &str, width: u32) -> String {
    let profile = folder.join("profile");
    let output = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
        ])
        .args([
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--dump-dom",
        ])
        .arg("--virtual-time-budget=5000")
        .arg(format!("--window-size={width},1000"))
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(format!("file://{}", folder.join(page).display()))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_reader_can_filter_sort_open_and_download_in_a_browser() {
    let Some(browser) = chromium() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.html");
    let judged = Command::new(env!("CARGO_BIN_EXE_coalmine"))
        .args(["demo", "--recorded", "--out"])
        .arg(&report)
        .output()
        .unwrap();
    assert!(
        judged.status.success(),
        "{}",
        String::from_utf8_lossy(&judged.stderr)
    );
    let page = std::fs::read_to_string(&report).unwrap();
    let page = page.replacen("<style>", &format!("{WATCH}<style>"), 1);
    std::fs::write(
        folder.path().join("used.html"),
        page.replacen("</body>", &format!("{USE}</body>"), 1),
    )
    .unwrap();

    let document = document(&browser, folder.path(), "used.html", 1300);
    let (_, outcome) = document
        .split_once(r#"id="outcome">"#)
        .expect("the page's own script stopped before the end");
    let (outcome, _) = outcome.split_once("</script>").unwrap();
    let seen: Value = serde_json::from_str(outcome).unwrap();

    assert_eq!(seen["errors"], serde_json::json!([]));
    assert_eq!(seen["all"], "9 of 9 metrics");
    assert_eq!(seen["found"], "3 of 9 metrics");
    assert_eq!(seen["none"], true);
    assert_eq!(seen["high"].as_array().unwrap().len(), 4);
    let mut sorted = seen["sorted"].as_array().unwrap().clone();
    assert_eq!(sorted.len(), 9);
    sorted.sort_by_key(|name| name.as_str().unwrap().to_lowercase());
    assert_eq!(seen["sorted"], Value::Array(sorted));
    assert_eq!(seen["focus"], "q");
    assert_eq!(seen["open"], 9);
    assert_eq!(seen["wide"], false, "the page is wider than the window");
    assert_eq!(
        seen["json"]["bundle"]["sets"].as_array().map(Vec::len),
        Some(9)
    );

    // What the page gives back as CSV is judged as before.
    let csv = folder.path().join("again.csv");
    std::fs::write(&csv, seen["csv"].as_str().unwrap()).unwrap();
    let config = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/configs/examples/online-boutique/online-boutique.canary.yaml"
    );
    let again = Command::new(env!("CARGO_BIN_EXE_coalmine"))
        .args(["judge", "--config", config, "--data"])
        .arg(&csv)
        .output()
        .unwrap();
    assert_eq!(
        again.status.code(),
        Some(1),
        "{}",
        String::from_utf8_lossy(&again.stderr)
    );
    let first_line = |bytes: &[u8]| {
        String::from_utf8_lossy(bytes)
            .lines()
            .find(|line| line.contains("Fail:"))
            .map(str::to_owned)
    };
    assert_eq!(first_line(&again.stdout), first_line(&judged.stdout));
}
