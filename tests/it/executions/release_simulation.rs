//! Many small lives of a service that releases, each from one seed: ports that fail before or after their effect, steps that are
//! cut off at any poll, a fresh engine for each of them, people who change their minds, something that scales production. At the
//! end all faults stop, and every release must have come to its one decision, with nothing left, nothing done twice, and
//! production served at every moment.

use std::sync::Arc;
use std::time::Duration;

use coalmine::clock::Clock;
use coalmine::config::release::spec::{CanaryStep, Consequence, ReleaseSpec, Strategy};
use coalmine::drivers::Driver;
use coalmine::drivers::fake::{FakeDriver, NEVER_HEALTHY};
use coalmine::executions::engine::{Turn, read};
use coalmine::executions::event::Event;
use coalmine::executions::invariants;
use coalmine::executions::release::desk::ReleaseDesk;
use coalmine::executions::release::event::{Decision, ReleaseEvent};
use coalmine::executions::release::office::Office;
use coalmine::executions::service::Executions;
use coalmine::executions::state::{State, Status};
use coalmine::model::ids::ExecutionId;
use coalmine::model::release::cluster::{Capacity, Role, Share};
use coalmine::stages::approve::Choice;
use coalmine::store::Store;
use coalmine::store::memory::MemoryStore;

use super::faults::{Chance, FaultyArchive, FaultyStore};
use super::fixture::{BAD, GOOD, UNREADABLE};
use super::release_fixture::{
    FaultyDriver, PausedClock, SIZE, executions, old_group, place, spec, traffic,
};
use super::seeds::{Happened, cut_off, live_all};

/// Every release is of the first; some are of both.
const LOCATIONS: [&str; 2] = ["here", "there"];

struct Life {
    seed: u64,
    chance: Chance,
    clock: Arc<PausedClock>,
    store: Arc<MemoryStore>,
    archive: Arc<FaultyArchive>,
    fake: Arc<FakeDriver>,
    scaled: bool,
    /// The release that it began with, where it did.
    promoted: Option<ExecutionId>,
    happened: Happened,
}

impl Life {
    fn new(seed: u64) -> Self {
        let chance = Chance::new(seed);
        let clock = Arc::new(PausedClock::new());
        let fake = Arc::new(FakeDriver::new(Arc::clone(&clock) as _, 3_000));
        for location in LOCATIONS {
            fake.plant(&place(location), &old_group(), "1.0.0", SIZE, Share::ALL);
        }
        Self {
            seed,
            clock,
            store: Arc::default(),
            archive: Arc::new(FaultyArchive::new(chance.clone())),
            fake,
            scaled: false,
            promoted: None,
            happened: Happened::new(),
            chance,
        }
    }

    /// A process that was just started: it knows nothing but the ports.
    fn fresh(&self) -> Executions {
        executions(
            Arc::new(FaultyStore {
                inner: Arc::clone(&self.store),
                chance: self.chance.clone(),
            }),
            Arc::clone(&self.archive) as _,
            Arc::new(FaultyDriver {
                inner: Arc::clone(&self.fake),
                chance: self.chance.clone(),
            }),
            Arc::clone(&self.clock),
            Vec::new(),
        )
    }

    fn some_spec(&self) -> ReleaseSpec {
        let below = |limit| self.chance.below(limit);
        let application = [GOOD, GOOD, GOOD, BAD, UNREADABLE][below(5) as usize];
        let version = ["2.0.0", "3.0.0", "2.1.0", NEVER_HEALTHY][below(4) as usize];
        let mut spec = spec(application, version);
        let share = |percent: u32| Share::new(percent * 100).unwrap();
        spec.promotion.strategy = match below(4) {
            0 => Strategy::RedBlack { pause_ms: 2_000 },
            1 => Strategy::Highlander,
            2 => Strategy::Judge,
            _ => Strategy::RollingRedBlack {
                shares: vec![share(25), share(60), Share::ALL],
                pause_ms: 1_000,
                judgements: u32::try_from(below(2)).unwrap(),
            },
        };
        if below(3) == 0 {
            spec.canary = None;
        } else if below(2) == 0 {
            spec.canary.as_mut().unwrap().steps.push(CanaryStep {
                share: share(20),
                size: 2,
                judgements: 1,
            });
        }
        if below(2) == 0 {
            spec.on.pass = Consequence::Ask;
        }
        if below(3) == 0 {
            let mut other = spec.targets[0].clone();
            other.name = "there".to_owned();
            other.place = place("there");
            spec.targets.push(other);
        }
        spec.cleanup.delay_ms = below(2) * 30_000;
        spec.promotion.previous.keep_ms = below(2) * 3_600_000;
        spec.promotion.previous.scale_down = below(2) == 0;
        spec
    }

    async fn ids(&self) -> Vec<ExecutionId> {
        let all = coalmine::store::HeadFilter {
            most: 100,
            ..Default::default()
        };
        let heads = self.store.heads(&all).await.unwrap();
        heads.into_iter().map(|head| head.id).collect()
    }

