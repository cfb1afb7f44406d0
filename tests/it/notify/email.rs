//! Mail: what is sent, and what an answer means.

use coalmine::config::server::notify::MailTls;
use coalmine::model::secret::SecretSource;
use coalmine::notify::email::{Email, Mail};
use coalmine::notify::{Channel as _, Undelivered};

use super::scripted_smtp::ScriptedSmtp;
use super::{asked, parcel};

const PASSWORD: &str = "p4ssword-of-the-mail";

fn mail(port: u16) -> Mail {
    Mail {
        host: "127.0.0.1".to_owned(),
        port,
        tls: MailTls::None,
        login: None,
        from: "Coalmine <coalmine@example.com>".to_owned(),
        to: vec![
            "on-call@example.com".to_owned(),
            "search@example.org".to_owned(),
        ],
    }
}

fn with_login(port: u16) -> Mail {
    Mail {
        login: Some(("coalmine".to_owned(), SecretSource::value(PASSWORD))),
        ..mail(port)
    }
}

async fn send(mail: Mail) -> Result<(), Undelivered> {
    let body = asked().to_json().unwrap();
    Email::new(mail).unwrap().send(parcel(&body)).await
}

fn starting(answers: &'static [(&'static str, &'static str)]) -> ScriptedSmtp {
    ScriptedSmtp::start(move |command| {
        let fits = |(start, _): &&(&str, &str)| command.starts_with(start);
        answers.iter().find(fits).map(|(_, answer)| *answer)
    })
}

#[tokio::test]
async fn a_mail_says_what_happened_and_what_can_be_done() {
    let server = starting(&[]);
    send(mail(server.port())).await.unwrap();
    let session = server.sessions().remove(0);
    let commands: Vec<&str> = session.commands.iter().map(String::as_str).collect();
    for command in [
        "MAIL FROM:<coalmine@example.com>",
        "RCPT TO:<on-call@example.com>",
        "RCPT TO:<search@example.org>",
        "DATA",
    ] {
        let came = commands.iter().any(|it| it.starts_with(command));
        assert!(came, "no `{command}` in {commands:?}");
    }
    let golden = "\
From: Coalmine <coalmine@example.com>
Subject: [coalmine] search, waits for you: search 5.4.0 scored 86 at 25%,
 Marginal: p99 & <errors> rose
Date: Thu, 12 Mar 2026 14:15:04 +0000
Message-ID: <8dd10589f6dfdc03b7c06a1793fb2b92.coalmine@example.com>
Content-Type: text/plain; charset=utf-8
To: on-call@example.com, search@example.org
Content-Transfer-Encoding: 7bit

search 5.4.0 scored 86 at 25%, Marginal: p99 & <errors> rose
search, release r-2c81, 2026-03-12T14:15:04Z
Verdict: Marginal, score 86
Answer by 2026-03-12T14:45:04Z
  coalmine release approve r-2c81
  coalmine release rollback r-2c81
Report: https://coalmine.example.com/reports/r-2c81?a=1&b=2
";
    assert_eq!(session.mails, [golden]);
}

#[tokio::test]
async fn a_mail_that_comes_twice_is_recognisable_and_another_one_is_another() {
    let server = starting(&[]);
    for _ in 0..2 {
        send(mail(server.port())).await.unwrap();
    }
    let body = asked().to_json().unwrap();
    let mut other = parcel(&body);
    other.key = "r-2c81/9/mail";
    let email = Email::new(mail(server.port())).unwrap();
    email.send(other).await.unwrap();
    let mails: Vec<String> = server
        .sessions()
        .iter()
        .flat_map(|it| it.mails.clone())
        .collect();
    assert_eq!(mails.len(), 3);
    assert_eq!(mails[0], mails[1]);
    let id = |mail: &str| {
        let line = mail.lines().find(|line| line.starts_with("Message-ID: "));
        line.unwrap().to_owned()
    };
    assert_ne!(id(&mails[0]), id(&mails[2]));
}

