//! Who may change a place.

use std::collections::BTreeSet;
use std::sync::Arc;

use coalmine::store::{Append, Head, LockAnswer, Store, StoreError};

use super::{accept, ended, entry, head, id};

super::for_every_store![
    a_lock_is_one_executions_and_asking_again_is_no_new_taking,
    a_lock_is_pre_empted_and_every_taking_has_a_greater_number,
    of_many_that_ask_at_once_one_gets_the_lock,
    only_an_execution_that_has_not_ended_takes_a_lock,
    an_execution_that_ends_frees_its_locks_and_no_others,
    a_forgotten_execution_has_no_locks_and_numbers_go_on,
    a_writer_that_lost_a_lock_writes_nothing,
    a_lost_lock_is_told_after_a_lost_race,
];

type AnyStore = Arc<dyn Store>;

async fn lock(store: &AnyStore, name: &str, owner: &str) -> LockAnswer {
    store.lock(name, &id(owner), false).await.unwrap()
}

async fn preempt(store: &AnyStore, name: &str, owner: &str) -> LockAnswer {
    store.lock(name, &id(owner), true).await.unwrap()
}

fn taken(fencing: u64) -> LockAnswer {
    LockAnswer::Taken { fencing }
}

fn held(owner: &str) -> LockAnswer {
    LockAnswer::Held { owner: id(owner) }
}

async fn owner(store: &AnyStore, name: &str) -> Option<(String, u64)> {
    let owner = store.lock_owner(name).await.unwrap();
    owner.map(|(owner, fencing)| (owner.to_string(), fencing))
}

/// Makes running executions.
async fn running(store: &AnyStore, names: &[&str]) {
    for name in names {
        accept(store, head(name)).await;
    }
}

async fn a_lock_is_one_executions_and_asking_again_is_no_new_taking(store: AnyStore) {
    running(&store, &["a", "b"]).await;
    assert_eq!(owner(&store, "shop").await, None);
    for _ in 0..2 {
        assert_eq!(lock(&store, "shop", "a").await, taken(1));
        assert_eq!(preempt(&store, "shop", "a").await, taken(1));
    }
    assert_eq!(lock(&store, "shop", "b").await, held("a"));
    assert_eq!(owner(&store, "shop").await, Some(("a".to_owned(), 1)));
    // Each lock has numbers of its own.
    assert_eq!(lock(&store, "pay", "b").await, taken(1));
    store.unlock(&id("a")).await.unwrap();
    store.unlock(&id("a")).await.unwrap();
    assert_eq!(owner(&store, "shop").await, None);
    assert_eq!(owner(&store, "pay").await, Some(("b".to_owned(), 1)));
    assert_eq!(lock(&store, "shop", "b").await, taken(2));
}

async fn a_lock_is_pre_empted_and_every_taking_has_a_greater_number(store: AnyStore) {
    running(&store, &["a", "b"]).await;
    assert_eq!(lock(&store, "shop", "a").await, taken(1));
    assert_eq!(preempt(&store, "shop", "b").await, taken(2));
    assert_eq!(lock(&store, "shop", "a").await, held("b"));
    // Who lost it frees nothing.
    store.unlock(&id("a")).await.unwrap();
    assert_eq!(owner(&store, "shop").await, Some(("b".to_owned(), 2)));
    assert_eq!(preempt(&store, "shop", "a").await, taken(3));
    store.unlock(&id("a")).await.unwrap();
    assert_eq!(lock(&store, "shop", "a").await, taken(4));
}

async fn of_many_that_ask_at_once_one_gets_the_lock(store: AnyStore) {
    let names: Vec<String> = (0..12).map(|number| format!("e{number:02}")).collect();
    for name in &names {
        accept(&store, head(name)).await;
    }
    let mut tasks = Vec::new();
    for name in names {
        let store = Arc::clone(&store);
        tasks.push(tokio::spawn(async move {
            (lock(&store, "shop", &name).await, name)
        }));
    }
    let mut winners = Vec::new();
    let mut named = BTreeSet::new();
    for task in tasks {
        match task.await.unwrap() {
            (LockAnswer::Taken { fencing: 1 }, name) => winners.push(name),
            (LockAnswer::Held { owner }, _) => {
                named.insert(owner.to_string());
            }
            (other @ LockAnswer::Taken { .. }, name) => panic!("{name}: {other:?}"),
        }
    }
    assert_eq!(winners.len(), 1);
    assert_eq!(named.into_iter().collect::<Vec<_>>(), winners);
}

async fn only_an_execution_that_has_not_ended_takes_a_lock(store: AnyStore) {
    running(&store, &["a"]).await;
    accept(&store, ended(head("over"), 5)).await;
    assert_eq!(lock(&store, "shop", "a").await, taken(1));
    for name in ["over", "nobody"] {
        for preempt in [false, true] {
            let error = store.lock("shop", &id(name), preempt).await.unwrap_err();
            assert!(matches!(error, StoreError::NotFound { .. }), "{error:?}");
            let told = format!("there is no execution that has not ended, named `{name}`");
            assert_eq!(error.to_string(), told);
        }
    }
    assert_eq!(owner(&store, "shop").await, Some(("a".to_owned(), 1)));
}

