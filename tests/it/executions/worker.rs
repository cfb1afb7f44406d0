//! The worker and the engine at work, on a clock that stands still unless the test moves it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use coalmine::analysis::task::{Analyst, Collected, Failure, Task};
use coalmine::archive::bundle::Bundle;
use coalmine::clock::VirtualClock;
use coalmine::executions::engine::{Engine, Ports};
use coalmine::executions::service::{CancelOutcome, Executions, Limits, StartError, Ulids};
use coalmine::executions::state::{State, Status, judgement_name};
use coalmine::executions::worker::{Worker, WorkerSettings};
use coalmine::model::ids::ExecutionId;
use coalmine::store::memory::MemoryStore;
use coalmine::store::{IdempotencyKey, StoreError};
use coalmine_judges::judgement::{Judgement, Verdict};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::faults::{Chance, FaultyArchive, FaultyStore};
use super::fixture::{BAD, GOOD, MINUTE, PlainAnalyst, T0, analysis, canary};

/// A service in this process, without HTTP.
struct Service {
    executions: Executions,
    clock: Arc<VirtualClock>,
    store: Arc<MemoryStore>,
    archive: Arc<FaultyArchive>,
    stop: CancellationToken,
    work: tokio::task::JoinHandle<()>,
}

impl Service {
    /// Ports that do not fail, and `analyst`.
    fn start(analyst: Arc<dyn Analyst>, limits: Limits) -> Self {
        let chance = Chance::new(0);
        chance.calm();
        let (clock, store) = (
            Arc::new(VirtualClock::new(T0)),
            Arc::<MemoryStore>::default(),
        );
        let archive = Arc::new(FaultyArchive::new(chance.clone()));
        let engine = Engine::new(Ports {
            headline: coalmine_reports::headline,
            store: Arc::new(FaultyStore {
                inner: Arc::clone(&store),
                chance,
            }),
            archive: Arc::clone(&archive) as _,
            observer: Arc::new(coalmine::analysis::task::NoAnalyst),
            drivers: coalmine::drivers::Drivers::default(),
            channels: Arc::from([]),
            analyst,
            clock: Arc::clone(&clock) as _,
        });
        let settings = WorkerSettings {
            name: "a".to_owned(),
            lease: Duration::from_secs(30),
            most: 4,
            look_every: Duration::from_secs(1),
        };
        let (worker, stop) = (
            Worker::new(engine.clone(), settings),
            CancellationToken::new(),
        );
        let token = stop.clone();
        let work = tokio::spawn(async move { worker.run(token).await });
        let executions = Executions::new(engine, Arc::new(Ulids), limits);
        Self {
            executions,
            clock,
            store,
            archive,
            stop,
            work,
        }
    }

    async fn state(&self, id: &ExecutionId) -> State {
        self.executions.find(id).await.unwrap().unwrap()
    }

