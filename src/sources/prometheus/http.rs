//! One request and its whole answer: who we are, how long and how much, where to.
//!
//! Nothing is tried twice here, but for a refusal after which the secrets in files are others, and for POST where only GET is
//! let through. What an answer means is decided in `failure`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota};
use reqwest::header::{ACCEPT, CACHE_CONTROL, DATE, HeaderMap, LOCATION, RETRY_AFTER};
use reqwest::{Client, Method, Response, StatusCode, Url};
use tokio::sync::{Mutex, Semaphore};
use tokio::time;

use super::account::Account;
use super::credentials::{self, CertificateStamp, Certificates, Headers};
use super::response::{header, http_date_ms, is_html, place};
use super::tls;
use crate::clock::Clock;
use crate::sources::{Remedy, SourceError};

/// Most redirects that are followed.
const MAX_REDIRECTS: usize = 5;

/// Longest time that a store may ask us to wait.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(120);

/// How long POST is left alone where it was refused and GET was not; the refusal may have been a passing one.
const ONLY_GET_MS: i64 = 600_000;

/// Largest difference between the store's clock and ours that is believed; an hour off, more likely the date is wrong.
const MAX_SKEW_MS: i64 = 3_600_000;

/// Names and values of a request.
pub(super) type Parameters = Vec<(&'static str, String)>;

/// An answer with its whole body.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) is_html: bool,
    /// How long the store wants us to wait, at most [`MAX_RETRY_AFTER`].
    pub(super) retry_after: Option<Duration>,
    pub(super) body: Vec<u8>,
}

/// The connection to one account; shared by all who ask it.
#[derive(Debug)]
pub(super) struct Http {
    account: Account,
    base: Url,
    client: Mutex<(CertificateStamp, Client)>,
    headers: Mutex<Arc<Headers>>,
    gate: Semaphore,
    pace: Option<DefaultDirectRateLimiter>,
    /// When POST was last refused and GET was not; 0 for never.
    get_since_ms: AtomicI64,
    /// The store's clock less ours as its answers tell, in milliseconds; 0 within what their `Date` can tell.
    skew_ms: AtomicI64,
    /// Whether secrets or certificates could not be read again, and those of before are used.
    stale: AtomicBool,
    clock: Arc<dyn Clock>,
}

impl Http {
    pub(super) fn new(account: Account, clock: Arc<dyn Clock>) -> Result<Self, SourceError> {
        // An error means that a provider is there already, which is all that is wanted.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let base = account.checked_url()?;
        let none = Certificates {
            trusted: None,
            own: None,
        };
        // Certificates are read by the first request: their files may come later than we do.
        let client = tls::client(&account, &base, &none)?;
        let gate = account.max_concurrent_queries.get();
        Ok(Self {
            client: Mutex::new((CertificateStamp::never(), client)),
            headers: Mutex::default(),
            gate: Semaphore::new(gate.min(Semaphore::MAX_PERMITS)),
            pace: account
                .requests_per_second
                .map(|most| DefaultDirectRateLimiter::direct(Quota::per_second(most))),
            get_since_ms: AtomicI64::new(0),
            stale: AtomicBool::new(false),
            skew_ms: AtomicI64::new(0),
            base,
            account,
            clock,
        })
    }

    pub(super) fn account(&self) -> &Account {
        &self.account
    }

    /// The store's clock less ours in milliseconds, as far as it is known; `Err` where it is too much to be believed.
    pub(super) fn skew_ms(&self) -> Result<i64, i64> {
        let skew = self.skew_ms.load(Ordering::Relaxed);
        match skew.saturating_abs() <= MAX_SKEW_MS {
            true => Ok(skew),
            false => Err(skew),
        }
    }

    /// Our time, or the store's where that is earlier, in milliseconds since 1970-01-01T00:00:00Z.
    pub(super) fn now_ms(&self) -> i64 {
        self.clock
            .now_ms()
            .saturating_add(self.skew_ms().unwrap_or(0).min(0))
    }

