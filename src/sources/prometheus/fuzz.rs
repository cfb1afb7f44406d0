//! The bodies of the fuzz targets: ordinary functions, which `cargo test` runs over the corpus.

use super::promql;
use super::range::Range;
use super::reply;
use super::series::{self, About, Joined};
use crate::model::scope::Window;
use crate::sources::Manner;

/// Most series that a fuzzed answer may have.
const MAX_SERIES: usize = 8;

/// Reads `data` as an answer; the body of the fuzz target `prometheus_reply`.
///
/// # Panics
/// Where a promise is broken: what is read fits on the grid, and no value is NaN.
pub fn fuzz_reply(data: &[u8]) {
    let Ok(reply) = reply::read(data) else {
        return;
    };
    let Some(data) = reply.data else {
        return;
    };
    let _ = reply::vector(data);
    let _ = reply::strings(data);
    let _ = reply::build(data);
    let Ok(found) = reply::matrix(data, MAX_SERIES) else {
        return;
    };
    assert!(found.len() <= MAX_SERIES);
    let (start_ms, end_ms) = (1_554_982_440_000, 1_554_983_040_000);
    let Ok(window) = Window::new(start_ms, end_ms) else {
        return;
    };
    for manner in [Manner::Kayenta, Manner::Aligned] {
        let mut joined = Joined::default();
        joined.add(found.clone());
        joined.add(found.clone());
        let range = Range {
            start_ms,
            end_ms,
            step_ms: 60_000,
        };
        let about = About {
            metric: "fuzz",
            query: "fuzz",
            range,
            window,
            manner,
        };
        let laid = series::lay(about, joined);
        assert!(!laid.sets.is_empty());
        let there = laid.sets.iter().flat_map(|set| set.values.iter().flatten());
        assert!(there.clone().all(|value| !value.is_nan()));
        assert_eq!(there.count() as u64, laid.points);
        if manner == Manner::Aligned {
            assert!(
                laid.sets
                    .iter()
                    .all(|set| set.values.is_empty() || set.values.len() == 11)
            );
        }
    }
}

/// Scans `data` as a query; the body of the fuzz target `prometheus_query`.
///
/// # Panics
/// Where a promise is broken: a guarded query has no bare selector left, and guarding it again changes nothing.
pub fn fuzz_query(data: &[u8]) {
    let Ok(query) = std::str::from_utf8(data) else {
        return;
    };
    let guarded = promql::guard(query, 60);
    if promql::outline(query).is_broken {
        assert_eq!(guarded, query);
        return;
    }
    let outline = promql::outline(&guarded);
    let is_bare = |selector: &promql::Selector| selector.reading == promql::Reading::Bare;
    assert!(!outline.selectors.iter().any(is_bare), "`{guarded}`");
    assert_eq!(promql::guard(&guarded, 60), guarded);
}
