//! Mail by SMTP.

use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::{AsyncSmtpTransport, Error};
use lettre::{AsyncTransport as _, Tokio1Executor};
use sha2::{Digest as _, Sha256};

use super::text::{subject, text};
use super::{Channel, Parcel, TRY, Undelivered, Unfit, read};
use crate::config::server::notify::MailTls;
use crate::model::release::notice::Notice;
use crate::model::secret::SecretSource;

/// How mail is sent.
#[derive(Debug, Clone)]
pub struct Mail {
    /// The mail server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is secured.
    pub tls: MailTls,
    /// User and password, where the server wants them.
    pub login: Option<(String, SecretSource)>,
    /// The sender's address.
    pub from: String,
    /// The receivers' addresses.
    pub to: Vec<String>,
}

/// Sends notices in words.
#[derive(Debug)]
pub struct Email {
    mail: Mail,
    from: Mailbox,
    to: Vec<Mailbox>,
}

impl Email {
    /// Nothing is sent yet.
    ///
    /// # Errors
    /// An address that is none.
    pub fn new(mail: Mail) -> Result<Self, Unfit> {
        // An error means that a provider is there already, which is all that is wanted.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mailbox = |text: &String| {
            text.parse::<Mailbox>()
                .map_err(|error| Unfit(format!("the address `{text}`: {error}")))
        };
        Ok(Self {
            from: mailbox(&mail.from)?,
            to: mail.to.iter().map(mailbox).collect::<Result<_, _>>()?,
            mail,
        })
    }

    fn message(&self, parcel: Parcel<'_>) -> Result<Message, Undelivered> {
        let unfit =
            |why: String| Undelivered::never(format!("the message cannot be written: {why}"));
        let notice = Notice::from_json(parcel.body).map_err(|error| unfit(error.to_string()))?;
        let created = u64::try_from(parcel.created_ms).unwrap_or_default();
        let mut message = Message::builder()
            .from(self.from.clone())
            .subject(subject(&notice))
            .date(SystemTime::UNIX_EPOCH + Duration::from_millis(created))
            .message_id(Some(message_id(parcel.key, self.from.email.domain())))
            .header(ContentType::TEXT_PLAIN);
        for to in &self.to {
            message = message.to(to.clone());
        }
        let body = text(&notice);
        message.body(body).map_err(|error| unfit(error.to_string()))
    }

    async fn transport(&self) -> Result<AsyncSmtpTransport<Tokio1Executor>, Undelivered> {
        let mail = &self.mail;
        let secured = || {
            TlsParameters::new(mail.host.clone())
                .map_err(|error| Undelivered::again(format!("cannot use TLS: {error}")))
        };
        let tls = match mail.tls {
            MailTls::Starttls => Tls::Required(secured()?),
            MailTls::Implicit => Tls::Wrapper(secured()?),
            MailTls::None => Tls::None,
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&mail.host)
            .port(mail.port)
            .tls(tls)
            .timeout(Some(TRY));
        if let Some((user, password)) = &mail.login {
            let password = read(password).await?.reveal().to_owned();
            builder = builder.credentials(Credentials::new(user.clone(), password));
        }
        Ok(builder.build())
    }
}

#[async_trait]
impl Channel for Email {
    async fn send(&self, parcel: Parcel<'_>) -> Result<(), Undelivered> {
        let message = self.message(parcel)?;
        let transport = self.transport().await?;
        match tokio::time::timeout(TRY, transport.send(message)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(refusal(&error)),
            Err(_) => Err(Undelivered::again(format!(
                "the mail server took longer than {} s",
                TRY.as_secs()
            ))),
        }
    }
}

fn refusal(error: &Error) -> Undelivered {
    let mut why = format!("mail: {error}");
    let mut cause = std::error::Error::source(error);
    while let Some(beneath) = cause {
        let told = beneath.to_string();
        // Some errors repeat what is beneath them.
        if !why.contains(&told) {
            why = format!("{why}: {told}");
        }
        cause = beneath.source();
    }
    if error.is_permanent() {
        return Undelivered::Never { why };
    }
    Undelivered::again(why)
}

/// The same for every try, so that a mail program shows one that came twice as one.
fn message_id(key: &str, domain: &str) -> String {
    let hash = Sha256::digest(key.as_bytes());
    let short: String = hash
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("<{short}.coalmine@{domain}>")
}