#[tokio::test]
async fn a_title_cannot_add_a_head_or_end_the_mail() {
    let server = starting(&[]);
    let mut notice = asked();
    notice.title = "rose\r\nBcc: all@example.com\r\n.\r\nQUIT – ü".to_owned();
    let body = notice.to_json().unwrap();
    let email = Email::new(mail(server.port())).unwrap();
    email.send(parcel(&body)).await.unwrap();
    let session = server.sessions().remove(0);
    assert_eq!(session.mails.len(), 1);
    let mail = &session.mails[0];
    assert!(!mail.lines().any(|line| line.starts_with("Bcc:")), "{mail}");
    let to = session.commands.iter().filter(|it| it.starts_with("RCPT"));
    assert_eq!(to.count(), 2);
}

#[tokio::test]
async fn an_answer_of_the_mail_server_is_final_or_passing() {
    for (command, answer, is_final) in [
        ("RCPT", "550 5.1.1 no such user", true),
        ("RCPT", "451 4.7.1 come back later", false),
        ("MAIL", "421 4.3.0 going down", false),
        (".", "554 5.7.1 refused", true),
        (".", "452 4.3.1 full", false),
    ] {
        let server = ScriptedSmtp::start(move |line| line.starts_with(command).then_some(answer));
        let refusal = send(mail(server.port())).await.unwrap_err();
        let why = refusal.to_string();
        let told = answer.split_once(' ').unwrap().1;
        assert!(why.starts_with("mail: ") && why.contains(told), "{why}");
        let never = matches!(refusal, Undelivered::Never { .. });
        assert_eq!(never, is_final, "{command}: {answer}");
    }
    let port = starting(&[]).port();
    let nobody = send(mail(port)).await.unwrap_err();
    assert!(matches!(nobody, Undelivered::Again { .. }), "{nobody:?}");
}

#[tokio::test]
async fn who_we_are_is_said_where_it_is_wanted_and_never_in_an_error() {
    let server = starting(&[]);
    send(with_login(server.port())).await.unwrap();
    let session = server.sessions().remove(0);
    // `\0coalmine\0p4ssword-of-the-mail` in base64.
    let said = "AUTH PLAIN AGNvYWxtaW5lAHA0c3N3b3JkLW9mLXRoZS1tYWls";
    assert!(session.commands.iter().any(|it| it == said), "{session:?}");
    let server = starting(&[("AUTH", "535 5.7.8 wrong")]);
    let refusal = send(with_login(server.port())).await.unwrap_err();
    assert!(matches!(refusal, Undelivered::Never { .. }), "{refusal:?}");
    assert!(refusal.to_string().contains("5.7.8 wrong"), "{refusal}");
    let shown = format!("{refusal:?} {:?}", Email::new(with_login(1)).unwrap());
    assert!(
        !shown.contains(PASSWORD) && !shown.contains("AGNvYW"),
        "{shown}"
    );
}

#[tokio::test]
async fn nothing_is_said_to_a_server_that_does_not_secure_the_connection() {
    let server = starting(&[]);
    let secured = Mail {
        tls: MailTls::Starttls,
        ..with_login(server.port())
    };
    let refusal = send(secured).await.unwrap_err();
    assert!(matches!(refusal, Undelivered::Again { .. }), "{refusal:?}");
    let session = server.sessions().remove(0);
    assert!(session.mails.is_empty());
    let said = |start: &str| session.commands.iter().any(|it| it.starts_with(start));
    assert!(
        said("EHLO") && !said("AUTH") && !said("MAIL"),
        "{session:?}"
    );
}

#[test]
fn an_address_that_is_none_is_told() {
    let wrong = Mail {
        to: vec!["on call".to_owned()],
        ..mail(25)
    };
    let told = Email::new(wrong).unwrap_err().to_string();
    assert!(told.starts_with("the address `on call`: "), "{told}");
}
