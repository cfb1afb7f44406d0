//! How often judges are right: canaries whose truth is known, simulated from seeds or recorded, put before every judge.
//!
//! * [`chance`] and [`generate`] make series: loads, noises, kinds, changes. The same names give the same bits everywhere.
//! * [`case`] is one canary; [`scenario`] is a kind of canary with what is required; [`catalogue`] lists all of them.
//! * [`contender`] is a judge under test: anything that implements [`coalmine_judges::judge::Judge`].
//! * [`run`] runs, [`tally`] counts, [`rate`] puts intervals on the counts, [`timing`] measures the time.
//! * [`report`] prints and writes what came out.
//!
//! Nothing here reads a clock but [`timing`], and nothing a file but [`catalogue::recorded`] and the program itself.

pub mod case;
pub mod catalogue;
pub mod chance;
pub mod contender;
pub mod generate;
pub mod rate;
pub mod report;
pub mod run;
pub mod scenario;
pub mod tally;
pub mod timing;
