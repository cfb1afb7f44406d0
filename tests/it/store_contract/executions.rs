//! Journals, heads and idempotency keys.

use std::sync::Arc;

use coalmine::store::{Accepted, Append, Entry, Head, Store, StoreError};
use coalmine_judges::judgement::Verdict;

use super::{accept, ended, entry, head, id, keyed, new};

super::for_every_store![
    an_accepted_execution_is_there_with_its_first_entry,
    the_same_id_is_accepted_once,
    a_repeated_request_gets_the_execution_that_it_started,
    a_key_that_comes_with_another_request_is_refused,
    many_equal_requests_at_once_start_one_execution,
    entries_follow_each_other_and_the_journal_reads_on_after_any_of_them,
    of_many_writers_at_once_one_wins_each_number,
    a_writer_that_knows_an_old_end_is_told_where_the_journal_ends,
    entries_with_a_hole_are_refused_and_nothing_is_kept,
    a_head_is_kept_to_the_last_field,
    what_is_unknown_is_none_or_refused,
    forgetting_takes_what_ended_longest_ago_with_all_that_belongs_to_it,
];

type AnyStore = Arc<dyn Store>;

async fn an_accepted_execution_is_there_with_its_first_entry(store: AnyStore) {
    let accepted = store.accept(&new(head("a"))).await.unwrap();
    assert_eq!(accepted, Accepted::New);
    assert_eq!(store.head(&id("a")).await.unwrap(), Some(head("a")));
    assert_eq!(store.journal(&id("a"), 0).await.unwrap(), [entry(1)]);
    store.check().await.unwrap();
}

async fn the_same_id_is_accepted_once(store: AnyStore) {
    accept(&store, head("a")).await;
    let other = Head {
        application: "other".to_owned(),
        ..head("a")
    };
    let error = store.accept(&keyed(other, "k", "f")).await.unwrap_err();
    assert_eq!(error.to_string(), "the execution `a` exists already");
    assert_eq!(store.head(&id("a")).await.unwrap(), Some(head("a")));
    // Nor was its key kept.
    let accepted = store.accept(&keyed(head("b"), "k", "g")).await.unwrap();
    assert_eq!(accepted, Accepted::New);
}

async fn a_repeated_request_gets_the_execution_that_it_started(store: AnyStore) {
    let first = store.accept(&keyed(head("a"), "k", "f")).await.unwrap();
    let second = store.accept(&keyed(head("b"), "k", "f")).await.unwrap();
    let third = store.accept(&keyed(head("a"), "k", "f")).await.unwrap();
    assert_eq!(first, Accepted::New);
    assert_eq!(second, Accepted::Before(id("a")));
    assert_eq!(third, Accepted::Before(id("a")));
    assert_eq!(store.head(&id("b")).await.unwrap(), None);
    assert_eq!(store.journal(&id("a"), 0).await.unwrap().len(), 1);
}

async fn a_key_that_comes_with_another_request_is_refused(store: AnyStore) {
    store.accept(&keyed(head("a"), "k", "f")).await.unwrap();
    let error = store.accept(&keyed(head("b"), "k", "g")).await.unwrap_err();
    assert!(matches!(&error, StoreError::KeyReused(key) if key == "k"));
    assert_eq!(store.head(&id("b")).await.unwrap(), None);
}

async fn many_equal_requests_at_once_start_one_execution(store: AnyStore) {
    let mut tasks = Vec::new();
    for number in 0..16 {
        let store = Arc::clone(&store);
        tasks.push(tokio::spawn(async move {
            let new = keyed(head(&format!("a{number}")), "k", "f");
            (new.head.id.clone(), store.accept(&new).await.unwrap())
        }));
    }
    let mut started = Vec::new();
    let mut named = Vec::new();
    for task in tasks {
        match task.await.unwrap() {
            (id, Accepted::New) => started.push(id),
            (_, Accepted::Before(id)) => named.push(id),
        }
    }
    assert_eq!(started.len(), 1);
    assert_eq!(named, vec![started[0].clone(); 15]);
    let counts = store.count_by_status().await.unwrap();
    assert_eq!(counts, [("running".to_owned(), 1)]);
}

