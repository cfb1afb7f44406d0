//! What the simulated metrics look like: pure functions from a [`crate::chance::Chance`] to series.
//!
//! A metric is `level × load × noise`, in that order: the load is shared by baseline, canary and the past, the noise is each
//! side's own, and a change is done to the canary alone.

pub mod count;
pub mod gauge;
pub mod load;
pub mod noise;
pub mod proportion;
pub mod state;

/// How long the comparison lasts where nothing else is said, in minutes; there is a point each minute.
pub const HOUR: usize = 60;

/// What is known of the live version before the canary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Past {
    /// Nothing.
    #[default]
    Unknown,
    /// One series of the live cluster, of so many minutes.
    Cluster(usize),
    /// Two series of equal parts of the live cluster, of so many minutes, such as two instances give.
    Replicas(usize),
}

impl Past {
    /// Twelve hours of the live cluster.
    pub const CLUSTER_12_H: Self = Self::Cluster(720);
    /// Twelve hours of two equal parts of the live cluster.
    pub const REPLICAS_12_H: Self = Self::Replicas(720);

    /// Minutes before the comparison, and how many series there are of them.
    #[must_use]
    pub fn extent(self) -> (usize, usize) {
        match self {
            Self::Unknown => (0, 0),
            Self::Cluster(minutes) => (minutes, 1),
            Self::Replicas(minutes) => (minutes, 2),
        }
    }

    /// How reports call it.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Unknown => "no history".to_owned(),
            Self::Cluster(minutes) => format!("{} h of the live cluster", minutes / 60),
            Self::Replicas(minutes) => format!("{} h of two replicas", minutes / 60),
        }
    }
}

/// The points of one metric, a point each minute: two sides of equal length and the past that ends where they start.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Points {
    /// The version now live.
    pub baseline: Vec<f64>,
    /// The new version.
    pub canary: Vec<f64>,
    /// The live version before.
    pub past: Vec<Vec<f64>>,
    /// Single instances of baseline and canary, of which the sides are the means; none where they are not told apart.
    pub instances: [Vec<Vec<f64>>; 2],
}
