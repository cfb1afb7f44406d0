//! What releases left behind is removed by the installation that they belong to, and by nobody else before its time.

use std::time::Duration;

use coalmine::drivers::fake::FakeDriver;
use coalmine::drivers::{Driver, Fencing};
use coalmine::executions::reaper::{Reaper, ReaperSettings};
use coalmine::executions::state::Status;
use coalmine::model::ids::{ExecutionId, InstallationId};
use coalmine::model::release::cluster::{Artifact, Capacity, Role, Template};
use coalmine::model::release::names::GroupName;
use coalmine::model::release::operation::{Change, OpId, Operation};

use super::fixture::GOOD;
use super::release_fixture::{World, place, spec};

const GRACE: Duration = Duration::from_secs(120);
const LIVES_MS: u64 = 3_600_000;

fn named(text: &str) -> InstallationId {
    InstallationId::new(text)
}

fn reaper(world: &World, installation: &str) -> Reaper {
    Reaper::new(
        world.executions.engine().clone(),
        named(installation),
        ReaperSettings::default(),
    )
}

/// Looks, waits for the grace to be over, and looks again; the names of what was removed.
async fn reaped(reaper: &Reaper) -> Vec<String> {
    let mut removed = Vec::new();
    for _ in 0..2 {
        let reaped = reaper.look().await;
        assert_eq!(reaped.troubles, Vec::<String>::new());
        removed.extend(reaped.removed.iter().map(|it| it.group.to_string()));
        tokio::time::advance(GRACE).await;
    }
    removed
}

/// Leaves a canary of `execution` there, as a release whose database is lost does.
async fn leave(driver: &FakeDriver, name: &str, execution: &ExecutionId) {
    let change = Change::CreateGroup {
        group: GroupName::parse(name).unwrap(),
        role: Role::Canary,
        artifact: Artifact {
            version: "2.0.0".to_owned(),
            reference: "2.0.0".to_owned(),
        },
        template: Template(serde_json::json!({})),
        capacity: Capacity::fixed(1),
        lives_ms: Some(LIVES_MS),
    };
    let id = OpId {
        execution: execution.clone(),
        stage: 0,
        step: 0,
    };
    let operation = Operation {
        place: place("here"),
        change,
    };
    let seen = driver.observe(&place("here")).await.unwrap().fencing;
    driver.apply(&operation, &id, Fencing(seen)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_canary_of_another_installation_is_left_alone_however_old_it_is() {
    let (ours, theirs) = (World::with_production(&["here"]), "01THEIRS");
    let lost = ExecutionId::new("01LOST");
    let driver = ours.fake.of_installation(named(theirs));
    leave(&driver, "shop-prod-canary-v000", &lost).await;
    let stranger = reaper(&ours, "01OURS");
    assert_eq!(reaped(&stranger).await, Vec::<String>::new());
    // Past its time limit it is the business of whoever runs the place.
    tokio::time::advance(Duration::from_millis(LIVES_MS)).await;
    assert_eq!(reaped(&stranger).await, Vec::<String>::new());
    // Whose it is knows that there is no such release, and needs not wait for any time limit.
    let owner = reaper(&ours, theirs);
    assert_eq!(reaped(&owner).await, ["shop-prod-canary-v000"]);
}

#[tokio::test(start_paused = true)]
async fn a_lost_database_is_cleaned_up_after_before_the_time_limit() {
    let world = World::with_production(&["here"]);
    let lost = ExecutionId::new("01LOST");
    let driver = world.fake.of_installation(named("01OURS"));
    leave(&driver, "shop-prod-canary-v000", &lost).await;
    assert_eq!(
        reaped(&reaper(&world, "01OURS")).await,
        ["shop-prod-canary-v000"]
    );
    world.check_nothing_is_left().await;
}

#[tokio::test(start_paused = true)]
async fn what_has_no_name_of_an_installation_goes_with_its_release_or_at_its_time_limit() {
    let world = World::with_production(&["here"]);
    let id = world.start(spec(GOOD, "2.0.0")).await;
    assert_eq!(world.to_its_end(&id).await.status(), Status::Succeeded);
    leave(&world.fake, "shop-prod-canary-v008", &id).await;
    leave(
        &world.fake,
        "shop-prod-canary-v009",
        &ExecutionId::new("01OTHER"),
    )
    .await;
    let reaper = reaper(&world, "01OURS");
    assert_eq!(reaped(&reaper).await, ["shop-prod-canary-v008"]);
    tokio::time::advance(Duration::from_millis(LIVES_MS)).await;
    // With it the version that was kept for so long after the promotion.
    assert_eq!(
        reaped(&reaper).await,
        ["shop-prod-canary-v009", "shop-prod-v007"]
    );
}

#[tokio::test(start_paused = true)]
async fn two_services_that_share_a_place_do_not_take_each_others_releases_for_orphans() {
    let base = World::with_production(&["here", "there"]);
    let services = ["01FIRST", "01SECOND"].map(|name| (base.in_installation(name), name));
    let reapers = services.each_ref().map(|(world, name)| reaper(world, name));
    let mut under_way = Vec::new();
    for ((world, _), location) in services.iter().zip(["here", "there"]) {
        let mut spec = spec(GOOD, "2.0.0");
        spec.targets[0].place = place(location);
        let id = world.start(spec).await;
        world
            .until(&id, |state| state.last_outcome().is_some())
            .await;
        under_way.push((world, id));
    }
    let canaries = canaries(&base).await;
    assert_eq!(canaries, 4, "two of each side");
    for reaper in &reapers {
        assert_eq!(reaped(reaper).await, Vec::<String>::new());
    }
    for (world, id) in under_way {
        let state = world.to_its_end(&id).await;
        assert_eq!(state.status(), Status::Succeeded, "{}", state.sentence());
    }
    assert_eq!(self::canaries(&base).await, 0);
    base.check_nothing_is_left().await;
}

async fn canaries(world: &World) -> usize {
    let owned = world.fake.find_owned().await.unwrap();
    let ours = owned.iter().filter(|it| it.role != Role::Production);
    ours.inspect(|it| assert!(it.installation.is_some()))
        .count()
}

/// Only for the shape of what is kept.
#[test]
fn a_mark_of_before_installations_had_names_is_read_and_written_as_it_was() {
    use coalmine::model::release::cluster::Owner;
    let old = r#"{"execution":"01X","operation":"01X/0.1"}"#;
    let owner: Owner = serde_json::from_str(old).unwrap();
    assert_eq!(owner.installation, None);
    // Hashes of plans rest on it.
    assert_eq!(serde_json::to_string(&owner).unwrap(), old);
    let named = Owner {
        installation: Some(named("01OURS")),
        ..owner
    };
    let text = serde_json::to_string(&named).unwrap();
    assert_eq!(serde_json::from_str::<Owner>(&text).unwrap(), named);
}