    /// Waits for `condition`; virtual time passes meanwhile.
    async fn until(&self, id: &ExecutionId, condition: impl Fn(&State) -> bool) -> State {
        let reached = async {
            loop {
                let state = self.state(id).await;
                if condition(&state) {
                    return state;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        timeout(Duration::from_secs(3600), reached).await.unwrap()
    }

    async fn ended(&self, id: &ExecutionId) -> State {
        self.until(id, |state| state.end.is_some()).await
    }

    async fn shut_down(self) {
        self.stop.cancel();
        timeout(Duration::from_secs(60), self.work)
            .await
            .unwrap()
            .unwrap();
    }
}

/// Collects only once it is let.
#[derive(Debug, Default)]
struct Hanging {
    open: AtomicBool,
}

#[async_trait]
impl Analyst for Hanging {
    async fn collect(&self, task: &Task) -> Result<Collected, Vec<Failure>> {
        if !self.open.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        PlainAnalyst.collect(task).await
    }

    fn judge(&self, bundle: &Bundle) -> Result<Judgement, Failure> {
        PlainAnalyst.judge(bundle)
    }
}

/// Panics where it should judge.
#[derive(Debug)]
struct Panicking;

#[async_trait]
impl Analyst for Panicking {
    async fn collect(&self, task: &Task) -> Result<Collected, Vec<Failure>> {
        PlainAnalyst.collect(task).await
    }

    fn judge(&self, _: &Bundle) -> Result<Judgement, Failure> {
        panic!("a defect")
    }
}

#[tokio::test(start_paused = true)]
async fn a_canary_is_judged_kept_and_shown() {
    let service = Service::start(Arc::new(PlainAnalyst), Limits::default());
    let id = service
        .executions
        .start(canary(BAD), None)
        .await
        .unwrap()
        .id;
    let state = service.ended(&id).await;
    assert_eq!(state.status(), Status::Succeeded);
    let saved = service.executions.saved(&id, 1).await.unwrap().unwrap();
    assert_eq!(saved.judgement.verdict, Verdict::Fail);
    assert_eq!(
        Some(saved.bundle_id.as_str()),
        state.analyses().next().unwrap().1.bundle_id()
    );
    assert!(service.executions.saved(&id, 2).await.unwrap().is_none());
    service.shut_down().await;
}

#[tokio::test(start_paused = true)]
async fn an_analysis_waits_for_each_interval() {
    let service = Service::start(Arc::new(PlainAnalyst), Limits::default());
    let id = service
        .executions
        .start(analysis(GOOD, T0, 3), None)
        .await
        .unwrap()
        .id;
    for judged in 0..3_usize {
        let made = |state: &State| {
            state
                .analyses()
                .filter(|(_, at)| at.outcome().is_some())
                .count()
        };
        let state = service.until(&id, |state| made(state) == judged).await;
        assert!(!state.status().is_complete());
        service.clock.pass(5 * MINUTE);
    }
    assert_eq!(service.ended(&id).await.status(), Status::Succeeded);
    service.shut_down().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_being_fetched_is_dropped_when_it_is_called_off() {
    let service = Service::start(Arc::new(Hanging::default()), Limits::default());
    let id = service
        .executions
        .start(canary(GOOD), None)
        .await
        .unwrap()
        .id;
    service
        .until(&id, |state| state.status() == Status::Running)
        .await;
    let outcome = service
        .executions
        .cancel(&id, "ann", "wrong version")
        .await
        .unwrap();
    assert_eq!(outcome, CancelOutcome::Requested);
    let state = service.ended(&id).await;
    assert_eq!(state.status(), Status::Canceled);
    assert_eq!(state.sentence(), "called off by ann: wrong version");
    let again = service.executions.cancel(&id, "ann", "").await.unwrap();
    assert_eq!(again, CancelOutcome::NothingToDo);
    assert!(service.archive.judgements.lock().unwrap().is_empty());
    service.shut_down().await;
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_in_the_middle_of_fetching_loses_nothing() {
    let analyst = Arc::new(Hanging::default());
    let service = Service::start(Arc::clone(&analyst) as _, Limits::default());
    let id = service
        .executions
        .start(canary(GOOD), None)
        .await
        .unwrap()
        .id;
    service
        .until(&id, |state| state.status() == Status::Running)
        .await;
    let (executions, store) = (service.executions.clone(), Arc::clone(&service.store));
    service.shut_down().await;
    analyst.open.store(true, Ordering::SeqCst);
    // The lease was given back: the next worker need not wait for its end.
    use coalmine::store::Store;
    let leases = store.claim("b", T0, T0 + 30_000, 5).await.unwrap();
    assert_eq!(leases.len(), 1);
    store.release(&leases[0]).await.unwrap();
    let settings = WorkerSettings {
        name: "b".to_owned(),
        lease: Duration::from_secs(30),
        most: 4,
        look_every: Duration::from_secs(1),
    };
    let (stop, engine) = (CancellationToken::new(), executions.engine().clone());
    let token = stop.clone();
    let work = tokio::spawn(async move { Worker::new(engine, settings).run(token).await });
    let ended = async {
        while executions.find(&id).await.unwrap().unwrap().end.is_none() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(Duration::from_secs(60), ended).await.unwrap();
    stop.cancel();
    work.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_archive_that_stays_full_waits_for_a_person_who_can_go_on() {
    let service = Service::start(Arc::new(PlainAnalyst), Limits::default());
    service.archive.fill(true);
    let id = service
        .executions
        .start(canary(GOOD), None)
        .await
        .unwrap()
        .id;
    let state = service.until(&id, |state| state.stuck.is_some()).await;
    assert_eq!(state.status(), Status::Suspended);
    assert!(
        state.sentence().contains("the archive is out of reach"),
        "{}",
        state.sentence()
    );
    assert!(
        state.sentence().contains("simulated"),
        "the cause is told: {}",
        state.sentence()
    );
    let unknown = service
        .executions
        .resume(&ExecutionId::new("E"), "ann")
        .await;
    assert!(unknown.is_err());
    service.archive.fill(false);
    assert!(service.executions.resume(&id, "ann").await.unwrap());
    assert!(!service.executions.resume(&id, "ann").await.unwrap());
    assert_eq!(service.ended(&id).await.status(), Status::Succeeded);
    service.shut_down().await;
}

#[tokio::test(start_paused = true)]
async fn a_judge_that_panics_is_a_failure_of_one_execution() {
    let service = Service::start(Arc::new(Panicking), Limits::default());
    let id = service
        .executions
        .start(canary(GOOD), None)
        .await
        .unwrap()
        .id;
    let state = service.ended(&id).await;
    assert_eq!(state.status(), Status::Terminal);
    assert!(
        state.sentence().starts_with("no verdict: the judge ended"),
        "{}",
        state.sentence()
    );
    service.shut_down().await;
}

#[tokio::test(start_paused = true)]
async fn the_same_request_twice_is_one_execution() {
    let service = Service::start(Arc::new(PlainAnalyst), Limits::default());
    let key = |fingerprint: &str| {
        Some(IdempotencyKey {
            key: "k".to_owned(),
            fingerprint: fingerprint.to_owned(),
        })
    };
    let first = service
        .executions
        .start(canary(GOOD), key("f"))
        .await
        .unwrap();
    let second = service
        .executions
        .start(canary(GOOD), key("f"))
        .await
        .unwrap();
    assert_eq!((second.id, second.before), (first.id, true));
    let other = service
        .executions
        .start(canary(BAD), key("g"))
        .await
        .unwrap_err();
    assert!(
        matches!(other, StartError::Store(StoreError::KeyReused(_))),
        "{other}"
    );
    service.shut_down().await;
}

#[tokio::test(start_paused = true)]
async fn more_than_may_run_at_once_is_refused() {
    let limits = Limits { most_unfinished: 2 };
    let service = Service::start(Arc::new(Hanging::default()), limits);
    for _ in 0..2 {
        service.executions.start(canary(GOOD), None).await.unwrap();
    }
    let refused = service
        .executions
        .start(canary(GOOD), None)
        .await
        .unwrap_err();
    assert_eq!(
        refused.to_string(),
        "2 executions have not ended; at most 2 may run at once"
    );
    service.shut_down().await;
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_turned_back_holds_nothing_up() {
    let service = Service::start(Arc::new(PlainAnalyst), Limits::default());
    service.clock.pass(-600 * MINUTE);
    let id = service
        .executions
        .start(canary(GOOD), None)
        .await
        .unwrap()
        .id;
    service.clock.pass(-600 * MINUTE);
    assert_eq!(service.ended(&id).await.status(), Status::Succeeded);
    service.shut_down().await;
}

#[tokio::test(start_paused = true)]
async fn what_ended_long_ago_is_forgotten_with_everything_that_nothing_else_needs() {
    use coalmine::executions::retention::Retention;
    let service = Service::start(Arc::new(PlainAnalyst), Limits::default());
    let start = async |request| service.executions.start(request, None).await.unwrap().id;
    // Both have the same series, so the same bundle.
    let (old, other) = (start(canary(GOOD)).await, start(canary(BAD)).await);
    service.ended(&old).await;
    service.ended(&other).await;
    service.clock.pass(60 * MINUTE);
    let young = start(canary(GOOD)).await;
    service.ended(&young).await;
    let waiting = start(analysis(GOOD, T0 + 6000 * MINUTE, 1)).await;
    service
        .until(&waiting, |state| state.status() == Status::Running)
        .await;
    let retention = |minutes: u64| {
        let keep = Duration::from_secs(60 * minutes);
        Retention::new(service.executions.engine().ports().clone(), keep)
    };
    assert_eq!(retention(61).sweep().await.unwrap(), 0);
    assert_eq!(retention(30).sweep().await.unwrap(), 2);
    assert_eq!(retention(30).sweep().await.unwrap(), 0);
    for gone in [&old, &other] {
        assert!(service.executions.find(gone).await.unwrap().is_none());
        assert!(service.executions.saved(gone, 1).await.unwrap().is_none());
    }
    assert!(service.executions.saved(&young, 1).await.unwrap().is_some());
    assert!(service.executions.find(&waiting).await.unwrap().is_some());
    assert_eq!(service.archive.judgements.lock().unwrap().len(), 1);
    assert_eq!(service.archive.bundles.lock().unwrap().len(), 1);
    service.shut_down().await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_repeats_itself_is_answered_also_when_the_house_is_full() {
    let limits = Limits { most_unfinished: 1 };
    let service = Service::start(Arc::new(Hanging::default()), limits);
    let key = || {
        Some(IdempotencyKey {
            key: "k".to_owned(),
            fingerprint: "f".to_owned(),
        })
    };
    let first = service.executions.start(canary(GOOD), key()).await.unwrap();
    let again = service.executions.start(canary(GOOD), key()).await.unwrap();
    assert_eq!((again.id, again.before), (first.id, true));
    assert!(service.executions.start(canary(GOOD), None).await.is_err());
    service.shut_down().await;
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_removed_now_keeps_nothing_else_from_going() {
    use coalmine::executions::retention::Retention;
    let service = Service::start(Arc::new(PlainAnalyst), Limits::default());
    let start = async |request| service.executions.start(request, None).await.unwrap().id;
    let first = start(canary(GOOD)).await;
    service.ended(&first).await;
    service.clock.pass(MINUTE);
    let second = start(canary(BAD)).await;
    service.ended(&second).await;
    service.clock.pass(60 * MINUTE);
    service.archive.hold_on_to(Some(judgement_name(&first, 1)));
    let ports = service.executions.engine().ports().clone();
    let retention = Retention::new(ports, Duration::from_secs(60));
    assert_eq!(retention.sweep().await.unwrap(), 1);
    assert!(service.executions.find(&first).await.unwrap().is_some());
    assert!(service.executions.find(&second).await.unwrap().is_none());
    service.archive.hold_on_to(None);
    assert_eq!(retention.sweep().await.unwrap(), 1);
    assert!(service.archive.bundles.lock().unwrap().is_empty());
    service.shut_down().await;
}

#[tokio::test(start_paused = true)]
async fn bundles_that_nothing_names_are_removed_and_those_that_are_waited_for_are_not() {
    use coalmine::analysis::task::Analyst as _;
    use coalmine::archive::Archive as _;
    use coalmine::executions::retention::Retention;
    let service = Service::start(Arc::new(PlainAnalyst), Limits::default());
    let id = service
        .executions
        .start(analysis(GOOD, T0 - 5 * MINUTE, 2), None)
        .await
        .unwrap()
        .id;
    let made = |state: &State| state.last_outcome().is_some();
    let state = service.until(&id, made).await;
    // The judgement is lost; the execution still names the bundle.
    service.archive.judgements.lock().unwrap().clear();
    let task = state.request.task(state.analyses().nth(1).unwrap().0, None);
    let mut other = PlainAnalyst.collect(&task).await.unwrap().bundle;
    other.sets.clear();
    service.archive.put_bundle(&other).await.unwrap();
    let ports = service.executions.engine().ports().clone();
    let retention = Retention::new(ports, Duration::from_secs(60));
    assert_eq!(retention.sweep_orphans().await.unwrap(), 1);
    let named = state.analyses().next().unwrap().1.bundle_id().unwrap();
    let left: Vec<String> = service
        .archive
        .bundles
        .lock()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    assert_eq!(left, [named]);
    service.shut_down().await;
}

#[tokio::test(start_paused = true)]
async fn plans_that_nobody_started_go_after_a_week_also_where_all_executions_are_kept() {
    use coalmine::executions::retention::Retention;
    use coalmine::store::{Document, DocumentKind, PutRule};
    let service = Service::start(Arc::new(PlainAnalyst), Limits::default());
    let ports = service.executions.engine().ports().clone();
    let keep = async |kind, id: &str| {
        let now_ms = ports.clock.now_ms();
        let document = Document {
            kind,
            id: id.to_owned(),
            name: String::new(),
            applications: vec!["search".to_owned()],
            created_ms: now_ms,
            updated_ms: now_ms,
            body: "{}".to_owned(),
        };
        let kept = ports.store.put_document(&document, PutRule::Create).await;
        kept.unwrap();
    };
    keep(DocumentKind::ReleasePlan, "old").await;
    keep(DocumentKind::CanaryConfig, "old").await;
    service.clock.pass(6 * 24 * 60 * MINUTE);
    keep(DocumentKind::ReleasePlan, "young").await;
    let retention = Retention::new(ports.clone(), None);
    assert_eq!(retention.sweep_plans().await.unwrap(), 0);
    service.clock.pass(24 * 60 * MINUTE + 1);
    assert_eq!(retention.sweep_plans().await.unwrap(), 1);
    assert_eq!(retention.sweep().await.unwrap(), 0);
    let there = async |kind, id| ports.store.document(kind, id).await.unwrap().is_some();
    assert!(!there(DocumentKind::ReleasePlan, "old").await);
    assert!(there(DocumentKind::ReleasePlan, "young").await);
    assert!(there(DocumentKind::CanaryConfig, "old").await);
    service.shut_down().await;
}
