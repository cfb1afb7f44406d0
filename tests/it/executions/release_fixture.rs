//! Releases on a fake driver: specs, a world with production in it, and one that fails.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;
use coalmine::clock::Clock;
use coalmine::config::canary::wire::CanaryConfig;
use coalmine::config::release::spec::{
    AnalysisSpec, AskSpec, CanarySpec, CanaryStep, CleanupSpec, Consequence, Consequences,
    GuardSpec, Limits, Previous, Promotion, ReleaseSpec, Strategy, Target, WithoutAnswer,
};
use coalmine::config::server::notify::Channel;
use coalmine::drivers::fake::FakeDriver;
use coalmine::drivers::{
    Abilities, Driver, DriverError, Drivers, Fencing, Owned, Progress, Remedy,
};
use coalmine::executions::engine::{Engine, Ports, Turn};
use coalmine::executions::release::office::Office;
use coalmine::executions::service::{Executions, Limits as MostExecutions, Ulids};
use coalmine::executions::state::State;
use coalmine::model::ids::{ExecutionId, InstallationId};
use coalmine::model::release::cluster::{Artifact, Place, Role, Share, View};
use coalmine::model::release::names::{ClusterName, GroupName};
use coalmine::model::release::operation::{OpId, Operation};
use coalmine::model::release::window::Windows;
use coalmine::store::Store;
use coalmine::store::memory::MemoryStore;
use coalmine_judges::config::Thresholds;
use tokio::task::yield_now;

use super::faults::Chance;
use super::fixture::{PlainAnalyst, T0};

pub(super) const ACCOUNT: &str = "fake";
pub(super) const BOOT_MS: i64 = 3_000;
pub(super) const SIZE: u32 = 4;

/// The paused clock of the runtime: sleeping lets time pass. It can be turned back, as that of a machine can.
#[derive(Debug)]
pub(super) struct PausedClock {
    since: tokio::time::Instant,
    back_ms: AtomicI64,
}

impl PausedClock {
    pub(super) fn new() -> Self {
        Self {
            since: tokio::time::Instant::now(),
            back_ms: AtomicI64::new(0),
        }
    }

    pub(super) fn turn_back(&self, by_ms: i64) {
        self.back_ms.fetch_add(by_ms, Ordering::SeqCst);
    }
}

impl Clock for PausedClock {
    fn now_ms(&self) -> i64 {
        let elapsed_ms = i64::try_from(self.since.elapsed().as_millis()).unwrap();
        T0 + elapsed_ms - self.back_ms.load(Ordering::SeqCst)
    }
}

pub(super) fn place(location: &str) -> Place {
    Place {
        account: ACCOUNT.to_owned(),
        location: location.to_owned(),
        cluster: ClusterName::parse("shop-prod").unwrap(),
    }
}

pub(super) fn old_group() -> GroupName {
    GroupName::parse("shop-prod-v007").unwrap()
}

/// A canary of one step, judged twice, then red/black; all deadlines short.
pub(super) fn spec(application: &str, version: &str) -> ReleaseSpec {
    let minute = 60_000;
    ReleaseSpec {
        application: application.to_owned(),
        targets: vec![Target {
            name: "here".to_owned(),
            place: place("here"),
            template: None,
            size: None,
            router: None,
        }],
        artifact: Artifact {
            version: version.to_owned(),
            reference: version.to_owned(),
        },
        canary: Some(CanarySpec {
            steps: vec![CanaryStep {
                share: Share::new(500).unwrap(),
                size: 1,
                judgements: 2,
            }],
        }),
        analysis: Some(AnalysisSpec {
            config: Arc::new(CanaryConfig::default()),
            source: None,
            warm_up_ms: 10_000,
            interval_ms: minute,
            look_back_ms: None,
            step_secs: 10,
            thresholds: Thresholds {
                pass: 95.0,
                marginal: 75.0,
            },
            errors: 0,
            inconclusive: 1,
        }),
        on: Consequences {
            pass: Consequence::Promote,
            marginal: Consequence::Ask,
            inconclusive: Consequence::RollBack,
        },
        ask: AskSpec {
            deadline_ms: 10 * minute,
            without_answer: WithoutAnswer::RollBack,
            instructions: String::new(),
            who: Vec::new(),
        },
        promotion: Promotion {
            strategy: Strategy::RedBlack { pause_ms: 0 },
            previous: Previous {
                keep_ms: 60 * minute,
                scale_down: false,
            },
        },
        windows: Windows::default(),
        guard: GuardSpec {
            least_share: Share::NONE,
            least_instances: 1,
        },
        cleanup: CleanupSpec { delay_ms: 0 },
        limits: Limits {
            release_ms: 120 * minute,
            healthy_ms: 2 * minute,
            operation_ms: minute,
            lock_ms: 30 * minute,
        },
        stages: None,
    }
}

