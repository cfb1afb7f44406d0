//! The fuzz targets' corpora, replayed.
#![allow(clippy::print_stdout, reason = "names the file when its replay fails")]

use std::fs;
use std::path::Path;

fn replay(target: &str, body: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fuzz/corpus")
        .join(target);
    let mut count = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        println!("{}", path.display());
        body(&fs::read(&path).unwrap());
        count += 1;
    }
    assert!(count >= 5, "the corpus of {target} has only {count} files");
}

#[test]
fn the_corpus_of_pairs_json_holds() {
    replay("pairs_json", coalmine::sources::files::fuzz_pairs_json);
}

#[test]
fn the_corpus_of_csv_long_holds() {
    replay("csv_long", coalmine::sources::files::fuzz_csv_long);
}

#[test]
fn the_corpus_of_prometheus_reply_holds() {
    replay(
        "prometheus_reply",
        coalmine::sources::prometheus::fuzz_reply,
    );
}

#[test]
fn the_corpus_of_prometheus_query_holds() {
    replay(
        "prometheus_query",
        coalmine::sources::prometheus::fuzz_query,
    );
}

#[test]
fn the_corpus_of_release_spec_holds() {
    replay("release_spec", coalmine::config::release::fuzz_load);
}
