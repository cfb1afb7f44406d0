//! What is to be told to the world.

use std::sync::Arc;

use coalmine::store::{
    Append, DueMessage, Head, Message, MessageStanding, MessageState, Store, StoreError,
};

use super::{accept, ended, entry, head, id};

super::for_every_store![
    a_message_is_kept_with_what_it_tells_or_not_at_all,
    the_same_key_is_one_message_whoever_puts_it_out_again,
    what_is_due_is_told_longest_due_first_until_it_is_settled,
    what_came_of_a_message_is_kept_and_never_changes_again,
    messages_of_an_execution_are_listed_oldest_first,
    settled_messages_are_forgotten_with_their_execution_and_others_once_they_are_settled,
    a_message_of_another_execution_is_refused,
];

type AnyStore = Arc<dyn Store>;

fn message(key: &str, created_ms: i64) -> Message {
    Message {
        key: key.to_owned(),
        execution: id("a"),
        channel: "on-call".to_owned(),
        body: format!("{{\"title\":\"it's – ü {key}\"}}"),
        created_ms,
    }
}

/// Puts messages of the execution `a` out, which has one entry and keeps it.
async fn put(store: &AnyStore, messages: &[Message]) {
    let known = store.head(&id("a")).await.unwrap().unwrap();
    let append = Append {
        messages,
        ..Append::new(&[], &known)
    };
    store.append(append).await.unwrap();
}

async fn due(store: &AnyStore, now_ms: i64, most: u64) -> Vec<(String, u64, i64)> {
    let due = store.messages_due(now_ms, most).await.unwrap();
    due.into_iter()
        .map(|due| (due.message.key, due.attempts, due.due_ms))
        .collect()
}

fn rows(rows: &[(&str, u64, i64)]) -> Vec<(String, u64, i64)> {
    rows.iter()
        .map(|(key, attempts, due_ms)| ((*key).to_owned(), *attempts, *due_ms))
        .collect()
}

async fn messages(store: &AnyStore) -> Vec<MessageState> {
    store.messages(&id("a")).await.unwrap()
}

async fn a_message_is_kept_with_what_it_tells_or_not_at_all(store: AnyStore) {
    accept(&store, head("a")).await;
    let told = [message("k", 5)];
    for (seq, is_kept) in [(3, false), (2, true)] {
        let next = Head { seq, ..head("a") };
        let entries = [entry(seq)];
        let append = Append {
            messages: &told,
            ..Append::new(&entries, &next)
        };
        assert_eq!(store.append(append).await.is_ok(), is_kept);
        assert_eq!(messages(&store).await.len(), usize::from(is_kept));
    }
    let expected = DueMessage {
        message: message("k", 5),
        attempts: 0,
        due_ms: 5,
    };
    assert_eq!(store.messages_due(5, 9).await.unwrap(), [expected]);
}

async fn the_same_key_is_one_message_whoever_puts_it_out_again(store: AnyStore) {
    accept(&store, head("a")).await;
    put(&store, &[message("k", 5), message("k", 6)]).await;
    let other = Message {
        body: "{}".to_owned(),
        channel: "other".to_owned(),
        ..message("k", 7)
    };
    put(&store, std::slice::from_ref(&other)).await;
    let expected = MessageState {
        message: message("k", 5),
        attempts: 0,
        standing: MessageStanding::Waiting { due_ms: 5 },
        error: String::new(),
    };
    assert_eq!(messages(&store).await, [expected]);
    store.message_delivered("k", 8).await.unwrap();
    put(&store, &[other]).await;
    assert!(due(&store, 99, 9).await.is_empty(), "it is not sent again");
    assert_eq!(messages(&store).await.len(), 1);
}

async fn what_is_due_is_told_longest_due_first_until_it_is_settled(store: AnyStore) {
    accept(&store, head("a")).await;
    let all = [("later", 8), ("c", 7), ("b", 7), ("old", 1)];
    let all = all.map(|(key, created_ms)| message(key, created_ms));
    put(&store, &all).await;
    let expected = rows(&[("old", 0, 1), ("b", 0, 7), ("c", 0, 7)]);
    assert_eq!(due(&store, 7, 9).await, expected);
    assert_eq!(due(&store, 7, 2).await, expected[..2]);
    assert!(due(&store, 7, 0).await.is_empty());
    store.message_failed("old", 8, "no answer").await.unwrap();
    store.message_delivered("b", 7).await.unwrap();
    store.message_given_up("c", 7, "gone").await.unwrap();
    assert!(due(&store, 7, 9).await.is_empty());
    let expected = rows(&[("later", 0, 8), ("old", 1, 8)]);
    assert_eq!(due(&store, 8, u64::MAX).await, expected);
}

