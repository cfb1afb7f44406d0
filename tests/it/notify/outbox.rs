//! What is due is sent until it is taken, refused or too old.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use coalmine::clock::{Clock as _, VirtualClock};
use coalmine::model::ids::ExecutionId;
use coalmine::notify::outbox::{Outbox, Pass, Settings};
use coalmine::notify::{Channel, Parcel, Undelivered};
use coalmine::store::memory::MemoryStore;
use coalmine::store::{
    Append, Entry, Head, Message, MessageStanding, MessageState, NewExecution, Store,
};
use tokio_util::sync::CancellationToken;

use super::NOW;

const HOUR: i64 = 3_600_000;

/// Answers in turn, the last answer for ever; remembers what was sent.
#[derive(Debug, Default)]
struct Scripted {
    answers: Mutex<Vec<Undelivered>>,
    sent: Mutex<Vec<String>>,
    running: AtomicUsize,
    most: AtomicUsize,
    /// How many tries never come to an end.
    hanging: AtomicUsize,
}

#[async_trait]
impl Channel for Scripted {
    async fn send(&self, parcel: Parcel<'_>) -> Result<(), Undelivered> {
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(running, Ordering::SeqCst);
        self.sent.lock().unwrap().push(parcel.key.to_owned());
        for _ in 0..5 {
            tokio::task::yield_now().await;
        }
        let less = |left: usize| left.checked_sub(1);
        let order = Ordering::SeqCst;
        if self.hanging.fetch_update(order, order, less).is_ok() {
            std::future::pending::<()>().await;
        }
        self.running.fetch_sub(1, Ordering::SeqCst);
        let mut answers = self.answers.lock().unwrap();
        if answers.len() > 1 {
            return Err(answers.remove(0));
        }
        answers.first().cloned().map_or(Ok(()), Err)
    }
}

struct Bed {
    store: Arc<dyn Store>,
    clock: Arc<VirtualClock>,
    way: Arc<Scripted>,
}

fn head() -> Head {
    Head {
        id: ExecutionId::new("r-1"),
        kind: "release".to_owned(),
        application: "search".to_owned(),
        status: "running".to_owned(),
        seq: 1,
        created_ms: NOW,
        updated_ms: NOW,
        ended_ms: None,
        due_ms: None,
        verdict: None,
        score: None,
        config_name: String::new(),
        sentence: String::new(),
    }
}

impl Bed {
    /// So many messages are due, and the channel `hook` answers so.
    async fn new(messages: usize, answers: Vec<Undelivered>) -> Self {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let first = Entry {
            seq: 1,
            at_ms: NOW,
            body: "{}".to_owned(),
        };
        let new = NewExecution {
            head: head(),
            first,
            idempotency: None,
        };
        store.accept(&new).await.unwrap();
        let told: Vec<Message> = (0..messages)
            .map(|number| Message {
                key: format!("k{number:03}"),
                execution: ExecutionId::new("r-1"),
                channel: "hook".to_owned(),
                body: "{}".to_owned(),
                created_ms: NOW,
            })
            .collect();
        let known = head();
        let append = Append {
            messages: &told,
            ..Append::new(&[], &known)
        };
        store.append(append).await.unwrap();
        Self {
            store,
            clock: Arc::new(VirtualClock::new(NOW)),
            way: Arc::new(Scripted {
                answers: Mutex::new(answers),
                ..Scripted::default()
            }),
        }
    }

    fn outbox(&self, settings: Settings) -> Outbox {
        self.outbox_named("hook", settings)
    }

    fn outbox_named(&self, name: &str, settings: Settings) -> Outbox {
        let way: Arc<dyn Channel> = self.way.clone();
        let channels = BTreeMap::from([(name.to_owned(), way)]);
        Outbox::new(self.store.clone(), channels, self.clock.clone(), settings)
    }

    async fn pass(&self) -> Pass {
        let outbox = self.outbox(Settings::default());
        outbox.deliver_due().await.unwrap()
    }

    async fn messages(&self) -> Vec<MessageState> {
        let execution = ExecutionId::new("r-1");
        self.store.messages(&execution).await.unwrap()
    }

