//! The client of an account: whom it trusts, and whose certificate it shows.

use std::error::Error as _;
use std::io;
use std::time::Duration;

use reqwest::{Certificate, Client, Identity, Url};

use super::account::Account;
use super::credentials::Certificates;
use crate::sources::{Remedy, SourceError};

/// Makes the client; it follows no redirects.
pub(super) fn client(
    account: &Account,
    base: &Url,
    certificates: &Certificates,
) -> Result<Client, SourceError> {
    let failed = |what: &str, why: reqwest::Error| {
        let message = format!("account `{}`: cannot use {what}", account.name);
        let mut error = SourceError::new(Remedy::Mend, message);
        error.cause = Some(Box::new(why));
        error
    };
    let mut builder = Client::builder()
        .user_agent(concat!("coalmine/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        // Credentials go to the account's address, and not to whatever the environment names.
        .no_proxy()
        .connect_timeout(Duration::from_secs(
            account.connect_timeout_secs.get().into(),
        ))
        .tcp_nodelay(true);
    if let Some(pem) = &certificates.trusted {
        let trusted = Certificate::from_pem_bundle(pem);
        let trusted = trusted.map_err(|why| failed("`caFile`", why))?;
        if trusted.is_empty() {
            let message = format!("account `{}`: `caFile` holds no certificate", account.name);
            return Err(SourceError::new(Remedy::Mend, message));
        }
        builder = builder.tls_certs_only(trusted);
    } else if base.scheme() == "http" {
        // The system's certificates need not be there, and need not be read.
        builder = builder.tls_certs_only([]);
    }
    if let Some(own) = &certificates.own {
        let own = Identity::from_pem(own.reveal().as_bytes());
        builder = builder.identity(own.map_err(|why| failed("`certFile` and `keyFile`", why))?);
    }
    builder
        .build()
        .map_err(|why| failed("its TLS settings", why))
}

/// Whether a connection failed because one side does not accept the other's certificate.
pub(super) fn is_about_certificates(why: &reqwest::Error) -> bool {
    let mut next = why.source();
    while let Some(cause) = next {
        // An error of I/O hides what it holds from `source`, and may hold another one.
        let mut inner = cause
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        while let Some(held) = inner {
            if let Some(tls) = held.downcast_ref::<rustls::Error>() {
                return matches!(
                    tls,
                    rustls::Error::InvalidCertificate(_) | rustls::Error::AlertReceived(_)
                );
            }
            inner = held
                .downcast_ref::<io::Error>()
                .and_then(io::Error::get_ref);
        }
        next = cause.source();
    }
    false
}