    /// Before anything fails: a release that is promoted, and that keeps what served before.
    async fn begin_with_a_promotion(&mut self) {
        let executions = executions(
            Arc::clone(&self.store) as _,
            Arc::clone(&self.archive) as _,
            Arc::clone(&self.fake) as _,
            Arc::clone(&self.clock),
            Vec::new(),
        );
        let office = Office::new(executions.clone());
        let mut spec = spec(GOOD, "1.5.0");
        spec.canary = None;
        let planned = office.plan(Arc::new(spec)).await.unwrap();
        let id = office.start(planned.plan, "me", None).await.unwrap().id;
        while executions.find(&id).await.unwrap().unwrap().end.is_none() {
            if !self.work(&executions, None).await {
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        }
        self.promoted = Some(id);
    }

    async fn happen(&mut self) {
        let executions = self.fresh();
        let office = Office::new(executions.clone());
        let ids = self.ids().await;
        let some = |chance: &Chance| {
            let place = chance.below(ids.len().max(1) as u64);
            ids.get(usize::try_from(place).unwrap()).cloned()
        };
        match self.chance.below(30) {
            0 | 1 if ids.len() < 3 => {
                let spec = Arc::new(self.some_spec());
                if let Ok(planned) = office.plan(spec).await {
                    let start = office.start(planned.plan, "somebody", None);
                    let _ = cut_off(start, self.chance.below(20)).await;
                }
            }
            2 => {
                if let Some(id) = some(&self.chance) {
                    let answer = office.abort(&id, "somebody", "");
                    let _ = cut_off(answer, self.chance.below(40)).await;
                }
            }
            3 => {
                if let Some(id) = some(&self.chance) {
                    let answer = office.request_rollback(&id, &[], "somebody", "");
                    let _ = cut_off(answer, self.chance.below(60)).await;
                }
            }
            12 if self.chance.below(3) == 0 => {
                // Where a life began with a promotion: what is at work since is taken over.
                if let Some(id) = &self.promoted {
                    let answer = office.request_rollback(id, &[], "somebody", "");
                    let _ = cut_off(answer, self.chance.below(200)).await;
                }
            }
            4 | 5 | 13 => {
                for id in &ids {
                    let choice = Choice::BOTH[usize::from(self.chance.below(4) == 0)];
                    let _ = office.answer(id, choice, "somebody", "").await;
                }
            }
            6..=8 => {
                let secs = self.chance.below(90);
                tokio::time::advance(Duration::from_secs(secs)).await;
            }
            9 if self.chance.below(4) == 0 => {
                self.scaled = true;
                let size = SIZE + u32::try_from(self.chance.below(4)).unwrap();
                self.fake
                    .scale(&place("here"), &old_group(), Capacity::fixed(size));
            }
            10 if self.chance.below(6) == 0 => self.chance.turn_outage(),
            11 if self.chance.below(3) == 0 => {
                let location = LOCATIONS[usize::from(self.chance.below(2) == 0)];
                let is_away = self.chance.below(2) == 0;
                self.fake.put_away(&place(location), is_away);
            }
            _ => {
                let polls = [self.chance.below(60), 100_000][self.chance.below(2) as usize];
                self.work(&executions, Some(polls)).await;
            }
        }
    }

    /// A few steps of one execution that is due.
    async fn work(&self, executions: &Executions, polls: Option<u64>) -> bool {
        let now_ms = self.clock.now_ms();
        let store = &executions.engine().ports().store;
        let Ok(leases) = store.claim("a", now_ms, now_ms + 30_000, 1).await else {
            return true;
        };
        let any = !leases.is_empty();
        for lease in leases {
            let several = async {
                let engine = executions.engine();
                let Ok(mut state) = engine.load(&lease.id).await else {
                    return;
                };
                for _ in 0..12 {
                    match engine.step(&lease, state).await {
                        Ok(Turn::Again(next)) => state = *next,
                        Ok(Turn::Until(_) | Turn::Rest) | Err(_) => return,
                    }
                }
            };
            cut_off(several, polls.unwrap_or(u64::MAX)).await;
            let _ = self.store.release(&lease).await;
        }
        any
    }

    /// All journals fold, whatever happened, and nothing is in them that must not be.
    async fn check(&mut self) {
        for id in self.ids().await {
            let mut decided = 0;
            let mut events = Vec::new();
            for entry in self.store.journal(&id, 0).await.unwrap() {
                let event = read(&id, &entry).unwrap();
                decided += u32::from(matches!(
                    event,
                    Event::Release(ReleaseEvent::Decided { .. })
                ));
                self.happened.insert(event.word());
                events.push((entry.at_ms, event));
            }
            assert!(decided <= 1, "seed {}: decided twice", self.seed);
            let state = State::replay(&id, events).unwrap().unwrap();
            let broken = invariants::broken(&state);
            assert!(broken.is_empty(), "seed {}: {broken:?}", self.seed);
            assert!(state.end.is_none() || decided == 1);
        }
        assert_eq!(self.fake.harm(), Vec::<String>::new(), "seed {}", self.seed);
    }

    async fn settle(&mut self) {
        self.chance.calm();
        for location in LOCATIONS {
            self.fake.put_away(&place(location), false);
        }
        for _ in 0..3_000 {
            let executions = self.fresh();
            for id in self.ids().await {
                // Somebody looks after what is stuck.
                let _ = executions.resume(&id, "somebody").await;
            }
            let Some(due_ms) = self.store.next_due_ms().await.unwrap() else {
                return;
            };
            // Nobody answers any more; deadlines pass.
            if !self.work(&executions, None).await {
                let pause = u64::try_from(due_ms - self.clock.now_ms()).unwrap_or(0);
                tokio::time::sleep(Duration::from_millis(pause.max(500))).await;
            }
        }
        let mut told = Vec::new();
        for id in self.ids().await {
            let state = self.fresh().find(&id).await.unwrap().unwrap();
            let journal = self.store.journal(&id, 0).await.unwrap();
            let last = journal.iter().rev().take(3).map(|it| it.body.clone());
            let last: Vec<String> = last.collect();
            let (status, sentence) = (state.status(), state.sentence());
            let release = state.release;
            told.push(format!("{id}: {status:?} {sentence} {release:?} {last:?}"));
        }
        panic!("seed {}: not everything ended: {told:#?}", self.seed);
    }

    /// Nothing is left, nothing was done twice, and production is whole.
    async fn compare(&self) {
        let seed = self.seed;
        let owned = self.fake.find_owned().await.unwrap();
        let left: Vec<_> = owned
            .iter()
            .filter(|it| it.role != Role::Production)
            .collect();
        assert!(left.is_empty(), "seed {seed}: left behind: {left:?}");
        let changed = self.fake.changed();
        let mut once = changed.clone();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), changed.len(), "seed {seed}: done twice");
        for location in LOCATIONS {
            self.compare_at(location).await;
        }
    }

    async fn compare_at(&self, location: &str) {
        let seed = self.seed;
        let view = self.fake.observe(&place(location)).await.unwrap();
        let total: u32 = view
            .router
            .as_ref()
            .unwrap()
            .weights
            .values()
            .map(|share| share.basis_points())
            .sum();
        assert_eq!(total, 10_000, "seed {seed}: {:?}", traffic(&view));
        let mut promoted = 0;
        for id in self.ids().await {
            let state = self.fresh().find(&id).await.unwrap().unwrap();
            let decided = state.release.as_ref().unwrap().decided.as_ref().unwrap();
            let targets = &state.request.release.as_ref().unwrap().targets;
            if targets.iter().all(|it| it.place != place(location)) {
                continue;
            }
            let judge_only = state.spec().unwrap().promotion.strategy == Strategy::Judge;
            promoted += u32::from(decided.decision == Decision::Promoted && !judge_only);
            assert!(state.status() != Status::Suspended, "seed {seed}");
        }
        if promoted == 0 {
            assert_eq!(
                traffic(&view),
                [(old_group().to_string(), "100%".to_owned())].into(),
                "seed {seed}"
            );
            let old = view.group(&old_group()).unwrap();
            assert!(
                old.enabled && old.expires_ms.is_none(),
                "seed {seed}: {old:?}"
            );
            if !self.scaled {
                assert_eq!(old.capacity, Capacity::fixed(SIZE), "seed {seed}");
            }
        }
        for group in &view.groups {
            if view.share(&group.name) != Share::NONE {
                assert!(
                    group.up() >= SIZE || self.scaled,
                    "seed {seed}: `{}` serves with {} instances",
                    group.name,
                    group.up()
                );
            }
        }
    }
}

