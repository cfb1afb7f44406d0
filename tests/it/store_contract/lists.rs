//! Lists of executions.

use std::sync::Arc;

use coalmine::store::{Append, Head, HeadFilter, Store};

use super::{accept, ended, entry, head, id};

super::for_every_store![
    lists_are_newest_first_and_pages_join_without_a_seam,
    a_list_has_what_every_part_of_the_filter_lets_through,
    a_list_follows_an_execution_from_status_to_status,
    counts_follow_the_status,
];

type AnyStore = Arc<dyn Store>;

const ALL: u64 = 1_000;

async fn listed(store: &AnyStore, filter: HeadFilter) -> Vec<String> {
    let heads = store.heads(&filter).await.unwrap();
    heads.iter().map(|head| head.id.to_string()).collect()
}

fn words(list: &[&str]) -> Vec<String> {
    list.iter().map(|word| (*word).to_owned()).collect()
}

/// Thirty executions of two applications, two kinds and three statuses, three of each millisecond.
async fn thirty(store: &AnyStore) -> Vec<Head> {
    let mut heads = Vec::new();
    for number in 0_i64..30 {
        let one_of = |words: &[&str], every: i64| {
            let place = usize::try_from(number / every).unwrap() % words.len();
            words[place].to_owned()
        };
        let made = Head {
            kind: one_of(&["canary", "analysis"], 1),
            application: one_of(&["shop", "pay"], 2),
            status: one_of(&["running", "succeeded", "terminal"], 4),
            created_ms: 1_000 - number / 3,
            ..head(&format!("{number:02}"))
        };
        accept(store, made.clone()).await;
        heads.push(made);
    }
    heads.sort_by(|a, b| (b.created_ms, &b.id).cmp(&(a.created_ms, &a.id)));
    heads
}

async fn lists_are_newest_first_and_pages_join_without_a_seam(store: AnyStore) {
    let heads = thirty(&store).await;
    let filter = |skip, most| HeadFilter {
        skip,
        most,
        ..HeadFilter::default()
    };
    assert_eq!(store.heads(&filter(0, ALL)).await.unwrap(), heads);
    assert_eq!(store.heads(&filter(0, u64::MAX)).await.unwrap(), heads);
    let mut pages = Vec::new();
    for page in 0..5 {
        let some = store.heads(&filter(page * 7, 7)).await.unwrap();
        assert!(some.len() == 7 || page == 4);
        pages.extend(some);
    }
    assert_eq!(pages, heads);
    assert!(store.heads(&filter(30, 7)).await.unwrap().is_empty());
    assert!(
        store
            .heads(&filter(u64::MAX, u64::MAX))
            .await
            .unwrap()
            .is_empty()
    );
    assert!(store.heads(&filter(0, 0)).await.unwrap().is_empty());
}

async fn a_list_has_what_every_part_of_the_filter_lets_through(store: AnyStore) {
    let heads = thirty(&store).await;
    let mut found = 0;
    for application in [None, Some("shop"), Some("pay"), Some("shop ")] {
        for statuses in [&[][..], &["running"], &["terminal", "succeeded"], &["x"]] {
            for kinds in [&[][..], &["canary"], &["analysis", "canary", "canary"]] {
                for (skip, most) in [(0, ALL), (2, 3)] {
                    let filter = HeadFilter {
                        application: application.map(str::to_owned),
                        statuses: words(statuses),
                        kinds: words(kinds),
                        skip,
                        most,
                    };
                    let expected: Vec<String> = heads
                        .iter()
                        .filter(|it| application.is_none_or(|one| one == it.application))
                        .filter(|it| statuses.is_empty() || statuses.contains(&it.status.as_str()))
                        .filter(|it| kinds.is_empty() || kinds.contains(&it.kind.as_str()))
                        .skip(usize::try_from(skip).unwrap())
                        .take(usize::try_from(most).unwrap())
                        .map(|it| it.id.to_string())
                        .collect();
                    found += expected.len();
                    assert_eq!(listed(&store, filter.clone()).await, expected, "{filter:?}");
                }
            }
        }
    }
    assert!(found > 300, "{found}");
}

async fn a_list_follows_an_execution_from_status_to_status(store: AnyStore) {
    accept(&store, head("a")).await;
    let of = |status: &str| HeadFilter {
        statuses: words(&[status]),
        most: ALL,
        ..HeadFilter::default()
    };
    assert_eq!(listed(&store, of("running")).await, ["a"]);
    let end = ended(
        Head {
            seq: 2,
            ..head("a")
        },
        9,
    );
    store.append(Append::new(&[entry(2)], &end)).await.unwrap();
    assert!(listed(&store, of("running")).await.is_empty());
    assert_eq!(listed(&store, of("succeeded")).await, ["a"]);
    super::forget(&*store, 10, 1).await;
    assert!(listed(&store, of("succeeded")).await.is_empty());
    assert_eq!(store.head(&id("a")).await.unwrap(), None);
}

async fn counts_follow_the_status(store: AnyStore) {
    let heads = thirty(&store).await;
    let counts = |list: &[(&str, u64)]| -> Vec<(String, u64)> {
        list.iter()
            .map(|(word, count)| ((*word).to_owned(), *count))
            .collect()
    };
    let before = store.count_by_status().await.unwrap();
    assert_eq!(
        before,
        counts(&[("running", 12), ("succeeded", 10), ("terminal", 8)])
    );
    for running in heads.iter().filter(|it| it.status == "running") {
        let next = Head {
            seq: 2,
            status: "canceled".to_owned(),
            kind: "canary".to_owned(),
            ended_ms: Some(5),
            ..running.clone()
        };
        store.append(Append::new(&[entry(2)], &next)).await.unwrap();
    }
    let after = store.count_by_status().await.unwrap();
    assert_eq!(
        after,
        counts(&[("canceled", 12), ("succeeded", 10), ("terminal", 8)])
    );
    assert_eq!(super::forget(&*store, 6, 11).await.len(), 11);
    let left = store.count_by_status().await.unwrap();
    assert_eq!(
        left,
        counts(&[("canceled", 1), ("succeeded", 10), ("terminal", 8)])
    );
    super::forget(&*store, 6, 11).await;
    let left = store.count_by_status().await.unwrap();
    assert_eq!(left, counts(&[("succeeded", 10), ("terminal", 8)]));
}
