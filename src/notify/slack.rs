//! Incoming webhooks of Slack, and of what takes the same.

use async_trait::async_trait;
use reqwest::{Client, Url};
use serde_json::json;

use super::text::text;
use super::{Channel, Parcel, Undelivered, Unfit, http, read};
use crate::model::release::notice::Notice;
use crate::model::secret::SecretSource;

/// Posts notices in words.
#[derive(Debug)]
pub struct Slack {
    client: Client,
    url: SecretSource,
}

impl Slack {
    /// Nothing is sent yet.
    ///
    /// # Errors
    /// Where TLS cannot be used.
    pub fn new(url: SecretSource) -> Result<Self, Unfit> {
        let client = http::client()?;
        Ok(Self { client, url })
    }
}

#[async_trait]
impl Channel for Slack {
    async fn send(&self, parcel: Parcel<'_>) -> Result<(), Undelivered> {
        let notice = Notice::from_json(parcel.body)
            .map_err(|error| Undelivered::never(format!("the message cannot be read: {error}")))?;
        let secret = read(&self.url).await?;
        // What is wrong with it says the parser, never what it is.
        let url = Url::parse(secret.reveal())
            .map_err(|error| Undelivered::again(format!("the address: {error}")))?;
        let body = json!({ "text": escaped(&text(&notice)) }).to_string();
        http::post(&self.client, url, &[], body).await
    }
}

/// The three characters that mean something to Slack; nobody can be called by a name in a title.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