/// Every event that must have happened in one of the lives.
const EVERYTHING: &[&str] = &[
    "locksTaken",
    "lockLost",
    "heldUp",
    "stepsSettled",
    "operationIntended",
    "operationDone",
    "operationFailed",
    "windowOpened",
    "notAsked",
    "asked",
    "answered",
    "answerOverdue",
    "rollbackRequested",
    "decided",
];

/// One life; the words of all events in it.
async fn live(seed: u64) -> Happened {
    let mut life = Life::new(seed);
    if seed.is_multiple_of(4) {
        life.begin_with_a_promotion().await;
    }
    for _ in 0..80 {
        life.happen().await;
    }
    life.check().await;
    life.settle().await;
    life.check().await;
    life.compare().await;
    life.happened
}

/// Three hundred in each test run; `tests/run --long` makes it five thousand, so that both tests live ten thousand.
fn how_many() -> u64 {
    if std::env::var_os("COALMINE_LONG").is_some() {
        5_000
    } else {
        300
    }
}

#[test]
fn many_lives_of_releases_leave_nothing_and_harm_nobody() {
    live_all(0..how_many(), live, EVERYTHING);
}

#[test]
fn many_other_lives_of_releases_do_neither() {
    live_all(5_000..5_000 + how_many(), live, EVERYTHING);
}