/// A process and its world: one store, one driver, a clock that is paused.
#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) clock: Arc<PausedClock>,
    pub(super) store: Arc<MemoryStore>,
    pub(super) fake: Arc<FakeDriver>,
    pub(super) executions: Executions,
    pub(super) office: Office,
}

/// The ports of a world, behind whatever stands before them.
pub(super) fn executions(
    store: Arc<dyn Store>,
    archive: Arc<dyn coalmine::archive::Archive>,
    driver: Arc<dyn Driver>,
    clock: Arc<PausedClock>,
    channels: Vec<Channel>,
) -> Executions {
    let engine = Engine::new(Ports {
        headline: coalmine_reports::headline,
        store,
        archive,
        analyst: Arc::new(PlainAnalyst),
        observer: Arc::new(PlainAnalyst),
        clock,
        drivers: Drivers::new([(ACCOUNT.to_owned(), driver)]),
        channels: channels.into(),
    });
    Executions::new(engine, Arc::new(Ulids), MostExecutions::default())
}

impl World {
    /// Production of `SIZE` instances serves in each of these locations.
    pub(super) fn with_production(locations: &[&str]) -> Self {
        Self::telling(locations, Vec::new())
    }

    /// The same, and these are told of it.
    pub(super) fn telling(locations: &[&str], channels: Vec<Channel>) -> Self {
        let clock = Arc::new(PausedClock::new());
        let fake = Arc::new(FakeDriver::new(Arc::clone(&clock) as _, BOOT_MS));
        for location in locations {
            fake.plant(&place(location), &old_group(), "1.0.0", SIZE, Share::ALL);
        }
        let archive = Arc::new(coalmine::archive::memory::MemoryArchive::default());
        Self::of(clock, fake, archive, channels)
    }

    /// The same production, and an archive that may be away.
    pub(super) fn with_archive(archive: Arc<dyn coalmine::archive::Archive>) -> Self {
        let clock = Arc::new(PausedClock::new());
        let fake = Arc::new(FakeDriver::new(Arc::clone(&clock) as _, BOOT_MS));
        fake.plant(&place("here"), &old_group(), "1.0.0", SIZE, Share::ALL);
        Self::of(clock, fake, archive, Vec::new())
    }

    fn of(
        clock: Arc<PausedClock>,
        fake: Arc<FakeDriver>,
        archive: Arc<dyn coalmine::archive::Archive>,
        channels: Vec<Channel>,
    ) -> Self {
        let store = Arc::<MemoryStore>::default();
        let executions = executions(
            Arc::clone(&store) as _,
            archive,
            Arc::clone(&fake) as _,
            Arc::clone(&clock),
            channels,
        );
        let office = Office::new(executions.clone());
        Self {
            clock,
            store,
            fake,
            executions,
            office,
        }
    }

    /// Another service with a store of its own, that releases to the same places.
    pub(super) fn in_installation(&self, name: &str) -> Self {
        let fake = self.fake.of_installation(InstallationId::new(name));
        let archive = Arc::new(coalmine::archive::memory::MemoryArchive::default());
        Self::of(Arc::clone(&self.clock), Arc::new(fake), archive, Vec::new())
    }

    pub(super) async fn view(&self, location: &str) -> View {
        self.fake.observe(&place(location)).await.unwrap()
    }

    pub(super) async fn start(&self, spec: ReleaseSpec) -> ExecutionId {
        use coalmine::executions::release::desk::ReleaseDesk;
        let planned = self.office.plan(Arc::new(spec)).await.unwrap();
        let started = self.office.start(planned.plan, "me", None).await.unwrap();
        started.id
    }

    pub(super) async fn state(&self, id: &ExecutionId) -> State {
        self.executions.find(id).await.unwrap().unwrap()
    }

