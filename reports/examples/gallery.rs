//! Writes sample reports into a folder, to be looked at: `cargo run -p coalmine-reports --example gallery -- FOLDER`.
#![allow(
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "the crate writes no files; this example does, and may stop at the first fault"
)]

#[path = "../tests/it/samples/mod.rs"]
mod samples;

use std::path::PathBuf;

use coalmine_reports::{Links, TextStyle};

fn main() {
    let folder = PathBuf::from(
        std::env::args()
            .nth(1)
            .expect("a folder as the only argument"),
    );
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    let all = [
        ("one", samples::one()),
        ("fail", samples::fail()),
        ("pass", samples::pass()),
        ("marginal", samples::marginal()),
        ("inconclusive", samples::inconclusive()),
        ("no-data", samples::no_data()),
        ("two-hundred", samples::two_hundred()),
        ("odd", samples::odd()),
        ("means-decide", samples::means_decide()),
        ("crowded", samples::crowded()),
        ("many-points", samples::many_points()),
    ];
    for (name, sample) in all {
        let report = sample.report();
        let write = |ending: &str, text: String| {
            std::fs::write(folder.join(format!("{name}{ending}")), text)
                .expect("the file can be written");
        };
        write(
            ".html",
            coalmine_reports::html(&report).expect("the page can be written"),
        );
        for width in [80, 120] {
            let style = TextStyle {
                width,
                all: width == 120,
                color: width == 120,
                report_path: Some(format!("{name}.html")),
                ..TextStyle::default()
            };
            write(
                &format!(".{width}.txt"),
                coalmine_reports::text(&report, &style),
            );
        }
        let ascii = TextStyle {
            ascii: true,
            width: 110,
            ..TextStyle::default()
        };
        write(".ascii.txt", coalmine_reports::text(&report, &ascii));
        write(
            ".md",
            coalmine_reports::markdown(&report, &Links::default()),
        );
        write(".xml", coalmine_reports::junit(&report));
    }
}