    /// Our secrets, to be taken out of what a server sends back.
    pub(super) async fn secrets(&self) -> Arc<Headers> {
        Arc::clone(&*self.headers.lock().await)
    }

    /// Asks by a form, which has room for long queries; by GET once that was refused, and for a while if GET is not.
    pub(super) async fn post(
        &self,
        path: &str,
        parameters: &Parameters,
    ) -> Result<Answer, SourceError> {
        if self.leaves_post_alone() {
            let answer = self.get(path, parameters).await?;
            let too_long = [
                StatusCode::URI_TOO_LONG,
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            ];
            if !too_long.contains(&answer.status) {
                return Ok(answer);
            }
            self.get_since_ms.store(0, Ordering::Relaxed);
            return self
                .with_fresh_secrets(Method::POST, path, parameters)
                .await;
        }
        let answer = self
            .with_fresh_secrets(Method::POST, path, parameters)
            .await?;
        let may_be_post = [
            StatusCode::METHOD_NOT_ALLOWED,
            StatusCode::NOT_FOUND,
            StatusCode::FORBIDDEN,
        ];
        if !may_be_post.contains(&answer.status) {
            return Ok(answer);
        }
        tracing::debug!(account = %self.account.name, status = answer.status.as_u16(), "POST is refused, trying GET");
        let answer = self.get(path, parameters).await?;
        if answer.status.is_success() {
            self.get_since_ms
                .store(self.clock.now_ms(), Ordering::Relaxed);
        }
        Ok(answer)
    }

    fn leaves_post_alone(&self) -> bool {
        let since_ms = self.get_since_ms.load(Ordering::Relaxed);
        since_ms != 0 && self.clock.now_ms().abs_diff(since_ms) < ONLY_GET_MS.unsigned_abs()
    }

    /// Asks by GET.
    pub(super) async fn get(
        &self,
        path: &str,
        parameters: &Parameters,
    ) -> Result<Answer, SourceError> {
        self.with_fresh_secrets(Method::GET, path, parameters).await
    }