    /// Works on whatever is due, and lets time pass, until `enough` of the release or until it has ended.
    pub(super) async fn until(&self, id: &ExecutionId, enough: impl Fn(&State) -> bool) -> State {
        for _ in 0..1_500 {
            let state = self.state(id).await;
            if state.end.is_some() || enough(&state) {
                return state;
            }
            self.turn().await;
        }
        let events = self.executions.events(id, 0).await.unwrap();
        let last = &events[events.len().saturating_sub(8)..];
        let sentence = self.state(id).await.sentence();
        panic!("it goes on for ever: {sentence}: {last:#?}");
    }

    pub(super) async fn to_its_end(&self, id: &ExecutionId) -> State {
        self.until(id, |_| false).await
    }

    /// One step of everything that is due; without any, time passes until something is.
    async fn turn(&self) {
        let now_ms = self.clock.now_ms();
        let leases = self
            .store
            .claim("worker", now_ms, now_ms + 30_000, 10)
            .await
            .unwrap();
        let mut next_ms = None;
        for lease in &leases {
            let engine = self.executions.engine();
            let state = engine.load(&lease.id).await.unwrap();
            let turn = engine.step(lease, state).await.unwrap();
            if let Turn::Until(until_ms) = turn {
                next_ms = Some(next_ms.map_or(until_ms, |next: i64| next.min(until_ms)));
            } else {
                next_ms = Some(now_ms);
            }
            self.store.release(lease).await.unwrap();
        }
        let due_ms = match next_ms {
            Some(next_ms) => next_ms,
            None => self
                .store
                .next_due_ms()
                .await
                .unwrap()
                .unwrap_or(now_ms + 1_000),
        };
        let pause = u64::try_from(due_ms - self.clock.now_ms()).unwrap_or(0);
        tokio::time::sleep(std::time::Duration::from_millis(pause)).await;
    }

    /// What must hold after every test: nothing of baseline and canary is left, nothing harmed production.
    pub(super) async fn check_nothing_is_left(&self) {
        assert_eq!(self.fake.harm(), Vec::<String>::new());
        let owned = self.fake.find_owned().await.unwrap();
        let left: Vec<_> = owned
            .iter()
            .filter(|it| it.role != Role::Production)
            .collect();
        assert!(left.is_empty(), "left behind: {left:?}");
        let changed = self.fake.changed();
        let mut once = changed.clone();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), changed.len(), "done twice: {changed:?}");
    }
}

/// A fake driver behind faults: before the effect, or after it.
#[derive(Debug)]
pub(super) struct FaultyDriver {
    pub(super) inner: Arc<FakeDriver>,
    pub(super) chance: Chance,
}

impl FaultyDriver {
    async fn faulty<T>(
        &self,
        percent: u64,
        effect: impl AsyncFnOnce() -> Result<T, DriverError>,
    ) -> Result<T, DriverError> {
        let away = || DriverError::new(Remedy::Retry, "simulated");
        yield_now().await;
        if self.chance.fails(percent) {
            return Err(away());
        }
        let answer = effect().await;
        yield_now().await;
        if self.chance.fails(percent) {
            return Err(away());
        }
        answer
    }
}

#[async_trait]
impl Driver for FaultyDriver {
    fn abilities(&self) -> Abilities {
        self.inner.abilities()
    }

    async fn observe(&self, place: &Place) -> Result<View, DriverError> {
        self.faulty(5, async || self.inner.observe(place).await)
            .await
    }

    async fn apply(
        &self,
        operation: &Operation,
        id: &OpId,
        fencing: Fencing,
    ) -> Result<(), DriverError> {
        self.faulty(15, async || self.inner.apply(operation, id, fencing).await)
            .await
    }

    async fn check(&self, operation: &Operation, id: &OpId) -> Result<Progress, DriverError> {
        self.faulty(5, async || self.inner.check(operation, id).await)
            .await
    }

    async fn find_owned(&self) -> Result<Vec<Owned>, DriverError> {
        self.faulty(5, async || self.inner.find_owned().await).await
    }
}

/// Shares by group, without those that have none.
pub(super) fn traffic(view: &View) -> BTreeMap<String, String> {
    let router = view.router.as_ref().unwrap();
    router
        .weights
        .iter()
        .filter(|(_, share)| **share != Share::NONE)
        .map(|(group, share)| (group.to_string(), share.to_string()))
        .collect()
}