    fn sent(&self) -> Vec<String> {
        self.way.sent.lock().unwrap().clone()
    }
}

fn again(why: &str, after: Option<Duration>) -> Undelivered {
    let why = why.to_owned();
    Undelivered::Again { why, after }
}

fn due_ms(state: &MessageState) -> i64 {
    match state.standing {
        MessageStanding::Waiting { due_ms } => due_ms,
        other @ (MessageStanding::Delivered { .. } | MessageStanding::GivenUp { .. }) => {
            panic!("{other:?}")
        }
    }
}

#[tokio::test]
async fn every_message_is_sent_once_and_then_rests() {
    let bed = Bed::new(150, Vec::new()).await;
    let expected = Pass {
        delivered: 150,
        ..Pass::default()
    };
    assert_eq!(bed.pass().await, expected);
    bed.clock.pass(24 * HOUR);
    assert_eq!(bed.pass().await, Pass::default());
    let mut sent = bed.sent();
    sent.sort();
    sent.dedup();
    assert_eq!((sent.len(), bed.sent().len()), (150, 150));
    let delivered = MessageStanding::Delivered { at_ms: NOW };
    assert!(
        bed.messages()
            .await
            .iter()
            .all(|it| it.standing == delivered)
    );
}

#[tokio::test]
async fn what_fails_is_tried_again_after_ever_longer_pauses() {
    let bed = Bed::new(1, vec![again("503", None)]).await;
    let mut pauses = Vec::new();
    for attempt in 0..12 {
        let now_ms = bed.clock.now_ms();
        assert_eq!(bed.pass().await.failed, 1, "attempt {attempt}");
        assert_eq!(bed.pass().await, Pass::default(), "it is not due yet");
        let state = bed.messages().await.remove(0);
        assert_eq!((state.attempts, state.error.as_str()), (attempt + 1, "503"));
        pauses.push(due_ms(&state) - now_ms);
        bed.clock.set(due_ms(&state));
    }
    let mut most = 5_000;
    for pause in &pauses {
        assert!(
            (most * 8 / 10..=most * 12 / 10).contains(pause),
            "{most}: {pauses:?}"
        );
        most = (most * 2).min(HOUR);
    }
    let even = pauses.iter().filter(|pause| *pause % 1_000 == 0).count();
    assert!(even < 6, "no chance in {pauses:?}");
    bed.way.answers.lock().unwrap().clear();
    assert_eq!(bed.pass().await.delivered, 1);
    assert_eq!(bed.sent().len(), 13);
}

#[tokio::test]
async fn a_wish_to_wait_is_respected_within_reason() {
    for (wish, least_ms, most_ms) in [
        (600, 600_000, 600_000),
        (1, 4_000, 6_000),
        (9_999_999, 6 * HOUR, 6 * HOUR),
    ] {
        let wish = Duration::from_secs(wish);
        let bed = Bed::new(1, vec![again("429", Some(wish))]).await;
        assert_eq!(bed.pass().await.failed, 1);
        let pause = due_ms(&bed.messages().await[0]) - NOW;
        assert!((least_ms..=most_ms).contains(&pause), "{wish:?}: {pause}");
    }
}

#[tokio::test]
async fn what_is_refused_is_given_up_and_the_reason_is_kept() {
    let why = "HTTP 410 Gone".to_owned();
    let bed = Bed::new(1, vec![Undelivered::Never { why }]).await;
    assert_eq!(bed.pass().await.given_up, 1);
    let state = bed.messages().await.remove(0);
    assert_eq!(state.standing, MessageStanding::GivenUp { at_ms: NOW });
    assert_eq!(state.error, "HTTP 410 Gone");
    bed.clock.pass(24 * HOUR);
    assert_eq!(bed.pass().await, Pass::default());
}

