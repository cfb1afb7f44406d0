//! Signed JSON by POST.

use async_trait::async_trait;
use reqwest::header::HeaderName;
use reqwest::{Client, Url};

use super::http;
use super::{Channel, Parcel, Undelivered, Unfit, read, signature};
use crate::model::secret::SecretSource;

/// The signature; see [`signature`].
pub const SIGNATURE: HeaderName = HeaderName::from_static("coalmine-signature");
/// The key of the message, by which a receiver knows one that it has already.
pub const KEY: HeaderName = HeaderName::from_static("coalmine-key");
/// The same, under the name that frameworks look for.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Posts notices as they are.
#[derive(Debug)]
pub struct Webhook {
    client: Client,
    url: Url,
    secret: SecretSource,
}

impl Webhook {
    /// Nothing is sent yet.
    ///
    /// # Errors
    /// An address that is none.
    pub fn new(url: &str, secret: SecretSource) -> Result<Self, Unfit> {
        Ok(Self {
            client: http::client()?,
            url: Url::parse(url).map_err(|error| Unfit(format!("the address: {error}")))?,
            secret,
        })
    }
}

#[async_trait]
impl Channel for Webhook {
    async fn send(&self, parcel: Parcel<'_>) -> Result<(), Undelivered> {
        let secret = read(&self.secret).await?;
        let unix = parcel.now_ms.div_euclid(1_000);
        let signed = signature::header(secret.reveal().as_bytes(), unix, parcel.body);
        let headers = [
            (SIGNATURE, signed),
            (KEY, parcel.key.to_owned()),
            (IDEMPOTENCY_KEY, parcel.key.to_owned()),
        ];
        http::post(
            &self.client,
            self.url.clone(),
            &headers,
            parcel.body.to_owned(),
        )
        .await
    }
}
