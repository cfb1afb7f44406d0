//! Whether finished executions slow the store down: the same calls, in turn, on a store with a page of finished executions and on
//! one with 10,000.
//!
//! `cargo bench --bench store` prints the medians and their ratio; docs/measurements.md states them.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench prints and may stop"
)]

use std::time::{Duration, Instant};

use coalmine::model::ids::ExecutionId;
use coalmine::store::sqlite::SqliteStore;
use coalmine::store::{Append, Entry, Head, HeadFilter, NewExecution, Store};
use coalmine_judges::judgement::Verdict;
use tempfile::TempDir;

/// Finished executions of the two stores; the smaller number fills every page that is asked for.
const FINISHED: [u64; 2] = [300, 10_000];
/// Executions that are running in both.
const RUNNING: u64 = 20;
/// Entries of each journal, and their bytes.
const ENTRIES: u64 = 12;
const BYTES: usize = 500;
/// Executions on a page of a list.
const PAGE: u64 = 50;
/// How often each call is measured on each store.
const TURNS: usize = 400;

const KINDS: [&str; 2] = ["canary", "analysis"];
const ENDS: [&str; 3] = ["succeeded", "terminal", "canceled"];

struct Filled {
    store: SqliteStore,
    _folder: TempDir,
    /// One in the middle of those that have ended.
    some: ExecutionId,
    /// Number of the next execution.
    next: u64,
    /// Number of the last entry that was appended.
    seq: u64,
}

fn entry(seq: u64) -> Entry {
    Entry {
        seq,
        at_ms: 0,
        body: "x".repeat(BYTES),
    }
}

fn one_of(words: &[&str], number: u64) -> String {
    words[usize::try_from(number).unwrap() % words.len()].to_owned()
}

fn head(number: u64) -> Head {
    Head {
        id: ExecutionId::new(format!("01J9ZZZZZZZZZZZZZZ{number:08}")),
        kind: one_of(&KINDS, number),
        application: format!("application-{}", number % 7),
        status: "running".to_owned(),
        seq: 1,
        created_ms: i64::try_from(number).unwrap(),
        updated_ms: 0,
        ended_ms: None,
        due_ms: Some(1),
        verdict: None,
        score: None,
        config_name: "checkout".to_owned(),
        sentence: "The canary passed with a score of 100 after 6 judgements".to_owned(),
    }
}

async fn accept(store: &SqliteStore, number: u64) -> Head {
    let new = NewExecution {
        head: head(number),
        first: entry(1),
        idempotency: None,
    };
    store.accept(&new).await.unwrap();
    new.head
}

async fn filled(finished: u64) -> Filled {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("coalmine.db");
    let store = SqliteStore::open(&path).await.unwrap();
    for number in 0..finished {
        let head = accept(&store, number).await;
        let ended = Head {
            seq: ENTRIES,
            status: one_of(&ENDS, number / 2),
            ended_ms: Some(1),
            due_ms: None,
            verdict: Some(Verdict::Pass),
            score: Some(100.0),
            ..head
        };
        let entries: Vec<Entry> = (2..=ENTRIES).map(entry).collect();
        store.append(Append::new(&entries, &ended)).await.unwrap();
    }
    for number in finished..finished + RUNNING {
        accept(&store, number).await;
    }
    Filled {
        store,
        _folder: folder,
        some: head(finished / 2).id,
        next: finished + RUNNING,
        seq: 1,
    }
}

const CALLS: [&str; 11] = [
    "accept",
    "append",
    "claim and release",
    "claim of nothing",
    "next due",
    "head",
    "journal",
    "heads, all",
    "heads, one application, kind and status",
    "heads, running",
    "count by status",
];

async fn call(filled: &mut Filled, name: &str) -> Duration {
    let Filled {
        store,
        some,
        next,
        seq,
        ..
    } = filled;
    let page = HeadFilter {
        most: PAGE,
        ..HeadFilter::default()
    };
    let start = Instant::now();
    match name {
        "accept" => {
            accept(store, *next).await;
            *next += 1;
        }
        "append" => {
            *seq += 1;
            let running = head(*next - 1);
            let head = Head {
                seq: *seq,
                ..running
            };
            store
                .append(Append::new(&[entry(*seq)], &head))
                .await
                .unwrap();
        }
        "claim and release" => {
            let leases = store.claim("w", 10, 20, 1).await.unwrap();
            store.release(&leases[0]).await.unwrap();
        }
        "claim of nothing" => assert!(store.claim("w", 0, 9, 9).await.unwrap().is_empty()),
        "next due" => assert_eq!(store.next_due_ms().await.unwrap(), Some(1)),
        "head" => assert!(store.head(some).await.unwrap().is_some()),
        "journal" => {
            let journal = store.journal(some, 0).await.unwrap();
            assert_eq!(journal.len() as u64, ENTRIES);
        }
        "heads, all" => {
            let heads = store.heads(&page).await.unwrap();
            assert_eq!(heads.len() as u64, PAGE);
        }
        "heads, one application, kind and status" => {
            let filter = HeadFilter {
                application: Some("application-1".to_owned()),
                statuses: vec!["succeeded".to_owned()],
                kinds: vec!["canary".to_owned()],
                most: 6,
                ..page
            };
            assert_eq!(store.heads(&filter).await.unwrap().len(), 6);
        }
        "heads, running" => {
            let filter = HeadFilter {
                statuses: vec!["running".to_owned()],
                most: RUNNING,
                ..page
            };
            let heads = store.heads(&filter).await.unwrap();
            assert_eq!(heads.len() as u64, RUNNING);
        }
        "count by status" => assert!(store.count_by_status().await.unwrap().len() > 3),
        other => unreachable!("{other}"),
    }
    start.elapsed()
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1e6
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut stores = [filled(FINISHED[0]).await, filled(FINISHED[1]).await];
        println!(
            "median µs, {TURNS} calls of each in turn, with {} and {} finished executions",
            FINISHED[0], FINISHED[1]
        );
        for name in CALLS {
            let mut times = [Vec::new(), Vec::new()];
            for turn in 0..TURNS {
                // Each goes first as often as the other.
                for which in [turn % 2, 1 - turn % 2] {
                    times[which].push(call(&mut stores[which], name).await);
                }
            }
            let [few, many] = times.map(median);
            println!("{name:<42}{few:>9.0}{many:>9.0}   × {:.2}", many / few);
        }
    });
}