#[tokio::test]
async fn what_fails_for_three_days_is_given_up() {
    let bed = Bed::new(1, vec![again("503", None)]).await;
    bed.clock.pass(72 * HOUR - 1);
    assert_eq!(bed.pass().await.failed, 1);
    bed.clock.pass(HOUR);
    assert_eq!(bed.pass().await.given_up, 1);
    let state = bed.messages().await.remove(0);
    assert_eq!(state.error, "503; it is too old to be tried again");
    // One that is taken is taken, however old it is.
    let bed = Bed::new(1, Vec::new()).await;
    bed.clock.pass(100 * HOUR);
    assert_eq!(bed.pass().await.delivered, 1);
}

#[tokio::test]
async fn a_message_waits_for_a_channel_that_left_the_config() {
    let bed = Bed::new(1, Vec::new()).await;
    let outbox = bed.outbox_named("other", Settings::default());
    assert_eq!(outbox.deliver_due().await.unwrap().failed, 1);
    let state = bed.messages().await.remove(0);
    assert_eq!(state.error, "the config has no channel `hook`");
    bed.clock.set(due_ms(&state));
    assert_eq!(bed.pass().await.delivered, 1);
    assert_eq!(bed.sent(), ["k000"]);
}

#[tokio::test]
async fn no_more_are_in_flight_than_allowed() {
    for in_flight in [1, 3] {
        let bed = Bed::new(20, Vec::new()).await;
        let settings = Settings {
            in_flight,
            ..Settings::default()
        };
        let pass = bed.outbox(settings).deliver_due().await.unwrap();
        assert_eq!(pass.delivered, 20);
        assert_eq!(bed.way.most.load(Ordering::SeqCst), in_flight);
    }
}

#[tokio::test]
async fn what_was_under_way_at_a_crash_is_sent_again_under_the_same_key() {
    let bed = Bed::new(1, Vec::new()).await;
    bed.way.hanging.store(1, Ordering::SeqCst);
    let outbox = bed.outbox(Settings::default());
    let mut pass = Box::pin(outbox.deliver_due());
    while bed.way.hanging.load(Ordering::SeqCst) > 0 {
        tokio::select! {
            biased;
            _ = &mut pass => panic!("it hangs"),
            () = tokio::task::yield_now() => {}
        }
    }
    drop(pass);
    assert_eq!(bed.pass().await.delivered, 1);
    assert_eq!(bed.sent(), ["k000", "k000"]);
    assert_eq!(bed.messages().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_outbox_runs_until_it_is_told_to_stop() {
    let bed = Bed::new(2, vec![again("503", None)]).await;
    let stop = CancellationToken::new();
    let outbox = bed.outbox(Settings::default());
    let running = {
        let stop = stop.clone();
        tokio::spawn(async move { outbox.run(stop).await })
    };
    let rounds = async {
        while bed.sent().len() < 6 {
            bed.clock.pass(1_000);
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        bed.way.answers.lock().unwrap().clear();
        while due(&bed).await > 0 {
            bed.clock.pass(1_000);
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    let most = Duration::from_secs(600);
    tokio::time::timeout(most, rounds).await.unwrap();
    stop.cancel();
    tokio::time::timeout(most, running).await.unwrap().unwrap();
}

async fn due(bed: &Bed) -> usize {
    let due = bed.store.messages_due(i64::MAX, 9).await.unwrap();
    due.len()
}

#[tokio::test(start_paused = true)]
async fn the_last_pass_has_a_bound_and_tells_what_is_left() {
    let bed = Bed::new(3, Vec::new()).await;
    let outbox = bed.outbox(Settings::default());
    let longest = Duration::from_secs(10);
    assert_eq!(outbox.drain(longest).await, None);
    assert_eq!(bed.sent().len(), 3);
    let bed = Bed::new(3, Vec::new()).await;
    bed.way.hanging.store(1, Ordering::SeqCst);
    let began = tokio::time::Instant::now();
    let told = bed.outbox(Settings::default()).drain(longest).await;
    assert_eq!(began.elapsed(), longest);
    assert_eq!(
        told.as_deref(),
        Some("1 message is not delivered: `hook` was not told")
    );
    let bed = Bed::new(2, vec![again("busy", None)]).await;
    let told = bed.outbox(Settings::default()).drain(longest).await;
    assert_eq!(
        told.as_deref(),
        Some("2 messages are not delivered: `hook` was not told")
    );
}
