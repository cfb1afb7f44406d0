//! Channels to those who are told of releases, from the server config.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{AppError, secret};
use crate::config::server::notify::{Channel as Configured, Way};
use crate::config::server::secret::SecretPlace;
use crate::model::secret::SecretSource;
use crate::notify::email::{Email, Mail};
use crate::notify::slack::Slack;
use crate::notify::webhook::Webhook;
use crate::notify::{Channel, Unfit};

/// All channels, by name. Nothing is sent yet; secrets are there, and are read again with each message where they stand in files.
///
/// # Errors
/// `Channel`, `Secret`: the first channel that cannot be used.
pub fn channels(configured: &[Configured]) -> Result<BTreeMap<String, Arc<dyn Channel>>, AppError> {
    configured
        .iter()
        .map(|channel| Ok((channel.name.clone(), made(channel)?)))
        .collect()
}

fn made(channel: &Configured) -> Result<Arc<dyn Channel>, AppError> {
    let name = &channel.name;
    let unfit = |cause: Unfit| AppError::Channel {
        name: name.clone(),
        cause: Box::new(cause),
    };
    let source = |place: &SecretPlace, what: &str| source(place, &format!("{what} of `{name}`"));
    Ok(match &channel.way {
        Way::Webhook { url, secret } => {
            let secret = source(secret, "the key of the channel")?;
            Arc::new(Webhook::new(url, secret).map_err(unfit)?)
        }
        Way::Slack { url } => {
            let url = source(url, "the address of the channel")?;
            Arc::new(Slack::new(url).map_err(unfit)?)
        }
        Way::Email(mail) => {
            let login = match &mail.login {
                Some((user, password)) => Some((
                    user.clone(),
                    source(password, "the password of the channel")?,
                )),
                None => None,
            };
            let mail = Mail {
                host: mail.host.clone(),
                port: mail.port,
                tls: mail.tls,
                login,
                from: mail.from.clone(),
                to: mail.to.clone(),
            };
            Arc::new(Email::new(mail).map_err(unfit)?)
        }
    })
}

/// What is not there now is told now, and not with the first message.
fn source(place: &SecretPlace, what: &str) -> Result<SecretSource, AppError> {
    let text = secret(place, what)?;
    Ok(match place {
        SecretPlace::File(path) => SecretSource::file(path),
        SecretPlace::Environment(_) => SecretSource::value(text),
    })
}
