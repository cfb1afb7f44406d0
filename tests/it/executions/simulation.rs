//! Many small lives of a service, each from one seed: two workers, a clock that jumps, ports that fail before or after their
//! effect, steps that are cut off at any point, a fresh engine for each of them. After every move everything that must always
//! hold is checked; at the end all faults stop, and every execution must come to what it would have come to undisturbed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use coalmine::clock::{Clock, VirtualClock};
use coalmine::executions::command::MOST_ATTEMPTS;
use coalmine::executions::engine::{Engine, Ports, Turn, read};
use coalmine::executions::event::Event;
use coalmine::executions::invariants;
use coalmine::executions::request::Request;
use coalmine::executions::service::{Executions, IdSource, Limits};
use coalmine::executions::state::{State, Status, judgement_name};
use coalmine::model::ids::ExecutionId;
use coalmine::stages::analyze::AnalyzeState;
use coalmine::store::memory::MemoryStore;
use coalmine::store::{Entry, Lease, Store};
use coalmine_judges::judgement::Verdict;

use super::faults::{Chance, FaultyArchive, FaultyStore};
use super::fixture::{
    BAD, GOOD, MINUTE, PlainAnalyst, T0, UNJUDGEABLE, UNREADABLE, analysis, canary,
};
use super::seeds::{Happened, cut_off, live_all};

const LEASE_MS: i64 = 30_000;

#[derive(Debug)]
struct Counted(std::sync::atomic::AtomicU64);

impl IdSource for Counted {
    fn next_id(&self, _: i64) -> ExecutionId {
        let number = self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        ExecutionId::new(format!("E{number:03}"))
    }
}

struct Life {
    seed: u64,
    chance: Chance,
    clock: Arc<VirtualClock>,
    store: Arc<MemoryStore>,
    archive: Arc<FaultyArchive>,
    ids: Arc<Counted>,
    leases: Vec<Lease>,
    /// Journals as they were seen last.
    seen: BTreeMap<ExecutionId, Vec<Entry>>,
    /// What follows from these.
    states: BTreeMap<ExecutionId, State>,
    /// The words of all events.
    happened: BTreeSet<&'static str>,
}

impl Life {
    fn new(seed: u64) -> Self {
        let chance = Chance::new(seed);
        Self {
            seed,
            clock: Arc::new(VirtualClock::new(T0)),
            store: Arc::default(),
            archive: Arc::new(FaultyArchive::new(chance.clone())),
            ids: Arc::new(Counted(0.into())),
            leases: Vec::new(),
            seen: BTreeMap::new(),
            states: BTreeMap::new(),
            happened: BTreeSet::new(),
            chance,
        }
    }

    /// A process that was just started: it knows nothing but the ports.
    fn fresh(&self) -> Executions {
        let engine = Engine::new(Ports {
            store: Arc::new(FaultyStore {
                inner: Arc::clone(&self.store),
                chance: self.chance.clone(),
            }),
            archive: Arc::clone(&self.archive) as _,
            observer: Arc::new(coalmine::analysis::task::NoAnalyst),
            drivers: coalmine::drivers::Drivers::default(),
            channels: Arc::from([]),
            headline: coalmine_reports::headline,
            analyst: Arc::new(PlainAnalyst),
            clock: Arc::clone(&self.clock) as _,
        });
        let ids = Arc::clone(&self.ids) as Arc<dyn IdSource>;
        Executions::new(engine, ids, Limits::default())
    }

    fn request(&self) -> Request {
        let application = match self.chance.below(8) {
            0 => BAD,
            1 => UNREADABLE,
            2 => UNJUDGEABLE,
            _ => GOOD,
        };
        if self.chance.below(2) == 0 {
            canary(application)
        } else {
            let judgements = 1 + u32::try_from(self.chance.below(3)).unwrap();
            analysis(application, self.clock.now_ms(), judgements)
        }
    }

    fn some_lease(&self) -> Option<Lease> {
        let count = self.leases.len() as u64;
        (count > 0).then(|| self.leases[usize::try_from(self.chance.below(count)).unwrap()].clone())
    }

    async fn some_id(&self) -> Option<ExecutionId> {
        let ids: Vec<&ExecutionId> = self.seen.keys().collect();
        let count = ids.len() as u64;
        (count > 0).then(|| ids[usize::try_from(self.chance.below(count)).unwrap()].clone())
    }

