//! From a metric of the canary config and a scope to the text of a query, as Kayenta makes it.
//!
//! What a scope puts into a query is a value and stays one: inside a string of the template it is escaped for that string, and
//! in a regular expression that is made here it is quoted. Where that changes nothing, the text is Kayenta's to the letter.

use std::collections::BTreeMap;

use thiserror::Error;

use super::{promql, quoting};
use crate::config::canary::templates::{self, TemplateError};
use crate::config::canary::wire::Query;
use crate::model::scope::Scope;
use crate::sources::{Manner, Question};

/// A template that begins so is the whole query.
const WHOLE_QUERY: &str = "PromQL:";

/// Around what came from the scope, until it is known where it lands. Private characters of Unicode, refused in values.
const OPEN_VALUE: char = '\u{E000}';
const OPEN_PIECE: char = '\u{E001}';
const CLOSE: char = '\u{E002}';

/// Variables that are values wherever they stand. Others may be pieces of a query, such as `0.99` or `code="500"`, when they
/// stand outside a string.
const VALUES: [&str; 4] = ["scope", "location", "project", "resourceType"];

/// Why there is no query. The texts are Kayenta's where it has one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum QueryError {
    /// The template does not expand.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// Neither a whole query nor a name.
    #[error("Metric Name is required when query type is Default.")]
    NoMetricName,
    /// Nothing tells whose series are meant.
    #[error("Either a resource type or a custom filter is required.")]
    NoFilter,
    /// A resource type that has no rule.
    #[error(
        "There is no explicit support for resourceType '{0}'; expected `gce_instance`, `aws_ec2_instance`, or a custom filter"
    )]
    UnknownResourceType(String),
    /// A resource type that needs a region.
    #[error("resource type `{0}` needs a location; found none")]
    NoLocation(&'static str),
    /// A value that cannot be written where the template wants it.
    #[error(
        "the value of a variable stands in a back-tick string and holds a back-tick; write the string with double quotes"
    )]
    BackTick,
    /// A value with characters that are used as marks.
    #[error(
        "the value of `{0}` holds a private character of Unicode (U+E000 to U+E002); expected none"
    )]
    PrivateCharacter(String),
    /// A query for another kind of store.
    #[error("the query is not of type `prometheus`")]
    OtherKind,
}

/// The text that is sent for `question`. With [`Manner::Aligned`] bare selectors are read over one step only, and names that are
/// none in PromQL are quoted.
///
/// # Errors
/// As [`QueryError`] lists them.
pub fn build(question: &Question, scope_label: &str) -> Result<String, QueryError> {
    let query = as_kayenta(question, scope_label)?;
    Ok(match question.manner {
        Manner::Kayenta => query,
        Manner::Aligned => promql::guard(&query, question.scope.step_secs),
    })
}

fn as_kayenta(question: &Question, scope_label: &str) -> Result<String, QueryError> {
    let Query::Prometheus {
        metric_name,
        resource_type,
        label_bindings,
        group_by_fields,
        ..
    } = &question.query
    else {
        return Err(QueryError::OtherKind);
    };
    let filter = expand(question)?.unwrap_or_default();
    if let Some(whole) = filter.strip_prefix(WHOLE_QUERY) {
        return Ok(whole.to_owned());
    }
    let name = metric_name.as_deref().unwrap_or_default();
    if name.is_empty() {
        return Err(QueryError::NoMetricName);
    }
    let mut labels: Vec<String> = pieces(&filter);
    labels.extend(label_bindings.iter().flatten().cloned());
    if filter.is_empty() {
        let of_scope = parameter(&question.scope, "resourceType");
        let of_query = resource_type.as_deref().filter(|own| !own.is_empty());
        let resource = of_query.or(of_scope);
        labels.extend(of_resource(resource, &question.scope, scope_label)?);
    }
    let quoted = |name: &str| is_quoted(name, question.manner);
    let selector = match (quoted(name), labels.is_empty()) {
        (true, _) => {
            labels.insert(0, in_quotes(name));
            format!("{{{}}}", labels.join(","))
        }
        (false, true) => name.to_owned(),
        (false, false) => format!("{name}{{{}}}", labels.join(",")),
    };
    let mut query = format!("avg({selector})");
    let groups: Vec<String> = group_by_fields
        .iter()
        .flatten()
        .map(|label| match quoted(label) {
            true => in_quotes(label),
            false => label.clone(),
        })
        .collect();
    if !groups.is_empty() {
        query.push_str(&format!(" by ({})", groups.join(",")));
    }
    Ok(query)
}

/// Whether a name needs quotes. Kayenta writes none, and `a-b` then reads as a difference; with a dot or beyond ASCII it reads
/// as nothing at all, so that quotes can only help.
fn is_quoted(name: &str, manner: Manner) -> bool {
    match manner {
        Manner::Kayenta => {
            let within = |c: char| c.is_ascii_alphanumeric() || "_:.".contains(c) || !c.is_ascii();
            name.chars().all(within) && (name.contains('.') || !name.is_ascii())
        }
        Manner::Aligned => !quoting::is_plain_name(name),
    }
}

