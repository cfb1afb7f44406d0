//! Query templates: `${variable}`, `${variable:-default}` and `$${literal}`.
//!
//! The rules are those of `StringSubstitutor` of Apache Commons Text 1.10, as Kayenta sets it up: values are expanded
//! themselves, an unknown variable is an error, and there are no variables inside variable names.

use std::collections::BTreeMap;

use thiserror::Error;

use super::wire::{CanaryConfig, Query};

/// Most that an expansion may yield, in bytes. Sources refuse far shorter queries.
const MAX_EXPANDED: usize = 1024 * 1024;

/// Most variables that one expansion replaces, those inside values included.
const MAX_VARIABLES: usize = 10_000;

/// Most values inside each other.
const MAX_NESTING: usize = 64;

/// Why a template could not be expanded. The texts are Kayenta's; [`std::error::Error::source`] says more.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TemplateError {
    /// The query has the old `customFilter`.
    #[error(
        "CanaryMetricSetQueryConfig.customFilter is deprecated, use CanaryMetricSetQueryConfig.customInlineTemplate instead."
    )]
    Deprecated,
    /// The query asks for a template, but the config has none at all.
    #[error("Custom filter template '{0}' was referenced, but no templates were defined.")]
    NoTemplates(String),
    /// The query asks for a template that the config does not have.
    #[error("Custom filter template '{0}' was not found.")]
    NotFound(String),
    /// The template was found but does not expand.
    #[error("Problem evaluating custom filter template: {template}")]
    Evaluation {
        /// The template, unescaped.
        template: String,
        /// What is wrong with it.
        #[source]
        cause: EvaluationError,
    },
}

/// What is wrong with a template or the values that it names.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EvaluationError {
    /// A variable has neither a value nor a default.
    #[error("variable `{name}` has no value; known are {known}")]
    Undefined {
        /// The variable.
        name: String,
        /// The variables that have a value.
        known: String,
    },
    /// A variable's value leads back to the variable.
    #[error("variable `{0}` contains itself: {1}")]
    Cycle(String, String),
    /// The values would expand without a sensible end.
    #[error(
        "expands to more than {MAX_EXPANDED} bytes, {MAX_VARIABLES} variables or {MAX_NESTING} values inside each other"
    )]
    TooLarge,
}

/// One side's scope of a request, as far as templates see it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scope {
    /// The scope's own attributes by Kayenta's names: `scope`, `location`, `project`, `resourceType`, `step`,
    /// `startEpochSeconds`, `endEpochSeconds`. Empty ones are as good as absent.
    pub attributes: BTreeMap<String, String>,
    /// The request's `extendedScopeParams`; they win over everything else.
    pub extended: BTreeMap<String, String>,
}

/// The attributes of a scope that templates of this kind of query may use.
#[must_use]
pub fn base_attributes(query: &Query) -> &'static [&'static str] {
    match query {
        Query::Prometheus { .. } | Query::Stackdriver { .. } => {
            &["project", "resourceType", "scope", "location"]
        }
        Query::Datadog { .. } | Query::Signalfx { .. } => &["scope", "location"],
        Query::Newrelic { .. } => &[
            "scope",
            "location",
            "step",
            "startEpochSeconds",
            "endEpochSeconds",
        ],
        Query::Influxdb { .. }
        | Query::Graphite { .. }
        | Query::Wavefront { .. }
        | Query::Atlas { .. } => &[],
    }
}

/// The values of all variables: the scope's attributes, over them the query's own, over those the extended parameters.
#[must_use]
pub fn bindings(query: &Query, scope: &Scope) -> BTreeMap<String, String> {
    let mut bindings: BTreeMap<String, String> = base_attributes(query)
        .iter()
        .filter_map(|name| scope.attributes.get_key_value(*name))
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let own = match query {
        Query::Prometheus { resource_type, .. } | Query::Stackdriver { resource_type, .. } => {
            resource_type.as_ref()
        }
        Query::Datadog { .. }
        | Query::Newrelic { .. }
        | Query::Influxdb { .. }
        | Query::Signalfx { .. }
        | Query::Graphite { .. }
        | Query::Wavefront { .. }
        | Query::Atlas { .. } => None,
    };
    if let Some(own) = own.filter(|own| !own.is_empty()) {
        bindings.insert("resourceType".to_owned(), own.clone());
    }
    bindings.extend(scope.extended.clone());
    bindings
}

