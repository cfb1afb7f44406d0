//! How the new version takes over, and the longest that anything may take.

use super::{HOUR_MS, MINUTE_MS, Rules, SECOND_MS};
use crate::config::path::Path;
use crate::config::problems::Problem;
use crate::config::release::share::ShareText;
use crate::config::release::spec::{Limits, Previous, Promotion, Strategy};
use crate::config::release::wire::{LimitsWire, PromotionWire, StrategyWire};
use crate::model::release::cluster::Share;

/// The shares of a rolling red/black where none are given.
const SHARES: [u32; 3] = [2_500, 5_000, 10_000];

impl Rules {
    pub(super) fn promotion(&mut self, wire: PromotionWire) -> Promotion {
        let path = Path::root().key("promotion");
        let chosen = wire.strategy.unwrap_or(StrategyWire::RollingRedBlack);
        let rolls = chosen == StrategyWire::RollingRedBlack;
        let pauses = rolls || chosen == StrategyWire::RedBlack;
        let judges = wire.judgements.is_some_and(|judgements| judgements > 0);
        for (is_given, fits, key, with) in [
            (wire.shares.is_some(), rolls, "shares", "`rollingRedBlack`"),
            (judges, rolls, "judgements", "`rollingRedBlack`"),
            (
                wire.pause.is_some(),
                pauses,
                "pause",
                "`rollingRedBlack` or `redBlack`",
            ),
        ] {
            if is_given && !fits {
                let found = format!("`{key}` with the strategy `{}`", word(chosen));
                let problem = Problem::new(path.key(key), found, format!("it with {with} only"));
                self.problem(problem);
            }
        }
        let pause_ms = self.time(wire.pause.as_ref(), path.key("pause"), 0, 0);
        let strategy = match chosen {
            StrategyWire::Judge => Strategy::Judge,
            StrategyWire::None => Strategy::None,
            StrategyWire::Highlander => Strategy::Highlander,
            StrategyWire::RedBlack => Strategy::RedBlack { pause_ms },
            StrategyWire::RollingRedBlack => Strategy::RollingRedBlack {
                shares: self.shares(wire.shares.as_deref(), &path.key("shares")),
                pause_ms,
                judgements: wire.judgements.unwrap_or(0),
            },
            StrategyWire::Native => Strategy::Native,
        };
        let previous = wire.previous.unwrap_or_default();
        Promotion {
            strategy,
            previous: Previous {
                keep_ms: self.time(
                    previous.keep.as_ref(),
                    path.key("previous").key("keep"),
                    24 * HOUR_MS,
                    0,
                ),
                scale_down: previous.scale_down.unwrap_or(false),
            },
        }
    }

    /// Rising shares, of which the last is all traffic.
    fn shares(&mut self, wire: Option<&[ShareText]>, path: &Path) -> Vec<Share> {
        let Some(wire) = wire else {
            return SHARES.into_iter().filter_map(Share::new).collect();
        };
        let mut wire: Vec<&ShareText> = wire.iter().collect();
        self.few(&mut wire, path.clone(), 100);
        let mut shares: Vec<Share> = Vec::with_capacity(wire.len() + 1);
        for (index, text) in wire.into_iter().enumerate() {
            let path = path.index(index);
            let below = shares.last().copied().unwrap_or(Share::NONE);
            let before = self.findings.problems.len();
            let share = self.share(Some(text), path.clone(), Share::ALL);
            if self.findings.problems.len() > before {
                continue;
            }
            if share > below {
                shares.push(share);
            } else {
                let expected = format!("more than {below}, since shares rise");
                self.problem(Problem::new(path, format!("`{share}`"), expected));
            }
        }
        if shares.last() != Some(&Share::ALL) {
            shares.push(Share::ALL);
        }
        shares
    }

    /// The limits; that of the whole release is 0 where it follows from the rest.
    pub(super) fn limits(&mut self, wire: LimitsWire) -> Limits {
        let path = Path::root().key("limits");
        let mut time = |text, key, default_ms| {
            let least_ms = SECOND_MS;
            self.time(text, path.key(key), default_ms, least_ms)
        };
        Limits {
            release_ms: time(wire.release.as_ref(), "release", 0),
            healthy_ms: time(wire.healthy.as_ref(), "healthy", 10 * MINUTE_MS),
            operation_ms: time(wire.operation.as_ref(), "operation", 5 * MINUTE_MS),
            lock_ms: time(wire.lock.as_ref(), "lock", HOUR_MS),
        }
    }
}

/// The strategy as it is written.
fn word(strategy: StrategyWire) -> &'static str {
    match strategy {
        StrategyWire::Judge => "judge",
        StrategyWire::None => "none",
        StrategyWire::Highlander => "highlander",
        StrategyWire::RedBlack => "redBlack",
        StrategyWire::RollingRedBlack => "rollingRedBlack",
        StrategyWire::Native => "native",
    }
}
