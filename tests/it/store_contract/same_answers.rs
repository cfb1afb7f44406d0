//! Whatever is asked in whatever order, the store in memory and the one in a file answer the same.

use std::sync::Arc;

use coalmine::store::memory::MemoryStore;
use coalmine::store::sqlite::SqliteStore;
use coalmine::store::{
    Append, Document, DocumentKind, Entry, Head, HeadFilter, IdempotencyKey, Lease, LockAnswer,
    Message, NewExecution, PutRule, Store,
};
use proptest::prelude::*;

use super::{entry, head, id};

const STATUSES: [&str; 3] = ["running", "succeeded", "terminal"];
const KINDS: [&str; 2] = ["canary", "analysis"];
const APPLICATIONS: [&str; 2] = ["shop", "pay"];

/// One call; numbers are small, so that calls meet each other.
#[derive(Debug, Clone)]
enum Call {
    Accept(HeadSeed, Option<(u8, u8)>),
    /// With the last lease but so many, if any; so many entries; so far off is what the writer knows of the journal; with the
    /// last lock but so many, if any; with messages, by key and time.
    Append(HeadSeed, Option<u8>, u8, i8, Option<u8>, Vec<(u8, i64)>),
    Lock(u8, u8, bool),
    Unlock(u8),
    Due(i64, u64),
    /// What became of a message: delivered, failed or given up, at a time.
    Tried(u8, u8, i64),
    Claim(u8, i64, i64, u64),
    Renew(u8, i64),
    Release(u8),
    ReleaseAll,
    Forget(i64, u64),
    Heads(Option<usize>, Vec<usize>, Vec<usize>, u64, u64),
    Put(u8, u8, Vec<usize>, bool, bool),
    Documents(Vec<usize>),
    Delete(u8),
}

#[derive(Debug, Clone)]
struct HeadSeed {
    id: u8,
    kind: usize,
    application: usize,
    status: usize,
    created_ms: i64,
    due_ms: Option<i64>,
    ended_ms: Option<i64>,
}

impl HeadSeed {
    fn head(&self, seq: u64) -> Head {
        Head {
            kind: KINDS[self.kind].to_owned(),
            application: APPLICATIONS[self.application].to_owned(),
            status: STATUSES[self.status].to_owned(),
            seq,
            created_ms: self.created_ms,
            due_ms: self.due_ms,
            ended_ms: self.ended_ms,
            ..head(&format!("e{}", self.id))
        }
    }
}

fn seed() -> impl Strategy<Value = HeadSeed> {
    let maybe = || prop::option::of(0_i64..5);
    (
        0_u8..5,
        0_usize..2,
        0_usize..2,
        0_usize..3,
        0_i64..4,
        maybe(),
        maybe(),
    )
        .prop_map(
            |(id, kind, application, status, created_ms, due_ms, ended_ms)| HeadSeed {
                id,
                kind,
                application,
                status,
                created_ms,
                due_ms,
                ended_ms,
            },
        )
}

fn call() -> impl Strategy<Value = Call> {
    let key = prop::option::of((0_u8..3, 0_u8..2));
    let lease = prop::option::of(0_u8..4);
    let some = |count: usize| prop::collection::vec(0..count, 0..3);
    prop_oneof![
        4 => (seed(), key).prop_map(|(seed, key)| Call::Accept(seed, key)),
        7 => (
            seed(),
            lease,
            0_u8..3,
            prop_oneof![3 => Just(0_i8), 1 => -1_i8..=1],
            prop::option::of(0_u8..3),
            prop::collection::vec((0_u8..6, 0_i64..5), 0..3),
        )
            .prop_map(|(seed, lease, count, off, lock, told)| {
                Call::Append(seed, lease, count, off, lock, told)
            }),
        4 => (0_u8..3, 0_u8..5, any::<bool>())
            .prop_map(|(name, owner, preempt)| Call::Lock(name, owner, preempt)),
        1 => (0_u8..5).prop_map(Call::Unlock),
        1 => (0_i64..6, 0_u64..4).prop_map(|(now, most)| Call::Due(now, most)),
        3 => (0_u8..6, 0_u8..3, 0_i64..6).prop_map(|(key, what, at)| Call::Tried(key, what, at)),
        4 => (0_u8..2, 0_i64..6, 0_i64..8, 0_u64..3)
            .prop_map(|(worker, now, until, most)| Call::Claim(worker, now, until, most)),
        1 => (0_u8..4, 0_i64..8).prop_map(|(lease, until)| Call::Renew(lease, until)),
        1 => (0_u8..4).prop_map(Call::Release),
        1 => Just(Call::ReleaseAll),
        1 => (0_i64..6, 0_u64..3).prop_map(|(before, most)| Call::Forget(before, most)),
        3 => (prop::option::of(0_usize..2), some(3), some(2), 0_u64..3, 0_u64..6)
            .prop_map(|(app, statuses, kinds, skip, most)| Call::Heads(app, statuses, kinds, skip, most)),
        3 => (0_u8..4, 0_u8..3, some(2), any::<bool>(), any::<bool>())
            .prop_map(|(id, name, apps, create, config)| Call::Put(id, name, apps, create, config)),
        1 => some(2).prop_map(Call::Documents),
        1 => (0_u8..4).prop_map(Call::Delete),
    ]
}