async fn an_execution_that_ends_frees_its_locks_and_no_others(store: AnyStore) {
    running(&store, &["a", "b"]).await;
    for (name, execution) in [("shop", "a"), ("pay", "a"), ("search", "b")] {
        assert_eq!(lock(&store, name, execution).await, taken(1));
    }
    let locks = [("pay".to_owned(), 1), ("shop".to_owned(), 1)];
    let next = |head: Head| Head { seq: 2, ..head };
    let write = |head: Head| {
        let (store, locks) = (Arc::clone(&store), locks.clone());
        async move {
            let append = Append {
                locks: &locks,
                ..Append::new(&[], &head)
            };
            store.append(append).await
        }
    };
    let going_on = Head {
        sentence: "Waits".to_owned(),
        ..head("a")
    };
    write(going_on).await.unwrap();
    assert_eq!(owner(&store, "shop").await, Some(("a".to_owned(), 1)));
    // A write that fails frees nothing.
    let behind = next(ended(head("a"), 9));
    assert!(write(behind).await.is_err());
    assert_eq!(owner(&store, "shop").await, Some(("a".to_owned(), 1)));
    // The last write may rely on the locks that it frees.
    write(ended(head("a"), 9)).await.unwrap();
    assert_eq!(owner(&store, "shop").await, None);
    assert_eq!(owner(&store, "pay").await, None);
    assert_eq!(owner(&store, "search").await, Some(("b".to_owned(), 1)));
    assert_eq!(lock(&store, "shop", "b").await, taken(2));
}

async fn a_forgotten_execution_has_no_locks_and_numbers_go_on(store: AnyStore) {
    running(&store, &["a", "b"]).await;
    assert_eq!(lock(&store, "shop", "a").await, taken(1));
    assert_eq!(preempt(&store, "shop", "b").await, taken(2));
    let over = ended(head("b"), 5);
    store.append(Append::new(&[], &over)).await.unwrap();
    assert_eq!(super::forget(&*store, 6, 9).await, [over]);
    assert_eq!(owner(&store, "shop").await, None);
    assert_eq!(lock(&store, "shop", "a").await, taken(3));
}

async fn a_writer_that_lost_a_lock_writes_nothing(store: AnyStore) {
    running(&store, &["a", "b"]).await;
    lock(&store, "pay", "a").await;
    lock(&store, "shop", "a").await;
    let next = Head {
        seq: 2,
        ..head("a")
    };
    let write = |locks: [(&str, u64); 2]| {
        let (store, next) = (Arc::clone(&store), next.clone());
        let locks = locks.map(|(name, fencing)| (name.to_owned(), fencing));
        async move {
            let entries = [entry(2)];
            let append = Append {
                locks: &locks,
                ..Append::new(&entries, &next)
            };
            store.append(append).await
        }
    };
    let lost = |answer: Result<(), StoreError>| answer.unwrap_err().to_string();
    preempt(&store, "shop", "b").await;
    assert_eq!(
        lost(write([("pay", 1), ("shop", 1)]).await),
        "the lock `shop` is lost, execution `b` has it"
    );
    store.unlock(&id("b")).await.unwrap();
    assert_eq!(
        lost(write([("pay", 1), ("shop", 1)]).await),
        "the lock `shop` is lost, and nobody has it"
    );
    // A number of an earlier taking is not the lock, nor is one that was never taken.
    assert_eq!(lock(&store, "shop", "a").await, taken(3));
    assert_eq!(
        lost(write([("pay", 1), ("shop", 1)]).await),
        "the lock `shop` is lost, execution `a` has it"
    );
    assert_eq!(
        lost(write([("pay", 1), ("search", 1)]).await),
        "the lock `search` is lost, and nobody has it"
    );
    assert_eq!(store.head(&id("a")).await.unwrap(), Some(head("a")));
    assert_eq!(store.journal(&id("a"), 0).await.unwrap(), [entry(1)]);
    write([("pay", 1), ("shop", 3)]).await.unwrap();
    assert_eq!(store.head(&id("a")).await.unwrap(), Some(next.clone()));
}

async fn a_lost_lock_is_told_after_a_lost_race(store: AnyStore) {
    running(&store, &["a", "b"]).await;
    lock(&store, "shop", "a").await;
    preempt(&store, "shop", "b").await;
    let locks = [("shop".to_owned(), 1)];
    for (seq, is_race) in [(1, false), (2, true)] {
        let known = Head { seq, ..head("a") };
        let append = Append {
            locks: &locks,
            ..Append::new(&[], &known)
        };
        let error = store.append(append).await.unwrap_err();
        assert_eq!(matches!(error, StoreError::Conflict { .. }), is_race);
        assert_eq!(matches!(error, StoreError::LostLock { .. }), !is_race);
    }
}
