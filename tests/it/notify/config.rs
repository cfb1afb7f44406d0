//! Channels in the server config.

use std::path::Path;

use coalmine::app::notify::channels;
use coalmine::config::problems::plain;
use coalmine::config::server::load;
use coalmine::config::server::notify::{Channel, Mail, MailTls, Way};
use coalmine::config::server::secret::SecretPlace;
use coalmine::model::release::notice::NoticeEvent;

fn read(notify: &str) -> Result<Vec<Channel>, String> {
    let text = format!("version: coalmine/v1\nnotify:\n{notify}");
    let config = load(&text, Path::new("/etc/coalmine"), &[]);
    let config = config.map_err(|refused| {
        refused
            .problems
            .render("server.yaml", &refused.text, &plain)
    })?;
    Ok(config.notify)
}

#[track_caller]
fn refused(notify: &str, parts: &[&str]) -> String {
    let told = read(notify).expect_err("a refusal");
    for part in parts {
        assert!(told.contains(part), "no `{part}` in:\n{told}");
    }
    told
}

#[test]
fn channels_are_taken_with_their_defaults() {
    let taken = read(
        "  - {type: webhook, name: ci, url: 'https://ci.example.com/hook?x=1', secret: {file: key}}
  - {type: slack, name: team, url: {env: SLACK_URL}, events: [decided, heldUp], applications: [search]}
  - {type: email, name: mail, smtp: 'smtp.example.com:587', user: me, password: {env: P}, from: a@example.com, to: [b@example.com]}
  - {type: email, name: local, smtp: '[::1]:25', tls: none, from: a@example.com, to: [b@example.com]}
",
    )
    .unwrap_or_else(|told| panic!("{told}"));
    let channel = |name: &str, way| Channel {
        name: name.to_owned(),
        events: Vec::new(),
        applications: Vec::new(),
        way,
    };
    let secret = SecretPlace::File("/etc/coalmine/key".into());
    let url = "https://ci.example.com/hook?x=1".to_owned();
    assert_eq!(taken[0], channel("ci", Way::Webhook { url, secret }));
    let slack = Channel {
        events: vec![NoticeEvent::Decided, NoticeEvent::HeldUp],
        applications: vec!["search".to_owned()],
        ..channel(
            "team",
            Way::Slack {
                url: SecretPlace::Environment("SLACK_URL".to_owned()),
            },
        )
    };
    assert_eq!(taken[1], slack);
    let mail = Mail {
        host: "smtp.example.com".to_owned(),
        port: 587,
        tls: MailTls::Starttls,
        login: Some(("me".to_owned(), SecretPlace::Environment("P".to_owned()))),
        from: "a@example.com".to_owned(),
        to: vec!["b@example.com".to_owned()],
    };
    assert_eq!(taken[2], channel("mail", Way::Email(mail.clone())));
    let local = Mail {
        host: "::1".to_owned(),
        port: 25,
        tls: MailTls::None,
        login: None,
        ..mail
    };
    assert_eq!(taken[3], channel("local", Way::Email(local)));
    for (event, application, wanted) in [
        (NoticeEvent::Decided, "search", true),
        (NoticeEvent::Asked, "search", false),
        (NoticeEvent::Decided, "pay", false),
    ] {
        assert!(taken[0].wants(event, application));
        assert_eq!(slack.wants(event, application), wanted);
    }
}

#[test]
fn all_that_is_wrong_with_channels_is_told() {
    let told = refused(
        "  - {type: webhook, name: a, url: ci.example.com, secret: {file: key}}
  - {type: webhook, name: a, url: 'https://x', secret: {}}
  - {type: slack, name: a, url: {env: U}, events: [decidd]}
  - {type: slack, name: a, url: {env: U}}
  - {type: email, name: '', smtp: smtp.example.com, from: nobody, to: [b@example.com]}
  - {type: email, name: m, smtp: 'smtp.example.com:25', tls: none, user: me, password: {env: P}, from: a@b, to: [b@c]}
  - {type: email, name: n, smtp: 'smtp.example.com:25', user: me, from: a@b, to: []}
  - {type: pager, name: p}
",
        &[
            "notify[0].url",
            "no `http://` or `https://`",
            "notify[1].secret",
            "did you mean `decided`?",
            "the name `a` a second time",
            "notify[4].smtp",
            "notify[4].from",
            "would go out in the clear",
            "one of `user` and `password`",
            "notify[6].to",
            "notify[7].type",
        ],
    );
    assert!(told.contains("email"), "{told}");
}

#[test]
fn an_address_that_was_written_where_a_secret_belongs_is_not_shown() {
    let token = "T0/B0/t0ken";
    for notify in [
        format!("  - {{type: slack, name: a, url: 'https://hooks.example.com/{token}'}}\n"),
        format!("  - type: slack\n    name: a\n    url: https://hooks.example.com/{token}\n"),
        format!(
            "  - {{type: webhook, nam: a, url: 'https://hooks.example.com/{token}', secret: {{env: S}}}}\n"
        ),
        format!(
            "  - {{type: webhook, name: a, url: 'https://u:p@hooks.example.com/{token}', secret: {{env: S}}}}\n"
        ),
    ] {
        let told = refused(&notify, &["notify[0]"]);
        assert!(!told.contains("t0ken"), "{told}");
    }
}

#[test]
fn channels_are_made_and_a_secret_that_is_missing_is_told_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("key"), "k").unwrap();
    let text = |file: &str| {
        format!(
            "version: coalmine/v1\nnotify:\n  - {{type: webhook, name: ci, url: 'https://x.example.com', secret: {{file: {file}}}}}\n"
        )
    };
    let config = |file: &str| {
        let loaded = load(&text(file), folder.path(), &[]);
        loaded.unwrap_or_else(|refused| panic!("{}", refused.problems))
    };
    let made = channels(&config("key").notify).unwrap();
    assert_eq!(made.keys().collect::<Vec<_>>(), ["ci"]);
    let told = channels(&config("gone").notify).unwrap_err().to_string();
    assert!(
        told.starts_with("cannot read the key of the channel of `ci` from the file"),
        "{told}"
    );
}
