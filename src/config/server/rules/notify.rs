//! What a schema cannot say of channels.

use std::collections::HashSet;
use std::net::IpAddr;
use std::path::Path as FilePath;

use super::super::notify::{Channel, ChannelWire, Mail, MailTls, Way};
use super::Rules;
use crate::config::node::shorten;
use crate::config::path::Path;
use crate::config::problems::Problem;
use crate::model::release::notice::NoticeEvent;

impl Rules {
    /// The channels that are right, in their order.
    pub(super) fn channels(
        &mut self,
        channels: Vec<ChannelWire>,
        folder: &FilePath,
    ) -> Vec<Channel> {
        let mut seen = HashSet::new();
        let mut taken = Vec::new();
        for (index, wire) in channels.into_iter().enumerate() {
            let path = Path::root().key("notify").index(index);
            let channel = self.channel(wire, &path, folder);
            let Some(channel) = channel else {
                continue;
            };
            if channel.name.trim().is_empty() {
                let problem = Problem::new(path.key("name"), "an empty text", "a name");
                self.problems.push(problem);
            } else if !seen.insert(channel.name.clone()) {
                let found = format!("the name `{}` a second time", shorten(&channel.name, 40));
                self.problems.push(Problem::new(
                    path.key("name"),
                    found,
                    "a name of its own for each channel",
                ));
            }
            taken.push(channel);
        }
        taken
    }

    fn channel(&mut self, wire: ChannelWire, path: &Path, folder: &FilePath) -> Option<Channel> {
        let told = |name, events: Option<Vec<NoticeEvent>>, applications: Option<_>, way| Channel {
            name,
            events: events.unwrap_or_default(),
            applications: applications.unwrap_or_default(),
            way,
        };
        match wire {
            ChannelWire::Webhook {
                name,
                url,
                secret,
                events,
                applications,
            } => {
                self.address(&url, &path.key("url"));
                let secret = self.secret(&secret, folder, &path.key("secret"))?;
                Some(told(
                    name,
                    events,
                    applications,
                    Way::Webhook { url, secret },
                ))
            }
            ChannelWire::Slack {
                name,
                url,
                events,
                applications,
            } => {
                let url = self.secret(&url, folder, &path.key("url"))?;
                Some(told(name, events, applications, Way::Slack { url }))
            }
            ChannelWire::Email {
                name,
                smtp,
                tls,
                user,
                password,
                from,
                to,
                events,
                applications,
            } => {
                let tls = tls.unwrap_or_default();
                let server = self.mail_server(&smtp, &path.key("smtp"));
                self.mailbox(&from, &path.key("from"));
                if to.is_empty() {
                    let problem = Problem::new(path.key("to"), "no address", "at least one");
                    self.problems.push(problem);
                }
                for (index, address) in to.iter().enumerate() {
                    self.mailbox(address, &path.key("to").index(index));
                }
                let login = match (user, password) {
                    (Some(user), Some(password)) => {
                        let at = path.key("password");
                        Some((user, self.secret(&password, folder, &at)?))
                    }
                    (None, None) => None,
                    (Some(_), None) | (None, Some(_)) => {
                        self.problems.push(Problem::new(
                            path.clone(),
                            "one of `user` and `password`",
                            "both or none",
                        ));
                        return None;
                    }
                };
                let (host, port) = server?;
                if login.is_some() && tls == MailTls::None && !is_loopback(&host) {
                    let found = "`none`, and a password that would go out in the clear";
                    let expected = "`starttls` or `implicit`";
                    self.problems
                        .push(Problem::new(path.key("tls"), found, expected));
                }
                let mail = Mail {
                    host,
                    port,
                    tls,
                    login,
                    from,
                    to,
                };
                Some(told(name, events, applications, Way::Email(mail)))
            }
        }
    }

    /// Never shows the address: there may be a token in it.
    fn address(&mut self, url: &str, path: &Path) {
        let rest = url
            .strip_prefix("https://")
            .or_else(|| url.strip_prefix("http://"));
        let host = rest.map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
        let found = match host {
            None => "no `http://` or `https://` at its beginning",
            Some("") => "no host",
            Some(host) if host.contains('@') => "a user or password in the address",
            Some(_) => return,
        };
        let expected = "an address such as `https://ci.example.com/hooks/coalmine`";
        self.problems
            .push(Problem::new(path.clone(), found, expected));
    }

    fn mail_server(&mut self, text: &str, path: &Path) -> Option<(String, u16)> {
        let parts = text.trim().rsplit_once(':').and_then(|(host, port)| {
            let host = host.trim_start_matches('[').trim_end_matches(']');
            let port = port.parse::<u16>().ok().filter(|port| *port > 0)?;
            let named = !host.is_empty() && !host.contains(['/', '@', ' ']);
            named.then(|| (host.to_owned(), port))
        });
        if parts.is_none() {
            let expected = "a name and a port, such as `smtp.example.com:587`";
            self.wrong(path.clone(), text, expected);
        }
        parts
    }

    fn mailbox(&mut self, text: &str, path: &Path) {
        let whole = text.rsplit_once('@').is_some_and(|(user, host)| {
            let fits = |part: &str| {
                !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || c.is_control())
            };
            fits(user) && fits(host) && !host.contains(['<', '>', ','])
        });
        if !whole {
            let expected = "an address such as `on-call@example.com`";
            self.wrong(path.clone(), text, expected);
        }
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|it| it.is_loopback())
}
