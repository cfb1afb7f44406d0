//! Who is told of releases, and how.

use schemars::JsonSchema;
use serde::Deserialize;

use super::secret::{SecretPlace, SecretWire};
use crate::model::release::notice::NoticeEvent;

/// One channel as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(
    tag = "type",
    rename_all = "lowercase",
    rename_all_fields = "camelCase"
)]
#[schemars(deny_unknown_fields)]
pub enum ChannelWire {
    /// An address of ours or yours that takes signed JSON.
    Webhook {
        /// What the channel is called; messages that wait are kept under this name.
        name: String,
        /// Where to post to, `https://…`. It holds no user or password.
        url: String,
        /// The key of the signature (HMAC-SHA256 of time and body).
        secret: SecretWire,
        /// What is told; everything where absent or empty.
        #[serde(default)]
        events: Option<Vec<NoticeEvent>>,
        /// The applications that it is told of; all where absent or empty.
        #[serde(default)]
        applications: Option<Vec<String>>,
    },
    /// An incoming webhook of Slack, or of what takes the same: Mattermost, Rocket.Chat, Zulip.
    Slack {
        /// What the channel is called.
        name: String,
        /// Where to post to. Whoever knows it can post, so it is a secret.
        url: SecretWire,
        /// What is told; everything where absent or empty.
        #[serde(default)]
        events: Option<Vec<NoticeEvent>>,
        /// The applications that it is told of; all where absent or empty.
        #[serde(default)]
        applications: Option<Vec<String>>,
    },
    /// Mail by SMTP.
    Email {
        /// What the channel is called.
        name: String,
        /// The mail server, `host:port`.
        smtp: String,
        /// How the connection is secured: `starttls` where absent.
        #[serde(default)]
        tls: Option<MailTls>,
        /// Who we are at the mail server; nobody where absent.
        #[serde(default)]
        user: Option<String>,
        /// The user's password.
        #[serde(default)]
        password: Option<SecretWire>,
        /// The sender's address.
        from: String,
        /// The addresses that it is sent to.
        #[schemars(length(min = 1))]
        #[serde(default)]
        to: Vec<String>,
        /// What is told; everything where absent or empty.
        #[serde(default)]
        events: Option<Vec<NoticeEvent>>,
        /// The applications that it is told of; all where absent or empty.
        #[serde(default)]
        applications: Option<Vec<String>>,
    },
}

/// How the connection to a mail server is secured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MailTls {
    /// It begins plain and must be secured before anything is said (usually port 587).
    #[default]
    Starttls,
    /// It is secured from the first byte on (usually port 465).
    Implicit,
    /// Never.
    None,
}

/// One channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// Its name; unique.
    pub name: String,
    /// What is told; everything where empty.
    pub events: Vec<NoticeEvent>,
    /// Of which applications; of all where empty.
    pub applications: Vec<String>,
    /// Where it leads.
    pub way: Way,
}

/// Where a channel leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// Signed JSON.
    Webhook {
        /// Where to.
        url: String,
        /// The key of the signature.
        secret: SecretPlace,
    },
    /// Slack, or what takes the same.
    Slack {
        /// Where to.
        url: SecretPlace,
    },
    /// Mail.
    Email(Mail),
}

/// How mail is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// The mail server's name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is secured.
    pub tls: MailTls,
    /// User and password, where the server wants them.
    pub login: Option<(String, SecretPlace)>,
    /// The sender's address.
    pub from: String,
    /// The receivers' addresses; at least one.
    pub to: Vec<String>,
}

impl Channel {
    /// Whether this is told there.
    #[must_use]
    pub fn wants(&self, event: NoticeEvent, application: &str) -> bool {
        let named = self.applications.iter().any(|name| name == application);
        (self.events.is_empty() || self.events.contains(&event))
            && (self.applications.is_empty() || named)
    }
}