fn in_quotes(name: &str) -> String {
    format!("\"{}\"", quoting::escaped(name))
}

/// The conditions of a filter. Kayenta takes it apart at every comma and leaves empty ones at the end away, as Java does.
fn pieces(filter: &str) -> Vec<String> {
    let mut pieces: Vec<String> = filter.split(',').map(str::to_owned).collect();
    while pieces.last().is_some_and(String::is_empty) {
        pieces.pop();
    }
    pieces
}

fn parameter<'s>(scope: &'s Scope, name: &str) -> Option<&'s str> {
    let value = scope.parameters.get(name).map(String::as_str);
    value.filter(|value| !value.is_empty())
}

/// The conditions that a resource type stands for.
fn of_resource(
    resource: Option<&str>,
    scope: &Scope,
    scope_label: &str,
) -> Result<Vec<String>, QueryError> {
    let quoted = |text: &str| quoting::escaped(&quoting::regex_quoted(text));
    let location = |resource| match scope.location.as_str() {
        "" => Err(QueryError::NoLocation(resource)),
        location => Ok(quoted(location)),
    };
    let mut labels = Vec::new();
    match resource {
        Some("gce_instance") => {
            let location = location("gce_instance")?;
            if !scope.scope.is_empty() {
                labels.push(format!(
                    "{scope_label}=~\"{}-.{{4}}\"",
                    quoted(&scope.scope)
                ));
            }
            let project = match parameter(scope, "project") {
                Some(project) => format!("projects/{}/", quoted(project)),
                None => String::new(),
            };
            labels.push(format!("zone=~\".+/{project}zones/{location}-.{{1}}\""));
        }
        Some("aws_ec2_instance") => {
            let location = location("aws_ec2_instance")?;
            if !scope.scope.is_empty() {
                let group = quoting::escaped(&scope.scope);
                labels.push(format!("asg_groupName=\"{group}\""));
            }
            labels.push(format!("zone=~\"{location}.{{1}}\""));
        }
        Some(other) => return Err(QueryError::UnknownResourceType(other.to_owned())),
        None => return Err(QueryError::NoFilter),
    }
    Ok(labels)
}

/// The expanded template, with values escaped where they stand.
fn expand(question: &Question) -> Result<Option<String>, QueryError> {
    let scope = &question.scope;
    let own = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let seen = templates::Scope {
        attributes: BTreeMap::from([
            own("scope", &scope.scope),
            own("location", &scope.location),
            own("project", parameter(scope, "project").unwrap_or_default()),
            own(
                "resourceType",
                parameter(scope, "resourceType").unwrap_or_default(),
            ),
        ]),
        extended: scope
            .parameters
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
    };
    let mut bindings = templates::bindings(&question.query, &seen);
    for (name, value) in &mut bindings {
        if value.contains([OPEN_VALUE, OPEN_PIECE, CLOSE]) {
            return Err(QueryError::PrivateCharacter(name.clone()));
        }
        let open = match VALUES.contains(&name.as_str()) {
            true => OPEN_VALUE,
            false => OPEN_PIECE,
        };
        *value = format!("{open}{value}{CLOSE}");
    }
    match templates::expand(&question.templates, &question.query, &bindings)? {
        Some(marked) => in_place(&marked).map(Some),
        None => Ok(None),
    }
}

/// Takes the marks away and escapes what stands between them as its place needs: in a string for that string; a value outside
/// every string as if between double quotes, so that it cannot open one; a piece of a query not at all.
fn in_place(marked: &str) -> Result<String, QueryError> {
    let mut out = String::with_capacity(marked.len());
    let mut open: Vec<char> = Vec::new();
    // The quote of the string that is open, and how many marks were open when it began.
    let mut string: Option<(char, usize)> = None;
    let mut after_backslash = false;
    let mut comment = false;
    for c in marked.chars() {
        match (c, string) {
            (OPEN_VALUE | OPEN_PIECE, _) => open.push(c),
            (CLOSE, _) => {
                open.pop();
            }
            (c, Some((quote, depth))) if open.len() > depth => {
                if !quoting::push_escaped(&mut out, c, quote) {
                    return Err(QueryError::BackTick);
                }
            }
            (c, None) if open.last() == Some(&OPEN_VALUE) => {
                quoting::push_escaped(&mut out, c, '"');
            }
            (c, Some((quote, _))) => {
                out.push(c);
                if after_backslash {
                    after_backslash = false;
                } else if c == '\\' && quote != '`' {
                    after_backslash = true;
                } else if c == quote {
                    string = None;
                }
            }
            (c, None) => {
                out.push(c);
                comment = c != '\n' && (comment || c == '#');
                if !comment && ['"', '\'', '`'].contains(&c) {
                    string = Some((c, open.len()));
                }
            }
        }
    }
    Ok(out)
}
