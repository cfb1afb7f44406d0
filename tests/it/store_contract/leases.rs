//! Who may work on what.

use std::collections::BTreeSet;
use std::sync::Arc;

use coalmine::store::{Append, Head, Lease, Store, StoreError};

use super::{accept, ended, entry, head, id};

super::for_every_store![
    what_is_due_is_claimed_longest_due_first,
    what_is_claimed_is_not_claimed_again_before_the_lease_ends,
    many_workers_at_once_never_get_the_same_execution,
    a_worker_that_slept_through_its_lease_cannot_write_after_a_newer_claim,
    a_lease_that_ended_still_writes_while_nobody_took_over,
    a_lease_that_was_given_back_cannot_write_and_the_execution_is_free,
    a_renewed_lease_keeps_others_away_for_longer,
    one_that_restarts_ends_all_leases,
    the_next_due_time_counts_what_is_leased_and_not_what_has_ended,
    an_execution_that_ends_is_never_due_again,
];

type AnyStore = Arc<dyn Store>;

fn due(text: &str, due_ms: Option<i64>) -> Head {
    Head {
        due_ms,
        ..head(text)
    }
}

async fn one(store: &AnyStore, worker: &str, now_ms: i64, until_ms: i64) -> Lease {
    let mut leases = store.claim(worker, now_ms, until_ms, 1).await.unwrap();
    leases.pop().unwrap()
}

fn ids(leases: &[Lease]) -> Vec<String> {
    leases.iter().map(|lease| lease.id.to_string()).collect()
}

async fn what_is_due_is_claimed_longest_due_first(store: AnyStore) {
    for (text, due_ms) in [
        ("a", Some(30)),
        ("b", Some(10)),
        ("c", Some(20)),
        ("d", Some(20)),
        ("later", Some(51)),
        ("person", None),
    ] {
        accept(&store, due(text, due_ms)).await;
    }
    assert!(store.claim("w", 50, 100, 0).await.unwrap().is_empty());
    let leases = store.claim("w", 50, 100, 3).await.unwrap();
    assert_eq!(ids(&leases), ["b", "c", "d"]);
    let first = Lease {
        id: id("b"),
        worker: "w".to_owned(),
        fencing: 1,
        until_ms: 100,
    };
    assert_eq!(leases[0], first);
    let leases = store.claim("w", 50, 100, 3).await.unwrap();
    assert_eq!(ids(&leases), ["a"]);
    let leases = store.claim("w", 51, 100, u64::MAX).await.unwrap();
    assert_eq!(ids(&leases), ["later"]);
}

async fn what_is_claimed_is_not_claimed_again_before_the_lease_ends(store: AnyStore) {
    accept(&store, head("a")).await;
    assert_eq!(one(&store, "w", 1_000, 2_000).await.fencing, 1);
    for worker in ["w", "v"] {
        let leases = store.claim(worker, 1_999, 3_000, 10).await.unwrap();
        assert!(leases.is_empty());
    }
    let taken = one(&store, "v", 2_000, 3_000).await;
    assert_eq!((taken.worker.as_str(), taken.fencing), ("v", 2));
}

async fn many_workers_at_once_never_get_the_same_execution(store: AnyStore) {
    for number in 0..40 {
        accept(&store, head(&format!("{number:02}"))).await;
    }
    let mut tasks = Vec::new();
    for worker in 0..8 {
        let store = Arc::clone(&store);
        tasks.push(tokio::spawn(async move {
            let mut all = Vec::new();
            loop {
                let worker = format!("w{worker}");
                let leases = store.claim(&worker, 1_000, 2_000, 3).await.unwrap();
                if leases.is_empty() {
                    return all;
                }
                assert!(leases.len() <= 3);
                all.extend(ids(&leases));
            }
        }));
    }
    let mut all = Vec::new();
    for task in tasks {
        all.extend(task.await.unwrap());
    }
    assert_eq!(all.len(), 40);
    assert_eq!(all.into_iter().collect::<BTreeSet<_>>().len(), 40);
}

async fn a_worker_that_slept_through_its_lease_cannot_write_after_a_newer_claim(store: AnyStore) {
    accept(&store, head("a")).await;
    let old = one(&store, "w", 1_000, 2_000).await;
    // The same worker counts as another one: it may have been restarted.
    let new = one(&store, "w", 2_000, 3_000).await;
    let next = Head {
        seq: 2,
        ..head("a")
    };
    for old in [
        old.clone(),
        Lease {
            worker: "v".to_owned(),
            ..new.clone()
        },
    ] {
        let error = store
            .append(Append {
                lease: Some(&old),
                ..Append::new(&[entry(2)], &next)
            })
            .await;
        assert!(matches!(error, Err(StoreError::LostLease(of)) if of == id("a")));
        let error = store.renew(&old, 9_000).await;
        assert!(matches!(error, Err(StoreError::LostLease(of)) if of == id("a")));
        store.release(&old).await.unwrap();
    }
    assert_eq!(store.head(&id("a")).await.unwrap(), Some(head("a")));
    assert!(store.claim("v", 2_500, 3_000, 1).await.unwrap().is_empty());
    let written = store
        .append(Append {
            lease: Some(&new),
            ..Append::new(&[entry(2)], &next)
        })
        .await;
    written.unwrap();
    assert_eq!(store.head(&id("a")).await.unwrap(), Some(next));
    // A lost lease is told before a lost race.
    let error = store
        .append(Append {
            lease: Some(&old),
            ..Append::new(&[entry(2)], &head("a"))
        })
        .await;
    assert!(error.is_err());
    let behind = Head {
        seq: 2,
        ..head("a")
    };
    let error = store
        .append(Append {
            lease: Some(&old),
            ..Append::new(&[entry(2)], &behind)
        })
        .await;
    assert!(matches!(error, Err(StoreError::LostLease(_))));
}