fn words(places: &[usize], all: &[&str]) -> Vec<String> {
    places.iter().map(|place| all[*place].to_owned()).collect()
}

fn lease_at(leases: &[Lease], place: u8) -> Lease {
    let none = Lease {
        id: id("e0"),
        worker: "w0".to_owned(),
        fencing: 0,
        until_ms: 0,
    };
    let back = leases.iter().rev().nth(usize::from(place));
    back.cloned().unwrap_or(none)
}

/// What one store has given.
#[derive(Default)]
struct Given {
    leases: Vec<Lease>,
    /// Each with its owner.
    locks: Vec<(u8, String, u64)>,
}

/// The answer in words.
async fn answer(store: &Arc<dyn Store>, call: &Call, given: &mut Given) -> String {
    let Given { leases, locks } = given;
    match call {
        Call::Accept(seed, key) => {
            let idempotency = key.map(|(key, fingerprint)| IdempotencyKey {
                key: key.to_string(),
                fingerprint: fingerprint.to_string(),
            });
            let new = NewExecution {
                head: seed.head(1),
                first: entry(1),
                idempotency,
            };
            format!("{:?}", store.accept(&new).await)
        }
        Call::Append(seed, lease, count, off, lock, told) => {
            let lease = lease.map(|place| lease_at(leases, place));
            let mut seed = seed.clone();
            if let Some(number) = lease
                .as_ref()
                .and_then(|it| it.id.as_str()[1..].parse().ok())
            {
                seed.id = number;
            }
            let lock = lock.and_then(|place| locks.iter().rev().nth(usize::from(place)));
            if let (None, Some((owner, ..))) = (&lease, lock) {
                seed.id = *owner;
            }
            let there = store.head(&seed.head(1).id).await.unwrap();
            let known = there.map_or(1, |head| head.seq);
            let known = known.saturating_add_signed(i64::from(*off));
            let seq = known + u64::from(*count);
            let entries: Vec<Entry> = (known + 1..=seq).map(entry).collect();
            let head = seed.head(seq);
            let locks: Vec<(String, u64)> = lock
                .map(|(_, name, fencing)| (name.clone(), *fencing))
                .into_iter()
                .collect();
            let told: Vec<Message> = told
                .iter()
                .map(|(key, created_ms)| Message {
                    key: key.to_string(),
                    execution: head.id.clone(),
                    channel: format!("c{key}"),
                    body: format!("{created_ms}"),
                    created_ms: *created_ms,
                })
                .collect();
            let append = Append {
                lease: lease.as_ref(),
                locks: &locks,
                messages: &told,
                ..Append::new(&entries, &head)
            };
            format!("{:?}", store.append(append).await)
        }
        Call::Lock(name, owner, preempt) => {
            let name = format!("l{name}");
            let answer = store.lock(&name, &id(&format!("e{owner}")), *preempt).await;
            if let Ok(LockAnswer::Taken { fencing }) = &answer {
                locks.push((*owner, name, *fencing));
            }
            format!("{answer:?}")
        }
        Call::Unlock(owner) => {
            format!("{:?}", store.unlock(&id(&format!("e{owner}"))).await)
        }
        Call::Due(now_ms, most) => format!("{:?}", store.messages_due(*now_ms, *most).await),
        Call::Tried(key, what, at_ms) => {
            let key = key.to_string();
            let told = match what {
                0 => store.message_delivered(&key, *at_ms).await,
                1 => store.message_failed(&key, *at_ms, "failed").await,
                _ => store.message_given_up(&key, *at_ms, "given up").await,
            };
            format!("{told:?}")
        }
        Call::Claim(worker, now_ms, until_ms, most) => {
            let worker = format!("w{worker}");
            let claimed = store.claim(&worker, *now_ms, *until_ms, *most).await;
            let text = format!("{claimed:?}");
            leases.extend(claimed.unwrap());
            text
        }
        Call::Renew(place, until_ms) => {
            let lease = lease_at(leases, *place);
            format!("{:?}", store.renew(&lease, *until_ms).await)
        }
        Call::Release(place) => {
            format!("{:?}", store.release(&lease_at(leases, *place)).await)
        }
        Call::ReleaseAll => format!("{:?}", store.release_all().await),
        Call::Forget(before_ms, most) => {
            let expired = store.expired(*before_ms, 0, *most).await.unwrap();
            let ids: Vec<_> = expired.iter().map(|head| head.id.clone()).collect();
            format!("{expired:?} {:?}", store.forget(&ids).await)
        }
        Call::Heads(application, statuses, kinds, skip, most) => {
            let filter = HeadFilter {
                application: application.map(|place| APPLICATIONS[place].to_owned()),
                statuses: words(statuses, &STATUSES),
                kinds: words(kinds, &KINDS),
                skip: *skip,
                most: *most,
            };
            format!("{:?}", store.heads(&filter).await)
        }
        Call::Put(number, name, applications, create, config) => {
            let kind = if *config {
                DocumentKind::CanaryConfig
            } else {
                DocumentKind::MetricSetList
            };
            let document = Document {
                kind,
                id: number.to_string(),
                name: ["", "n", "m"][usize::from(*name)].to_owned(),
                applications: words(applications, &APPLICATIONS),
                created_ms: 1,
                updated_ms: i64::from(*name),
                body: format!("{applications:?}"),
            };
            let rule = if *create {
                PutRule::Create
            } else {
                PutRule::Replace
            };
            format!("{:?}", store.put_document(&document, rule).await)
        }
        Call::Documents(applications) => {
            let applications = words(applications, &APPLICATIONS);
            let kind = DocumentKind::CanaryConfig;
            format!("{:?}", store.documents(kind, &applications).await)
        }
        Call::Delete(number) => {
            let kind = DocumentKind::CanaryConfig;
            format!(
                "{:?}",
                store.delete_document(kind, &number.to_string()).await
            )
        }
    }
}