    /// One thing that happens to the service.
    async fn happen(&mut self) {
        let executions = self.fresh();
        match self.chance.below(20) {
            0 | 1 if self.seen.len() < 4 => {
                let polls = self.chance.below(8);
                // The client may never hear of it.
                let _ = cut_off(executions.start(self.request(), None), polls).await;
            }
            2 => {
                if let Some(id) = self.some_id().await {
                    let polls = self.chance.below(12);
                    let _ = cut_off(executions.cancel(&id, "somebody", ""), polls).await;
                }
            }
            3 => {
                if let Some(id) = self.some_id().await {
                    let _ = executions.resume(&id, "somebody").await;
                }
            }
            4 => self
                .clock
                .pass(i64::try_from(self.chance.below(20)).unwrap() * MINUTE),
            5 => self
                .clock
                .pass(-i64::try_from(self.chance.below(5)).unwrap() * MINUTE),
            6 => self
                .clock
                .pass(i64::try_from(self.chance.below(2)).unwrap() * LEASE_MS),
            7 => {
                // A lease that is given back, and perhaps used afterwards all the same.
                if let Some(lease) = self.some_lease() {
                    let _ = executions.engine().ports().store.release(&lease).await;
                }
            }
            8 if self.chance.below(2) == 0 => self.leases.clear(),
            8 => self.chance.turn_outage(),
            9..=12 => self.claim(&executions).await,
            _ => {
                if let Some(lease) = self.some_lease() {
                    let polls = [self.chance.below(40), 100_000]
                        [usize::try_from(self.chance.below(2)).unwrap()];
                    let _ = cut_off(step(executions.engine(), &lease), polls).await;
                }
            }
        }
    }

    async fn claim(&mut self, executions: &Executions) {
        let worker = if self.chance.below(2) == 0 { "a" } else { "b" };
        let now_ms = self.clock.now_ms();
        let store = &executions.engine().ports().store;
        if let Ok(leases) = store.claim(worker, now_ms, now_ms + LEASE_MS, 2).await {
            self.leases.extend(leases);
        }
    }

    /// Everything that must hold at every moment. Looks at what is new only; `compare` reads all of it once more.
    async fn check(&mut self) {
        let seed = self.seed;
        for head in self.store.heads(&all()).await.unwrap() {
            let journal = self.seen.entry(head.id.clone()).or_default();
            let known = journal.len() as u64;
            if head.seq == known {
                continue;
            }
            assert!(head.seq > known, "seed {seed}: a journal became shorter");
            let news = self.store.journal(&head.id, known).await.unwrap();
            let mut state = self.states.remove(&head.id);
            for entry in &news {
                let event = read(&head.id, entry).unwrap();
                self.happened.insert(event.word());
                state = Some(match (state, event) {
                    (Some(state), event) => state.apply(&event, entry.at_ms).unwrap(),
                    (None, Event::Accepted { request }) => {
                        State::accepted(head.id.clone(), request, entry.at_ms)
                    }
                    (None, event) => panic!("seed {seed}: begins with {event:?}"),
                });
            }
            journal.extend(news);
            let state = state.unwrap();
            assert_eq!(
                state.head(),
                head,
                "seed {seed}: the head is the fold of the journal"
            );
            if state.stuck.is_some() && !self.chance.had_outage() {
                let tried = state.analyses().any(|(_, at)| matches!(at, AnalyzeState::Collecting { attempts, .. } if *attempts >= MOST_ATTEMPTS));
                assert!(tried, "seed {seed}: stuck without a reason");
            }
            let broken = invariants::broken(&state);
            assert!(broken.is_empty(), "seed {seed}: {broken:?}");
            for (analyze, at) in state.analyses() {
                if let Some(bundle) = at.bundle_id() {
                    let kept = self.archive.bundles.lock().unwrap().contains_key(bundle);
                    assert!(kept, "seed {seed}: a bundle is kept before it is spoken of");
                }
                if at.outcome().is_some() {
                    let name = judgement_name(&state.id, analyze.number);
                    let kept = self.archive.judgements.lock().unwrap().contains_key(&name);
                    assert!(
                        kept,
                        "seed {seed}: a judgement is kept before it is spoken of"
                    );
                }
            }
            self.states.insert(head.id.clone(), state);
        }
    }