async fn entries_follow_each_other_and_the_journal_reads_on_after_any_of_them(store: AnyStore) {
    accept(&store, head("a")).await;
    accept(&store, head("b")).await;
    let at = |seq| Head { seq, ..head("a") };
    let two = [entry(2), entry(3)];
    store.append(Append::new(&two, &at(3))).await.unwrap();
    store
        .append(Append::new(&[entry(4)], &at(4)))
        .await
        .unwrap();
    for after in 0..6 {
        let expected: Vec<Entry> = (after + 1..=4).map(entry).collect();
        assert_eq!(store.journal(&id("a"), after).await.unwrap(), expected);
    }
    let none = store.journal(&id("a"), u64::MAX).await.unwrap();
    assert!(none.is_empty());
    assert_eq!(store.journal(&id("b"), 0).await.unwrap(), [entry(1)]);
    // Without entries the head alone changes.
    let told = Head {
        sentence: "Waits for a person".to_owned(),
        ..at(4)
    };
    store.append(Append::new(&[], &told)).await.unwrap();
    assert_eq!(store.head(&id("a")).await.unwrap(), Some(told));
    assert_eq!(store.journal(&id("a"), 0).await.unwrap().len(), 4);
}

async fn of_many_writers_at_once_one_wins_each_number(store: AnyStore) {
    accept(&store, head("a")).await;
    let mut tasks = Vec::new();
    for writer in 0..8 {
        let store = Arc::clone(&store);
        tasks.push(tokio::spawn(async move {
            let mut won = 0;
            for seq in 2..=6 {
                let body = format!("{writer}");
                let entry = Entry { body, ..entry(seq) };
                let head = Head { seq, ..head("a") };
                match store.append(Append::new(&[entry], &head)).await {
                    Ok(()) => won += 1,
                    Err(StoreError::Conflict { found, .. }) => {
                        assert!(found >= seq || found < seq - 1)
                    }
                    Err(other) => panic!("{other}"),
                }
            }
            won
        }));
    }
    let mut won = 0;
    for task in tasks {
        won += task.await.unwrap();
    }
    let journal = store.journal(&id("a"), 0).await.unwrap();
    let seqs: Vec<u64> = journal.iter().map(|entry| entry.seq).collect();
    assert_eq!(seqs, (1..=won + 1).collect::<Vec<u64>>());
    assert_eq!(won, 5);
}

async fn a_writer_that_knows_an_old_end_is_told_where_the_journal_ends(store: AnyStore) {
    accept(&store, head("a")).await;
    let at = |seq| Head { seq, ..head("a") };
    store
        .append(Append::new(&[entry(2)], &at(2)))
        .await
        .unwrap();
    for (entries, seq, expected) in [
        (vec![entry(2)], 2, 1),
        (vec![entry(4)], 4, 3),
        (vec![], 1, 1),
        (vec![entry(1), entry(2)], 2, 0),
    ] {
        let error = store
            .append(Append::new(&entries, &at(seq)))
            .await
            .unwrap_err();
        let told = format!("the journal of execution `a` has 2 entries; expected {expected}");
        assert_eq!(error.to_string(), told);
        assert!(matches!(error, StoreError::Conflict { .. }));
    }
    assert_eq!(store.head(&id("a")).await.unwrap(), Some(at(2)));
    assert_eq!(store.journal(&id("a"), 0).await.unwrap().len(), 2);
}

async fn entries_with_a_hole_are_refused_and_nothing_is_kept(store: AnyStore) {
    accept(&store, head("a")).await;
    let at = |seq| Head { seq, ..head("a") };
    for (entries, seq) in [
        (vec![entry(2), entry(4)], 3),
        (vec![entry(2)], 3),
        (vec![entry(3), entry(2)], 3),
        (vec![entry(1), entry(2)], 1),
    ] {
        let error = store
            .append(Append::new(&entries, &at(seq)))
            .await
            .unwrap_err();
        assert!(matches!(error, StoreError::Broken { .. }), "{error:?}");
    }
    let mut second = new(head("b"));
    second.first.seq = 2;
    let error = store.accept(&second).await.unwrap_err();
    assert!(matches!(error, StoreError::Broken { .. }), "{error:?}");
    assert_eq!(store.head(&id("b")).await.unwrap(), None);
    assert_eq!(store.head(&id("a")).await.unwrap(), Some(head("a")));
}

