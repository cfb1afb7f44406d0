//! Executions: what may happen, what is next, and that nothing is lost whatever breaks.

mod faults;
mod fixture;
mod journal_format;
mod reaper;
mod release_audit;
mod release_fixture;
mod release_gaps;
mod release_kills;
mod release_lives;
mod release_notices;
mod release_places;
mod release_simulation;
mod release_watch;
mod seeds;
mod simulation;
mod transitions;
mod worker;
