//! Lives from seeds: how they are run, cut off, and said how to be replayed.

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::ops::Range;
use std::pin::pin;
use std::task::Poll;

/// Words of what happened in a life.
pub(super) type Happened = BTreeSet<&'static str>;

/// Polls `work` at most `polls` times, then drops it: the process was killed there.
pub(super) async fn cut_off<T>(work: impl Future<Output = T>, polls: u64) -> Option<T> {
    let mut work = pin!(work);
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        work.as_mut().poll(context).map(Some)
    })
    .await
}

/// Says how a life is replayed that did not end well.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let message = format!("COALMINE_SEED={} replays this life alone\n", self.0);
            let _ = std::io::Write::write_all(&mut std::io::stderr(), message.as_bytes());
        }
    }
}

/// Lives through each seed on a clock that is paused, or through the one of `COALMINE_SEED` alone; `COALMINE_SEEDS` says how many at
/// most. Each of `everything` must have happened in one of them, or it was never tested.
pub(super) fn live_all<L: Future<Output = Happened>>(
    seeds: Range<u64>,
    live: impl Fn(u64) -> L,
    everything: &[&str],
) {
    let one = |seed: u64| {
        let _seed = Seed(seed);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async { live(seed).await })
    };
    if let Ok(seed) = std::env::var("COALMINE_SEED") {
        one(seed.parse().unwrap());
        return;
    }
    let most = std::env::var("COALMINE_SEEDS").map_or(u64::MAX, |most| most.parse().unwrap());
    let mut happened = Happened::new();
    for seed in seeds.take(usize::try_from(most).unwrap()) {
        happened.extend(one(seed));
    }
    let missing: Vec<_> = everything
        .iter()
        .filter(|word| !happened.contains(*word))
        .collect();
    assert!(
        missing.is_empty(),
        "never happened, so never tested: {missing:?}"
    );
}
