//! What every driver promises, told once and checked on each of them.

mod groups;
mod refusals;
mod traffic;

use std::time::{Duration, Instant};

use async_trait::async_trait;
use coalmine::drivers::{Driver, DriverError, Fencing, Progress, Remedy};
use coalmine::model::ids::{ExecutionId, InstallationId};
use coalmine::model::release::cluster::{
    Artifact, Capacity, Place, Role, Share, Template, View, Weights,
};
use coalmine::model::release::names::GroupName;
use coalmine::model::release::operation::{Change, OpId, Operation};

/// No story waits longer for anything.
pub(crate) const BOUND: Duration = Duration::from_secs(30);

/// A place that is made for one story, and torn down after it.
#[async_trait]
pub(crate) trait Site: Send + Sync {
    /// The driver of the place.
    fn driver(&self) -> &dyn Driver;
    /// The place; there is nothing in it.
    fn place(&self) -> Place;
    /// The installation that the driver is of.
    fn installation(&self) -> InstallationId;
    /// How an instance is run that gets healthy.
    fn template(&self) -> Template;
    /// Puts a server group into the place that nobody of us made. Called before anything else.
    async fn plant_foreign(&self, group: &GroupName);
    /// Ends it, and fails if anything is left.
    async fn end(self: Box<Self>);
}

/// Makes a test of each story for each driver.
macro_rules! for_every_driver {
    ($($story:ident),+ $(,)?) => {
        mod local {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $story() {
                    let site = crate::local_driver::site::LocalSite::new();
                    super::$story(&site).await;
                    crate::driver_contract::Site::end(Box::new(site)).await;
                }
            )+
        }
    };
}
use for_every_driver;

pub(crate) fn group(name: &str) -> GroupName {
    GroupName::parse(name).unwrap()
}

/// The operation `step` of the release `execution`.
pub(crate) fn id(execution: &str, step: u32) -> OpId {
    OpId {
        execution: ExecutionId::new(execution),
        stage: 0,
        step,
    }
}

/// A group of production with `size` instances.
pub(crate) fn create(site: &(impl Site + ?Sized), name: &str, role: Role, size: u32) -> Change {
    Change::CreateGroup {
        group: group(name),
        role,
        artifact: Artifact {
            version: "5.4.0".to_owned(),
            reference: "search-5.4.0".to_owned(),
        },
        template: site.template(),
        capacity: Capacity::fixed(size),
        lives_ms: None,
    }
}

pub(crate) fn weights(shares: &[(&str, u32)]) -> Weights {
    let shares = shares.iter();
    shares
        .map(|(name, share)| (group(name), Share::new(*share).unwrap()))
        .collect()
}

/// Applies once, under the first lock.
pub(crate) async fn apply(
    site: &(impl Site + ?Sized),
    change: &Change,
    id: &OpId,
) -> Result<(), DriverError> {
    apply_under(site, change, id, Fencing(1)).await
}

pub(crate) async fn apply_under(
    site: &(impl Site + ?Sized),
    change: &Change,
    id: &OpId,
    fencing: Fencing,
) -> Result<(), DriverError> {
    let operation = Operation {
        place: site.place(),
        change: change.clone(),
    };
    site.driver().apply(&operation, id, fencing).await
}

pub(crate) async fn check(site: &(impl Site + ?Sized), change: &Change, id: &OpId) -> Progress {
    let operation = Operation {
        place: site.place(),
        change: change.clone(),
    };
    site.driver().check(&operation, id).await.unwrap()
}

/// Applies, twice, and waits until it is done; then it is done still.
pub(crate) async fn perform(site: &(impl Site + ?Sized), change: Change, id: &OpId) {
    for _ in 0..2 {
        apply(site, &change, id)
            .await
            .unwrap_or_else(|error| panic!("{change:?}: {error}"));
    }
    until_done(site, &change, id).await;
}

pub(crate) async fn until_done(site: &(impl Site + ?Sized), change: &Change, id: &OpId) {
    let since = Instant::now();
    loop {
        match check(site, change, id).await {
            Progress::Done => return,
            Progress::Failed { why } => panic!("{change:?} failed: {why}"),
            progress @ (Progress::NotStarted | Progress::InFlight { .. }) => {
                assert!(since.elapsed() < BOUND, "{change:?}: {progress:?}");
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub(crate) async fn view(site: &(impl Site + ?Sized)) -> View {
    site.driver().observe(&site.place()).await.unwrap()
}

/// It is refused for ever, and the message has all of `words`.
#[track_caller]
pub(crate) fn refused(result: Result<(), DriverError>, words: &[&str]) {
    let error = result.unwrap_err();
    assert_eq!(error.remedy, Remedy::GiveUp, "{error}");
    let told = error.to_string();
    for word in words {
        assert!(told.contains(word), "no `{word}` in: {told}");
    }
}