async fn a_lease_that_ended_still_writes_while_nobody_took_over(store: AnyStore) {
    accept(&store, head("a")).await;
    let lease = one(&store, "w", 1_000, 1_001).await;
    let next = Head {
        seq: 2,
        updated_ms: 5_000,
        ..head("a")
    };
    let written = store
        .append(Append {
            lease: Some(&lease),
            ..Append::new(&[entry(2)], &next)
        })
        .await;
    written.unwrap();
    let renewed = store.renew(&lease, 6_000).await.unwrap();
    assert_eq!(renewed.fencing, lease.fencing);
}

async fn a_lease_that_was_given_back_cannot_write_and_the_execution_is_free(store: AnyStore) {
    accept(&store, head("a")).await;
    let old = one(&store, "w", 1_000, 2_000).await;
    store.release(&old).await.unwrap();
    store.release(&old).await.unwrap();
    let next = Head {
        seq: 2,
        ..head("a")
    };
    let error = store
        .append(Append {
            lease: Some(&old),
            ..Append::new(&[entry(2)], &next)
        })
        .await;
    assert!(matches!(error, Err(StoreError::LostLease(_))));
    assert!(store.renew(&old, 3_000).await.is_err());
    assert_eq!(one(&store, "v", 1_000, 2_000).await.fencing, 2);
    let unknown = Lease {
        id: id("unknown"),
        ..old
    };
    store.release(&unknown).await.unwrap();
    let error = store.renew(&unknown, 3_000).await;
    assert!(matches!(error, Err(StoreError::LostLease(_))));
}

async fn a_renewed_lease_keeps_others_away_for_longer(store: AnyStore) {
    accept(&store, head("a")).await;
    let lease = one(&store, "w", 1_000, 2_000).await;
    let renewed = store.renew(&lease, 3_000).await.unwrap();
    let longer = Lease {
        until_ms: 3_000,
        ..lease.clone()
    };
    assert_eq!(renewed, longer);
    assert!(store.claim("v", 2_500, 9_000, 1).await.unwrap().is_empty());
    // Either of the two can be renewed and written with: the claim is the same.
    store.renew(&lease, 2_000).await.unwrap();
    assert_eq!(one(&store, "v", 2_500, 9_000).await.fencing, 2);
}

async fn one_that_restarts_ends_all_leases(store: AnyStore) {
    accept(&store, head("a")).await;
    accept(&store, head("b")).await;
    let old = store.claim("w", 1_000, 9_000, 2).await.unwrap();
    store.release_all().await.unwrap();
    let next = Head {
        seq: 2,
        ..head("a")
    };
    let error = store
        .append(Append {
            lease: Some(&old[0]),
            ..Append::new(&[entry(2)], &next)
        })
        .await;
    assert!(matches!(error, Err(StoreError::LostLease(_))));
    let leases = store.claim("w", 1_000, 9_000, 9).await.unwrap();
    assert_eq!(ids(&leases), ["a", "b"]);
    assert!(leases.iter().all(|lease| lease.fencing == 2));
}

async fn the_next_due_time_counts_what_is_leased_and_not_what_has_ended(store: AnyStore) {
    accept(&store, due("a", Some(30))).await;
    accept(&store, due("b", Some(20))).await;
    accept(&store, ended(due("c", None), 10)).await;
    assert_eq!(store.next_due_ms().await.unwrap(), Some(20));
    assert_eq!(one(&store, "w", 25, 99).await.id, id("b"));
    assert_eq!(store.next_due_ms().await.unwrap(), Some(20));
}

async fn an_execution_that_ends_is_never_due_again(store: AnyStore) {
    accept(&store, head("a")).await;
    let lease = one(&store, "w", 1_000, 2_000).await;
    let end = ended(
        Head {
            seq: 2,
            ..head("a")
        },
        1_500,
    );
    let written = store
        .append(Append {
            lease: Some(&lease),
            ..Append::new(&[entry(2)], &end)
        })
        .await;
    written.unwrap();
    store.release(&lease).await.unwrap();
    assert_eq!(store.next_due_ms().await.unwrap(), None);
    let leases = store.claim("w", i64::MAX, i64::MAX, 9).await.unwrap();
    assert!(leases.is_empty());
}