async fn what_came_of_a_message_is_kept_and_never_changes_again(store: AnyStore) {
    accept(&store, head("a")).await;
    put(&store, &[message("in", 1), message("out", 2)]).await;
    for (key, next_ms) in [("in", 20), ("out", 30)] {
        let failed = store.message_failed(key, next_ms, "503").await;
        failed.unwrap();
    }
    let standing = |states: Vec<MessageState>| {
        let told = states.into_iter();
        told.map(|it| (it.attempts, it.standing, it.error))
            .collect::<Vec<_>>()
    };
    let waiting = |due_ms| (1, MessageStanding::Waiting { due_ms }, "503".to_owned());
    assert_eq!(standing(messages(&store).await), [waiting(20), waiting(30)]);
    store.message_delivered("in", 21).await.unwrap();
    store.message_given_up("out", 31, "410 Gone").await.unwrap();
    let settled = [
        (
            2,
            MessageStanding::Delivered { at_ms: 21 },
            "503".to_owned(),
        ),
        (
            2,
            MessageStanding::GivenUp { at_ms: 31 },
            "410 Gone".to_owned(),
        ),
    ];
    assert_eq!(standing(messages(&store).await), settled);
    // Another sender was slower; and one that nobody knows.
    for key in ["in", "out", "nobody"] {
        store.message_delivered(key, 99).await.unwrap();
        store.message_failed(key, 99, "late").await.unwrap();
        store.message_given_up(key, 99, "late").await.unwrap();
    }
    assert_eq!(standing(messages(&store).await), settled);
    assert!(due(&store, 999, 9).await.is_empty());
}

async fn messages_of_an_execution_are_listed_oldest_first(store: AnyStore) {
    accept(&store, head("a")).await;
    accept(&store, head("b")).await;
    let all = [("z", 3), ("y", 1), ("x", 3)];
    put(&store, &all.map(|(key, at_ms)| message(key, at_ms))).await;
    let keys: Vec<String> = messages(&store)
        .await
        .into_iter()
        .map(|state| state.message.key)
        .collect();
    assert_eq!(keys, ["y", "x", "z"]);
    assert!(store.messages(&id("b")).await.unwrap().is_empty());
}

async fn settled_messages_are_forgotten_with_their_execution_and_others_once_they_are_settled(
    store: AnyStore,
) {
    accept(&store, head("a")).await;
    let all = ["delivered", "given up", "late", "never"];
    put(&store, &all.map(|key| message(key, 1))).await;
    store.message_delivered("delivered", 2).await.unwrap();
    store.message_given_up("given up", 2, "no").await.unwrap();
    let over = ended(head("a"), 5);
    store.append(Append::new(&[], &over)).await.unwrap();
    assert_eq!(messages(&store).await.len(), 4, "ending alone forgets none");
    assert_eq!(super::forget(&*store, 6, 9).await, [over]);
    assert_eq!(
        due(&store, 9, 9).await,
        rows(&[("late", 0, 1), ("never", 0, 1)])
    );
    store.message_failed("late", 10, "503").await.unwrap();
    assert_eq!(messages(&store).await.len(), 2, "it still waits");
    store.message_delivered("late", 11).await.unwrap();
    store.message_given_up("never", 11, "no").await.unwrap();
    assert!(messages(&store).await.is_empty());
}

async fn a_message_of_another_execution_is_refused(store: AnyStore) {
    accept(&store, head("a")).await;
    accept(&store, head("b")).await;
    let (told, known) = ([message("k", 1)], head("b"));
    let append = Append {
        messages: &told,
        ..Append::new(&[], &known)
    };
    let error = store.append(append).await.unwrap_err();
    let StoreError::Broken { cause, .. } = &error else {
        panic!("{error:?}");
    };
    assert_eq!(
        cause.to_string(),
        "found the message `k` of execution `a`; expected one of `b`"
    );
    assert!(messages(&store).await.is_empty());
}