    /// All faults stop; a worker goes on until nothing is left to do.
    async fn settle(&mut self) {
        self.chance.calm();
        for _ in 0..400 {
            let executions = self.fresh();
            let stuck = coalmine::store::HeadFilter {
                statuses: vec![Status::Suspended.word().to_owned()],
                ..all()
            };
            for head in self.store.heads(&stuck).await.unwrap() {
                executions.resume(&head.id, "somebody").await.unwrap();
            }
            let Some(due_ms) = self.store.next_due_ms().await.unwrap() else {
                return;
            };
            let later = due_ms.max(self.clock.now_ms() + 2 * LEASE_MS);
            self.clock.set(later);
            let now_ms = self.clock.now_ms();
            let leases = self
                .store
                .claim("a", now_ms, now_ms + LEASE_MS, 10)
                .await
                .unwrap();
            for lease in leases {
                while step(executions.engine(), &lease).await == Some(true) {}
                self.store.release(&lease).await.unwrap();
            }
            self.check().await;
        }
        panic!("seed {}: not everything ended", self.seed);
    }

    /// What every execution came to must be what it would have come to alone.
    async fn compare(&self) {
        for (id, seen) in &self.seen {
            let journal = self.store.journal(id, 0).await.unwrap();
            assert_eq!(
                &journal, seen,
                "seed {}: a journal was rewritten",
                self.seed
            );
            let state = replay(id, &journal);
            let outcomes: Vec<Verdict> = state
                .analyses()
                .filter_map(|(_, at)| Some(at.outcome()?.verdict))
                .collect();
            let (status, mut expected) = undisturbed(&state.request);
            let seed = self.seed;
            if state.cancel.is_some() && state.status() == Status::Canceled {
                expected.truncate(outcomes.len());
            } else {
                assert_eq!(state.status(), status, "seed {seed}: {}", state.sentence());
            }
            assert_eq!(outcomes, expected, "seed {seed}: {}", state.sentence());
        }
    }
}

fn all() -> coalmine::store::HeadFilter {
    coalmine::store::HeadFilter {
        most: 1000,
        ..Default::default()
    }
}

fn undisturbed(request: &Request) -> (Status, Vec<Verdict>) {
    let planned = request.analyses().count();
    match request.application.as_str() {
        GOOD => (Status::Succeeded, vec![Verdict::Pass; planned]),
        BAD if planned == 1 && request.kind == coalmine::executions::request::Kind::Canary => {
            (Status::Succeeded, vec![Verdict::Fail])
        }
        BAD => (Status::Terminal, vec![Verdict::Fail]),
        _ => (Status::Terminal, Vec::new()),
    }
}

fn replay(id: &ExecutionId, journal: &[Entry]) -> State {
    let events: Vec<(i64, Event)> = journal
        .iter()
        .map(|entry| (entry.at_ms, read(id, entry).unwrap()))
        .collect();
    State::replay(id, events).unwrap().unwrap()
}

/// One step from what the journal says; whether there is more to do at once.
async fn step(engine: &Engine, lease: &Lease) -> Option<bool> {
    let state = engine.load(&lease.id).await.ok()?;
    match engine.step(lease, state).await.ok()? {
        Turn::Again(_) => Some(true),
        Turn::Until(_) | Turn::Rest => Some(false),
    }
}

/// Every event that must have happened in one of the lives.
const EVERYTHING: &[&str] = &[
    "accepted",
    "waitStarted",
    "waitEnded",
    "collectionStarted",
    "collected",
    "collectionFailed",
    "judged",
    "judgingFailed",
    "cancelRequested",
    "gotStuck",
    "resumed",
    "ended",
];

/// One life; the words of all events in it.
async fn live(seed: u64) -> Happened {
    let mut life = Life::new(seed);
    for _ in 0..45 {
        life.happen().await;
        life.check().await;
    }
    life.settle().await;
    life.compare().await;
    life.happened
}

#[test]
fn five_thousand_lives_come_to_what_they_would_have_come_to() {
    live_all(0..5_000, live, EVERYTHING);
}

#[test]
fn another_five_thousand_lives_do_too() {
    live_all(5_000..10_000, live, EVERYTHING);
}
