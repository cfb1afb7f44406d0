//! What every store promises, told once and checked on each of them.

mod data_dir;
mod documents;
mod executions;
mod kills;
mod leases;
mod lists;
mod locks;
mod outbox;
mod same_answers;
mod sqlite;

use std::sync::Arc;

use coalmine::model::ids::ExecutionId;
use coalmine::store::memory::MemoryStore;
use coalmine::store::sqlite::SqliteStore;
use coalmine::store::{Entry, Head, IdempotencyKey, NewExecution, Store};
use tempfile::TempDir;

/// Makes a test of each story for each store.
macro_rules! for_every_store {
    ($($story:ident),+ $(,)?) => {
        mod memory {
            $(
                #[tokio::test]
                async fn $story() {
                    super::$story(crate::store_contract::memory()).await;
                }
            )+
        }

        mod sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $story() {
                    let folder = tempfile::tempdir().unwrap();
                    super::$story(crate::store_contract::in_a_file(&folder).await).await;
                }
            )+
        }
    };
}
use for_every_store;

fn memory() -> Arc<dyn Store> {
    Arc::new(MemoryStore::new())
}

async fn in_a_file(folder: &TempDir) -> Arc<dyn Store> {
    let path = folder.path().join("coalmine.db");
    Arc::new(SqliteStore::open(&path).await.unwrap())
}

fn id(text: &str) -> ExecutionId {
    ExecutionId::new(text)
}

fn entry(seq: u64) -> Entry {
    Entry {
        seq,
        at_ms: 1_000 + i64::try_from(seq).unwrap(),
        body: format!("{{\"event\":{seq},\"quote\":\"it's \\\"ok\\\" – ü\"}}"),
    }
}

/// An execution of `shop` that has one entry and is due at 1,000.
fn head(text: &str) -> Head {
    Head {
        id: id(text),
        kind: "canary".to_owned(),
        application: "shop".to_owned(),
        status: "running".to_owned(),
        seq: 1,
        created_ms: 1_000,
        updated_ms: 1_001,
        ended_ms: None,
        due_ms: Some(1_000),
        verdict: None,
        score: None,
        config_name: String::new(),
        sentence: "Waits for the first interval".to_owned(),
    }
}

fn ended(head: Head, ended_ms: i64) -> Head {
    Head {
        status: "succeeded".to_owned(),
        ended_ms: Some(ended_ms),
        due_ms: None,
        ..head
    }
}

fn new(head: Head) -> NewExecution {
    NewExecution {
        first: entry(1),
        head,
        idempotency: None,
    }
}

fn keyed(head: Head, key: &str, fingerprint: &str) -> NewExecution {
    NewExecution {
        idempotency: Some(IdempotencyKey {
            key: key.to_owned(),
            fingerprint: fingerprint.to_owned(),
        }),
        ..new(head)
    }
}

async fn accept(store: &Arc<dyn Store>, head: Head) {
    store.accept(&new(head)).await.unwrap();
}

/// Forgets at most `most` executions that ended before `before_ms`, oldest first.
async fn forget(store: &dyn Store, before_ms: i64, most: u64) -> Vec<Head> {
    let expired = store.expired(before_ms, 0, most).await.unwrap();
    let ids: Vec<ExecutionId> = expired.iter().map(|head| head.id.clone()).collect();
    let gone = store.forget(&ids).await.unwrap();
    assert_eq!(gone, expired, "what is told beforehand is what goes");
    gone
}