/// Expands the template of `query`: its inline one, or else the one of `templates` that it names. `None` where it has
/// neither.
///
/// # Errors
/// As [`TemplateError`] lists them.
pub fn expand(
    templates: &BTreeMap<String, String>,
    query: &Query,
    bindings: &BTreeMap<String, String>,
) -> Result<Option<String>, TemplateError> {
    if query.deprecated_filter().is_some() {
        return Err(TemplateError::Deprecated);
    }
    let template = match (query.inline_template(), query.filter_template()) {
        (Some(inline), _) => inline,
        (None, Some(name)) if templates.is_empty() => {
            return Err(TemplateError::NoTemplates(name.to_owned()));
        }
        (None, Some(name)) => templates
            .get(name)
            .ok_or_else(|| TemplateError::NotFound(name.to_owned()))?,
        (None, None) => return Ok(None),
    };
    let template = unescape(template);
    match substitute(&template, bindings) {
        Ok(expanded) => Ok(Some(expanded)),
        Err(cause) => Err(TemplateError::Evaluation { template, cause }),
    }
}

/// Replaces the variables of `template`.
///
/// # Errors
/// An unknown variable without a default; a value that contains its own variable; a result beyond 1 MiB, or values that
/// go too deep.
pub fn substitute(
    template: &str,
    bindings: &BTreeMap<String, String>,
) -> Result<String, EvaluationError> {
    let mut expansion = Expansion {
        bindings,
        within: Vec::new(),
        replaced: 0,
    };
    expansion.text(template)
}

struct Expansion<'b> {
    bindings: &'b BTreeMap<String, String>,
    /// The variables whose values are being expanded, outermost first.
    within: Vec<&'b str>,
    replaced: usize,
}

impl<'b> Expansion<'b> {
    fn text(&mut self, template: &str) -> Result<String, EvaluationError> {
        let mut out = String::new();
        let mut rest = template;
        while let Some(start) = rest.find("${") {
            let (before, from) = rest.split_at(start);
            let inside = from.strip_prefix("${").unwrap_or_default();
            if let Some(before) = before.strip_suffix('$') {
                out.push_str(before);
                out.push_str("${");
                rest = inside;
                continue;
            }
            out.push_str(before);
            let Some((variable, after)) = inside.split_once('}') else {
                out.push_str(from);
                rest = "";
                continue;
            };
            out.push_str(&self.variable(variable)?);
            if out.len() > MAX_EXPANDED {
                return Err(EvaluationError::TooLarge);
            }
            rest = after;
        }
        out.push_str(rest);
        Ok(out)
    }

    fn variable(&mut self, variable: &str) -> Result<String, EvaluationError> {
        self.replaced += 1;
        if self.replaced > MAX_VARIABLES || self.within.len() > MAX_NESTING {
            return Err(EvaluationError::TooLarge);
        }
        let (name, default) = match variable.split_once(":-") {
            Some((name, default)) if !name.contains("${") => (name, Some(default)),
            Some(_) | None => (variable, None),
        };
        if let Some(first) = self.within.iter().find(|outer| **outer == name) {
            let ring = [self.within.as_slice(), &[name]].concat().join(" -> ");
            return Err(EvaluationError::Cycle((*first).to_owned(), ring));
        }
        match (self.bindings.get_key_value(name), default) {
            (Some((name, value)), _) => {
                self.within.push(name);
                let expanded = self.text(value);
                self.within.pop();
                expanded
            }
            (None, Some(default)) => self.text(default),
            (None, None) => Err(EvaluationError::Undefined {
                name: name.to_owned(),
                known: self.known(),
            }),
        }
    }

    fn known(&self) -> String {
        if self.bindings.is_empty() {
            return "none".to_owned();
        }
        let names: Vec<String> = self
            .bindings
            .keys()
            .take(20)
            .map(|name| format!("`{name}`"))
            .collect();
        names.join(", ")
    }
}

/// `template` with `${` as `$\{`, which other template engines on the way leave alone.
#[must_use]
pub fn escape(template: &str) -> String {
    template.replace("${", "$\\{")
}

/// `template` with `$\{` as `${`.
#[must_use]
pub fn unescape(template: &str) -> String {
    template.replace("$\\{", "${")
}

/// `config` with all its templates and inline templates escaped, as Kayenta shows it in the status of an execution.
#[must_use]
pub fn escape_all(mut config: CanaryConfig) -> CanaryConfig {
    for template in config.templates.values_mut() {
        *template = escape(template);
    }
    for metric in &mut config.metrics {
        let query = metric.query.as_mut();
        if let Some(inline) = query.and_then(Query::inline_template_mut) {
            *inline = escape(inline);
        }
    }
    config
}