/// Everything that can be read.
async fn all(store: &Arc<dyn Store>) -> String {
    let everything = HeadFilter {
        most: 100,
        ..HeadFilter::default()
    };
    let heads = store.heads(&everything).await.unwrap();
    let mut text = format!("{heads:?}");
    for head in heads {
        assert_eq!(store.head(&head.id).await.unwrap().as_ref(), Some(&head));
        text += &format!("{:?}", store.journal(&head.id, 0).await);
    }
    text += &format!("{:?}", store.count_by_status().await);
    text += &format!("{:?}", store.next_due_ms().await);
    for number in 0..5 {
        let execution = id(&format!("e{number}"));
        text += &format!("{:?}", store.messages(&execution).await);
        text += &format!("{:?}", store.lock_owner(&format!("l{number}")).await);
    }
    text += &format!("{:?}", store.messages_due(i64::MAX, 100).await);
    for kind in [DocumentKind::CanaryConfig, DocumentKind::MetricSetList] {
        for document in store.documents(kind, &[]).await.unwrap() {
            text += &format!("{:?}", store.document(kind, &document.id).await);
        }
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]
    #[test]
    fn any_sequence_of_calls_has_the_same_answers(calls in prop::collection::vec(call(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let folder = tempfile::tempdir().unwrap();
        runtime.block_on(async {
            let path = folder.path().join("coalmine.db");
            let in_file: Arc<dyn Store> = Arc::new(SqliteStore::open(&path).await.unwrap());
            let in_memory: Arc<dyn Store> = Arc::new(MemoryStore::new());
            let mut given = (Given::default(), Given::default());
            for call in &calls {
                let from_file = answer(&in_file, call, &mut given.0).await;
                let from_memory = answer(&in_memory, call, &mut given.1).await;
                prop_assert_eq!(from_file, from_memory, "{:?}", call);
            }
            prop_assert_eq!(all(&in_file).await, all(&in_memory).await);
            Ok(())
        })?;
    }
}
