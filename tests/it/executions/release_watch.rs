//! A source that knows only the present hears of a release's windows while they are open.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use coalmine::analysis::task::{Analyst, Collected, Failure, Task};
use coalmine::archive::bundle::Bundle;
use coalmine::clock::Clock;
use coalmine::executions::engine::{Engine, Ports};
use coalmine::executions::release::office::Office;
use coalmine::executions::service::{Executions, Limits, Ulids};
use coalmine_judges::judgement::Judgement;

use super::fixture::{GOOD, PlainAnalyst};
use super::release_fixture::{PausedClock, World, spec};

/// What was told when, and when it was asked for.
#[derive(Debug)]
struct Remembering {
    clock: Arc<PausedClock>,
    heard: Mutex<Vec<(i64, &'static str, Task)>>,
}

impl Remembering {
    fn remember(&self, what: &'static str, task: &Task) {
        let heard = (self.clock.now_ms(), what, task.clone());
        self.heard.lock().unwrap().push(heard);
    }
}

#[async_trait]
impl Analyst for Remembering {
    async fn collect(&self, task: &Task) -> Result<Collected, Vec<Failure>> {
        self.remember("collect", task);
        PlainAnalyst.collect(task).await
    }

    fn judge(&self, bundle: &Bundle) -> Result<Judgement, Failure> {
        PlainAnalyst.judge(bundle)
    }

    async fn watch(&self, task: &Task) {
        self.remember("watch", task);
    }
}

#[tokio::test(start_paused = true)]
async fn each_window_is_told_before_it_begins_to_pass() {
    let mut world = World::with_production(&["here"]);
    let analyst = Arc::new(Remembering {
        clock: Arc::clone(&world.clock),
        heard: Mutex::default(),
    });
    let ports = Ports {
        observer: Arc::clone(&analyst) as _,
        ..world.executions.engine().ports().clone()
    };
    let limits = Limits::default();
    world.executions = Executions::new(Engine::new(ports), Arc::new(Ulids), limits);
    world.office = Office::new(world.executions.clone());
    let id = world.start(spec(GOOD, "2.0.0")).await;
    world.to_its_end(&id).await;

    let heard = analyst.heard.lock().unwrap();
    let collected = heard.iter().filter(|(_, what, _)| *what == "collect");
    let mut count = 0;
    for (_, _, task) in collected {
        count += 1;
        let asked = &task.scopes["default"];
        let told = heard.iter().find(|(_, what, told)| {
            let told = &told.scopes["default"];
            *what == "watch"
                && told.canary.scope == asked.canary.scope
                && told.canary.parameters == asked.canary.parameters
                && told.canary.window.end_ms() >= asked.canary.window.end_ms()
        });
        let (at_ms, _, _) = told.expect("nobody was told what to look at");
        let late_ms = at_ms - asked.canary.window.start_ms();
        assert!(late_ms <= 0, "told {late_ms} ms after the window began");
    }
    assert_eq!(count, 2);
}