async fn a_head_is_kept_to_the_last_field(store: AnyStore) {
    accept(&store, head("a")).await;
    let verdicts = [
        Verdict::Pass,
        Verdict::Marginal,
        Verdict::Fail,
        Verdict::Inconclusive,
    ];
    for (seq, verdict) in (2..).zip(verdicts) {
        let full = Head {
            id: id("a"),
            kind: "analysis".to_owned(),
            application: "it's – ü".to_owned(),
            status: "terminal".to_owned(),
            seq,
            created_ms: -5,
            updated_ms: i64::MAX,
            ended_ms: Some(7),
            due_ms: Some(i64::MIN),
            verdict: Some(verdict),
            score: Some(100.0 / 3.0),
            config_name: "checkout".to_owned(),
            sentence: "Failed: `latency` is High\n".to_owned(),
        };
        store
            .append(Append::new(&[entry(seq)], &full))
            .await
            .unwrap();
        assert_eq!(store.head(&id("a")).await.unwrap(), Some(full));
    }
}

async fn what_is_unknown_is_none_or_refused(store: AnyStore) {
    assert_eq!(store.head(&id("a")).await.unwrap(), None);
    assert!(store.journal(&id("a"), 0).await.unwrap().is_empty());
    let at = Head {
        seq: 2,
        ..head("a")
    };
    let error = store
        .append(Append::new(&[entry(2)], &at))
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "there is no execution `a`");
    assert!(store.count_by_status().await.unwrap().is_empty());
    assert_eq!(store.next_due_ms().await.unwrap(), None);
    assert!(super::forget(&*store, i64::MAX, 10).await.is_empty());
}

async fn forgetting_takes_what_ended_longest_ago_with_all_that_belongs_to_it(store: AnyStore) {
    for (text, ended_ms) in [("a", 300), ("b", 100), ("c", 200), ("d", 200)] {
        let head = ended(head(text), ended_ms);
        store.accept(&keyed(head, text, "f")).await.unwrap();
    }
    store.accept(&keyed(head("e"), "e", "f")).await.unwrap();
    let ids = |heads: Vec<Head>| -> Vec<String> {
        heads.iter().map(|head| head.id.to_string()).collect()
    };
    let gone = super::forget(&*store, 300, 2).await;
    assert_eq!(gone[0], ended(head("b"), 100));
    assert_eq!(ids(gone), ["b", "c"]);
    assert_eq!(ids(super::forget(&*store, 300, 2).await), ["d"]);
    assert!(super::forget(&*store, 300, 2).await.is_empty());
    // What has not ended is not forgotten, whoever asks.
    assert!(
        store
            .forget(&[id("e"), id("unknown")])
            .await
            .unwrap()
            .is_empty()
    );
    assert!(store.head(&id("e")).await.unwrap().is_some());
    assert_eq!(ids(store.expired(301, 0, 9).await.unwrap()), ["a"]);
    assert!(store.expired(301, 1, 9).await.unwrap().is_empty());
    assert_eq!(store.head(&id("b")).await.unwrap(), None);
    assert!(store.journal(&id("b"), 0).await.unwrap().is_empty());
    let lease = store.claim("w", 1_000, 2_000, 10).await.unwrap();
    assert_eq!(lease.len(), 1);
    // Its key starts something new; the key of one that is kept does not.
    let again = store.accept(&keyed(head("b"), "b", "g")).await.unwrap();
    assert_eq!(again, Accepted::New);
    assert_eq!(store.journal(&id("b"), 0).await.unwrap(), [entry(1)]);
    let kept = store.accept(&keyed(head("f"), "a", "f")).await.unwrap();
    assert_eq!(kept, Accepted::Before(id("a")));
    let counts = store.count_by_status().await.unwrap();
    assert_eq!(
        counts,
        [("running".to_owned(), 2), ("succeeded".to_owned(), 1)]
    );
}
