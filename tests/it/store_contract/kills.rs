//! A process that dies loses nothing that a call returned for.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use coalmine::store::sqlite::SqliteStore;
use coalmine::store::{Append, Entry, Head, Store};

use super::sqlite::Place;
use super::{accept, entry, head, id, new};

const DATABASE: &str = "COALMINE_TEST_DATABASE";

/// What the files are at the moment of a kill is what a copy of them is; the copy is opened while the first is still running.
#[tokio::test]
async fn what_was_kept_is_there_after_a_kill_at_any_moment() {
    let place = Place::new();
    let store = place.shared().await;
    accept(&store, head("a")).await;
    for seq in 2..=20 {
        let at = Head { seq, ..head("a") };
        store.append(Append::new(&[entry(seq)], &at)).await.unwrap();
        let killed = Place::new();
        for ending in ["", "-wal"] {
            let with = |path: &Path| PathBuf::from(format!("{}{ending}", path.display()));
            fs::copy(with(&place.path), with(&killed.path)).unwrap();
        }
        let after = killed.open().await.unwrap();
        let expected: Vec<Entry> = (1..=seq).map(entry).collect();
        assert_eq!(after.journal(&id("a"), 0).await.unwrap(), expected);
        assert_eq!(after.head(&id("a")).await.unwrap(), Some(at));
    }
}

#[tokio::test]
async fn a_write_that_was_cut_off_in_the_log_leaves_the_state_before_it() {
    let place = Place::new();
    let store = place.shared().await;
    accept(&store, head("a")).await;
    let log = |path: &Path| PathBuf::from(format!("{}-wal", path.display()));
    let whole = fs::read(log(&place.path)).unwrap().len();
    let at = Head {
        seq: 2,
        ..head("a")
    };
    store.append(Append::new(&[entry(2)], &at)).await.unwrap();
    let longer = fs::read(log(&place.path)).unwrap();
    assert!(longer.len() > whole);
    for cut in [
        whole,
        whole + 1,
        (whole + longer.len()) / 2,
        longer.len() - 1,
    ] {
        let killed = Place::new();
        fs::copy(&place.path, &killed.path).unwrap();
        fs::write(log(&killed.path), &longer[..cut]).unwrap();
        let after = killed.open().await.unwrap();
        assert_eq!(after.head(&id("a")).await.unwrap(), Some(head("a")));
        assert_eq!(after.journal(&id("a"), 0).await.unwrap(), [entry(1)]);
    }
}

/// The other side of the next test: appends until it is killed, and says what is kept.
#[tokio::test]
#[ignore = "runs as a process of its own"]
async fn appends_until_it_is_killed() {
    let Some(path) = std::env::var_os(DATABASE) else {
        return;
    };
    let store = SqliteStore::open(Path::new(&path)).await.unwrap();
    let mut seq = match store.head(&id("a")).await.unwrap() {
        Some(head) => head.seq,
        None => {
            store.accept(&new(head("a"))).await.unwrap();
            1
        }
    };
    let mut out = std::io::stdout();
    loop {
        seq += 2;
        let at = Head { seq, ..head("a") };
        let two = [entry(seq - 1), entry(seq)];
        store.append(Append::new(&two, &at)).await.unwrap();
        writeln!(out, "kept {seq}").unwrap();
    }
}

#[tokio::test]
async fn what_a_killed_process_said_that_it_kept_is_there() {
    let place = Place::new();
    let mut last = 1;
    for round in 0..6 {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "--nocapture"])
            .arg("store_contract::kills::appends_until_it_is_killed")
            .env(DATABASE, &place.path)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut kept = 0;
        for line in lines {
            if let Some(seq) = line.unwrap().strip_prefix("kept ") {
                last = seq.parse().unwrap();
                kept += 1;
                // Later lines are those that it wrote before the kill came.
                if kept == 3 + round * 5 {
                    process.kill().unwrap();
                }
            }
        }
        assert!(!process.wait().unwrap().success());
        assert!(kept >= 3 + round * 5, "{kept}");
        let store = place.open().await.unwrap();
        let there = store.head(&id("a")).await.unwrap().unwrap().seq;
        assert!(there == last || there == last + 2, "{there}, {last}");
        let expected: Vec<Entry> = (1..=there).map(entry).collect();
        assert_eq!(store.journal(&id("a"), 0).await.unwrap(), expected);
        store.close().await;
    }
    assert!(last > 60, "{last}");
}
