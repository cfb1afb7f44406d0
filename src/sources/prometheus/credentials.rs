//! Secrets and certificates in files: read when they change, and never shown.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use tokio::fs;

use super::account::{Account, Auth, Tls};
use crate::model::secret::{Secret, SecretSource};
use crate::sources::{Remedy, SourceError};

/// What tells that a file is another than before: when it was written, and how long it is.
type Stamp = Vec<(PathBuf, Option<(SystemTime, u64)>)>;

async fn stamp<'p>(paths: impl Iterator<Item = &'p Path>) -> Stamp {
    let mut stamp = Vec::new();
    for path in paths {
        let found = fs::metadata(path).await.ok();
        let written = found.and_then(|found| Some((found.modified().ok()?, found.len())));
        stamp.push((path.to_owned(), written));
    }
    stamp
}

async fn read(account: &str, what: &str, path: &Path) -> Result<Vec<u8>, SourceError> {
    fs::read(path).await.map_err(|why| {
        let message = format!(
            "account `{account}`: cannot read {what} `{}`",
            path.display()
        );
        let mut error = SourceError::new(Remedy::Mend, message);
        error.cause = Some(Box::new(why));
        error
    })
}

/// The headers that say who we are, as last read.
#[derive(Debug, Default)]
pub(super) struct Headers {
    stamp: Option<Stamp>,
    headers: HeaderMap,
    /// Every secret that is in them, to be kept out of texts that a server sends back.
    secrets: Vec<Secret>,
    /// Those before the last change.
    former: Vec<Secret>,
}

impl Headers {
    pub(super) fn map(&self) -> &HeaderMap {
        &self.headers
    }

    /// Whether they were ever read.
    pub(super) fn is_read(&self) -> bool {
        self.stamp.is_some()
    }

    /// `text` without the secrets, also where they are escaped as in JSON; those that were exchanged last stay out as well, since an
    /// answer may still be to a request with them.
    pub(super) fn without_secrets(&self, text: &str) -> String {
        let mut known: Vec<String> = Vec::new();
        for secret in self.secrets.iter().chain(&self.former) {
            let secret = secret.reveal();
            let escaped = format!("{secret:?}");
            known.push(escaped.trim_matches('"').to_owned());
            known.push(secret.to_owned());
        }
        known.retain(|secret| secret.len() >= 4);
        // One may hold another: the longer one first, so that nothing is left of it.
        known.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        let start = text.to_owned();
        known
            .iter()
            .fold(start, |text, secret| text.replace(secret.as_str(), "***"))
    }

    /// The headers as they are now, where files have changed since; with `anyway`, also where they look unchanged.
    pub(super) async fn refreshed(
        &self,
        account: &Account,
        anyway: bool,
    ) -> Result<Option<Self>, SourceError> {
        let now = stamp(files(account)).await;
        if !anyway && self.stamp.as_ref() == Some(&now) {
            return Ok(None);
        }
        let mut fresh = Self {
            stamp: Some(now),
            ..Self::default()
        };
        fresh.authorize(account).await?;
        for (name, value) in &account.headers {
            let value = secret(account, &format!("the value of header `{name}`"), value).await?;
            let header = HeaderName::try_from(name.as_str());
            let header = header.map_err(|_| bad_header(account, name))?;
            fresh.insert(account, header, value.reveal().to_owned())?;
            fresh.secrets.push(value);
        }
        fresh.former = match fresh.secrets == self.secrets {
            true => self.former.clone(),
            false => self.secrets.clone(),
        };
        Ok(Some(fresh))
    }

    async fn authorize(&mut self, account: &Account) -> Result<(), SourceError> {
        let authorization = reqwest::header::AUTHORIZATION;
        let value = match &account.auth {
            Auth::None => return Ok(()),
            Auth::Bearer { token } => {
                let token = secret(account, "the bearer token", token).await?;
                let value = format!("Bearer {}", token.reveal());
                self.secrets.push(token);
                value
            }
            Auth::Basic { username, password } => {
                let password = secret(account, "the password", password).await?;
                self.basic(username, password.reveal())
            }
            Auth::UsernamePasswordFile(path) => {
                let text = text(account, "`usernamePasswordFile`", path).await?;
                let Some((user, password)) = text.reveal().split_once(':') else {
                    let message = format!(
                        "account `{}`: `{}` holds no colon; expected `user:password`",
                        account.name,
                        path.display()
                    );
                    return Err(SourceError::new(Remedy::Mend, message));
                };
                self.basic(user, password)
            }
        };
        self.insert(account, authorization, value)
    }

