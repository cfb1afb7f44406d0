//! Reading what stands around the body of an answer. Pure.

use reqwest::header::{CONTENT_TYPE, HeaderName};
use reqwest::{Response, Url};

use super::failure;

pub(super) fn is_html(response: &Response) -> bool {
    header(response, CONTENT_TYPE).is_some_and(|kind| kind.contains("html"))
}

/// An address as errors name it: a redirect may have put anything into its query.
pub(super) fn place(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    failure::shorten(url.as_str())
}

pub(super) fn header(response: &Response, name: HeaderName) -> Option<&str> {
    response
        .headers()
        .get(name)
        .and_then(|value| value.to_str().ok())
}

/// `Sun, 06 Nov 1994 08:49:37 GMT` in milliseconds since 1970-01-01T00:00:00Z.
pub(super) fn http_date_ms(text: &str) -> Option<i64> {
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text);
    date.ok().map(|date| date.as_millisecond())
}
