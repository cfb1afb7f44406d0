//! From a question to what is sampled: which instances, at which distance, and what of their pages.

use std::collections::BTreeSet;

use reqwest::Url;

use super::expression::{self, Expression, Unreadable};
use super::{INSTANCES, ScrapeAccount};
use crate::config::canary::templates;
use crate::config::canary::wire::Query;
use crate::model::scope::Scope;
use crate::sources::{Question, Remedy, SourceError};

/// Most instances of one scope.
const MOST_INSTANCES: usize = 200;

/// What a question comes down to.
pub(super) struct Plan {
    pub(super) instances: Vec<Url>,
    pub(super) expression: Expression,
    pub(super) step_ms: i64,
}

impl Plan {
    /// What a question asks of which instances at which distance.
    pub(super) fn of(account: &ScrapeAccount, question: &Question) -> Result<Self, SourceError> {
        let instances = instances(account, &question.scope)?;
        let text = expression_text(question)?;
        let refused = |message: String| SourceError {
            query: Some(text.clone()),
            hint: Some(Unreadable::HINT.to_owned()),
            ..SourceError::new(Remedy::Mend, message)
        };
        let expression = expression::parse(&text).map_err(|error| refused(error.to_string()))?;
        let step_ms = i64::try_from(question.scope.step_secs)
            .ok()
            .and_then(|step| step.checked_mul(1000))
            .filter(|step| *step > 0)
            .ok_or_else(|| refused("the step is 0; expected at least 1 s".to_owned()))?;
        if let Some(range) = expression
            .range_ms()
            .filter(|range| *range < step_ms.unsigned_abs())
        {
            return Err(refused(format!(
                "the rate looks back {range} ms, where no two samples at a step of {step_ms} ms are; expected at least the step"
            )));
        }
        Ok(Self {
            instances,
            expression,
            step_ms,
        })
    }

    pub(super) fn key(&self) -> (Vec<String>, i64) {
        let instances = self.instances.iter().map(Url::to_string);
        (instances.collect(), self.step_ms)
    }

    pub(super) fn text(&self) -> String {
        let (instances, _) = self.key();
        format!("{} of {}", self.expression, instances.join(", "))
    }

    /// The times of the window's points: whole multiples of the step.
    pub(super) fn times(&self, scope: &Scope) -> (i64, i64) {
        let step = self.step_ms;
        let first = scope
            .window
            .start_ms()
            .saturating_add(step - 1)
            .div_euclid(step)
            * step;
        let last = scope.window.end_ms().div_euclid(step) * step;
        (first, last)
    }
}

/// The addresses that a scope stands for, sorted.
fn instances(account: &ScrapeAccount, scope: &Scope) -> Result<Vec<Url>, SourceError> {
    let mend = |message: String, hint: &str| SourceError {
        hint: Some(hint.to_owned()),
        ..SourceError::new(Remedy::Mend, message)
    };
    let asked = scope
        .parameters
        .get(INSTANCES)
        .filter(|list| !list.is_empty());
    let texts: Vec<&str> = match asked {
        Some(_) if !account.instances_from_requests => {
            return Err(mend(
                format!(
                    "the request lists `{INSTANCES}`, and the account takes none from requests"
                ),
                "name a scope of the account, or allow it in the account's settings",
            ));
        }
        Some(list) => list
            .split(',')
            .map(str::trim)
            .filter(|text| !text.is_empty())
            .collect(),
        None => {
            let located = format!("{}/{}", scope.location, scope.scope);
            let known = &account.instances;
            let Some(texts) = known.get(&located).or_else(|| known.get(&scope.scope)) else {
                return Err(mend(
                    format!(
                        "the account has no instances of the scope `{}`",
                        scope.scope
                    ),
                    "list them in the account's settings by the scope's name",
                ));
            };
            texts.iter().map(String::as_str).collect()
        }
    };
    let addresses: Result<BTreeSet<Url>, String> = texts.iter().map(|text| address(text)).collect();
    let addresses = addresses.map_err(|message| {
        mend(
            message,
            "an instance is `host:port` or `http://host:port/metrics`",
        )
    })?;
    if addresses.is_empty() || addresses.len() > MOST_INSTANCES {
        let found = addresses.len();
        let message = format!(
            "the scope `{}` has {found} instances; expected 1 to {MOST_INSTANCES}",
            scope.scope
        );
        return Err(mend(
            message,
            "list its instances in the account's settings",
        ));
    }
    Ok(addresses.into_iter().collect())
}

/// The address of a page.
pub(super) fn address(text: &str) -> Result<Url, String> {
    let whole = if text.contains("://") {
        text.to_owned()
    } else {
        format!("http://{text}/metrics")
    };
    let wrong = |why: &str| {
        Err(format!(
            "found the instance `{}`; expected {why}",
            text.escape_debug()
        ))
    };
    match Url::parse(&whole) {
        Ok(url) if !["http", "https"].contains(&url.scheme()) => wrong("`http` or `https`"),
        // Messages name addresses, so that they must hold no secrets.
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            Err("found an instance with a password; expected an address without".to_owned())
        }
        Ok(url) if url.host_str().is_none() => wrong("a host"),
        Ok(url) => Ok(url),
        Err(_) => wrong("`host:port` or `http://host:port/metrics`"),
    }
}

/// The question as PromQL, its variables replaced; values are escaped, so that they stay within their quotes.
fn expression_text(question: &Question) -> Result<String, SourceError> {
    let mend = |message: String| SourceError::new(Remedy::Mend, message);
    let Query::Prometheus {
        metric_name,
        label_bindings,
        group_by_fields,
        ..
    } = &question.query
    else {
        let kind = question.query.kind();
        return Err(mend(format!(
            "found a query of `{kind}`; expected `prometheus`"
        )));
    };
    if group_by_fields
        .as_ref()
        .is_some_and(|fields| !fields.is_empty())
    {
        return Err(mend(
            "found `groupByFields`; expected none, because a scrape gives one series".to_owned(),
        ));
    }
    let scope = &question.scope;
    let own = [("scope", &scope.scope), ("location", &scope.location)];
    let seen = templates::Scope {
        attributes: own
            .into_iter()
            .map(|(name, value)| (name.to_owned(), expression::escaped(value)))
            .collect(),
        extended: scope
            .parameters
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name.clone(), expression::escaped(value)))
            .collect(),
    };
    let bindings = templates::bindings(&question.query, &seen);
    let template =
        templates::expand(&question.templates, &question.query, &bindings).map_err(|error| {
            let why = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
            mend(format!("{error}{}", why.unwrap_or_default()))
        })?;
    if let Some(promql) = template
        .as_deref()
        .and_then(|text| text.strip_prefix("PromQL:"))
    {
        return Ok(promql.trim().to_owned());
    }
    let Some(name) = metric_name.as_deref().filter(|name| !name.is_empty()) else {
        return Err(mend(
            "Metric Name is required when query type is Default.".to_owned(),
        ));
    };
    let conditions: Vec<&str> = template
        .as_deref()
        .into_iter()
        .chain(label_bindings.iter().flatten().map(String::as_str))
        .filter(|condition| !condition.is_empty())
        .collect();
    Ok(format!("avg({name}{{{}}})", conditions.join(",")))
}