    fn basic(&mut self, user: &str, password: &str) -> String {
        let encoded = BASE64_STANDARD.encode(format!("{user}:{password}"));
        let value = format!("Basic {encoded}");
        self.secrets
            .extend([Secret::new(password), Secret::new(encoded)]);
        value
    }

    fn insert(
        &mut self,
        account: &Account,
        name: HeaderName,
        value: String,
    ) -> Result<(), SourceError> {
        let mut value =
            HeaderValue::try_from(value).map_err(|_| bad_header(account, name.as_str()))?;
        value.set_sensitive(true);
        self.headers.insert(name, value);
        Ok(())
    }
}

fn bad_header(account: &Account, name: &str) -> SourceError {
    let message = format!(
        "account `{}`: header `{name}` has a name or value that HTTP does not allow; expected printable ASCII on one line",
        account.name
    );
    SourceError::new(Remedy::Mend, message)
}

/// Whether any header of the account comes from a file.
pub(super) fn has_files(account: &Account) -> bool {
    files(account).next().is_some()
}

fn files(account: &Account) -> impl Iterator<Item = &Path> {
    let auth = match &account.auth {
        Auth::None => None,
        Auth::UsernamePasswordFile(path) => Some(path.as_path()),
        Auth::Basic { password, .. } => file(password),
        Auth::Bearer { token } => file(token),
    };
    auth.into_iter()
        .chain(account.headers.values().filter_map(file))
}

fn file(source: &SecretSource) -> Option<&Path> {
    match source {
        SecretSource::Value(_) => None,
        SecretSource::File(file) => Some(&file.file),
    }
}

async fn secret(
    account: &Account,
    what: &str,
    source: &SecretSource,
) -> Result<Secret, SourceError> {
    match source {
        SecretSource::Value(secret) => Ok(secret.clone()),
        SecretSource::File(file) => text(account, what, &file.file).await,
    }
}

/// What a file holds, without the white space around it.
async fn text(account: &Account, what: &str, path: &Path) -> Result<Secret, SourceError> {
    let bytes = read(&account.name, what, path).await?;
    match std::str::from_utf8(&bytes).map(str::trim) {
        Ok(text) if !text.is_empty() => Ok(Secret::new(text)),
        Ok(_) | Err(_) => {
            let message = format!(
                "account `{}`: {what} in `{}` is empty or no UTF-8",
                account.name,
                path.display()
            );
            Err(SourceError::new(Remedy::Mend, message))
        }
    }
}

/// The certificates of an account, as last read.
#[derive(Debug)]
pub(super) struct Certificates {
    pub(super) trusted: Option<Vec<u8>>,
    /// Our certificate and its key, one after the other.
    pub(super) own: Option<Secret>,
}

/// What tells that a certificate is another than before.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CertificateStamp(Stamp);

impl CertificateStamp {
    /// That of no file at all.
    pub(super) fn never() -> Self {
        Self(Stamp::new())
    }

    pub(super) async fn of(tls: &Tls) -> Self {
        let paths = [&tls.ca_file, &tls.cert_file, &tls.key_file];
        Self(stamp(paths.into_iter().flatten().map(PathBuf::as_path)).await)
    }
}

impl Certificates {
    pub(super) async fn read(account: &Account) -> Result<Self, SourceError> {
        let tls = &account.tls;
        let trusted = match &tls.ca_file {
            Some(path) => Some(read(&account.name, "`caFile`", path).await?),
            None => None,
        };
        let own = match (&tls.cert_file, &tls.key_file) {
            (Some(cert), Some(key)) => {
                let cert = text(account, "`certFile`", cert).await?;
                let key = text(account, "`keyFile`", key).await?;
                Some(Secret::new(format!(
                    "{}\n{}\n",
                    cert.reveal(),
                    key.reveal()
                )))
            }
            (Some(_), None) | (None, Some(_) | None) => None,
        };
        Ok(Self { trusted, own })
    }
}