    async fn with_fresh_secrets(
        &self,
        method: Method,
        path: &str,
        parameters: &Parameters,
    ) -> Result<Answer, SourceError> {
        let headers = self.current_headers().await?;
        let answer = self.once(&method, path, parameters, &headers).await?;
        let refused = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&answer.status);
        if refused {
            // What cannot be read now may be about to be exchanged: then the refusal is no last word.
            let fresh = self.read_headers(true).await?;
            if fresh.map() != headers.map() {
                return self.once(&method, path, parameters, &fresh).await;
            }
        }
        Ok(answer)
    }

    /// The headers as they are now; those of before where they cannot be read, as in the middle of an exchange of secrets.
    async fn current_headers(&self) -> Result<Arc<Headers>, SourceError> {
        let error = match self.read_headers(false).await {
            Ok(headers) => return Ok(headers),
            Err(error) => error,
        };
        let known = Arc::clone(&*self.headers.lock().await);
        match known.is_read() {
            true => {
                self.goes_on_with_old(&error);
                Ok(known)
            }
            false => Err(error),
        }
    }

    async fn read_headers(&self, anyway: bool) -> Result<Arc<Headers>, SourceError> {
        let mut known = self.headers.lock().await;
        let fresh = known.refreshed(&self.account, anyway).await;
        let from_files = credentials::has_files(&self.account);
        let fresh = fresh.map_err(|error| if from_files { passing(error) } else { error });
        if let Some(fresh) = fresh? {
            self.stale.store(false, Ordering::Relaxed);
            *known = Arc::new(fresh);
        }
        Ok(Arc::clone(&*known))
    }

    /// The client as it is now, or that of before, likewise.
    async fn current_client(&self) -> Result<Client, SourceError> {
        let mut known = self.client.lock().await;
        let stamp = CertificateStamp::of(&self.account.tls).await;
        if known.0 != stamp {
            let fresh = Certificates::read(&self.account).await;
            let fresh = fresh.and_then(|found| tls::client(&self.account, &self.base, &found));
            match fresh {
                Ok(client) => {
                    self.stale.store(false, Ordering::Relaxed);
                    *known = (stamp, client);
                }
                Err(error) if known.0 == CertificateStamp::never() => return Err(passing(error)),
                Err(error) => self.goes_on_with_old(&error),
            }
        }
        Ok(known.1.clone())
    }

    /// Says so once, not with every request.
    fn goes_on_with_old(&self, error: &SourceError) {
        if !self.stale.swap(true, Ordering::Relaxed) {
            tracing::warn!(account = %self.account.name, %error, "going on with the secrets and certificates of before");
        }
    }

    /// One request, when its turn has come; the time to wait for it does not count as the request's.
    async fn once(
        &self,
        method: &Method,
        path: &str,
        parameters: &Parameters,
        headers: &Headers,
    ) -> Result<Answer, SourceError> {
        let client = self.current_client().await?;
        let _turn = self.gate.acquire().await;
        if let Some(pace) = &self.pace {
            let clock = DefaultClock::default();
            while let Err(early) = pace.check() {
                time::sleep(early.wait_time_from(clock.now())).await;
            }
        }
        let url = self.url(path);
        let limit = Duration::from_secs(self.account.timeout_secs.get().into());
        let whole = async {
            let (url, response) = self
                .redirected(
                    &client,
                    method.clone(),
                    url.clone(),
                    parameters,
                    headers.map(),
                )
                .await?;
            self.read(&url, response).await
        };
        let answer = time::timeout(limit, whole).await.unwrap_or_else(|_| {
            Err(SourceError::new(
                Remedy::Retry { after: None },
                format!(
                    "account `{}`: no whole answer from `{url}` within {} s",
                    self.account.name,
                    limit.as_secs()
                ),
            ))
        });
        answer.map_err(|error| SourceError {
            message: headers.without_secrets(&error.message),
            ..error
        })
    }

    /// `path` below the base address.
    fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        let prefix = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{prefix}{path}"));
        url
    }

    /// Sends, and follows redirects that stay on the same server. The method is kept: a query changes nothing, whatever the
    /// method, and a form that became a GET without its fields would be another question.
    async fn redirected(
        &self,
        client: &Client,
        mut method: Method,
        mut url: Url,
        parameters: &Parameters,
        headers: &HeaderMap,
    ) -> Result<(Url, Response), SourceError> {
        for _ in 0..=MAX_REDIRECTS {
            let response = self
                .send(client, &method, &url, parameters, headers)
                .await?;
            let location = response
                .headers()
                .get(LOCATION)
                .and_then(|to| to.to_str().ok());
            let next = location.and_then(|to| url.join(to).ok());
            let Some(next) = next.filter(|_| response.status().is_redirection()) else {
                return Ok((url, response));
            };
            if next.origin() != url.origin() {
                let mut error = self.error(
                    Remedy::Mend,
                    format!(
                        "`{}` leads to another server, `{}`; expected an answer",
                        place(&url),
                        next.origin().ascii_serialization()
                    ),
                );
                error.hint = Some(
                    "credentials are not sent on; give the address that answers as `baseUrl`, or log in to the proxy before it"
                        .to_owned(),
                );
                return Err(error);
            }
            if response.status() == StatusCode::SEE_OTHER {
                method = Method::GET;
            }
            url = next;
        }
        let found = format!(
            "`{}` leads on and on; expected at most {MAX_REDIRECTS} redirects",
            place(&url)
        );
        Err(self.error(Remedy::Mend, found))
    }

    async fn send(
        &self,
        client: &Client,
        method: &Method,
        url: &Url,
        parameters: &Parameters,
        headers: &HeaderMap,
    ) -> Result<Response, SourceError> {
        let request = if *method == Method::GET {
            let mut url = url.clone();
            if !parameters.is_empty() && url.query().is_none() {
                url.query_pairs_mut().extend_pairs(parameters);
            }
            client.get(url)
        } else {
            client.post(url.clone()).form(parameters)
        };
        let response = request
            .headers(headers.clone())
            .header(ACCEPT, "application/json")
            .header(CACHE_CONTROL, "no-store")
            .send()
            .await
            .map_err(|why| self.broken(format!("no answer from `{}`", place(url)), why))?;
        // Only the API's own answers tell the store's time: what stands before it may be another machine, or a cache.
        let is_own = response.status().is_success()
            && url.path().contains("/api/v1/")
            && !is_html(&response);
        if is_own && let Some(date) = header(&response, DATE).and_then(http_date_ms) {
            self.learn_skew(date);
        }
        Ok(response)
    }

    fn learn_skew(&self, date_ms: i64) {
        // A date is cut to whole seconds, and took its time to get here.
        let skew = date_ms
            .saturating_add(500)
            .saturating_sub(self.clock.now_ms());
        let skew = if skew.saturating_abs() > 2000 {
            skew
        } else {
            0
        };
        let was_believed = self.skew_ms().is_ok();
        self.skew_ms.store(skew, Ordering::Relaxed);
        if was_believed && self.skew_ms().is_err() {
            tracing::warn!(account = %self.account.name, skew_ms = skew, "the store's clock is too far from ours to be believed");
        }
    }

    /// The body, up to the account's limit, which holds for what it unpacks to.
    async fn read(&self, url: &Url, mut response: Response) -> Result<Answer, SourceError> {
        let mut answer = Answer {
            status: response.status(),
            is_html: is_html(&response),
            retry_after: header(&response, RETRY_AFTER).and_then(|text| self.retry_after(text)),
            body: Vec::new(),
        };
        let most = self.account.max_response_bytes.get();
        loop {
            let chunk = response.chunk().await.map_err(|why| {
                let read = answer.body.len();
                self.broken(
                    format!(
                        "the answer from `{}` broke off after {read} bytes",
                        place(url)
                    ),
                    why,
                )
            })?;
            let Some(chunk) = chunk else {
                return Ok(answer);
            };
            if answer.body.len() + chunk.len() > most {
                if !answer.status.is_success() {
                    // Enough of an error to tell what it is.
                    return Ok(answer);
                }
                let mut error = self.error(
                    Remedy::Mend,
                    format!(
                        "the answer from `{}` is longer than `maxResponseBytes`, {most} bytes",
                        place(url)
                    ),
                );
                error.hint = Some("aggregate the query, or raise the limit".to_owned());
                return Err(error);
            }
            answer.body.extend_from_slice(&chunk);
        }
    }

    /// Seconds, or a date.
    fn retry_after(&self, text: &str) -> Option<Duration> {
        let wait = match text.trim().parse() {
            Ok(secs) => Duration::from_secs(secs),
            Err(_) => {
                let ms = http_date_ms(text)?.saturating_sub(self.clock.now_ms());
                Duration::from_millis(u64::try_from(ms).unwrap_or(0))
            }
        };
        Some(wait.min(MAX_RETRY_AFTER))
    }

    fn error(&self, remedy: Remedy, what: String) -> SourceError {
        SourceError::new(remedy, format!("account `{}`: {what}", self.account.name))
    }

    /// An error of the connection: it may be better the next time, unless it is about certificates.
    fn broken(&self, what: String, why: reqwest::Error) -> SourceError {
        let why = why.without_url();
        let remedy = match tls::is_about_certificates(&why) || why.is_builder() {
            true => Remedy::Mend,
            false => Remedy::Retry { after: None },
        };
        let mut error = self.error(remedy, what);
        error.hint = if remedy == Remedy::Mend {
            Some("see `caFile`, `certFile` and `keyFile` of the account".to_owned())
        } else if why.is_connect() {
            Some("is the store up, and `baseUrl` its address?".to_owned())
        } else {
            None
        };
        error.cause = Some(Box::new(why));
        error
    }
}

/// Secrets and certificates are exchanged while we run, one file after the other: what is wrong with them now may be right soon.
fn passing(error: SourceError) -> SourceError {
    SourceError {
        remedy: Remedy::Retry { after: None },
        ..error
    }
}
