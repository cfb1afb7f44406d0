//! Exit codes.

use coalmine_judges::judgement::Verdict;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    /// The verdict is Pass, or the verb did what it was asked.
    Pass,
    /// The verdict is Fail.
    Fail,
    /// Bad input or config: nothing was judged.
    BadInput,
    /// The verdict is Marginal or Inconclusive.
    Undecided,
    /// Something outside that is needed is not to be had: an address, a folder, a metric store.
    OutOfReach,
    /// A guard, a window, a lock or a person said no.
    NotAllowed,
}

impl Exit {
    /// The number.
    pub(super) fn code(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Fail => 1,
            Self::BadInput => 2,
            Self::Undecided => 3,
            Self::OutOfReach => 4,
            Self::NotAllowed => 5,
        }
    }
}

impl From<Verdict> for Exit {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Pass => Self::Pass,
            Verdict::Fail => Self::Fail,
            Verdict::Marginal | Verdict::Inconclusive => Self::Undecided,
        }
    }
}
