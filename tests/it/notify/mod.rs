//! Stories of who is told of releases.

mod config;
mod email;
mod outbox;
mod posts;
mod scripted_smtp;

use coalmine::model::ids::ExecutionId;
use coalmine::model::release::notice::{Notice, NoticeEvent, VERSION, moment};
use coalmine::notify::Parcel;
use coalmine_judges::judgement::Verdict;

/// 2026-03-12T14:15:04Z.
const NOW: i64 = 1_773_324_904_000;

/// A person is asked, with everything that can be said.
fn asked() -> Notice {
    Notice {
        version: VERSION,
        execution: ExecutionId::new("r-2c81"),
        application: "search".to_owned(),
        event: NoticeEvent::Asked,
        title: "search 5.4.0 scored 86 at 25%, Marginal: p99 & <errors> rose".to_owned(),
        decision: None,
        cause: None,
        by: None,
        verdict: Some(Verdict::Marginal),
        score: Some(86.4),
        report: Some("https://coalmine.example.com/reports/r-2c81?a=1&b=2".to_owned()),
        deadline: Some(moment(NOW + 1_800_000)),
        answer_commands: vec![
            "coalmine release approve r-2c81".to_owned(),
            "coalmine release rollback r-2c81".to_owned(),
        ],
        at: moment(NOW),
    }
}

fn decided() -> Notice {
    Notice {
        event: NoticeEvent::Decided,
        title: "search was rolled back: grace said no".to_owned(),
        decision: Some("rolledBack".to_owned()),
        cause: Some("person".to_owned()),
        by: Some("grace".to_owned()),
        verdict: None,
        score: None,
        report: None,
        deadline: None,
        answer_commands: Vec::new(),
        ..asked()
    }
}

fn parcel(body: &str) -> Parcel<'_> {
    Parcel {
        key: "r-2c81/7/hook",
        body,
        created_ms: NOW,
        now_ms: NOW + 1_500,
    }
}
